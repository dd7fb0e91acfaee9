//! Run eight lanes in four NEON registers of two.
//!
//! NEON is part of every 64-bit ARM target, so nothing is detected: its instructions are there.
//! Tables are read lane by lane: there is no gather instruction.

#![expect(unsafe_code, reason = "NEON instructions, loads and stores through pointers")]

use crate::{Isa, Scalar, Simd, Task};
use std::arch::aarch64::*;

/// The token for NEON.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

impl Neon {
    /// The token; always there on this architecture.
    pub fn find() -> Option<Self> {
        Some(Self(()))
    }
    /// The token, unchecked.
    ///
    /// # Safety
    /// None is needed: it is marked so to be like its sisters.
    #[inline]
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }
    /// Runs `task` with this instruction set.
    #[inline]
    pub fn enter<T: Task>(self, task: T) -> T::Output {
        task.run(self)
    }
}

/// Lanes 0 and 1, 2 and 3, 4 and 5, 6 and 7.
type F = [float64x2_t; 4];
/// Lanes 0 and 1, 2 and 3, 4 and 5, 6 and 7.
type U = [uint64x2_t; 4];

/// The same expression for each of the four registers.
macro_rules! four {
    ($i:ident => $body:expr) => {
        [
            {
                const $i: usize = 0;
                $body
            },
            {
                const $i: usize = 1;
                $body
            },
            {
                const $i: usize = 2;
                $body
            },
            {
                const $i: usize = 3;
                $body
            },
        ]
    };
}

macro_rules! lanewise {
    ($(fn $name:ident $(<const $n:ident>)? ($($arg:ident: $ty:ty),*) -> $out:ty
        = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name $(<const $n: i32>)? (self, $($arg: [$ty; 4]),*) -> [$out; 4] {
            // SAFETY: NEON is part of the architecture, and values are all that is touched.
            four!(I => unsafe { $(let $arg = $arg[I];)* $body })
        }
    )*};
}

macro_rules! wordwise {
    ($(fn $name:ident $(<const $n:ident>)? ($($arg:ident),*) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name $(<const $n: i32>)? (self, $($arg: U),*) -> U {
            // SAFETY: NEON is part of the architecture, and values are all that is touched.
            four!(I => unsafe {
                $(let $arg = vreinterpretq_u32_u64($arg[I]);)*
                vreinterpretq_u64_u32($body)
            })
        }
    )*};
}

impl Simd for Neon {
    type F = F;
    type U = U;
    type M = U;
    const ISA: Isa = Isa::Neon;

