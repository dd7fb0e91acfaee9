//! Equivalence: two one-sided t tests of whether two means differ by less than a margin.
//!
//! Source: D. J. Schuirmann, "A comparison of the two one-sided tests procedure and the power
//! approach", Journal of Pharmacokinetics and Biopharmaceutics 15, 1987.

use super::t::two_sample_statistic;
use super::{Alternative, TestResult, moments};
use windfall_core::Moments;

/// Whether the mean of `x` less that of `y` lies between `low` and `high`, with the pooled
/// variance: `statsmodels.stats.weightstats.ttost_ind`.
///
/// A small p-value speaks *for* equivalence. The statistic is that of the test with the larger
/// p-value.
pub fn two_one_sided(x: &[f64], y: &[f64], low: f64, high: f64) -> TestResult {
    let [above, below] = statistics(moments(x), moments(y), low, high);
    let above = Alternative::Greater.of_student(above.t, above.freedom);
    let below = Alternative::Less.of_student(below.t, below.freedom);
    if above.p_value >= below.p_value { above } else { below }
}

/// t against the lower margin and against the upper one.
pub fn statistics(x: Moments, y: Moments, low: f64, high: f64) -> [super::t::Statistic; 2] {
    [two_sample_statistic(x, y, low), two_sample_statistic(x, y, high)]
}
