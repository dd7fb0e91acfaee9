//! Compute the logarithm of the gamma function by Stirling's series on pairs.
//!
//! Arguments below 8 are lifted by 8 and the logarithm of the product of the steps is taken off
//! again. Both logarithms carry 66 bits, so what cancels near the zeros at 1 and 2 leaves an
//! error of 2e-19; within 2^-7 of the zeros the Taylor series about them takes over. Negative
//! arguments are reflected: `Γ(x) Γ(-x) = -π / (x sin πx)`.

use super::pair::{Pair, add, divide, fast_two_sum, log, multiply, poly};
use super::pair::{select, two_sum};
use crate::Simd;

/// `lgamma z = (z - ½)(log z - 1) + C + (1/12 + u W(u))/z`, `u = 1/z²`, z >= 8.
const W: [f64; 8] = [
    -0.002777777777777778,
    0.0007936507936500698,
    -0.0005952380942600347,
    0.0008417503357165942,
    -0.001917397422602673,
    0.006392047374037138,
    -0.02809906939109238,
    0.11589197685787725,
];
/// `C = ½ log 2π - ½`, 1/12 and π as pairs.
const C: (f64, f64) = (0.4189385332046727, 1.6728209650585413e-17);
const TWELFTH: (f64, f64) = (0.08333333333333333, 4.625929269271485e-18);
const PI: (f64, f64) = (std::f64::consts::PI, 1.2246467991473532e-16);
/// Where the result overflows.
const END: f64 = 2.5563481638716906e305;
/// Taylor series about the zeros at 1 and 2, less their factor `x - 1` or `x - 2`:
/// `-γ, ζ(2)/2, -ζ(3)/3, ...` and `1 - γ, (ζ(2) - 1)/2, -(ζ(3) - 1)/3, ...`.
const ABOUT_ONE: [f64; 9] = [
    -0.5772156649015329,
    0.8224670334241132,
    -0.40068563438653143,
    0.27058080842778454,
    -0.20738555102867398,
    0.1695571769974082,
    -0.1440498967688461,
    0.12550966952474304,
    -0.11133426586956469,
];
const ABOUT_TWO: [f64; 9] = [
    0.42278433509846713,
    0.3224670334241132,
    -0.0673523010531981,
    0.020580808427784546,
    -0.007385551028673986,
    0.0028905103307415234,
    -0.001192753911703261,
    0.0005096695247430425,
    -0.00022315475845357939,
];
/// How far from 1 and 2 those series reach.
const REACH: f64 = 1.0 / 128.0;
/// `sin r = r + r u R(u)`, `u = r²`, |r| <= π/2.
const R: [f64; 8] = [
    -0.16666666666666666,
    0.008333333333333316,
    -0.00019841269841254966,
    2.7557319219160833e-06,
    -2.505210761669045e-08,
    1.6058977292642743e-10,
    -7.643969663988074e-13,
    2.7314368769379893e-15,
];

/// Logarithm of |Γ(x)|: at most 1 ulp off for positive `x`; for negative `x` at most 3 ulp or
/// 4e-16, whichever is more, since it has zeros between its poles. Infinite at 0, at negative
/// integers and at both infinities.
///
/// # Cost
/// Half as much again for a vector with a negative lane.
#[inline(always)]
pub fn lgamma<S: Simd>(s: S, x: S::F) -> S::F {
    let (zero, one, eight) = (s.splat(0.0), s.splat(1.0), s.splat(8.0));
    let a = s.abs(x);
    let low = s.lt(a, eight);
    let z = two_sum(s, a, s.select(low, eight, zero));
    let inverse = divide(s, (one, zero), z);
    let rest = rising_product(s, a);
    let product = multiply(s, rest, (a, zero));
    let mut taken = select(s, low, product, (one, zero));
    // Below 2^-60 both signs have the same logarithm.
    let negative = s.lt(x, s.splat(-1.0 / (1u64 << 60) as f64));
    if s.mask_any(negative) {
        let reflected = divide(s, select(s, low, rest, inverse), sine(s, a));
        let reflected = multiply(s, reflected, (s.splat(PI.0), s.splat(PI.1)));
        taken = select(s, negative, reflected, taken);
    }
    // log(hi + lo) = log hi + lo/hi
    let (hi, lo) = log(s, taken.0);
    let lo = s.add(lo, s.div(taken.1, taken.0));
    let (hi, lo) = add(s, stirling(s, z, inverse), (s.neg(hi), s.neg(lo)));
    let y = s.add(hi, lo);
    let y = near_zeros(s, x, s.select(negative, s.neg(y), y));
    let pole = s.mask_and(s.le(x, zero), s.eq(s.trunc(x), x));
    let infinite = s.mask_or(pole, s.lt(s.splat(END), a));
    s.select(s.eq(x, x), s.select(infinite, s.splat(f64::INFINITY), y), x)
}

