//! Stratified sampling: a grid of equal cells with the same few points in each.
//!
//! The error comes from the spread within cells alone, which is what is left of it. The grid has
//! as many cells as leave two points to each, shared among the axes as evenly as they go; axes
//! beyond log2(n / 2) are not cut.

use super::block::{BLOCK, Block, moments};
use super::plain::Scatter;
use super::rule::{Estimate, Rule, points_per_shard};
use windfall_core::wire::{Reader, put_f64};
use windfall_core::{Moments, Partial, Result, Rounds, Shards, Streams};
use windfall_lanes::{Simd, Task, dispatch};

/// Cells of a task.
const CELLS_PER_TASK: u64 = 4 * BLOCK as u64;
/// Points of a pass over the grid where a tolerance may ask for several passes.
const PASS_POINTS_MAX: u64 = 1 << 17;

/// Passes over a grid of cells, `per_cell` points in each cell a pass.
///
/// The cells of a pass come in strides of about 0.618 of their number, so that those of an
/// interrupted run lie all over the region.
#[derive(Clone, Debug)]
pub(crate) struct Stratified {
    counts: Vec<u64>,
    cells: u64,
    stride: u64,
    per_cell: u64,
    passes: u64,
    tasks_per_shard: u64,
}

impl Stratified {
    /// A grid for at most `n` points, at least 2; `tolerant` if a tolerance may stop it early.
    pub fn new(n: u64, dimensions: usize, tolerant: bool) -> Self {
        let first = if tolerant { n.min(PASS_POINTS_MAX) } else { n };
        let counts = grid(first / 2, dimensions);
        let cells = counts.iter().product();
        let per_cell = first / cells;
        let pass_tasks = u64::div_ceil(cells, CELLS_PER_TASK);
        let shard_tasks = points_per_shard(dimensions) / (CELLS_PER_TASK * per_cell);
        Self {
            stride: stride(cells),
            per_cell,
            passes: n / (cells * per_cell),
            tasks_per_shard: if tolerant { pass_tasks } else { shard_tasks },
            counts,
            cells,
        }
    }

    fn tasks_per_pass(&self) -> u64 {
        self.cells.div_ceil(CELLS_PER_TASK)
    }

    /// Evaluates `cells` cells, from place `from` of the pass on.
    fn run_cells(&self, from: u64, cells: usize, visit: &mut Visit<'_, '_>) -> Result<Strata> {
        let mut digits = vec![[0.0; 8]; self.counts.len() * BLOCK / 8];
        let mut cell = (u128::from(from) * u128::from(self.stride) % u128::from(self.cells)) as u64;
        for slot in digits[..BLOCK / 8].as_flattened_mut() {
            *slot = cell as f64;
            cell = (cell + self.stride) % self.cells;
        }
        dispatch(Digits { counts: &self.counts, digits: &mut digits });
        let (mut first, mut sums, mut squares) = (vec![0.0; cells], vec![0.0; cells], 0.0);
        let mut strata = Strata::default();
        for plane in 0..self.per_cell {
            let digits = digits.chunks_exact(BLOCK / 8);
            for (((affine, column), digits), &count) in
                visit.block.axes().zip(digits).zip(&self.counts)
            {
                dispatch(Scatter { stream: visit.stream, affine: (0.0, 1.0), column });
                dispatch(IntoCells { count: count as f64, digits, affine, column });
            }
            let values = visit.block.evaluate(cells, visit.task)?;
            strata.all = strata.all.merge(moments(values));
            if plane == 0 {
                first.copy_from_slice(values);
                continue;
            }
            for ((value, first), sum) in values.iter().zip(&first).zip(&mut sums) {
                let gap = value - first;
                *sum += gap;
                squares += gap * gap;
            }
        }
        let between: f64 = sums.iter().map(|sum| sum * sum).sum();
        strata.within = (squares - between / self.per_cell as f64).max(0.0);
        Ok(strata)
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
        Shards::new(self.passes * self.tasks_per_pass(), self.tasks_per_shard)
    }

    fn rounds(&self) -> Rounds {
        Rounds::default()
    }

    fn run_task(&self, task: u64, streams: &Streams, block: &mut Block<'_>) -> Result<Strata> {
        let mut stream = streams.task(task);
        let mut visit = Visit { task, stream: &mut stream, block };
        let mut merged = Strata::default();
        let mut from = task % self.tasks_per_pass() * CELLS_PER_TASK;
        let end = self.cells.min(from + CELLS_PER_TASK);
        while from < end {
            let cells = (end - from).min(BLOCK as u64);
            merged = merged.merge(self.run_cells(from, cells as usize, &mut visit)?);
            from += cells;
        }
        Ok(merged)
    }

    /// The variance of the mean over K cells with m points each is `W / (n (n - K))`, where W is
    /// the sum of squares within cells and n = K m (each visit of a cell counts as one).
    ///
    /// Where cells are missing the points seen count as plain ones, which errs on the large side.
    fn estimate(&self, partial: &Strata, complete: bool) -> Estimate {
        let all = partial.all;
        let n = all.count();
        let moments = if complete && n > 0 {
            let freedom = (n - n / self.per_cell) as f64;
            Moments::new(n, all.mean(), partial.within * ((n - 1) as f64 / freedom))
        } else {
            all
        };
        Estimate { moments, points: n, freedom: None }
    }

