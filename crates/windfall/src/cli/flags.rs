//! Flags that every run has, and how values are written on the command line.

use super::checkpoint::OfCheckpoint;
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;
use windfall::machine::{self, Workers};
use windfall::{Result, Seed};

/// Flags of everything that runs.
#[derive(Args, Clone, Debug)]
pub(super) struct Common {
    /// Worker threads [default: what affinity, cgroup quota and Slurm grant]
    #[arg(long, value_name = "N", help_heading = "Running", allow_negative_numbers = true)]
    pub workers: Option<String>,
    /// Run on the engines of this cluster instead of threads; see `windfall start`
    #[arg(long, value_name = "CLUSTER", help_heading = "Running", conflicts_with = "workers")]
    pub on: Option<String>,
    /// Print one JSON object; all that may differ from run to run lies under its key `run`
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Show no progress
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
}

impl Common {
    /// The number of workers, asked for or found.
    pub(super) fn workers(&self) -> Result<Workers> {
        match &self.workers {
            Some(text) => Workers::asked(text, "--workers"),
            None => machine::workers(),
        }
    }
}

/// Flags of everything that makes one job and runs it.
#[derive(Args, Clone, Debug)]
pub(super) struct OfJob {
    /// The seed, 0 to 2^128 - 1; the same seed gives the same bytes [default: a fresh one]
    #[arg(
        long,
        value_name = "SEED",
        help_heading = "Running",
        value_parser = seed,
        allow_negative_numbers = true
    )]
    pub seed: Option<Seed>,
    #[command(flatten)]
    pub checkpoint: OfCheckpoint,
    /// Then time the job on one worker and on all, in turn, and print the speed-up
    #[arg(long, help_heading = "Running")]
    pub speedup: bool,
    /// Write the job, seed included, as TOML (or JSON, if FILE ends in .json) for `windfall run`
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub write_job: Option<PathBuf>,
}

/// Flags of problems that can keep the distribution they simulate.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct OfDistribution {
    /// Write the distribution, one row a resample, to a .csv, .tsv or .parquet file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Draw the distribution with its estimate and interval into a .svg or .png file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub plot: Option<PathBuf>,
}

/// Flags of problems whose answer is a table and that can keep the replicates behind it.
#[derive(Args, Clone, Debug)]
pub(super) struct OfReplicates {
    /// Write the table to a .csv, .tsv or .parquet file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Draw the measures with their Monte Carlo errors into a .svg or .png file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub plot: Option<PathBuf>,
    /// Write every replicate, one row a method, to a .csv, .tsv or .parquet file for --extend
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub keep: Option<PathBuf>,
}

/// Flags of problems whose answer is a table.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct OfTable {
    /// Write the table to a .csv, .tsv or .parquet file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Draw the coefficients with their intervals into a .svg or .png file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub plot: Option<PathBuf>,
}

fn seed(text: &str) -> Result<Seed, String> {
    text.parse().map_err(|_| "give a whole number from 0 to 2^128 - 1".to_owned())
}

/// A number, such as `1000` or `1e9`; anything else stays text, for the problem to refuse by name.
pub(super) fn number(text: &str) -> Result<Value, std::convert::Infallible> {
    let whole = text.parse::<u64>().map(Value::from).ok();
    let float = || text.parse::<f64>().ok().filter(|x| x.is_finite()).map(Value::from);
    Ok(whole.or_else(float).unwrap_or_else(|| text.into()))
}

/// Bounds such as `0:1,-inf:inf`, one pair a dimension, as a list of pairs.
pub(super) fn bounds(text: &str) -> Result<Value, String> {
    let pair = |part: &str| {
        let (low, high) = part
            .split_once(':')
            .ok_or_else(|| format!("`{part}` is no pair; write LOW:HIGH,LOW:HIGH,…"))?;
        let Ok(low) = number(low.trim());
        let Ok(high) = number(high.trim());
        Ok(Value::from(vec![low, high]))
    };
    text.split(',').map(pair).collect()
}
