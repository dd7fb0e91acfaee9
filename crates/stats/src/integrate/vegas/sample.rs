//! A task of VEGAS+: draw the points of a run of hypercubes, evaluate, sum, and learn.

use super::map::{Columns, Map};
use super::partial::{Harvest, Tally};
use super::strata::Allocation;
use crate::integrate::block::{Block, TILE};
use crate::integrate::grid::{Grid, STRIDE, Visits};
use std::ops::Range;
use windfall_core::{Result, Stream};
use windfall_lanes::{Simd, Task, dispatch};

/// What all tasks of an iteration share.
pub(crate) struct Iteration<'a> {
    pub map: &'a Map,
    pub grid: &'a Grid,
    pub allocation: &'a Allocation,
    /// Whether the map learns.
    pub learns: bool,
}

/// The memory of a task.
struct Room {
    /// The hypercube of each point of a tile, then its digits, axis by axis.
    digits: Vec<[f64; 8]>,
    /// The weight that the map gives to each point of the block.
    weights: Vec<f64>,
    /// Weighted values, output by output.
    weighted: Vec<f64>,
    /// The bins of each point of the block, axis by axis, while the map learns.
    bins: Vec<u64>,
    /// The share that each point of the block has in its hypercube, while the map learns.
    shares: Vec<f64>,
}

impl Iteration<'_> {
    /// Evaluates the hypercubes at the `places` of a visit and adds what they give to `harvest`.
    ///
    /// Coordinate `j` of point `i` of tile `t` is made of word `(t · d + j) · 512 + i` of the
    /// task's stream, as with plain points.
    pub fn run(
        &self,
        (task, places): (u64, Range<u64>),
        stream: &mut Stream,
        block: &mut Block<'_>,
        harvest: &mut Harvest,
    ) -> Result<()> {
        let (dimensions, outputs) = (self.grid.counts().len(), block.outputs());
        let bins = if self.learns { dimensions * self.map.bins() } else { 0 };
        harvest.prepare(outputs, bins);
        let counts: Vec<u64> = places.clone().map(|place| self.allocation.points(place)).collect();
        let mut runs = Runs::new(self.grid, places.start, &counts);
        let mut room = Room {
            digits: vec![[0.0; 8]; dimensions * STRIDE / 8],
            weights: vec![0.0; block.points_max()],
            weighted: vec![0.0; block.points_max() * outputs],
            bins: vec![0; if self.learns { dimensions * block.points_max() } else { 0 }],
            shares: vec![0.0; if self.learns { block.points_max() } else { 0 }],
        };
        let (mut tally, mut variances) = (Tally::new(outputs), Vec::with_capacity(counts.len()));
        let mut left: u64 = counts.iter().sum();
        harvest.points += left;
        let mut summed = counts.iter().copied();
        let mut open = summed.next().unwrap_or(0) as usize;
        while left > 0 {
            let points = left.min(block.points_max() as u64) as usize;
            self.place(points, &mut runs, stream, block, &mut room);
            let values = block.evaluate(points, task)?;
            let weighted = &mut room.weighted[..points * outputs];
            for (values, weighted) in
                values.chunks_exact(points).zip(weighted.chunks_exact_mut(points))
            {
                dispatch(Weigh { values, weights: &room.weights, weighted });
            }
            let mut start = 0;
            while start < points {
                let end = points.min(start + open);
                tally.add(weighted, points, start..end);
                if self.learns {
                    room.shares[start..end].fill(1.0 / counts[variances.len()] as f64);
                }
                open -= end - start;
                start = end;
                if open == 0 {
                    variances.push(tally.close(harvest));
                    open = summed.next().unwrap_or(0) as usize;
                }
            }
            if self.learns {
                self.learn(&room, points, harvest);
            }
            left -= points as u64;
        }
        harvest.add_spreads(variances);
        Ok(())
    }

    /// Places the next points and weighs them.
    fn place(
        &self,
        points: usize,
        runs: &mut Runs<'_>,
        stream: &mut Stream,
        block: &mut Block<'_>,
        room: &mut Room,
    ) {
        let points_max = block.points_max();
        room.weights.fill(1.0);
        for tile in 0..points.div_ceil(TILE) {
            let own = points.min((tile + 1) * TILE) - tile * TILE;
            let cells = room.digits[..TILE / 8].as_flattened_mut();
            runs.fill(&mut cells[..own]);
            // The rest of the last tile is drawn and not used.
            let last = cells[own - 1];
            cells[own..].fill(last);
            self.grid.split(&mut room.digits);
            let range = tile * TILE / 8..(tile + 1) * TILE / 8;
            let weights = &mut room.weights.as_chunks_mut().0[range.clone()];
            let mut bins = room.bins.chunks_exact_mut(points_max);
            let digits = room.digits.chunks_exact(STRIDE / 8);
            for (axis, ((affine, column), digits)) in block.axes().zip(digits).enumerate() {
                let columns = Columns {
                    stream,
                    digits: &digits[..TILE / 8],
                    affine,
                    column: &mut column[range.clone()],
                    weights,
                    bins: bins.next().map(|bins| &mut bins.as_chunks_mut().0[range.clone()]),
                };
                self.map.warp(axis, self.grid.counts()[axis], columns).run();
            }
        }
    }

    /// Adds the square of each weighted first value to the bins that its point fell into, in
    /// shares of the hypercube: the map learns the same however points are spread over hypercubes.
    fn learn(&self, room: &Room, points: usize, harvest: &mut Harvest) {
        let axes = harvest.lessons.chunks_exact_mut(self.map.bins());
        for (lessons, bins) in axes.zip(room.bins.chunks_exact(room.shares.len())) {
            let points = room.weighted[..points].iter().zip(&room.shares).zip(bins);
            for ((value, share), bin) in points {
                let [sum, count] = &mut lessons[*bin as usize];
                *sum += value * value * share;
                *count += share;
            }
        }
    }
}

/// Multiplies values by the weights of their points.
struct Weigh<'a> {
    values: &'a [f64],
    weights: &'a [f64],
    weighted: &'a mut [f64],
}

impl Task for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (values, rest) = self.values.as_chunks::<8>();
        let (weights, (outs, last)) =
            (self.weights.as_chunks::<8>().0, self.weighted.as_chunks_mut());
        for ((value, weight), out) in values.iter().zip(weights).zip(outs) {
            simd.store(simd.mul(simd.load(value), simd.load(weight)), out);
        }
        for ((value, weight), out) in rest.iter().zip(&self.weights[values.len() * 8..]).zip(last) {
            *out = value * weight;
        }
    }
}

/// The hypercube of each point, one after the other.
struct Runs<'a> {
    cells: Visits,
    counts: std::slice::Iter<'a, u64>,
    cell: f64,
    left: usize,
}

impl<'a> Runs<'a> {
    fn new(grid: &Grid, first: u64, counts: &'a [u64]) -> Self {
        Self { cells: grid.cells_from(first), counts: counts.iter(), cell: 0.0, left: 0 }
    }

    /// Writes the hypercubes of the next points.
    fn fill(&mut self, out: &mut [f64]) {
        let mut start = 0;
        while start < out.len() {
            if self.left == 0 {
                let Some(&count) = self.counts.next() else { return };
                self.left = count as usize;
                self.cell = self.cells.next().unwrap_or(0) as f64;
            }
            let end = out.len().min(start + self.left);
            out[start..end].fill(self.cell);
            self.left -= end - start;
            start = end;
        }
    }
}
