//! Block forms of the draws that take one word each: the same values as single calls give.
//!
//! One loop serves them all: single draws until lane 0 has its turn, then eight at once, then
//! single draws for what is left. So a block may be cut anywhere and nothing changes.

use crate::lanes::{open_uniform52, uniform53};
use crate::stream::Stream;
use windfall_lanes::{LANES, Simd, Task, dispatch};

/// A draw made of one word, alone and eight at a time; both must agree to the last bit.
pub(crate) trait Draw: Copy {
    type Out;
    fn one(self, word: u64) -> Self::Out;
    fn eight<S: Simd>(self, simd: S, words: S::U, out: &mut [Self::Out; LANES]);
}

struct Fill<'a, D: Draw> {
    stream: &'a mut Stream,
    out: &'a mut [D::Out],
    draw: D,
}

impl<D: Draw> Task for Fill<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { stream, out, draw } = self;
        let ahead = (LANES - stream.lane) % LANES;
        let (head, rest) = out.split_at_mut(ahead.min(out.len()));
        head.fill_with(|| draw.one(stream.next_u64()));
        let (blocks, tail) = rest.as_chunks_mut::<LANES>();
        if !blocks.is_empty() {
            let mut lanes = stream.lanes(simd);
            for block in blocks {
                draw.eight(simd, lanes.next(simd), block);
            }
            stream.resume(simd, lanes);
        }
        tail.fill_with(|| draw.one(stream.next_u64()));
    }
}

#[derive(Clone, Copy)]
struct Word;

impl Draw for Word {
    type Out = u64;
    #[inline(always)]
    fn one(self, word: u64) -> u64 {
        word
    }
    #[inline(always)]
    fn eight<S: Simd>(self, simd: S, words: S::U, out: &mut [u64; LANES]) {
        simd.store_u(words, out);
    }
}

#[derive(Clone, Copy)]
struct Uniform;

impl Draw for Uniform {
    type Out = f64;
    #[inline(always)]
    fn one(self, word: u64) -> f64 {
        unit(word)
    }
    #[inline(always)]
    fn eight<S: Simd>(self, simd: S, words: S::U, out: &mut [f64; LANES]) {
        simd.store(uniform53(simd, words), out);
    }
}

#[derive(Clone, Copy)]
struct OpenUniform;

impl Draw for OpenUniform {
    type Out = f64;
    #[inline(always)]
    fn one(self, word: u64) -> f64 {
        open_unit(word)
    }
    #[inline(always)]
    fn eight<S: Simd>(self, simd: S, words: S::U, out: &mut [f64; LANES]) {
        simd.store(open_uniform52(simd, words), out);
    }
}

/// The top 53 bits of a word as a number in [0, 1).
#[inline(always)]
pub(crate) fn unit(word: u64) -> f64 {
    (word >> 11) as f64 * (f64::EPSILON / 2.0)
}

/// The top 52 bits of a word as a number in (0, 1): an odd multiple of 2^-53.
#[inline(always)]
pub(crate) fn open_unit(word: u64) -> f64 {
    ((word >> 12) as f64 + 0.5) * f64::EPSILON
}

impl Stream {
    pub(crate) fn fill<D: Draw>(&mut self, draw: D, out: &mut [D::Out]) {
        dispatch(Fill { stream: self, out, draw });
    }

    /// Fills `out` with the next words; the same as [`Stream::next_u64`] for each.
    pub fn fill_u64(&mut self, out: &mut [u64]) {
        self.fill(Word, out);
    }

    /// Fills `out` with uniform numbers; the same as [`Stream::uniform`] for each.
    pub fn fill_uniform(&mut self, out: &mut [f64]) {
        self.fill(Uniform, out);
    }

    /// Fills `out` with uniform numbers in (0, 1); the same as [`Stream::open_uniform`] for each.
    pub fn fill_open_uniform(&mut self, out: &mut [f64]) {
        self.fill(OpenUniform, out);
    }
}
