//! Compute sine, cosine and tangent of any double: reduce to |r| <= π/4, then two short series.
//!
//! Up to 2^30 the multiple of π/2 is subtracted in three exact steps with fused multiply-add
//! (Cody and Waite); a vector that holds a larger argument takes those lanes through integer
//! arithmetic with 1280 bits of 2/π (Payne and Hanek 1983). Both leave a remainder pair.

use super::pair::{Pair, divide, fast_two_sum, poly, select, two_sum};
use crate::simd::ROUND;
use crate::{LANES, Simd};

/// `sin r = r + r u S(u)`, `u = r²`, |r| <= π/4.
const S: [f64; 6] = [
    -0.16666666666666666,
    0.008333333333330948,
    -0.00019841269836756774,
    2.7557316101617874e-06,
    -2.505113165023518e-08,
    1.5918115263265974e-10,
];
/// `cos r = 1 - u/2 + u² C(u)`.
const C: [f64; 6] = [
    0.041666666666666664,
    -0.0013888888888887398,
    2.480158729876456e-05,
    -2.7557317271145144e-07,
    2.087614614655861e-09,
    -1.1382623647474604e-11,
];
/// π/2 in three doubles.
const HALF_PI: [f64; 3] =
    [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33];
/// Largest argument of the quick reduction.
const QUICK_MAX: f64 = 1_073_741_824.0;

/// `|x| = quadrant · π/2 + r + r_lo`, where only the low two bits of `quadrant` mean something.
struct Reduced<S: Simd> {
    r: S::F,
    r_lo: S::F,
    quadrant: S::U,
}

/// Splits `x >= 0` into quadrant and remainder.
#[inline(always)]
fn reduce<S: Simd>(s: S, x: S::F) -> Reduced<S> {
    let magic = s.splat(ROUND);
    let n = s.fma(x, s.splat(std::f64::consts::FRAC_2_PI), magic);
    let quadrant = s.to_bits(n);
    let n = s.sub(n, magic);
    let wide = s.fnma(n, s.splat(HALF_PI[0]), x); // exact
    let second = s.mul(n, s.splat(HALF_PI[1]));
    let second_lo = s.fma(n, s.splat(HALF_PI[1]), s.neg(second));
    let (r, r_lo) = two_sum(s, wide, s.neg(second));
    let r_lo = s.fnma(n, s.splat(HALF_PI[2]), s.sub(r_lo, second_lo));

    let huge = s.lt(s.splat(QUICK_MAX), x);
    if !s.mask_any(huge) {
        return Reduced { r, r_lo, quadrant };
    }
    let (mut high, mut low, mut count) = ([0.0; LANES], [0.0; LANES], [0; LANES]);
    reduce_huge(&s.to_array(x), &mut high, &mut low, &mut count);
    let (turn, turn_lo) = (s.load(&high), s.load(&low));
    let half_pi = s.splat(HALF_PI[0]);
    let far = s.mul(turn, half_pi);
    let far_lo = s.fma(turn, half_pi, s.neg(far));
    let far_lo = s.fma(turn, s.splat(HALF_PI[1]), s.fma(turn_lo, half_pi, far_lo));
    Reduced {
        r: s.select(huge, far, r),
        r_lo: s.select(huge, far_lo, r_lo),
        quadrant: s.select_u(huge, s.load_u(&count), quadrant),
    }
}

/// The first 1280 bits of 2/π, most significant first.
const TWO_OVER_PI: [u64; 20] = [
    0xa2f9836e4e441529,
    0xfc2757d1f534ddc0,
    0xdb6295993c439041,
    0xfe5163abdebbc561,
    0xb7246e3a424dd2e0,
    0x06492eea09d1921c,
    0xfe1deb1cb129a73e,
    0xe88235f52ebb4484,
    0xe99c7026b45f7e41,
    0x3991d639835339f4,
    0x9c845f8bbdf9283b,
    0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f,
    0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b,
    0x3d0739f78a5292ea,
    0x6bfb5fb11f8d5d08,
    0x56033046fc7b6bab,
    0xf0cfbc209af4361d,
];

