//! Pearson's chi-square: goodness of fit, and independence in a table of counts.

use super::TestResult;
use crate::law;

/// Whether counts come with these probabilities, which sum to 1: `scipy.stats.chisquare`.
pub fn goodness_of_fit(counts: &[f64], probabilities: &[f64]) -> TestResult {
    let statistic = goodness_statistic(counts, probabilities);
    let freedom = counts.len() as f64 - 1.0;
    TestResult { statistic, p_value: law::chi_square::survival(freedom, statistic) }
}

/// Whether rows and columns of a table of counts, row by row, are independent:
/// `scipy.stats.chi2_contingency(correction=False)`.
///
/// NaN if a row or column holds nothing.
pub fn independence(counts: &[f64], columns: usize) -> TestResult {
    let statistic = independence_statistic(counts, columns);
    let rows = counts.len() / columns;
    let freedom = ((rows - 1) * (columns - 1)) as f64;
    TestResult { statistic, p_value: law::chi_square::survival(freedom, statistic) }
}

/// Chi-square of counts against probabilities.
pub fn goodness_statistic(counts: &[f64], probabilities: &[f64]) -> f64 {
    let total: f64 = counts.iter().sum();
    let part = |(count, share): (&f64, &f64)| {
        let expected = total * share;
        (count - expected) * (count - expected) / expected
    };
    counts.iter().zip(probabilities).map(part).sum()
}

/// Chi-square of a table, row by row.
pub fn independence_statistic(counts: &[f64], columns: usize) -> f64 {
    let total: f64 = counts.iter().sum();
    let column = |k: usize| counts.iter().skip(k).step_by(columns).sum::<f64>();
    let columns: Vec<f64> = (0..columns).map(column).collect();
    let mut sum = 0.0;
    for row in counts.chunks(columns.len()) {
        let all: f64 = row.iter().sum();
        for (count, column) in row.iter().zip(&columns) {
            let expected = all * column / total;
            sum += (count - expected) * (count - expected) / expected;
        }
    }
    sum
}
