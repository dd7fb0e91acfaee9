//! Distribution functions and quantiles, with the same bits on every machine.
//!
//! Everything rests on the lanes' own elementary functions. Relative errors are about 1e-14 in the
//! body of a law and below 1e-12 in tails down to 1e-300; the tests hold them to published values.
//!
//! # Sources
//! Continued fractions and series: DLMF 8.9, 8.11, 8.17.22. The leading factors in saddle-point
//! form, which keeps its digits for large parameters: C. Loader, "Fast and accurate computation of
//! binomial probabilities", 2000.

pub mod beta;
pub mod binomial;
pub mod chi_square;
pub mod f;
pub mod gamma;
pub mod normal;
pub mod student;
pub mod student_many;

use windfall_lanes::scalar_math::{exp, log, log1p};

/// The most steps of a series or continued fraction: enough for parameters up to 10^9.
const STEPS_MAX: u32 = 200_000;
/// The most steps of an inversion: Newton needs a handful, bisection at most as many as there are
/// bits in a number.
const INVERSION_STEPS_MAX: u32 = 200;

/// `log(1 + u) - u` for `u > -1`, without cancellation near 0.
fn log1p_minus(u: f64) -> f64 {
    if !(-0.4..0.5).contains(&u) {
        return log1p(u) - u;
    }
    // With r = u / (2 + u): log(1 + u) = 2 (r + r³/3 + r⁵/5 + …) and u = 2 r / (1 - r).
    let r = u / (2.0 + u);
    let square = r * r;
    let (mut sum, mut power, mut k) = (0.0, square, 3.0);
    while power > 1e-20 {
        sum += power / k;
        power *= square;
        k += 2.0;
    }
    r * (2.0 * sum - u)
}

/// Stirling's remainder `lgamma(z) - ((z - 1/2) log z - z + log(2π)/2)` for `z > 0`.
fn stirling(z: f64) -> f64 {
    let (mut z, mut shifted) = (z, 0.0);
    while z < 12.0 {
        shifted += (z + 0.5) * log1p(1.0 / z) - 1.0;
        z += 1.0;
    }
    let s = 1.0 / (z * z);
    let tail = 1.0 / 1260.0 - s * (1.0 / 1680.0 - s * (1.0 / 1188.0 - s * 691.0 / 360_360.0));
    shifted + (1.0 / 12.0 - s * (1.0 / 360.0 - s * tail)) / z
}

/// `x^a y^b Γ(a + b) / (Γ(a) Γ(b))` with `y = 1 - x`, which the caller knows better than by
/// subtraction.
fn beta_factor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 || y <= 0.0 {
        return 0.0;
    }
    let n = a + b;
    let off = b.mul_add(x, -(a * y));
    // Far from the mean a ratio may round to -1; logarithms of it directly lose nothing there.
    let part = |weight: f64, share: f64, off: f64| match off / weight {
        u if u < -0.999 => weight * (log(n * share / weight) - u),
        u => weight * log1p_minus(u),
    };
    let deviance = part(a, x, off) + part(b, y, -off);
    let remainder = stirling(n) - stirling(a) - stirling(b);
    (a * (b / (std::f64::consts::TAU * n))).sqrt() * exp(remainder + deviance)
}

/// `x^a e^-x / Γ(a)`.
fn gamma_factor(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let u = (x - a) / a;
    let deviance = if u < -0.999 { log(x / a) - u } else { log1p_minus(u) };
    (a / std::f64::consts::TAU).sqrt() * exp(a.mul_add(deviance, -stirling(a)))
}

/// The point in `(low, high)` at which the distribution function reaches `p`, by Newton's method
/// from `start`, kept between the ends by bisection.
///
/// `at` returns the two tails, below and above, and the density. The smaller tail is matched, so
/// that extreme quantiles keep their digits.
fn invert(p: f64, q: f64, ends: (f64, f64), start: f64, at: impl Fn(f64) -> [f64; 3]) -> f64 {
    let (mut low, mut high) = ends;
    let mut x = start.clamp(low, high);
    for _ in 0..INVERSION_STEPS_MAX {
        let [below, above, density] = at(x);
        let excess = if p <= q { below - p } else { q - above };
        if excess == 0.0 {
            return x;
        }
        if excess < 0.0 {
            low = x
        } else {
            high = x
        }
        let newton = x - excess / density;
        let next = if newton > low && newton < high { newton } else { middle(low, high) };
        if (next - x).abs() <= 2.0 * f64::EPSILON * x.abs() || next == low || next == high {
            return next;
        }
        x = next;
    }
    x
}

/// Between two numbers: half way, or by powers of two where they lie far apart.
fn middle(low: f64, high: f64) -> f64 {
    match (low, high) {
        (l, h) if h.is_infinite() => {
            if l > 1.0 {
                2.0 * l
            } else {
                2.0 + l.max(0.0)
            }
        }
        (l, h) if l >= 0.0 && h > 16.0 * l => (l.max(1e-300) * h).sqrt(),
        (l, h) => 0.5 * (l + h),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_lanes::scalar_math::lgamma;

    #[test]
    fn the_remainders_agree_with_the_functions_they_come_from() {
        for z in [0.01, 0.5, 1.0, 3.7, 12.0, 250.0] {
            let whole = lgamma(z) - ((z - 0.5) * z.ln() - z + 0.5 * std::f64::consts::TAU.ln());
            assert!((stirling(z) - whole).abs() < 3e-14 * (1.0 + z), "{z}");
        }
        for u in [-0.9f64, -0.3, -1e-3, 1e-9, 0.02, 0.4, 7.0] {
            let expected = if u.abs() < 1e-2 {
                -u * u * (0.5 - u * (1.0 / 3.0 - u * (0.25 - u * (0.2 - u / 6.0))))
            } else {
                u.ln_1p() - u
            };
            assert!((log1p_minus(u) / expected - 1.0).abs() < 1e-13, "{u}");
        }
    }
}
