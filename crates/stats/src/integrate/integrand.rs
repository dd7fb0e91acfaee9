//! What can be integrated: formulas, closures of a point, closures of a block, callbacks.

use std::cell::RefCell;
use windfall_core::{Error, ErrorKind, Result};
use windfall_expr::{Expr, Names, Workspace};

/// A function that can be evaluated at many points at once, on any thread.
///
/// Every `Fn(&[f64]) -> f64` is one, given a point; [`Blocks`] makes one of a closure that takes
/// a block of points.
pub trait Integrand: Send + Sync {
    /// Writes the value at each point to `out`.
    ///
    /// # Shapes
    /// `columns`: one slice a variable, each as long as `out`: at most
    /// [`points_per_call`](Integrand::points_per_call) points.
    ///
    /// # Errors
    /// Whatever it likes to report; the run stops and names the task.
    fn evaluate(&self, columns: &[&[f64]], out: &mut [f64]) -> Result<()>;

    /// Whether a point takes mere nanoseconds. Shards then hold some 10^5 points, else a few
    /// hundred or thousand, so that the dearest integrand keeps every core busy.
    ///
    /// It must not change: it decides where tasks and shards end.
    fn is_cheap(&self) -> bool {
        false
    }

    /// How many points a call may take: 512 suits the first-level cache; an integrand whose calls
    /// cost much may ask for up to 4,096. The answer does not depend on it.
    fn points_per_call(&self) -> usize {
        512
    }
}

impl<F: Fn(&[f64]) -> f64 + Send + Sync> Integrand for F {
    fn evaluate(&self, columns: &[&[f64]], out: &mut [f64]) -> Result<()> {
        let mut point = vec![0.0; columns.len()];
        for (i, value) in out.iter_mut().enumerate() {
            for (x, column) in point.iter_mut().zip(columns) {
                *x = column[i];
            }
            *value = self(&point);
        }
        Ok(())
    }
}

/// An integrand made of a closure that takes a block of points, as [`Integrand::evaluate`] does.
///
/// ```
/// use windfall_core::{Control, Serial};
/// use windfall_stats::integrate::{Blocks, Integrate, IntegrateOptions};
///
/// let product = Blocks(|columns: &[&[f64]], out: &mut [f64]| {
///     for (i, value) in out.iter_mut().enumerate() {
///         *value = columns[0][i] * columns[1][i];
///     }
///     Ok(())
/// });
/// let bounds = [(0.0, 1.0), (0.0, 1.0)];
/// let job = Integrate::new(product, &bounds, IntegrateOptions::default(), 1u64.into())?;
/// let answer = windfall_core::Problem::solve(&job, &Serial, &Control::default())?;
/// let found = &answer.quantities[0];
/// assert!((found.estimate - 0.25).abs() < 4.0 * found.mcse);
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Blocks<F>(
    /// The closure.
    pub F,
);

impl<F> Integrand for Blocks<F>
where
    F: Fn(&[&[f64]], &mut [f64]) -> Result<()> + Send + Sync,
{
    fn evaluate(&self, columns: &[&[f64]], out: &mut [f64]) -> Result<()> {
        self.0(columns, out)
    }
}

impl Integrand for Box<dyn Integrand + '_> {
    fn evaluate(&self, columns: &[&[f64]], out: &mut [f64]) -> Result<()> {
        (**self).evaluate(columns, out)
    }

    fn is_cheap(&self) -> bool {
        (**self).is_cheap()
    }

    fn points_per_call(&self) -> usize {
        (**self).points_per_call()
    }
}

/// A formula in `x0`, `x1`, ….
#[derive(Clone, Debug)]
pub(crate) struct Formula(Expr);

impl Formula {
    /// Reads a formula of this many variables.
    pub fn parse(text: &str, dimensions: usize) -> Result<Self> {
        match Expr::parse(text, &Names::indexed(dimensions)) {
            Ok(expr) => Ok(Self(expr)),
            Err(problems) => {
                Err(Error::new(ErrorKind::Expression { report: problems.to_string() }))
            }
        }
    }
}

impl Integrand for Formula {
    fn evaluate(&self, columns: &[&[f64]], out: &mut [f64]) -> Result<()> {
        thread_local! {
            static WORKSPACE: RefCell<Workspace> = RefCell::new(Workspace::new());
        }
        WORKSPACE.with_borrow_mut(|workspace| self.0.evaluate(columns, out, workspace));
        Ok(())
    }

    fn is_cheap(&self) -> bool {
        true
    }
}
