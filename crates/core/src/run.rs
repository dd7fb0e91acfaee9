//! Run a job on an executor: erase its types, merge in order, count, watch, catch.

use crate::executor::{Carries, Executor, Sink, Work, Yield};
use crate::panics::catch;
use crate::{
    Cancel, Control, Error, ErrorKind, JobSpec, Kernel, Moments, Partial, Progress, Result, Shard,
    ShardSet, Shards, Stopwatch, Tree,
};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use windfall_streams::Streams;

/// A kernel with its streams and, if it can be written down, its spec.
#[derive(Debug)]
pub struct Job<'a, K> {
    /// What runs.
    pub kernel: &'a K,
    /// Where its tasks draw from.
    pub streams: Streams,
    /// The job as a value; none for closures that stay in this process.
    pub spec: Option<&'a JobSpec>,
}

impl<'a, K: Kernel> Job<'a, K> {
    /// A job that stays in this process.
    pub fn new(kernel: &'a K, streams: Streams) -> Self {
        Self { kernel, streams, spec: None }
    }
}

/// What a run yields.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<P> {
    /// The merge of the partials, in shard order.
    pub partial: P,
    /// The tasks that it holds whole.
    pub tasks: u64,
    /// Whether these are all that were asked for.
    pub complete: bool,
}

/// Runs all shards of `job` on `on`.
///
/// A run that is stopped keeps what is done: the outcome holds every finished shard (and what
/// the unfinished ones did, if the kernel [keeps it](Kernel::keeps_stopped)) and is marked
/// incomplete.
///
/// # Errors
/// The error of the failed shard with the lowest index; [`ErrorKind::Interrupted`] if the run was
/// stopped before any shard was done; [`ErrorKind::Unsupported`] if the executor needs a job
/// that can be written down and this one cannot.
pub fn run<K: Kernel>(
    job: &Job<'_, K>,
    on: &dyn Executor,
    control: &Control<'_>,
) -> Result<Outcome<K::Partial>> {
    run_range(job, on, control, 0..job.kernel.shards().count())
}

/// Runs the shards of `range` alone: one round of a job.
///
/// # Errors
/// As [`run`].
pub fn run_range<K: Kernel>(
    job: &Job<'_, K>,
    on: &dyn Executor,
    control: &Control<'_>,
    range: Range<u64>,
) -> Result<Outcome<K::Partial>> {
    let capabilities = on.capabilities();
    if capabilities.carries < Carries::needed(job.spec) {
        return Err(Error::new(ErrorKind::Unsupported {
            executor: capabilities.name,
            what: "run a closure or callback".into(),
        })
        .hint("write the job as an expression, or run it on threads"));
    }
    let state = State { tree: Tree::new(), tasks: 0, stopped: false, seen: HashSet::new() };
    let cancel = &control.cancel;
    let merger = Merger { first: range.start, state: Mutex::new(state), job, cancel };
    let work = Erased { job, cancel, shards: ShardSet::from(range.clone()) };
    let (watch, mut last_s) = (Stopwatch::start(), 0.0);
    on.run(&work, &merger, &mut || {
        let Some(observer) = control.observer else { return };
        let elapsed_s = watch.elapsed_s();
        if elapsed_s - last_s >= TICK_S {
            last_s = elapsed_s;
            observer.tick(&merger.progress(elapsed_s));
        }
    })?;
    let state = merger.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let all = job.kernel.shards().tasks_in(&range);
    if state.tasks == 0 && all > 0 && !state.stopped {
        return Err(Error::new(ErrorKind::Interrupted));
    }
    Ok(Outcome { partial: state.tree.finish(), tasks: state.tasks, complete: state.tasks == all })
}

/// Runs one task again, here and alone, and returns what it yields.
///
/// # Errors
/// What the task reports; [`ErrorKind::Invalid`] if the job has no such task.
pub fn replay<K: Kernel>(job: &Job<'_, K>, task: u64) -> Result<K::Partial> {
    let tasks = job.kernel.shards().tasks();
    if task >= tasks {
        return Err(Error::invalid("task", task, &format!("below {tasks}, the job's tasks")));
    }
    run_shard(job, Shard::only(task), &Cancel::default(), "replay")
}

/// Runs one shard, here and alone, and returns its partial as bytes: what every
/// [`crate::Problem::run_shard`] does.
///
/// # Errors
/// What the kernel reports, with the shard's address.
pub fn run_bytes<K: Kernel>(job: &Job<'_, K>, shard: Shard) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    run_shard(job, shard, &Cancel::default(), "here")?.encode(&mut bytes);
    Ok(bytes)
}

