//! Run eight lanes in two AVX2 registers of four.

#![expect(unsafe_code, reason = "AVX2 intrinsics, called behind a token of detection")]

use crate::{Isa, Simd, Task};
use std::arch::x86_64::*;

/// The token for AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The token, if this machine has the instructions.
    pub fn find() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        found.then_some(Self(()))
    }
    /// Eight numbers side by side, each put in its place in a register.
    #[inline(always)]
    fn eight(self, [a, b, c, d, e, f, g, h]: [f64; 8]) -> F {
        // SAFETY: the token exists only where the features were found.
        unsafe { (_mm256_set_pd(d, c, b, a), _mm256_set_pd(h, g, f, e)) }
    }
    /// The token, unchecked.
    ///
    /// # Safety
    /// [`Avx2::find`] returns a token on this machine.
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
#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
fn enter<T: Task>(simd: Avx2, task: T) -> T::Output {
    task.run(simd)
}

/// Lanes 0 to 3 and 4 to 7.
type F = (__m256d, __m256d);
/// Lanes 0 to 3 and 4 to 7.
type U = (__m256i, __m256i);

/// The bits of the first `len` lanes, or of all.
#[inline(always)]
fn first(len: usize) -> u8 {
    ((1_u32 << len.min(8)) - 1) as u8
}

/// Flips the sign bit, so that a signed comparison orders unsigned numbers.
#[inline]
#[target_feature(enable = "avx2")]
fn flip(x: __m256i) -> __m256i {
    _mm256_xor_si256(x, _mm256_set1_epi64x(i64::MIN))
}

/// `a < b`, unsigned, all ones for true.
#[inline]
#[target_feature(enable = "avx2")]
fn below(a: __m256i, b: __m256i) -> __m256i {
    _mm256_cmpgt_epi64(flip(b), flip(a))
}

/// `yes` where `m` is all ones.
#[inline]
#[target_feature(enable = "avx2")]
fn choose(m: __m256i, yes: __m256i, no: __m256i) -> __m256i {
    _mm256_blendv_epi8(no, yes, m)
}

