//! Run eight lanes as plain arrays: the meaning that every other implementation must match.

use crate::{Isa, Simd};
use std::array::from_fn;

/// The token for code without vector instructions, which every machine runs.
#[derive(Clone, Copy, Debug)]
pub struct Scalar(pub(crate) ());

impl Scalar {
    /// The token; always there.
    pub fn find() -> Option<Self> {
        Some(Self(()))
    }
    /// Runs `task` with this instruction set.
    #[inline]
    pub fn enter<T: crate::Task>(self, task: T) -> T::Output {
        task.run(self)
    }
}

/// The sixteen words of eight lanes.
#[inline(always)]
fn words(x: [u64; 8]) -> [u32; 16] {
    from_fn(|i| (x[i / 2] >> (32 * (i % 2))) as u32)
}

/// The eight lanes of sixteen words.
#[inline(always)]
fn lanes(x: [u32; 16]) -> [u64; 8] {
    from_fn(|i| u64::from(x[2 * i]) | u64::from(x[2 * i + 1]) << 32)
}

/// All ones for true.
#[inline(always)]
fn ones(x: bool) -> u32 {
    if x { !0 } else { 0 }
}

/// Four pairs of 16 bits, each pair made one.
#[inline(always)]
fn each16(a: u64, b: u64, f: impl Fn(u16, u16) -> u16) -> u64 {
    let each = |at: u32| u64::from(f((a >> at) as u16, (b >> at) as u16)) << at;
    each(0) | each(16) | each(32) | each(48)
}

/// For each byte of a lane, whether as a signed number it is above the limit's.
#[inline(always)]
fn above8(bytes: u64, limits: u64) -> [bool; 8] {
    let (bytes, limits) = (bytes.to_le_bytes(), limits.to_le_bytes());
    from_fn(|j| bytes[j] as i8 > limits[j] as i8)
}

macro_rules! lanewise {
    ($(fn $name:ident $(<const $n:ident>)? ($($arg:ident: $ty:ty),*) -> $out:ty
        = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name $(<const $n: i32>)? (self, $($arg: [$ty; 8]),*) -> [$out; 8] {
            from_fn(|i| { $(let $arg = $arg[i];)* $body })
        }
    )*};
}

macro_rules! wordwise {
    ($(fn $name:ident $(<const $n:ident>)? ($($arg:ident),*) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name $(<const $n: i32>)? (self, $($arg: [u64; 8]),*) -> [u64; 8] {
            $(let $arg = words($arg);)*
            lanes(from_fn(|i| { $(let $arg = $arg[i];)* $body }))
        }
    )*};
}

impl Simd for Scalar {
    type F = [f64; 8];
    type U = [u64; 8];
    type M = [bool; 8];
    const ISA: Isa = Isa::Scalar;

    lanewise! {
        fn add(a: f64, b: f64) -> f64 = a + b;
        fn sub(a: f64, b: f64) -> f64 = a - b;
        fn mul(a: f64, b: f64) -> f64 = a * b;
        fn div(a: f64, b: f64) -> f64 = a / b;
        fn fma(a: f64, b: f64, c: f64) -> f64 = a.mul_add(b, c);
        fn fnma(a: f64, b: f64, c: f64) -> f64 = (-a).mul_add(b, c);
        fn min(a: f64, b: f64) -> f64 = if a < b { a } else { b };
        fn max(a: f64, b: f64) -> f64 = if a > b { a } else { b };
        fn sqrt(x: f64) -> f64 = x.sqrt();
        fn floor(x: f64) -> f64 = x.floor();
        fn ceil(x: f64) -> f64 = x.ceil();
        fn trunc(x: f64) -> f64 = x.trunc();
        fn round_even(x: f64) -> f64 = x.round_ties_even();
        fn lt(a: f64, b: f64) -> bool = a < b;
        fn le(a: f64, b: f64) -> bool = a <= b;
        fn eq(a: f64, b: f64) -> bool = a == b;
        fn select(m: bool, yes: f64, no: f64) -> f64 = if m { yes } else { no };
        fn mask_and(a: bool, b: bool) -> bool = a & b;
        fn mask_or(a: bool, b: bool) -> bool = a | b;
        fn mask_xor(a: bool, b: bool) -> bool = a ^ b;
        fn mask_not(a: bool) -> bool = !a;
        fn add_u(a: u64, b: u64) -> u64 = a.wrapping_add(b);
        fn sub_u(a: u64, b: u64) -> u64 = a.wrapping_sub(b);
        fn and(a: u64, b: u64) -> u64 = a & b;
        fn or(a: u64, b: u64) -> u64 = a | b;
        fn xor(a: u64, b: u64) -> u64 = a ^ b;
        fn shl<const N>(a: u64) -> u64 = a << N;
        fn shr<const N>(a: u64) -> u64 = a >> N;
        fn rotl<const N>(a: u64) -> u64 = a.rotate_left(N as u32);
        fn shl_var(a: u64, count: u64) -> u64 = if count < 64 { a << count } else { 0 };
        fn shr_var(a: u64, count: u64) -> u64 = if count < 64 { a >> count } else { 0 };
        fn mul_lo32(a: u64, b: u64) -> u64 = u64::from(a as u32) * u64::from(b as u32);
        fn square_lo32(a: u64) -> u64 = (i64::from(a as i32) * i64::from(a as i32)) as u64;
        fn mul_hi16(a: u64, b: u64) -> u64
            = each16(a, b, |a, b| ((u32::from(a) * u32::from(b)) >> 16) as u16);
        fn mul_lo16(a: u64, b: u64) -> u64 = each16(a, b, u16::wrapping_mul);
        fn sub_down16(a: u64, b: u64) -> u64 = each16(a, b, u16::saturating_sub);
        fn lt_u(a: u64, b: u64) -> bool = a < b;
        fn eq_u(a: u64, b: u64) -> bool = a == b;
        fn select_u(m: bool, yes: u64, no: u64) -> u64 = if m { yes } else { no };
        fn swap_halves(a: u64) -> u64 = a.rotate_left(32);
        fn blend_halves(lo: u64, hi: u64) -> u64 = lo & 0xffff_ffff | hi & !0xffff_ffff;
        fn to_bits(x: f64) -> u64 = x.to_bits();
        fn from_bits(x: u64) -> f64 = f64::from_bits(x);
        fn u53_to_f64(x: u64) -> f64 = x as f64;
    }

