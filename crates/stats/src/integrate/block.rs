//! Take a block of points from coordinates to checked, weighted values.
//!
//! Points stand axis by axis, so that makers of points, formulas and sums all work on eight at a
//! time; a block of a few dimensions stays in the first-level cache.

use super::bounds::Space;
use super::integrand::Integrand;
use windfall_core::{Error, Result};
use windfall_lanes::{Simd, Task, dispatch};

/// Points that are drawn, and whose moments are taken, together: part of the contract on values.
pub(crate) const TILE: usize = 512;

/// Points of a task at most, and so of a block.
pub(crate) const TASK_POINTS_MAX: usize = 8 * TILE;

/// A line between columns: those a power of two apart would compete for places in the cache.
pub(crate) const GAP: usize = 8;

/// Coordinates that an error message shows.
const SHOWN_MAX: usize = 8;

/// What is integrated over what, and how often at each point.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The region.
    pub space: &'a Space,
    /// The function.
    pub integrand: &'a dyn Integrand,
    /// Whether a point also stands for its mirror image.
    pub antithetic: bool,
}

/// A point itself, or its mirror image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Near,
    Far,
}

impl Side {
    /// Where a uniform number goes to on this side: `first + second · u`.
    pub fn unit(self) -> (f64, f64) {
        match self {
            Self::Near => (0.0, 1.0),
            Self::Far => (1.0, -1.0),
        }
    }
}

/// The memory of one worker at one shard: a block of points, one or several tiles, and their
/// values.
pub(crate) struct Block<'a> {
    target: Target<'a>,
    outputs: usize,
    points_max: usize,
    columns: Vec<f64>,
    values: Vec<f64>,
    weights: Vec<f64>,
}

impl<'a> Block<'a> {
    /// Room for a block.
    pub fn new(target: Target<'a>) -> Self {
        let Target { space, integrand, .. } = target;
        let tiles = integrand.points_per_call().clamp(TILE, TASK_POINTS_MAX) / TILE;
        let points_max = tiles * TILE;
        let outputs = integrand.outputs();
        Self {
            target,
            outputs,
            points_max,
            columns: vec![0.0; (points_max + GAP) * space.dimensions()],
            values: vec![0.0; points_max * outputs],
            weights: if space.is_infinite() { vec![1.0; points_max] } else { Vec::new() },
        }
    }

    /// How many points fit, a multiple of [`TILE`].
    pub fn points_max(&self) -> usize {
        self.points_max
    }

    /// How many values a point has.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// For each axis its `(low, width)` and its coordinates, for a maker of points to fill with
    /// `low + width · u`, u in (0, 1).
    pub fn axes(&mut self) -> impl Iterator<Item = ((f64, f64), &mut [[f64; 8]])> {
        self.axes_on(Side::Near)
    }

    /// The same with the map of one side: on the far one that of `1 - u`.
    pub fn axes_on(&mut self, side: Side) -> impl Iterator<Item = ((f64, f64), &mut [[f64; 8]])> {
        let points = self.points_max;
        let columns = self.columns.chunks_exact_mut(points + GAP);
        let affine = self.target.space.affine(side).iter().copied();
        affine.zip(columns.map(move |column| column[..points].as_chunks_mut().0))
    }

    /// The integrand, weighted for infinite axes, at the first `points` points: those of the first
    /// value, then those of the second, and so on.
    ///
    /// # Errors
    /// What the integrand reports; the point, if a value there is not finite.
    pub fn evaluate(&mut self, points: usize, task: u64) -> Result<&[f64]> {
        let stride = self.points_max + GAP;
        if !self.weights.is_empty() {
            let room = points.next_multiple_of(8);
            let columns = self.columns.chunks_exact_mut(stride).map(|column| &mut column[..room]);
            self.target.space.bend(columns, &mut self.weights[..room]);
        }
        let columns: Vec<&[f64]> =
            self.columns.chunks_exact(stride).map(|column| &column[..points]).collect();
        let values = &mut self.values[..points * self.outputs];
        self.target.integrand.evaluate(&columns, values)?;
        if !dispatch(AllFinite(values)) {
            let found = values.iter().position(|value| !value.is_finite()).unwrap_or(0);
            let at: Vec<f64> = columns.iter().map(|column| column[found % points]).collect();
            let which = (found / points, self.outputs);
            return Err(not_finite(values[found], which, &at, task));
        }
        for values in values.chunks_exact_mut(points) {
            for (value, weight) in values.iter_mut().zip(&self.weights) {
                *value *= weight;
            }
        }
        Ok(values)
    }

    /// As [`Block::evaluate`] of the points that `fill` makes; of antithetic points the mean of
    /// the values on both sides.
    pub fn evaluate_sides(
        &mut self,
        points: usize,
        task: u64,
        mut fill: impl FnMut(&mut Self, Side),
    ) -> Result<&[f64]> {
        fill(self, Side::Near);
        if !self.target.antithetic {
            return self.evaluate(points, task);
        }
        let near = self.evaluate(points, task)?.to_vec();
        fill(self, Side::Far);
        self.evaluate(points, task)?;
        let values = &mut self.values[..points * self.outputs];
        for (value, near) in values.iter_mut().zip(near) {
            *value = 0.5 * (near + *value);
        }
        Ok(values)
    }
}

fn not_finite(value: f64, (which, outputs): (usize, usize), at: &[f64], task: u64) -> Error {
    let mut text: Vec<String> = at.iter().enumerate().map(|(i, x)| format!("x{i} = {x}")).collect();
    if text.len() > SHOWN_MAX {
        text.truncate(SHOWN_MAX);
        text.push("…".into());
    }
    let place = text.join(", ");
    let which = if outputs > 1 { format!(" {} of {outputs}", which + 1) } else { String::new() };
    Error::task(format!("the integrand{which} is `{value}` at {place} (task {task})"))
        .hint("leave the point out of the bounds, or guard the integrand: if(condition, a, b)")
}

struct AllFinite<'a>(&'a [f64]);

impl Task for AllFinite<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        // x - x is 0 for a finite x and NaN otherwise, and NaN stays.
        let (vectors, rest) = self.0.as_chunks::<8>();
        let mut sum = simd.splat(0.0);
        for vector in vectors {
            let x = simd.load(vector);
            sum = simd.add(sum, simd.sub(x, x));
        }
        simd.mask_all(simd.eq(sum, sum)) && rest.iter().all(|x| x.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_no_number_is_named_with_its_point() {
        let space = Space::new(&[(0.0, 1.0), (2.0, 3.0)]).unwrap();
        let integrand = |x: &[f64]| if x[0] > 0.25 { f64::NAN } else { 0.0 };
        let mut block =
            Block::new(Target { space: &space, integrand: &integrand, antithetic: false });
        for ((low, width), column) in block.axes() {
            column.as_flattened_mut().fill(low + 0.5 * width);
        }
        let message = block.evaluate(3, 5).unwrap_err().to_string();
        assert!(message.contains("`NaN` at x0 = 0.5, x1 = 2.5 (task 5)"), "{message}");
    }
}
