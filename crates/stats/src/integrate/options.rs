//! What can be said about an integral: points or tolerance, method, level; checked before work.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use windfall_core::{Error, Result};

/// The most points there can be: their counts and cells stay exact as `f64`.
const N_MAX: u64 = 1_000_000_000_000_000;
/// Points without `n` and without `tolerance`.
const N_DEFAULT: u64 = 1_000_000;
/// The most points with a tolerance and without `n`.
const N_TOLERANT: u64 = 10_000_000_000;

/// How the points of an integral are placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Independent uniform points.
    #[default]
    Plain,
    /// Two or three points in each cell of a grid: better for few dimensions.
    Stratified,
    /// Scrambled Sobol points: far better for smooth integrands, up to 1,111 dimensions.
    Sobol,
}

impl Method {
    /// The name in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stratified => "stratified",
            Self::Sobol => "sobol",
        }
    }
}

/// The options of an integral, with the names they have in job files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntegrateOptions {
    /// Points, 2 to 10^15: 10^6 by default. With a tolerance, the most there may be (10^10).
    ///
    /// Stratified and Sobol points come in grids and powers of two: as many as fit in `n`.
    pub n: Option<u64>,
    /// Stop as soon as the Monte Carlo standard error is at most this, in units of the integral.
    pub tolerance: Option<f64>,
    /// How points are placed.
    pub method: Method,
    /// Independent scrambles of the Sobol points, at least 2.
    pub replicates: u64,
    /// Confidence level of the interval.
    pub level: f64,
}

impl Default for IntegrateOptions {
    fn default() -> Self {
        Self { n: None, tolerance: None, method: Method::Plain, replicates: 16, level: 0.95 }
    }
}

impl IntegrateOptions {
    /// The number of points, or the most of them, after all checks.
    pub(crate) fn checked_n(&self) -> Result<u64> {
        if let Some(tolerance) = self.tolerance
            && !(tolerance > 0.0 && tolerance.is_finite())
        {
            return Err(Error::invalid("tolerance", tolerance, "a number above 0"));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::invalid("level", self.level, "between 0 and 1, such as 0.95"));
        }
        let default = if self.tolerance.is_some() { N_TOLERANT } else { N_DEFAULT };
        match self.n.unwrap_or(default) {
            n @ 0..2 => Err(Error::too_few("points (`n`)", n, 2)),
            n if n > N_MAX => Err(Error::invalid("n", n, "at most 10^15")),
            n => Ok(n),
        }
    }
}

/// A whole job file of an integral.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct JobOptions {
    /// The formula, in `x0`, `x1`, ….
    pub formula: String,
    /// A pair of ends for each variable.
    pub bounds: Vec<Vec<Value>>,
    /// The rest.
    #[serde(flatten)]
    pub options: IntegrateOptions,
}
