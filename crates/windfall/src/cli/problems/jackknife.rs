//! Flags of `windfall jackknife`.

use super::design::Design;
use super::one_or_many;
use clap::Args;
use serde::Serialize;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Jackknife {
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
