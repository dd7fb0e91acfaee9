//! What can be said about an integral: points or tolerance, method, level; checked before work.

use crate::bootstrap::Formulas;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use windfall_core::{Error, Result};

/// The most points there can be: their counts and cells stay exact as `f64`.
const N_MAX: u64 = 1_000_000_000_000_000;
/// Points without `n` and without a tolerance.
const N_DEFAULT: u64 = 1_000_000;
/// The most points with a tolerance and without `n`.
const N_TOLERANT: u64 = 10_000_000_000;

/// How the points of an integral are placed; `integrate/mod.rs` has a row for each.
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
    /// Randomly shifted rank-1 lattices: as good, and better still for periodic integrands, up to
    /// 250 dimensions.
    Lattice,
    /// VEGAS+, which learns where the integrand lives: for peaks, in up to some dozen dimensions.
    Vegas,
    /// Adaptive cubature: smooth integrands to many digits in up to about six dimensions, 15 at
    /// most. Nothing is random; the error is the rule's own.
    Cubature,
}

/// One number or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number, or a list of them")]
pub enum Numbers {
    /// One.
    One(f64),
    /// Several.
    Many(Vec<f64>),
}

impl Numbers {
    /// The numbers.
    pub fn values(&self) -> &[f64] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::Many(numbers) => numbers,
        }
    }
}

/// The options of an integral, with the names they have in job files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntegrateOptions {
    /// Points, 2 to 10^15: 10^6 by default. With a tolerance, the most there may be (10^10).
    ///
    /// Stratified, Sobol and lattice points come in grids and powers of two: as many as fit in `n`.
    pub n: Option<u64>,
    /// Stop as soon as the error is at most this, in units of the integral.
    pub tolerance: Option<f64>,
    /// Stop as soon as the error is at most this fraction of the estimate; of two tolerances the
    /// larger counts.
    pub relative_tolerance: Option<f64>,
    /// How points are placed.
    pub method: Method,
    /// Independent randomisations of Sobol or lattice points, at least 2.
    pub replicates: u64,
    /// Confidence level of the interval.
    pub level: f64,
    /// Plain or stratified: evaluate each point's mirror image too, and use the mean of both.
    pub antithetic: bool,
    /// Lattice: the integrand is periodic over the box, so leave the points as they are.
    pub periodic: bool,
    /// VEGAS+: iterations that are kept, 10 by default; with a tolerance there are as many as it
    /// takes.
    pub iterations: Option<u64>,
    /// VEGAS+: iterations before those, which only learn, 15 by default.
    pub warmup: Option<u64>,
    /// Control variates: formulas that resemble the integrand and whose integrals are known.
    pub control: Formulas,
    /// The integrals of the controls over the region; those of polynomials are found if left out.
    pub control_integral: Option<Numbers>,
}

impl Default for IntegrateOptions {
    fn default() -> Self {
        Self {
            n: None,
            tolerance: None,
            relative_tolerance: None,
            method: Method::Plain,
            replicates: 16,
            level: 0.95,
            antithetic: false,
            periodic: false,
            iterations: None,
            warmup: None,
            control: Formulas::default(),
            control_integral: None,
        }
    }
}

impl IntegrateOptions {
    /// Whether a tolerance may end the run.
    pub(crate) fn is_tolerant(&self) -> bool {
        self.tolerance.is_some() || self.relative_tolerance.is_some()
    }

    /// The number of points, or the most of them, after all checks.
    pub(crate) fn checked_n(&self) -> Result<u64> {
        for (what, tolerance) in
            [("tolerance", self.tolerance), ("relative_tolerance", self.relative_tolerance)]
        {
            if let Some(tolerance) = tolerance
                && !(tolerance > 0.0 && tolerance.is_finite())
            {
                return Err(Error::invalid(what, tolerance, "a number above 0"));
            }
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::invalid("level", self.level, "between 0 and 1, such as 0.95"));
        }
        self.suits_the_method()?;
        let least = if self.antithetic { 4 } else { 2 };
        let default = if self.is_tolerant() { N_TOLERANT } else { N_DEFAULT };
        match self.n.unwrap_or(default) {
            n if n < least => Err(Error::too_few("points (`n`)", n, least)),
            n if n > N_MAX => Err(Error::invalid("n", n, "at most 10^15")),
            n => Ok(n),
        }
    }

    /// Refuses an option that the method has no use for.
    fn suits_the_method(&self) -> Result<()> {
        use Method::{Lattice, Plain, Sobol, Stratified, Vegas};
        let given = |count: Option<u64>| count.map(|count| count.to_string());
        let flag = |flag: bool| flag.then(|| "true".to_owned());
        let controls = self.control.texts().join(", ");
        let controls = (!controls.is_empty()).then_some(controls);
        for (what, given, methods) in [
            ("antithetic", flag(self.antithetic), &[Plain, Stratified][..]),
            ("periodic", flag(self.periodic), &[Lattice]),
            ("iterations", given(self.iterations), &[Vegas]),
            ("warmup", given(self.warmup), &[Vegas]),
            ("control", controls, &[Plain, Stratified, Sobol, Lattice]),
        ] {
            if let Some(value) = given
                && !methods.contains(&self.method)
            {
                let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
                let names = names.join(", ");
                let expected = format!("left out with method = \"{}\"", self.method.name());
                return Err(Error::invalid(what, value, &expected)
                    .hint(format!("methods that use it: {names}")));
            }
        }
        Ok(())
    }
}

/// A whole job file of an integral.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct JobOptions {
    /// The formula, in `x0`, `x1`, …, or several.
    pub formula: Formulas,
    /// A pair of ends for each variable.
    pub bounds: Vec<Vec<Value>>,
    /// The rest.
    #[serde(flatten)]
    pub options: IntegrateOptions,
}
