//! Shards: how a job cuts its tasks into runs, whatever the number of workers.

use std::ops::Range;

/// A run of consecutive tasks: the unit that is handed out, lost, retried and merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// Its place among the job's shards.
    pub index: u64,
    /// The first task.
    pub first: u64,
    /// One past the last task.
    pub end: u64,
}

impl Shard {
    /// The tasks, in order.
    pub fn tasks(&self) -> Range<u64> {
        self.first..self.end
    }

    /// The shard that holds `task` alone, at the place of this one: what a replay runs.
    pub fn only(task: u64) -> Self {
        Self { index: task, first: task, end: task + 1 }
    }
}

/// The cut of a job's tasks into shards of equal length, the last one possibly shorter.
///
/// Both numbers belong to the job: a shard's edge never depends on who runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shards {
    tasks: u64,
    tasks_per_shard: u64,
}

impl Shards {
    /// Cuts `tasks` tasks into shards of `tasks_per_shard` (0 counts as 1).
    pub fn new(tasks: u64, tasks_per_shard: u64) -> Self {
        Self { tasks, tasks_per_shard: tasks_per_shard.max(1) }
    }

    /// The number of tasks.
    pub fn tasks(&self) -> u64 {
        self.tasks
    }

    /// The number of tasks of every shard but, perhaps, the last.
    pub fn tasks_per_shard(&self) -> u64 {
        self.tasks_per_shard
    }

    /// The number of shards.
    pub fn count(&self) -> u64 {
        self.tasks.div_ceil(self.tasks_per_shard)
    }

    /// The shard at `index`; empty beyond the last.
    pub fn get(&self, index: u64) -> Shard {
        let edge = |i: u64| i.saturating_mul(self.tasks_per_shard).min(self.tasks);
        Shard { index, first: edge(index), end: edge(index.saturating_add(1)) }
    }

    /// The number of tasks in the shards of a range of indices.
    pub fn tasks_in(&self, range: &Range<u64>) -> u64 {
        self.get(range.end).first.saturating_sub(self.get(range.start).first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_tile_the_tasks() {
        for (tasks, per_shard) in [(0, 1), (1, 7), (7, 7), (8, 7), (100, 0), (1001, 10)] {
            let shards = Shards::new(tasks, per_shard);
            let mut next = 0;
            for index in 0..shards.count() {
                let shard = shards.get(index);
                assert_eq!(shard.first, next);
                assert!(shard.end > shard.first);
                next = shard.end;
            }
            assert_eq!(next, tasks);
            assert_eq!(shards.tasks_in(&(0..shards.count())), tasks);
        }
    }
}
