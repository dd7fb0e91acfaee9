//! The chi-square law: the gamma law of half its freedom, twice as wide.

use super::gamma;

/// The probability below `x`; NaN unless `freedom` is positive.
pub fn cdf(freedom: f64, x: f64) -> f64 {
    gamma::cdf(0.5 * freedom, 0.5 * x)
}

/// The probability above `x`, with its digits where it is small.
pub fn survival(freedom: f64, x: f64) -> f64 {
    gamma::survival(0.5 * freedom, 0.5 * x)
}

/// The point below which lies the probability `p`; NaN unless `freedom` is positive.
pub fn quantile(freedom: f64, p: f64) -> f64 {
    2.0 * gamma::quantile(0.5 * freedom, p)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.chi2`, SciPy 1.17.
    #[test]
    fn values_are_as_tabled() {
        assert!((quantile(1.0, 0.95) / 3.841458820694124 - 1.0).abs() < 1e-13);
        assert!((quantile(10.0, 0.95) / 18.307038053275146 - 1.0).abs() < 1e-13);
        assert!((survival(4.0, 9.487729036781154) - 0.05).abs() < 1e-14);
        // With two degrees of freedom it is exponential.
        assert!((survival(2.0, 700.0) / (-350f64).exp() - 1.0).abs() < 1e-12);
    }
}