    lanewise! {
        fn add(a: float64x2_t, b: float64x2_t) -> float64x2_t = vaddq_f64(a, b);
        fn sub(a: float64x2_t, b: float64x2_t) -> float64x2_t = vsubq_f64(a, b);
        fn mul(a: float64x2_t, b: float64x2_t) -> float64x2_t = vmulq_f64(a, b);
        fn div(a: float64x2_t, b: float64x2_t) -> float64x2_t = vdivq_f64(a, b);
        fn fma(a: float64x2_t, b: float64x2_t, c: float64x2_t) -> float64x2_t = vfmaq_f64(c, a, b);
        fn fnma(a: float64x2_t, b: float64x2_t, c: float64x2_t) -> float64x2_t
            = vfmsq_f64(c, a, b);
        fn min(a: float64x2_t, b: float64x2_t) -> float64x2_t = vbslq_f64(vcltq_f64(a, b), a, b);
        fn max(a: float64x2_t, b: float64x2_t) -> float64x2_t = vbslq_f64(vcgtq_f64(a, b), a, b);
        fn sqrt(x: float64x2_t) -> float64x2_t = vsqrtq_f64(x);
        fn floor(x: float64x2_t) -> float64x2_t = vrndmq_f64(x);
        fn ceil(x: float64x2_t) -> float64x2_t = vrndpq_f64(x);
        fn trunc(x: float64x2_t) -> float64x2_t = vrndq_f64(x);
        fn round_even(x: float64x2_t) -> float64x2_t = vrndnq_f64(x);
        fn lt(a: float64x2_t, b: float64x2_t) -> uint64x2_t = vcltq_f64(a, b);
        fn le(a: float64x2_t, b: float64x2_t) -> uint64x2_t = vcleq_f64(a, b);
        fn eq(a: float64x2_t, b: float64x2_t) -> uint64x2_t = vceqq_f64(a, b);
        fn select(m: uint64x2_t, yes: float64x2_t, no: float64x2_t) -> float64x2_t
            = vbslq_f64(m, yes, no);
        fn mask_and(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = vandq_u64(a, b);
        fn mask_or(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = vorrq_u64(a, b);
        fn mask_xor(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = veorq_u64(a, b);
        fn mask_not(a: uint64x2_t) -> uint64x2_t = veorq_u64(a, vdupq_n_u64(!0));
        fn add_u(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = vaddq_u64(a, b);
        fn sub_u(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = vsubq_u64(a, b);
        fn and(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = vandq_u64(a, b);
        fn or(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = vorrq_u64(a, b);
        fn xor(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = veorq_u64(a, b);
        fn shl<const N>(a: uint64x2_t) -> uint64x2_t = vshlq_u64(a, vdupq_n_s64(N as i64));
        fn shr<const N>(a: uint64x2_t) -> uint64x2_t = vshlq_u64(a, vdupq_n_s64(-N as i64));
        fn rotl<const N>(a: uint64x2_t) -> uint64x2_t = vorrq_u64(
            vshlq_u64(a, vdupq_n_s64(N as i64)),
            vshlq_u64(a, vdupq_n_s64(N as i64 - 64)),
        );
        fn shl_var(a: uint64x2_t, count: uint64x2_t) -> uint64x2_t = vandq_u64(
            vshlq_u64(a, vreinterpretq_s64_u64(count)),
            vcltq_u64(count, vdupq_n_u64(64)),
        );
        fn shr_var(a: uint64x2_t, count: uint64x2_t) -> uint64x2_t = vandq_u64(
            vshlq_u64(a, vnegq_s64(vreinterpretq_s64_u64(count))),
            vcltq_u64(count, vdupq_n_u64(64)),
        );
        fn mul_lo32(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t
            = vmull_u32(vmovn_u64(a), vmovn_u64(b));
        fn count_above8(counts: uint64x2_t, bytes: uint64x2_t, limits: uint64x2_t) -> uint64x2_t
            = {
            let (bytes, limits) = (vreinterpretq_s8_u64(bytes), vreinterpretq_s8_u64(limits));
            vreinterpretq_u64_u8(vsubq_u8(vreinterpretq_u8_u64(counts), vcgtq_s8(bytes, limits)))
        };
        fn sum8(bytes: uint64x2_t) -> uint64x2_t
            = vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(vreinterpretq_u8_u64(bytes))));
        fn mul_hi16(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = {
            let (a, b) = (vreinterpretq_u16_u64(a), vreinterpretq_u16_u64(b));
            let low = vreinterpretq_u16_u32(vmull_u16(vget_low_u16(a), vget_low_u16(b)));
            let high = vreinterpretq_u16_u32(vmull_high_u16(a, b));
            vreinterpretq_u64_u16(vuzp2q_u16(low, high))
        };
        fn mul_lo16(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t
            = vreinterpretq_u64_u16(vmulq_u16(vreinterpretq_u16_u64(a), vreinterpretq_u16_u64(b)));
        fn sub_down16(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t
            = vreinterpretq_u64_u16(vqsubq_u16(vreinterpretq_u16_u64(a), vreinterpretq_u16_u64(b)));
        fn square_lo32(a: uint64x2_t) -> uint64x2_t = {
            let low = vmovn_s64(vreinterpretq_s64_u64(a));
            vreinterpretq_u64_s64(vmull_s32(low, low))
        };
        fn lt_u(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = vcltq_u64(a, b);
        fn eq_u(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t = vceqq_u64(a, b);
        fn select_u(m: uint64x2_t, yes: uint64x2_t, no: uint64x2_t) -> uint64x2_t
            = vbslq_u64(m, yes, no);
        fn select32(m: uint64x2_t, yes: uint64x2_t, no: uint64x2_t) -> uint64x2_t
            = vbslq_u64(m, yes, no);
        fn blend_halves(lo: uint64x2_t, hi: uint64x2_t) -> uint64x2_t
            = vbslq_u64(vdupq_n_u64(0xffff_ffff), lo, hi);
        fn to_bits(x: float64x2_t) -> uint64x2_t = vreinterpretq_u64_f64(x);
        fn from_bits(x: uint64x2_t) -> float64x2_t = vreinterpretq_f64_u64(x);
        fn u53_to_f64(x: uint64x2_t) -> float64x2_t = vcvtq_f64_u64(x);
    }

    wordwise! {
        fn swap_halves(a) = vrev64q_u32(a);
        fn add32(a, b) = vaddq_u32(a, b);
        fn sub32(a, b) = vsubq_u32(a, b);
        fn shl32<const N>(a) = vshlq_u32(a, vdupq_n_s32(N));
        fn shr32<const N>(a) = vshlq_u32(a, vdupq_n_s32(-N));
        fn lt32(a, b) = vcltq_u32(a, b);
        fn eq32(a, b) = vceqq_u32(a, b);
    }

    #[inline(always)]
    fn splat(self, x: f64) -> F {
        // SAFETY: NEON is part of the architecture.
        unsafe { [vdupq_n_f64(x); 4] }
    }
    #[inline(always)]
    fn load(self, x: &[f64; 8]) -> F {
        // SAFETY: two of eight numbers are read from each even place.
        four!(I => unsafe { vld1q_f64(x.as_ptr().add(2 * I)) })
    }
    #[inline(always)]
    fn store(self, x: F, out: &mut [f64; 8]) {
        // SAFETY: two of eight numbers are written to each even place.
        four!(I => unsafe { vst1q_f64(out.as_mut_ptr().add(2 * I), x[I]) });
    }
    #[inline(always)]
    fn mask_bits(self, a: U) -> u8 {
        let lanes = self.to_array_u(a);
        (0..8).fold(0, |bits, i| bits | ((lanes[i] & 1) as u8) << i)
    }
    #[inline(always)]
    fn mask_from_bits(self, bits: u8) -> U {
        self.load_u(&std::array::from_fn(|i| 0u64.wrapping_sub(u64::from(bits >> i & 1))))
    }
    #[inline(always)]
    fn splat_u(self, x: u64) -> U {
        // SAFETY: NEON is part of the architecture.
        unsafe { [vdupq_n_u64(x); 4] }
    }
    #[inline(always)]
    fn load_u(self, x: &[u64; 8]) -> U {
        // SAFETY: two of eight numbers are read from each even place.
        four!(I => unsafe { vld1q_u64(x.as_ptr().add(2 * I)) })
    }
    #[inline(always)]
    fn store_u(self, x: U, out: &mut [u64; 8]) {
        // SAFETY: two of eight numbers are written to each even place.
        four!(I => unsafe { vst1q_u64(out.as_mut_ptr().add(2 * I), x[I]) });
    }
    #[inline(always)]
    fn load_u32(self, x: &[u32; 8]) -> U {
        // SAFETY: two of eight numbers are read from each even place.
        four!(I => unsafe { vmovl_u32(vld1_u32(x.as_ptr().add(2 * I))) })
    }
    #[inline(always)]
    fn load_u8(self, x: &[u8; 8]) -> U {
        self.load_u(&x.map(u64::from))
    }
    #[inline(always)]
    fn splat32(self, x: u32) -> U {
        self.splat_u(u64::from(x) << 32 | u64::from(x))
    }
    #[inline(always)]
    fn load32(self, x: &[u32; 16]) -> U {
        // SAFETY: four of sixteen words are read from each fourth place.
        four!(I => unsafe { vreinterpretq_u64_u32(vld1q_u32(x.as_ptr().add(4 * I))) })
    }
    #[inline(always)]
    fn store32(self, x: U, out: &mut [u32; 16]) {
        // SAFETY: four of sixteen words are written to each fourth place.
        four!(I => unsafe {
            vst1q_u32(out.as_mut_ptr().add(4 * I), vreinterpretq_u32_u64(x[I]))
        });
    }
    #[inline(always)]
    fn lookup8(self, table: &[u8; 16], index: U) -> U {
        // SAFETY: NEON is part of the architecture; sixteen bytes are read from sixteen.
        four!(I => unsafe {
            let table = vld1q_u8(table.as_ptr());
            vreinterpretq_u64_u8(vqtbl1q_u8(table, vreinterpretq_u8_u64(index[I])))
        })
    }
    #[inline(always)]
    fn above8_bits(self, bytes: U, limits: U) -> u64 {
        Scalar(()).above8_bits(self.to_array_u(bytes), self.to_array_u(limits))
    }
    #[inline(always)]
    fn gather(self, table: &[f64], index: U) -> F {
        self.load(&Scalar(()).gather(table, self.to_array_u(index)))
    }
    #[inline(always)]
    fn gather_u(self, table: &[u64], index: U) -> U {
        self.load_u(&Scalar(()).gather_u(table, self.to_array_u(index)))
    }
    #[inline(always)]
    fn gather32(self, table: &[f64], index: U) -> F {
        self.load(&Scalar(()).gather32(table, self.to_array_u(index)))
    }
    #[inline(always)]
    fn lookup<const N: usize>(self, table: &[f64; N], index: U) -> F {
        self.load(&Scalar(()).lookup(table, self.to_array_u(index)))
    }
}
