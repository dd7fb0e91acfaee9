//! The importance map of VEGAS: along each axis, bins of unequal width that are equally likely.
//!
//! A uniform number `y` falls into one of `bins` equal bins and goes to the matching place in the
//! bin of the map; the integrand is weighted by the bin's width times `bins`. Bins learn to be
//! narrow where the weighted integrand is large (G. P. Lepage, "Adaptive multidimensional
//! integration: VEGAS enhanced", Journal of Computational Physics 439, 110386, 2021, section 2).

use windfall_core::wire::{Reader, put_f64s};
use windfall_core::{Error, Result};
use windfall_lanes::{Simd, Task, dispatch, scalar_math};
use windfall_streams::{Stream, open_uniform52};

/// How far a map moves at once: the exponent that damps the learnt densities.
const DAMPING: f64 = 0.5;
/// Bins of an axis that stay spread evenly, and their share at most: a place where the integrand
/// seemed to be nothing still gets so many plain points, and no weight is above the reciprocal of
/// the share. With less than a bin or two, one bin would hold the edge of what is nothing together
/// with all of it, and a rare point of enormous weight would be missed by the stated error.
const EVEN_BINS: f64 = 3.0;
const EVEN_SHARE_MAX: f64 = 0.02;
/// How often the learnt densities are smoothed: bins are so narrow that few points teach each.
const SMOOTHINGS: usize = 5;

/// Bins of every axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Map {
    bins: usize,
    /// Of each bin, axis by axis, the lower edge, and its width times `bins`: the weight of a
    /// point that falls there.
    table: Vec<[f64; 2]>,
}

impl Map {
    /// Equal bins.
    pub fn even(dimensions: usize, bins: usize) -> Self {
        let axis: Vec<[f64; 2]> = (0..bins).map(|bin| [bin as f64 / bins as f64, 1.0]).collect();
        Self { bins, table: axis.repeat(dimensions) }
    }

    /// Appends all of it to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_f64s(out, self.table.as_flattened());
    }

    /// Reads back a map of so many axes with so many bins.
    pub fn decode(reader: &mut Reader<'_>, dimensions: usize, bins: usize) -> Result<Self> {
        let table = reader.f64s()?;
        let (table, rest) = table.as_chunks();
        if table.len() != dimensions * bins || !rest.is_empty() {
            return Err(Error::wire(format!("a map that has not {dimensions} × {bins} bins")));
        }
        Ok(Self { bins, table: table.to_vec() })
    }

    /// Bins of an axis.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// The bins of one axis.
    fn axis(&self, axis: usize) -> &[[f64; 2]] {
        &self.table[axis * self.bins..][..self.bins]
    }

    /// The map that the squares of weighted values teach: for each axis and bin their sum and
    /// their number. An axis that saw nothing stays as it is.
    pub fn taught(&self, lessons: &[[f64; 2]]) -> Self {
        let mut map = self.clone();
        let even_share = (EVEN_BINS / self.bins as f64).min(EVEN_SHARE_MAX);
        for (axis, lessons) in lessons.chunks_exact(self.bins).enumerate() {
            if let Some(mut density) = density(lessons) {
                let total: f64 = density.iter().sum();
                for (share, [_, slope]) in density.iter_mut().zip(map.axis(axis)) {
                    let even = slope / self.bins as f64;
                    *share = (1.0 - even_share) * (*share / total) + even_share * even;
                }
                map.rebin(axis, &density);
            }
        }
        map
    }

    /// Cuts one axis anew, so that each bin holds the same share of `density`, a positive number
    /// for each old bin.
    fn rebin(&mut self, axis: usize, density: &[f64]) {
        let bins = self.bins;
        let old = self.axis(axis);
        let share = density.iter().sum::<f64>() / bins as f64;
        let mut edges = vec![0.0];
        let (mut bin, mut left, mut wanted) = (0, density[0], share);
        while edges.len() < bins {
            if wanted > left && bin + 1 < bins {
                wanted -= left;
                bin += 1;
                left = density[bin];
                continue;
            }
            // Within a bin the share that lies before the new edge is proportional to its length.
            let [start, slope] = old[bin];
            let width = slope / bins as f64;
            let end = start + width;
            let edge = end - width * ((left - wanted) / density[bin]).max(0.0);
            left -= wanted;
            wanted = share;
            edges.push(edge.max(edges[edges.len() - 1]));
        }
        edges.push(1.0);
        for (entry, ends) in self.table[axis * bins..].iter_mut().zip(edges.windows(2)) {
            *entry = [ends[0], (ends[1] - ends[0]) * bins as f64];
        }
    }

    /// The step that takes a column of one axis through the map.
    pub fn warp<'a>(&'a self, axis: usize, count: u64, columns: Columns<'a>) -> Warp<'a> {
        Warp { table: self.axis(axis), count: count as f64, columns }
    }
}

