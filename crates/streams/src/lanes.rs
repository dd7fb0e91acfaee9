//! The generator in registers, for kernels that draw and compute in one loop.
//!
//! A kernel takes the lanes of a stream, calls [`Lanes::next`] as often as it likes and hands
//! them back with [`Stream::resume`]. Block forms are made of the same parts, so a fused kernel
//! sees exactly the numbers that it would have found in a filled slice.

use crate::stream::Stream;
use windfall_lanes::{LANES, Simd};

/// The state of eight lanes, held by the instruction set `S`.
///
/// ```
/// use windfall_lanes::{Simd, Task, dispatch};
/// use windfall_streams::{Seed, Stream, Streams, uniform53};
///
/// /// Adds up `8 * steps` uniform numbers, lane by lane.
/// struct Sum<'a>(&'a mut Stream, usize);
/// impl Task for Sum<'_> {
///     type Output = [f64; 8];
///     #[inline(always)]
///     fn run<S: Simd>(self, simd: S) -> [f64; 8] {
///         let mut lanes = self.0.lanes(simd);
///         let mut sum = simd.splat(0.0);
///         for _ in 0..self.1 {
///             sum = simd.add(sum, uniform53(simd, lanes.next(simd)));
///         }
///         self.0.resume(simd, lanes);
///         simd.to_array(sum)
///     }
/// }
///
/// let mut stream = Streams::new(Seed::from(1_u64), "sum").task(0);
/// let mut same = stream.clone();
/// let sums = dispatch(Sum(&mut stream, 1));
/// assert_eq!(sums.map(|_| same.uniform()), sums);
/// assert_eq!(stream, same);
/// ```
#[derive(Clone, Copy)]
pub struct Lanes<S: Simd> {
    state: [S::U; 4],
}

impl<S: Simd> Lanes<S> {
    /// Starts from a state. A lane whose state is zero would stay there for ever, so it gets the
    /// state 1, 0, 0, 0 (one chance in 2^253 a stream).
    #[inline(always)]
    pub(crate) fn from_state(simd: S, mut state: [S::U; 4]) -> Self {
        let [s0, s1, s2, s3] = state;
        let zero = simd.eq_u(simd.or(simd.or(s0, s1), simd.or(s2, s3)), simd.splat_u(0));
        state[0] = simd.select_u(zero, simd.splat_u(1), s0);
        Self { state }
    }

    /// Returns the next eight words: the word of lane 0 comes first in the stream.
    #[inline(always)]
    pub fn next(&mut self, simd: S) -> S::U {
        let [s0, s1, s2, s3] = self.state;
        let output = simd.add_u(simd.rotl::<23>(simd.add_u(s0, s3)), s0);
        let (t2, t3) = (simd.xor(s2, s0), simd.xor(s3, s1));
        self.state = [
            simd.xor(s0, t3),
            simd.xor(s1, t2),
            simd.xor(t2, simd.shl::<17>(s1)),
            simd.rotl::<45>(t3),
        ];
        output
    }

    #[inline(always)]
    pub(crate) fn into_stream(self, simd: S) -> Stream {
        let mut state = [[0; LANES]; 4];
        for (word, out) in self.state.into_iter().zip(&mut state) {
            simd.store_u(word, out);
        }
        Stream { state, lane: 0 }
    }
}

impl Stream {
    /// Returns the stream's lanes in registers; skips to a word of lane 0 first, as
    /// [`Stream::align`] does. The stream itself stands still until [`Stream::resume`].
    #[inline(always)]
    pub fn lanes<S: Simd>(&mut self, simd: S) -> Lanes<S> {
        self.align();
        let [s0, s1, s2, s3] = &self.state;
        Lanes { state: [simd.load_u(s0), simd.load_u(s1), simd.load_u(s2), simd.load_u(s3)] }
    }

    /// Goes on from where `lanes` are.
    #[inline(always)]
    pub fn resume<S: Simd>(&mut self, simd: S, lanes: Lanes<S>) {
        *self = lanes.into_stream(simd);
    }
}

/// Returns uniform numbers in [0, 1): the top 52 bits of each word, times 2^-52.
///
/// Two operations on every instruction set; for kernels where the 53rd bit is not missed.
#[inline(always)]
pub fn uniform52<S: Simd>(simd: S, words: S::U) -> S::F {
    simd.sub(one_to_two(simd, words), simd.splat(1.0))
}

/// Returns uniform numbers in [0, 1), bit for bit those of [`Stream::uniform`].
#[inline(always)]
pub fn uniform53<S: Simd>(simd: S, words: S::U) -> S::F {
    simd.mul(simd.u53_to_f64(simd.shr::<11>(words)), simd.splat(f64::EPSILON / 2.0))
}

/// Returns uniform numbers in (0, 1), bit for bit those of [`Stream::open_uniform`].
#[inline(always)]
pub fn open_uniform52<S: Simd>(simd: S, words: S::U) -> S::F {
    simd.sub(one_to_two(simd, words), simd.splat(1.0 - f64::EPSILON / 2.0))
}

/// The top 52 bits of each word as the fraction of a number in [1, 2).
#[inline(always)]
fn one_to_two<S: Simd>(simd: S, words: S::U) -> S::F {
    let one = simd.to_bits(simd.splat(1.0));
    simd.from_bits(simd.or(simd.shr::<12>(words), one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_lanes::{Task, dispatch};

    struct Zero;
    impl Task for Zero {
        type Output = Stream;
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Stream {
            Lanes::from_state(simd, [simd.splat_u(0); 4]).into_stream(simd)
        }
    }

    #[test]
    fn a_zero_lane_wakes() {
        let mut stream = dispatch(Zero);
        assert!((0..100).any(|_| stream.next_u64() != 0));
    }
}
