//! What a rule is: it places points, block by block, and knows the error of what they give.

use super::block::Block;
use super::bounds::Space;
use super::integrand::Integrand;
use windfall_core::{Cancel, Kernel, Moments, Partial, Result, Rounds, Shard, Shards, Streams};

/// Work of a shard, in units of one coordinate drawn: about half a millisecond.
const SHARD_COST: u64 = 1 << 20;
/// What evaluating a point costs beside its coordinates, in the same unit.
const POINT_COST: u64 = 3;

/// A way to place the points of an integral.
pub(crate) trait Rule: Sync {
    /// What a task yields.
    type Partial: Partial;

    /// The cut of the tasks into shards.
    fn shards(&self) -> Shards;

    /// The points at which a run with a tolerance may stop.
    fn rounds(&self) -> Rounds;

    /// Places and evaluates the points of one task.
    fn run_task(
        &self,
        task: u64,
        streams: &Streams,
        block: &mut Block<'_>,
    ) -> Result<Self::Partial>;

    /// What the points give; `complete` says whether all that were asked for are there.
    fn estimate(&self, partial: &Self::Partial, complete: bool) -> Estimate;

    /// What the user should know about the points.
    fn note(&self) -> Option<String>;
}

/// The mean of the weighted values, before it is multiplied by the volume.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// Its mean and its error, as if they came from plain values.
    pub moments: Moments,
    /// Points evaluated.
    pub points: u64,
    /// Degrees of freedom of the error where they are few.
    pub freedom: Option<u64>,
}

/// The points of a shard of about half a millisecond, for cheap integrands.
pub(crate) fn points_per_shard(dimensions: usize) -> u64 {
    SHARD_COST / (dimensions as u64 + POINT_COST)
}

/// The kernel of a rule and an integrand.
pub(crate) struct Sampler<'a, R> {
    pub rule: &'a R,
    pub space: &'a Space,
    pub integrand: &'a dyn Integrand,
}

impl<R: Rule> Kernel for Sampler<'_, R> {
    type Partial = R::Partial;

    fn shards(&self) -> Shards {
        self.rule.shards()
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<R::Partial> {
        let mut block = Block::new(self.space, self.integrand);
        let mut merged = R::Partial::empty();
        for task in shard.tasks() {
            if cancel.is_stopped() {
                break;
            }
            merged = merged.merge(self.rule.run_task(task, streams, &mut block)?);
        }
        Ok(merged)
    }

    fn moments(&self, partial: &R::Partial) -> Option<Moments> {
        Some(self.rule.estimate(partial, false).moments.scaled(self.space.volume()))
    }
}
