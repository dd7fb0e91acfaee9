//! Flags of `windfall sample-size`.

use super::number;
use super::test_design::TestDesign;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct SampleSize {
    #[command(flatten)]
    #[serde(flatten)]
    design: TestDesign,
    /// The power to reach [default: 0.8]
    #[arg(long, short, value_name = "POWER", value_parser = number, allow_negative_numbers = true)]
    power: Option<Value>,
    /// The most simulations there may be [default: 1e7 where sums or counts stand for the data,
    /// else 2e5]
    #[arg(long, short, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    simulations: Option<Value>,
    /// Stop when the interval for n reaches no further than this from its middle [default: when it
    /// holds a single n]
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    tolerance: Option<Value>,
    /// Confidence level of the intervals [default: 0.95]
    #[arg(long, value_name = "LEVEL", value_parser = number, allow_negative_numbers = true)]
    level: Option<Value>,
    /// The smallest n to try [default: the least that the test allows]
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    n_min: Option<Value>,
    /// The largest n to try [default: 100000]
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    n_max: Option<Value>,
}
