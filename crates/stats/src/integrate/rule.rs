//! What a rule is: it places all points at once and knows the error of what they give.

use super::block::{Block, TASK_POINTS_MAX, TILE, Target};
use super::estimate::{Estimate, Goal};
use super::plan::{Plan, Solved, Work};
use windfall_core::{
    Cancel, Control, Executor, Job, Kernel, Moments, Partial, Result, Rounds, Shard, Shards,
    Streams, run, run_bytes, run_rounds,
};

/// Work of a shard of a cheap integrand, in units of one coordinate drawn: half a millisecond.
const SHARD_COST: u64 = 1 << 20;
/// What evaluating a point costs beside its coordinates, in the same unit.
const POINT_COST: u64 = 3;
/// Tasks that a job has at least, unless they would become less than a tile.
const TASKS_MIN: u64 = 256;

/// A way to place the points of an integral that learns nothing while it runs.
pub(crate) trait Rule: Send + Sync {
    /// What a task yields.
    type Partial: Partial;

    /// The cut of the tasks into shards.
    fn shards(&self) -> Shards;

    /// The option that only adds tasks at the end; none by default.
    fn grows_by(&self) -> Option<&'static str> {
        None
    }

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

/// The size of an integral: all that its cut into tasks and shards may depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Points at most; pairs of them where they are antithetic.
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

    /// Whether tasks are as large as they get, so that more points mean more of the same tasks.
    pub fn has_full_tasks(&self) -> bool {
        self.task_points() == TASK_POINTS_MAX as u64
    }

    /// Points of a shard: about half a millisecond of a cheap integrand, or one task of another.
    pub fn shard_points(&self) -> u64 {
        let cheap = SHARD_COST / (self.dimensions as u64 + POINT_COST);
        if self.cheap { cheap } else { self.task_points() }
    }
}

/// The kernel of a rule and an integrand.
struct Sampler<'a, R> {
    rule: &'a R,
    target: Target<'a>,
    goal: &'a Goal,
}

impl<R: Rule> Kernel for Sampler<'_, R> {
    type Partial = R::Partial;

    fn shards(&self) -> Shards {
        self.rule.shards()
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<R::Partial> {
        let mut block = Block::new(self.target);
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
        let estimate = self.goal.settle(self.rule.estimate(partial, false));
        (estimate.joint.width() > 0).then(|| estimate.joint.moments(0))
    }
}

/// The plan of a method that is a rule.
pub(crate) struct ByRule<R>(pub R);

impl<R: Rule> ByRule<R> {
    fn job<'s>(&'s self, kernel: &'s Sampler<'s, R>, work: &Work<'s>) -> Job<'s, Sampler<'s, R>> {
        Job { kernel, streams: work.streams.clone(), spec: work.spec }
    }

    fn sampler<'s>(&'s self, work: &Work<'s>) -> Sampler<'s, R> {
        Sampler { rule: &self.0, target: work.target, goal: work.goal }
    }
}

impl<R: Rule> Plan for ByRule<R> {
    fn shards(&self) -> Shards {
        self.0.shards()
    }

    fn grows_by(&self) -> Option<&'static str> {
        self.0.grows_by()
    }

    fn run_shard(&self, work: &Work<'_>, shard: Shard) -> Result<Vec<u8>> {
        run_bytes(&self.job(&self.sampler(work), work), shard)
    }

    fn solve(&self, work: &Work<'_>, on: &dyn Executor, control: &Control<'_>) -> Result<Solved> {
        let (rule, sampler) = (&self.0, self.sampler(work));
        let job = self.job(&sampler, work);
        let outcome = if work.goal.is_tolerant() {
            run_rounds(&job, on, control, rule.rounds(), |partial, _| {
                work.goal.is_met(rule.estimate(partial, true))
            })?
        } else {
            run(&job, on, control)?
        };
        let mut estimate = work.goal.settle(rule.estimate(&outcome.partial, outcome.complete));
        estimate.notes.extend(rule.note(estimate.points));
        Ok(Solved { estimate, complete: outcome.complete })
    }
}
