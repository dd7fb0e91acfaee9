//! The commands of Slurm that are needed, and what they say.

use std::io::ErrorKind as Io;
use std::process::Command;
use windfall::{Error, Result};

/// Runs a command of Slurm and returns what it prints.
fn slurm(name: &str, arguments: &[String]) -> Result<String> {
    let output = Command::new(name).args(arguments).output().map_err(|error| {
        let is_absent = error.kind() == Io::NotFound;
        let error = Error::io(
            name,
            if is_absent { "there is no such command".into() } else { error.to_string() },
        );
        error.hint("run this where Slurm's commands are, such as a login node")
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::io(name, said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Submits a script; returns the number of its job.
pub(super) fn submit(arguments: &[String]) -> Result<String> {
    let printed = slurm("sbatch", &[&["--parsable".to_owned()], arguments].concat())?;
    // On a federation the name of the cluster follows.
    Ok(printed.trim().split(';').next().unwrap_or_default().to_owned())
}

/// The states of what is in the queue of these jobs, one for each task of an array.
pub(super) fn states(jobs: &[&str]) -> Result<Vec<String>> {
    let wanted = ["-h", "-r", "-o", "%T", "-j"].map(str::to_owned);
    match slurm("squeue", &[&wanted[..], &[jobs.join(",")]].concat()) {
        Ok(printed) => Ok(printed.lines().map(|line| line.trim().to_owned()).collect()),
        // It forgets jobs a while after their end.
        Err(error) if error.to_string().contains("Invalid job id") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Takes jobs out of the queue and ends those that run.
pub(super) fn cancel(jobs: &[&str]) -> Result<()> {
    slurm("scancel", &jobs.iter().map(|&job| job.to_owned()).collect::<Vec<_>>()).map(drop)
}

/// The most tasks of an array, if Slurm tells: the highest index is one less.
pub(super) fn tasks_max() -> Option<u64> {
    let printed = slurm("scontrol", &["show", "config"].map(str::to_owned)).ok()?;
    let setting = |line: &str| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "MaxArraySize").then(|| value.trim().parse().ok())?
    };
    printed.lines().find_map(setting)
}
