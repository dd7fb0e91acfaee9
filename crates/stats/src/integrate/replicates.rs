//! Randomised copies of an even set of points: the error is the spread of the copies' means.
//!
//! Each copy, a replicate, is unbiased and independent of the others, so their spread is an honest
//! error whatever the points; its interval is Student's. What differs is how the points are made:
//! that is a [`Net`].

use super::block::{Block, TASK_POINTS_MAX};
use super::estimate::Estimate;
use super::joint::{Joint, spread};
use super::plan::Setting;
use super::rule::{Rule, Size};
use windfall_core::wire::{Reader, put_u64};
use windfall_core::{Error, Moments, Partial, Result, Rounds, Shards, Streams};

/// Points of a replicate at least: one vector.
const POINTS_MIN: u64 = 8;
/// Replicates at most.
const REPLICATES_MAX: u64 = 1 << 16;
/// Of a dear integrand: chunks that a replicate has at least, unless they have less points than
/// `CHUNK_MIN`.
const CHUNKS_MIN: u64 = 16;
/// Points of a chunk of a dear integrand at least.
const CHUNK_MIN: u64 = 32;

/// A sequence of even points, each first 2^k of them a set of its own, in randomised copies.
pub(crate) trait Net: Send + Sync {
    /// Fills the columns of all axes with the points from `first` on, a multiple of 8, of one copy.
    fn fill<'a>(
        &self,
        replicate: u64,
        first: u64,
        axes: impl Iterator<Item = ((f64, f64), &'a mut [[f64; 8]])>,
    );

    /// What the user should know, given the copies and the points of each.
    fn note(&self, replicates: u64, points: u64) -> String;
}

/// `replicates` copies of `2^bits` points each.
///
/// Task `t` runs chunk `t / replicates`, `2^chunk_bits` points, of replicate `t % replicates`; a
/// shard is one chunk of every replicate. So any number of whole shards holds the same points of
/// each replicate, and the first 2^k shards hold nets.
#[derive(Clone, Debug)]
pub(crate) struct Replicated<N> {
    pub net: N,
    pub copies: Copies,
}

/// How many points there are in how many copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copies {
    pub replicates: u64,
    pub bits: u32,
    pub chunk_bits: u32,
}

impl Copies {
    /// As many points as `n` allows, a power of two for each replicate, at most `2^bits_max`.
    ///
    /// # Errors
    /// Fewer than two replicates, less than eight points for each.
    pub fn new(setting: &Setting<'_>, bits_max: u32) -> Result<Self> {
        let (Size { n, .. }, replicates) = (setting.size, setting.options.replicates);
        if !(2..=REPLICATES_MAX).contains(&replicates) {
            let expected = format!("from 2 to {REPLICATES_MAX}, as the error is their spread");
            return Err(Error::invalid("replicates", replicates, &expected));
        }
        if n < replicates * POINTS_MIN {
            let what = format!("points (`n`) for {replicates} replicates");
            return Err(Error::too_few(&what, n, replicates * POINTS_MIN));
        }
        let bits = (n / replicates).ilog2().min(bits_max);
        let chunk_bits = chunk_points(setting.size, replicates).ilog2().min(bits);
        Ok(Self { replicates, bits, chunk_bits })
    }
}

/// Points of a replicate that a shard runs, before rounding down to a power of two.
fn chunk_points(size: Size, replicates: u64) -> u64 {
    if size.cheap {
        (size.shard_points() / replicates).max(POINTS_MIN)
    } else {
        (size.n / replicates / CHUNKS_MIN).clamp(CHUNK_MIN, TASK_POINTS_MAX as u64)
    }
}

impl<N: Net> Rule for Replicated<N> {
    type Partial = Replicates;

    fn shards(&self) -> Shards {
        let Copies { replicates, bits, chunk_bits } = self.copies;
        Shards::new(replicates << (bits - chunk_bits), replicates)
    }

    fn rounds(&self) -> Rounds {
        Rounds { first: 1, growth: 2.0 }
    }

    fn run_task(
        &self,
        task: u64,
        _: &Streams,
        block: &mut Block<'_>,
        partial: &mut Replicates,
    ) -> Result<()> {
        let Copies { replicates, chunk_bits, .. } = self.copies;
        let (chunk, replicate) = (task / replicates, task % replicates);
        let points = block.points_max().min(1 << chunk_bits);
        let outputs = block.outputs();
        partial.0.resize(replicates as usize * outputs, Moments::default());
        let own = &mut partial.0[replicate as usize * outputs..][..outputs];
        let start = chunk << chunk_bits;
        let end = start + (1 << chunk_bits);
        for first in (start..end).step_by(points) {
            let axes = block.axes().map(|(affine, column)| (affine, &mut column[..points / 8]));
            self.net.fill(replicate, first, axes);
            let values = block.evaluate(points, task)?.chunks_exact(points);
            for (moments, values) in own.iter_mut().zip(values) {
                for tile in values.chunks(super::block::TILE) {
                    *moments = moments.merge(spread(tile));
                }
            }
        }
        Ok(())
    }

    fn estimate(&self, partial: &Replicates, _complete: bool) -> Estimate {
        let replicates = self.copies.replicates;
        let outputs = (partial.0.len() as u64 / replicates) as usize;
        let mut joint = Joint::default();
        let mut points = 0;
        for replicate in partial.0.chunks(outputs.max(1)) {
            let means: Vec<f64> = replicate.iter().map(Moments::mean).collect();
            joint.push(&means);
            points += replicate[0].count();
        }
        Estimate { joint, points, freedom: Some(replicates - 1), ..Default::default() }
    }

    fn note(&self, points: u64) -> Option<String> {
        let replicates = self.copies.replicates;
        Some(self.net.note(replicates, points / replicates))
    }
}

/// What replicates yield: the moments of each value of each replicate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Replicates(pub Vec<Moments>);

impl Partial for Replicates {
    fn empty() -> Self {
        Self(Vec::new())
    }

    fn merge(self, later: Self) -> Self {
        let (mut merged, other) = (self.0, later.0);
        if merged.is_empty() {
            return Self(other);
        }
        for (mine, others) in merged.iter_mut().zip(other) {
            *mine = mine.merge(others);
        }
        Self(merged)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.0.len() as u64);
        self.0.iter().for_each(|replicate| replicate.encode(out));
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let count = Reader::new(bytes).u64()?;
        let replicates = bytes[8..].chunks(24).map(Moments::decode).collect::<Result<Vec<_>>>()?;
        if replicates.len() as u64 != count {
            return Err(Error::wire(format!("{count} replicates are {}", replicates.len())));
        }
        Ok(Self(replicates))
    }
}
