//! What can be integrated: formulas, closures of a point, closures of a block, callbacks.

use super::block::TILE;
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
    /// `columns`: one slice a variable, each of as many points, at most
    /// [`points_per_call`](Integrand::points_per_call); `out`: the values of the first
    /// [output](Integrand::outputs) at all points, then those of the second, and so on.
    ///
    /// # Errors
    /// Whatever it likes to report; the run stops and names the task.
    fn evaluate(&self, columns: &[&[f64]], out: &mut [f64]) -> Result<()>;

    /// How many values a point has, at least 1: several integrals over the same points.
    ///
    /// It must not change.
    fn outputs(&self) -> usize {
        1
    }

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
        let mut points = vec![0.0; columns.len() * out.len()];
        interleave(columns, &mut points);
        for (point, value) in points.chunks_exact(columns.len()).zip(out) {
            *value = self(point);
        }
        Ok(())
    }
}

/// Writes columns into rows: point `i` to `points[i * columns.len()..]`, for functions of a point.
///
/// # Cost
/// About 0.2 ns a number up to eight columns, three times that beyond.
pub fn interleave(columns: &[&[f64]], points: &mut [f64]) {
    match columns.len() {
        1 => interleave_of::<1>(columns, points),
        2 => interleave_of::<2>(columns, points),
        3 => interleave_of::<3>(columns, points),
        4 => interleave_of::<4>(columns, points),
        5 => interleave_of::<5>(columns, points),
        6 => interleave_of::<6>(columns, points),
        7 => interleave_of::<7>(columns, points),
        8 => interleave_of::<8>(columns, points),
        width => {
            for (place, column) in columns.iter().enumerate() {
                for (x, value) in points[place..].iter_mut().step_by(width).zip(*column) {
                    *x = *value;
                }
            }
        }
    }
}

/// The same for a width that the compiler knows and writes out.
fn interleave_of<const WIDTH: usize>(columns: &[&[f64]], points: &mut [f64]) {
    let (points, _) = points.as_chunks_mut::<WIDTH>();
    let columns: [&[f64]; WIDTH] = std::array::from_fn(|place| &columns[place][..points.len()]);
    for (row, point) in points.iter_mut().enumerate() {
        for place in 0..WIDTH {
            point[place] = columns[place][row];
        }
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

    fn outputs(&self) -> usize {
        (**self).outputs()
    }

    fn is_cheap(&self) -> bool {
        (**self).is_cheap()
    }

    fn points_per_call(&self) -> usize {
        (**self).points_per_call()
    }
}

/// Several integrands, evaluated at the same points, so that their errors are correlated.
///
/// ```
/// use windfall_core::{Control, Problem, Serial};
/// use windfall_stats::integrate::{Integrate, IntegrateOptions, Several};
///
/// // The mean of a weighted x, as a ratio: both integrals rest on the same points.
/// let weight = |x: &[f64]| (-x[0]).exp();
/// let weighted = |x: &[f64]| x[0] * (-x[0]).exp();
/// let both = Several(vec![Box::new(weighted), Box::new(weight)]);
/// let job = Integrate::new(both, &[(0.0, 1.0)], IntegrateOptions::default(), 1u64.into())?;
/// let answer = job.solve(&Serial, &Control::default())?;
/// let ratio = answer.quantities[0].estimate / answer.quantities[1].estimate;
/// assert!((ratio - 0.418_023_293).abs() < 1e-3);
/// assert!(answer.extra["covariance"][0][1].is_number());
/// # Ok::<(), windfall_core::Error>(())
/// ```
pub struct Several<'a>(
    /// The integrands.
    pub Vec<Box<dyn Integrand + 'a>>,
);

impl Integrand for Several<'_> {
    fn evaluate(&self, columns: &[&[f64]], out: &mut [f64]) -> Result<()> {
        let points = out.len() / self.outputs();
        let mut rest = out;
        for integrand in &self.0 {
            let (own, others) = rest.split_at_mut(points * integrand.outputs());
            integrand.evaluate(columns, own)?;
            rest = others;
        }
        Ok(())
    }

    fn outputs(&self) -> usize {
        self.0.iter().map(|integrand| integrand.outputs()).sum()
    }

    fn is_cheap(&self) -> bool {
        self.0.iter().all(|integrand| integrand.is_cheap())
    }

    fn points_per_call(&self) -> usize {
        self.0.iter().map(|integrand| integrand.points_per_call()).min().unwrap_or(TILE)
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

    /// What was read.
    pub fn expr(&self) -> &Expr {
        &self.0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaving_turns_columns_into_points_at_every_width() {
        for width in 1..=11 {
            let columns: Vec<Vec<f64>> =
                (0..width).map(|k| (0..7).map(|row| (100 * row + k) as f64).collect()).collect();
            let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let mut points = vec![f64::NAN; 7 * width];
            interleave(&columns, &mut points);
            for (place, value) in points.into_iter().enumerate() {
                assert_eq!(value, (100 * (place / width) + place % width) as f64);
            }
        }
    }
}
