//! Run eight lanes in one AVX-512 register.

#![expect(unsafe_code, reason = "AVX-512 intrinsics, called behind a token of detection")]

use crate::{Isa, Simd, Task};
use std::arch::x86_64::*;

/// The token for AVX-512 F, DQ, VL and BW.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// The token, if this machine has the instructions.
    pub fn find() -> Option<Self> {
        let found = crate::Avx2::find().is_some()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw");
        found.then_some(Self(()))
    }
    /// The token, unchecked.
    ///
    /// # Safety
    /// [`Avx512::find`] returns a token on this machine.
    #[inline]
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }
    /// Runs `task` with this instruction set.
    #[inline]
    pub fn enter<T: Task>(self, task: T) -> T::Output {
        // SAFETY: the token exists only where the features were found.
        unsafe { enter(self, task) }
    }
}

/// The one function compiled with the features; what is inlined into it may use them.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
fn enter<T: Task>(simd: Avx512, task: T) -> T::Output {
    task.run(simd)
}

/// The mask of the first `len` lanes, or of all.
#[inline(always)]
fn first(len: usize) -> __mmask8 {
    ((1_u32 << len.min(8)) - 1) as __mmask8
}

/// `vpmuludq`, by name: with AVX-512 DQ the compiler turns the intrinsic into the three times
/// slower `vpmullq`.
#[inline]
#[target_feature(enable = "avx512f")]
fn multiply_low_halves(a: __m512i, b: __m512i) -> __m512i {
    let product;
    // SAFETY: the instruction reads two registers, writes one, and touches nothing else.
    unsafe {
        std::arch::asm!("vpmuludq {0}, {1}, {2}", out(zmm_reg) product, in(zmm_reg) a,
            in(zmm_reg) b, options(pure, nomem, nostack, preserves_flags));
    }
    product
}

/// `vpmuldq` of a register with itself, by name for the same reason.
#[inline]
#[target_feature(enable = "avx512f")]
fn square_low_halves(a: __m512i) -> __m512i {
    let square;
    // SAFETY: the instruction reads one register, writes one, and touches nothing else.
    unsafe {
        std::arch::asm!("vpmuldq {0}, {1}, {1}", out(zmm_reg) square, in(zmm_reg) a,
            options(pure, nomem, nostack, preserves_flags));
    }
    square
}

macro_rules! methods {
    ($(fn $name:ident $(<const $n:ident>)? ($($arg:ident: $ty:ty),*) -> $out:ty
        = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name $(<const $n: i32>)? (self, $($arg: $ty),*) -> $out {
            // SAFETY: the token exists only where the features were found; pointers come from
            // references to arrays as long as what is read or written.
            unsafe { $body }
        }
    )*};
}

impl Simd for Avx512 {
    type F = __m512d;
    type U = __m512i;
    type M = __mmask8;
    const ISA: Isa = Isa::Avx512;

