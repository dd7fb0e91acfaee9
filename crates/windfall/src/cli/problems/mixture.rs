//! Flags of `windfall mixture`.

use super::number;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Mixture {
    /// The table: a CSV or Parquet file
    #[arg(value_name = "FILE")]
    data: String,
    /// The number of components; of several, such as 1,2,3,4, the criterion picks one
    #[arg(long, short, value_name = "K,…", value_parser = numbers, allow_negative_numbers = true)]
    components: Option<Value>,
    /// The columns to fit, such as x,y [default: all that hold numbers]
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    /// full, tied, diag or spherical covariances [default: full]
    #[arg(long, value_name = "SHAPE")]
    covariance: Option<String>,
    /// em for the maximum of the likelihood, gibbs for draws from the posterior [default: em]
    #[arg(long, short, value_name = "METHOD")]
    method: Option<String>,
    /// Starts for each number of components [default: 10]
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    starts: Option<Value>,
    /// How a start is made: k-means++, kmeans, random or random_from_data [default: k-means++]
    #[arg(long, value_name = "HOW")]
    init: Option<String>,
    /// The mixture to start from, as JSON, such as '{"means": [9, 21, 33]}', or a list of them, one
    /// a start or chain
    #[arg(long, value_name = "JSON", value_parser = json)]
    start: Option<Value>,
    /// Stop when a step gains less than this much log-likelihood a row [default: 1e-8]
    #[arg(long, value_name = "GAIN", value_parser = number, allow_negative_numbers = true)]
    tolerance: Option<Value>,
    /// The most steps of an ascent; 0 evaluates the start [default: 1000]
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    iterations: Option<Value>,
    /// none, or squarem for fewer steps where components overlap [default: none]
    #[arg(long, value_name = "HOW")]
    acceleration: Option<String>,
    /// Added to every variance, in the units of the data squared [default: 0]
    #[arg(long, value_name = "AMOUNT", value_parser = number, allow_negative_numbers = true)]
    regularisation: Option<Value>,
    /// The least variance of a component, over that of all rows [default: 1e-6]
    #[arg(long, value_name = "SHARE", value_parser = number, allow_negative_numbers = true)]
    floor: Option<Value>,
    /// What picks the number of components: bic or aic [default: bic]
    #[arg(long, value_name = "CRITERION")]
    criterion: Option<String>,
    /// Whether to give standard errors: true or false [default: true up to 60 parameters]
    #[arg(long, value_name = "WHETHER")]
    standard_errors: Option<bool>,
    /// The order of the components: mean, weight or none [default: mean]
    #[arg(long, value_name = "BY")]
    order: Option<String>,
    /// Independent chains [default: 4]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Gibbs"
    )]
    chains: Option<Value>,
    /// Sweeps of each chain that are thrown away [default: 500]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Gibbs"
    )]
    warmup: Option<Value>,
    /// Sweeps of each chain that are kept [default: 1000]
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Gibbs"
    )]
    draws: Option<Value>,
    /// The number of the first sweep, to go on where another run ended [default: 0]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Gibbs"
    )]
    sweep: Option<Value>,
    /// Level of the credible intervals [default: 0.95]
    #[arg(
        long,
        value_name = "LEVEL",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Gibbs"
    )]
    level: Option<Value>,
    /// The prior, as JSON, such as '{"concentration": 1, "shrinkage": 0.01, "degrees": 4}'
    #[arg(long, value_name = "JSON", value_parser = json, help_heading = "Gibbs")]
    prior: Option<Value>,
}

/// One number, or several between commas.
fn numbers(text: &str) -> Result<Value, std::convert::Infallible> {
    match text.split_once(',') {
        None => number(text),
        Some(_) => text.split(',').map(|part| number(part.trim())).collect(),
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))
}
