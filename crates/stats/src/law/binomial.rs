//! The binomial law and the exact interval of a share.

use super::{beta, beta_factor};
use windfall_lanes::scalar_math::{exp, log, log1p};

/// The probability of exactly `k` among `n` at chance `p`.
pub fn mass(n: u64, p: f64, k: u64) -> f64 {
    if k > n || !(0.0..=1.0).contains(&p) {
        return if k > n { 0.0 } else { f64::NAN };
    }
    let (k, rest) = (k as f64, (n - k) as f64);
    match (k == 0.0, rest == 0.0) {
        (true, true) => 1.0,
        (true, false) => exp(rest * log1p(-p)),
        (false, true) => exp(k * log(p)),
        // The factor is that of the beta law (k, n - k); C(n, k) = n / (k (n - k) B(k, n - k)).
        (false, false) => beta_factor(k, rest, p, 1.0 - p) * (n as f64) / (k * rest),
    }
}

/// The probability of at most `k` among `n` at chance `p`.
pub fn cdf(n: u64, p: f64, k: u64) -> f64 {
    if k >= n { 1.0 } else { beta::survival(k as f64 + 1.0, (n - k) as f64, p) }
}

/// The probability of more than `k` among `n` at chance `p`.
pub fn survival(n: u64, p: f64, k: u64) -> f64 {
    if k >= n { 0.0 } else { beta::cdf(k as f64 + 1.0, (n - k) as f64, p) }
}

/// The exact interval of a chance of which `k` of `n` trials came true.
///
/// Source: C. J. Clopper and E. S. Pearson, Biometrika 26, 1934. It covers with probability at
/// least `level`.
///
/// # Examples
/// ```
/// let (low, high) = windfall_stats::law::binomial::clopper_pearson(0, 10, 0.95);
/// assert_eq!(low, 0.0);
/// assert!((high - 0.30849710781876083).abs() < 1e-14);
/// ```
pub fn clopper_pearson(k: u64, n: u64, level: f64) -> (f64, f64) {
    let tail = 0.5 * (1.0 - level);
    // The end below a share of 0 is 0; counted from the other side, the upper end is a lower one.
    let low = |hits: f64, misses: f64| match hits {
        0.0 => 0.0,
        hits if hits <= misses => beta::inverse(hits, misses + 1.0, tail, 1.0 - tail),
        hits => 1.0 - beta::inverse(misses + 1.0, hits, 1.0 - tail, tail),
    };
    let (hits, misses) = (k as f64, n.saturating_sub(k) as f64);
    (low(hits, misses), 1.0 - low(misses, hits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masses_sum_to_the_distribution_function() {
        for (n, p) in [(1u64, 0.3), (7, 0.5), (40, 0.01), (1000, 0.4)] {
            let mut sum = 0.0;
            for k in 0..=n {
                sum += mass(n, p, k);
                assert!((cdf(n, p, k) - sum).abs() < 1e-13, "{n} {p} {k}");
                assert!((survival(n, p, k) - (1.0 - sum)).abs() < 1e-13, "{n} {p} {k}");
            }
        }
    }

    /// `scipy.special.betaincinv(k, n - k + 1, 0.025)` and `betaincinv(k + 1, n - k, 0.975)`,
    /// SciPy 1.17.
    #[test]
    fn exact_intervals_are_as_tabled() {
        for (k, n, low, high) in CASES {
            let found = clopper_pearson(k, n, 0.95);
            assert!((found.0 - low).abs() < 1e-13 * (1.0 + low), "{k} of {n}: {found:?}");
            assert!((found.1 - high).abs() < 1e-13, "{k} of {n}: {found:?}");
        }
        assert_eq!(clopper_pearson(10, 10, 0.95).1, 1.0);
    }

    const CASES: [(u64, u64, f64, f64); 8] = [
        (1, 10, 0.0025285785444617848, 0.4450161170281954),
        (5, 10, 0.18708602844739855, 0.8129139715526015),
        (12, 999, 0.006221762358816899, 0.020888474084049292),
        (0, 9999, 0.0, 0.0003688567934951887),
        (4965, 10000, 0.4866526403299787, 0.506349399073394),
        (3, 9999, 6.187767394322142e-05, 0.0008765621534515551),
        (4999, 9999, 0.49010089536112766, 0.5097991237780385),
        (99999, 100000, 0.9999442848396523, 0.9999997468219523),
    ];
}
