//! Will parallel pay, and on what? The planner of the core with what only this machine knows.
//!
//! ```
//! use windfall::plan::{self, Here, Limits};
//! use windfall::{Control, JobSpec, files::Folder};
//! let spec = JobSpec::from_toml("problem = 'pi'\nn = 1e6\nseed = 1")?;
//! let here = Here::new(2);
//! let plan = plan::of_job(&spec, &Folder::default(), &here, &Control::default())?;
//! assert!(plan.predictions.iter().any(|one| one.mapping.title() == "threads × 2"));
//! assert!(plan.recommendation().seconds < 1.0, "{}", plan.reason);
//! # Ok::<(), windfall::Error>(())
//! ```

mod calibration;
mod here;
mod report;
mod state;

pub use calibration::{Calibration, calibrate, calibrate_engines, study};
pub use here::{Here, MPI};
pub use report::to_json;
pub use state::{State, keep};
pub use windfall_core::plan::*;

use std::sync::{Mutex, PoisonError};
use windfall_core::{Control, JobSpec, Problem, Result, Source, Stopwatch, Table};
use windfall_stats::REGISTRY;

/// A problem that is built in less than this, in seconds, is built so many times more.
const AGAIN_S: f64 = 0.05;
const AGAIN: usize = 5;

/// Builds the job that `spec` describes, runs a pilot of it, and predicts it on the mappings of
/// `here`.
///
/// # Errors
/// As [`windfall_core::Registry::build`] and [`pilot`].
pub fn of_job(
    spec: &JobSpec,
    source: &dyn Source,
    here: &Here,
    control: &Control<'_>,
) -> Result<Plan> {
    let (problem, mut read_s, mut build_s) = build(spec, source)?;
    // The first time warms caches; who asks for a plan means the usual time.
    if read_s + build_s < AGAIN_S {
        let again = (0..AGAIN).map(|_| build(spec, source).map(|(_, read, build)| (read, build)));
        let mut times = again.collect::<Result<Vec<(f64, f64)>>>()?;
        times.sort_by(|one, other| (one.0 + one.1).total_cmp(&(other.0 + other.1)));
        (read_s, build_s) = times[AGAIN / 2];
    }
    let mut profile = pilot(problem.as_ref(), here.limits(), control)?;
    (profile.read_s, profile.build_s) = (read_s, build_s);
    of_profile(profile, here)
}

/// Predicts what a pilot has found on the mappings of `here`.
///
/// # Errors
/// As [`Here::mappings`].
pub fn of_profile(profile: Profile, here: &Here) -> Result<Plan> {
    let mappings = here.mappings(&profile)?;
    Plan::new(profile, &mappings, &here.errors)
}

/// The problem of a job, and what it took to read its data and to build it, in seconds.
///
/// # Errors
/// As [`windfall_core::Registry::build`].
pub fn build(spec: &JobSpec, source: &dyn Source) -> Result<(Box<dyn Problem>, f64, f64)> {
    let timed = Timed { source, read_s: Mutex::new(0.0) };
    let watch = Stopwatch::start();
    let problem = REGISTRY.build(spec, &timed)?;
    let all_s = watch.elapsed_s();
    let read_s = timed.read_s.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((problem, read_s, (all_s - read_s).max(0.0)))
}

/// A source that notes how long it takes.
struct Timed<'a> {
    source: &'a dyn Source,
    read_s: Mutex<f64>,
}

impl Source for Timed<'_> {
    fn table(&self, path: &str) -> Result<Table> {
        let watch = Stopwatch::start();
        let table = self.source.table(path);
        *self.read_s.lock().unwrap_or_else(PoisonError::into_inner) += watch.elapsed_s();
        table
    }
}
