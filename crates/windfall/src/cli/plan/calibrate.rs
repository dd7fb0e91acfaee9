//! Measure what threads, engines and, where they are, MPI's ranks cost here.

use super::super::cluster::NewEngines;
use super::actual::mpirun;
use serde_json::Value;
use std::io::Write;
use windfall::cluster::jobs::Engines;
use windfall::files::{Folder, replace};
use windfall::plan::{Costs, MPI, Mapping, calibrate, calibrate_engines, calibrate_threads};
use windfall::plan::{median, study};
use windfall::{Cancel, Control, Error, REGISTRY, Result, Stopwatch, machine};

/// How often a cluster is started; the median counts.
const STARTS: usize = 5;

/// The costs of each mapping that can be measured here.
pub(super) fn measure(workers: usize, cancel: &Cancel) -> Result<Vec<(String, Costs)>> {
    let default = |name| Mapping::of_default(name, workers).map_or(Costs::NONE, |row| row.costs);
    let mut found = Vec::new();
    if workers > 1 {
        found.push(("threads".into(), calibrate_threads(workers)?));
    }
    let start_s = median(STARTS, || {
        let watch = Stopwatch::start();
        let engines = NewEngines::start(workers)?;
        let seconds = watch.elapsed_s();
        engines.stop()?;
        Ok(seconds)
    })?;
    let engines = NewEngines::start(workers)?;
    let folder = Folder::default();
    let on = Engines::new(engines.name(), None, &REGISTRY, &folder)?;
    let control = Control { cancel: cancel.clone(), observer: None };
    let costs = calibrate_engines(&on, default("engines"), &control)?;
    engines.stop()?;
    found.push(("engines".into(), costs));
    found.push(("new-engines".into(), Costs { start_s, ..costs }));
    if machine::is_on_path(&MPI) {
        found.push(("mpi".into(), ranks(workers, default("mpi"), cancel)?));
    }
    Ok(found)
}

/// The costs of `workers` ranks: their start by the clock, the rest by what they say of their runs.
fn ranks(workers: usize, defaults: Costs, cancel: &Cancel) -> Result<Costs> {
    let path = std::env::temp_dir().join(format!("windfall-plan-{}.toml", std::process::id()));
    let told = |replicates: u64| {
        replace(&path, |file| file.write_all(study(replicates).as_bytes()))?;
        let watch = Stopwatch::start();
        let printed = mpirun(workers, &path, cancel)?;
        let all_s = watch.elapsed_s();
        let object: Value = serde_json::from_slice(&printed).unwrap_or_default();
        match object["run"]["seconds"].as_f64() {
            Some(run_s) => Ok((run_s, all_s)),
            None => Err(Error::wire("an answer of windfall-mpi without `run.seconds`")),
        }
    };
    let costs = calibrate((workers, STARTS), defaults, |replicates| Ok(told(replicates)?.0));
    let start_s = median(STARTS, || told(1).map(|(run_s, all_s)| all_s - run_s));
    drop(std::fs::remove_file(&path));
    Ok(Costs { start_s: start_s?, ..costs? })
}
