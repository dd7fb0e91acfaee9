//! The beta law: the regularised incomplete beta function and its inverse.

use super::{STEPS_MAX, beta_factor, invert};

/// The probability below `x`: `I_x(a, b)`; NaN unless `a` and `b` are positive.
///
/// # Cost
/// About the root of the larger parameter in steps of 10 ns.
pub fn cdf(a: f64, b: f64, x: f64) -> f64 {
    tails(a, b, x, 1.0 - x)[0]
}

/// The probability above `x`, with its digits where it is small.
pub fn survival(a: f64, b: f64, x: f64) -> f64 {
    tails(a, b, x, 1.0 - x)[1]
}

/// The density at `x`.
pub fn density(a: f64, b: f64, x: f64) -> f64 {
    beta_factor(a, b, x, 1.0 - x) / (x * (1.0 - x))
}

/// The point below which lies the probability `p`; NaN for parameters that are not positive.
pub fn quantile(a: f64, b: f64, p: f64) -> f64 {
    inverse(a, b, p, 1.0 - p)
}

/// The quantile of `p = 1 - q`, both given so that either may be tiny.
pub(super) fn inverse(a: f64, b: f64, p: f64, q: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && p >= 0.0 && q >= 0.0) {
        return f64::NAN;
    }
    if p == 0.0 || q == 0.0 {
        return if p == 0.0 { 0.0 } else { 1.0 };
    }
    invert(p, q, (0.0, 1.0), a / (a + b), |x| {
        let [below, above] = tails(a, b, x, 1.0 - x);
        [below, above, density(a, b, x)]
    })
}

/// The probabilities below and above `x = 1 - y`, both given so that either may be tiny.
pub(super) fn tails(a: f64, b: f64, x: f64, y: f64) -> [f64; 2] {
    if !(a > 0.0 && b > 0.0) || x.is_nan() {
        return [f64::NAN; 2];
    }
    if x <= 0.0 || y <= 0.0 {
        return if x <= 0.0 { [0.0, 1.0] } else { [1.0, 0.0] };
    }
    // The continued fraction converges fast on its own side of the mean.
    if (a + 1.0) * y > (b + 1.0) * x {
        let below = beta_factor(a, b, x, y) * fraction(a, b, x) / a;
        [below, 1.0 - below]
    } else {
        let above = beta_factor(b, a, y, x) * fraction(b, a, y) / b;
        [1.0 - above, above]
    }
}

/// The continued fraction DLMF 8.17.22, by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let nonzero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut product) = (1.0, d);
    for step in 1..STEPS_MAX {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        product *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        product *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.special.betainc`, `betaincc` and `betaincinv`, SciPy 1.17 (Boost).
    #[test]
    fn values_are_as_tabled() {
        for (a, b, x, below, above) in CASES {
            let found = [cdf(a, b, x), survival(a, b, x)];
            assert!((found[0] / below - 1.0).abs() < 2e-13, "{a} {b} {x}: {}", found[0]);
            assert!((found[1] / above - 1.0).abs() < 2e-13, "{a} {b} {x}: {}", found[1]);
            if below > 1e-3 && above > 1e-3 {
                assert!((quantile(a, b, below) / x - 1.0).abs() < 1e-12, "{a} {b} {x}");
            }
        }
    }

    const CASES: [(f64, f64, f64, f64, f64); 9] = [
        (0.5, 0.5, 0.2, 0.2951672353008665, 0.7048327646991335),
        (1.0, 3.0, 0.1, 0.271, 0.729),
        (2.5, 7.0, 0.35, 0.7503279654187492, 0.24967203458125073),
        (30.0, 2.0, 0.97, 0.7619134302319994, 0.23808656976800047),
        (100.0, 200.0, 0.3, 0.10884306564490986, 0.8911569343550902),
        (5000.0, 7000.0, 0.42, 0.7706878535437831, 0.22931214645621337),
        (1000000.0, 2000000.0, 0.3335, 0.7298824325036775, 0.2701175674963167),
        (0.01, 4.0, 1e-06, 0.8870184709444653, 0.1129815290555348),
        (60.0, 60.0, 0.05, 2.1407064055500505e-45, 1.0),
    ];
}
