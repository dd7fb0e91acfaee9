//! Say what eight lanes can do, with one meaning on every instruction set.
//!
//! The trait is thin on purpose: a method is one or a few instructions, or is composed here of
//! such methods. What it promises is sameness: every method returns the same bits for the same
//! input wherever it runs. The one exception is a NaN, which is a NaN everywhere but whose sign
//! and payload differ between processors.

use crate::Isa;

/// Number of lanes of every vector, on every instruction set.
pub const LANES: usize = 8;

/// 1.5 · 2^52: adding it leaves the nearest integer in the low bits of the sum.
pub(crate) const ROUND: f64 = 6_755_399_441_055_744.0;
/// 2^52: its low 52 bits are free to hold an integer.
const INTEGER: f64 = 4_503_599_627_370_496.0;

/// Work that is generic over the instruction set (a closure cannot be).
///
/// Mark `run`, and every generic function it calls with `Simd` values, `#[inline(always)]`: only
/// code inlined into the entry point of an instruction set is compiled with its instructions.
pub trait Task {
    /// What the work returns.
    type Output;
    /// Does the work with the lanes of `simd`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Methods on eight-lane values; the value itself is a token that the instructions exist.
///
/// Rounding is to nearest, ties to even. Integers wrap. A shift count of a constant shift is
/// below the width of what it shifts. Names ending in `_u` act on eight `u64`, names ending in
/// `32` on the sixteen `u32` of the same register: lane `k` holds word `2k` in its low half and
/// word `2k + 1` in its high half. A 32-bit comparison gives all ones or all zeros in each word,
/// so that `and`, `or`, `xor` and `sub32` (which counts) act on its answer.
#[expect(clippy::wrong_self_convention, reason = "`from_bits` is the name in the standard library")]
pub trait Simd: Copy + Send + Sync + 'static {
    /// Eight `f64`.
    type F: Copy + Send + Sync;
    /// Eight `u64`, or sixteen `u32`.
    type U: Copy + Send + Sync;
    /// Eight booleans.
    type M: Copy + Send + Sync;
    /// The instruction set that the token stands for.
    const ISA: Isa;

    // Eight f64.

    /// `x` in every lane.
    fn splat(self, x: f64) -> Self::F;
    /// The eight numbers of `x`.
    fn load(self, x: &[f64; 8]) -> Self::F;
    /// Writes the lanes of `x` to `out`.
    fn store(self, x: Self::F, out: &mut [f64; 8]);
    /// Says that `x[at]` will be read soon, if there is one: it may come into cache meanwhile.
    #[inline(always)]
    fn expect(self, _x: &[f64], _at: usize) {}
    /// `a + b`.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a - b`.
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a · b`.
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a / b`.
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a · b + c`, rounded once.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `c - a · b`, rounded once.
    fn fnma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `a` where `a < b`, else `b`: so `b` where either is NaN or both are zero.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a` where `a > b`, else `b`: so `b` where either is NaN or both are zero.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// Square root, correctly rounded.
    fn sqrt(self, x: Self::F) -> Self::F;
    /// The largest integer not above `x`.
    fn floor(self, x: Self::F) -> Self::F;
    /// The smallest integer not below `x`.
    fn ceil(self, x: Self::F) -> Self::F;
    /// The integer part of `x`, towards zero.
    fn trunc(self, x: Self::F) -> Self::F;
    /// The integer nearest to `x`, ties to even.
    fn round_even(self, x: Self::F) -> Self::F;

    // Eight booleans.

    /// `a < b`; false where either is NaN.
    fn lt(self, a: Self::F, b: Self::F) -> Self::M;
    /// `a <= b`; false where either is NaN.
    fn le(self, a: Self::F, b: Self::F) -> Self::M;
    /// `a == b`; false where either is NaN.
    fn eq(self, a: Self::F, b: Self::F) -> Self::M;
    /// `yes` where `m`, else `no`.
    fn select(self, m: Self::M, yes: Self::F, no: Self::F) -> Self::F;
    /// `a & b`.
    fn mask_and(self, a: Self::M, b: Self::M) -> Self::M;
    /// `a | b`.
    fn mask_or(self, a: Self::M, b: Self::M) -> Self::M;
    /// `a ^ b`.
    fn mask_xor(self, a: Self::M, b: Self::M) -> Self::M;
    /// `!a`.
    fn mask_not(self, a: Self::M) -> Self::M;
    /// Bit `k` is lane `k`.
    fn mask_bits(self, a: Self::M) -> u8;
    /// Lane `k` is bit `k`.
    fn mask_from_bits(self, bits: u8) -> Self::M;

