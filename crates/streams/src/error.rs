//! The one error of this crate: a parameter that no distribution can have.

use std::fmt;

/// A parameter outside the range that its distribution allows; it names all three.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterError {
    /// The distribution or draw that was asked for, such as `gamma`.
    pub distribution: &'static str,
    /// The parameter at fault, such as `shape`.
    pub parameter: &'static str,
    /// Its value, as it would be printed.
    pub value: String,
    /// What is allowed, such as `a finite number above 0`.
    pub allowed: &'static str,
}

impl ParameterError {
    pub(crate) fn new(
        (distribution, parameter): (&'static str, &'static str),
        value: impl fmt::Display,
        allowed: &'static str,
    ) -> Self {
        Self { distribution, parameter, value: value.to_string(), allowed }
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { distribution, parameter, value, allowed } = self;
        write!(f, "{distribution}: {parameter} is `{value}`; hint: give {allowed}")
    }
}

impl std::error::Error for ParameterError {}

/// Passes `value` on if it is finite and above zero.
pub(crate) fn positive(
    what: (&'static str, &'static str),
    value: f64,
) -> Result<f64, ParameterError> {
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(ParameterError::new(what, value, "a finite number above 0"))
}

/// Passes `value` on if it is a probability.
pub(crate) fn probability(
    what: (&'static str, &'static str),
    value: f64,
) -> Result<f64, ParameterError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(ParameterError::new(what, value, "a probability, from 0 to 1"))
}
