//! Stratified sampling: a grid of equal cells with the same few points in each.
//!
//! The error comes from the spread within cells alone, which is what is left of it. The grid has
//! as many cells as leave two points to each, shared among the axes as evenly as they go; axes
//! beyond log2(n / 2) are not cut.

use super::block::{Block, TILE};
use super::estimate::Estimate;
use super::grid::{Grid, STRIDE};
use super::joint::{Joint, triangle};
use super::plain::Scatter;
use super::plan::{Plan, Setting};
use super::rule::{ByRule, Rule, Size};
use windfall_core::wire::{Reader, put_f64s};
use windfall_core::{Partial, Result, Rounds, Shards, Streams};
use windfall_lanes::{Simd, Task, dispatch};

/// Points of a pass over the grid where a tolerance may ask for several passes.
const PASS_POINTS_MAX: u64 = 1 << 17;

/// Passes over a grid of cells, `per_cell` points in each cell a pass.
#[derive(Clone, Debug)]
pub(crate) struct Stratified {
    grid: Grid,
    per_cell: u64,
    passes: u64,
    task_cells: u64,
    shard_tasks: u64,
}

impl Stratified {
    /// The row's maker.
    pub fn plan(setting: &Setting<'_>) -> Result<Box<dyn Plan>> {
        Ok(Box::new(ByRule(Self::new(setting.size))))
    }

    /// A grid for at most `size.n` points, at least 2.
    pub fn new(size: Size) -> Self {
        let first = if size.tolerant { size.n.min(PASS_POINTS_MAX) } else { size.n };
        let grid = Grid::new(first / 2, size.dimensions);
        let cells = grid.cells();
        let per_cell = first / cells;
        let task_cells = size.task_points() / 2;
        let shard_tasks = size.shard_points() / (task_cells * per_cell);
        // With a tolerance a shard is a whole pass: a run may stop after any.
        let pass_tasks = u64::div_ceil(cells, task_cells);
        Self {
            per_cell,
            passes: size.n / (cells * per_cell),
            task_cells,
            shard_tasks: if size.tolerant { pass_tasks } else { shard_tasks },
            grid,
        }
    }

    fn pass_tasks(&self) -> u64 {
        self.grid.cells().div_ceil(self.task_cells)
    }

    /// Evaluates `cells` cells, from place `from` of the pass on.
    fn run_cells(&self, from: u64, cells: usize, visit: &mut Visit<'_, '_>) -> Result<Strata> {
        let digits = self.digits(from);
        let outputs = visit.block.outputs();
        let mut first = vec![0.0; cells * outputs];
        let mut sums = vec![0.0; cells * outputs];
        let mut strata = Strata { all: Joint::default(), within: vec![0.0; triangle(outputs)] };
        for plane in 0..self.per_cell {
            let start = visit.stream.clone();
            let values = visit.block.evaluate_sides(cells, visit.task, |block, side| {
                visit.stream.clone_from(&start);
                let digits = digits.chunks_exact(STRIDE / 8);
                for (((affine, column), digits), &count) in
                    block.axes().zip(digits).zip(self.grid.counts())
                {
                    let column = &mut column[..TILE / 8];
                    dispatch(Scatter { stream: visit.stream, affine: side.unit(), column });
                    dispatch(IntoCells { count: count as f64, digits, affine, column });
                }
            })?;
            strata.all.add_values(values, cells);
            if plane == 0 {
                first.copy_from_slice(values);
            } else {
                add_gaps(values, &first, &mut sums, &mut strata.within);
            }
        }
        let mut entry = 0;
        for i in 0..outputs {
            for j in 0..=i {
                let pairs = sums[i * cells..].iter().zip(&sums[j * cells..]).take(cells);
                let between: f64 = pairs.map(|(x, y)| x * y).sum();
                strata.within[entry] -= between / self.per_cell as f64;
                entry += 1;
            }
            strata.within[entry - 1] = strata.within[entry - 1].max(0.0);
        }
        Ok(strata)
    }

    /// The digits of a block of cells, axis by axis, from place `from` of the pass on.
    fn digits(&self, from: u64) -> Vec<[f64; 8]> {
        let mut digits = vec![[0.0; 8]; self.grid.counts().len() * STRIDE / 8];
        let slots = digits[..TILE / 8].as_flattened_mut();
        for (slot, cell) in slots.iter_mut().zip(self.grid.cells_from(from)) {
            *slot = cell as f64;
        }
        self.grid.split(&mut digits);
        digits
    }
}

/// What a task's blocks of cells share.
struct Visit<'a, 'b> {
    task: u64,
    stream: &'a mut windfall_core::Stream,
    block: &'a mut Block<'b>,
}

impl Rule for Stratified {
    type Partial = Strata;

    fn shards(&self) -> Shards {
        Shards::new(self.passes * self.pass_tasks(), self.shard_tasks)
    }

    fn rounds(&self) -> Rounds {
        Rounds::default()
    }

