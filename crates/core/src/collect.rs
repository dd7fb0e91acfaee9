//! Run a closure for each task and keep what it returns, in task order.
//!
//! For results that need no merging and cannot be written down. It stands beside [`crate::run`],
//! not on it: a list of anything is no [`crate::Partial`], for it cannot travel. Here the types
//! say so: the executor sees work without a spec, and only one that declares closures takes it.

use crate::executor::{Carries, Executor, Sink, Work, Yield};
use crate::panics::catch;
use crate::run::TICK_S;
use crate::{
    Cancel, Control, Error, ErrorKind, JobSpec, Outcome, Progress, Result, ShardSet, Shards,
    Stopwatch, Stream, Streams,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A closure with its tasks and their streams.
#[derive(Debug)]
pub struct Tasks<'a, F> {
    /// The cut of the tasks into shards.
    pub shards: Shards,
    /// Where the tasks draw from.
    pub streams: Streams,
    /// What runs: it gets the task and the task's stream.
    pub task: &'a F,
}

impl<F> Tasks<'_, F> {
    /// A cut for `n` tasks whose cost nobody knows: about a thousand shards, or one a task.
    pub fn cut(n: u64) -> Shards {
        Shards::new(n, n.div_ceil(1024))
    }
}

/// Runs every task of `tasks` on `on` and returns their results in task order.
///
/// A run that is stopped keeps the results of the first tasks, up to the first shard that is not
/// done, and is marked incomplete.
///
/// # Errors
/// [`ErrorKind::Task`] with the task's number if one panics, [`ErrorKind::Unsupported`] if the
/// executor runs no closures, [`ErrorKind::Interrupted`] if it was stopped before anything was
/// done.
///
/// # Examples
/// ```
/// use windfall_core::{Control, Seed, Serial, Stream, Streams, Tasks, collect};
/// let longest_run = |_: u64, stream: &mut Stream| {
///     let (mut run, mut longest) = (0, 0);
///     for _ in 0..100 {
///         run = if stream.uniform() < 0.5 { run + 1 } else { 0 };
///         longest = longest.max(run);
///     }
///     longest
/// };
/// let streams = Streams::new(Seed::from(1u64), "runs");
/// let shards = windfall_core::Shards::new(1000, 10);
/// let tasks = Tasks { shards, streams, task: &longest_run };
/// let runs = collect(&tasks, &Serial, &Control::default())?.partial;
/// assert_eq!(runs.len(), 1000);
/// # Ok::<(), windfall_core::Error>(())
/// ```
pub fn collect<T, F>(
    tasks: &Tasks<'_, F>,
    on: &dyn Executor,
    control: &Control<'_>,
) -> Result<Outcome<Vec<T>>>
where
    T: Send + 'static,
    F: Fn(u64, &mut Stream) -> T + Sync,
{
    let capabilities = on.capabilities();
    if capabilities.carries < Carries::Closures {
        let what = "run a closure".into();
        let error = ErrorKind::Unsupported { executor: capabilities.name, what };
        return Err(Error::new(error).hint("run it on threads"));
    }
    let shards = ShardSet::from(0..tasks.shards.count());
    let work = Calls { tasks, shards, cancel: &control.cancel };
    let lists = Lists { shards: tasks.shards, state: Mutex::new((BTreeMap::new(), 0)) };
    let (watch, mut last_s) = (Stopwatch::start(), 0.0);
    on.run(&work, &lists, &mut || {
        let Some(observer) = control.observer else { return };
        let elapsed_s = watch.elapsed_s();
        if elapsed_s - last_s >= TICK_S {
            last_s = elapsed_s;
            let (done, tasks_max) = (lists.lock().1, tasks.shards.tasks());
            let (moments, under_way) = (None, Vec::new());
            observer.tick(&Progress { tasks: done, tasks_max, moments, elapsed_s, under_way });
        }
    })?;
    lists.finish()
}

/// The closure behind the face that executors see.
struct Calls<'a, F> {
    tasks: &'a Tasks<'a, F>,
    shards: ShardSet,
    cancel: &'a Cancel,
}

impl<T, F> Work for Calls<'_, F>
where
    T: Send + 'static,
    F: Fn(u64, &mut Stream) -> T + Sync,
{
    fn shards(&self) -> &ShardSet {
        &self.shards
    }

    fn cut(&self) -> Shards {
        self.tasks.shards
    }

    fn run_shard(&self, shard: u64, worker: &str) -> Result<Yield> {
        let Tasks { shards, streams, task } = self.tasks;
        let mut results = Vec::new();
        for index in shards.get(shard).tasks() {
            let result = catch(|| task(index, &mut streams.task(index))).map_err(|caught| {
                Error::new(ErrorKind::Task {
                    tasks: (index, index + 1),
                    seed: streams.seed().to_string(),
                    worker: worker.into(),
                    message: caught.message,
                    trace: caught.place,
                })
            });
            results.push(result?);
        }
        Ok(Yield::Here(Box::new(results)))
    }

    fn to_bytes(&self, _: &Yield) -> Result<Vec<u8>> {
        Err(Error::wire("the results of a closure do not travel"))
    }

    fn spec(&self) -> Option<&JobSpec> {
        None
    }

    fn cancel(&self) -> &Cancel {
        self.cancel
    }
}

