//! Flags of `windfall integrate`.

use super::{bounds, number};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Integrate {
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