    fn note(&self) -> Option<String> {
        let counts: Vec<String> = self.counts.iter().map(u64::to_string).collect();
        let (grid, points) = (counts.join(" × "), self.per_cell * self.passes);
        Some(format!("a grid of {grid} cells, {points} points in each"))
    }
}

/// The counts of a grid of at most `cells` cells: axes are cut once more in turn while it fits.
fn grid(cells: u64, dimensions: usize) -> Vec<u64> {
    let even = (cells as f64).powf(1.0 / dimensions as f64) as u64;
    let mut counts = vec![even.max(1); dimensions];
    let product =
        |counts: &[u64]| counts.iter().try_fold(1u64, |product, &count| product.checked_mul(count));
    // The root may have been rounded up past the whole number.
    while product(&counts).is_none_or(|product| product > cells.max(1)) {
        counts.iter_mut().for_each(|count| *count -= 1);
    }
    loop {
        let before = counts.clone();
        for axis in 0..dimensions {
            counts[axis] += 1;
            if product(&counts).is_none_or(|product| product > cells) {
                counts[axis] -= 1;
                break;
            }
        }
        if counts == before {
            return counts;
        }
    }
}

/// A stride near 0.618 `cells` that visits every cell once.
fn stride(cells: u64) -> u64 {
    let common = |mut a: u64, mut b: u64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let golden = (cells as f64 * 0.618_033_988_749_894_9) as u64;
    (golden.max(1)..).find(|&stride| common(stride, cells) == 1).unwrap_or(1)
}

/// What stratified points yield: the moments of all values, and the sum of squares within cells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Strata {
    all: Moments,
    within: f64,
}

impl Partial for Strata {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(self, later: Self) -> Self {
        Self { all: self.all.merge(later.all), within: self.within + later.within }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_f64(out, self.within);
        self.all.encode(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let within = Reader::new(bytes).f64()?;
        Ok(Self { within, all: Moments::decode(&bytes[8..])? })
    }
}

/// Splits cell numbers, which stand where the first axis belongs, into one digit an axis.
struct Digits<'a> {
    counts: &'a [u64],
    digits: &'a mut [[f64; 8]],
}

impl Task for Digits<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        const VECTORS: usize = BLOCK / 8;
        for vector in 0..VECTORS {
            let mut rest = simd.load(&self.digits[vector]);
            for (axis, &count) in self.counts.iter().enumerate() {
                // The half keeps the quotient from falling short of a whole number.
                let count = simd.splat(count as f64);
                let higher = simd.floor(simd.div(simd.add(rest, simd.splat(0.5)), count));
                let digit = simd.fnma(higher, count, rest);
                simd.store(digit, &mut self.digits[axis * VECTORS + vector]);
                rest = higher;
            }
        }
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
        let count = simd.splat(self.count);
        let below_one = simd.splat(1.0 - f64::EPSILON / 2.0);
        for (x, digit) in self.column.iter_mut().zip(self.digits) {
            let u = simd.div(simd.add(simd.load(digit), simd.load(x)), count);
            simd.store(simd.fma(width, simd.min(u, below_one), low), x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_fit_and_use_most_points() {
        for (cells, dimensions, expected) in [
            (1, 3, vec![1, 1, 1]),
            (500_000, 1, vec![500_000]),
            (500_000, 5, vec![14, 14, 14, 14, 13]),
            (9, 2, vec![3, 3]),
            (100, 40, [vec![3], vec![2; 5], vec![1; 34]].concat()),
        ] {
            assert_eq!(grid(cells, dimensions), expected, "{cells} in {dimensions}");
        }
    }

    #[test]
    fn strides_visit_every_cell() {
        for cells in [1, 2, 3, 12, 100, 371_293] {
            let stride = stride(cells);
            let mut seen = vec![false; cells as usize];
            for i in 0..cells {
                seen[(i * stride % cells) as usize] = true;
            }
            assert!(seen.into_iter().all(|seen| seen), "{cells} by {stride}");
        }
    }

    #[test]
    fn digits_are_those_of_the_mixed_radix() {
        let counts = [3, 1, 5, 7];
        let mut digits = vec![[0.0; 8]; counts.len() * BLOCK / 8];
        for (i, slot) in digits[..BLOCK / 8].as_flattened_mut().iter_mut().enumerate() {
            *slot = (i % 105) as f64;
        }
        dispatch(Digits { counts: &counts, digits: &mut digits });
        for i in 0..BLOCK {
            let mut rest = i as u64 % 105;
            for (axis, count) in counts.iter().enumerate() {
                let digit = digits[axis * BLOCK / 8..].as_flattened()[i];
                assert_eq!(digit, (rest % count) as f64);
                rest /= count;
            }
        }
    }
}
