//! The exact chance that an order statistic of a resample is a given row of the sorted data.
//!
//! A draw of a row is a uniform number U cut into n cells of width 1/n, so the k-th smallest of n
//! draws is the row in whose cell the k-th smallest uniform number lies, which has the Beta law
//! with k and n - k + 1. A cell's chance is the integral of that density, here by eight Gauss
//! points, one to a lane: exact for n up to 16, and beyond any rounding above. The next order
//! statistic stays in the cell unless the other n - k numbers are all past its right edge.

use windfall_lanes::math::{exp, log1p};
use windfall_lanes::{Simd, Task};

/// Gauss-Legendre points in (0, 1) and their weights: eight points, exact to degree 15.
const POINTS: [f64; 8] = [
    0.019_855_071_751_231_884,
    0.101_666_761_293_186_63,
    0.237_233_795_041_835_5,
    0.408_282_678_752_175_1,
    0.591_717_321_247_825,
    0.762_766_204_958_164_5,
    0.898_333_238_706_813_4,
    0.980_144_928_248_768_1,
];
const WEIGHTS: [f64; 8] = [
    0.050_614_268_145_188_13,
    0.111_190_517_226_687_24,
    0.156_853_322_938_943_64,
    0.181_341_891_689_181,
    0.181_341_891_689_181,
    0.156_853_322_938_943_64,
    0.111_190_517_226_687_24,
    0.050_614_268_145_188_13,
];
/// Cells less likely than this are left out, and all beyond them: together below 2^-55.
const NEGLIGIBLE: f64 = 1.0 / (1_u64 << 63) as f64;

/// The cells that matter, from `first` on (rows counted from 0).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cells {
    pub first: usize,
    /// For each row: the chance that it is the k-th smallest draw and the next draw is the same
    /// row, and that it is the k-th smallest and the next draw is a later row. They sum to 1.
    pub masses: Vec<[f64; 2]>,
}

/// Finds the cells of the `k`-th smallest of `n` draws of `n` rows.
pub(super) struct FindCells {
    pub n: usize,
    pub k: usize,
}

impl Task for FindCells {
    type Output = Cells;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Cells {
        let density = Density::new(self.n, self.k);
        let middle = (density.mode as usize).min(self.n - 1);
        let mut least = NEGLIGIBLE * sum(density.cell(simd, middle));
        let mut below = Vec::new();
        let mut masses = Vec::new();
        for row in (0..middle).rev() {
            let cell = density.cell(simd, row);
            if sum(cell) < least {
                break;
            }
            below.push(cell);
        }
        let first = middle - below.len();
        masses.extend(below.into_iter().rev());
        for row in middle..self.n {
            let cell = density.cell(simd, row);
            if sum(cell) < least {
                break;
            }
            masses.push(cell);
        }
        least = masses.iter().map(|&cell| sum(cell)).sum();
        masses.iter_mut().flatten().for_each(|mass| *mass /= least);
        Cells { first, masses }
    }
}

fn sum([same, later]: [f64; 2]) -> f64 {
    same + later
}

/// The Beta density over its value at the mode, in units of a cell.
struct Density {
    /// `n`, `k - 1` and `n - k`.
    n: f64,
    smaller: f64,
    greater: f64,
    /// The mode times `n`.
    mode: f64,
}

impl Density {
    fn new(n: usize, k: usize) -> Self {
        let (smaller, greater) = ((k - 1) as f64, (n - k) as f64);
        let mode = if n > 1 { n as f64 * smaller / (n - 1) as f64 } else { 0.0 };
        Self { n: n as f64, smaller, greater, mode }
    }

    /// The masses of the cell of `row`, as in [`Cells::masses`], up to a common factor.
    ///
    /// Logarithms of ratios to the mode: near it they are small and nearly cancel, so what is
    /// left has a relative error of about 2^-53 sqrt(n).
    #[inline(always)]
    fn cell<S: Simd>(&self, simd: S, row: usize) -> [f64; 2] {
        let left = simd.splat(row as f64 - self.mode);
        let off = simd.add(left, simd.load(&POINTS));
        let log_smaller = times_log(simd, self.smaller, off, self.mode);
        let log_greater = times_log(simd, self.greater, off, self.mode - self.n);
        let whole = integral(simd, simd.add(log_smaller, log_greater));
        if row as f64 + 1.0 >= self.n {
            return [whole, 0.0];
        }
        let edge = simd.add(left, simd.splat(1.0));
        let log_greater = times_log(simd, self.greater, edge, self.mode - self.n);
        let later = integral(simd, simd.add(log_smaller, log_greater)).min(whole);
        [whole - later, later]
    }
}

/// `power * log(1 + off / from)`, and 0 where the power is.
#[inline(always)]
fn times_log<S: Simd>(simd: S, power: f64, off: S::F, from: f64) -> S::F {
    if power == 0.0 {
        return simd.splat(0.0);
    }
    simd.mul(simd.splat(power), log1p(simd, simd.div(off, simd.splat(from))))
}

/// The integral over a cell of the density whose logarithm is given at the points.
#[inline(always)]
fn integral<S: Simd>(simd: S, log_density: S::F) -> f64 {
    simd.sum_lanes(simd.mul(exp(simd, log_density), simd.load(&WEIGHTS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_lanes::dispatch;

    /// The chance of `k` or more successes in `n` trials, by adding up terms.
    fn at_least(n: usize, k: usize, chance: f64) -> f64 {
        let log_choose =
            |j: usize| (1..=j).map(|i| ((n - j + i) as f64 / i as f64).ln()).sum::<f64>();
        let log_term =
            |j: usize| log_choose(j) + j as f64 * chance.ln() + (n - j) as f64 * (-chance).ln_1p();
        (k..=n).map(|j| if chance == 1.0 { f64::from(j == n) } else { log_term(j).exp() }).sum()
    }

    #[test]
    fn cells_hold_the_binomial_chances() {
        for n in [1_usize, 2, 3, 7, 16, 17, 40, 101, 300] {
            for k in [1, 2, n / 4, n / 2, n.div_ceil(2), n - 1, n] {
                if k < 1 || k > n {
                    continue;
                }
                let cells = dispatch(FindCells { n, k });
                let mut below = 0.0;
                for (i, &cell) in cells.masses.iter().enumerate() {
                    let row = cells.first + i;
                    below += sum(cell);
                    let exact = at_least(n, k, (row + 1) as f64 / n as f64);
                    assert!((below - exact).abs() < 1e-12, "{n} {k} {row}: {below} {exact}");
                }
            }
        }
    }

    #[test]
    fn the_pair_splits_into_the_binomial_chances() {
        // The k-th draw at or before row a and the next beyond it: exactly k draws at or before a.
        for (n, k) in [(2, 1), (6, 3), (40, 20), (40, 3), (100, 99)] {
            let cells = dispatch(FindCells { n, k });
            // P(exactly k among the first a rows) minus what is already there a row before.
            let later = |row: usize| {
                let chance = |a: usize| a as f64 / n as f64;
                let log_choose = (1..=k).map(|i| ((n - k + i) as f64 / i as f64).ln()).sum::<f64>();
                let rest = ((n - k) as f64 * (-chance(row + 1)).ln_1p()).exp();
                let powers = chance(row + 1).powi(k as i32) - chance(row).powi(k as i32);
                log_choose.exp() * rest * powers
            };
            for (i, &[_, found]) in cells.masses.iter().enumerate() {
                let exact = if cells.first + i + 1 == n { 0.0 } else { later(cells.first + i) };
                assert!((found - exact).abs() < 1e-12, "{n} {k} {i}: {found} {exact}");
            }
        }
    }
}
