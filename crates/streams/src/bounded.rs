//! Whole numbers below a bound, without bias.
//!
//! Bits are read as a fraction and multiplied by the bound; the few that would favour some
//! numbers are dropped. Source: D. Lemire, "Fast random integer generation in an interval",
//! ACM Transactions on Modeling and Computer Simulation 29(1), 2019.

use crate::stream::Stream;
use windfall_lanes::{Simd, Task, dispatch};

impl Stream {
    /// Returns a whole number from 0 to `bound - 1`, each as likely; a bound of 0 stands for 2^64.
    ///
    /// Uses one word, and another with probability below `bound / 2^64`.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        let word = self.next_u64();
        if bound == 0 {
            return word;
        }
        let mut product = u128::from(word) * u128::from(bound);
        if (product as u64) < bound {
            let surplus = bound.wrapping_neg() % bound;
            while (product as u64) < surplus {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// Fills `out` with whole numbers from 0 to `bound - 1`, each as likely; a bound of 0 stands
    /// for 2^32.
    ///
    /// Skips to a word of lane 0, then reads words by eights, each as two halves of 32 bits, the
    /// low half first. A half gives one number or, with probability below `bound / 2^32`, none.
    /// What is left of the last eight words is dropped, so a shorter `out` gets the beginning of
    /// what a longer one gets. Not the numbers of [`Stream::below`], which takes a word for each.
    ///
    /// # Cost
    /// 0.18 ns a number with AVX-512, 0.31 ns with AVX2; up to 5 ns where `bound` exceeds 2^28 and
    /// every eight words hold some half to drop.
    pub fn fill_below(&mut self, bound: u32, out: &mut [u32]) {
        dispatch(FillBelow { stream: self, bound, out });
    }
}

struct FillBelow<'a> {
    stream: &'a mut Stream,
    bound: u32,
    out: &'a mut [u32],
}

impl Task for FillBelow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut lanes = self.stream.lanes(simd);
        let below = Below::new(simd, self.bound);
        let mut rest = self.out;
        let mut numbers = [0; 16];
        while !rest.is_empty() {
            let (found, dropped) = below.sixteen(simd, lanes.next(simd));
            if let (Some((block, _)), 0) = (rest.split_first_chunk_mut(), dropped) {
                simd.store32(found, block);
                rest = &mut rest[16..];
                continue;
            }
            simd.store32(found, &mut numbers);
            let kept = (0..16).filter(|i| dropped >> i & 1 == 0);
            let written = rest.iter_mut().zip(kept).map(|(slot, i)| *slot = numbers[i]).count();
            rest = &mut rest[written..];
        }
        self.stream.resume(simd, lanes);
    }
}

/// A bound made ready for the lanes: the parts of [`Stream::fill_below`], for fused kernels.
///
/// ```
/// use windfall_lanes::{Simd, Task, dispatch};
/// use windfall_streams::{Below, Seed, Stream, Streams};
///
/// struct Dice<'a>(&'a mut Stream);
/// impl Task for Dice<'_> {
///     type Output = [u32; 16];
///     #[inline(always)]
///     fn run<S: Simd>(self, simd: S) -> [u32; 16] {
///         let mut lanes = self.0.lanes(simd);
///         let (eyes, dropped) = Below::new(simd, 6).sixteen(simd, lanes.next(simd));
///         assert_eq!(dropped, 0);
///         let mut out = [0; 16];
///         simd.store32(eyes, &mut out);
///         out
///     }
/// }
///
/// let stream = Streams::new(Seed::from(1_u64), "dice").task(0);
/// let mut filled = [0; 16];
/// stream.clone().fill_below(6, &mut filled);
/// assert_eq!(dispatch(Dice(&mut stream.clone())), filled);
/// ```
#[derive(Clone, Copy)]
pub struct Below<S: Simd> {
    bound: S::U,
    surplus: S::U,
    whole: bool,
}

impl<S: Simd> Below<S> {
    /// Makes `bound` ready; 0 stands for 2^32.
    #[inline(always)]
    pub fn new(simd: S, bound: u32) -> Self {
        // How many of the 2^32 halves are too many for an equal share.
        let surplus = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
        Self {
            bound: simd.splat_u(bound.into()),
            surplus: simd.splat32(surplus),
            whole: bound == 0,
        }
    }

    /// Returns sixteen numbers of 32 bits from eight words, and which of them to drop: bit `i`
    /// for number `i`, whose half is `i % 2` of word `i / 2`.
    #[inline(always)]
    pub fn sixteen(&self, simd: S, words: S::U) -> (S::U, u32) {
        if self.whole {
            return (words, 0);
        }
        let low = simd.mul_lo32(words, self.bound);
        let high = simd.mul_lo32(simd.swap_halves(words), self.bound);
        let numbers = simd.blend_halves(simd.swap_halves(low), high);
        let fractions = simd.blend_halves(low, simd.swap_halves(high));
        let dropped = simd.lt32(fractions, self.surplus);
        (numbers, bits32(simd, dropped))
    }
}

/// Bit `i` is word `i` of the answer of a 32-bit comparison.
#[inline(always)]
fn bits32<S: Simd>(simd: S, answer: S::U) -> u32 {
    if simd.mask_all(simd.eq_u(answer, simd.splat_u(0))) {
        return 0;
    }
    let mut words = [0; 16];
    simd.store32(answer, &mut words);
    words.iter().rev().fold(0, |bits, word| bits << 1 | word & 1)
}
