//! Standard errors of single replicates, for studentised intervals.
//!
//! A function of sums under the plain design has one in closed form: the infinitesimal jackknife
//! (Jaeckel 1972; Efron and Tibshirani 1993, chapter 22), here with the gradient taken by central
//! differences. Everything else is resampled again.

use super::source::Room;
use crate::resample::Design;
use crate::statistic::{Statistic, Target};
use windfall_core::{Result, Stream};
use windfall_expr::Workspace;

/// The step of a difference quotient, in standard deviations of the sum it moves.
const STEP: f64 = 1e-4;

/// The infinitesimal jackknife from sums: with `g` the gradient of the statistic in its sums `S`
/// and `P` the sums of products of their columns, the variance is `gᵀ(P - SSᵀ/n)g`.
#[derive(Debug)]
pub(crate) struct Delta {
    /// The products of columns `k <= l`, by rows of the upper triangle.
    pub products: Vec<Vec<f64>>,
    rows: f64,
}

impl Delta {
    /// The columns that it needs beside those of `statistic`.
    pub fn new(statistic: &Statistic) -> Self {
        let sums = &statistic.sums;
        let mut products = Vec::new();
        for (k, a) in sums.iter().enumerate() {
            for b in &sums[k..] {
                products.push(a.iter().zip(b).map(|(a, b)| a * b).collect());
            }
        }
        Self { products, rows: statistic.rows as f64 }
    }

    /// Writes the standard error of each quantity of each resample to `out`.
    ///
    /// # Shapes
    /// `inputs`: the statistic's sums, then those of the products; `out`: quantity by quantity.
    pub fn evaluate(
        &self,
        statistic: &Statistic,
        inputs: &[f64],
        out: &mut [f64],
        workspace: &mut Workspace,
    ) {
        let (sums, quantities) = (statistic.sums.len(), statistic.quantities());
        let count = out.len() / quantities;
        let (values, products) = inputs.split_at(sums * count);
        let mut moved = values.to_vec();
        let mut gradients = vec![0.0; sums * out.len()];
        let mut down = vec![0.0; out.len()];
        for (k, up) in gradients.chunks_mut(out.len()).enumerate() {
            let here = k * count..(k + 1) * count;
            // Rows 0 to k - 1 of the triangle hold sums, sums - 1, … products.
            let place = (0..k).map(|row| sums - row).sum::<usize>();
            let square = &products[place * count..][..count];
            let step = |r: usize| STEP * square[r].sqrt();
            (0..count).for_each(|r| moved[k * count + r] = values[k * count + r] + step(r));
            statistic.finish.evaluate(&moved, up, workspace);
            (0..count).for_each(|r| moved[k * count + r] = values[k * count + r] - step(r));
            statistic.finish.evaluate(&moved, &mut down, workspace);
            moved[here.clone()].copy_from_slice(&values[here]);
            for (at, (up, down)) in up.iter_mut().zip(&down).enumerate() {
                let step = step(at % count);
                *up = if step > 0.0 { (*up - down) / (2.0 * step) } else { 0.0 };
            }
        }
        out.fill(0.0);
        let mut triangle = products.chunks(count);
        for k in 0..sums {
            for l in k..sums {
                let product = triangle.next().unwrap_or(&[]);
                let twice = if k == l { 1.0 } else { 2.0 };
                for (at, out) in out.iter_mut().enumerate() {
                    let r = at % count;
                    let size = gradients.len() / sums;
                    let spread =
                        product[r] - values[k * count + r] * values[l * count + r] / self.rows;
                    *out += twice * gradients[k * size + at] * gradients[l * size + at] * spread;
                }
            }
        }
        out.iter_mut().for_each(|variance| *variance = variance.max(0.0).sqrt());
    }
}

/// The standard error of a replicate from resamples of its own rows.
pub(crate) struct Nested<'a> {
    pub target: Target<'a>,
    pub design: &'a Design,
    /// The place of each row in the order of the design's strata.
    pub places: &'a [u32],
    /// Resamples of each resample.
    pub inner: usize,
}

impl Nested<'_> {
    /// The number of values of a resample: quantities, then their standard errors.
    pub fn columns(&self) -> usize {
        2 * self.target.quantities()
    }

    /// Draws `count` resamples with the standard error of each.
    pub fn draw(
        &self,
        stream: &mut Stream,
        count: usize,
        room: &mut Room,
        out: &mut [f64],
    ) -> Result<()> {
        let quantities = self.target.quantities();
        let mut value = vec![0.0; quantities];
        let mut inner = vec![0.0; quantities * self.inner];
        for resample in 0..count {
            let mut rows = std::mem::take(&mut room.rows);
            self.design.draw_rows(stream, &mut rows)?;
            self.evaluate(&rows, room, &mut value)?;
            for (quantity, &value) in value.iter().enumerate() {
                out[quantity * count + resample] = value;
            }
            let mut again = std::mem::take(&mut room.inner_rows);
            for i in 0..self.inner {
                self.design.draw_rows(stream, &mut again)?;
                // A row of stratum s stands for a place of s, and that place holds a row of s.
                again.iter_mut().for_each(|row| *row = rows[self.places[*row as usize] as usize]);
                self.evaluate(&again, room, &mut value)?;
                for (quantity, &value) in value.iter().enumerate() {
                    inner[quantity * self.inner + i] = value;
                }
            }
            (room.rows, room.inner_rows) = (rows, again);
            for (quantity, values) in inner.chunks(self.inner).enumerate() {
                out[(quantities + quantity) * count + resample] = deviation(values);
            }
        }
        Ok(())
    }

    fn evaluate(&self, rows: &[u32], room: &mut Room, out: &mut [f64]) -> Result<()> {
        match self.target {
            Target::Formula(statistic) => {
                room.weights.clear();
                room.weights.resize(statistic.rows, 0.0);
                rows.iter().for_each(|&row| room.weights[row as usize] += 1.0);
                room.one.resize(statistic.inputs(), 0.0);
                statistic.inputs_from_weights(&room.weights, &mut room.scratch, &mut room.one);
                statistic.finish.evaluate(&room.one, out, &mut room.workspace);
                Ok(())
            }
            Target::User(gathered) => {
                if room.columns.is_empty() {
                    room.columns = gathered.room();
                }
                gathered.gather(rows, &mut room.columns);
                gathered.evaluate(&mut room.columns, 1, out)
            }
        }
    }
}

/// The standard deviation of the values that are numbers, with divisor one less than their count.
fn deviation(values: &[f64]) -> f64 {
    let defined = || values.iter().filter(|value| !value.is_nan());
    let count = defined().count() as f64;
    let mean = defined().sum::<f64>() / count;
    let squares: f64 = defined().map(|value| (value - mean) * (value - mean)).sum();
    (squares / (count - 1.0)).sqrt()
}
