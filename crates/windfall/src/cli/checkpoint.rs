//! The flags of a checkpoint, and what is said of one.

use super::job::Job;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use windfall::Result;
use windfall::checkpoint::Checkpoint;

/// The flags of a checkpoint.
#[derive(Args, Clone, Debug)]
pub(super) struct OfCheckpoint {
    /// Keep finished shards in this folder, and go on from those that it holds: after a crash, or
    /// with more draws
    #[arg(long, value_name = "DIR", help_heading = "Running")]
    checkpoint: Option<PathBuf>,
    /// Seconds between two times that the checkpoint is forced to the disk
    #[arg(long, value_name = "S", help_heading = "Running", default_value_t = 1.0)]
    #[arg(requires = "checkpoint", value_parser = seconds)]
    checkpoint_interval_s: f64,
}

impl OfCheckpoint {
    /// The checkpoint that is asked for; a job without a seed gets that of the run which began it.
    pub(super) fn open(&self, job: &mut Job) -> Result<Option<Checkpoint>> {
        let Some(folder) = &self.checkpoint else { return Ok(None) };
        let kept = Checkpoint::open(folder, Duration::from_secs_f64(self.checkpoint_interval_s))?;
        if let Some(damage) = kept.damage() {
            say(&format!("note: {damage}"));
        }
        if job.spec.seed.is_none() {
            job.spec.seed = Checkpoint::seed_in(folder)?;
        }
        Ok(Some(kept))
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds from 0.001 to 86400".into()),
    }
}

/// Says `text` on standard error.
fn say(text: &str) {
    // There is nowhere left to say that standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}
