//! Compute the cube root: a short fit of `m^(-1/3)`, one step of fourth order, one correction.

use super::pair::poly;
use crate::Simd;

/// `m^(-1/3)` on 1 <= m <= 2, error 2^-17.
const INVERSE: [f64; 6] = [
    1.7776471684890054,
    -1.5540274077106597,
    1.2271496200207155,
    -0.5865141615889806,
    0.15224956438221762,
    -0.016511679091286462,
];
/// 2^54 = 2^(3 · 18): lifts subnormals.
const LIFT: f64 = 18_014_398_509_481_984.0;
/// 2^-18.
const LOWER: f64 = 1.0 / 262_144.0;

/// Cube root, also of negative numbers: at most 0.51 ulp off.
#[inline(always)]
pub fn cbrt<S: Simd>(s: S, x: S::F) -> S::F {
    let one = s.splat(1.0);
    let a = s.abs(x);
    let tiny = s.lt(a, s.splat(f64::MIN_POSITIVE));
    let bits = s.to_bits(s.select(tiny, s.mul(a, s.splat(LIFT)), a));
    // a = m 2^(3 third + left), left in 0..3, and M = m 2^left.
    let exponent = s.sub(s.u52_to_f64(s.shr::<52>(bits)), s.splat(1023.0));
    let third = s.floor(s.fma(exponent, s.splat(1.0 / 3.0), s.splat(0.01)));
    let left = s.fnma(third, s.splat(3.0), exponent);
    let m = s.from_bits(s.or(s.and(bits, s.splat_u((1 << 52) - 1)), s.to_bits(one)));
    let (is_one, is_two) = (s.eq(left, one), s.eq(left, s.splat(2.0)));
    let factor = s.select(is_two, s.splat(4.0), s.select(is_one, s.splat(2.0), one));
    let root = s.select(is_one, s.splat(0.7937005259840998), one);
    let root = s.select(is_two, s.splat(0.6299605249474366), root);

    let m_all = s.mul(m, factor);
    let r = s.mul(poly(s, m, &INVERSE), root);
    let h = s.fnma(m_all, s.mul(s.mul(r, r), r), one);
    let step = s.mul(h, poly(s, h, &[1.0 / 3.0, 2.0 / 9.0, 14.0 / 81.0]));
    let r = s.fma(r, step, r);
    let r2 = s.mul(r, r);
    let y = s.mul(m_all, r2);
    let y2 = s.mul(y, y);
    let y2_lo = s.fma(y, y, s.neg(y2));
    let rest = s.fnma(y2_lo, y, s.fnma(y2, y, m_all));
    let y = s.fma(rest, s.mul(r2, s.splat(1.0 / 3.0)), y);

    let lower = s.select(tiny, s.splat(LOWER), one);
    let y = s.mul(s.copysign(s.scale(y, third), x), lower);
    let plain = s.mask_and(s.lt(s.splat(0.0), a), s.lt(a, s.splat(f64::INFINITY)));
    s.select(plain, y, x)
}
