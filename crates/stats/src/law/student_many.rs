//! Two-sided p-values of many t statistics with the same degrees of freedom, in lanes.
//!
//! The coefficients of the continued fraction (DLMF 8.17.22) depend on the degrees of freedom
//! alone; once made, a p-value costs a few divisions. The fraction is cut where the worst argument
//! no longer changes, so a value does not depend on its neighbours.

use super::stirling;
use windfall_lanes::scalar_math::{exp, log, log1p};
use windfall_lanes::{LANES, Simd, Task, dispatch, math};

/// The most steps of the fraction; more are needed only beyond some million degrees of freedom.
const STEPS_MAX: usize = 2_000;

/// P(|T| > t) for many t.
///
/// ```
/// use windfall_stats::law::student::two_sided;
/// use windfall_stats::law::student_many::TwoSided;
///
/// let mut p = [0.0; 2];
/// TwoSided::new(10.0).fill(&[2.228138851986274, -1.0], &mut p);
/// assert!((p[0] - 0.05).abs() < 1e-14 && (p[1] - two_sided(10.0, 1.0)).abs() < 1e-14);
/// ```
#[derive(Clone, Debug)]
pub struct TwoSided {
    freedom: f64,
    /// `1 / B(freedom / 2, 1/2)`.
    factor: f64,
    /// Steps of the fraction of the upper tail, two at a time: see [`pairs`].
    tail: Vec<[f64; 2]>,
    /// Steps of the fraction of what is left of it.
    body: Vec<f64>,
    /// The share of `freedom` in `freedom + t²` below which the upper tail is computed.
    edge: f64,
}

impl TwoSided {
    /// For this number of degrees of freedom; all p-values are NaN unless it is positive.
    pub fn new(freedom: f64) -> Self {
        let a = 0.5 * freedom;
        let edge = (a + 1.0) / (a + 2.5);
        // Γ(a + 1/2) / (Γ(a) √π), in logarithms without cancellation.
        let ratio = a * log1p(0.5 / a) + 0.5 * log(a / std::f64::consts::PI) - 0.5;
        let factor = exp(ratio + stirling(a + 0.5) - stirling(a));
        let tail = pairs(a, steps(a, 0.5, edge).len() / 2 + 1);
        let body = steps(0.5, a, 1.0 - edge);
        Self { freedom, factor, tail, body, edge }
    }

    /// Writes the p-value of each of `t` to `out`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn fill(&self, t: &[f64], out: &mut [f64]) {
        assert_eq!(t.len(), out.len(), "one p-value a statistic");
        if self.freedom > 0.0 {
            dispatch(Fill { law: self, t, out });
        } else {
            out.fill(f64::NAN);
        }
    }
}

/// The steps over x of the continued fraction of `I_x(a, b)`, as many as `x` needs.
fn steps(a: f64, b: f64, x: f64) -> Vec<f64> {
    let step = |k: usize| {
        let m = (k / 2) as f64;
        match k % 2 {
            0 => m * (b - m) / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            _ => -(a + m) * (a + b + m) / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        }
    };
    if !(a > 0.0 && b > 0.0) {
        return Vec::new();
    }
    // Lentz's method, until the convergents agree.
    let (mut c, mut d, mut steps) = (1.0, 0.0, Vec::new());
    for k in 1..=STEPS_MAX {
        let own = step(k);
        steps.push(own);
        d = 1.0 / (1.0 + own * x * d);
        c = 1.0 + own * x / c;
        if (c * d - 1.0f64).abs() <= f64::EPSILON {
            break;
        }
    }
    steps
}

/// The steps of `I_x(a, 1/2)` in pairs: of an odd step over x what it leaves of -1, and the even
/// step after it. Where x is nearly 1, `1 - e x` is `(1 - x) + (1 - e) x`, which cancels nothing.
fn pairs(a: f64, count: usize) -> Vec<[f64; 2]> {
    let b = 0.5;
    let pair = |m: usize| {
        let m = m as f64;
        let below = (a + 2.0 * m) * (a + 2.0 * m + 1.0);
        let left = ((2.0 * m + 1.0 - b) * a + 3.0 * m * m + 2.0 * m - m * b) / below;
        let k = m + 1.0;
        [left, k * (b - k) / ((a + 2.0 * k - 1.0) * (a + 2.0 * k))]
    };
    (0..count).map(pair).collect()
}

struct Fill<'a> {
    law: &'a TwoSided,
    t: &'a [f64],
    out: &'a mut [f64],
}

