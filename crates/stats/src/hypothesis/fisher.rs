//! Fisher's exact test of a 2 × 2 table, its margins given.
//!
//! Source: R. A. Fisher, "The logic of inductive inference", Journal of the Royal Statistical
//! Society 98, 1935. The two-sided p-value adds up all tables no more probable than the one seen.

use super::{Alternative, TestResult};
use crate::law::binomial;
use std::ops::RangeInclusive;

/// Tables whose probabilities agree to this share count as equally probable, as in R and SciPy.
const SAME: f64 = 1.0 + 1e-7;

/// Whether rows and columns of `[[a, b], [c, d]]` are independent: `scipy.stats.fisher_exact`.
/// The statistic is the odds ratio a d / b c.
pub fn exact([[a, b], [c, d]]: [[u64; 2]; 2], alternative: Alternative) -> TestResult {
    let table = Margins { first: a + b, second: c + d, total: a + c };
    let (low, masses) = table.masses();
    let seen = (a - low) as usize;
    let p_value = match alternative {
        Alternative::Less => masses[..=seen].iter().sum::<f64>(),
        Alternative::Greater => masses[seen..].iter().sum(),
        Alternative::TwoSided => {
            let most = masses[seen] * SAME;
            masses.iter().filter(|&&mass| mass <= most).sum()
        }
    };
    let odds = (a as f64 * d as f64) / (b as f64 * c as f64);
    TestResult { statistic: odds, p_value: p_value.min(1.0) }
}

/// The margins of a table: rows of `first` and `second` observations, `total` of them in the
/// first column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Margins {
    /// Observations of the first row.
    pub first: u64,
    /// Observations of the second row.
    pub second: u64,
    /// Observations of the first column.
    pub total: u64,
}

impl Margins {
    /// The least possible value of the first cell, and the probability of each from there on.
    fn masses(&self) -> (u64, Vec<f64>) {
        let low = self.total.saturating_sub(self.second);
        let high = self.total.min(self.first);
        let (m, n, k) = (self.first as f64, self.second as f64, self.total as f64);
        let mode = (((k + 1.0) * (m + 1.0)) / (m + n + 2.0)).floor() as u64;
        let mode = mode.clamp(low, high);
        let mut masses = vec![0.0; (high - low + 1) as usize];
        let at = (mode - low) as usize;
        masses[at] = self.mass(mode);
        // P(a + 1) / P(a) = (m - a)(k - a) / ((a + 1)(n - k + a + 1)).
        let ratio = |a: f64| (m - a) * (k - a) / ((a + 1.0) * (n - k + a + 1.0));
        for place in at + 1..masses.len() {
            masses[place] = masses[place - 1] * ratio((low + place as u64 - 1) as f64);
        }
        for place in (0..at).rev() {
            masses[place] = masses[place + 1] / ratio((low + place as u64) as f64);
        }
        (low, masses)
    }

    /// The hypergeometric probability of `a`, from binomial ones of the same chance.
    fn mass(&self, a: u64) -> f64 {
        let all = self.first + self.second;
        if self.total == 0 || self.total == all {
            return 1.0;
        }
        let p = self.total as f64 / all as f64;
        let both =
            binomial::mass(self.first, p, a) * binomial::mass(self.second, p, self.total - a);
        both / binomial::mass(all, p, self.total)
    }

    /// The values of the first cell at which the test does *not* reject at level `alpha`; empty
    /// where it always does.
    pub fn accepted(&self, alpha: f64, alternative: Alternative) -> RangeInclusive<u64> {
        let (low, masses) = self.masses();
        let (mut first, mut last) = (0, masses.len());
        let mut spent = 0.0;
        // Cut cells off the ends, the least probable first, while the level lasts. Two-sided
        // ties are cut together or not at all.
        while first < last {
            let (left, right) = (masses[first], masses[last - 1]);
            let (cut_left, cut_right) = match alternative {
                Alternative::Less => (true, false),
                Alternative::Greater => (false, true),
                Alternative::TwoSided if first + 1 == last => (true, false),
                Alternative::TwoSided => (left <= right * SAME, right <= left * SAME),
            };
            let cut = if cut_left { left } else { 0.0 } + if cut_right { right } else { 0.0 };
            if spent + cut > alpha {
                break;
            }
            spent += cut;
            first += usize::from(cut_left);
            last -= usize::from(cut_right);
        }
        if first >= last {
            #[expect(clippy::reversed_empty_ranges, reason = "it accepts nothing")]
            return 1..=0;
        }
        low + first as u64..=low + last as u64 - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_that_of_the_p_value() {
        for (first, second) in [(9, 7), (5, 5), (20, 3), (30, 31)] {
            for total in 0..=first + second {
                let margins = Margins { first, second, total };
                for alternative in [Alternative::TwoSided, Alternative::Less, Alternative::Greater]
                {
                    let accepted = margins.accepted(0.05, alternative);
                    for a in total.saturating_sub(second)..=total.min(first) {
                        let table = [[a, first - a], [total - a, second + a - total]];
                        let p = exact(table, alternative).p_value;
                        assert_eq!(accepted.contains(&a), p > 0.05, "{table:?}: {p}");
                    }
                }
            }
        }
    }
}
