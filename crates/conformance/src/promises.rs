//! The promises, one function each.

use crate::jobs::{Probe, jobs, source};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use windfall_core::{
    Cancel, Carries, Control, ErrorKind, Executor, Job, Kernel, Observer, Progress, Rounds, Seed,
    Serial, Shard, Shards, Streams, UnderWay, run, run_rounds,
};
use windfall_core::{Moments, Result};
use windfall_stats::REGISTRY;

fn job(probe: &Probe) -> Job<'_, Probe> {
    Job::new(probe, Streams::new(Seed::from(7u64), "probe"))
}

/// Whether `on` refuses closures as it declares; if so, there is nothing else to check with them.
fn refuses_closures(on: &dyn Executor) -> bool {
    if on.capabilities().carries == Carries::Closures {
        return false;
    }
    let refusal = run(&job(&Probe::new(9)), on, &Control::default()).map(|_| ()).unwrap_err();
    assert!(matches!(refusal.kind(), ErrorKind::Unsupported { .. }), "{refusal}");
    assert!(refusal.remedy().is_some(), "a refusal names a remedy");
    true
}

/// Every job of the suite gives, byte for byte, the answer that the serial executor gives.
pub fn the_answers_are_those_of_the_serial_executor(on: &dyn Executor) {
    for spec in jobs() {
        let problem = REGISTRY.build(&spec, &source()).expect("the suite's jobs can be built");
        let expected = problem.solve(&Serial, &Control::default()).expect("they can be solved");
        let answer = problem.solve(on, &Control::default()).expect("here too");
        assert!(answer.to_bytes() == expected.to_bytes(), "{}", spec.to_toml());
    }
}

/// Every shard runs once and arrives once, from none to thousands.
pub fn every_shard_is_delivered_once(on: &dyn Executor) {
    if refuses_closures(on) {
        return;
    }
    for tasks in [1, 2, 3, 4, 100, 30_001] {
        let probe = Probe::new(tasks);
        let outcome = run(&job(&probe), on, &Control::default()).expect("nothing fails");
        assert!(outcome.complete);
        assert_eq!((outcome.tasks, outcome.partial.count()), (tasks, tasks));
        assert!(probe.runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1));
    }
}

/// A job with no tasks gives the empty partial and is complete.
pub fn a_job_without_tasks_is_complete(on: &dyn Executor) {
    if refuses_closures(on) {
        return;
    }
    let outcome = run(&job(&Probe::new(0)), on, &Control::default()).expect("nothing fails");
    assert!(outcome.complete && outcome.tasks == 0 && outcome.partial.count() == 0);
}

/// A task's error comes back with its shard and seed, and the next job runs.
pub fn a_failing_task_is_named_and_the_executor_lives(on: &dyn Executor) {
    let probe = Probe { fails: Some(4), ..Probe::new(9) };
    a_broken_task_is_named(on, &probe, "task 4 does not feel well");
}

/// A task's panic comes back as an error with its shard and seed, and the next job runs.
pub fn a_panicking_task_is_named_and_the_executor_lives(on: &dyn Executor) {
    let probe = Probe { panics: Some(4), ..Probe::new(9) };
    a_broken_task_is_named(on, &probe, "task 4 panics");
}

fn a_broken_task_is_named(on: &dyn Executor, probe: &Probe, text: &str) {
    if refuses_closures(on) {
        return;
    }
    let error = run(&job(probe), on, &Control::default()).map(|_| ()).unwrap_err();
    let ErrorKind::Task { tasks, seed, worker, message, .. } = error.kind() else {
        panic!("not a task's error: {error}");
    };
    assert_eq!((*tasks, seed.as_str(), message.as_str()), ((3, 6), "7", text));
    assert!(!worker.is_empty());
    every_shard_is_delivered_once(on);
}

/// A run whose flag is down already starts nothing and says that it was interrupted.
pub fn a_run_stopped_before_it_began_is_interrupted(on: &dyn Executor) {
    let control = Control::default();
    control.cancel.stop();
    let spec = jobs().swap_remove(0);
    let problem = REGISTRY.build(&spec, &source()).expect("the suite's jobs can be built");
    let error = problem.solve(on, &control).map(|_| ()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error}");
}

/// A run stopped in the middle ends soon and keeps every shard that was done.
pub fn a_run_stopped_in_the_middle_keeps_what_is_done(on: &dyn Executor) {
    if refuses_closures(on) {
        return;
    }
    let tasks = 300_000;
    let probe = Probe { stops: Some(1000), ..Probe::new(tasks) };
    let outcome = run(&job(&probe), on, &Control::default()).expect("a stop is no failure");
    assert!(!outcome.complete);
    assert!(outcome.tasks > 0 && outcome.tasks < tasks, "{} tasks", outcome.tasks);
    assert_eq!(outcome.partial.count(), outcome.tasks);
}

