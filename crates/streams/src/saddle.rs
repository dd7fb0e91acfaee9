//! Poisson and binomial probabilities without cancellation, for rejection tests.
//!
//! `ln k! = k ln k - k + ln(2 pi k) / 2 + correction(k)`; the large parts of a probability then
//! combine into deviances, which are small where the probability is large. Source: C. Loader,
//! "Fast and accurate computation of binomial probabilities", 2000.

use crate::scalar::{ln, ln_1p};
use std::f64::consts::TAU;

/// What Stirling's formula for `ln k!` lacks, for k = 1 to 15 (correctly rounded).
const CORRECTIONS: [f64; 15] = [
    0.08106146679532726,
    0.0413406959554093,
    0.02767792568499834,
    0.020790672103765093,
    0.016644691189821193,
    0.013876128823070748,
    0.01189670994589177,
    0.010411265261972096,
    0.009255462182712733,
    0.00833056343336287,
    0.007573675487951841,
    0.00694284010720953,
    0.006408994188004207,
    0.0059513701127588475,
    0.005554733551962801,
];

/// What Stirling's formula for `ln k!` lacks, `k` a whole number above 0.
fn correction(k: f64) -> f64 {
    match CORRECTIONS.get(k as usize - 1) {
        Some(&exact) => exact,
        None => {
            let inverse2 = 1.0 / (k * k);
            let series = (1.0 / 1260.0 - inverse2 / 1680.0) * inverse2;
            (1.0 / 12.0 - (1.0 / 360.0 - series) * inverse2) / k
        }
    }
}

/// `k ln(k / mean) + mean - k`, never negative; `k = 0` gives `mean`.
fn deviance(k: f64, mean: f64) -> f64 {
    if k == 0.0 {
        return mean;
    }
    let gap = (mean - k) / k;
    k * (gap - ln_1p(gap))
}

/// Logarithm of the Poisson probability of `k`.
pub(crate) fn ln_poisson(k: f64, mean: f64) -> f64 {
    if k == 0.0 {
        return -mean;
    }
    -deviance(k, mean) - 0.5 * ln(TAU * k) - correction(k)
}

/// Logarithm of the binomial probability of `k` of `n`, `p` strictly between 0 and 1.
pub(crate) fn ln_binomial(k: f64, n: f64, p: f64) -> f64 {
    let rest = n - k;
    let deviances = -deviance(k, n * p) - deviance(rest, n * (1.0 - p));
    if k == 0.0 || rest == 0.0 {
        return deviances;
    }
    let corrections = correction(n) - correction(k) - correction(rest);
    deviances - 0.5 * ln(TAU * k * (rest / n)) + corrections
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::exp;

    #[test]
    fn probabilities_add_up_and_follow_their_recurrence() {
        let (n, p) = (60.0, 0.3);
        let total: f64 = (0..=60).map(|k| exp(ln_binomial(k.into(), n, p))).sum();
        assert!((total - 1.0).abs() < 1e-13, "{total}");
        let total: f64 = (0..200).map(|k| exp(ln_poisson(k.into(), 40.0))).sum();
        assert!((total - 1.0).abs() < 1e-13, "{total}");
        for k in 0..60 {
            let k = f64::from(k);
            let step = ln_binomial(k + 1.0, n, p) - ln_binomial(k, n, p);
            assert!((step - ln((n - k) / (k + 1.0) * (p / (1.0 - p)))).abs() < 1e-12);
            let step = ln_poisson(k + 1.0, 40.0) - ln_poisson(k, 40.0);
            assert!((step - ln(40.0 / (k + 1.0))).abs() < 1e-12);
        }
    }
}