/// The smoothed and damped density of an axis, in shares of its sum; none if there is none.
fn density(lessons: &[[f64; 2]]) -> Option<Vec<f64>> {
    let mut raw: Vec<f64> = lessons.iter().map(|[sum, count]| sum / count).collect();
    bridge(&mut raw);
    let smooth = (0..SMOOTHINGS).fold(raw, |raw, _| smoothed(&raw));
    let total: f64 = smooth.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        return None;
    }
    let damped = |x: &f64| {
        let share = (x / total).clamp(1e-30, 1.0 - 1e-12);
        scalar_math::pow((1.0 - share) / -scalar_math::log(share), DAMPING)
    };
    Some(smooth.iter().map(damped).collect())
}

/// Gives each neighbour of a bin an eighth of it.
fn smoothed(raw: &[f64]) -> Vec<f64> {
    let last = raw.len() - 1;
    let at =
        |bin: usize| (raw[bin.saturating_sub(1)] + 6.0 * raw[bin] + raw[last.min(bin + 1)]) / 8.0;
    (0..=last).map(at).collect()
}

/// Gives a run of bins that no point met (0/0) the mean of its neighbours.
fn bridge(raw: &mut [f64]) {
    let mut bin = 0;
    while bin < raw.len() {
        let end = (bin..raw.len()).find(|&next| !raw[next].is_nan()).unwrap_or(raw.len());
        if end > bin {
            let before = bin.checked_sub(1).map(|before| raw[before]);
            let after = raw.get(end).copied();
            let known: Vec<f64> = before.into_iter().chain(after).collect();
            let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
            raw[bin..end].fill(mean);
        }
        bin = end + 1;
    }
}

/// The columns of one axis of a tile, and where its numbers come from.
pub(crate) struct Columns<'a> {
    pub stream: &'a mut Stream,
    /// The digit of each point's cell along the axis.
    pub digits: &'a [[f64; 8]],
    /// Where the unit interval goes: `low + width · u`.
    pub affine: (f64, f64),
    pub column: &'a mut [[f64; 8]],
    /// The weights so far, to be multiplied by those of this axis.
    pub weights: &'a mut [[f64; 8]],
    /// Where to write each point's bin, while the map learns.
    pub bins: Option<&'a mut [[u64; 8]]>,
}

/// Draws a uniform number in each point's cell and takes it through the map.
pub(crate) struct Warp<'a> {
    table: &'a [[f64; 2]],
    count: f64,
    columns: Columns<'a>,
}

impl Warp<'_> {
    /// Does it.
    pub fn run(self) {
        dispatch(self);
    }
}

