//! Carry values as unevaluated pairs `hi + lo`: about 106 bits where 53 would show in the result.
//!
//! `pow` multiplies the error of a logarithm by up to 700, `lgamma` subtracts two large numbers,
//! and `exp(-x²)` needs the bits of `x²` that rounding drops. This file holds the exact sum and
//! product (Dekker 1971; Knuth, TAOCP 4.2.2) and `exp` and `log` between pairs.

use crate::Simd;

/// `hi + lo`, where `lo` is at most a few units in the last place of `hi`.
pub(super) type Pair<S> = (<S as Simd>::F, <S as Simd>::F);

/// The polynomial with coefficients `c`, lowest degree first, at `x`.
#[inline(always)]
pub(super) fn poly<S: Simd, const N: usize>(s: S, x: S::F, c: &[f64; N]) -> S::F {
    let mut sum = s.splat(c[N - 1]);
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        sum = s.fma(sum, x, s.splat(c[i]));
    }
    sum
}

/// [`poly`] in two interleaved halves: one operation more, half the latency. For long functions,
/// where the wait for the next result, and not the number of operations, sets the pace.
#[inline(always)]
pub(super) fn poly_halves<S: Simd, const N: usize>(s: S, x: S::F, c: &[f64; N]) -> S::F {
    let square = s.mul(x, x);
    let (mut last, mut other) = (s.splat(c[N - 1]), s.splat(c[N - 2]));
    let mut i = N - 2;
    while i > 1 {
        i -= 2;
        last = s.fma(last, square, s.splat(c[i + 1]));
        other = s.fma(other, square, s.splat(c[i]));
    }
    if i == 1 {
        return s.fma(other, x, s.fma(last, square, s.splat(c[0])));
    }
    s.fma(last, x, other)
}

/// `a + b` exactly.
#[inline(always)]
pub(super) fn two_sum<S: Simd>(s: S, a: S::F, b: S::F) -> Pair<S> {
    let hi = s.add(a, b);
    let b_part = s.sub(hi, a);
    let a_part = s.sub(hi, b_part);
    (hi, s.add(s.sub(a, a_part), s.sub(b, b_part)))
}

/// `a + b` exactly, where `|a| >= |b|` or `a` is zero.
#[inline(always)]
pub(super) fn fast_two_sum<S: Simd>(s: S, a: S::F, b: S::F) -> Pair<S> {
    let hi = s.add(a, b);
    (hi, s.sub(b, s.sub(hi, a)))
}

/// `a · b` exactly, unless it underflows.
#[inline(always)]
pub(super) fn two_product<S: Simd>(s: S, a: S::F, b: S::F) -> Pair<S> {
    let hi = s.mul(a, b);
    (hi, s.fma(a, b, s.neg(hi)))
}

/// `a · b` to about 2^-102; the low part may reach a few units of the high part.
#[inline(always)]
pub(super) fn multiply<S: Simd>(s: S, a: Pair<S>, b: Pair<S>) -> Pair<S> {
    let (hi, lo) = two_product(s, a.0, b.0);
    (hi, s.fma(a.0, b.1, s.fma(a.1, b.0, lo)))
}

/// `a + b`, to about 2^-53 of the smaller rounding that cancellation leaves.
#[inline(always)]
pub(super) fn add<S: Simd>(s: S, a: Pair<S>, b: Pair<S>) -> Pair<S> {
    let (hi, lo) = two_sum(s, a.0, b.0);
    fast_two_sum(s, hi, s.add(lo, s.add(a.1, b.1)))
}

/// `a / b` to about 2^-100; the low part may reach a few units of the high part.
#[inline(always)]
pub(super) fn divide<S: Simd>(s: S, a: Pair<S>, b: Pair<S>) -> Pair<S> {
    let inverse = s.div(s.splat(1.0), b.0);
    let hi = s.mul(a.0, inverse);
    let rest = s.fnma(hi, b.1, s.add(s.fnma(hi, b.0, a.0), a.1));
    (hi, s.mul(rest, inverse))
}

/// `yes` where `m`, else `no`.
#[inline(always)]
pub(super) fn select<S: Simd>(s: S, m: S::M, yes: Pair<S>, no: Pair<S>) -> Pair<S> {
    (s.select(m, yes.0, no.0), s.select(m, yes.1, no.1))
}

