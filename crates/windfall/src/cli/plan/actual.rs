//! Run the job on a mapping, from its file to its answer, and time it.

use super::super::cluster::NewEngines;
use super::super::job::Job;
use std::path::Path;
use std::process::{Command, Stdio};
use windfall::cluster::jobs::Engines;
use windfall::plan::{Mapping, build};
use windfall::{
    Cancel, Control, Error, ErrorKind, Executor, REGISTRY, Result, Serial, Stopwatch, Threads,
};

/// A job that is shorter than this, in seconds, is run so many times, and the median counts: so it
/// does in the pilot.
const SHORT_S: f64 = 0.5;
const RUNS: usize = 5;

/// Seconds from the job to its answer on `mapping`.
///
/// # Errors
/// As the run itself; [`ErrorKind::Interrupted`] if it was stopped.
pub(super) fn seconds(mapping: &Mapping, job: (&Job, &Path), cancel: &Cancel) -> Result<f64> {
    let mut found = vec![once(mapping, job, cancel)?];
    while found[0] < SHORT_S && found.len() < RUNS {
        found.push(once(mapping, job, cancel)?);
    }
    found.sort_by(f64::total_cmp);
    Ok(found[found.len() / 2])
}

fn once(mapping: &Mapping, (job, path): (&Job, &Path), cancel: &Cancel) -> Result<f64> {
    let watch = Stopwatch::start();
    let place = mapping.place.as_deref().unwrap_or_default();
    match mapping.name.as_str() {
        "threads" => solve(job, &Threads::new(mapping.workers), cancel)?,
        "engines" => solve(job, &Engines::new(place, None, &REGISTRY, &job.folder)?, cancel)?,
        "new-engines" => {
            let engines = NewEngines::start(mapping.workers)?;
            solve(job, &Engines::new(engines.name(), None, &REGISTRY, &job.folder)?, cancel)?;
            let seconds = watch.elapsed_s();
            engines.stop()?;
            return Ok(seconds);
        }
        "mpi" => drop(mpirun(mapping.workers, path, cancel)?),
        "slurm" => slurm(mapping.workers, path, cancel)?,
        _ => solve(job, &Serial, cancel)?,
    }
    Ok(watch.elapsed_s())
}

fn solve(job: &Job, on: &dyn Executor, cancel: &Cancel) -> Result<()> {
    let (problem, ..) = build(&job.spec, &job.folder)?;
    let answer = problem.solve(on, &Control { cancel: cancel.clone(), observer: None })?;
    whole(answer.complete)
}

/// Runs the job in the file at `path` on so many ranks; returns the answer that they print.
pub(super) fn mpirun(ranks: usize, path: &Path, cancel: &Cancel) -> Result<Vec<u8>> {
    let mut command = Command::new("mpirun");
    command.args(["-n", &ranks.to_string(), "windfall-mpi", "run", "--json", "--quiet"]).arg(path);
    printed(&mut command, cancel)
}

/// Submits the job in the file at `path` as an array of so many tasks and waits for its answer.
fn slurm(tasks: usize, path: &Path, cancel: &Cancel) -> Result<()> {
    // Beside the job: what the nodes are to see lies where they see the job's data.
    let folder = path.with_extension(format!("plan-{}", std::process::id()));
    let own = std::env::current_exe().map_err(|error| Error::io("windfall", error))?;
    let windfall = |arguments: &[&str], paths: &[&Path]| {
        printed(Command::new(&own).args(arguments).args(paths), cancel)
    };
    let tasks = tasks.to_string();
    let submit = ["submit", "--slurm", "--tasks", &tasks, "--dir"];
    let done = windfall(&submit, &[&folder, path])
        .and_then(|_| windfall(&["fetch", "--wait", "--json", "--quiet"], &[&folder]));
    if done.is_err() {
        drop(Command::new(&own).arg("cancel").arg(&folder).output());
    }
    drop(std::fs::remove_dir_all(&folder));
    done.map(drop)
}

/// What a command prints, if it succeeds.
fn printed(command: &mut Command, cancel: &Cancel) -> Result<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.stdin(Stdio::null()).output();
    let done = done.map_err(|error| Error::io(&name, error))?;
    whole(!cancel.is_stopped())?;
    match done.status.success() {
        true => Ok(done.stdout),
        false => Err(Error::io(&name, String::from_utf8_lossy(&done.stderr).trim())),
    }
}

fn whole(complete: bool) -> Result<()> {
    if complete { Ok(()) } else { Err(Error::new(ErrorKind::Interrupted)) }
}