    // Eight u64.

    /// `x` in every lane.
    fn splat_u(self, x: u64) -> Self::U;
    /// The eight integers of `x`.
    fn load_u(self, x: &[u64; 8]) -> Self::U;
    /// Writes the lanes of `x` to `out`.
    fn store_u(self, x: Self::U, out: &mut [u64; 8]);
    /// The eight integers of `x`, widened.
    fn load_u32(self, x: &[u32; 8]) -> Self::U;
    /// The eight integers of `x`, widened.
    fn load_u8(self, x: &[u8; 8]) -> Self::U;
    /// `a + b`.
    fn add_u(self, a: Self::U, b: Self::U) -> Self::U;
    /// `a - b`.
    fn sub_u(self, a: Self::U, b: Self::U) -> Self::U;
    /// `a & b`.
    fn and(self, a: Self::U, b: Self::U) -> Self::U;
    /// `a | b`.
    fn or(self, a: Self::U, b: Self::U) -> Self::U;
    /// `a ^ b`.
    fn xor(self, a: Self::U, b: Self::U) -> Self::U;
    /// `a << N`, `N` in `0..64`.
    fn shl<const N: i32>(self, a: Self::U) -> Self::U;
    /// `a >> N`, zeros shifted in, `N` in `0..64`.
    fn shr<const N: i32>(self, a: Self::U) -> Self::U;
    /// `a` rotated left by `N`, `N` in `1..64`.
    fn rotl<const N: i32>(self, a: Self::U) -> Self::U;
    /// `a << count`, lane by lane; zero where `count >= 64`.
    fn shl_var(self, a: Self::U, count: Self::U) -> Self::U;
    /// `a >> count`, lane by lane; zero where `count >= 64`.
    fn shr_var(self, a: Self::U, count: Self::U) -> Self::U;
    /// The 64-bit product of the low halves of `a` and `b`.
    fn mul_lo32(self, a: Self::U, b: Self::U) -> Self::U;
    /// The 64-bit square of the low half of `a`, read as a signed number.
    fn square_lo32(self, a: Self::U) -> Self::U;
    /// `a < b`, unsigned.
    fn lt_u(self, a: Self::U, b: Self::U) -> Self::M;
    /// `a == b`.
    fn eq_u(self, a: Self::U, b: Self::U) -> Self::M;
    /// `yes` where `m`, else `no`.
    fn select_u(self, m: Self::M, yes: Self::U, no: Self::U) -> Self::U;
    /// Swaps the low and the high half of each lane.
    fn swap_halves(self, a: Self::U) -> Self::U;
    /// The low half of `lo` and the high half of `hi`, lane by lane.
    fn blend_halves(self, lo: Self::U, hi: Self::U) -> Self::U;

    // Sixteen u32.

    /// `x` in every word.
    fn splat32(self, x: u32) -> Self::U;
    /// The sixteen words of `x`.
    fn load32(self, x: &[u32; 16]) -> Self::U;
    /// Writes the sixteen words of `x` to `out`.
    fn store32(self, x: Self::U, out: &mut [u32; 16]);
    /// `a + b`.
    fn add32(self, a: Self::U, b: Self::U) -> Self::U;
    /// `a - b`.
    fn sub32(self, a: Self::U, b: Self::U) -> Self::U;
    /// `a << N`, `N` in `0..32`.
    fn shl32<const N: i32>(self, a: Self::U) -> Self::U;
    /// `a >> N`, zeros shifted in, `N` in `0..32`.
    fn shr32<const N: i32>(self, a: Self::U) -> Self::U;
    /// All ones where `a < b`, unsigned, else zero.
    fn lt32(self, a: Self::U, b: Self::U) -> Self::U;
    /// All ones where `a == b`, else zero.
    fn eq32(self, a: Self::U, b: Self::U) -> Self::U;
    /// `yes` where `m` is all ones, `no` where it is zero; `m` comes from a 32-bit comparison.
    fn select32(self, m: Self::U, yes: Self::U, no: Self::U) -> Self::U;