/// `(a + 1)(a + 2) ... (a + 7)`.
#[inline(always)]
fn rising_product<S: Simd>(s: S, a: S::F) -> Pair<S> {
    let zero = s.splat(0.0);
    let seven = two_sum(s, a, s.splat(7.0));
    // (a + k)(a + 7 - k) = w + k (7 - k)
    let w = multiply(s, seven, (a, zero));
    let b = add(s, w, (s.splat(6.0), zero));
    let c = add(s, w, (s.splat(10.0), zero));
    let d = add(s, w, (s.splat(12.0), zero));
    multiply(s, multiply(s, seven, b), multiply(s, c, d))
}

/// `|sin πa|`.
#[inline(always)]
fn sine<S: Simd>(s: S, a: S::F) -> Pair<S> {
    let turn = s.abs(s.sub(a, s.round_even(a)));
    let (r, r_lo) = multiply(s, (s.splat(PI.0), s.splat(PI.1)), (turn, s.splat(0.0)));
    let u = s.mul(r, r);
    fast_two_sum(s, r, s.fma(s.mul(r, u), poly(s, u, &R), r_lo))
}

/// Stirling's series at `z >= 8`, given `1/z`.
#[inline(always)]
fn stirling<S: Simd>(s: S, z: Pair<S>, inverse: Pair<S>) -> Pair<S> {
    let zero = s.splat(0.0);
    let u = s.mul(inverse.0, inverse.0);
    let (c, c_lo) = fast_two_sum(s, s.splat(TWELFTH.0), s.mul(u, poly(s, u, &W)));
    let series = multiply(s, (c, s.add(c_lo, s.splat(TWELFTH.1))), inverse);
    let (hi, lo) = log(s, z.0);
    let lo = s.fma(z.1, inverse.0, lo);
    let log_less_one = add(s, (hi, lo), (s.splat(-1.0), zero));
    let main = multiply(s, log_less_one, add(s, z, (s.splat(-0.5), zero)));
    add(s, main, add(s, (s.splat(C.0), s.splat(C.1)), series))
}

/// The Taylor series where `x` is near 1 or 2, else `y`.
#[inline(always)]
fn near_zeros<S: Simd>(s: S, x: S::F, y: S::F) -> S::F {
    let reach = s.splat(REACH);
    let (one, two) = (s.sub(x, s.splat(1.0)), s.sub(x, s.splat(2.0)));
    let near_one = s.lt(s.abs(one), reach);
    let near_two = s.lt(s.abs(two), reach);
    if !s.mask_any(s.mask_or(near_one, near_two)) {
        return y;
    }
    // Adding zero makes the zeros themselves positive.
    let about_one = s.fma(one, poly(s, one, &ABOUT_ONE), s.splat(0.0));
    let about_two = s.fma(two, poly(s, two, &ABOUT_TWO), s.splat(0.0));
    s.select(near_two, about_two, s.select(near_one, about_one, y))
}
