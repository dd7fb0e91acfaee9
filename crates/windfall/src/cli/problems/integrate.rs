//! Flags of `windfall integrate`.

use super::{bounds, number, one_or_many};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct Integrate {
    /// The integrand: a formula in x0, x1, …, such as 'exp(-(x0^2+x1^2))'; several are evaluated at
    /// the same points, and their covariance is told
    #[arg(required = true, value_name = "FORMULA")]
    #[serde(serialize_with = "one_or_many")]
    formula: Vec<String>,
    /// Bounds, one pair a dimension, such as -1:1,0:inf
    #[arg(long, value_name = "LOW:HIGH,…", value_parser = bounds, allow_hyphen_values = true)]
    bounds: Value,
    /// Number of points [default: 1e6]; with a tolerance the most there may be [default: 1e10]
    #[arg(short, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    n: Option<Value>,
    /// Stop as soon as the error is at most this
    #[arg(long, value_name = "ERROR", value_parser = number, allow_negative_numbers = true)]
    tolerance: Option<Value>,
    /// Stop as soon as the error is at most this fraction of the estimate
    #[arg(long, value_name = "FRACTION", value_parser = number, allow_negative_numbers = true)]
    relative_tolerance: Option<Value>,
    /// plain, stratified, sobol, lattice, vegas or cubature [default: plain]
    #[arg(long, short, value_name = "METHOD")]
    method: Option<String>,
    /// Confidence level of the interval [default: 0.95]
    #[arg(long, value_name = "LEVEL", value_parser = number, allow_negative_numbers = true)]
    level: Option<Value>,
    /// Randomised copies of sobol or lattice points, from which the error comes [default: 16]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Methods"
    )]
    replicates: Option<Value>,
    /// lattice: the integrand is periodic over the box, so leave the points unfolded
    #[arg(long, help_heading = "Methods")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    periodic: bool,
    /// vegas: iterations that are kept [default: 10]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Methods"
    )]
    iterations: Option<Value>,
    /// vegas: iterations before those, which only learn [default: 15]
    #[arg(
        long,
        value_name = "N",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Methods"
    )]
    warmup: Option<Value>,
    /// plain, stratified: evaluate the mirror image of each point too
    #[arg(long, help_heading = "Less variance")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    antithetic: bool,
    /// plain, stratified, sobol, lattice: a formula that resembles the integrand and whose integral
    /// is known; may be given several times
    #[arg(long, value_name = "FORMULA", help_heading = "Less variance")]
    #[serde(serialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    control: Vec<String>,
    /// The integral of each control over the box; those of polynomials are found
    #[arg(
        long,
        value_name = "VALUE",
        value_parser = number,
        allow_negative_numbers = true,
        help_heading = "Less variance"
    )]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    control_integral: Vec<Value>,
}