    wordwise! {
        fn add32(a, b) = a.wrapping_add(b);
        fn sub32(a, b) = a.wrapping_sub(b);
        fn shl32<const N>(a) = a << N;
        fn shr32<const N>(a) = a >> N;
        fn lt32(a, b) = ones(a < b);
        fn eq32(a, b) = ones(a == b);
        fn select32(m, yes, no) = m & yes | !m & no;
    }

    #[inline(always)]
    fn count_above8(self, counts: Self::U, bytes: Self::U, limits: Self::U) -> Self::U {
        from_fn(|i| {
            let (counts, above) = (counts[i].to_le_bytes(), above8(bytes[i], limits[i]));
            u64::from_le_bytes(from_fn(|j| counts[j].wrapping_add(above[j].into())))
        })
    }
    #[inline(always)]
    fn above8_bits(self, bytes: Self::U, limits: Self::U) -> u64 {
        (0..8).fold(0, |bits, i| {
            let above = above8(bytes[i], limits[i]);
            (0..8).fold(bits, |bits, j| bits | u64::from(above[j]) << (8 * i + j))
        })
    }
    #[inline(always)]
    fn lookup8(self, table: &[u8; 16], index: Self::U) -> Self::U {
        index.map(|word| u64::from_le_bytes(word.to_le_bytes().map(|at| table[at as usize & 15])))
    }
    #[inline(always)]
    fn sum8(self, bytes: Self::U) -> Self::U {
        bytes.map(|word| word.to_le_bytes().into_iter().map(u64::from).sum())
    }
    #[inline(always)]
    fn splat(self, x: f64) -> Self::F {
        [x; 8]
    }
    #[inline(always)]
    fn load(self, x: &[f64; 8]) -> Self::F {
        *x
    }
    #[inline(always)]
    fn store(self, x: Self::F, out: &mut [f64; 8]) {
        *out = x;
    }
    #[inline(always)]
    fn mask_bits(self, a: Self::M) -> u8 {
        (0..8).fold(0, |bits, i| bits | u8::from(a[i]) << i)
    }
    #[inline(always)]
    fn mask_from_bits(self, bits: u8) -> Self::M {
        from_fn(|i| bits >> i & 1 == 1)
    }
    #[inline(always)]
    fn splat_u(self, x: u64) -> Self::U {
        [x; 8]
    }
    #[inline(always)]
    fn load_u(self, x: &[u64; 8]) -> Self::U {
        *x
    }
    #[inline(always)]
    fn store_u(self, x: Self::U, out: &mut [u64; 8]) {
        *out = x;
    }
    #[inline(always)]
    fn load_u32(self, x: &[u32; 8]) -> Self::U {
        x.map(u64::from)
    }
    #[inline(always)]
    fn load_u8(self, x: &[u8; 8]) -> Self::U {
        x.map(u64::from)
    }
    #[inline(always)]
    fn splat32(self, x: u32) -> Self::U {
        lanes([x; 16])
    }
    #[inline(always)]
    fn load32(self, x: &[u32; 16]) -> Self::U {
        lanes(*x)
    }
    #[inline(always)]
    fn store32(self, x: Self::U, out: &mut [u32; 16]) {
        *out = words(x);
    }
    #[inline(always)]
    fn gather(self, table: &[f64], index: Self::U) -> Self::F {
        index.map(|i| table[i.min(table.len() as u64 - 1) as usize])
    }
    #[inline(always)]
    fn gather_u(self, table: &[u64], index: Self::U) -> Self::U {
        index.map(|i| table[i.min(table.len() as u64 - 1) as usize])
    }
    #[inline(always)]
    fn gather32(self, table: &[f64], index: Self::U) -> Self::F {
        index.map(|i| table[(i as u32 as usize).min(table.len() - 1)])
    }
    #[inline(always)]
    fn lookup<const N: usize>(self, table: &[f64; N], index: Self::U) -> Self::F {
        const { assert!(N.is_power_of_two(), "a looked-up table has a power of two of entries") }
        index.map(|i| table[i as usize & (N - 1)])
    }
}
