//! Flags of `windfall bootstrap`.

use super::design::Design;
use super::{number, one_or_many};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Bootstrap {
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
