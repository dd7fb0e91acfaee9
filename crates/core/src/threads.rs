//! The executor of this machine's cores: threads that claim shards one after the other.
//!
//! The calling thread is the only one that ticks, and worker 0. The others are started when there
//! is more than one shard and have ended when `run` returns, so that a small job (one shard) costs
//! no thread and nothing is left behind. Where one shard may take seconds, the calling thread runs
//! none: it looks at the others every 20 ms, so that somebody ticks.

use crate::executor::{Capabilities, Carries, Executor, Sink, Work};
use crate::{Error, Result, ShardSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The time between two looks at long shards.
const LOOK: Duration = Duration::from_millis(20);

/// Runs shards on this many threads of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threads {
    workers: usize,
}

impl Threads {
    /// An executor of `workers` threads, the calling one included (0 counts as 1).
    pub fn new(workers: usize) -> Self {
        Self { workers: workers.max(1) }
    }
}

impl Executor for Threads {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "threads".into(), workers: self.workers, carries: Carries::Closures }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        let shards = work.shards();
        let workers = (self.workers as u64).min(shards.len());
        let apart = work.has_long_shards();
        let helpers = if apart { workers } else { workers.saturating_sub(1) };
        let claims = Claims {
            shards,
            next: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            first_error: Mutex::new(None),
        };
        std::thread::scope(|scope| {
            let (alive, ended) = channel::<()>();
            for helper in 1..=helpers {
                let (claims, alive) = (&claims, alive.clone());
                let helper = std::thread::Builder::new()
                    .name(format!("windfall-{helper}"))
                    .spawn_scoped(scope, move || {
                        let name = format!("thread {helper}");
                        while claims.run_next(work, sink, &name) {}
                        drop(alive);
                    });
                // A thread that cannot be had costs speed, never the answer.
                if helper.is_err() {
                    break;
                }
            }
            drop(alive);
            while apart && ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                tick();
            }
            while claims.run_next(work, sink, "thread 0") {
                tick();
            }
        });
        match claims.first_error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}

/// Who may run what next, and the error of the lowest shard that failed.
struct Claims<'a> {
    shards: &'a ShardSet,
    /// The place of the next one among them.
    next: AtomicU64,
    failed: AtomicBool,
    first_error: Mutex<Option<(u64, Error)>>,
}

impl Claims<'_> {
    /// Claims and runs one shard; false when there is nothing left to do.
    fn run_next(&self, work: &dyn Work, sink: &dyn Sink, worker: &str) -> bool {
        if work.cancel().is_stopped() || self.failed.load(Ordering::Relaxed) {
            return false;
        }
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(shard) = self.shards.get(place) else { return false };
        if let Err(error) = work.run_shard(shard, worker).and_then(|done| sink.put(shard, done)) {
            self.failed.store(true, Ordering::Relaxed);
            let mut first = self.first_error.lock().unwrap_or_else(PoisonError::into_inner);
            if first.as_ref().is_none_or(|(earlier, _)| shard < *earlier) {
                *first = Some((shard, error));
            }
        }
        true
    }
}
