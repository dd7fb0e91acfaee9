//! Take a block of points from coordinates to checked, weighted values and their moments.
//!
//! Points stand axis by axis, so that makers of points, formulas and sums all work on eight at a
//! time; a block of a few dimensions stays in the first-level cache.

use super::bounds::Space;
use super::integrand::Integrand;
use windfall_core::{Error, Moments, Partial, Result};
use windfall_lanes::{Simd, Task, dispatch};

/// Points that are drawn, and whose moments are taken, together: part of the contract on values.
pub(crate) const TILE: usize = 512;

/// Points of a task at most, and so of a block.
pub(crate) const TASK_POINTS_MAX: usize = 8 * TILE;

/// A line between columns: those a power of two apart would compete for places in the cache.
pub(crate) const GAP: usize = 8;

/// Coordinates that an error message shows.
const SHOWN_MAX: usize = 8;

/// The memory of one worker at one shard: a block of points, one or several tiles, and their
/// values.
pub(crate) struct Block<'a> {
    space: &'a Space,
    integrand: &'a dyn Integrand,
    columns: Vec<f64>,
    values: Vec<f64>,
    weights: Vec<f64>,
}

impl<'a> Block<'a> {
    /// Room for a block.
    pub fn new(space: &'a Space, integrand: &'a dyn Integrand) -> Self {
        let tiles = integrand.points_per_call().clamp(TILE, TASK_POINTS_MAX) / TILE;
        let points = tiles * TILE;
        let weights = if space.is_infinite() { vec![1.0; points] } else { Vec::new() };
        let columns = vec![0.0; (points + GAP) * space.dimensions()];
        Self { space, integrand, columns, values: vec![0.0; points], weights }
    }

    /// How many points fit, a multiple of [`TILE`].
    pub fn points_max(&self) -> usize {
        self.values.len()
    }

    /// For each axis its `(low, width)` and its coordinates, for a maker of points to fill with
    /// `low + width · u`, u in (0, 1).
    pub fn axes(&mut self) -> impl Iterator<Item = ((f64, f64), &mut [[f64; 8]])> {
        let points = self.points_max();
        let columns = self.columns.chunks_exact_mut(points + GAP);
        let affine = self.space.affine().iter().copied();
        affine.zip(columns.map(move |column| column[..points].as_chunks_mut().0))
    }

    /// The integrand, weighted for infinite axes, at the first `points` points.
    ///
    /// # Errors
    /// What the integrand reports; the point, if a value there is not finite.
    pub fn evaluate(&mut self, points: usize, task: u64) -> Result<&[f64]> {
        if !self.weights.is_empty() {
            let room = points.next_multiple_of(8);
            let stride = self.values.len() + GAP;
            let columns = self.columns.chunks_exact_mut(stride).map(|column| &mut column[..room]);
            self.space.bend(columns, &mut self.weights[..room]);
        }
        let stride = self.values.len() + GAP;
        let columns: Vec<&[f64]> =
            self.columns.chunks_exact(stride).map(|column| &column[..points]).collect();
        let values = &mut self.values[..points];
        self.integrand.evaluate(&columns, values)?;
        if !dispatch(AllFinite(values)) {
            let point = values.iter().position(|value| !value.is_finite()).unwrap_or(0);
            let at: Vec<f64> = columns.iter().map(|column| column[point]).collect();
            return Err(not_finite(values[point], &at, task));
        }
        for (value, weight) in values.iter_mut().zip(&self.weights) {
            *value *= weight;
        }
        Ok(values)
    }
}

fn not_finite(value: f64, at: &[f64], task: u64) -> Error {
    let mut text: Vec<String> = at.iter().enumerate().map(|(i, x)| format!("x{i} = {x}")).collect();
    if text.len() > SHOWN_MAX {
        text.truncate(SHOWN_MAX);
        text.push("…".into());
    }
    let place = text.join(", ");
    Error::task(format!("the integrand is `{value}` at {place} (task {task})"))
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

/// Adds the moments of values to `before`, tile by tile, in a fixed order of operations.
///
/// One pass over deviations from a tile's first value: since that is one of the values, its square
/// is within the sum of squares sought, and at most a factor of [`TILE`] in precision is lost.
/// Equal values have a spread of exactly zero.
pub(crate) fn add_moments(before: Moments, values: &[f64]) -> Moments {
    let spread = |values: &[f64]| dispatch(Spread { values, shift: values[0] });
    values.chunks(TILE).fold(before, |before, tile| before.merge(spread(tile)))
}

struct Spread<'a> {
    values: &'a [f64],
    shift: f64,
}

impl Task for Spread<'_> {
    type Output = Moments;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Moments {
        let shift = simd.splat(self.shift);
        let mut sums = [simd.splat(0.0); 4];
        let mut squares = sums;
        let (fours, rest) = self.values.as_chunks::<32>();
        for four in fours {
            for (k, vector) in four.as_chunks::<8>().0.iter().enumerate() {
                let gap = simd.sub(simd.load(vector), shift);
                sums[k] = simd.add(sums[k], gap);
                squares[k] = simd.fma(gap, gap, squares[k]);
            }
        }
        for vector in rest.chunks(8) {
            // Lanes beyond the end hold the shift, whose deviation is zero.
            let gap = simd.sub(simd.load_head(vector, self.shift), shift);
            sums[0] = simd.add(sums[0], gap);
            squares[0] = simd.fma(gap, gap, squares[0]);
        }
        let sum = fold(simd, sums);
        let count = self.values.len() as f64;
        let within = fold(simd, squares) - sum * (sum / count);
        Moments::new(self.values.len() as u64, self.shift + sum / count, within.max(0.0))
    }
}

#[inline(always)]
fn fold<S: Simd>(simd: S, parts: [S::F; 4]) -> f64 {
    let [a, b, c, d] = parts;
    simd.sum_lanes(simd.add(simd.add(a, b), simd.add(c, d)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_values() {
        for count in [1, 2, 7, 8, 31, 32, 33, 511, 512] {
            let values: Vec<f64> = (0..count).map(|i| 1e9 + (i * i % 17) as f64).collect();
            let mut expected = Moments::default();
            values.iter().for_each(|&x| expected.push(x));
            let found = add_moments(Moments::default(), &values);
            assert_eq!(found.count(), expected.count());
            assert!((found.mean() - expected.mean()).abs() < 1e-6);
            assert!((found.squares() - expected.squares()).abs() <= 1e-5 * expected.squares());
        }
    }

    #[test]
    fn equal_values_have_no_spread() {
        let found = add_moments(Moments::default(), &[0.1; 77]);
        assert_eq!((found.mean(), found.squares()), (0.1, 0.0));
    }

    #[test]
    fn a_value_that_is_no_number_is_named_with_its_point() {
        let space = Space::new(&[(0.0, 1.0), (2.0, 3.0)]).unwrap();
        let integrand = |x: &[f64]| if x[0] > 0.25 { f64::NAN } else { 0.0 };
        let mut block = Block::new(&space, &integrand);
        for ((low, width), column) in block.axes() {
            column.as_flattened_mut().fill(low + 0.5 * width);
        }
        let message = block.evaluate(3, 5).unwrap_err().to_string();
        assert!(message.contains("`NaN` at x0 = 0.5, x1 = 2.5 (task 5)"), "{message}");
    }
}
