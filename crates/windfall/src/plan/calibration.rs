//! Costs that were measured on this machine, kept in a file.

use crate::machine;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use windfall_core::plan::{Costs, median};
use windfall_core::{Control, Executor, JobSpec, Result, Serial, Stopwatch, now_us};
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
    /// One of this machine, made now, without costs yet.
    pub fn begin() -> Self {
        let (host, version) = (machine::host().into(), env!("CARGO_PKG_VERSION").into());
        Self { host, version, time_us: now_us(), mappings: BTreeMap::new() }
    }

    /// What the mapping called `name` costs, if that was measured.
    pub fn costs(&self, name: &str) -> Option<Costs> {
        self.mappings.get(name).copied()
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
/// Shards of the job that tells what one costs, for each worker.
const SHARDS: u64 = 200;

/// Measures what engines cost, by jobs that have next to no work: replicates of a study of one
/// draw, each a shard of its own. `start_s` is for whoever has started them.
///
/// # Errors
/// As [`windfall_core::Problem::solve`].
pub fn calibrate_engines(on: &dyn Executor, defaults: Costs) -> Result<Costs> {
    let workers = on.capabilities().workers as u64;
    let each = defaults.orders_per_worker.unwrap_or(1);
    let time = |on: &dyn Executor, replicates: u64| {
        median(RUNS, || {
            let spec = JobSpec::from_toml(&format!(
                "problem = 'simulate'\nseed = 1\nreplicates = {replicates}\n\
                 generate = ['x = normal(0, 1)']\nmethod = ['mean(x)']\ntruth = '0'\n\
                 grid = ['n = 2']\n"
            ))?;
            let problem = REGISTRY.build(&spec, &crate::files::Folder::default())?;
            let watch = Stopwatch::start();
            problem.solve(on, &Control::default())?;
            Ok(watch.elapsed_s())
        })
    };
    let cost = |replicates| Ok((time(on, replicates)? - time(&Serial, replicates)?).max(0.0));
    let one_s: f64 = cost(1)?;
    let all_s = cost(each * workers)?;
    let order_s = ((all_s - one_s) / each as f64).max(1e-6);
    let many_s = cost(SHARDS * each * workers)?;
    let shard_s = ((many_s - all_s) / (SHARDS * each) as f64).max(0.0);
    Ok(Costs { round_s: (one_s - order_s).max(0.0), order_s, shard_s, ..defaults })
}
