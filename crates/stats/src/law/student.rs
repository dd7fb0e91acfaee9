//! Student's t law, with any positive number of degrees of freedom.

use super::beta;

/// The probability below `t`; NaN unless `freedom` is positive.
pub fn cdf(freedom: f64, t: f64) -> f64 {
    if t < 0.0 { survival(freedom, -t) } else { 1.0 - survival(freedom, t) }
}

/// The probability above `t`, with its digits where it is small.
pub fn survival(freedom: f64, t: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - survival(freedom, -t);
    }
    0.5 * two_sided(freedom, t)
}

/// The probability of a value further from 0 than `t`: the two-sided p-value.
pub fn two_sided(freedom: f64, t: f64) -> f64 {
    let square = t * t;
    if square.is_infinite() {
        return if freedom > 0.0 { 0.0 } else { f64::NAN };
    }
    let whole = freedom + square;
    beta::tails(0.5 * freedom, 0.5, freedom / whole, square / whole)[0]
}

/// The point below which lies the probability `p`; NaN unless `freedom` is positive.
pub fn quantile(freedom: f64, p: f64) -> f64 {
    let q = 1.0 - p;
    let tail = p.min(q);
    // The share of t² in freedom + t² has the beta law (1/2, freedom/2).
    let share = beta::inverse(0.5, 0.5 * freedom, 1.0 - 2.0 * tail, 2.0 * tail);
    let rest = match share {
        // Where the share is nearly 1, what is left of it has the digits.
        share if share > 0.5 => beta::inverse(0.5 * freedom, 0.5, 2.0 * tail, 1.0 - 2.0 * tail),
        share => 1.0 - share,
    };
    let size = (freedom * ((1.0 - rest) / rest)).sqrt();
    let size = if share > 0.5 { size } else { (freedom * (share / rest)).sqrt() };
    if p < q { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.t.ppf(0.975, df)`, SciPy 1.17 (Boost).
    #[test]
    fn quantiles_are_as_tabled() {
        for (freedom, expected) in [
            (1.0, 12.706204736174694),
            (2.0, 4.302652729749462),
            (3.0, 3.1824463052837078),
            (10.0, 2.228138851986274),
            (15.0, 2.131449545559776),
            (120.0, 1.9799304050824402),
            (1000.0, 1.9623390808264083),
        ] {
            let found = quantile(freedom, 0.975);
            assert!((found / expected - 1.0).abs() < 1e-13, "{freedom}: {found}");
            assert!((quantile(freedom, 0.025) / -expected - 1.0).abs() < 1e-13);
            assert!((cdf(freedom, expected) - 0.975).abs() < 1e-14);
            assert!((two_sided(freedom, -expected) - 0.05).abs() < 1e-14);
        }
        assert_eq!(quantile(7.0, 0.5), 0.0);
        assert!(quantile(0.0, 0.975).is_nan());
    }

    /// With one degree of freedom it is Cauchy's law, with two a root.
    #[test]
    fn small_freedoms_have_closed_forms() {
        for t in [1e-8f64, 0.3, 1.0, 17.0, 1e6] {
            let cauchy = (1.0 / t).atan() / std::f64::consts::PI;
            assert!((survival(1.0, t) / cauchy - 1.0).abs() < 1e-13, "{t}");
            let root = (2.0 + t * t).sqrt();
            let two = 1.0 / (root * (root + t));
            assert!((survival(2.0, t) / two - 1.0).abs() < 1e-13, "{t}");
        }
    }
}
