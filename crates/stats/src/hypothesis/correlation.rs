//! Pearson's correlation, tested against 0 by its t.

use super::{Alternative, TestResult};

/// Whether `x` and `y` are uncorrelated: `scipy.stats.pearsonr`. The statistic is r.
///
/// # Panics
/// If they differ in length.
pub fn pearson(x: &[f64], y: &[f64], alternative: Alternative) -> TestResult {
    let r = coefficient(x, y);
    let freedom = x.len() as f64 - 2.0;
    let t = r * (freedom / ((1.0 - r) * (1.0 + r))).sqrt();
    TestResult { statistic: r, ..alternative.of_student(t, freedom) }
}

/// The coefficient of correlation.
///
/// # Panics
/// If `x` and `y` differ in length.
pub fn coefficient(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len(), "pairs have two members");
    let (xs, ys) = (super::moments(x), super::moments(y));
    let product = |(x, y): (&f64, &f64)| (x - xs.mean()) * (y - ys.mean());
    let products: f64 = x.iter().zip(y).map(product).sum();
    (products / (xs.squares() * ys.squares()).sqrt()).clamp(-1.0, 1.0)
}
