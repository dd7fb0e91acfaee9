//! z tests of proportions, by the score: the variance is that under the null hypothesis.

use super::{Alternative, TestResult};

/// Whether `successes` of `n` come with the probability `null`:
/// `statsmodels.stats.proportion.proportions_ztest(prop_var=null)`.
pub fn one_sample(successes: f64, n: f64, null: f64, alternative: Alternative) -> TestResult {
    alternative.of_normal(one_sample_statistic(successes, n, null))
}

/// Whether two samples have one proportion: `proportions_ztest`, the root of chi-square.
pub fn two_sample(x: (f64, f64), y: (f64, f64), alternative: Alternative) -> TestResult {
    alternative.of_normal(two_sample_statistic(x, y))
}

/// z of one sample.
pub fn one_sample_statistic(successes: f64, n: f64, null: f64) -> f64 {
    (successes - n * null) / (n * null * (1.0 - null)).sqrt()
}

/// z of two samples, each (successes, n). Without any success or any failure it is 0: nothing
/// speaks against one proportion.
pub fn two_sample_statistic((x, m): (f64, f64), (y, n): (f64, f64)) -> f64 {
    let pooled = (x + y) / (m + n);
    let variance = pooled * (1.0 - pooled) * (1.0 / m + 1.0 / n);
    if variance > 0.0 { (x / m - y / n) / variance.sqrt() } else { 0.0 }
}
