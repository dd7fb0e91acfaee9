//! Power along the sample size as a line: its normal quantile against √n, fitted to what was seen.
//!
//! The power of a z test of effect d is Φ(d √n - z) and that of most tests nearly so, which makes
//! the line a good interpolation near the target. Source of the idea: R. P. Chalmers, "Solving
//! variables with Monte Carlo simulation experiments: A stochastic root-solving approach",
//! Psychological Methods, 2024 (ProBABLI); the fit is Fisher scoring, as in any probit regression.

use crate::law::normal;

/// Simulations at one n.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub n: u64,
    pub simulations: u64,
    pub rejected: u64,
}

impl Look {
    /// The share that was rejected.
    pub fn power(&self) -> f64 {
        self.rejected as f64 / self.simulations as f64
    }
}

/// The line `a + b √n` with the covariance of a and b.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    a: f64,
    b: f64,
    /// Of a with itself, a with b, b with itself.
    covariance: [f64; 3],
}

/// The sample size at which a line reaches the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Root {
    /// √n.
    pub x: f64,
    /// Its standard error.
    pub error: f64,
}

const STEPS_MAX: usize = 50;

impl Line {
    /// The line of largest likelihood; none if the looks do not determine a rising one.
    pub fn fit(looks: &[Look]) -> Option<Self> {
        let (mut a, mut b) = start(looks)?;
        for _ in 0..STEPS_MAX {
            let [score_a, score_b, aa, ab, bb] = sums(looks, a, b);
            let determinant = aa * bb - ab * ab;
            if determinant.is_nan() || determinant <= 1e-12 * aa * bb {
                return None;
            }
            let step_a = (bb * score_a - ab * score_b) / determinant;
            let step_b = (aa * score_b - ab * score_a) / determinant;
            (a, b) = (a + step_a, b + step_b);
            if step_b.abs() <= 1e-10 * b.abs() && step_a.abs() <= 1e-10 * (1.0 + a.abs()) {
                let covariance = [bb, -ab, aa].map(|entry| entry / determinant);
                return (b > 0.0 && b.is_finite()).then_some(Self { a, b, covariance });
            }
        }
        None
    }

    /// Where the line reaches the power `target`, by the delta method.
    pub fn root(&self, target: f64) -> Root {
        let x = (normal::quantile(target) - self.a) / self.b;
        let [aa, ab, bb] = self.covariance;
        let variance = aa + x * (2.0 * ab + x * bb);
        Root { x, error: variance.max(0.0).sqrt() / self.b }
    }
}

/// A line through the observed shares, drawn in from 0 and 1, by weighted least squares.
fn start(looks: &[Look]) -> Option<(f64, f64)> {
    let [mut w, mut wx, mut wz, mut wxx, mut wxz] = [0.0; 5];
    for look in looks {
        let count = look.simulations as f64;
        let share = (look.rejected as f64 + 0.5) / (count + 1.0);
        let (x, z) = ((look.n as f64).sqrt(), normal::quantile(share));
        let weight = count * normal::pdf(z).powi(2) / (share * (1.0 - share));
        w += weight;
        wx += weight * x;
        wz += weight * z;
        wxx += weight * x * x;
        wxz += weight * x * z;
    }
    let determinant = w * wxx - wx * wx;
    if determinant.is_nan() || determinant <= 1e-12 * w * wxx {
        return None;
    }
    let b = (w * wxz - wx * wz) / determinant;
    Some(((wz - b * wx) / w, b))
}

/// Score of a and b, and their information.
fn sums(looks: &[Look], a: f64, b: f64) -> [f64; 5] {
    let mut sums = [0.0; 5];
    for look in looks {
        let x = (look.n as f64).sqrt();
        let z = b.mul_add(x, a).clamp(-8.0, 8.0);
        let (p, density) = (normal::cdf(z), normal::pdf(z));
        let spread = p * normal::cdf(-z);
        let count = look.simulations as f64;
        let score = density * (look.rejected as f64 - count * p) / spread;
        let weight = count * density * density / spread;
        for (sum, part) in
            sums.iter_mut().zip([score, x * score, weight, x * weight, x * x * weight])
        {
            *sum += part;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels 0.14: `GLM(c_[r, m - r], add_constant(sqrt(n)), Binomial(Probit()))`.
    #[test]
    fn the_line_is_that_of_a_probit_regression() {
        let looks = [(40, 600), (60, 780), (80, 880)].map(|(n, rejected)| Look {
            n,
            simulations: 1000,
            rejected,
        });
        let line = Line::fit(&looks).unwrap();
        assert!((line.a - EXPECTED[0]).abs() < 1e-6, "{line:?}");
        assert!((line.b - EXPECTED[1]).abs() < 1e-6, "{line:?}");
        assert!((line.covariance[0].sqrt() - EXPECTED[2]).abs() < 1e-6, "{line:?}");
        assert!((line.covariance[2].sqrt() - EXPECTED[3]).abs() < 1e-6, "{line:?}");
        let root = line.root(0.8);
        assert!((line.b.mul_add(root.x, line.a) - normal::quantile(0.8)).abs() < 1e-12);
        assert!(root.error > 0.0 && root.error < 0.1, "{root:?}");
    }

    const EXPECTED: [f64; 4] = [-1.97753192, 0.35344491, 0.18427153, 0.02446058];

    #[test]
    fn what_determines_no_line_gives_none() {
        let look = |n, rejected| Look { n, simulations: 100, rejected };
        assert!(Line::fit(&[look(10, 50)]).is_none());
        assert!(Line::fit(&[look(10, 90), look(20, 10)]).is_none(), "falling");
        assert!(Line::fit(&[]).is_none());
    }
}
