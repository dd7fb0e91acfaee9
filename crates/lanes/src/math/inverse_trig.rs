//! Compute the inverse trigonometric functions: one series each for arcsine and arctangent.
//!
//! Large arguments are brought below 1/2 by `asin a = π/2 - 2 asin √((1-a)/2)` and
//! `atan t = π/4 + atan((t-1)/(t+1))`; multiples of π/4 are added as pairs at the end.

use super::pair::{fast_two_sum, poly, two_sum};
use crate::Simd;

/// `asin g = g + g u A(u)`, `u = g²`, |g| <= 1/2.
const ASIN: [f64; 13] = [
    0.16666666666666669,
    0.07499999999998433,
    0.04464285714635543,
    0.030381944138531247,
    0.02237217294214989,
    0.017352392720869973,
    0.013971212973552933,
    0.011479177415184906,
    0.01032281435018578,
    0.005457506718640358,
    0.01740087944269402,
    -0.014851887071247204,
    0.028757851367421566,
];
/// `atan t = t + t u A(u)`, `u = t²`, |t| <= 1/2.
const ATAN: [f64; 13] = [
    -0.3333333333333333,
    0.19999999999999488,
    -0.14285714285599188,
    0.11111111100917376,
    -0.09090908620322523,
    0.07692294712540285,
    -0.06666435677235948,
    0.05879578429582425,
    -0.05240099507994713,
    0.04628024868570153,
    -0.03806653672057366,
    0.025006503566489507,
    -0.009215792047089858,
];
/// π/4 and π/2.
const QUARTER_PI: (f64, f64) = (std::f64::consts::FRAC_PI_4, 3.061616997868383e-17);
const HALF_PI: (f64, f64) = (std::f64::consts::FRAC_PI_2, 6.123233995736766e-17);

/// With `a = |x|`: where `a > 1/2`, `(true, g, p)` and `g + p = asin √((1-a)/2)`; elsewhere
/// `(false, a, p)` and `a + p = asin a`.
#[inline(always)]
fn half_range<S: Simd>(s: S, x: S::F) -> (S::M, S::F, S::F) {
    let a = s.abs(x);
    let half = s.splat(0.5);
    let large = s.lt(half, a);
    let u = s.select(large, s.fnma(a, half, half), s.mul(a, a));
    let g = s.select(large, s.sqrt(u), a);
    (large, g, s.mul(s.mul(g, u), poly(s, u, &ASIN)))
}

/// Arcsine in radians: at most 1.2 ulp off; NaN outside [-1, 1].
#[inline(always)]
pub fn asin<S: Simd>(s: S, x: S::F) -> S::F {
    let (large, g, p) = half_range(s, x);
    let twice = s.splat(-2.0);
    let (hi, lo) = fast_two_sum(s, s.splat(HALF_PI.0), s.mul(g, twice));
    let far = s.add(hi, s.add(lo, s.fma(p, twice, s.splat(HALF_PI.1))));
    s.copysign(s.select(large, far, s.add(g, p)), x)
}

/// Arccosine in radians: at most 1.2 ulp off; NaN outside [-1, 1].
#[inline(always)]
pub fn acos<S: Simd>(s: S, x: S::F) -> S::F {
    let (large, g, p) = half_range(s, x);
    let negative = s.lt(x, s.splat(0.0));
    // c + f (g + p): c = π/2, f = ∓1 for small x; c = 0 or π, f = ±2 for large.
    let f = s.select(large, s.splat(2.0), s.splat(-1.0));
    let f = s.select(negative, s.neg(f), f);
    let multiple = s.select(negative, s.splat(2.0), s.splat(0.0));
    let multiple = s.select(large, multiple, s.splat(1.0));
    let (hi, lo) = fast_two_sum(s, s.mul(multiple, s.splat(HALF_PI.0)), s.mul(f, g));
    s.add(hi, s.add(lo, s.fma(f, p, s.mul(multiple, s.splat(HALF_PI.1)))))
}

/// The angle of the point `(far, near)`, `0 <= near <= far`, as `steps · π/4 + sign · angle`.
#[inline(always)]
fn angle<S: Simd>(s: S, [near, far]: [S::F; 2], [steps, sign]: [S::F; 2]) -> S::F {
    let turned = s.lt(s.mul(far, s.splat(0.5)), near);
    let top = s.select(turned, s.sub(near, far), near);
    let bottom = s.select(turned, s.add(near, far), far);
    // The origin has angle zero.
    let bottom = s.select(s.eq(far, s.splat(0.0)), s.splat(1.0), bottom);
    let t = s.div(top, bottom);
    let u = s.mul(t, t);
    let p = s.mul(s.mul(t, u), poly(s, u, &ATAN));
    let steps = s.select(turned, s.add(steps, sign), steps);
    // steps · π/4 as a pair: 3π/4 has no double near enough.
    let base = s.mul(steps, s.splat(QUARTER_PI.0));
    let base_lo = s.fma(steps, s.splat(QUARTER_PI.0), s.neg(base));
    let base_lo = s.fma(steps, s.splat(QUARTER_PI.1), base_lo);
    let (hi, lo) = two_sum(s, base, s.mul(sign, t));
    s.add(hi, s.add(lo, s.fma(sign, p, base_lo)))
}

/// Arctangent in radians: at most 1.5 ulp off.
#[inline(always)]
pub fn atan<S: Simd>(s: S, x: S::F) -> S::F {
    let a = s.abs(x);
    let one = s.splat(1.0);
    let steep = s.lt(one, a);
    let sides = [s.select(steep, one, a), s.select(steep, a, one)];
    let steps = s.select(steep, s.splat(2.0), s.splat(0.0));
    let sign = s.select(steep, s.splat(-1.0), one);
    s.copysign(angle(s, sides, [steps, sign]), x)
}

/// Angle of the point `(x, y)` from the positive x axis, in [-π, π]: at most 1.6 ulp off.
///
/// Signed zeros and infinities as in C: `atan2(±0, -0) = ±π`, `atan2(±inf, +inf) = ±π/4`.
#[inline(always)]
pub fn atan2<S: Simd>(s: S, y: S::F, x: S::F) -> S::F {
    let one = s.splat(1.0);
    let nan = s.mask_not(s.mask_and(s.eq(x, x), s.eq(y, y)));
    let (ay, ax) = (s.abs(y), s.abs(x));
    let steep = s.lt(ax, ay);
    let (near, far) = (s.select(steep, ax, ay), s.select(steep, ay, ax));
    // Room for near + far; two infinities count as equal.
    let scale = s.select(s.lt(s.splat(1e300), far), s.splat(1e-100), one);
    let infinite = s.eq(near, s.splat(f64::INFINITY));
    let sides =
        [s.select(infinite, one, s.mul(near, scale)), s.select(infinite, one, s.mul(far, scale))];
    let left = s.lt(s.copysign(one, x), s.splat(0.0));
    let steps = s.select(left, s.splat(4.0), s.splat(0.0));
    let steps = s.select(steep, s.splat(2.0), steps);
    let sign = s.select(s.mask_xor(left, steep), s.splat(-1.0), one);
    let angle = s.copysign(angle(s, sides, [steps, sign]), y);
    s.select(nan, s.add(x, y), angle)
}
