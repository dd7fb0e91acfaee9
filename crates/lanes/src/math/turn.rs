//! Take sine and cosine of a part of a whole turn, as Box-Muller needs them.
//!
//! In turns the reduction to an eighth is exact, so no bit is lost however near a zero lies.

use super::pair::poly;
use crate::Simd;
use crate::simd::ROUND;

/// 2π; the first coefficient below is what rounding it loses.
const TURN: f64 = std::f64::consts::TAU;

/// `sin(2πr) / r - TURN` over powers of `r^2`; Chebyshev fit for `|r| <= 1/8`, error 2^-56
/// of the sine (`derive/fit.py sin_turn`).
const SINE: [f64; 7] = [
    2.4492935982947064e-16,
    -41.341702240399755,
    81.6052492760517,
    -76.70585973562093,
    42.05868918088512,
    -15.094054182079999,
    3.78643334956545,
];

/// `(cos(2πr) - 1) / r^2` over powers of `r^2`; Chebyshev fit for `|r| <= 1/8`, error 2^-55
/// of the cosine (`derive/fit.py cos_turn`).
const COSINE: [f64; 7] = [
    -19.739208802178716,
    64.93939402266824,
    -85.4568172066438,
    60.24464135270201,
    -26.426253275854723,
    7.903206911569678,
    -1.6990343940660637,
];

/// `(sin 2πu, cos 2πu)`, at most 1 ulp off each, for `|u| < 2^49`; beyond that, unspecified.
#[inline(always)]
pub fn sincos_turn<S: Simd>(s: S, u: S::F) -> (S::F, S::F) {
    let round = s.splat(ROUND);
    let shifted = s.fma(u, s.splat(4.0), round);
    let quarters = s.sub(shifted, round);
    let r = s.fnma(quarters, s.splat(0.25), u);
    let square = s.mul(r, r);
    let low = s.mul(r, poly(s, square, &SINE));
    let sine = s.fma(r, s.splat(TURN), low);
    let cosine = s.fma(square, poly(s, square, &COSINE), s.splat(1.0));
    // Odd quarters swap the two; quarters 2 and 3 negate the sine, 1 and 2 the cosine.
    let quarter = s.to_bits(shifted);
    let swap = s.eq_u(s.and(quarter, s.splat_u(1)), s.splat_u(1));
    let bit = s.splat_u(1 << 63);
    let sign_sine = s.and(s.shl::<62>(quarter), bit);
    let sign_cosine = s.and(s.shl::<62>(s.add_u(quarter, s.splat_u(1))), bit);
    let sine_bits = s.to_bits(s.select(swap, cosine, sine));
    let cosine_bits = s.to_bits(s.select(swap, sine, cosine));
    (s.from_bits(s.xor(sine_bits, sign_sine)), s.from_bits(s.xor(cosine_bits, sign_cosine)))
}
