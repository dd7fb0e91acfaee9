//! Poisson and binomial probabilities without cancellation, for rejection tests.
//!
//! `ln k! = k ln k - k + log(2 pi k) / 2 + correction(k)`; the large parts of a probability then
//! combine into deviances, which are small where the probability is large. Source: C. Loader,
//! "Fast and accurate computation of binomial probabilities", 2000.

use std::f64::consts::TAU;
use windfall_lanes::scalar_math::{log, log1p};

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

/// `k log(k / mean) + mean - k`, never negative; `k = 0` gives `mean`.
fn deviance(k: f64, mean: f64) -> f64 {
    if k == 0.0 {
        return mean;
    }
    let gap = (mean - k) / k;
    k * (gap - log1p(gap))
}

/// A probability as `exp(exponent) / sqrt(square)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Probability {
    exponent: f64,
    square: f64,
}

impl Probability {
    /// The Poisson probability of `k`.
    pub(crate) fn poisson(k: f64, mean: f64) -> Self {
        if k == 0.0 {
            return Self { exponent: -mean, square: 1.0 };
        }
        Self { exponent: -deviance(k, mean) - correction(k), square: TAU * k }
    }

    /// The binomial probability of `k` of `n`, `p` strictly between 0 and 1.
    pub(crate) fn binomial(k: f64, n: f64, p: f64) -> Self {
        let rest = n - k;
        let deviances = -deviance(k, n * p) - deviance(rest, n * (1.0 - p));
        if k == 0.0 || rest == 0.0 {
            return Self { exponent: deviances, square: 1.0 };
        }
        let corrections = correction(n) - correction(k) - correction(rest);
        Self { exponent: deviances + corrections, square: TAU * k * (rest / n) }
    }

    pub(crate) fn ln(self) -> f64 {
        self.exponent - 0.5 * log(self.square)
    }

    /// True if `height * exp(shift)` is not above the probability; costs one logarithm.
    pub(crate) fn covers(self, height: f64, shift: f64) -> bool {
        log(height * height * self.square) <= 2.0 * (self.exponent - shift)
    }
}

/// 1 / k for k = 1 to 127, for adding up probabilities without divisions.
pub(crate) const INVERSES: [f64; 128] = {
    let mut inverses = [0.0; 128];
    let mut k = 1;
    while k < 128 {
        inverses[k] = 1.0 / k as f64;
        k += 1;
    }
    inverses
};

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_lanes::scalar_math::exp;

    #[test]
    fn probabilities_add_up_and_follow_their_recurrence() {
        let (n, p) = (60.0, 0.3);
        let total: f64 = (0..=60).map(|k| exp(Probability::binomial(k.into(), n, p).ln())).sum();
        assert!((total - 1.0).abs() < 1e-13, "{total}");
        let total: f64 = (0..200).map(|k| exp(Probability::poisson(k.into(), 40.0).ln())).sum();
        assert!((total - 1.0).abs() < 1e-13, "{total}");
        for k in 0..60 {
            let k = f64::from(k);
            let [this, next] = [k, k + 1.0].map(|k| Probability::binomial(k, n, p).ln());
            assert!((next - this - log((n - k) / (k + 1.0) * (p / (1.0 - p)))).abs() < 1e-12);
            let [this, next] = [k, k + 1.0].map(|k| Probability::poisson(k, 40.0).ln());
            assert!((next - this - log(40.0 / (k + 1.0))).abs() < 1e-12);
        }
    }
}
