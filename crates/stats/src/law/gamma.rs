//! The gamma law of unit scale: the regularised incomplete gamma functions and their inverse.

use super::{STEPS_MAX, gamma_factor, invert};
use crate::law::normal;

/// The probability below `x`: `P(shape, x)`; NaN unless `shape` is positive.
///
/// # Cost
/// About the root of `shape` in steps of 5 ns.
pub fn cdf(shape: f64, x: f64) -> f64 {
    tails(shape, x)[0]
}

/// The probability above `x`, with its digits where it is small.
pub fn survival(shape: f64, x: f64) -> f64 {
    tails(shape, x)[1]
}

/// The density at `x`.
pub fn density(shape: f64, x: f64) -> f64 {
    gamma_factor(shape, x) / x
}

/// The point below which lies the probability `p`; NaN unless `shape` is positive.
pub fn quantile(shape: f64, p: f64) -> f64 {
    inverse(shape, p, 1.0 - p)
}

/// The quantile of `p = 1 - q`, both given so that either may be tiny.
pub(super) fn inverse(shape: f64, p: f64, q: f64) -> f64 {
    if !(shape > 0.0 && p >= 0.0 && q >= 0.0) {
        return f64::NAN;
    }
    if p == 0.0 || q == 0.0 {
        return if p == 0.0 { 0.0 } else { f64::INFINITY };
    }
    // Wilson and Hilferty (1931): the cube root is nearly normal.
    let z = if p < q { normal::quantile(p) } else { -normal::quantile(q) };
    let root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt());
    let start = if root > 0.1 { shape * root * root * root } else { shape * 1e-3 };
    invert(p, q, (0.0, f64::INFINITY), start, |x| {
        let [below, above] = tails(shape, x);
        [below, above, density(shape, x)]
    })
}

fn tails(shape: f64, x: f64) -> [f64; 2] {
    if shape.is_nan() || shape <= 0.0 || x.is_nan() {
        return [f64::NAN; 2];
    }
    if x <= 0.0 {
        return [0.0, 1.0];
    }
    if x.is_infinite() {
        return [1.0, 0.0];
    }
    if x < shape + 1.0 {
        let below = gamma_factor(shape, x) * series(shape, x);
        [below, 1.0 - below]
    } else {
        let above = gamma_factor(shape, x) * fraction(shape, x);
        [1.0 - above, above]
    }
}

/// The series DLMF 8.11.4, divided by the factor.
fn series(shape: f64, x: f64) -> f64 {
    let mut term = 1.0 / shape;
    let mut sum = term;
    for step in 1..STEPS_MAX {
        term *= x / (shape + f64::from(step));
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

/// The continued fraction DLMF 8.9.2 in its contracted form, by Lentz's method.
fn fraction(shape: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - shape;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut product = d;
    for step in 1..STEPS_MAX {
        let i = f64::from(step);
        let a = -i * (i - shape);
        b += 2.0;
        d = a.mul_add(d, b);
        d = 1.0 / if d.abs() < TINY { TINY } else { d };
        c = b + a / c;
        c = if c.abs() < TINY { TINY } else { c };
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

    /// `scipy.special.gammainc`, `gammaincc` and `gammaincinv`, SciPy 1.17 (Boost).
    #[test]
    fn values_are_as_tabled() {
        for (shape, x, below, above) in CASES {
            let found = [cdf(shape, x), survival(shape, x)];
            assert!((found[0] / below - 1.0).abs() < 2e-13, "{shape} {x}: {}", found[0]);
            assert!((found[1] / above - 1.0).abs() < 2e-13, "{shape} {x}: {}", found[1]);
            if below > 1e-3 && above > 1e-3 {
                assert!((quantile(shape, below) / x - 1.0).abs() < 1e-12, "{shape} {x}");
            }
        }
    }

    const CASES: [(f64, f64, f64, f64); 9] = [
        (0.1, 0.0001, 0.41846137523796295, 0.5815386247620371),
        (0.5, 2.0, 0.9544997361036415, 0.04550026389635857),
        (1.0, 0.3, 0.25918177931828207, 0.740818220681718),
        (3.5, 9.0, 0.9880299976459704, 0.011970002354029556),
        (20.0, 12.0, 0.02127976938302662, 0.9787202306169733),
        (200.0, 260.0, 0.999952499875557, 4.750012444300866e-05),
        (50000.0, 50200.0, 0.814533642938086, 0.185466357061914),
        (1000000.0, 999000.0, 0.15865521357430365, 0.8413447864256963),
        (2.0, 80.0, 1.0, 1.4619296241547749e-33),
    ];
}
