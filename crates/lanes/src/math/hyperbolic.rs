//! Compute the hyperbolic functions: a series near zero, exponentials elsewhere.

use super::pair::{exp_parts, poly};
use crate::Simd;

/// `sinh x = x + x u S(u)`, `u = x²`, |x| <= 1.
const SINH: [f64; 8] = [
    0.16666666666666666,
    0.008333333333333333,
    0.00019841269841269773,
    2.755731922404034e-06,
    2.505210836405804e-08,
    1.6059048396350562e-10,
    7.646625361656657e-13,
    2.8445264169895285e-15,
];
/// `tanh x = x + x u T(u)`, |x| <= 0.55.
const TANH: [f64; 11] = [
    -0.3333333333333333,
    0.13333333333332714,
    -0.053968253967434016,
    0.021869488493666944,
    -0.008863234397814355,
    0.003592110378689024,
    -0.001455661830100716,
    0.0005889360520074057,
    -0.0002346347410887237,
    8.511313685577672e-05,
    -2.060276537636634e-05,
];
/// Beyond this argument the exponential has overflowed.
const END: f64 = 720.0;

/// `exp(a)/2` and `exp(-a)/2` for `a >= 0`; neither overflows before its sum does.
#[inline(always)]
fn half_exponentials<S: Simd>(s: S, a: S::F) -> (S::F, S::F) {
    let a = s.min(s.splat(END), a); // NaN stays
    let (p, n) = exp_parts(s, (a, s.splat(0.0)));
    let one = s.splat(1.0);
    let up = s.scale(p, s.sub(n, one));
    let down = s.scale(s.div(one, p), s.neg(s.add(n, one)));
    (up, down)
}

/// Hyperbolic sine: at most 2 ulp off; overflows to infinity at 710.5.
#[inline(always)]
pub fn sinh<S: Simd>(s: S, x: S::F) -> S::F {
    let u = s.mul(x, x);
    let near = s.fma(s.mul(x, u), poly(s, u, &SINH), x);
    let a = s.abs(x);
    let (up, down) = half_exponentials(s, a);
    let far = s.copysign(s.sub(up, down), x);
    s.select(s.lt(a, s.splat(1.0)), near, far)
}

/// Hyperbolic cosine: at most 1.5 ulp off; overflows to infinity at 710.5.
#[inline(always)]
pub fn cosh<S: Simd>(s: S, x: S::F) -> S::F {
    let (up, down) = half_exponentials(s, s.abs(x));
    s.add(up, down)
}

/// Hyperbolic tangent: at most 1.5 ulp off.
#[inline(always)]
pub fn tanh<S: Simd>(s: S, x: S::F) -> S::F {
    let u = s.mul(x, x);
    let near = s.fma(s.mul(x, u), poly(s, u, &TANH), x);
    // 1 - 2/(e^{2a} + 1); it rounds to 1 from 19.1 on.
    let a = s.abs(x);
    let twice = s.mul(s.min(s.splat(20.0), a), s.splat(2.0));
    let (p, n) = exp_parts(s, (twice, s.splat(0.0)));
    let one = s.splat(1.0);
    let rest = s.div(s.splat(2.0), s.add(s.scale(p, n), one));
    let y = s.select(s.lt(a, s.splat(0.55)), near, s.sub(one, rest));
    s.copysign(y, x)
}