/// Exact conversion of numbers below 2^53: the halves are planted in the mantissas of 2^84 and
/// 2^52, and the differences from these are exact.
#[inline]
#[target_feature(enable = "avx2")]
fn convert53(x: __m256i) -> __m256d {
    let two84 = _mm256_set1_epi64x(0x4530_0000_0000_0000);
    let two52 = _mm256_set1_epi64x(0x4330_0000_0000_0000);
    let high = _mm256_or_si256(_mm256_srli_epi64::<32>(x), two84);
    let low = _mm256_blend_epi32::<0b1010_1010>(x, two52);
    let both = _mm256_set1_pd(19_342_813_118_337_666_422_669_312.0); // 2^84 + 2^52
    _mm256_add_pd(_mm256_sub_pd(_mm256_castsi256_pd(high), both), _mm256_castsi256_pd(low))
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

/// The same call on both registers of each argument.
macro_rules! both {
    ($call:path; $($arg:ident),*) => { ($call($($arg.0),*), $call($($arg.1),*)) };
    ($call:path; $($arg:ident),*; $($rest:expr),*) => {
        ($call($($arg.0),*, $($rest),*), $call($($arg.1),*, $($rest),*))
    };
}

/// A comparison of floats with an integer mask as its answer.
macro_rules! compare {
    ($how:expr; $a:ident, $b:ident) => {
        (
            _mm256_castpd_si256(_mm256_cmp_pd::<{ $how }>($a.0, $b.0)),
            _mm256_castpd_si256(_mm256_cmp_pd::<{ $how }>($a.1, $b.1)),
        )
    };
}

impl Simd for Avx2 {
    type F = F;
    type U = U;
    type M = U;
    const ISA: Isa = Isa::Avx2;

    methods! {
        fn splat(x: f64) -> F = (_mm256_set1_pd(x), _mm256_set1_pd(x));
        fn load(x: &[f64; 8]) -> F
            = (_mm256_loadu_pd(x.as_ptr()), _mm256_loadu_pd(x.as_ptr().add(4)));
        fn store(x: F, out: &mut [f64; 8]) -> () = {
            _mm256_storeu_pd(out.as_mut_ptr(), x.0);
            _mm256_storeu_pd(out.as_mut_ptr().add(4), x.1);
        };
        fn add(a: F, b: F) -> F = both!(_mm256_add_pd; a, b);
        fn sub(a: F, b: F) -> F = both!(_mm256_sub_pd; a, b);
        fn mul(a: F, b: F) -> F = both!(_mm256_mul_pd; a, b);
        fn div(a: F, b: F) -> F = both!(_mm256_div_pd; a, b);
        fn fma(a: F, b: F, c: F) -> F = both!(_mm256_fmadd_pd; a, b, c);
        fn fnma(a: F, b: F, c: F) -> F = both!(_mm256_fnmadd_pd; a, b, c);
        fn min(a: F, b: F) -> F = both!(_mm256_min_pd; a, b);
        fn max(a: F, b: F) -> F = both!(_mm256_max_pd; a, b);
        fn sqrt(x: F) -> F = both!(_mm256_sqrt_pd; x);
        fn sum_lanes(x: F) -> f64 = {
            let four = _mm256_add_pd(x.0, x.1);
            let two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd::<1>(four));
            _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
        };
        fn floor(x: F) -> F = both!(_mm256_round_pd::<0x09>; x);
        fn ceil(x: F) -> F = both!(_mm256_round_pd::<0x0a>; x);
        fn trunc(x: F) -> F = both!(_mm256_round_pd::<0x0b>; x);
        fn round_even(x: F) -> F = both!(_mm256_round_pd::<0x08>; x);

        fn lt(a: F, b: F) -> U = compare!(_CMP_LT_OQ; a, b);
        fn le(a: F, b: F) -> U = compare!(_CMP_LE_OQ; a, b);
        fn eq(a: F, b: F) -> U = compare!(_CMP_EQ_OQ; a, b);
        fn select(m: U, yes: F, no: F) -> F = (
            _mm256_blendv_pd(no.0, yes.0, _mm256_castsi256_pd(m.0)),
            _mm256_blendv_pd(no.1, yes.1, _mm256_castsi256_pd(m.1)),
        );
        fn mask_and(a: U, b: U) -> U = both!(_mm256_and_si256; a, b);
        fn mask_or(a: U, b: U) -> U = both!(_mm256_or_si256; a, b);
        fn mask_xor(a: U, b: U) -> U = both!(_mm256_xor_si256; a, b);
        fn mask_not(a: U) -> U = both!(_mm256_xor_si256; a; _mm256_set1_epi64x(-1));
        fn mask_bits(a: U) -> u8 = {
            let low = _mm256_movemask_pd(_mm256_castsi256_pd(a.0));
            let high = _mm256_movemask_pd(_mm256_castsi256_pd(a.1));
            (low | high << 4) as u8
        };
        fn mask_from_bits(bits: u8) -> U = {
            let (low, high) = (_mm256_setr_epi64x(1, 2, 4, 8), _mm256_setr_epi64x(16, 32, 64, 128));
            let bits = _mm256_set1_epi64x(bits.into());
            (
                _mm256_cmpeq_epi64(_mm256_and_si256(bits, low), low),
                _mm256_cmpeq_epi64(_mm256_and_si256(bits, high), high),
            )
        };

        fn splat_u(x: u64) -> U = (_mm256_set1_epi64x(x as i64), _mm256_set1_epi64x(x as i64));
        fn load_u(x: &[u64; 8]) -> U = (
            _mm256_loadu_si256(x.as_ptr().cast()),
            _mm256_loadu_si256(x.as_ptr().add(4).cast()),
        );
        fn store_u(x: U, out: &mut [u64; 8]) -> () = {
            _mm256_storeu_si256(out.as_mut_ptr().cast(), x.0);
            _mm256_storeu_si256(out.as_mut_ptr().add(4).cast(), x.1);
        };
        fn load_u32(x: &[u32; 8]) -> U = (
            _mm256_cvtepu32_epi64(_mm_loadu_si128(x.as_ptr().cast())),
            _mm256_cvtepu32_epi64(_mm_loadu_si128(x.as_ptr().add(4).cast())),
        );
        fn load_u8(x: &[u8; 8]) -> U = (
            _mm256_cvtepu8_epi64(_mm_loadu_si32(x.as_ptr().cast())),
            _mm256_cvtepu8_epi64(_mm_loadu_si32(x.as_ptr().add(4).cast())),
        );
        fn add_u(a: U, b: U) -> U = both!(_mm256_add_epi64; a, b);
        fn sub_u(a: U, b: U) -> U = both!(_mm256_sub_epi64; a, b);
        fn and(a: U, b: U) -> U = both!(_mm256_and_si256; a, b);
        fn or(a: U, b: U) -> U = both!(_mm256_or_si256; a, b);
        fn xor(a: U, b: U) -> U = both!(_mm256_xor_si256; a, b);
        fn shl<const N>(a: U) -> U = both!(_mm256_slli_epi64::<N>; a);
        fn shr<const N>(a: U) -> U = both!(_mm256_srli_epi64::<N>; a);
        fn rotl<const N>(a: U) -> U = {
            let back = _mm256_set1_epi64x(64 - i64::from(N));
            (
                _mm256_or_si256(_mm256_slli_epi64::<N>(a.0), _mm256_srlv_epi64(a.0, back)),
                _mm256_or_si256(_mm256_slli_epi64::<N>(a.1), _mm256_srlv_epi64(a.1, back)),
            )
        };
        fn shl_var(a: U, count: U) -> U = both!(_mm256_sllv_epi64; a, count);
        fn shr_var(a: U, count: U) -> U = both!(_mm256_srlv_epi64; a, count);
        fn mul_lo32(a: U, b: U) -> U = both!(_mm256_mul_epu32; a, b);
        fn count_above8(counts: U, bytes: U, limits: U) -> U = (
            _mm256_sub_epi8(counts.0, _mm256_cmpgt_epi8(bytes.0, limits.0)),
            _mm256_sub_epi8(counts.1, _mm256_cmpgt_epi8(bytes.1, limits.1)),
        );
        fn above8_bits(bytes: U, limits: U) -> u64 = {
            let low = _mm256_movemask_epi8(_mm256_cmpgt_epi8(bytes.0, limits.0)) as u32;
            let high = _mm256_movemask_epi8(_mm256_cmpgt_epi8(bytes.1, limits.1)) as u32;
            u64::from(low) | u64::from(high) << 32
        };
        fn lookup8(table: &[u8; 16], index: U) -> U = {
            let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
            (_mm256_shuffle_epi8(table, index.0), _mm256_shuffle_epi8(table, index.1))
        };
        fn sum8(bytes: U) -> U = {
            let zero = _mm256_setzero_si256();
            (_mm256_sad_epu8(bytes.0, zero), _mm256_sad_epu8(bytes.1, zero))
        };
        fn mul_hi16(a: U, b: U) -> U = both!(_mm256_mulhi_epu16; a, b);
        fn mul_lo16(a: U, b: U) -> U = both!(_mm256_mullo_epi16; a, b);
        fn sub_down16(a: U, b: U) -> U = both!(_mm256_subs_epu16; a, b);
        fn square_lo32(a: U) -> U = both!(_mm256_mul_epi32; a, a);
        fn lt_u(a: U, b: U) -> U = both!(below; a, b);
        fn eq_u(a: U, b: U) -> U = both!(_mm256_cmpeq_epi64; a, b);
        fn select_u(m: U, yes: U, no: U) -> U = both!(choose; m, yes, no);
        fn swap_halves(a: U) -> U = both!(_mm256_shuffle_epi32::<0b10_11_00_01>; a);
        fn blend_halves(lo: U, hi: U) -> U = both!(_mm256_blend_epi32::<0b1010_1010>; lo, hi);

        fn splat32(x: u32) -> U = (_mm256_set1_epi32(x as i32), _mm256_set1_epi32(x as i32));
        fn load32(x: &[u32; 16]) -> U = (
            _mm256_loadu_si256(x.as_ptr().cast()),
            _mm256_loadu_si256(x.as_ptr().add(8).cast()),
        );
        fn store32(x: U, out: &mut [u32; 16]) -> () = {
            _mm256_storeu_si256(out.as_mut_ptr().cast(), x.0);
            _mm256_storeu_si256(out.as_mut_ptr().add(8).cast(), x.1);
        };
        fn add32(a: U, b: U) -> U = both!(_mm256_add_epi32; a, b);
        fn sub32(a: U, b: U) -> U = both!(_mm256_sub_epi32; a, b);
        fn shl32<const N>(a: U) -> U = both!(_mm256_slli_epi32::<N>; a);
        fn shr32<const N>(a: U) -> U = both!(_mm256_srli_epi32::<N>; a);
        fn lt32(a: U, b: U) -> U = {
            let flip = _mm256_set1_epi32(i32::MIN);
            (
                _mm256_cmpgt_epi32(_mm256_xor_si256(b.0, flip), _mm256_xor_si256(a.0, flip)),
                _mm256_cmpgt_epi32(_mm256_xor_si256(b.1, flip), _mm256_xor_si256(a.1, flip)),
            )
        };
        fn eq32(a: U, b: U) -> U = both!(_mm256_cmpeq_epi32; a, b);
        fn select32(m: U, yes: U, no: U) -> U = both!(choose; m, yes, no);

        fn to_bits(x: F) -> U = both!(_mm256_castpd_si256; x);
        fn from_bits(x: U) -> F = both!(_mm256_castsi256_pd; x);
        fn u53_to_f64(x: U) -> F = both!(convert53; x);
    }

    #[inline(always)]
    fn expect(self, x: &[f64], at: usize) {
        // SAFETY: every x86-64 has the instruction, which reads nothing that a program sees and may
        // point anywhere.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(x.as_ptr().wrapping_add(at).cast()) }
    }
    #[inline(always)]
    fn load_head(self, x: &[f64], fill: f64) -> F {
        let mask = self.mask_from_bits(first(x.len()));
        let start = x.as_ptr();
        // SAFETY: the token exists only where the features were found; lanes that the mask leaves
        // out are not read, and `wrapping_add` may point past the end.
        let loaded = unsafe {
            (_mm256_maskload_pd(start, mask.0), _mm256_maskload_pd(start.wrapping_add(4), mask.1))
        };
        self.select(mask, loaded, self.splat(fill))
    }
    #[inline(always)]
    fn store_head(self, x: F, out: &mut [f64]) {
        let mask = self.mask_from_bits(first(out.len()));
        let start = out.as_mut_ptr();
        // SAFETY: as in `load_head`, of writing.
        unsafe {
            _mm256_maskstore_pd(start, mask.0, x.0);
            _mm256_maskstore_pd(start.wrapping_add(4), mask.1, x.1);
        }
    }
    // Eight loads: the gather of AVX2 was slower where it was measured, on Zen 2.
    #[inline(always)]
    fn gather(self, table: &[f64], index: U) -> F {
        assert!(!table.is_empty(), "a gathered table has an entry");
        let at = self.to_array_u(index);
        self.eight(at.map(|i| table[(i as usize).min(table.len() - 1)]))
    }
    #[inline(always)]
    fn gather_pair(self, table: &[[f64; 2]], index: U) -> (F, F) {
        assert!(!table.is_empty(), "a gathered table has an entry");
        let last = table.len() as u64 - 1;
        let at = self.to_array_u(index).map(|i| i.min(last) as usize);
        // SAFETY: the token exists only where the features were found; `min` keeps the index in
        // the table, whose entries are two numbers each.
        unsafe {
            let pairs = at.map(|i| table.as_ptr().add(i).cast::<f64>());
            let [a, b, c, d, e, f, g, h] = pairs;
            let even = _mm256_set_m128d(_mm_loadu_pd(c), _mm_loadu_pd(a));
            let odd = _mm256_set_m128d(_mm_loadu_pd(d), _mm_loadu_pd(b));
            let later_even = _mm256_set_m128d(_mm_loadu_pd(g), _mm_loadu_pd(e));
            let later_odd = _mm256_set_m128d(_mm_loadu_pd(h), _mm_loadu_pd(f));
            (
                (_mm256_unpacklo_pd(even, odd), _mm256_unpacklo_pd(later_even, later_odd)),
                (_mm256_unpackhi_pd(even, odd), _mm256_unpackhi_pd(later_even, later_odd)),
            )
        }
    }
    #[inline(always)]
    fn gather_u(self, table: &[u64], index: U) -> U {
        assert!(!table.is_empty(), "a gathered table has an entry");
        let at = self.to_array_u(index);
        self.load_u(&at.map(|i| table[(i as usize).min(table.len() - 1)]))
    }
    #[inline(always)]
    fn gather32(self, table: &[f64], index: U) -> F {
        assert!(!table.is_empty(), "a gathered table has an entry");
        let at = self.to_array_u(index);
        self.eight(at.map(|i| table[(i as u32 as usize).min(table.len() - 1)]))
    }
    #[inline(always)]
    fn lookup<const N: usize>(self, table: &[f64; N], index: U) -> F {
        const { assert!(N.is_power_of_two(), "a looked-up table has a power of two of entries") }
        let at = self.to_array_u(index);
        self.eight(at.map(|i| table[i as usize & (N - 1)]))
    }
}
