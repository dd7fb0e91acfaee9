//! The kernel: a task is a block of arrangements, drawn from its stream or counted off.

use super::engine::Work;
use super::setup::Setup;
use super::tally::{Reference, Tally};
use windfall_core::{Cancel, Kernel, Moments, Result, Shard, Shards, Streams};

/// Steps over rows that a task takes at least: reaching its stream costs as much as 80 of them.
const STEPS_PER_TASK: u64 = 32_768;
/// Arrangements that are drawn together, where subsets are.
const ABREAST: u64 = 64;
/// Work of a shard that many shards share, in nanoseconds.
const SHARD_NS: f64 = 600_000.0;
/// A job of less than this is one shard: waking a second worker would cost more than it gains.
const SMALL_JOB_NS: f64 = 250_000.0;

/// Arrangements before a rule first looks whether to end the job.
pub(crate) const FIRST_ROUND: u64 = 1_000;

/// How the arrangements of a job are cut into tasks and those into shards, by the job alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    arrangements: u64,
    per_task: u64,
    shards: Shards,
}

impl Plan {
    /// Cuts `arrangements` arrangements of `rows` rows, each of which takes `ns` nanoseconds; into
    /// shards that are soon done, if a rule may end the job.
    pub fn new(arrangements: u64, rows: u64, ns: f64, ends_early: bool) -> Self {
        let per_task = STEPS_PER_TASK.div_ceil(rows.max(1)).next_multiple_of(ABREAST);
        let tasks = arrangements.div_ceil(per_task);
        let task_ns = per_task as f64 * ns;
        let per_shard = match tasks as f64 * task_ns <= SMALL_JOB_NS {
            true => tasks,
            false => (SHARD_NS / task_ns).ceil() as u64,
        };
        let per_shard = match ends_early {
            true => per_shard.min(FIRST_ROUND.div_ceil(per_task)),
            false => per_shard,
        };
        Self { arrangements, per_task, shards: Shards::new(tasks, per_shard) }
    }

    /// The shards of the first round, where a rule may end the job: about `wanted` arrangements.
    pub fn first_round(&self, wanted: u64) -> u64 {
        wanted.div_ceil(self.per_task * self.shards.tasks_per_shard()).max(1)
    }

    /// The number of the first arrangement of a task, and how many it has.
    fn of(&self, task: u64) -> (u64, usize) {
        let first = task * self.per_task;
        (first, self.per_task.min(self.arrangements - first) as usize)
    }
}

/// Arrangements by the million.
pub(crate) struct Permuting<'a> {
    pub plan: Plan,
    pub setup: &'a Setup,
    pub reference: &'a Reference,
    /// Whether arrangements are counted off, each once.
    pub is_exact: bool,
}

impl Permuting<'_> {
    fn run_task(
        &self,
        task: u64,
        streams: &Streams,
        work: &mut Work,
        tally: &mut Tally,
    ) -> Result<()> {
        let Setup { design, bound, engine, .. } = self.setup;
        let (first, count) = self.plan.of(task);
        let mut cursor = self.is_exact.then(|| design.starting_at(first));
        let mut stream = streams.task(task);
        let mut values = Vec::new();
        for start in (0..count).step_by(bound.batch()) {
            let size = bound.batch().min(count - start);
            values.resize(size * bound.quantities(), 0.0);
            match &mut cursor {
                None => engine.draw((bound, design), &mut stream, work, &mut values)?,
                Some(cursor) => {
                    work.arrangements.resize(size * design.rows(), 0);
                    let each = work.arrangements.chunks_exact_mut(design.rows());
                    each.for_each(|arrangement| cursor.next(arrangement));
                    bound.values(design, &work.arrangements, &mut work.room, &mut values)?;
                }
            }
            tally.add(self.reference, first + start as u64, &values);
        }
        Ok(())
    }
}

impl Kernel for Permuting<'_> {
    type Partial = Tally;

    fn shards(&self) -> Shards {
        self.plan.shards
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<Tally> {
        let mut tally = Tally::new(self.reference);
        let mut work = Work::default();
        for task in shard.tasks() {
            if cancel.is_stopped() {
                break;
            }
            self.run_task(task, streams, &mut work, &mut tally)?;
        }
        Ok(tally)
    }

    /// The share of the first quantity's permutations in the smaller of its tails.
    fn moments(&self, tally: &Tally) -> Option<Moments> {
        let counts = tally.counts.first()?;
        let tails = self.reference.tails().iter().map(|&tail| counts.tails[tail]);
        let (draws, extreme) = (tally.draws as f64, tails.min()? as f64);
        let share = extreme / draws.max(1.0);
        Some(Moments::new(tally.draws, share, extreme * (1.0 - share)))
    }
}
