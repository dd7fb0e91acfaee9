//! Linear regression: the data enter once, as a triangle, and an evaluation does not depend on the
//! number of rows.

use super::coordinates::Coordinates;
use super::{Model, Room};
use windfall_core::Result;
use windfall_lanes::scalar_math::{exp, log};
use windfall_lanes::{LANES, Simd, Task, dispatch};

/// Coefficients and the standard deviation of the residuals, which is explored by its logarithm.
pub(super) struct Linear {
    names: Vec<String>,
    coordinates: Coordinates,
    /// Columns of the triangle, each padded to whole vectors; the last is what they are to meet.
    triangle: Vec<[f64; LANES]>,
    vectors: usize,
    /// The residual sum of squares of the best fit.
    residual: f64,
    rows: f64,
    /// 1 over the squared scale of the half-normal prior of sigma; 0 is flat.
    sigma_precision: f64,
}

impl Linear {
    /// The model of a triangle whose last column is the response's, in units of `coordinates`.
    pub fn new(
        coordinates: Coordinates,
        triangle: &[Vec<f64>],
        rows: usize,
        sigma_sd: Option<f64>,
    ) -> Self {
        let mut names = coordinates.names().to_vec();
        let count = names.len();
        names.push("sigma".into());
        let vectors = count.div_ceil(LANES);
        let mut padded = Vec::with_capacity((count + 1) * vectors);
        for column in triangle {
            let mut values = vec![0.0; vectors * LANES];
            let kept = column.len().min(count);
            values[..kept].copy_from_slice(&column[..kept]);
            padded.extend_from_slice(values.as_chunks::<LANES>().0);
        }
        let last = triangle[count].get(count).copied().unwrap_or(0.0);
        Self {
            names,
            coordinates,
            triangle: padded,
            vectors,
            residual: last * last,
            rows: rows as f64,
            sigma_precision: sigma_sd.map_or(0.0, |sd| (sd * sd).recip()),
        }
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64], room: &mut Room) -> f64 {
        let Scratch { away, coefficients } = room.hold();
        let (&u, z) = x.split_last().unwrap_or((&0.0, &[]));
        let inverse = exp(-2.0 * u);
        away.resize(self.vectors, [0.0; LANES]);
        let count = z.len().min(gradient.len());
        let fit = Fit {
            columns: &self.triangle,
            z,
            away,
            factor: -inverse,
            gradient: &mut gradient[..count],
        };
        let squares = dispatch(fit) + self.residual;
        let sigma = self.coordinates.unit * exp(u);
        let prior = 0.5 * self.sigma_precision * sigma * sigma;
        let value = (1.0 - self.rows) * u - 0.5 * squares * inverse - prior;
        match gradient.split_last_mut() {
            None => value + self.coordinates.prior(z, &mut [], coefficients),
            Some((last, rest)) => {
                *last = (1.0 - self.rows) + squares * inverse - 2.0 * prior;
                value + self.coordinates.prior(z, rest, coefficients)
            }
        }
    }
}

/// What evaluations keep from call to call.
#[derive(Default)]
struct Scratch {
    away: Vec<[f64; LANES]>,
    coefficients: Vec<f64>,
}

/// `|Rz - c|²`, and `factor R'(Rz - c)` as the gradient unless that is empty.
struct Fit<'a> {
    columns: &'a [[f64; LANES]],
    z: &'a [f64],
    away: &'a mut [[f64; LANES]],
    factor: f64,
    gradient: &'a mut [f64],
}

impl Task for Fit<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let Self { columns, z, away, factor, gradient } = self;
        let vectors = away.len();
        let (matrix, target) = columns.split_at(z.len() * vectors);
        let mut total = simd.splat(0.0);
        for (place, (away, target)) in away.iter_mut().zip(target).enumerate() {
            let mut sum = simd.neg(simd.load(target));
            for (column, &z) in matrix[place..].iter().step_by(vectors).zip(z) {
                sum = simd.fma(simd.load(column), simd.splat(z), sum);
            }
            simd.store(sum, away);
            total = simd.fma(sum, sum, total);
        }
        for (slope, column) in gradient.iter_mut().zip(matrix.chunks_exact(vectors)) {
            let mut sum = simd.splat(0.0);
            for (column, away) in column.iter().zip(&*away) {
                sum = simd.fma(simd.load(column), simd.load(away), sum);
            }
            *slope = factor * simd.sum_lanes(sum);
        }
        simd.sum_lanes(total)
    }
}

impl Model for Linear {
    fn dimensions(&self) -> usize {
        self.names.len()
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn log_density(&self, x: &[f64], gradient: &mut [f64], room: &mut Room) -> Result<f64> {
        Ok(self.evaluate(x, gradient, room))
    }

    fn value(&self, x: &[f64], room: &mut Room) -> Result<f64> {
        Ok(self.evaluate(x, &mut [], room))
    }

    fn report(&self, x: &[f64], out: &mut [f64], _: &mut Room) -> Result<()> {
        let last = x.len() - 1;
        self.coordinates.report(&x[..last], &mut out[..last]);
        out[last] = self.coordinates.unit * exp(x[last]);
        Ok(())
    }

    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()> {
        let last = x.len() - 1;
        self.coordinates.place(&parameters[..last], &mut x[..last])?;
        let sigma = super::super::Constraint::POSITIVE.unconstrain("sigma", parameters[last])?;
        x[last] = sigma - log(self.coordinates.unit);
        Ok(())
    }
}
