//! The promises, one function each.

use crate::jobs::{jobs, source};
use crate::probe::{Probe, REGISTRY, Script};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use windfall_core::{
    Cancel, Capabilities, Carries, Control, ErrorKind, Executor, Job, Kernel, Observer, Progress,
    Rounds, Seed, Serial, Shard, Shards, Streams, UnderWay, run, run_rounds,
};
use windfall_core::{Moments, Result};

/// Every job of the suite gives, byte for byte, the answer that the serial executor gives.
pub fn the_answers_are_those_of_the_serial_executor(on: &dyn Executor) {
    for spec in jobs() {
        let problem = REGISTRY.build(&spec, &source()).expect("the suite's jobs can be built");
        let expected = problem.solve(&Serial, &Control::default()).expect("they can be solved");
        let answer = problem.solve(on, &Control::default()).expect("here too");
        assert!(answer.to_bytes() == expected.to_bytes(), "{}", spec.to_toml());
    }
}

/// A job that cannot be written down runs where closures do, and is refused everywhere else.
pub fn what_cannot_travel_is_refused(on: &dyn Executor) {
    let probe = Probe::of(9);
    let outcome = run(&Job { spec: None, ..probe.job() }, on, &Control::default());
    if on.capabilities().carries == Carries::Closures {
        assert_eq!(outcome.expect("nothing fails").tasks, 9);
    } else {
        let refusal = outcome.map(|_| ()).unwrap_err();
        assert!(matches!(refusal.kind(), ErrorKind::Unsupported { .. }), "{refusal}");
        assert!(refusal.remedy().is_some(), "a refusal names a remedy");
    }
}

/// Every shard runs once and arrives once, from one to thousands.
pub fn every_shard_is_delivered_once(on: &dyn Executor) {
    for tasks in [1, 2, 3, 4, 100, 30_001] {
        let probe = Probe::of(tasks);
        let expected = run(&probe.job(), &Serial, &Control::default()).expect("nothing fails");
        let probe = Probe::of(tasks);
        let outcome = run(&probe.job(), on, &Control::default()).expect("nothing fails");
        assert!(outcome.complete);
        assert_eq!((outcome.tasks, outcome.partial.count()), (tasks, tasks));
        assert_eq!(outcome, expected);
        if on.capabilities().carries == Carries::Closures {
            assert!(probe.runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1));
        }
    }
}

/// A job with no tasks gives the empty partial and is complete.
pub fn a_job_without_tasks_is_complete(on: &dyn Executor) {
    let outcome = run(&Probe::of(0).job(), on, &Control::default()).expect("nothing fails");
    assert!(outcome.complete && outcome.tasks == 0 && outcome.partial.count() == 0);
}

/// A task's error comes back with its shard and seed, and the next job runs.
pub fn a_failing_task_is_named_and_the_executor_lives(on: &dyn Executor) {
    let script = Script { tasks: 9, fails: Some(4), ..Script::default() };
    a_broken_task_is_named(on, script, "task 4 does not feel well");
}

/// A task's panic comes back as an error with its shard and seed, and the next job runs.
pub fn a_panicking_task_is_named_and_the_executor_lives(on: &dyn Executor) {
    let script = Script { tasks: 9, panics: Some(4), ..Script::default() };
    a_broken_task_is_named(on, script, "task 4 panics");
}

fn a_broken_task_is_named(on: &dyn Executor, script: Script, text: &str) {
    let error = run(&Probe::new(script).job(), on, &Control::default()).map(|_| ()).unwrap_err();
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
    /// Stops the run when it has seen something done.
    struct Stopper(Cancel);
    impl Observer for Stopper {
        fn tick(&self, progress: &Progress) {
            if progress.tasks > 0 {
                self.0.stop();
            }
        }
    }
    // Some 20 s of sleep on one worker.
    let script = Script { tasks: 60_000, pause_ms: 1, ..Script::default() };
    let tasks = script.tasks;
    let stopper = Stopper(Cancel::default());
    let control = Control { cancel: stopper.0.clone(), ..Control::watched(&stopper) };
    let outcome = run(&Probe::new(script).job(), on, &control).expect("a stop is no failure");
    assert!(!outcome.complete);
    assert!(outcome.tasks > 0 && outcome.tasks < tasks, "{} tasks", outcome.tasks);
    assert_eq!(outcome.partial.count(), outcome.tasks);
    every_shard_is_delivered_once(on);
}

/// What a shard did before it was told to stop is kept where its kernel says so, and its tasks
/// count as not done.
pub fn a_stopped_shard_is_kept_where_its_kernel_says_so(on: &dyn Executor) {
    // Elsewhere no shard hears of a stop: it is done or given up.
    if on.capabilities().carries != Carries::Closures {
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
    let script = Script { tasks: 60, tasks_per_shard: 1, pause_ms: 5, ..Script::default() };
    run(&Probe::new(script).job(), on, &Control::watched(&watcher)).expect("nothing fails");
    // 300 ms of sleep on up to 3 workers: at least one look, and no more than one each 50 ms.
    assert!((1..=60).contains(&watcher.1.get()), "{} ticks", watcher.1.get());
}

/// An executor of several workers keeps the calling thread free to tick while shards are long.
pub fn somebody_ticks_while_shards_are_long(on: &dyn Executor) {
    if on.capabilities().workers == 1 {
        return;
    }
    struct Watcher(Cell<u32>);
    impl Observer for Watcher {
        fn tick(&self, _: &Progress) {
            self.0.set(self.0.get() + 1);
        }
    }
    let watcher = Watcher(Cell::new(0));
    let script =
        Script { tasks: 2, tasks_per_shard: 1, pause_ms: 300, is_long: true, ..Script::default() };
    run(&Probe::new(script).job(), on, &Control::watched(&watcher)).expect("nothing fails");
    assert!(watcher.0.get() >= 3, "{} ticks in 300 ms", watcher.0.get());
}

/// Where tasks share this process's memory, those under way are shown.
pub fn tasks_under_way_are_shown(on: &dyn Executor) {
    let Capabilities { workers, carries, .. } = on.capabilities();
    if workers == 1 || carries != Carries::Closures {
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
    struct Watcher(Cell<f64>);
    impl Observer for Watcher {
        fn tick(&self, progress: &Progress) {
            self.0.set(self.0.get().max(progress.share()));
        }
    }
    let watcher = Watcher(Cell::new(0.0));
    let streams = Streams::new(Seed::from(7u64), "long");
    let long = Long(AtomicU64::new(0));
    run(&Job::new(&long, streams), on, &Control::watched(&watcher)).expect("nothing fails");
    assert!(watcher.0.get() > 0.1, "the share grew to {} only", watcher.0.get());
}

/// A stop by tolerance comes after the same shards as on the serial executor.
pub fn rounds_stop_where_the_serial_executor_stops(on: &dyn Executor) {
    let stop = |on: &dyn Executor| {
        let (probe, rounds) = (Probe::of(100_000), Rounds::default());
        let enough = |moments: &Moments, _: u64| moments.mcse() < 0.01;
        run_rounds(&probe.job(), on, &Control::default(), rounds, enough).expect("no failure")
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
