//! The kernel of a bootstrap: a task is a block of resamples drawn from the task's stream.

use super::replicates::Replicates;
use super::source::{Room, Source};
use crate::resample;
use std::sync::{Mutex, PoisonError};
use windfall_core::{Cancel, Kernel, Moments, Result, Shard, Shards, Streams};

/// Draws a task holds at least: reaching its stream costs as much as 80 of them.
const DRAWS_PER_TASK: u64 = 4_096;
/// Work of a shard that many shards share, in nanoseconds.
const SHARD_NS: f64 = 600_000.0;
/// A job of less than this is one shard: waking a second worker would cost more than it gains.
const SMALL_JOB_NS: f64 = 250_000.0;

/// How the resamples of a job are cut into tasks and those into shards, by the job alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    resamples: u64,
    per_task: u64,
    shards: Shards,
}

impl Plan {
    /// Cuts `resamples` resamples of `draws` draws, each of which takes `ns` nanoseconds.
    pub fn new(resamples: u64, draws: u64, ns: f64) -> Self {
        let at_once = resample::at_once(draws as usize) as u64;
        let per_task = DRAWS_PER_TASK.div_ceil(draws.max(1)).next_multiple_of(at_once);
        let tasks = resamples.div_ceil(per_task);
        let task_ns = (per_task * draws) as f64 * ns;
        let per_shard = match tasks as f64 * task_ns <= SMALL_JOB_NS {
            true => tasks,
            false => (SHARD_NS / task_ns).ceil() as u64,
        };
        Self { resamples, per_task, shards: Shards::new(tasks, per_shard) }
    }

    /// The shards of the first round, where a tolerance may end the job: about 1,000 resamples.
    pub fn first_round(&self) -> u64 {
        1_000u64.div_ceil(self.per_task * self.shards.tasks_per_shard()).max(1)
    }

    /// The resamples of a task.
    fn resamples_of(&self, task: u64) -> usize {
        self.per_task.min(self.resamples - task * self.per_task) as usize
    }
}

/// Rooms for shards to work in, kept from one to the next: where a process gives back to the system
/// at once what it frees, as Dask has its workers do, fresh ones take half as long as the work.
#[derive(Debug, Default)]
pub(crate) struct Rooms(Mutex<Vec<Room>>);

impl Rooms {
    fn take(&self) -> Room {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn put(&self, room: Room) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(room);
    }
}

/// Resamples by the million.
pub(crate) struct Resampling<'a> {
    pub plan: Plan,
    pub source: Source<'a>,
    pub rooms: &'a Rooms,
}

impl Kernel for Resampling<'_> {
    type Partial = Replicates;

    fn shards(&self) -> Shards {
        self.plan.shards
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<Replicates> {
        let columns = self.source.columns();
        let resamples = shard.tasks().map(|task| self.plan.resamples_of(task)).sum();
        let mut replicates = Replicates::with_capacity(columns, resamples);
        let (mut room, mut values) = (self.rooms.take(), Vec::new());
        for task in shard.tasks() {
            if cancel.is_stopped() {
                break;
            }
            let count = self.plan.resamples_of(task);
            values.clear();
            values.resize(columns * count, 0.0);
            self.source.draw(&mut streams.task(task), count, &mut room, &mut values)?;
            for (column, values) in replicates.columns_mut().iter_mut().zip(values.chunks(count)) {
                column.extend_from_slice(values);
            }
        }
        self.rooms.put(room);
        Ok(replicates)
    }

    fn moments(&self, replicates: &Replicates) -> Option<Moments> {
        Some(replicates.glance())
    }
}