    // Thirty-two u16, four to a lane, the lowest first.

    /// The high half of `a · b`, unsigned.
    fn mul_hi16(self, a: Self::U, b: Self::U) -> Self::U;
    /// The low half of `a · b`.
    fn mul_lo16(self, a: Self::U, b: Self::U) -> Self::U;
    /// `a - b`, unsigned, or zero where `b` is larger.
    fn sub_down16(self, a: Self::U, b: Self::U) -> Self::U;

    // Sixty-four bytes, eight to a lane, the lowest first.

    /// `counts` with 1 added, modulo 256, to each byte whose fellow in `bytes`, read as a signed
    /// number, is above that in `limits`.
    fn count_above8(self, counts: Self::U, bytes: Self::U, limits: Self::U) -> Self::U;
    /// Bit `i` is set where byte `i`, read as a signed number, is above that in `limits`.
    fn above8_bits(self, bytes: Self::U, limits: Self::U) -> u64;
    /// `table[byte]` for each byte of `index`, all below 16; unspecified elsewhere.
    fn lookup8(self, table: &[u8; 16], index: Self::U) -> Self::U;
    /// The sum of the eight bytes of each lane.
    fn sum8(self, bytes: Self::U) -> Self::U;

    // Tables in memory.

    /// `table[index]`; an index past the end reads the last entry.
    ///
    /// # Panics
    /// If `table` is empty.
    fn gather(self, table: &[f64], index: Self::U) -> Self::F;
    /// `table[index]`; an index past the end reads the last entry.
    ///
    /// # Panics
    /// If `table` is empty.
    fn gather_u(self, table: &[u64], index: Self::U) -> Self::U;
    /// `table[low half of index]`; the high halves are ignored, an index past the end reads the
    /// last entry.
    ///
    /// # Panics
    /// If `table` is empty.
    fn gather32(self, table: &[f64], index: Self::U) -> Self::F;
    /// The two numbers of `table[index]`, from one place in memory; an index past the end reads the
    /// last entry.
    ///
    /// # Panics
    /// If `table` is empty.
    #[inline(always)]
    fn gather_pair(self, table: &[[f64; 2]], index: Self::U) -> (Self::F, Self::F) {
        assert!(!table.is_empty(), "a gathered table has an entry");
        let last = table.len() as u64 - 1;
        let pairs = self.to_array_u(index).map(|i| table[i.min(last) as usize]);
        (self.load(&pairs.map(|pair| pair[0])), self.load(&pairs.map(|pair| pair[1])))
    }
    /// `table[index mod N]`, `N` a power of two. Tables of 8 and 16 stay in registers on AVX-512.
    fn lookup<const N: usize>(self, table: &[f64; N], index: Self::U) -> Self::F;

    // Between kinds.

    /// The bits of eight `f64`.
    fn to_bits(self, x: Self::F) -> Self::U;
    /// Eight `f64` from their bits.
    fn from_bits(self, x: Self::U) -> Self::F;
    /// `x` as `f64`, exact for `x < 2^53`; unspecified above.
    fn u53_to_f64(self, x: Self::U) -> Self::F;