/// What a shard did before it was told to stop is kept where its kernel says so, and its tasks
/// count as not done.
pub fn a_stopped_shard_is_kept_where_its_kernel_says_so(on: &dyn Executor) {
    if refuses_closures(on) {
        return;
    }
    /// Tasks that are worth something half done.
    struct Keeps;
    impl Kernel for Keeps {
        type Partial = Moments;
        fn shards(&self) -> Shards {
            Shards::new(1000, 1)
        }
        fn run_shard(&self, shard: Shard, _: &Streams, cancel: &Cancel) -> Result<Moments> {
            if shard.index == 5 {
                cancel.stop();
            }
            let mut moments = Moments::default();
            moments.push(shard.index as f64);
            Ok(moments)
        }
        fn keeps_stopped(&self) -> bool {
            true
        }
    }
    let streams = Streams::new(Seed::from(7u64), "keeps");
    let outcome = run(&Job::new(&Keeps, streams), on, &Control::default()).expect("no failure");
    assert!(!outcome.complete && outcome.tasks < 1000);
    assert!(outcome.partial.count() > outcome.tasks, "shard 5 is there, and not counted");
}

/// The observer is called on the calling thread, at most every 50 ms, with growing counts.
pub fn only_the_calling_thread_ticks(on: &dyn Executor) {
    if refuses_closures(on) {
        return;
    }
    /// Tasks that take long enough for an observer to look.
    struct Slow;
    impl Kernel for Slow {
        type Partial = Moments;
        fn shards(&self) -> Shards {
            Shards::new(60, 1)
        }
        fn run_shard(&self, shard: Shard, _: &Streams, _: &Cancel) -> Result<Moments> {
            thread::sleep(Duration::from_millis(5));
            let mut moments = Moments::default();
            moments.push(shard.index as f64);
            Ok(moments)
        }
        fn moments(&self, partial: &Moments) -> Option<Moments> {
            Some(*partial)
        }
    }
    struct Watcher(thread::ThreadId, Cell<u32>, Cell<u64>);
    impl Observer for Watcher {
        fn tick(&self, progress: &Progress) {
            assert_eq!(thread::current().id(), self.0);
            assert!(progress.tasks >= self.2.get() && progress.tasks <= progress.tasks_max);
            assert_eq!(progress.moments.map(|m| m.count()), Some(progress.tasks));
            self.1.set(self.1.get() + 1);
            self.2.set(progress.tasks);
        }
    }
    let watcher = Watcher(thread::current().id(), Cell::new(0), Cell::new(0));
    let streams = Streams::new(Seed::from(7u64), "slow");
    run(&Job::new(&Slow, streams), on, &Control::watched(&watcher)).expect("nothing fails");
    // 300 ms of sleep on up to 3 workers: at least one look, and no more than one each 50 ms.
    assert!((1..=60).contains(&watcher.1.get()), "{} ticks", watcher.1.get());
}

/// An executor of several workers keeps the calling thread free to tick while shards are long, and
/// the tasks under way are shown.
pub fn somebody_ticks_while_shards_are_long(on: &dyn Executor) {
    if refuses_closures(on) || on.capabilities().workers == 1 {
        return;
    }
    /// One shard a worker, each long.
    struct Long(AtomicU64);
    impl Kernel for Long {
        type Partial = Moments;
        fn shards(&self) -> Shards {
            Shards::new(2, 1)
        }
        fn run_shard(&self, _: Shard, _: &Streams, _: &Cancel) -> Result<Moments> {
            for step in 0..10 {
                self.0.store(step, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(30));
            }
            Ok(Moments::default())
        }
        fn has_long_shards(&self) -> bool {
            true
        }
        fn under_way(&self) -> Vec<UnderWay> {
            let steps = self.0.load(Ordering::Relaxed);
            vec![UnderWay { task: 1, steps, steps_max: 10, text: "asleep".into() }]
        }
    }
    struct Watcher(Cell<u32>, Cell<f64>);
    impl Observer for Watcher {
        fn tick(&self, progress: &Progress) {
            self.0.set(self.0.get() + 1);
            self.1.set(self.1.get().max(progress.share()));
        }
    }
    let watcher = Watcher(Cell::new(0), Cell::new(0.0));
    let streams = Streams::new(Seed::from(7u64), "long");
    let long = Long(AtomicU64::new(0));
    run(&Job::new(&long, streams), on, &Control::watched(&watcher)).expect("nothing fails");
    assert!(watcher.0.get() >= 3, "{} ticks in 300 ms", watcher.0.get());
    assert!(watcher.1.get() > 0.1, "the share grew to {} only", watcher.1.get());
}

/// A stop by tolerance comes after the same shards as on the serial executor.
pub fn rounds_stop_where_the_serial_executor_stops(on: &dyn Executor) {
    if refuses_closures(on) {
        return;
    }
    let stop = |on: &dyn Executor| {
        let (probe, rounds) = (Probe::new(100_000), Rounds::default());
        let enough = |moments: &Moments, _: u64| moments.mcse() < 0.01;
        run_rounds(&job(&probe), on, &Control::default(), rounds, enough).expect("no failure")
    };
    let (expected, outcome) = (stop(&Serial), stop(on));
    assert!(expected.complete && expected.tasks < 100_000);
    assert_eq!(outcome, expected);
}

/// No thread of a run outlives it.
pub fn nothing_is_left_behind(on: &dyn Executor) {
    let named = || {
        let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let names = threads.filter_map(|t| std::fs::read_to_string(t.path().join("comm")).ok());
        names.filter(|name| name.starts_with("windfall-")).count()
    };
    let spec = jobs().swap_remove(0);
    let problem = REGISTRY.build(&spec, &source()).expect("the suite's jobs can be built");
    problem.solve(on, &Control::default()).expect("nothing fails");
    // Other tests of this binary may run their own threads at the moment: wait for a quiet one.
    for _ in 0..1000 {
        if named() == 0 {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{} threads are left behind", named());
}
