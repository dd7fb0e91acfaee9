//! A model: a log density on an unconstrained space, and how its points read on their own scale.
//!
//! ```text
//! catalogue.rs    the built-in models by name, and the door from options to a model
//! options.rs      the keys of a job that choose a model
//! constraint.rs   one parameter between its own scale and the real line
//! constrained.rs  a model of a log density over named parameters: closures, callbacks, formulas
//! density.rs      a log density as a formula
//! room.rs         where a model keeps what it computes on the way
//! regression/     linear, logistic, Poisson
//! hierarchical.rs mixture.rs gaussian.rs targets.rs    the other built-in models
//! ```

mod catalogue;
mod constrained;
mod constraint;
mod density;
mod gaussian;
mod hierarchical;
mod mixture;
mod options;
mod regression;
mod room;
mod targets;

pub use catalogue::{CATALOGUE, Kind, build, build_with};
pub use constrained::{Constrained, LogDensity, ValueOnly};
pub use constraint::{Constraint, Placed};
pub use density::Density;
pub use gaussian::Gaussian;
pub use hierarchical::Hierarchical;
pub use mixture::Mixture;
pub use options::ModelOptions;
pub use room::Room;
pub use targets::{Funnel, Rosenbrock};

use windfall_core::{Error, Result, Stream};

/// A log density that chains explore.
///
/// Samplers move in an unconstrained space of [`dimensions`](Model::dimensions) numbers; what is
/// reported are the model's own quantities, under their [`names`](Model::names). A model has no
/// state that a call changes, so that any number of chains share one; each chain brings a [`Room`].
///
/// # Examples
/// ```
/// use windfall_stats::sample::model::{Gaussian, Model, Room};
///
/// let model = Gaussian::independent(&[0.0, 1.0], &[1.0, 2.0])?;
/// let (mut gradient, mut room) = ([0.0; 2], Room::default());
/// let value = model.log_density(&[1.0, 1.0], &mut gradient, &mut room)?;
/// assert_eq!((value, gradient), (-0.5, [-1.0, 0.0]));
/// # Ok::<(), windfall_core::Error>(())
/// ```
pub trait Model: Send + Sync {
    /// The dimension of the unconstrained space, at least 1.
    fn dimensions(&self) -> usize;

    /// The names of the reported quantities: parameters on their own scale, then derived ones.
    fn names(&self) -> &[String];

    /// How many of the names are parameters, which lead the list; the rest are derived from them.
    fn parameters(&self) -> usize {
        self.names().len()
    }

    /// The log density at `x` up to a constant, the Jacobian of the constraints included, and
    /// its gradient. It is -inf outside the support; NaN or +inf is a fault of the model, which
    /// samplers treat as -inf. The gradient may then be anything.
    ///
    /// # Shapes
    /// `x` and `gradient`: [`dimensions`](Model::dimensions) numbers.
    ///
    /// # Errors
    /// Only what a user's code reports; the run stops.
    fn log_density(&self, x: &[f64], gradient: &mut [f64], room: &mut Room) -> Result<f64>;

    /// The log density alone: the value that [`log_density`](Model::log_density) gives, up to
    /// rounding.
    ///
    /// # Errors
    /// As [`log_density`](Model::log_density).
    fn value(&self, x: &[f64], room: &mut Room) -> Result<f64>;

    /// Whether there is a gradient. Without one only samplers that need none can run, and
    /// [`log_density`](Model::log_density) is an error.
    fn has_gradient(&self) -> bool {
        true
    }

    /// Writes the reported quantities at `x`, as many as there are [`names`](Model::names).
    ///
    /// # Errors
    /// As [`log_density`](Model::log_density).
    fn report(&self, x: &[f64], out: &mut [f64], room: &mut Room) -> Result<()>;

    /// Writes to `x` the point whose parameters, on their own scale, are `parameters`: a starting
    /// point that the user names.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] with the parameter that is outside its support.
    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()>;

    /// Draws a starting point from the stream of the chain that owns it: uniform on (-2, 2) in
    /// each direction, as Stan does, unless the model knows better.
    fn start(&self, stream: &mut Stream, x: &mut [f64]) {
        x.iter_mut().for_each(|x| *x = 4.0 * stream.open_uniform() - 2.0);
    }
}

/// Copies `parameters` that are unconstrained to `x`, or names the one that is no number.
pub(crate) fn place_reals(names: &[String], parameters: &[f64], x: &mut [f64]) -> Result<()> {
    match parameters.iter().position(|value| !value.is_finite()) {
        Some(place) => Err(Error::invalid(&names[place], parameters[place], "a finite number")),
        None => {
            x.copy_from_slice(parameters);
            Ok(())
        }
    }
}

/// The names `stem[0]` to `stem[count - 1]`.
pub(crate) fn indexed(stem: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |place| format!("{stem}[{place}]"))
}
