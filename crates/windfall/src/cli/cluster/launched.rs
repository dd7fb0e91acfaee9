//! Engines that a launcher starts, as ranks of MPI: Python finds the launcher and becomes it.

use super::start::{Begun, LOOK, Launcher, Start};
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::process::{Child, Command, Stdio};
use windfall::{Error, Result, Stopwatch};

/// What is shown of what the launcher said, in bytes.
const TEXT_BYTES: usize = 16 * 1024;

/// Starts so many engines with so many threads, or submits a batch job that will.
pub(super) fn start(
    start: &Start,
    (engines, threads): (u32, u32),
    watch: &Stopwatch,
) -> Result<Begun> {
    let name = format!("cluster {}", start.which.name);
    let failed = |error| Error::io(&name, error);
    let text = File::from(windfall::cluster::os::unnamed_file().map_err(failed)?);
    let options = json!({
        "name": start.which.name, "engines": engines, "threads": threads,
        "launcher": if start.launcher == Launcher::Mpi { "mpi" } else { "slurm" },
        "mpirun": start.mpirun, "sbatch": start.sbatch,
    });
    let mut launcher = spawn(start, &text, &options.to_string())
        .map_err(|error| failed(error).hint("--python names the Python that engines run on"))?;
    loop {
        if let Some(state) = start.look(watch)? {
            return Ok(Begun::Runs(state, engines, threads));
        }
        if let Some(status) = launcher.try_wait().map_err(failed)? {
            let said = said(&text);
            if status.success() && start.launcher == Launcher::Slurm {
                return Ok(Begun::Waits(said));
            }
            let (what, hint) = said.trim().split_once("\nhint: ").unwrap_or((said.trim(), ""));
            let error = failed(std::io::Error::other(what.to_owned()));
            return Err(if hint.is_empty() { error } else { error.hint(hint) });
        }
        if watch.elapsed_s() > start.wait {
            // The launcher ends the ranks at SIGTERM; they would outlive it at SIGKILL.
            windfall::cluster::os::terminate(launcher.id());
            let _ = launcher.wait();
            let error = std::io::Error::other(format!("it takes too long; {}", said(&text)));
            return Err(failed(error).hint("--wait gives it more time"));
        }
        std::thread::sleep(LOOK);
    }
}

fn spawn(start: &Start, text: &File, options: &str) -> std::io::Result<Child> {
    let mut child = Command::new(&start.python)
        .args(["-m", "windfall._cluster.ranks.launch"])
        .stdin(Stdio::piped())
        .stdout(text.try_clone()?)
        .stderr(text.try_clone()?)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that has ended already says why on its own.
        let _ = stdin.write_all(options.as_bytes());
    }
    Ok(child)
}

/// What was said, the end of it if it is long.
fn said(text: &File) -> String {
    let length = text.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = vec![0; TEXT_BYTES];
    let count = text.read_at(&mut bytes, length.saturating_sub(TEXT_BYTES as u64)).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}
