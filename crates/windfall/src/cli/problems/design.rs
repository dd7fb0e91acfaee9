//! Flags that say how rows were sampled, for every problem that resamples them.

use clap::Args;
use serde::Serialize;

/// How rows were sampled, and hence are resampled.
#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Design {
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
