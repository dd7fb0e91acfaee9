//! Measure what threads, engines and, where they are, MPI's ranks cost here.

use super::super::cluster::NewEngines;
use super::actual::mpirun;
use std::io::Write;
use windfall::cluster::jobs::Engines;
use windfall::files::{Folder, replace};
use windfall::plan::{Costs, MPI, Mapping, calibrate_engines, calibrate_threads, median};
use windfall::{Cancel, REGISTRY, Result, Stopwatch, machine};

/// How often a cluster is started; the median counts.
const STARTS: usize = 5;

/// The costs of each mapping that can be measured here.
pub(super) fn measure(workers: usize) -> Result<Vec<(String, Costs)>> {
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
    let costs = calibrate_engines(&on, default("engines"))?;
    engines.stop()?;
    found.push(("engines".into(), costs));
    found.push(("new-engines".into(), Costs { start_s, ..costs }));
    if machine::is_on_path(&MPI) {
        found.push(("mpi".into(), Costs { start_s: ranks_s(workers)?, ..default("mpi") }));
    }
    Ok(found)
}

/// What `workers` ranks take for a job that is next to nothing.
fn ranks_s(workers: usize) -> Result<f64> {
    let path = std::env::temp_dir().join(format!("windfall-plan-{}.toml", std::process::id()));
    replace(&path, |file| file.write_all(b"problem = 'pi'\nn = 1000\nseed = 1\n"))?;
    let seconds = median(STARTS, || {
        let watch = Stopwatch::start();
        mpirun(workers, &path, &Cancel::default())?;
        Ok(watch.elapsed_s())
    });
    drop(std::fs::remove_file(&path));
    seconds
}