/// `ln 2`: 42 bits, so that its product with an exponent is exact, and the rest.
const LN2: (f64, f64) = (0.6931471805598903, 5.497923018708371e-14);

/// `e^r = 1 + r + r² E(r)` on |r| <= ln(2)/2, error 2^-58.
const E: [f64; 11] = [
    0.5,
    0.1666666666666667,
    0.04166666666666667,
    0.008333333333326084,
    0.0013888888888883711,
    0.0001984126987500228,
    2.480158732567746e-05,
    2.755725517000089e-06,
    2.7557273478720615e-07,
    2.5105312729622103e-08,
    2.091475532527879e-09,
];

/// `exp(x)` as `(p, n)`, meaning `p · 2^n`, with `p` between 0.7 and 1.42 and off by less than
/// 0.53 ulp. Needs `|x| <= 800`; [`Simd::scale`] puts the two together.
#[inline(always)]
pub(super) fn exp_parts<S: Simd>(s: S, x: Pair<S>) -> (S::F, S::F) {
    let n = s.round_even(s.mul(x.0, s.splat(std::f64::consts::LOG2_E)));
    let r = s.fnma(n, s.splat(LN2.0), x.0); // exact
    let (r, r_lo) = fast_two_sum(s, r, s.fnma(n, s.splat(LN2.1), x.1));
    let tail = s.fma(s.mul(r, r), poly_halves(s, r, &E), r_lo);
    let (hi, lo) = fast_two_sum(s, s.splat(1.0), r);
    (s.add(hi, s.add(lo, tail)), n)
}

/// `log m = 2q + q u (2/3 + u L(u))`, `q = (m-1)/(m+1)`, `u = q²`, on `m` from √½ to √2.
const L: [f64; 10] = [
    0.4,
    0.2857142857142857,
    0.22222222222222157,
    0.1818181818184648,
    0.15384615378380545,
    0.13333334121530974,
    0.11764645318928077,
    0.10529188185581694,
    0.09441918057281663,
    0.0997133011037182,
];
/// 2^64: lifts subnormals.
const TWO64: f64 = (1u128 << 64) as f64;
/// 2/3.
const TWO_THIRDS: (f64, f64) = (0.6666666666666666, 3.700743415417188e-17);

/// `log(x)` for positive finite `x`, to about 2^-66 of itself.
///
/// The series of `2 atanh((m-1)/(m+1))` with its first two terms in pairs.
#[inline(always)]
pub(super) fn log<S: Simd>(s: S, x: S::F) -> Pair<S> {
    let one = s.splat(1.0);
    let tiny = s.lt(x, s.splat(f64::MIN_POSITIVE));
    let bits = s.to_bits(s.select(tiny, s.mul(x, s.splat(TWO64)), x));
    let bias = s.select(tiny, s.splat(1023.0 + 64.0), s.splat(1023.0));
    // x = m 2^k: adding 1 - √½ to the bits moves the seam of the exponent from 1 to √½.
    let seam = s.splat_u(1f64.to_bits() - std::f64::consts::FRAC_1_SQRT_2.to_bits());
    let shifted = s.shr::<52>(s.add_u(bits, seam));
    let k = s.sub(s.u52_to_f64(shifted), bias);
    let minus_k = s.sub_u(s.splat_u(1023 << 52), s.shl::<52>(shifted));
    let m = s.from_bits(s.add_u(bits, minus_k));

    let q = divide(s, (s.sub(m, one), s.splat(0.0)), fast_two_sum(s, one, m));
    let u = multiply(s, q, q);
    let series = s.mul(u.0, poly_halves(s, u.0, &L));
    let (c, c_lo) = fast_two_sum(s, s.splat(TWO_THIRDS.0), series);
    let c = (c, s.add(c_lo, s.splat(TWO_THIRDS.1)));
    let cubic = multiply(s, multiply(s, q, u), c);
    let (hi, lo) = fast_two_sum(s, s.add(q.0, q.0), cubic.0);
    let lo = s.add(lo, s.add(s.add(q.1, q.1), cubic.1));
    let (sum, sum_lo) = fast_two_sum(s, s.mul(k, s.splat(LN2.0)), hi);
    (sum, s.add(sum_lo, s.fma(k, s.splat(LN2.1), lo)))
}