/// The lists of the shards that are done, by shard, and the number of tasks in them.
struct Lists<T> {
    shards: Shards,
    state: Mutex<(BTreeMap<u64, Vec<T>>, u64)>,
}

impl<T> Lists<T> {
    fn lock(&self) -> MutexGuard<'_, (BTreeMap<u64, Vec<T>>, u64)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lists from the first shard to the first that is missing, as one.
    fn finish(self) -> Result<Outcome<Vec<T>>> {
        let (lists, _) = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut results = Vec::new();
        for (expected, (shard, list)) in (0..).zip(lists) {
            if shard != expected {
                break;
            }
            results.extend(list);
        }
        let (tasks, all) = (results.len() as u64, self.shards.tasks());
        if tasks == 0 && all > 0 {
            return Err(Error::new(ErrorKind::Interrupted));
        }
        Ok(Outcome { partial: results, tasks, complete: tasks == all })
    }
}

impl<T: Send + 'static> Sink for Lists<T> {
    fn put(&self, shard: u64, results: Yield) -> Result<()> {
        let Yield::Here(any) = results else {
            return Err(Error::wire("the results of a closure do not travel"));
        };
        let list = any
            .downcast::<Vec<T>>()
            .map_err(|_| Error::wire(format!("shard {shard} holds another job's results")))?;
        let (lists, tasks) = &mut *self.lock();
        *tasks += list.len() as u64;
        match lists.insert(shard, *list) {
            None => Ok(()),
            Some(_) => Err(Error::wire(format!("shard {shard} came twice"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Capabilities, Seed, Serial, Shuffled, Threads};
    use std::sync::atomic::{AtomicU64, Ordering};

    fn streams() -> Streams {
        Streams::new(Seed::from(5u64), "collect")
    }

    #[test]
    fn results_stand_in_task_order_on_every_mapping() {
        let draw = |task: u64, stream: &mut Stream| (task, stream.next_u64());
        let tasks = Tasks { shards: Shards::new(1000, 7), streams: streams(), task: &draw };
        let of = |on: &dyn Executor| collect(&tasks, on, &Control::default()).unwrap();
        let expected = of(&Serial);
        assert!(expected.complete);
        assert!((0..).zip(&expected.partial).all(|(task, result)| result.0 == task));
        assert_eq!(of(&Threads::new(3)), expected);
        assert_eq!(of(&Shuffled(Seed::from(2u64))), expected);
    }

    #[test]
    fn a_panic_names_its_one_task() {
        let odd = |task: u64, _: &mut Stream| assert!(task != 17, "seventeen is odd");
        let tasks = Tasks { shards: Shards::new(40, 10), streams: streams(), task: &odd };
        let message = collect(&tasks, &Threads::new(2), &Control::default()).unwrap_err();
        assert!(message.to_string().starts_with("task 17 failed (seed 5"), "{message}");
        assert!(message.to_string().contains("seventeen is odd"));
    }

    #[test]
    fn a_stop_keeps_the_first_results() {
        let (control, calls) = (Control::default(), AtomicU64::new(0));
        let stop = |task: u64, _: &mut Stream| {
            if calls.fetch_add(1, Ordering::Relaxed) == 24 {
                control.cancel.stop();
            }
            task
        };
        let tasks = Tasks { shards: Shards::new(100, 10), streams: streams(), task: &stop };
        let outcome = collect(&tasks, &Serial, &control).unwrap();
        assert_eq!(outcome.partial, (0..30).collect::<Vec<_>>());
        assert!(!outcome.complete);
        let error = collect(&tasks, &Serial, &control).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Interrupted);
    }

    /// An executor that cannot run closures.
    struct Elsewhere;

    impl Executor for Elsewhere {
        fn capabilities(&self) -> Capabilities {
            Capabilities { name: "elsewhere".into(), workers: 9, carries: Carries::Code }
        }
        fn run(&self, _: &dyn Work, _: &dyn Sink, _: &mut dyn FnMut()) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_executor_without_closures_is_refused() {
        let tasks =
            Tasks { shards: Shards::new(1, 1), streams: streams(), task: &|_, _: &mut _| 1 };
        let error = collect(&tasks, &Elsewhere, &Control::default()).unwrap_err();
        assert!(error.to_string().contains("`elsewhere` cannot run a closure"), "{error}");
    }
}
