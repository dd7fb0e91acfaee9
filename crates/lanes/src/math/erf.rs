//! Compute the error function from a table, and its complement without cancellation.
//!
//! `erf` is a Taylor series about the nearest of 381 nodes, whose terms are Hermite polynomials.
//! `erfc` is `exp(-x²) erfcx(x)` with `x²` as a pair and one polynomial for `erfcx` on the whole
//! half line, so that the far tail keeps its digits down to the subnormals.

use super::erf_table::{ERF, LAST, SLOPE, STEP};
use super::pair::{Pair, exp_parts, fast_two_sum, poly, poly_halves, two_product};
use crate::Simd;
use crate::simd::ROUND;

/// Error function `2/√π ∫₀ˣ exp(-t²) dt`: at most 1.2 ulp off.
#[inline(always)]
pub fn erf<S: Simd>(s: S, x: S::F) -> S::F {
    let a = s.min(s.splat(LAST * STEP), s.abs(x)); // NaN stays
    let magic = s.splat(ROUND);
    let i = s.fma(a, s.splat(1.0 / STEP), magic);
    let index = s.and(s.to_bits(i), s.splat_u(511));
    let i = s.sub(i, magic);
    let c = s.mul(i, s.splat(-STEP)); // minus the node
    let d = s.fnma(i, s.splat(STEP), a);
    let v = s.mul(c, c);
    let third = 1.0 / 3.0;
    // erf(node + d) - erf(node) = slope d Σ d^k H_k(-node) / (k + 1)!
    let h2 = s.fma(v, s.splat(2.0 * third), s.splat(-third));
    let h3 = s.mul(c, s.fma(v, s.splat(third), s.splat(-0.5)));
    let h4 = poly(s, v, &[0.1, -0.4, 4.0 / 30.0]);
    let h5 = s.mul(c, poly(s, v, &[15.0 / 90.0, -20.0 / 90.0, 4.0 / 90.0]));
    let h6 = poly(s, v, &[-15.0 / 630.0, 90.0 / 630.0, -60.0 / 630.0, 8.0 / 630.0]);
    let sum = s.fma(h6, d, h5);
    let sum = s.fma(sum, d, h4);
    let sum = s.fma(sum, d, h3);
    let sum = s.fma(sum, d, h2);
    let sum = s.fma(sum, d, c);
    let step = s.fma(s.mul(sum, d), d, d);
    let y = s.fma(s.gather(&SLOPE, index), step, s.gather(&ERF, index));
    s.copysign(y, x)
}

/// `(1 + 2t) erfcx(t) = Q0 + q Q(q)`, `q = (t - 4)/(t + 4)`, on 0 <= t <= 28.
///
/// The form is that of Shepherd and Laframboise (Math. Comp. 36, 1981); the fit is our own.
const Q0: (f64, f64) = (1.2329951186255526, -4.853679798565357e-17);
const Q: [f64; 22] = [
    -0.1396211168405629,
    0.01537965210262074,
    0.06809705425473732,
    -0.10103906603635213,
    0.09373283499679412,
    -0.06633036581152939,
    0.03716751556249286,
    -0.016197734059115006,
    0.005031969755895426,
    -0.00075777334141333,
    -0.00019925550755614952,
    0.000150622243948303,
    -2.4403169244974074e-05,
    -1.1224789135154701e-05,
    5.7178872846321855e-06,
    3.0135049944875397e-07,
    -8.351619688696847e-07,
    6.270727157198311e-08,
    1.1534943745754157e-07,
    -7.71541861441783e-09,
    -1.3670989863347383e-08,
    -1.8206098680308682e-09,
];
/// `exp(-t²) erfcx(t)` is zero from here on, also with a pair's care: the last is near 27.23.
pub(super) const TAIL_END: f64 = 27.5;

/// `erfc(t) 2^halvings` for 0 <= t <= [`TAIL_END`], given `-t²` as a pair.
#[inline(always)]
pub(super) fn tail<S: Simd>(s: S, t: S::F, minus_square: Pair<S>, shift: f64) -> S::F {
    let (one, four) = (s.splat(1.0), s.splat(4.0));
    let (bottom, wide) = (s.add(t, four), s.fma(t, s.splat(2.0), one));
    let wide_lo = s.fma(t, s.splat(2.0), s.sub(one, wide));
    // One division serves both quotients; what each then lacks is added.
    let both = s.div(one, s.mul(bottom, wide));
    let (by_bottom, by_wide) = (s.mul(wide, both), s.mul(bottom, both));
    let q = s.mul(s.sub(t, four), by_bottom);
    let rest = s.fnma(q, t, s.fnma(four, s.add(q, one), t));
    let q = s.fma(rest, by_bottom, q);

    let (p, n) = exp_parts(s, minus_square);
    let (sum, sum_lo) = fast_two_sum(s, s.splat(Q0.0), s.mul(q, poly_halves(s, q, &Q)));
    let (top, top_lo) = two_product(s, sum, p);
    let top_lo = s.fma(s.add(sum_lo, s.splat(Q0.1)), p, top_lo);
    let y = s.mul(top, by_wide);
    let rest = s.add(s.fnma(y, wide_lo, s.fnma(y, wide, top)), top_lo);
    s.scale(s.fma(rest, by_wide, y), s.add(n, s.splat(shift)))
}

/// Complementary error function `1 - erf(x)`: at most 2.5 ulp off, in the tail too, down to
/// the smallest subnormal at 27.2.
#[inline(always)]
pub fn erfc<S: Simd>(s: S, x: S::F) -> S::F {
    let t = s.min(s.splat(TAIL_END), s.abs(x)); // NaN stays
    let (hi, lo) = two_product(s, t, s.neg(t));
    let y = tail(s, t, (hi, lo), 0.0);
    s.select(s.lt(x, s.splat(0.0)), s.sub(s.splat(2.0), y), y)
}
