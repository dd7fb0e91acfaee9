//! A model of a log density over named parameters, each with its constraint: formulas, closures,
//! callbacks.

use super::{Constraint, Model, Room};
use windfall_core::{Error, ErrorKind, Result};
use windfall_expr::{Expr, Names, Workspace};

/// A log density over parameters on their own scale, without any Jacobian.
///
/// Every `Fn(&[f64], &mut [f64]) -> f64` that writes its gradient is one; [`ValueOnly`] makes one
/// of a closure that has none.
pub trait LogDensity: Send + Sync {
    /// The log density at `parameters` up to a constant; -inf, or NaN, outside its support. Where
    /// there is a `gradient`, its derivatives are written there.
    ///
    /// # Errors
    /// Whatever a user's code reports; the run stops.
    fn log_density(
        &self,
        parameters: &[f64],
        gradient: Option<&mut [f64]>,
        room: &mut Room,
    ) -> Result<f64>;

    /// Whether it has a gradient; without one it is never asked for it.
    fn has_gradient(&self) -> bool {
        true
    }
}

impl<F: Fn(&[f64], &mut [f64]) -> f64 + Send + Sync> LogDensity for F {
    fn log_density(
        &self,
        parameters: &[f64],
        gradient: Option<&mut [f64]>,
        room: &mut Room,
    ) -> Result<f64> {
        match gradient {
            Some(gradient) => Ok(self(parameters, gradient)),
            None => {
                let unread: &mut Vec<f64> = room.hold();
                unread.resize(parameters.len(), 0.0);
                Ok(self(parameters, unread))
            }
        }
    }
}

impl LogDensity for Box<dyn LogDensity> {
    fn log_density(
        &self,
        parameters: &[f64],
        gradient: Option<&mut [f64]>,
        room: &mut Room,
    ) -> Result<f64> {
        (**self).log_density(parameters, gradient, room)
    }

    fn has_gradient(&self) -> bool {
        (**self).has_gradient()
    }
}

/// A log density made of a closure without a gradient, for samplers that need none.
#[derive(Clone, Copy, Debug)]
pub struct ValueOnly<F>(
    /// The closure.
    pub F,
);

impl<F: Fn(&[f64]) -> f64 + Send + Sync> LogDensity for ValueOnly<F> {
    fn log_density(&self, parameters: &[f64], _: Option<&mut [f64]>, _: &mut Room) -> Result<f64> {
        Ok((self.0)(parameters))
    }

    fn has_gradient(&self) -> bool {
        false
    }
}

/// A [`Model`] of a log density over named and constrained parameters, with derived quantities.
///
/// Chains move on the real line of each parameter ([`Constraint`]); the Jacobian is added.
///
/// # Examples
/// ```
/// use windfall_stats::sample::model::{Constrained, Constraint, Model, Room};
///
/// // An exponential law of rate 2, on the logarithm.
/// let law = |x: &[f64], gradient: &mut [f64]| {
///     gradient[0] = -2.0;
///     -2.0 * x[0]
/// };
/// let model = Constrained::new(law, [("x", Constraint::POSITIVE)])?.derive("double", "2*x")?;
/// let (mut gradient, mut out, mut room) = ([0.0], [0.0; 2], Room::default());
/// let value = model.log_density(&[0.0], &mut gradient, &mut room)?;
/// assert_eq!((value, gradient), (-2.0, [-1.0]));
/// model.report(&[0.0], &mut out, &mut room)?;
/// assert_eq!(out, [1.0, 2.0]);
/// # Ok::<(), windfall_core::Error>(())
/// ```
pub struct Constrained<D> {
    density: D,
    names: Vec<String>,
    constraints: Vec<Constraint>,
    derived: Vec<Expr>,
}

/// Parameters at most.
const PARAMETERS_MAX: usize = 100_000;

/// What evaluations keep from call to call.
#[derive(Default)]
struct Scratch {
    parameters: Vec<f64>,
    /// The derivative of each parameter, and of its log Jacobian.
    slopes: Vec<(f64, f64)>,
    workspace: Workspace,
    inner: Room,
}