    /// `x · 2^floor(n)`, rounded once, for `x` zero or `2^-64 <= |x| <= 2^64` and
    /// `|n| <= 1100`; NaN where `x` is NaN; unspecified elsewhere.
    #[inline(always)]
    fn scale(self, x: Self::F, n: Self::F) -> Self::F {
        let n = self.floor(n);
        let half = self.floor(self.mul(n, self.splat(0.5)));
        let bias = self.splat(ROUND + 1023.0);
        let first = self.shl::<52>(self.to_bits(self.add(half, bias)));
        let rest = self.shl::<52>(self.to_bits(self.add(self.sub(n, half), bias)));
        self.mul(self.mul(x, self.from_bits(first)), self.from_bits(rest))
    }
    /// `x` as `f64`, exact for `x < 2^52`; unspecified above.
    #[inline(always)]
    fn u52_to_f64(self, x: Self::U) -> Self::F {
        let two52 = self.splat(INTEGER);
        self.sub(self.from_bits(self.or(x, self.to_bits(two52))), two52)
    }
    /// The integer nearest to `x`, ties to even, in two's complement, for `|x| < 2^51`;
    /// unspecified elsewhere.
    #[inline(always)]
    fn f64_to_i64(self, x: Self::F) -> Self::U {
        let magic = self.splat(ROUND);
        self.sub_u(self.to_bits(self.add(x, magic)), self.to_bits(magic))
    }
    /// `x`, read in two's complement, as `f64`, for `|x| < 2^51`; unspecified elsewhere.
    #[inline(always)]
    fn i64_to_f64(self, x: Self::U) -> Self::F {
        let magic = self.splat(ROUND);
        self.sub(self.from_bits(self.add_u(x, self.to_bits(magic))), magic)
    }
    /// Eight `u32` as `f64`.
    #[inline(always)]
    fn load_u32_as_f64(self, x: &[u32; 8]) -> Self::F {
        self.u52_to_f64(self.load_u32(x))
    }
    /// Eight `u8` as `f64`.
    #[inline(always)]
    fn load_u8_as_f64(self, x: &[u8; 8]) -> Self::F {
        self.u52_to_f64(self.load_u8(x))
    }

    // Composed of the methods above.

    /// `-x`, also of zero.
    #[inline(always)]
    fn neg(self, x: Self::F) -> Self::F {
        self.from_bits(self.xor(self.to_bits(x), self.splat_u(1 << 63)))
    }
    /// `|x|`.
    #[inline(always)]
    fn abs(self, x: Self::F) -> Self::F {
        self.from_bits(self.and(self.to_bits(x), self.splat_u(!(1 << 63))))
    }
    /// The magnitude of `x` with the sign of `sign`.
    #[inline(always)]
    fn copysign(self, x: Self::F, sign: Self::F) -> Self::F {
        let bit = self.splat_u(1 << 63);
        let sign = self.and(self.to_bits(sign), bit);
        self.from_bits(self.or(self.to_bits(self.abs(x)), sign))
    }
    /// True where `x` is NaN.
    #[inline(always)]
    fn is_nan(self, x: Self::F) -> Self::M {
        self.mask_not(self.eq(x, x))
    }
    /// `!a`.
    #[inline(always)]
    fn not(self, a: Self::U) -> Self::U {
        self.xor(a, self.splat_u(!0))
    }
    /// True if any lane is.
    #[inline(always)]
    fn mask_any(self, a: Self::M) -> bool {
        self.mask_bits(a) != 0
    }
    /// True if every lane is.
    #[inline(always)]
    fn mask_all(self, a: Self::M) -> bool {
        self.mask_bits(a) == 0xff
    }
    /// How many lanes are true.
    #[inline(always)]
    fn mask_count(self, a: Self::M) -> u32 {
        self.mask_bits(a).count_ones()
    }
    /// The lanes of `x` as an array.
    #[inline(always)]
    fn to_array(self, x: Self::F) -> [f64; 8] {
        let mut out = [0.0; 8];
        self.store(x, &mut out);
        out
    }
    /// The lanes of `x` as an array.
    #[inline(always)]
    fn to_array_u(self, x: Self::U) -> [u64; 8] {
        let mut out = [0; 8];
        self.store_u(x, &mut out);
        out
    }
    /// The first eight numbers of `x`, or all it has followed by `fill`.
    #[inline(always)]
    fn load_head(self, x: &[f64], fill: f64) -> Self::F {
        let mut lanes = [fill; 8];
        let n = x.len().min(LANES);
        lanes[..n].copy_from_slice(&x[..n]);
        self.load(&lanes)
    }
    /// Writes as many lanes of `x` as `out` has room for, at most eight.
    #[inline(always)]
    fn store_head(self, x: Self::F, out: &mut [f64]) {
        let n = out.len().min(LANES);
        out[..n].copy_from_slice(&self.to_array(x)[..n]);
    }
    /// The sum of the lanes: `((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7))`.
    #[inline(always)]
    fn sum_lanes(self, x: Self::F) -> f64 {
        let v = self.to_array(x);
        ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
    }
}
