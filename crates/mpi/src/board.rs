//! What the threads of rank 0 share during a run: which shard is next, and what has failed.

use crate::talk::ORDER_RUNS_MAX;
use std::sync::{Mutex, MutexGuard, PoisonError};
use windfall_core::{Error, ShardSet, Sink, Work};

/// The shards of a run that rank 0 hands out, to itself as well.
pub(crate) struct Board<'a> {
    work: &'a dyn Work,
    sink: &'a dyn Sink,
    shards: &'a ShardSet,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The place of the next shard.
    next: u64,
    /// The failed shard with the lowest index.
    failed: Option<(u64, Error)>,
}

impl<'a> Board<'a> {
    /// Those of `work` that are `shards`.
    pub(crate) fn new(work: &'a dyn Work, sink: &'a dyn Sink, shards: &'a ShardSet) -> Self {
        Self { work, sink, shards, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many nobody has taken.
    pub(crate) fn left(&self) -> u64 {
        self.shards.len() - self.lock().next
    }

    /// Whether no shard may begin any more, since one failed or the run was stopped.
    pub(crate) fn is_over(&self) -> bool {
        self.work.cancel().is_stopped() || self.has_failed()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.lock().failed.is_some()
    }

    /// Takes the next `count` shards or a few less; none if it is over or nothing is left.
    pub(crate) fn take(&self, count: u64) -> Option<ShardSet> {
        if self.is_over() {
            return None;
        }
        let mut state = self.lock();
        let (mut taken, mut runs, mut before) = (Vec::new(), 0, None);
        while (taken.len() as u64) < count
            && let Some(shard) = self.shards.get(state.next)
        {
            runs += usize::from(before.is_none_or(|before: u64| before + 1 != shard));
            if runs > ORDER_RUNS_MAX {
                break;
            }
            taken.push(shard);
            before = Some(shard);
            state.next += 1;
        }
        (!taken.is_empty()).then(|| taken.into_iter().collect())
    }

    /// Notes that a shard has failed.
    pub(crate) fn fail(&self, shard: u64, error: Error) {
        let mut state = self.lock();
        if state.failed.as_ref().is_none_or(|(lowest, _)| shard < *lowest) {
            state.failed = Some((shard, error));
        }
    }

    /// Runs shards on this thread until there are none.
    pub(crate) fn run_all(&self) {
        while let Some(shard) = self.take(1).and_then(|shards| shards.get(0)) {
            let done = self.work.run_shard(shard, "rank 0");
            if let Err(error) = done.and_then(|partial| self.sink.put(shard, partial)) {
                self.fail(shard, error);
            }
        }
    }

    /// How it went.
    pub(crate) fn finish(self) -> windfall_core::Result<()> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.failed.map_or(Ok(()), |(_, error)| Err(error))
    }
}