impl Task for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // Two vectors at a time, for a step of the fraction waits for the one before.
        let pairs = self.t.chunks(2 * LANES).zip(self.out.chunks_mut(2 * LANES));
        for (t, out) in pairs {
            let (t0, t1) = t.split_at(t.len().min(LANES));
            let t = [simd.load_head(t0, 0.0), simd.load_head(t1, 0.0)];
            let p = self.law.two(simd, t);
            let (low, high) = out.split_at_mut(out.len().min(LANES));
            simd.store_head(p[0], low);
            simd.store_head(p[1], high);
        }
    }
}

impl TwoSided {
    /// The p-values of two vectors.
    #[inline(always)]
    fn two<S: Simd>(&self, simd: S, t: [S::F; 2]) -> [S::F; 2] {
        let Self { freedom, factor, edge, .. } = self;
        let (one, zero) = (simd.splat(1.0), simd.splat(0.0));
        let mut square = [zero; 2];
        let (mut rest, mut share, mut common, mut is_tail) =
            (square, square, square, [simd.lt(one, zero); 2]);
        for at in 0..2 {
            square[at] = simd.mul(t[at], t[at]);
            let whole = simd.add(simd.splat(*freedom), square[at]);
            rest[at] = simd.div(simd.splat(*freedom), whole);
            share[at] = simd.div(square[at], whole);
            let exponent = math::log1p(simd, simd.div(square[at], simd.splat(*freedom)));
            let power = math::exp(simd, simd.mul(simd.splat(-0.5 * freedom), exponent));
            common[at] = simd.mul(simd.mul(simd.splat(*factor), power), simd.sqrt(share[at]));
            is_tail[at] = simd.lt(rest[at], simd.splat(*edge));
        }
        let (mut above, mut below) = ([zero; 2], [zero; 2]);
        if simd.mask_any(simd.mask_or(is_tail[0], is_tail[1])) {
            above = self.below_edge(simd, rest, share);
        }
        if !simd.mask_all(simd.mask_and(is_tail[0], is_tail[1])) {
            below = self.above_edge(simd, share);
        }
        let mut out = [zero; 2];
        for at in 0..2 {
            let scale = simd.splat(2.0 / freedom);
            let tail = simd.div(simd.mul(common[at], scale), above[at]);
            let body = simd.div(simd.mul(common[at], simd.splat(2.0)), below[at]);
            let p = simd.select(is_tail[at], tail, simd.sub(one, body));
            let infinite = simd.eq(square[at], simd.splat(f64::INFINITY));
            out[at] = simd.select(infinite, zero, p);
        }
        out
    }

    /// The fraction of the upper tail.
    #[inline(always)]
    fn below_edge<S: Simd>(&self, simd: S, rest: [S::F; 2], share: [S::F; 2]) -> [S::F; 2] {
        let one = simd.splat(1.0);
        let mut value = [one; 2];
        for &[left, step] in self.tail.iter().rev() {
            let (left, step) = (simd.splat(left), simd.splat(step));
            for at in 0..2 {
                let next = simd.div(simd.mul(rest[at], step), value[at]);
                let own = simd.fma(rest[at], left, share[at]);
                value[at] = simd.div(simd.add(own, next), simd.add(one, next));
            }
        }
        value
    }

    /// The fraction of what is left of it.
    #[inline(always)]
    fn above_edge<S: Simd>(&self, simd: S, share: [S::F; 2]) -> [S::F; 2] {
        let one = simd.splat(1.0);
        let mut value = [one; 2];
        for &step in self.body.iter().rev() {
            for at in 0..2 {
                value[at] = simd.fma(simd.div(share[at], value[at]), simd.splat(step), one);
            }
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::student::two_sided;

    #[test]
    fn many_agree_with_one() {
        for freedom in [0.7, 1.0, 2.0, 3.5, 10.0, 95.0, 995.0, 48.03521126760563, 1e5, 3e6] {
            let t: Vec<f64> = (0..400).map(|i| f64::from(i - 150) * 0.11).collect();
            let mut p = vec![0.0; t.len()];
            let law = TwoSided::new(freedom);
            law.fill(&t, &mut p);
            for (t, p) in t.iter().zip(p) {
                let expected = two_sided(freedom, *t);
                let error = (p - expected).abs();
                // Tails lose digits with their exponent, and so does the law of one.
                let most =
                    (2e-13 + 1e-16 * freedom) * expected * (1.0 - 0.1 * log(expected.max(1e-300)));
                assert!(error <= most, "{freedom}, {t}: {p}, {expected}");
            }
        }
    }

    #[test]
    fn odd_statistics_have_their_p_value() {
        let law = TwoSided::new(5.0);
        let mut p = [0.0; 4];
        law.fill(&[0.0, f64::NAN, f64::NEG_INFINITY, 1e200], &mut p);
        assert!(p[0] == 1.0 && p[1].is_nan() && p[2..] == [0.0, 0.0]);
        TwoSided::new(0.0).fill(&[1.0], &mut p[..1]);
        assert!(p[0].is_nan());
    }
}