impl<D: LogDensity> Constrained<D> {
    /// The model of `density` over these parameters.
    ///
    /// # Errors
    /// [`ErrorKind::TooFew`] without a parameter, [`ErrorKind::Invalid`] for a name that stands
    /// twice or is empty.
    pub fn new<N: Into<String>>(
        density: D,
        parameters: impl IntoIterator<Item = (N, Constraint)>,
    ) -> Result<Self> {
        let (mut names, mut constraints) = (Vec::<String>::new(), Vec::new());
        for (name, constraint) in parameters {
            names.push(name.into());
            constraints.push(constraint);
        }
        check_names(&names)?;
        if !(1..=PARAMETERS_MAX).contains(&names.len()) {
            let error = Error::too_few("parameters", names.len() as u64, 1);
            return Err(error.hint("give each a name and `real`, `positive`, `unit` or a pair"));
        }
        Ok(Self { density, names, constraints, derived: Vec::new() })
    }

    /// The same model that also reports the formula `text` of its parameters, under `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Expression`] with all mistakes of the formula; [`ErrorKind::Invalid`] for a
    /// name that stands already.
    pub fn derive(mut self, name: &str, text: &str) -> Result<Self> {
        let names = Names::columns(&self.names[..self.constraints.len()]);
        let formula = Expr::parse(text, &names).map_err(|problems| {
            Error::new(ErrorKind::Expression { report: format!("derived `{name}`: {problems}") })
        })?;
        self.names.push(name.to_owned());
        check_names(&self.names)?;
        self.derived.push(formula);
        Ok(self)
    }

    /// Puts the parameters at `x` and their slopes into `scratch`; yields the log Jacobian.
    fn constrain(&self, x: &[f64], scratch: &mut Scratch) -> f64 {
        scratch.parameters.clear();
        scratch.slopes.clear();
        let mut jacobian = 0.0;
        for (constraint, &u) in self.constraints.iter().zip(x) {
            let found = constraint.constrain(u);
            scratch.parameters.push(found.value);
            scratch.slopes.push((found.slope, found.jacobian_slope));
            jacobian += found.log_jacobian;
        }
        jacobian
    }
}

/// Refuses names that are empty or stand twice.
fn check_names(names: &[String]) -> Result<()> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::invalid("parameter", pair[0], "named once"));
    }
    match sorted.first() {
        Some(name) if name.is_empty() => Err(Error::invalid("parameter", "", "a name")),
        _ => Ok(()),
    }
}

impl<D: LogDensity> Model for Constrained<D> {
    fn dimensions(&self) -> usize {
        self.constraints.len()
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn parameters(&self) -> usize {
        self.constraints.len()
    }

    fn has_gradient(&self) -> bool {
        self.density.has_gradient()
    }

    fn log_density(&self, x: &[f64], gradient: &mut [f64], room: &mut Room) -> Result<f64> {
        let scratch: &mut Scratch = room.hold();
        let jacobian = self.constrain(x, scratch);
        let Scratch { parameters, slopes, inner, .. } = scratch;
        let value = self.density.log_density(parameters, Some(gradient), inner)?;
        for (gradient, (slope, jacobian_slope)) in gradient.iter_mut().zip(slopes) {
            *gradient = *gradient * *slope + *jacobian_slope;
        }
        Ok(value + jacobian)
    }

    fn value(&self, x: &[f64], room: &mut Room) -> Result<f64> {
        let scratch: &mut Scratch = room.hold();
        let jacobian = self.constrain(x, scratch);
        let value = self.density.log_density(&scratch.parameters, None, &mut scratch.inner)?;
        Ok(value + jacobian)
    }

    fn report(&self, x: &[f64], out: &mut [f64], room: &mut Room) -> Result<()> {
        let scratch: &mut Scratch = room.hold();
        self.constrain(x, scratch);
        let Scratch { parameters, workspace, .. } = scratch;
        let (own, derived) = out.split_at_mut(parameters.len());
        own.copy_from_slice(parameters);
        for (out, formula) in derived.iter_mut().zip(&self.derived) {
            *out = formula.evaluate_one(parameters, workspace);
        }
        Ok(())
    }

    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()> {
        let named = self.names.iter().zip(parameters).zip(&self.constraints);
        for (x, ((name, &value), constraint)) in x.iter_mut().zip(named) {
            *x = constraint.unconstrain(name, value)?;
        }
        Ok(())
    }
}
