//! Stratified sampling: a grid of equal cells with the same few points in each.
//!
//! The error comes from the spread within cells alone, which is what is left of it. The grid has
//! as many cells as leave two points to each, shared among the axes as evenly as they go; axes
//! beyond log2(n / 2) are not cut.

use super::block::{Block, GAP, TILE, add_moments};
use super::plain::Scatter;
use super::rule::{Estimate, Rule, Size};
use windfall_core::wire::{Reader, put_f64};
use windfall_core::{Moments, Partial, Result, Rounds, Shards, Streams};
use windfall_lanes::{Simd, Task, dispatch};

/// Numbers from one axis to the next among the digits of a block of cells.
const STRIDE: usize = TILE + GAP;
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
    task_cells: u64,
    shard_tasks: u64,
}

impl Stratified {
    /// A grid for at most `size.n` points, at least 2.
    pub fn new(size: Size) -> Self {
        let first = if size.tolerant { size.n.min(PASS_POINTS_MAX) } else { size.n };
        let counts = grid(first / 2, size.dimensions);
        let cells = counts.iter().product();
        let per_cell = first / cells;
        let task_cells = size.task_points() / 2;
        let shard_tasks = size.shard_points() / (task_cells * per_cell);
        // With a tolerance a shard is a whole pass: a run may stop after any.
        let pass_tasks = u64::div_ceil(cells, task_cells);
        Self {
            stride: stride(cells),
            per_cell,
            passes: size.n / (cells * per_cell),
            task_cells,
            shard_tasks: if size.tolerant { pass_tasks } else { shard_tasks },
            counts,
            cells,
        }
    }

    fn pass_tasks(&self) -> u64 {
        self.cells.div_ceil(self.task_cells)
    }

    /// Evaluates `cells` cells, from place `from` of the pass on.
    fn run_cells(&self, from: u64, cells: usize, visit: &mut Visit<'_, '_>) -> Result<Strata> {
        let digits = self.digits(from);
        let (mut first, mut sums, mut squares) = (vec![0.0; cells], vec![0.0; cells], 0.0);
        let mut strata = Strata::default();
        for plane in 0..self.per_cell {
            let digits = digits.chunks_exact(STRIDE / 8);
            for (((affine, column), digits), &count) in
                visit.block.axes().zip(digits).zip(&self.counts)
            {
                let column = &mut column[..TILE / 8];
                dispatch(Scatter { stream: visit.stream, affine: (0.0, 1.0), column });
                dispatch(IntoCells { count: count as f64, digits, affine, column });
            }
            let values = visit.block.evaluate(cells, visit.task)?;
            strata.all = add_moments(strata.all, values);
            if plane == 0 {
                first.copy_from_slice(values);
            } else {
                squares += dispatch(Gaps { values, first: &first, sums: &mut sums });
            }
        }
        let between: f64 = sums.iter().map(|sum| sum * sum).sum();
        strata.within = (squares - between / self.per_cell as f64).max(0.0);
        Ok(strata)
    }

    /// The digits of a block of cells, axis by axis, from place `from` of the pass on.
    fn digits(&self, from: u64) -> Vec<[f64; 8]> {
        let mut digits = vec![[0.0; 8]; self.counts.len() * STRIDE / 8];
        let mut cell = (u128::from(from) * u128::from(self.stride) % u128::from(self.cells)) as u64;
        for slot in digits[..TILE / 8].as_flattened_mut() {
            *slot = cell as f64;
            cell += self.stride;
            cell -= if cell >= self.cells { self.cells } else { 0 };
        }
        dispatch(Digits { counts: &self.counts, digits: &mut digits });
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
        let end = self.cells.min(from + self.task_cells);
        while from < end {
            let cells = (end - from).min(TILE as u64);
            *partial = partial.merge(self.run_cells(from, cells as usize, &mut visit)?);
            from += cells;
        }
        Ok(())
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

    fn note(&self, points: u64) -> Option<String> {
        let cut = self.counts.iter().filter(|&&count| count > 1);
        let grid: Vec<String> = cut.map(u64::to_string).collect();
        let (grid, cells) = (grid.join(" × "), self.cells);
        Some(format!("{points} points in {cells} cells ({grid}): what fits in `n`"))
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
        for vector in 0..TILE / 8 {
            let mut rest = simd.load(&self.digits[vector]);
            for (axis, &count) in self.counts.iter().enumerate() {
                // Below 2^50 cells the half outweighs the rounding of the reciprocal.
                let count = count as f64;
                let half_up = simd.add(rest, simd.splat(0.5));
                let higher = simd.floor(simd.mul(half_up, simd.splat(1.0 / count)));
                let digit = simd.fnma(higher, simd.splat(count), rest);
                simd.store(digit, &mut self.digits[axis * (STRIDE / 8) + vector]);
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
        let share = simd.splat(1.0 / self.count);
        let below_one = simd.splat(1.0 - f64::EPSILON / 2.0);
        for (x, digit) in self.column.iter_mut().zip(self.digits) {
            let u = simd.mul(simd.add(simd.load(digit), simd.load(x)), share);
            simd.store(simd.fma(width, simd.min(u, below_one), low), x);
        }
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
        let mut digits = vec![[0.0; 8]; counts.len() * STRIDE / 8];
        for (i, slot) in digits[..TILE / 8].as_flattened_mut().iter_mut().enumerate() {
            *slot = (i % 105) as f64;
        }
        dispatch(Digits { counts: &counts, digits: &mut digits });
        for i in 0..TILE {
            let mut rest = i as u64 % 105;
            for (axis, count) in counts.iter().enumerate() {
                let digit = digits[axis * STRIDE / 8..].as_flattened()[i];
                assert_eq!(digit, (rest % count) as f64);
                rest /= count;
            }
        }
    }
}
