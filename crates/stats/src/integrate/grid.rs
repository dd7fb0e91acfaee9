//! A grid of equal cells over the unit cube, visited in strides, and the digits of cell numbers.

use super::block::{GAP, TILE};
use windfall_lanes::{Simd, Task, dispatch};

/// Numbers from one axis to the next among the digits of a tile of cells.
pub(crate) const STRIDE: usize = TILE + GAP;

/// Cells, so many along each axis.
///
/// They are visited in strides of about 0.618 of their number, so that those of an interrupted run
/// lie all over the region, and neighbours fall to different tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    counts: Vec<u64>,
    cells: u64,
    stride: u64,
}

impl Grid {
    /// At most `cells` cells, shared among the axes as evenly as they go.
    pub fn new(cells: u64, dimensions: usize) -> Self {
        let counts = shares(cells, dimensions);
        let cells = counts.iter().product();
        Self { counts, cells, stride: stride(cells) }
    }

    /// Cells along each axis.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The number of cells.
    pub fn cells(&self) -> u64 {
        self.cells
    }

    /// The cells in the order of their visits, from that at `place` on, without end.
    pub fn cells_from(&self, place: u64) -> Visits {
        let Self { cells, stride, .. } = *self;
        let next = (u128::from(place) * u128::from(stride) % u128::from(cells)) as u64;
        Visits { cells, stride, next }
    }

    /// Splits the numbers of a tile of cells, which stand where the first axis belongs, into one
    /// digit an axis: [`STRIDE`] numbers from one axis to the next.
    pub fn split(&self, digits: &mut [[f64; 8]]) {
        dispatch(Digits { counts: &self.counts, digits });
    }

    /// The cells as people say them: `12 cells (4 × 3)`.
    pub fn told(&self) -> String {
        let cut = self.counts.iter().filter(|&&count| count > 1);
        let grid: Vec<String> = cut.map(u64::to_string).collect();
        format!("{} cells ({})", self.cells, grid.join(" × "))
    }
}

/// The numbers of cells in the order of their visits.
#[derive(Clone, Debug)]
pub(crate) struct Visits {
    cells: u64,
    stride: u64,
    next: u64,
}

impl Iterator for Visits {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let cell = self.next;
        self.next += self.stride;
        self.next -= if self.next >= self.cells { self.cells } else { 0 };
        Some(cell)
    }
}

/// The counts of a grid of at most `cells` cells: axes are cut once more in turn while it fits.
fn shares(cells: u64, dimensions: usize) -> Vec<u64> {
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
            assert_eq!(shares(cells, dimensions), expected, "{cells} in {dimensions}");
        }
    }

    #[test]
    fn strides_visit_every_cell() {
        for cells in [1, 2, 3, 12, 100, 371_293] {
            let grid = Grid { counts: vec![cells], cells, stride: stride(cells) };
            let mut seen: Vec<u64> = grid.cells_from(0).take(cells as usize).collect();
            assert_eq!(grid.cells_from(cells / 2).next(), Some(seen[cells as usize / 2]));
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..cells), "{cells}");
        }
    }

    #[test]
    fn digits_are_those_of_the_mixed_radix() {
        let grid = Grid { counts: vec![3, 1, 5, 7], cells: 105, stride: 64 };
        let mut digits = vec![[0.0; 8]; 4 * STRIDE / 8];
        for (i, slot) in digits[..TILE / 8].as_flattened_mut().iter_mut().enumerate() {
            *slot = (i % 105) as f64;
        }
        grid.split(&mut digits);
        for i in 0..TILE {
            let mut rest = i as u64 % 105;
            for (axis, count) in grid.counts().iter().enumerate() {
                let digit = digits[axis * STRIDE / 8..].as_flattened()[i];
                assert_eq!(digit, (rest % count) as f64);
                rest /= count;
            }
        }
    }
}
