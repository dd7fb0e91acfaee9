//! Costs that were measured on this machine, kept in a file.

use crate::machine;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use windfall_core::plan::{Costs, median};
use windfall_core::{
    Control, Error, ErrorKind, Executor, JobSpec, Result, Serial, Stopwatch, now_us,
};
use windfall_stats::REGISTRY;

/// Costs of mappings by their names, and when and where they were measured. In the file each
/// mapping may be given by hand, too: what is left out of it costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The machine.
    #[serde(default)]
    pub host: String,
    /// The version of Windfall.
    #[serde(default)]
    pub version: String,
    /// When, in microseconds since 1970.
    #[serde(default)]
    pub time_us: u64,
    /// The costs of each mapping.
    pub mappings: BTreeMap<String, Costs>,
}

impl Calibration {
    /// What the mapping called `name` costs, if that was measured.
    pub fn costs(&self, name: &str) -> Option<Costs> {
        self.mappings.get(name).copied()
    }

    /// This one as measured here and now, with `found` in it; what was given by hand or measured
    /// before stays.
    #[must_use]
    pub fn with(self, found: impl IntoIterator<Item = (String, Costs)>) -> Self {
        let mappings = self.mappings.into_iter().chain(found).collect();
        let (host, version) = (machine::host().into(), env!("CARGO_PKG_VERSION").into());
        Self { host, version, time_us: now_us(), mappings }
    }

    pub(super) fn source(&self) -> String {
        match self.host == machine::host() {
            true => "measured here".into(),
            false => format!("measured on {}", self.host),
        }
    }
}

/// How often each job is run.
const RUNS: usize = 15;
/// Shards of the job that tells what one costs, for each order.
const SHARDS: u64 = 200;

/// A job file that has next to no work: replicates of a study of one draw, each a shard.
pub fn study(replicates: u64) -> String {
    format!(
        "problem = 'simulate'\nseed = 1\nreplicates = {replicates}\n\
         generate = ['x = normal(0, 1)']\nmethod = ['mean(x)']\ntruth = '0'\ngrid = ['n = 2']\n"
    )
}

/// Measures what engines that run cost, by [`study`] on one shard, on as many as make the orders
/// that workers get, and on many times that. `start_s` is for whoever has started them.
///
/// # Errors
/// As [`windfall_core::Problem::solve`]; [`ErrorKind::Interrupted`] if it was stopped.
pub fn calibrate_engines(
    on: &dyn Executor,
    defaults: Costs,
    control: &Control<'_>,
) -> Result<Costs> {
    let workers = on.capabilities().workers;
    calibrate((workers, RUNS), defaults, |replicates| study_s(on, replicates, control))
}

/// The costs of `workers` workers that solve the [`study`] of so many replicates in the seconds
/// that `there` finds, each measured `runs` times.
///
/// # Errors
/// Those of `there`.
pub fn calibrate(
    (workers, runs): (usize, usize),
    defaults: Costs,
    mut there: impl FnMut(u64) -> Result<f64>,
) -> Result<Costs> {
    let each = defaults.orders_per_worker.unwrap_or(1);
    let orders = each * workers as u64;
    let mut cost = |replicates: u64| -> Result<f64> {
        let here_s = median(RUNS, || study_s(&Serial, replicates, &Control::default()))?;
        Ok((median(runs, || there(replicates))? - here_s).max(0.0))
    };
    // The most first: it warms the engines up for the others, which are short.
    let many_s = cost(SHARDS * orders)?;
    let all_s = cost(orders)?;
    let one_s = cost(1)?;
    let order_s = ((all_s - one_s) / each as f64).max(1e-6);
    let shard_s = ((many_s - all_s) / (SHARDS * each) as f64).max(0.0);
    Ok(Costs { round_s: (one_s - order_s).max(0.0), order_s, shard_s, ..defaults })
}

fn study_s(on: &dyn Executor, replicates: u64, control: &Control<'_>) -> Result<f64> {
    let spec = JobSpec::from_toml(&study(replicates))?;
    let problem = REGISTRY.build(&spec, &crate::files::Folder::default())?;
    let watch = Stopwatch::start();
    let answer = problem.solve(on, control)?;
    match answer.complete {
        true => Ok(watch.elapsed_s()),
        false => Err(Error::new(ErrorKind::Interrupted)),
    }
}
