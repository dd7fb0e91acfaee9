//! The flags of each problem. Serialised they are its options in a job file: field by field, what
//! was not given left out. The problem checks them; here they are only named and described.

use super::flags::{bounds, number};
use super::job::Job;
use clap::Args;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::path::PathBuf;
use windfall::Result;

/// Flags that make a job.
pub(super) trait Flags {
    /// The job that they describe.
    fn job(&self) -> Result<Job>;
}

/// Gives each of these flags' structs the job of the problem with this name.
macro_rules! problems {
    ($($flags:ident is $name:literal;)*) => {
        $(impl Flags for $flags {
            fn job(&self) -> Result<Job> {
                Ok(Job::from_flags($name, self))
            }
        })*
    };
}

problems! {
    Pi is "pi";
    Integrate is "integrate";
    Bootstrap is "bootstrap";
    Jackknife is "jackknife";
}

/// A job file.
#[derive(Args, Debug)]
pub(super) struct File {
    /// The job: TOML, or JSON if it ends in .json
    #[arg(value_name = "FILE")]
    path: PathBuf,
}

impl Flags for File {
    fn job(&self) -> Result<Job> {
        Job::from_file(&self.path)
    }
}

#[derive(Args, Debug, Serialize)]
pub(super) struct Pi {
    /// Number of points, such as 1e9 [default: 1e8]
    #[arg(short, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    n: Option<Value>,
}

#[derive(Args, Debug, Serialize)]
pub(super) struct Integrate {
    /// The integrand: a formula in x0, x1, …, such as 'exp(-(x0^2+x1^2))'
    formula: String,
    /// Bounds, one pair a dimension, such as -1:1,0:inf
    #[arg(long, value_name = "LOW:HIGH,…", value_parser = bounds, allow_hyphen_values = true)]
    bounds: Value,
    /// Number of points [default: 1e6]; with --tolerance the most there may be [default: 1e10]
    #[arg(short, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    n: Option<Value>,
    /// Stop as soon as the Monte Carlo standard error is at most this
    #[arg(long, value_name = "ERROR", value_parser = number, allow_negative_numbers = true)]
    tolerance: Option<Value>,
    /// plain, stratified or sobol [default: plain]
    #[arg(long, short, value_name = "METHOD")]
    method: Option<String>,
    /// Randomised copies of the Sobol points, from which the error comes [default: 16]
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    replicates: Option<Value>,
    /// Confidence level of the interval [default: 0.95]
    #[arg(long, value_name = "LEVEL", value_parser = number, allow_negative_numbers = true)]
    level: Option<Value>,
}

/// How rows were sampled, and hence are resampled.
#[derive(Args, Debug, Serialize)]
struct Design {
    /// Resample rows within each stratum: a column
    #[arg(long, value_name = "COLUMN", help_heading = "Design")]
    strata: Option<String>,
    /// Independent samples, one a label: a column; `x.label` names column x of one of them
    #[arg(long, value_name = "COLUMN", help_heading = "Design")]
    groups: Option<String>,
    /// Resample whole clusters of rows: a column
    #[arg(long, value_name = "COLUMN", help_heading = "Design")]
    clusters: Option<String>,
    /// Case weights, which go with their rows: a column
    #[arg(long, value_name = "COLUMN", help_heading = "Design")]
    weights: Option<String>,
}

#[derive(Args, Debug, Serialize)]
pub(super) struct Bootstrap {
    /// The table: a CSV or Parquet file
    #[arg(value_name = "FILE")]
    data: String,
    /// What to estimate, such as 'correlation(lsat, gpa)'; may be given several times
    #[arg(long, short, value_name = "STATISTIC", required = true)]
    #[serde(serialize_with = "one_or_many")]
    statistic: Vec<String>,
    /// Interval: percentile, basic, normal, bca or studentised [default: bca]
    #[arg(long, short, value_name = "METHOD")]
    method: Option<String>,
    /// Number of resamples [default: 9999]; with --tolerance the most there may be
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true
    )]
    resamples: Option<Value>,
    /// Stop as soon as the Monte Carlo standard errors of the interval's ends are at most this
    #[arg(long, value_name = "ERROR", value_parser = number, allow_negative_numbers = true)]
    tolerance: Option<Value>,
    /// Confidence level of the interval [default: 0.95]
    #[arg(long, value_name = "LEVEL", value_parser = number, allow_negative_numbers = true)]
    level: Option<Value>,
    /// two-sided, less (no lower end) or greater (no upper end) [default: two-sided]
    #[arg(long, value_name = "SIDE")]
    alternative: Option<String>,
    /// Draw smooth weights for the rows instead of counts (the Bayesian bootstrap)
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bayesian: bool,
    /// Resamples of each resample, for studentised intervals [default: 50]
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    inner_resamples: Option<Value>,
    #[command(flatten)]
    #[serde(flatten)]
    design: Design,
    /// Blocks of a time series: moving, circular or stationary
    #[arg(long, value_name = "KIND", help_heading = "Design")]
    blocks: Option<String>,
    /// Rows of a block (stationary: on average)
    #[arg(
        long,
        value_name = "ROWS",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Design"
    )]
    block_length: Option<Value>,
}

#[derive(Args, Debug, Serialize)]
pub(super) struct Jackknife {
    /// The table: a CSV or Parquet file
    #[arg(value_name = "FILE")]
    data: String,
    /// What to estimate, such as 'correlation(lsat, gpa)'; may be given several times
    #[arg(long, short, value_name = "STATISTIC", required = true)]
    #[serde(serialize_with = "one_or_many")]
    statistic: Vec<String>,
    #[command(flatten)]
    #[serde(flatten)]
    design: Design,
}

/// One text as itself, several as a list.
fn one_or_many<S: Serializer>(texts: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match texts {
        [one] => one.serialize(serializer),
        many => many.serialize(serializer),
    }
}
