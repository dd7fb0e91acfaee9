//! Flags of `windfall pi`.

use super::number;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Pi {
    /// Number of points, such as 1e9 [default: 1e8]
    #[arg(short, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    n: Option<Value>,
}
