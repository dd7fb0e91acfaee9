//! Find quantiles of Student's t and of the normal law: how far an interval reaches.
//!
//! Everything rests on square roots and on the lanes' own functions, so that the bits of an
//! interval do not depend on the platform's libm.

use windfall_lanes::scalar_math;

/// Returns `q` with P(Z <= q) = `p` for a standard normal Z; infinite at 0 and 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    scalar_math::normal_quantile(p)
}

/// Returns `q` with P(|T| <= q) = `level` for T of Student's law with `freedom` degrees of
/// freedom; NaN if there are none.
///
/// Bisection on the finite sums of Abramowitz & Stegun (1964), 26.7.3 and 26.7.4, to the last
/// bit or two. Costs `freedom / 2` steps some hundred times.
pub(crate) fn student_reach(level: f64, freedom: u64) -> f64 {
    if freedom == 0 {
        return f64::NAN;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while within(high, freedom) < level && high < 1e300 {
        (low, high) = (high, 2.0 * high);
    }
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if within(middle, freedom) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// P(|T| <= t).
fn within(t: f64, freedom: u64) -> f64 {
    let ratio = t / (freedom as f64).sqrt();
    let cosine_square = 1.0 / (1.0 + ratio * ratio);
    let cosine = cosine_square.sqrt();
    let sine = ratio * cosine;
    let odd = freedom % 2 == 1;
    let (mut term, mut sum) = if odd { (cosine, 0.0) } else { (1.0, 0.0) };
    let mut k = if odd { 3 } else { 2 };
    while k <= freedom {
        sum += term;
        term *= cosine_square * (k - 1) as f64 / k as f64;
        k += 2;
    }
    if odd {
        (scalar_math::atan(ratio) + sine * sum) * std::f64::consts::FRAC_2_PI
    } else {
        sine * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0.975 quantiles by SciPy 1.17 (Boost): `scipy.stats.t.ppf(0.975, df)`.
    #[test]
    fn quantiles_of_student_are_as_tabled() {
        for (freedom, expected) in [
            (1, 12.706204736174694),
            (2, 4.302652729749462),
            (3, 3.1824463052837078),
            (10, 2.228138851986274),
            (15, 2.131449545559776),
            (120, 1.9799304050824402),
            (1000, 1.9623390808264083),
        ] {
            let found = student_reach(0.95, freedom);
            assert!((found / expected - 1.0).abs() < 1e-12, "{freedom}: {found}");
        }
        assert!(student_reach(0.95, 0).is_nan());
    }

    #[test]
    fn the_normal_quantile_is_as_tabled() {
        assert!((normal_quantile(0.975) - 1.959963984540054).abs() < 1e-14);
    }
}