impl Task for Warp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Columns { stream, digits, affine, column, weights, mut bins } = self.columns;
        let (low, width) = (simd.splat(affine.0), simd.splat(affine.1));
        let below_one = simd.splat(1.0 - f64::EPSILON / 2.0);
        let count = self.table.len() as f64;
        // From the cell's digit and the number in it straight to the bin.
        let scale = simd.splat(count / self.count);
        let below_count = simd.splat(count * (1.0 - f64::EPSILON));
        let share = simd.splat(1.0 / count);
        let mut lanes = stream.lanes(simd);
        let points = column.iter_mut().zip(digits).zip(weights.iter_mut());
        for (vector, ((x, digit), weight)) in points.enumerate() {
            let u = open_uniform52(simd, lanes.next(simd));
            let place = simd.mul(simd.add(simd.load(digit), u), scale);
            let place = simd.min(place, below_count);
            let bin = simd.floor(place);
            let index = simd.f64_to_i64(bin);
            let (edge, slope) = simd.gather_pair(self.table, index);
            let inside = simd.mul(simd.sub(place, bin), share);
            let unit = simd.min(simd.fma(slope, inside, edge), below_one);
            simd.store(simd.fma(width, unit, low), x);
            simd.store(simd.mul(simd.load(weight), slope), weight);
            if let Some(bins) = &mut bins {
                simd.store_u(index, &mut bins[vector]);
            }
        }
        stream.resume(simd, lanes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(map: &Map, axis: usize) -> f64 {
        map.axis(axis).iter().map(|[_, slope]| slope).sum::<f64>() / map.bins() as f64
    }

    /// Bins that hold all there is are cut, and the whole axis stays covered.
    #[test]
    fn bins_move_to_where_the_integrand_lives() {
        let mut map = Map::even(2, 100);
        for _ in 0..30 {
            let lesson = |[edge, slope]: &[f64; 2]| {
                let middle = edge + slope / 200.0;
                let value = slope * (-200.0 * (middle - 0.3) * (middle - 0.3)).exp();
                [10.0 * value * value, 10.0]
            };
            let lessons: Vec<[f64; 2]> =
                map.axis(0).iter().map(lesson).chain([[0.0; 2]; 100]).collect();
            map = map.taught(&lessons);
            assert!((total(&map, 0) - 1.0).abs() < 1e-12);
            assert!(map.axis(0).windows(2).all(|pair| pair[0][0] <= pair[1][0]));
        }
        // The middle half of the bins covers the middle half of the bell, 0.3 ± 0.034.
        let (lower, upper) = (map.axis(0)[25][0], map.axis(0)[75][0]);
        assert!((lower - 0.266).abs() < 0.01 && (upper - 0.334).abs() < 0.01, "{lower} {upper}");
        assert_eq!(map.axis(1), Map::even(2, 100).axis(1));
    }

    #[test]
    fn bins_without_points_take_the_mean_of_their_neighbours() {
        let gap = f64::NAN;
        let mut raw = [gap, 2.0, gap, gap, 4.0, gap];
        bridge(&mut raw);
        assert_eq!(raw, [2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
        assert_eq!(density(&[[0.0; 2]; 5]), None);
    }

    /// Points through a map are uniform after weighting: the mean weight is one, wherever.
    #[test]
    fn weights_are_the_derivatives_of_the_map() {
        let lessons: Vec<[f64; 2]> = (0..50).map(|bin| [f64::from(bin * bin + 1), 1.0]).collect();
        let map = Map::even(1, 50).taught(&lessons);
        let mut stream =
            windfall_core::Streams::new(windfall_core::Seed::from(1u64), "warp").task(0);
        let (mut sum, mut count) = (0.0, 0.0);
        for _ in 0..400 {
            let (mut column, mut weights) = ([[0.0; 8]; 64], [[1.0; 8]; 64]);
            let digits = [[0.0; 8]; 64];
            let columns = Columns {
                stream: &mut stream,
                digits: &digits,
                affine: (0.0, 1.0),
                column: &mut column,
                weights: &mut weights,
                bins: None,
            };
            map.warp(0, 1, columns).run();
            for (x, weight) in column.as_flattened().iter().zip(weights.as_flattened()) {
                sum += if *x < 0.25 { *weight } else { 0.0 };
                count += 1.0;
            }
        }
        assert!((sum / count - 0.25f64).abs() < 0.005, "{}", sum / count);
    }
}