/// Runs one shard with panics caught and errors addressed.
pub(crate) fn run_shard<K: Kernel>(
    job: &Job<'_, K>,
    shard: Shard,
    cancel: &Cancel,
    worker: &str,
) -> Result<K::Partial> {
    let address =
        |error: Error| error.at((shard.first, shard.end), &job.streams.seed().to_string(), worker);
    match catch(|| job.kernel.run_shard(shard, &job.streams, cancel)) {
        Ok(result) => result.map_err(address),
        Err(caught) => Err(address(Error::new(ErrorKind::Task {
            tasks: (0, 0),
            seed: String::new(),
            worker: String::new(),
            message: caught.message,
            trace: caught.place,
        }))),
    }
}

/// The least time between two looks of an observer.
pub(crate) const TICK_S: f64 = 0.05;

/// A job behind the face that executors see.
struct Erased<'a, K> {
    job: &'a Job<'a, K>,
    cancel: &'a Cancel,
    shards: ShardSet,
}

impl<K: Kernel> Work for Erased<'_, K> {
    fn shards(&self) -> &ShardSet {
        &self.shards
    }

    fn cut(&self) -> Shards {
        self.job.kernel.shards()
    }

    fn run_shard(&self, shard: u64, worker: &str) -> Result<Yield> {
        let shard = self.job.kernel.shards().get(shard);
        let partial = run_shard(self.job, shard, self.cancel, worker)?;
        Ok(Yield::Here(Box::new(partial)))
    }

    fn to_bytes(&self, partial: &Yield) -> Result<Vec<u8>> {
        match partial {
            Yield::Bytes(bytes) => Ok(bytes.clone()),
            Yield::Here(any) => {
                let partial = any.downcast_ref::<K::Partial>().ok_or_else(foreign)?;
                let mut bytes = Vec::new();
                partial.encode(&mut bytes);
                Ok(bytes)
            }
        }
    }

    fn spec(&self) -> Option<&JobSpec> {
        self.job.spec
    }

    fn learnt(&self) -> Option<Vec<u8>> {
        self.job.kernel.learnt()
    }

    fn cancel(&self) -> &Cancel {
        self.cancel
    }

    fn has_long_shards(&self) -> bool {
        self.job.kernel.has_long_shards()
    }
}

/// What an executor put is no partial of this job.
fn foreign() -> Error {
    Error::wire("they are another job's partial")
}

/// Merges what arrives, and counts.
struct Merger<'a, K: Kernel> {
    job: &'a Job<'a, K>,
    cancel: &'a Cancel,
    first: u64,
    state: Mutex<State<K::Partial>>,
}

struct State<P> {
    tree: Tree<P>,
    tasks: u64,
    /// Whether the tree holds a shard that was told to stop.
    stopped: bool,
    seen: HashSet<u64>,
}

impl<K: Kernel> Merger<'_, K> {
    fn lock(&self) -> MutexGuard<'_, State<K::Partial>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(&self, elapsed_s: f64) -> Progress {
        let state = self.lock();
        let moments = state
            .tree
            .waiting()
            .filter_map(|partial| self.job.kernel.moments(partial))
            .reduce(Moments::merge);
        let tasks_max = self.job.kernel.shards().tasks();
        let before = self.job.kernel.shards().get(self.first).first;
        let tasks = before + state.tasks;
        drop(state);
        let under_way = self.job.kernel.under_way();
        Progress { tasks, tasks_max, moments, elapsed_s, under_way }
    }
}

impl<K: Kernel> Sink for Merger<'_, K> {
    fn put(&self, shard: u64, partial: Yield) -> Result<()> {
        // Its kernel may have returned early.
        let stopped = self.cancel.is_stopped();
        if stopped && !self.job.kernel.keeps_stopped() {
            return Ok(());
        }
        let partial = match partial {
            Yield::Bytes(bytes) => K::Partial::decode(&bytes)?,
            Yield::Here(any) => *any.downcast::<K::Partial>().map_err(|_| foreign())?,
        };
        let shard = self.job.kernel.shards().get(shard);
        let mut state = self.lock();
        if shard.index < self.first || !state.seen.insert(shard.index) {
            return Err(Error::wire(format!("shard {} came twice or unasked", shard.index)));
        }
        state.tree.put(shard.index - self.first, partial);
        state.stopped |= stopped;
        state.tasks += if stopped { 0 } else { shard.end - shard.first };
        Ok(())
    }
}
