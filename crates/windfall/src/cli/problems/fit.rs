//! Flags of `windfall fit`.

use super::{number, one_or_many};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Fit {
    /// The table: a CSV or Parquet file
    #[arg(value_name = "FILE")]
    data: String,
    /// The model, such as 'y ~ x1 + log(x2) + group'
    formula: String,
    /// Fit each group of rows that agree in this column apart; may be given several times
    #[arg(long, short, value_name = "COLUMN")]
    #[serde(serialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    by: Vec<String>,
    /// gaussian, logistic, poisson or quantile [default: gaussian]
    #[arg(long, short, value_name = "FAMILY")]
    family: Option<String>,
    /// Standard errors: classical, hc0 to hc4, hac, cr0, cr1 or cr1s [default: classical, cr1s with
    /// --cluster, hac with --lags]
    #[arg(long, value_name = "KIND")]
    se: Option<String>,
    /// Most rows between two whose errors go together, for hac [default: 4 (n/100)^(2/9)]
    #[arg(long, value_name = "ROWS", value_parser = number, allow_negative_numbers = true)]
    lags: Option<Value>,
    /// Clusters of rows, for cr0, cr1 and cr1s: a column
    #[arg(long, value_name = "COLUMN")]
    cluster: Option<String>,
    /// Weights, inverse to variances, or trials of shares: a column
    #[arg(long, value_name = "COLUMN")]
    weights: Option<String>,
    /// Penalty of ridge regression on the squared coefficients but the intercept [default: 0]
    #[arg(long, value_name = "PENALTY", value_parser = number, allow_negative_numbers = true)]
    ridge: Option<Value>,
    /// Which quantile the family quantile fits [default: 0.5]
    #[arg(long, value_name = "SHARE", value_parser = number, allow_negative_numbers = true)]
    quantile: Option<Value>,
    /// Confidence level of the intervals [default: 0.95]
    #[arg(long, value_name = "LEVEL", value_parser = number, allow_negative_numbers = true)]
    level: Option<Value>,
    /// Rows with missing values: fail (their group has no fit) or drop [default: fail]
    #[arg(long, value_name = "WHAT")]
    missing: Option<String>,
    /// Most iterations of a fit that takes some [default: 100]
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    max_iterations: Option<Value>,
}
