//! What a rule is: it places points, block by block, and knows the error of what they give.

use super::block::{Block, TASK_POINTS_MAX, TILE};
use super::bounds::Space;
use super::integrand::Integrand;
use windfall_core::{Cancel, Kernel, Moments, Partial, Result, Rounds, Shard, Shards, Streams};

/// Work of a shard of a cheap integrand, in units of one coordinate drawn: half a millisecond.
const SHARD_COST: u64 = 1 << 20;
/// What evaluating a point costs beside its coordinates, in the same unit.
const POINT_COST: u64 = 3;
/// Tasks that a job has at least, unless they would become less than a tile.
const TASKS_MIN: u64 = 256;

/// A way to place the points of an integral.
pub(crate) trait Rule: Sync {
    /// What a task yields.
    type Partial: Partial;

    /// The cut of the tasks into shards.
    fn shards(&self) -> Shards;

    /// The points at which a run with a tolerance may stop.
    fn rounds(&self) -> Rounds;

    /// Places and evaluates the points of one task and adds what they give to `partial`.
    fn run_task(
        &self,
        task: u64,
        streams: &Streams,
        block: &mut Block<'_>,
        partial: &mut Self::Partial,
    ) -> Result<()>;

    /// What the points give; `complete` says whether all that were asked for are there.
    fn estimate(&self, partial: &Self::Partial, complete: bool) -> Estimate;

    /// What the user should know about how so many points were placed.
    fn note(&self, points: u64) -> Option<String>;
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

/// The size of an integral: all that its cut into tasks and shards may depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Points at most.
    pub n: u64,
    /// Variables.
    pub dimensions: usize,
    /// Whether a point takes mere nanoseconds.
    pub cheap: bool,
    /// Whether a tolerance may stop it before `n`.
    pub tolerant: bool,
}

impl Size {
    /// Points of a task: a few thousand, so that reaching a stream costs nothing; less in small
    /// jobs, so that a dear integrand has tasks for every core.
    pub fn task_points(&self) -> u64 {
        (self.n / TASKS_MIN).clamp(TILE as u64, TASK_POINTS_MAX as u64).next_power_of_two()
    }

    /// Points of a shard: about half a millisecond of a cheap integrand, or one task of another.
    pub fn shard_points(&self) -> u64 {
        let cheap = SHARD_COST / (self.dimensions as u64 + POINT_COST);
        if self.cheap { cheap } else { self.task_points() }
    }
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
        let mut partial = R::Partial::empty();
        for task in shard.tasks() {
            if cancel.is_stopped() {
                break;
            }
            self.rule.run_task(task, streams, &mut block, &mut partial)?;
        }
        Ok(partial)
    }

    fn moments(&self, partial: &R::Partial) -> Option<Moments> {
        Some(self.rule.estimate(partial, false).moments.scaled(self.space.volume()))
    }
}
