//! Student's t tests: one sample, pairs, two samples of equal or unequal variance.
//!
//! Sources: Student, "The probable error of a mean", Biometrika 6, 1908; B. L. Welch, "The
//! generalization of Student's problem when several different population variances are
//! involved", Biometrika 34, 1947.

use super::{Alternative, TestResult, moments};
use windfall_core::Moments;

/// A statistic with the degrees of freedom of its law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistic {
    /// t.
    pub t: f64,
    /// Degrees of freedom; a fraction for Welch's test.
    pub freedom: f64,
}

impl Statistic {
    fn result(self, alternative: Alternative) -> TestResult {
        alternative.of_student(self.t, self.freedom)
    }
}

/// Whether the mean behind `x` is `mean`: `scipy.stats.ttest_1samp`.
pub fn one_sample(x: &[f64], mean: f64, alternative: Alternative) -> TestResult {
    one_sample_statistic(moments(x), mean).result(alternative)
}

/// Whether the mean difference of the pairs of `x` and `y` is 0: `scipy.stats.ttest_rel`.
///
/// # Panics
/// If they differ in length.
pub fn paired(x: &[f64], y: &[f64], alternative: Alternative) -> TestResult {
    assert_eq!(x.len(), y.len(), "pairs have two members");
    let gaps: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
    one_sample(&gaps, 0.0, alternative)
}

/// Whether `x` and `y` have one mean, if they have one variance: `scipy.stats.ttest_ind`.
pub fn two_sample(x: &[f64], y: &[f64], alternative: Alternative) -> TestResult {
    two_sample_statistic(moments(x), moments(y), 0.0).result(alternative)
}

/// Whether `x` and `y` have one mean, whatever their variances:
/// `scipy.stats.ttest_ind(equal_var=False)`.
pub fn welch(x: &[f64], y: &[f64], alternative: Alternative) -> TestResult {
    welch_statistic(moments(x), moments(y)).result(alternative)
}

/// t of one sample.
pub fn one_sample_statistic(x: Moments, mean: f64) -> Statistic {
    let error = (x.variance() / x.count() as f64).sqrt();
    Statistic { t: (x.mean() - mean) / error, freedom: x.count() as f64 - 1.0 }
}

/// t of the difference of two means less `difference`, with the pooled variance.
pub fn two_sample_statistic(x: Moments, y: Moments, difference: f64) -> Statistic {
    let (m, n) = (x.count() as f64, y.count() as f64);
    let freedom = m + n - 2.0;
    let variance = (x.squares() + y.squares()) / freedom;
    let error = (variance * (1.0 / m + 1.0 / n)).sqrt();
    Statistic { t: (x.mean() - y.mean() - difference) / error, freedom }
}

/// t of the difference of two means with the variance of each, freedom by Welch and Satterthwaite.
pub fn welch_statistic(x: Moments, y: Moments) -> Statistic {
    let (m, n) = (x.count() as f64, y.count() as f64);
    let (a, b) = (x.variance() / m, y.variance() / n);
    let freedom = (a + b) * (a + b) / (a * a / (m - 1.0) + b * b / (n - 1.0));
    Statistic { t: (x.mean() - y.mean()) / (a + b).sqrt(), freedom }
}
