//! Take logarithms: a table of sixteen inverses, and a polynomial about one.
//!
//! `x = 2^k z` with `z` in [0.698, 1.396); a table gives `c` near `1/z` and `ln(1/c)`, so that
//! `ln x = k ln 2 + ln(1/c) + ln(1 + r)` with `r = z c - 1`, `|r| <= 0.031`. About one, `c = 1`
//! and `k = 0`, which keeps the relative accuracy. No division is needed.

use super::log_table::{E, INVERSE, OFFSET, TEN, TWO};
use super::pair::poly;
use crate::{Isa, Simd};

/// The exponent bits and the sign.
const EXPONENT: u64 = 0xfff << 52;
/// 2^54, which makes every subnormal number normal.
const TWO54: f64 = 18_014_398_509_481_984.0;

/// What makes a logarithm one to its base; a pair is a number and what rounding it loses.
pub(super) struct Base {
    /// The logarithm of 2, the first part a multiple of 2^-43.
    pub(super) octave: [f64; 2],
    /// The logarithm of e.
    pub(super) unit: [f64; 2],
    /// The logarithms of `1/c`, multiples of 2^-43.
    pub(super) high: [f64; 16],
    /// What `high` lacks.
    pub(super) low: [f64; 16],
    /// `(log(1 + r) - unit r) / r^2`.
    pub(super) poly: [f64; 9],
}

/// A base with `c` and the logarithm of `1/c` side by side.
struct Table {
    base: &'static Base,
    pairs: [[f64; 2]; 16],
}

impl Table {
    const fn new(base: &'static Base) -> Self {
        let (mut pairs, mut at) = ([[0.0; 2]; 16], 0);
        while at < 16 {
            pairs[at] = [INVERSE[at], base.high[at]];
            at += 1;
        }
        Self { base, pairs }
    }

    /// `c` and the logarithm of `1/c`: two reads a lane cost more than one of both where tables do
    /// not lie in registers.
    #[inline(always)]
    fn entries<S: Simd>(&self, s: S, index: S::U) -> (S::F, S::F) {
        match S::ISA {
            Isa::Avx2 => s.gather_pair(&self.pairs, s.and(index, s.splat_u(15))),
            _ => (s.lookup(&INVERSE, index), s.lookup(&self.base.high, index)),
        }
    }
}

static NATURAL: Table = Table::new(&E);
static OCTAVES: Table = Table::new(&TWO);
static DECADES: Table = Table::new(&TEN);

/// `x` taken apart: `x = 2^k z`, and the table index of `z`.
struct Parts<S: Simd> {
    k: S::F,
    z: S::F,
    index: S::U,
    /// `x` over `z` in its exponent bits, relative to those of one.
    octaves: S::U,
}

/// Takes apart a normal positive number.
#[inline(always)]
fn take_apart<S: Simd>(s: S, x: S::F) -> Parts<S> {
    let bits = s.to_bits(x);
    let above = s.sub_u(bits, s.splat_u(OFFSET));
    let octaves = s.and(above, s.splat_u(EXPONENT));
    // The exponent is signed: biased by 2048 octaves it is converted as unsigned.
    let biased = s.shr::<52>(s.add_u(above, s.splat_u(1 << 63)));
    let k = s.sub(s.u52_to_f64(biased), s.splat(2048.0));
    let z = s.from_bits(s.sub_u(bits, octaves));
    Parts { k, z, index: s.shr::<48>(above), octaves }
}

/// `k log 2 + log(1/c) + log(1 + r)`.
#[inline(always)]
fn put_together<S: Simd>(s: S, base: &Base, index: S::U, (k, high, r): (S::F, S::F, S::F)) -> S::F {
    let whole = s.fma(k, s.splat(base.octave[0]), high);
    let square = s.mul(r, r);
    let curve = poly(s, r, &base.poly);
    let (linear, lost) = if base.unit[1] == 0.0 {
        (r, s.mul(k, s.splat(base.octave[1])))
    } else {
        let unit = s.splat(base.unit[0]);
        let linear = s.mul(r, unit);
        let lost = s.fma(r, s.splat(base.unit[1]), s.fma(r, unit, s.neg(linear)));
        let lost = s.add(lost, s.lookup(&base.low, index));
        (linear, s.fma(k, s.splat(base.octave[1]), lost))
    };
    let sum = s.add(whole, linear);
    let lost = s.add(s.add(s.sub(whole, sum), linear), lost);
    s.add(sum, s.fma(square, curve, lost))
}

