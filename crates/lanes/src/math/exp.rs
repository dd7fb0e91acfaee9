//! Raise e to a power: a table of sixteen roots of two, and a polynomial between them.
//!
//! `x = (16 k + j) ln 2 / 16 + r` gives `e^x = 2^k · 2^(j/16) · e^r` with `|r| <= 0.022`. The
//! table fits two AVX-512 registers, so the look-up is one instruction there.

use super::pair::poly;
use crate::Simd;
use crate::simd::ROUND;

/// 16 / ln 2.
const STEPS: f64 = 23.083_120_654_223_414;
/// ln 2 / 16, and what rounding it loses.
const STEP: [f64; 2] = [0.043_321_698_784_996_58, 1.449_404_258_653_937_2e-18];

/// `2^(j/16)`.
const ROOTS: [f64; 16] = [
    1.0,
    1.0442737824274138,
    1.0905077326652577,
    1.1387886347566916,
    1.189207115002721,
    1.241857812073484,
    1.2968395546510096,
    1.3542555469368927,
    std::f64::consts::SQRT_2,
    1.4768261459394993,
    1.5422108254079407,
    1.6104903319492543,
    1.681792830507429,
    1.7562521603732995,
    1.8340080864093424,
    1.9152065613971474,
];

/// What rounding loses of `2^(j/16)`.
const ROOTS_LOW: [f64; 16] = [
    0.0,
    8.551889705537965e-17,
    -3.046782079812471e-17,
    8.912812676025408e-17,
    3.982015231465646e-17,
    4.658027591836937e-17,
    2.5382502794888315e-17,
    7.70094837980299e-17,
    -9.667293313452913e-17,
    -3.483994556892796e-17,
    7.949834809697621e-17,
    2.4707192569797888e-17,
    8.199010020581497e-17,
    2.960140695448873e-17,
    3.283107224245627e-17,
    -1.0619946056195963e-16,
];

/// `(e^r - 1 - r) / r^2`; Chebyshev fit for `|r| <= ln 2 / 32`, error 2^-64.
const FIT: [f64; 6] = [
    0.5000000000000001,
    0.16666666666666669,
    0.04166666666358317,
    0.008333333332990724,
    0.0013889063789935463,
    0.00019841464175558392,
];

/// The integer `16 k + j` in the low bits of a float, the same as a float, and `e^r - 1`.
#[inline(always)]
fn reduce<S: Simd>(s: S, x: S::F) -> (S::U, S::F, S::F) {
    let round = s.splat(ROUND);
    let shifted = s.fma(x, s.splat(STEPS), round);
    let n = s.sub(shifted, round);
    let r = s.fnma(n, s.splat(STEP[1]), s.fnma(n, s.splat(STEP[0]), x));
    let rest = s.fma(s.mul(r, r), poly(s, r, &FIT), r);
    (s.to_bits(shifted), n, rest)
}

/// `e^x`; at most 1.1 ulp off, subnormal results included.
///
/// `exp(-inf)` is 0, results above the largest number are infinite, NaN gives NaN.
#[inline(always)]
pub fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    let x = s.max(s.splat(-746.0), s.min(s.splat(710.0), x));
    let (bits, n, rest) = reduce(s, x);
    let root = s.lookup(&ROOTS, bits);
    s.scale(s.fma(root, rest, root), s.mul(n, s.splat(1.0 / 16.0)))
}

/// `e^x - 1`, accurate also near zero; at most 1.5 ulp off.
///
/// Keeps the sign of zero; `expm1(-inf)` is -1.
#[inline(always)]
pub fn expm1<S: Simd>(s: S, x: S::F) -> S::F {
    let clamped = s.max(s.splat(-40.0), s.min(s.splat(710.0), x));
    let (bits, _, rest) = reduce(s, clamped);
    // 2^(k - 1), as 2^k overflows before e^x does; the half is made good at the end.
    let biased = s.shl::<48>(s.add_u(bits, s.splat_u(1022 << 4)));
    let power = s.from_bits(s.and(biased, s.splat_u(0x7ff << 52)));
    let high = s.mul(power, s.lookup(&ROOTS, bits));
    let low = s.mul(power, s.lookup(&ROOTS_LOW, bits));
    let half = s.add(s.sub(high, s.splat(0.5)), s.fma(high, rest, low));
    let tiny = s.lt(s.abs(x), s.splat(1.0 / 18_014_398_509_481_984.0));
    s.select(tiny, x, s.add(half, half))
}
