//! What a mapping costs beside the work: runs of shards that do nothing.

use super::mapping::Costs;
use crate::{
    Cancel, Control, Executor, Job, Kernel, Moments, Result, Seed, Shard, Shards, Stopwatch,
    Streams, Threads, run,
};

/// How often each size is run; the median counts.
const RUNS: usize = 31;
/// Shards of the run that tells what one costs.
const MANY: u64 = 20_000;

/// Shards that do nothing.
struct Nothing(u64);

impl Kernel for Nothing {
    type Partial = Moments;

    fn shards(&self) -> Shards {
        Shards::new(self.0, 1)
    }

    fn run_shard(&self, _: Shard, _: &Streams, _: &Cancel) -> Result<Moments> {
        Ok(Moments::default())
    }
}

/// Measures what `workers` threads of this process cost, in some 50 ms.
///
/// # Errors
/// As [`run`].
pub fn calibrate_threads(workers: usize) -> Result<Costs> {
    let time = |on: &dyn Executor, shards: u64, runs: usize| {
        median(runs, || {
            let kernel = Nothing(shards);
            let job = Job::new(&kernel, Streams::new(Seed::from(0u64), "nothing"));
            let watch = Stopwatch::start();
            run(&job, on, &Control::default())?;
            Ok(watch.elapsed_s())
        })
    };
    let one = Threads::new(1);
    let round_s = time(&one, 1, RUNS)?;
    let shard_s = (time(&one, MANY, 3)? - round_s).max(0.0) / MANY as f64;
    let started_s = time(&Threads::new(workers), workers as u64, RUNS)?;
    let others = workers.saturating_sub(1).max(1) as f64;
    let worker_s = (started_s - round_s).max(0.0) / others;
    Ok(Costs { round_s, worker_s, shard_s, ..Costs::NONE })
}

/// The median of what `measure` yields.
///
/// # Errors
/// Those of `measure`.
pub fn median(runs: usize, mut measure: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut found = (0..runs.max(1)).map(|_| measure()).collect::<Result<Vec<f64>>>()?;
    found.sort_by(f64::total_cmp);
    Ok(found[found.len() / 2])
}
