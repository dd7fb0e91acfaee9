//! Raise to any power: `exp(y log x)` with the logarithm and the product as pairs.
//!
//! Special cases are those of C (ISO/IEC 9899 F.10.4.4): integers as exponents of negative
//! bases, zeros, infinities, and 1 to any power.

use super::pair::{exp_parts, fast_two_sum, log, two_product};
use crate::Simd;

/// Beyond this exponent every base but ±1 overflows or vanishes.
const EXPONENT_MAX: f64 = 1e21;
/// Beyond this logarithm the power overflows or vanishes.
const LOG_MAX: f64 = 760.0;

/// `x^y`: at most 0.7 ulp off.
#[inline(always)]
pub fn pow<S: Simd>(s: S, x: S::F, y: S::F) -> S::F {
    let (zero, one, infinity) = (s.splat(0.0), s.splat(1.0), s.splat(f64::INFINITY));
    let a = s.abs(x);
    let power = magnitude(s, a, y);

    // Bases zero and infinity: x^y is infinity where y points outwards.
    let positive = s.lt(zero, y);
    let to_infinity = s.select(positive, infinity, zero);
    let to_zero = s.select(positive, zero, infinity);
    let power = s.select(s.eq(a, zero), to_zero, power);
    let power = s.select(s.eq(a, infinity), to_infinity, power);

    // Negative bases: odd integers keep the sign, other finite non-integers have no power.
    let minus = s.lt(s.copysign(one, x), zero);
    let integer = s.eq(s.trunc(y), y);
    let half = s.mul(y, s.splat(0.5));
    let odd = s.mask_and(integer, s.mask_not(s.eq(s.trunc(half), half)));
    let power = s.select(s.mask_and(minus, odd), s.neg(power), power);
    let inside = s.mask_and(s.lt(x, zero), s.lt(a, infinity));
    let nowhere = s.mask_and(inside, s.mask_not(integer));
    let power = s.select(nowhere, s.splat(f64::NAN), power);

    let known = s.mask_and(s.eq(x, x), s.eq(y, y));
    let power = s.select(known, power, s.add(x, y));
    s.select(s.mask_or(s.eq(y, zero), s.eq(x, one)), one, power)
}

/// `a^y` for positive finite `a`; any number for other `a`.
#[inline(always)]
fn magnitude<S: Simd>(s: S, a: S::F, y: S::F) -> S::F {
    let (hi, lo) = log(s, a);
    let y = s.max(s.min(y, s.splat(EXPONENT_MAX)), s.splat(-EXPONENT_MAX));
    let (p, p_lo) = two_product(s, hi, y);
    let (p, p_lo) = fast_two_sum(s, p, s.fma(lo, y, p_lo));
    let clamped = s.max(s.min(p, s.splat(LOG_MAX)), s.splat(-LOG_MAX));
    let p_lo = s.select(s.eq(p, clamped), p_lo, s.splat(0.0));
    let (m, n) = exp_parts(s, (clamped, p_lo));
    s.scale(m, n)
}
