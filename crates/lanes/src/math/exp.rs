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

/// `2^(j/16)`, with `j · 2^48` taken from its bits: adding `16 k + j` there yields `2^(k + j/16)`.
const ROOTS: [f64; 16] = [
    1.0,
    0.9908868912137069,
    0.9827538663326288,
    0.9756443173783458,
    0.9696035575013605,
    0.964678906036742,
    0.9609197773255048,
    0.9583777734684463,
    0.9571067811865476,
    0.9571630729697497,
    0.9586054127039704,
    0.9614951659746271,
    0.9658964152537145,
    0.9718760801866497,
    0.9795040432046712,
    0.9888532806985737,
];

/// What rounding loses of `2^(j/16)`, relative to it.
const LOST: [f64; 16] = [
    0.0,
    8.189317638195515e-17,
    -2.7939114859515733e-17,
    7.826573258636076e-17,
    3.3484623336251524e-17,
    3.750854201303127e-17,
    1.9572585293112036e-17,
    5.68648095791174e-17,
    -6.835808657661922e-17,
    -2.3591094770850053e-17,
    5.1548301170786783e-17,
    1.5341410053603723e-17,
    4.875160526227062e-17,
    1.685487290628973e-17,
    1.790126907604513e-17,
    -5.545065618639427e-17,
];

/// `(e^r - 1 - r) / r^2`; Chebyshev fit for `|r| <= ln 2 / 32`, error 2^-64
/// of `e^r` (`derive/fit.py exp16`).
const FIT: [f64; 6] = [
    0.5000000000000001,
    0.16666666666666669,
    0.04166666666358317,
    0.008333333332990724,
    0.0013889063789935463,
    0.00019841464175558392,
];

/// `e^x` taken apart: `2^(k + j/16)` times `1 + rest`.
struct Parts<S: Simd> {
    /// `16 k + j`, in the low bits.
    index: S::U,
    /// `e^r - 1`.
    rest: S::F,
}

/// Takes `e^x` apart, for `|x| <= 750`.
#[inline(always)]
fn take_apart<S: Simd>(s: S, x: S::F) -> Parts<S> {
    let round = s.splat(ROUND);
    let shifted = s.fma(x, s.splat(STEPS), round);
    let n = s.sub(shifted, round);
    let r = s.fnma(n, s.splat(STEP[1]), s.fnma(n, s.splat(STEP[0]), x));
    let rest = s.fma(s.mul(r, r), poly(s, r, &FIT), r);
    Parts { index: s.to_bits(shifted), rest }
}

/// `2^(k + j/16)`, times 2 to the power of `octaves`; the sum of the exponents must be normal.
#[inline(always)]
fn power<S: Simd>(s: S, index: S::U, octaves: i64) -> S::F {
    let root = s.to_bits(s.lookup(&ROOTS, index));
    let exponent = s.add_u(s.shl::<48>(index), s.splat_u((octaves << 52) as u64));
    s.from_bits(s.add_u(root, exponent))
}

/// `e^x`; at most 1.1 ulp off, subnormal results included.
///
/// `exp(-inf)` is 0, results above the largest number are infinite, NaN gives NaN.
#[inline(always)]
pub fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    let parts = take_apart(s, x);
    let whole = power(s, parts.index, 0);
    let y = s.fma(whole, parts.rest, whole);
    let usual = s.lt(s.abs(x), s.splat(708.0));
    if s.mask_all(usual) { y } else { s.select(usual, y, extreme(s, x)) }
}

/// `e^x` for any `x`, with one rounding at the end that also serves subnormal results.
#[inline(always)]
fn extreme<S: Simd>(s: S, x: S::F) -> S::F {
    let x = s.max(s.splat(-746.0), s.min(s.splat(710.0), x));
    let parts = take_apart(s, x);
    // Shifted by 600 octaves towards one, the power is normal; then one product brings it back.
    let negative = s.lt(x, s.splat(0.0));
    let up = power(s, parts.index, 600);
    let down = power(s, parts.index, -600);
    let near = s.select(negative, up, down);
    let back = s.select(negative, s.splat(power_of_two(-600)), s.splat(power_of_two(600)));
    s.mul(s.fma(near, parts.rest, near), back)
}

/// `2^k` for `-1022 <= k <= 1023`.
const fn power_of_two(k: i64) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

/// `e^x - 1`, accurate also near zero; at most 2.1 ulp off.
///
/// Keeps the sign of zero; `expm1(-inf)` is -1.
#[inline(always)]
pub fn expm1<S: Simd>(s: S, x: S::F) -> S::F {
    let clamped = s.max(s.splat(-40.0), s.min(s.splat(710.0), x));
    let parts = take_apart(s, clamped);
    // Half of it all, as 2^k overflows before e^x does.
    let half = power(s, parts.index, -1);
    let lost = s.mul(half, s.lookup(&LOST, parts.index));
    let y = s.add(s.sub(half, s.splat(0.5)), s.fma(half, parts.rest, lost));
    let tiny = s.lt(s.abs(x), s.splat(power_of_two(-54)));
    s.select(tiny, x, s.add(y, y))
}
