//! Fisher's F law: a ratio of two mean squares.

use super::beta;

/// The probability below `x`; NaN unless both numbers of degrees of freedom are positive.
pub fn cdf(above: f64, below: f64, x: f64) -> f64 {
    tails(above, below, x)[0]
}

/// The probability above `x`, with its digits where it is small.
pub fn survival(above: f64, below: f64, x: f64) -> f64 {
    tails(above, below, x)[1]
}

/// The point below which lies the probability `p`. `above` and `below` are the degrees of freedom
/// over and under the bar.
pub fn quantile(above: f64, below: f64, p: f64) -> f64 {
    let share = beta::inverse(0.5 * above, 0.5 * below, p, 1.0 - p);
    let rest = match share {
        share if share > 0.5 => beta::inverse(0.5 * below, 0.5 * above, 1.0 - p, p),
        share => 1.0 - share,
    };
    let odds = if share > 0.5 { (1.0 - rest) / rest } else { share / rest };
    odds * below / above
}

fn tails(above: f64, below: f64, x: f64) -> [f64; 2] {
    if x.is_infinite() {
        return if x > 0.0 { [1.0, 0.0] } else { [0.0, 1.0] };
    }
    let part = above * x.max(0.0);
    let whole = part + below;
    beta::tails(0.5 * above, 0.5 * below, part / whole, below / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.f`, SciPy 1.17.
    #[test]
    fn values_are_as_tabled() {
        assert!((quantile(3.0, 20.0, 0.95) / 3.0983912121407773 - 1.0).abs() < 1e-13);
        assert!((quantile(1.0, 1.0, 0.95) / 161.44763879758827 - 1.0).abs() < 1e-12);
        // With two degrees over the bar it is a power: (1 + 2x/b)^(-b/2).
        for (x, b) in [(0.01, 4.0), (3.0, 10.0), (50.0, 30.0)] {
            let expected = (1.0f64 + 2.0 * x / b).powf(-0.5 * b);
            assert!((survival(2.0, b, x) / expected - 1.0).abs() < 1e-12, "{x} {b}");
        }
    }
}
