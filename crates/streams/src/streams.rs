//! Streams: from (seed, name, task) to bits, in constant time.
//!
//! A job opens one `Streams` by name; each task then reaches its own `Stream` in about 20 ns,
//! whatever ran before it and wherever. That is what makes an answer independent of workers.

use crate::lanes::Lanes;
use crate::philox::{philox4x32, sixteen_blocks};
use crate::seed::{Purpose, Seed};
use crate::stream::Stream;
use windfall_lanes::{Simd, Task, dispatch};

/// Blocks from here on hold the states of the tasks' streams; those below are the caller's.
const STATE_BLOCKS: u64 = 1 << 32;

/// All the streams of one seed and name, one for each task.
///
/// The contract: seed and name give a 64-bit key and a 64-bit nonce (`Seed` tells how). Block `b`
/// of task `t` is `philox4x32(key, counter)`, the counter being `t` in its low 64 bits and
/// `nonce ^ b` in its high 64 bits. Blocks 0 to 2^32 - 1 are for [`Streams::bits`]; the sixteen
/// from 2^32 on fill the state of [`Streams::task`].
///
/// ```
/// use windfall_streams::{Seed, Streams};
/// let streams = Streams::new(Seed::from(1_u64), "dice");
/// let roll = |task| 1 + streams.task(task).below(6);
/// assert_eq!([roll(3), roll(0), roll(3)], [5, 1, 5]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streams {
    seed: Seed,
    key: [u32; 2],
    nonce: u64,
}

impl Streams {
    /// Opens the streams called `name` under `seed`.
    pub fn new(seed: Seed, name: &str) -> Self {
        let [key0, key1, nonce0, nonce1] = seed.absorb(name, Purpose::Stream);
        let nonce = u64::from(nonce0) | u64::from(nonce1) << 32;
        Self { seed, key: [key0, key1], nonce }
    }

    /// Returns the seed that the streams were opened under.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Returns the stream of `task`, at its first word.
    pub fn task(&self, task: u64) -> Stream {
        dispatch(Reach { streams: self, task })
    }

    /// Returns the lanes of `task`, at its first word, for kernels inside a dispatched loop; the
    /// same as `task(task).lanes(simd)`, without a way through memory.
    #[inline(always)]
    pub fn lanes<S: Simd>(&self, simd: S, task: u64) -> Lanes<S> {
        let high = self.nonce ^ STATE_BLOCKS;
        Lanes::from_state(simd, sixteen_blocks(simd, self.key, task, high))
    }

    /// Returns the 128 bits of `block` of `task`, low words first: random access to bits.
    ///
    /// They share nothing with the words of [`Streams::task`].
    pub fn bits(&self, task: u64, block: u32) -> [u32; 4] {
        self.block(task, block.into())
    }

    fn block(&self, task: u64, block: u64) -> [u32; 4] {
        let high = self.nonce ^ block;
        philox4x32(self.key, [task as u32, (task >> 32) as u32, high as u32, (high >> 32) as u32])
    }
}

struct Reach<'a> {
    streams: &'a Streams,
    task: u64,
}

impl Task for Reach<'_> {
    type Output = Stream;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Stream {
        self.streams.lanes(simd, self.task).into_stream(simd)
    }
}
