//! The keys of a job that choose a model and give it what it needs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use windfall_core::Error;

/// What a job says of its model: `model` names a built-in one, or `log_density` is a formula.
///
/// Flatten it into a problem's own options. Each model takes some of the keys and refuses the
/// others ([`build`](super::build)); the [catalogue](super::CATALOGUE) lists which.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelOptions {
    /// The name of a built-in model.
    pub model: Option<String>,
    /// The number of dimensions.
    pub dimensions: Option<usize>,
    /// The mean of each dimension.
    pub mean: Option<Vec<f64>>,
    /// The standard deviation of each dimension.
    pub sd: Option<Vec<f64>>,
    /// The covariance, row by row.
    pub covariance: Option<Vec<Vec<f64>>>,
}

impl ModelOptions {
    /// The keys that are given, with their values.
    pub fn given(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => {
                map.into_iter().filter(|(_, value)| !value.is_null()).collect()
            }
            _ => Map::new(),
        }
    }
}

/// The key `key` is needed and missing.
pub(crate) fn missing(key: &str, expected: &str) -> Error {
    Error::invalid(key, "missing", expected)
}