/// Payne and Hanek: the fraction of `x / (π/2)` in [-1/2, 1/2] as a pair, and the integer mod 4,
/// of the lanes above [`QUICK_MAX`]. Infinity and NaN give NaN.
#[cold]
#[inline(never)]
fn reduce_huge(x: &[f64; 8], high: &mut [f64; 8], low: &mut [f64; 8], count: &mut [u64; 8]) {
    for lane in 0..LANES {
        let bits = x[lane].to_bits();
        let exponent = (bits >> 52) as i32;
        if exponent == 0x7ff {
            high[lane] = f64::NAN;
        } else if x[lane] > QUICK_MAX {
            let significand = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
            // x = significand · 2^e; bits of 2/π above 2^(2-e) give multiples of 4 and drop out.
            let offset = exponent - 1075 - 2;
            let product = |at: i32| significand * u128::from(two_over_pi_bits(offset + at));
            let (p2, p1, p0) = (product(128), product(64), product(0));
            let middle = p1 + (p2 >> 64);
            let top = (middle >> 64).wrapping_add(p0) as u64;
            let all = u128::from(top) << 64 | u128::from(middle as u64);
            // Two integer bits, then the fraction, read as signed: 0.7 is one more and -0.3.
            let fraction = ((all << 2) | u128::from(p2 as u64 >> 62)) as i128;
            count[lane] = (top >> 62) + u64::from(fraction < 0);
            let unit = (-128f64).exp2();
            high[lane] = fraction as f64;
            low[lane] = (fraction - high[lane] as i128) as f64 * unit;
            high[lane] *= unit;
        }
    }
}

/// The 64 bits of 2/π that follow its first `at` bits after the point.
fn two_over_pi_bits(at: i32) -> u64 {
    let word = |i: i32| usize::try_from(i).ok().and_then(|i| TWO_OVER_PI.get(i)).copied();
    let (index, shift) = (at.div_euclid(64), at.rem_euclid(64));
    let both =
        u128::from(word(index).unwrap_or(0)) << 64 | u128::from(word(index + 1).unwrap_or(0));
    (both << shift >> 64) as u64
}

/// Sine and cosine of the remainder as sums `large + small`, not yet added.
#[inline(always)]
fn series<S: Simd>(s: S, x: &Reduced<S>) -> (Pair<S>, Pair<S>) {
    let one = s.splat(1.0);
    let u = s.mul(x.r, x.r);
    let cos_hi = s.fma(u, s.splat(-0.5), one);
    let cos_lo = s.fma(u, s.splat(-0.5), s.sub(one, cos_hi));
    let cos_lo = s.fnma(x.r, x.r_lo, cos_lo);
    let cos_lo = s.fma(s.mul(u, u), poly(s, u, &C), cos_lo);
    let sin_lo = s.mul(x.r_lo, cos_hi);
    let sin_lo = s.fma(s.mul(x.r, u), poly(s, u, &S), sin_lo);
    ((x.r, sin_lo), (cos_hi, cos_lo))
}

/// `magnitude` with its sign turned where bit 1 of `quadrant` is set or `x` is negative.
#[inline(always)]
fn turn<S: Simd>(s: S, magnitude: S::F, quadrant: S::U, x: S::F) -> S::F {
    let sign = s.and(s.xor(s.shl::<62>(quadrant), s.to_bits(x)), s.splat_u(1 << 63));
    s.from_bits(s.xor(s.to_bits(magnitude), sign))
}

/// True where `quadrant` is odd.
#[inline(always)]
fn odd<S: Simd>(s: S, quadrant: S::U) -> S::M {
    s.lt_u(s.splat_u(0), s.and(quadrant, s.splat_u(1)))
}

/// Sine of an angle in radians: at most 0.8 ulp off, for any finite `x`; NaN for infinities.
///
/// # Cost
/// A few times more for a vector with a lane above 2^30.
#[inline(always)]
pub fn sin<S: Simd>(s: S, x: S::F) -> S::F {
    let reduced = reduce(s, s.abs(x));
    let (sin, cos) = series(s, &reduced);
    let (hi, lo) = select(s, odd(s, reduced.quadrant), cos, sin);
    let magnitude = s.add(hi, lo);
    turn(s, magnitude, reduced.quadrant, x)
}

/// Cosine of an angle in radians: at most 0.8 ulp off, for any finite `x`; NaN for infinities.
///
/// # Cost
/// As [`sin`].
#[inline(always)]
pub fn cos<S: Simd>(s: S, x: S::F) -> S::F {
    let reduced = reduce(s, s.abs(x));
    let (sin, cos) = series(s, &reduced);
    let (hi, lo) = select(s, odd(s, reduced.quadrant), sin, cos);
    let magnitude = s.add(hi, lo);
    let quadrant = s.add_u(reduced.quadrant, s.splat_u(1));
    turn(s, magnitude, quadrant, s.splat(0.0))
}

/// Tangent of an angle in radians: at most 1 ulp off, for any finite `x`; NaN for infinities.
///
/// # Cost
/// As [`sin`] and a division.
#[inline(always)]
pub fn tan<S: Simd>(s: S, x: S::F) -> S::F {
    let reduced = reduce(s, s.abs(x));
    let (sin, cos) = series(s, &reduced);
    let (sin, cos) = (fast_two_sum(s, sin.0, sin.1), fast_two_sum(s, cos.0, cos.1));
    let odd = odd(s, reduced.quadrant);
    let (hi, lo) = divide(s, select(s, odd, cos, sin), select(s, odd, sin, cos));
    turn(s, s.add(hi, lo), s.add_u(reduced.quadrant, reduced.quadrant), x)
}