    methods! {
        fn splat(x: f64) -> __m512d = _mm512_set1_pd(x);
        fn load(x: &[f64; 8]) -> __m512d = _mm512_loadu_pd(x.as_ptr());
        fn store(x: __m512d, out: &mut [f64; 8]) -> () = _mm512_storeu_pd(out.as_mut_ptr(), x);
        fn add(a: __m512d, b: __m512d) -> __m512d = _mm512_add_pd(a, b);
        fn sub(a: __m512d, b: __m512d) -> __m512d = _mm512_sub_pd(a, b);
        fn mul(a: __m512d, b: __m512d) -> __m512d = _mm512_mul_pd(a, b);
        fn div(a: __m512d, b: __m512d) -> __m512d = _mm512_div_pd(a, b);
        fn fma(a: __m512d, b: __m512d, c: __m512d) -> __m512d = _mm512_fmadd_pd(a, b, c);
        fn fnma(a: __m512d, b: __m512d, c: __m512d) -> __m512d = _mm512_fnmadd_pd(a, b, c);
        fn min(a: __m512d, b: __m512d) -> __m512d = _mm512_min_pd(a, b);
        fn max(a: __m512d, b: __m512d) -> __m512d = _mm512_max_pd(a, b);
        fn sqrt(x: __m512d) -> __m512d = _mm512_sqrt_pd(x);
        fn floor(x: __m512d) -> __m512d = _mm512_roundscale_pd::<0x09>(x);
        fn ceil(x: __m512d) -> __m512d = _mm512_roundscale_pd::<0x0a>(x);
        fn trunc(x: __m512d) -> __m512d = _mm512_roundscale_pd::<0x0b>(x);
        fn round_even(x: __m512d) -> __m512d = _mm512_roundscale_pd::<0x08>(x);

        fn lt(a: __m512d, b: __m512d) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b);
        fn le(a: __m512d, b: __m512d) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b);
        fn eq(a: __m512d, b: __m512d) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b);
        fn select(m: __mmask8, yes: __m512d, no: __m512d) -> __m512d
            = _mm512_mask_blend_pd(m, no, yes);
        fn mask_and(a: __mmask8, b: __mmask8) -> __mmask8 = _kand_mask8(a, b);
        fn mask_or(a: __mmask8, b: __mmask8) -> __mmask8 = _kor_mask8(a, b);
        fn mask_xor(a: __mmask8, b: __mmask8) -> __mmask8 = _kxor_mask8(a, b);
        fn mask_not(a: __mmask8) -> __mmask8 = _knot_mask8(a);
        fn mask_bits(a: __mmask8) -> u8 = _cvtmask8_u32(a) as u8;
        fn mask_from_bits(bits: u8) -> __mmask8 = _cvtu32_mask8(bits.into());

        fn splat_u(x: u64) -> __m512i = _mm512_set1_epi64(x as i64);
        fn load_u(x: &[u64; 8]) -> __m512i = _mm512_loadu_si512(x.as_ptr().cast());
        fn store_u(x: __m512i, out: &mut [u64; 8]) -> ()
            = _mm512_storeu_si512(out.as_mut_ptr().cast(), x);
        fn load_u32(x: &[u32; 8]) -> __m512i
            = _mm512_cvtepu32_epi64(_mm256_loadu_si256(x.as_ptr().cast()));
        fn load_u8(x: &[u8; 8]) -> __m512i
            = _mm512_cvtepu8_epi64(_mm_loadl_epi64(x.as_ptr().cast()));
        fn add_u(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi64(a, b);
        fn sub_u(a: __m512i, b: __m512i) -> __m512i = _mm512_sub_epi64(a, b);
        fn and(a: __m512i, b: __m512i) -> __m512i = _mm512_and_si512(a, b);
        fn or(a: __m512i, b: __m512i) -> __m512i = _mm512_or_si512(a, b);
        fn xor(a: __m512i, b: __m512i) -> __m512i = _mm512_xor_si512(a, b);
        fn shl<const N>(a: __m512i) -> __m512i = _mm512_sllv_epi64(a, _mm512_set1_epi64(N.into()));
        fn shr<const N>(a: __m512i) -> __m512i = _mm512_srlv_epi64(a, _mm512_set1_epi64(N.into()));
        fn rotl<const N>(a: __m512i) -> __m512i = _mm512_rolv_epi64(a, _mm512_set1_epi64(N.into()));
        fn shl_var(a: __m512i, count: __m512i) -> __m512i = _mm512_sllv_epi64(a, count);
        fn shr_var(a: __m512i, count: __m512i) -> __m512i = _mm512_srlv_epi64(a, count);
        fn mul_lo32(a: __m512i, b: __m512i) -> __m512i = multiply_low_halves(a, b);
        fn count_above8(counts: __m512i, bytes: __m512i, limits: __m512i) -> __m512i = {
            let above = _mm512_cmpgt_epi8_mask(bytes, limits);
            _mm512_mask_sub_epi8(counts, above, counts, _mm512_set1_epi8(-1))
        };
        fn above8_bits(bytes: __m512i, limits: __m512i) -> u64
            = _mm512_cmpgt_epi8_mask(bytes, limits);
        fn lookup8(table: &[u8; 16], index: __m512i) -> __m512i = _mm512_shuffle_epi8(
            _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast())),
            index,
        );
        fn sum8(bytes: __m512i) -> __m512i = _mm512_sad_epu8(bytes, _mm512_setzero_si512());
        fn mul_hi16(a: __m512i, b: __m512i) -> __m512i = _mm512_mulhi_epu16(a, b);
        fn mul_lo16(a: __m512i, b: __m512i) -> __m512i = _mm512_mullo_epi16(a, b);
        fn sub_down16(a: __m512i, b: __m512i) -> __m512i = _mm512_subs_epu16(a, b);
        fn square_lo32(a: __m512i) -> __m512i = square_low_halves(a);
        fn lt_u(a: __m512i, b: __m512i) -> __mmask8 = _mm512_cmplt_epu64_mask(a, b);
        fn eq_u(a: __m512i, b: __m512i) -> __mmask8 = _mm512_cmpeq_epi64_mask(a, b);
        fn select_u(m: __mmask8, yes: __m512i, no: __m512i) -> __m512i
            = _mm512_mask_blend_epi64(m, no, yes);
        fn swap_halves(a: __m512i) -> __m512i = _mm512_shuffle_epi32::<0b10_11_00_01>(a);
        fn blend_halves(lo: __m512i, hi: __m512i) -> __m512i
            = _mm512_mask_blend_epi32(0xaaaa, lo, hi);

        fn splat32(x: u32) -> __m512i = _mm512_set1_epi32(x as i32);
        fn load32(x: &[u32; 16]) -> __m512i = _mm512_loadu_si512(x.as_ptr().cast());
        fn store32(x: __m512i, out: &mut [u32; 16]) -> ()
            = _mm512_storeu_si512(out.as_mut_ptr().cast(), x);
        fn add32(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi32(a, b);
        fn sub32(a: __m512i, b: __m512i) -> __m512i = _mm512_sub_epi32(a, b);
        fn shl32<const N>(a: __m512i) -> __m512i = _mm512_sllv_epi32(a, _mm512_set1_epi32(N));
        fn shr32<const N>(a: __m512i) -> __m512i = _mm512_srlv_epi32(a, _mm512_set1_epi32(N));
        fn lt32(a: __m512i, b: __m512i) -> __m512i
            = _mm512_movm_epi32(_mm512_cmplt_epu32_mask(a, b));
        fn eq32(a: __m512i, b: __m512i) -> __m512i
            = _mm512_movm_epi32(_mm512_cmpeq_epi32_mask(a, b));
        fn select32(m: __m512i, yes: __m512i, no: __m512i) -> __m512i
            = _mm512_mask_blend_epi32(_mm512_movepi32_mask(m), no, yes);

        fn to_bits(x: __m512d) -> __m512i = _mm512_castpd_si512(x);
        fn from_bits(x: __m512i) -> __m512d = _mm512_castsi512_pd(x);
        fn u52_to_f64(x: __m512i) -> __m512d = _mm512_cvtepu64_pd(x);
        fn u53_to_f64(x: __m512i) -> __m512d = _mm512_cvtepu64_pd(x);
        fn scale(x: __m512d, n: __m512d) -> __m512d = _mm512_scalef_pd(x, n);
    }

    #[inline(always)]
    fn expect(self, x: &[f64], at: usize) {
        // SAFETY: every x86-64 has the instruction, which reads nothing that a program sees and may
        // point anywhere.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(x.as_ptr().wrapping_add(at).cast()) }
    }
    #[inline(always)]
    fn load_head(self, x: &[f64], fill: f64) -> __m512d {
        let mask = first(x.len());
        // SAFETY: the token exists only where the features were found; lanes that the mask leaves
        // out are not read.
        unsafe { _mm512_mask_loadu_pd(_mm512_set1_pd(fill), mask, x.as_ptr()) }
    }
    #[inline(always)]
    fn store_head(self, x: __m512d, out: &mut [f64]) {
        // SAFETY: as in `load_head`, of writing.
        unsafe { _mm512_mask_storeu_pd(out.as_mut_ptr(), first(out.len()), x) }
    }
    #[inline(always)]
    fn gather(self, table: &[f64], index: __m512i) -> __m512d {
        assert!(!table.is_empty(), "a gathered table has an entry");
        // SAFETY: the token exists only where the features were found; `min` keeps the index in
        // the table.
        unsafe {
            let index = _mm512_min_epu64(index, _mm512_set1_epi64(table.len() as i64 - 1));
            _mm512_i64gather_pd::<8>(index, table.as_ptr())
        }
    }
    #[inline(always)]
    fn gather_pair(self, table: &[[f64; 2]], index: __m512i) -> (__m512d, __m512d) {
        assert!(!table.is_empty(), "a gathered table has an entry");
        let start: *const f64 = table.as_ptr().cast();
        // SAFETY: the token exists only where the features were found; `min` keeps the index in
        // the table, whose entries are two numbers each.
        unsafe {
            let index = _mm512_min_epu64(index, _mm512_set1_epi64(table.len() as i64 - 1));
            let index = _mm512_slli_epi64::<1>(index);
            let second = _mm512_or_si512(index, _mm512_set1_epi64(1));
            (_mm512_i64gather_pd::<8>(index, start), _mm512_i64gather_pd::<8>(second, start))
        }
    }
    #[inline(always)]
    fn gather_u(self, table: &[u64], index: __m512i) -> __m512i {
        assert!(!table.is_empty(), "a gathered table has an entry");
        // SAFETY: as in `gather`.
        unsafe {
            let index = _mm512_min_epu64(index, _mm512_set1_epi64(table.len() as i64 - 1));
            _mm512_i64gather_epi64::<8>(index, table.as_ptr().cast())
        }
    }
    #[inline(always)]
    fn gather32(self, table: &[f64], index: __m512i) -> __m512d {
        self.gather(table, self.and(index, self.splat_u(0xffff_ffff)))
    }
    #[inline(always)]
    fn lookup<const N: usize>(self, table: &[f64; N], index: __m512i) -> __m512d {
        const { assert!(N.is_power_of_two(), "a looked-up table has a power of two of entries") }
        let start = table.as_ptr();
        // SAFETY: the token exists only where the features were found; 8 or 16 entries are read
        // of a table of 8 or 16, and otherwise the index is reduced modulo its length.
        unsafe {
            match N {
                8 => _mm512_permutexvar_pd(index, _mm512_loadu_pd(start)),
                16 => {
                    let (low, high) = (_mm512_loadu_pd(start), _mm512_loadu_pd(start.add(8)));
                    _mm512_permutex2var_pd(low, index, high)
                }
                _ => {
                    let index = _mm512_and_si512(index, _mm512_set1_epi64(N as i64 - 1));
                    _mm512_i64gather_pd::<8>(index, start)
                }
            }
        }
    }
}
