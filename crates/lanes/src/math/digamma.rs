//! Compute the derivative of the logarithm of the gamma function: Stirling's series, lifted by 8.
//!
//! `ψ(x) = ψ(x + 8) - Σ 1/(x + k)` lifts arguments below 8; negative ones are reflected,
//! `ψ(x) = ψ(1 - x) - π cot πx`. Source: DLMF 5.5.2, 5.5.4 and 5.11.2.

use super::pair::poly;
use super::{log, sincos_turn};
use crate::Simd;

/// `ψ(z) = log z - 1/(2z) - u W(u)`, `u = 1/z²`: the numbers `B_2k/(2k)` of Bernoulli.
const W: [f64; 10] = [
    1.0 / 12.0,
    -1.0 / 120.0,
    1.0 / 252.0,
    -1.0 / 240.0,
    1.0 / 132.0,
    -691.0 / 32_760.0,
    1.0 / 12.0,
    -3_617.0 / 8_160.0,
    43_867.0 / 14_364.0,
    -174_611.0 / 6_600.0,
];
/// Below this magnitude `ψ(x)` is `-1/x`.
const TINY: f64 = 1e-20;

/// `ψ(x)`, the derivative of `lgamma`: at most 16 ulp or 1e-15 off, whichever is more, since it has
/// a zero at 1.46 and one between each two poles. NaN at 0 and the negative integers.
#[inline(always)]
pub fn digamma<S: Simd>(s: S, x: S::F) -> S::F {
    let (zero, one, eight) = (s.splat(0.0), s.splat(1.0), s.splat(8.0));
    let negative = s.lt(x, zero);
    let a = s.select(negative, s.sub(one, x), x);
    let low = s.lt(a, eight);
    let z = s.add(a, s.select(low, eight, zero));
    let inverse = s.div(one, z);
    let u = s.mul(inverse, inverse);
    let rest = s.fma(u, poly(s, u, &W), s.mul(inverse, s.splat(0.5)));
    let mut y = s.sub(log(s, z), rest);
    if s.mask_any(low) {
        // 1/(a + k) + 1/(a + 7 - k) = (2a + 7)/(w + k (7 - k))
        let w = s.mul(a, s.add(a, s.splat(7.0)));
        let part = |more: f64| s.div(one, s.add(w, s.splat(more)));
        let parts = s.add(s.add(part(12.0), part(10.0)), s.add(part(6.0), part(0.0)));
        let steps = s.mul(s.fma(a, s.splat(2.0), s.splat(7.0)), parts);
        y = s.sub(y, s.select(low, steps, zero));
    }
    if s.mask_any(negative) {
        let turn = s.mul(s.sub(x, s.round_even(x)), s.splat(0.5));
        let (sine, cosine) = sincos_turn(s, turn);
        let cotangent = s.div(s.mul(cosine, s.splat(std::f64::consts::PI)), sine);
        y = s.select(negative, s.sub(y, cotangent), y);
    }
    let y = s.select(s.lt(s.abs(x), s.splat(TINY)), s.neg(s.div(one, x)), y);
    let pole = s.mask_and(s.le(x, zero), s.eq(s.trunc(x), x));
    s.select(pole, s.splat(f64::NAN), y)
}
