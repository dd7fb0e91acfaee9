//! Run a job in rounds and stop between two of them: the same stop on every mapping.

use crate::{Control, Executor, Job, Kernel, Outcome, Partial, Result, run_range};

/// The fixed points at which a job may stop: after `first` shards, then each time the number of
/// shards has grown by `growth`, and at its end. They belong to the job, not to the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounds {
    /// Shards of the first round, at least 1.
    pub first: u64,
    /// Shards after a round over shards before it, above 1.
    pub growth: f64,
}

impl Rounds {
    /// The end of the round that follows `done` shards, within `all`.
    pub fn next(&self, done: u64, all: u64) -> u64 {
        let next = if done == 0 { self.first } else { (done as f64 * self.growth).ceil() as u64 };
        next.max(done + 1).min(all)
    }
}

impl Default for Rounds {
    /// One shard, then half as many again each time.
    fn default() -> Self {
        Self { first: 1, growth: 1.5 }
    }
}

/// Runs `job` round by round until `enough` says so or its shards are used up.
///
/// `enough` sees the merge of all shards so far and how many tasks it holds; as both are the same
/// on every mapping, so is the stop. The outcome is complete if `enough` was reached or all shards
/// ran, and incomplete if the run was cancelled between.
///
/// # Errors
/// As [`crate::run`].
pub fn run_rounds<K: Kernel>(
    job: &Job<'_, K>,
    on: &dyn Executor,
    control: &Control<'_>,
    rounds: Rounds,
    mut enough: impl FnMut(&K::Partial, u64) -> bool,
) -> Result<Outcome<K::Partial>> {
    let all = job.kernel.shards().count();
    let mut done = 0;
    let mut total = Outcome { partial: K::Partial::empty(), tasks: 0, complete: true };
    while done < all {
        let end = rounds.next(done, all);
        let round = match run_range(job, on, control, done..end) {
            Ok(round) => round,
            Err(_) if total.tasks > 0 && control.cancel.is_stopped() => {
                total.complete = false;
                return Ok(total);
            }
            Err(error) => return Err(error),
        };
        total.partial = total.partial.merge(round.partial);
        total.tasks += round.tasks;
        total.complete = round.complete;
        if !round.complete || enough(&total.partial, total.tasks) {
            break;
        }
        done = end;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_grow_and_end() {
        let rounds = Rounds { first: 4, growth: 1.5 };
        let mut ends = vec![rounds.next(0, 20)];
        while *ends.last().unwrap() < 20 {
            ends.push(rounds.next(*ends.last().unwrap(), 20));
        }
        assert_eq!(ends, [4, 6, 9, 14, 20]);
        assert_eq!(Rounds { first: 1, growth: 1.0 }.next(3, 9), 4);
    }
}