/// The logarithm to `base` of `x · 2^-k`, for normal positive `x`.
#[inline(always)]
fn normal<S: Simd>(s: S, table: &Table, x: S::F, k: S::F) -> S::F {
    let parts = take_apart(s, x);
    let (inverse, high) = table.entries(s, parts.index);
    let r = s.fma(parts.z, inverse, s.splat(-1.0));
    put_together(s, table.base, parts.index, (s.sub(parts.k, k), high, r))
}

/// The logarithm to `base` of any `x`.
#[inline(always)]
fn to_base<S: Simd>(s: S, table: &Table, x: S::F) -> S::F {
    let least = s.splat(f64::MIN_POSITIVE);
    let infinite = s.splat(f64::INFINITY);
    let y = normal(s, table, x, s.splat(0.0));
    let usual = s.mask_and(s.le(least, x), s.lt(x, infinite));
    if s.mask_all(usual) {
        return y;
    }
    let zero = s.splat(0.0);
    let small = normal(s, table, s.mul(x, s.splat(TWO54)), s.splat(54.0));
    let y = s.select(s.lt(x, least), small, y);
    let y = s.select(s.le(infinite, x), x, y);
    let y = s.select(s.eq(x, zero), s.splat(f64::NEG_INFINITY), y);
    s.select(s.le(zero, x), y, s.splat(f64::NAN))
}

/// The natural logarithm; at most 1.3 ulp off, subnormal arguments included.
///
/// `log(0)` is -inf; a negative number or NaN gives NaN.
#[inline(always)]
pub fn log<S: Simd>(s: S, x: S::F) -> S::F {
    to_base(s, &NATURAL, x)
}

/// [`log`] of normal positive numbers, to the bit, without a look for any other; of these
/// unspecified.
#[inline(always)]
pub fn log_of_normal<S: Simd>(s: S, x: S::F) -> S::F {
    normal(s, &NATURAL, x, s.splat(0.0))
}

/// The logarithm to base 2, exact for powers of 2; at most 1.5 ulp off. Edges as for [`log`].
#[inline(always)]
pub fn log2<S: Simd>(s: S, x: S::F) -> S::F {
    to_base(s, &OCTAVES, x)
}

/// The logarithm to base 10; at most 1.3 ulp off. Edges as for [`log`].
#[inline(always)]
pub fn log10<S: Simd>(s: S, x: S::F) -> S::F {
    to_base(s, &DECADES, x)
}

/// `ln(1 + x)`, accurate also near zero; at most 1.8 ulp off.
///
/// Keeps the sign of zero; `log1p(-1)` is -inf, below that NaN.
#[inline(always)]
pub fn log1p<S: Simd>(s: S, x: S::F) -> S::F {
    let one = s.splat(1.0);
    let sum = s.add(one, x);
    // What the sum lost, exactly, whichever of the two is greater.
    let back = s.sub(sum, x);
    let lost = s.add(s.sub(one, back), s.sub(x, s.sub(sum, back)));
    let parts = take_apart(s, sum);
    let inverse = s.lookup(&INVERSE, parts.index);
    let power = s.from_bits(s.sub_u(s.to_bits(one), parts.octaves));
    let r = s.fma(parts.z, inverse, s.splat(-1.0));
    let r = s.fma(s.mul(lost, power), inverse, r);
    let high = s.lookup(&E.high, parts.index);
    let y = put_together(s, &E, parts.index, (parts.k, high, r));
    let large = s.le(s.splat(1.0 / TWO54), s.abs(x));
    let usual = s.mask_and(s.mask_and(s.lt(s.splat(-1.0), x), large), s.lt(x, s.splat(1e300)));
    if s.mask_all(usual) {
        return y;
    }
    let y = s.select(s.lt(x, s.splat(1e300)), y, log(s, x));
    let y = s.select(large, y, x);
    let y = s.select(s.eq(sum, s.splat(0.0)), s.splat(f64::NEG_INFINITY), y);
    s.select(s.le(s.splat(-1.0), x), y, s.splat(f64::NAN))
}