    fn run_task(
        &self,
        task: u64,
        streams: &Streams,
        block: &mut Block<'_>,
        partial: &mut Strata,
    ) -> Result<()> {
        let mut stream = streams.task(task);
        let mut visit = Visit { task, stream: &mut stream, block };
        let mut from = task % self.pass_tasks() * self.task_cells;
        let end = self.grid.cells().min(from + self.task_cells);
        while from < end {
            let cells = (end - from).min(TILE as u64);
            partial.add(&self.run_cells(from, cells as usize, &mut visit)?);
            from += cells;
        }
        Ok(())
    }

    /// The variance of the mean over K cells with m points each is `W / (n (n - K))`, where W is
    /// the sum of squares within cells and n = K m (each visit of a cell counts as one).
    ///
    /// Where cells are missing the points seen count as plain ones, which errs on the large side.
    fn estimate(&self, partial: &Strata, complete: bool) -> Estimate {
        let mut joint = partial.all.clone();
        let n = joint.count();
        if complete && n > 0 {
            let factor = (n - 1) as f64 / (n - n / self.per_cell) as f64;
            joint = joint.with_products(partial.within.iter().map(|w| w * factor).collect());
        }
        Estimate { joint, points: n, ..Default::default() }
    }

    fn note(&self, points: u64) -> Option<String> {
        Some(format!("{points} points in {}: what fits in `n`", self.grid.told()))
    }
}

/// What stratified points yield: the moments of all values, and the sums of products of
/// deviations within cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Strata {
    all: Joint,
    within: Vec<f64>,
}

impl Strata {
    fn add(&mut self, later: &Self) {
        self.all.add(&later.all);
        self.within.resize(later.within.len().max(self.within.len()), 0.0);
        for (sum, later) in self.within.iter_mut().zip(&later.within) {
            *sum += later;
        }
    }
}

impl Partial for Strata {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, later: Self) -> Self {
        self.add(&later);
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_f64s(out, &self.within);
        self.all.encode(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let strata = Self { within: reader.f64s()?, all: Joint::read(&mut reader)? };
        reader.finish().map(|()| strata)
    }
}

/// Moves uniform numbers into their cells and those into the region.
struct IntoCells<'a> {
    count: f64,
    digits: &'a [[f64; 8]],
    affine: (f64, f64),
    column: &'a mut [[f64; 8]],
}

impl Task for IntoCells<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (low, width) = (simd.splat(self.affine.0), simd.splat(self.affine.1));
        let share = simd.splat(1.0 / self.count);
        let below_one = simd.splat(1.0 - f64::EPSILON / 2.0);
        for (x, digit) in self.column.iter_mut().zip(self.digits) {
            let u = simd.mul(simd.add(simd.load(digit), simd.load(x)), share);
            simd.store(simd.fma(width, simd.min(u, below_one), low), x);
        }
    }
}

/// Adds the deviations from each cell's first value to the sums, and their products to the
/// triangle.
fn add_gaps(values: &[f64], first: &[f64], sums: &mut [f64], products: &mut [f64]) {
    let outputs = (0..).take_while(|&rows| triangle(rows) < products.len()).count();
    let cells = values.len() / outputs;
    let mut entry = 0;
    for i in 0..outputs {
        let own = |k: usize| &values[k * cells..][..cells];
        let base = |k: usize| &first[k * cells..][..cells];
        for j in 0..i {
            let pair = [own(i), own(j)];
            products[entry] += dispatch(CrossGaps { values: pair, first: [base(i), base(j)] });
            entry += 1;
        }
        let sums = &mut sums[i * cells..][..cells];
        products[entry] += dispatch(Gaps { values: own(i), first: base(i), sums });
        entry += 1;
    }
}

/// Adds the deviations from each cell's first value to its sum; returns the sum of their squares.
struct Gaps<'a> {
    values: &'a [f64],
    first: &'a [f64],
    sums: &'a mut [f64],
}

impl Task for Gaps<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let mut squares = simd.splat(0.0);
        let (values, values_rest) = self.values.as_chunks::<8>();
        let (first, first_rest) = self.first.as_chunks::<8>();
        let (sums, sums_rest) = self.sums.as_chunks_mut::<8>();
        for ((value, first), sum) in values.iter().zip(first).zip(sums) {
            let gap = simd.sub(simd.load(value), simd.load(first));
            squares = simd.fma(gap, gap, squares);
            simd.store(simd.add(simd.load(sum), gap), sum);
        }
        let mut total = simd.sum_lanes(squares);
        for ((value, first), sum) in values_rest.iter().zip(first_rest).zip(sums_rest) {
            let gap = value - first;
            total += gap * gap;
            *sum += gap;
        }
        total
    }
}

/// The sum of the products of two values' deviations from each cell's first.
struct CrossGaps<'a> {
    values: [&'a [f64]; 2],
    first: [&'a [f64]; 2],
}

impl Task for CrossGaps<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let mut sum = simd.splat(0.0);
        for start in (0..self.values[0].len()).step_by(8) {
            let mut gaps = [simd.splat(0.0); 2];
            for (gap, (values, first)) in gaps.iter_mut().zip(self.values.iter().zip(self.first)) {
                let value = simd.load_head(&values[start..], 0.0);
                *gap = simd.sub(value, simd.load_head(&first[start..], 0.0));
            }
            sum = simd.fma(gaps[0], gaps[1], sum);
        }
        simd.sum_lanes(sum)
    }
}
