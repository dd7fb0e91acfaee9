//! Flags of `windfall simulate`.

use super::{number, one_or_many};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Simulate {
    /// A factor with its levels, such as 'n = 20, 50'; several make a grid of conditions
    #[arg(long, value_name = "FACTOR", help_heading = "Conditions", conflicts_with = "data")]
    #[serde(serialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    grid: Vec<String>,
    /// The conditions, one a row: a CSV or Parquet file
    #[arg(long = "conditions", value_name = "FILE", help_heading = "Conditions")]
    data: Option<String>,
    /// Conditions draw from the same streams: less noise in their differences
    #[arg(long, help_heading = "Conditions")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    common_random_numbers: bool,
    /// A column of data, such as 'x = normal(d, 1)' or 'y = 2*x + e'; may be given several times
    #[arg(long, short, value_name = "COLUMN", required = true)]
    #[serde(serialize_with = "one_or_many")]
    generate: Vec<String>,
    /// Rows of data, a formula of the condition [default: the factor n]
    #[arg(long, value_name = "FORMULA", allow_hyphen_values = true)]
    rows: Option<String>,
    /// A method, such as 'mean(x)' or 'cv = sd(x)/mean(x); interval = bca'; may be given several
    /// times
    #[arg(long, short, value_name = "METHOD", required = true)]
    #[serde(serialize_with = "one_or_many")]
    method: Vec<String>,
    /// The truth, a formula of the condition; without it there is no bias and no coverage
    #[arg(long, value_name = "FORMULA", allow_hyphen_values = true)]
    truth: Option<String>,
    /// The null hypothesis of the methods' tests, a formula of the condition [default: 0]
    #[arg(long, value_name = "FORMULA", allow_hyphen_values = true)]
    null: Option<String>,
    /// Replicates of each condition [default: 1000]
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true
    )]
    replicates: Option<Value>,
    /// Confidence level of the methods' intervals [default: 0.95]
    #[arg(long, value_name = "LEVEL", value_parser = number, allow_negative_numbers = true)]
    level: Option<Value>,
    /// The p-value at or below which a test rejects [default: 0.05]
    #[arg(long, value_name = "ALPHA", value_parser = number, allow_negative_numbers = true)]
    alpha: Option<Value>,
    /// The label of the method against which the others' precision is measured
    #[arg(long, value_name = "METHOD")]
    reference: Option<String>,
    /// A measure to tell, such as coverage; may be given several times [default: all]
    #[arg(long, value_name = "MEASURE")]
    #[serde(serialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    measure: Vec<String>,
    /// Take the replicates that an earlier run kept in this file and run only the others
    #[arg(long, value_name = "FILE", help_heading = "Running")]
    extend: Option<String>,
}
