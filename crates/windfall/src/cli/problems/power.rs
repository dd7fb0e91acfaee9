//! Flags of `windfall power`.

use super::number;
use super::test_design::TestDesign;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Power {
    #[command(flatten)]
    #[serde(flatten)]
    design: TestDesign,
    /// Sample size, of each sample; several make a curve: 20,50,100 or 20:100:10
    #[arg(short, value_name = "N,…", value_parser = number, allow_negative_numbers = true)]
    n: Option<Value>,
    /// Simulations of each point [default: 1e5]; with --tolerance the most there may be
    #[arg(long, short, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    simulations: Option<Value>,
    /// Stop as soon as the Monte Carlo standard error of every point is at most this
    #[arg(long, value_name = "ERROR", value_parser = number, allow_negative_numbers = true)]
    tolerance: Option<Value>,
    /// Confidence level of the interval [default: 0.95]
    #[arg(long, value_name = "LEVEL", value_parser = number, allow_negative_numbers = true)]
    level: Option<Value>,
}
