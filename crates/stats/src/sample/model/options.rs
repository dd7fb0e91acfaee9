//! The keys of a job that choose a model and give it what it needs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use windfall_core::{Error, Result};

/// What a job says of its model: `model` names a built-in one, or `log_density` is a formula.
///
/// Flatten it into a problem's own options. Each model takes some of the keys and refuses the
/// others ([`build`](super::build)); the [catalogue](super::CATALOGUE) lists which.
///
/// | model | keys |
/// |---|---|
/// | a formula | `log_density`, `parameters`, `constants`, `derived` |
/// | `gaussian`, `funnel` | `dimensions`; the first also `mean`, `sd`, `covariance` |
/// | `linear`, `logistic`, `poisson` | `formula`, `prior_sd`, `prior_intercept_sd` |
/// | `linear` | `prior_sigma_sd` |
/// | `hierarchical`, `eight-schools` | `centred`, `prior_mu_sd`, `prior_tau_scale` |
/// | `hierarchical` | `outcome`, `standard_error`, `group` |
/// | `mixture` | `outcome`, `components`, `prior_weight`, `prior_mean_sd`, `prior_log_sd` |
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelOptions {
    /// The name of a built-in model.
    pub model: Option<String>,
    /// A log density as a formula over parameters, constants and, inside `sum(…)`, columns.
    pub log_density: Option<String>,
    /// The parameters in order, each with `"real"`, `"positive"`, `"unit"` or a pair of ends.
    pub parameters: Option<Map<String, Value>>,
    /// Names for numbers.
    pub constants: Option<Map<String, Value>>,
    /// Formulas over the parameters that are reported too.
    pub derived: Option<Map<String, Value>>,
    /// The number of dimensions.
    pub dimensions: Option<usize>,
    /// The mean of each dimension.
    pub mean: Option<Vec<f64>>,
    /// The standard deviation of each dimension.
    pub sd: Option<Vec<f64>>,
    /// The covariance, row by row.
    pub covariance: Option<Vec<Vec<f64>>>,
    /// Response and predictors, such as `y ~ x1 + x2`.
    pub formula: Option<String>,
    /// The standard deviation of normal priors of the coefficients about 0; flat without.
    pub prior_sd: Option<f64>,
    /// The same for the intercept; as `prior_sd` without.
    pub prior_intercept_sd: Option<f64>,
    /// The scale of a half-normal prior of the residual standard deviation; flat without.
    pub prior_sigma_sd: Option<f64>,
    /// The column of what was observed.
    pub outcome: Option<String>,
    /// The column of its standard errors.
    pub standard_error: Option<String>,
    /// The column of labels that name the effects.
    pub group: Option<String>,
    /// Whether chains move in the effects themselves; not by default.
    pub centred: Option<bool>,
    /// The standard deviation of the normal prior of `mu`, 5 by default.
    pub prior_mu_sd: Option<f64>,
    /// The scale of the half-Cauchy prior of `tau`, 5 by default.
    pub prior_tau_scale: Option<f64>,
    /// The number of components.
    pub components: Option<usize>,
    /// The parameter of the Dirichlet prior of the weights, 1 by default.
    pub prior_weight: Option<f64>,
    /// The standard deviation of the prior of a mean; twice that of the data by default.
    pub prior_mean_sd: Option<f64>,
    /// The standard deviation of the prior of a log standard deviation, 1 by default.
    pub prior_log_sd: Option<f64>,
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

    /// Refuses keys that are given and not among `keys`; `what` has no use for them.
    pub(super) fn only(&self, keys: &[&str], what: &str) -> Result<()> {
        match self.given().iter().find(|(key, _)| !keys.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, value)) => {
                let expected = format!("left out: {what} has no use for it");
                let hint = match keys {
                    [] => "it takes no keys".to_owned(),
                    keys => format!("its keys are {}", keys.join(", ")),
                };
                Err(Error::invalid(key, value, &expected).hint(hint))
            }
        }
    }
}

/// The key `key` is needed and missing.
pub(crate) fn missing(key: &str, expected: &str) -> Error {
    Error::invalid(key, "missing", expected)
}

/// Refuses a scale that is none.
pub(crate) fn check_sd(key: &str, value: Option<f64>) -> Result<()> {
    match value {
        Some(sd) if !(sd > 0.0 && (sd * sd).is_normal()) => {
            Err(Error::invalid(key, sd, "a number above 0"))
        }
        _ => Ok(()),
    }
}
