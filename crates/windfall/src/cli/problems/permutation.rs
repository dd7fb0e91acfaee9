//! Flags of `windfall permutation`.

use super::{number, one_or_many};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Permutation {
    /// The table: a CSV or Parquet file
    #[arg(value_name = "FILE")]
    data: String,
    /// What to test, such as 'mean_difference(x)'; several are tested together
    #[arg(long, short, value_name = "STATISTIC", required = true)]
    #[serde(serialize_with = "one_or_many")]
    statistic: Vec<String>,
    /// Permute the labels of independent samples: a column
    #[arg(long, value_name = "COLUMN", help_heading = "Design")]
    groups: Option<String>,
    /// Exchange related values within each row: columns, such as before,after; of one, its sign
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = "Design")]
    #[serde(serialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    samples: Vec<String>,
    /// Permute columns, together, against all others
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = "Design")]
    #[serde(serialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    permute: Vec<String>,
    /// Permute each of those columns by itself
    #[arg(long, requires = "permute", help_heading = "Design")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    separately: bool,
    /// Permute within each stratum: a column
    #[arg(long, value_name = "COLUMN", help_heading = "Design")]
    strata: Option<String>,
    /// two-sided (twice the smaller tail), less, greater or absolute [default: greater for
    /// statistics such as F, two-sided for others]
    #[arg(long, value_name = "SIDE")]
    alternative: Option<String>,
    /// Permutations [default: 9999]; if there are no more distinct ones, all are looked at
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true
    )]
    resamples: Option<Value>,
    /// Stop as soon as the Monte Carlo standard errors of all p-values are at most this
    #[arg(long, value_name = "ERROR", value_parser = number, allow_negative_numbers = true)]
    tolerance: Option<Value>,
    /// Stop at so many permutations as extreme as the data (Besag and Clifford)
    #[arg(long, value_name = "H", value_parser = number, allow_negative_numbers = true)]
    exceedances: Option<Value>,
    /// Confidence level of the interval of a p-value [default: 0.95]
    #[arg(long, value_name = "LEVEL", value_parser = number, allow_negative_numbers = true)]
    level: Option<Value>,
}
