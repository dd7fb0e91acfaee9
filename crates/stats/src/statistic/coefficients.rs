//! A linear regression from its cross-product sums: intercept and slopes.
//!
//! Columns are centred at their mean and scaled to unit spread, so that the normal equations lose
//! as few digits as they can; they are solved by Cholesky's method with a check of the rank.

use super::frame::{Frame, Values};
use super::moments::Moments;
use windfall_core::Result;
use windfall_expr::{Expr, Workspace};

/// A pivot this small against its column's spread means that the columns before explain it.
const RANK_TOLERANCE: f64 = 1e-10;

/// The regression of the first column on the others.
#[derive(Debug)]
pub(crate) struct Coefficients {
    /// Means and covariances, as expressions over the sums: `means`, then the upper triangle of
    /// the covariances by rows.
    moments: Vec<Expr>,
    centres: Vec<f64>,
    scales: Vec<f64>,
    /// Names of the coefficients.
    names: Vec<String>,
}

impl Coefficients {
    /// Collects the sums it needs in `moments`.
    ///
    /// # Errors
    /// Those of its own formulas, which there are none of.
    pub fn new(columns: &[Values], moments: &mut Moments<'_>, frame: &Frame<'_>) -> Result<Self> {
        let selection = columns[0].selection;
        let (mut centres, mut scales, mut scaled) = (Vec::new(), Vec::new(), Vec::new());
        for column in columns {
            let count = frame.count(selection) as f64;
            let values = || frame.selected(selection).map(|row| column.values[row]);
            let centre = values().sum::<f64>() / count;
            let square = |value: f64| (value - centre) * (value - centre);
            let spread = (values().map(square).sum::<f64>() / count).sqrt();
            let scale = if spread > 0.0 { spread } else { 1.0 };
            let mut column = column.clone();
            frame.selected(selection).for_each(|row| {
                column.values[row] = (column.values[row] - centre) / scale;
            });
            centres.push(centre);
            scales.push(scale);
            scaled.push(column);
        }
        let variables: Vec<_> = scaled.iter().map(|column| moments.variable(column)).collect();
        let mut texts = Vec::new();
        let means: Vec<String> = variables.iter().map(|&v| moments.mean(&[v])).collect();
        for (v, mean) in variables.iter().zip(&means) {
            texts.push(format!("{mean} + {}", moments.centre(*v)));
        }
        for (i, &a) in variables.iter().enumerate() {
            for (j, &b) in variables.iter().enumerate().skip(i) {
                texts.push(format!("{} - {}*{}", moments.mean(&[a, b]), means[i], means[j]));
            }
        }
        let names = moments.names(0);
        let parse = |text: &String| super::parse::own(text, &names);
        let moments = texts.iter().map(parse).collect::<Result<_>>()?;
        let slopes = columns[1..].iter().map(|column| column.text.clone());
        let names = std::iter::once("intercept".to_owned()).chain(slopes).collect();
        Ok(Self { moments, centres, scales, names })
    }

    /// The names of the coefficients, the intercept first.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Writes the coefficients of each resample to `out`, coefficient by coefficient; NaN where
    /// the columns of a resample are collinear.
    pub fn evaluate(&self, inputs: &[&[f64]], out: &mut [f64], workspace: &mut Workspace) {
        let (size, resamples) = (self.names.len(), inputs[0].len());
        let mut moments = vec![0.0; self.moments.len() * resamples];
        for (expr, out) in self.moments.iter().zip(moments.chunks_exact_mut(resamples)) {
            expr.evaluate(inputs, out, workspace);
        }
        let at = |k: usize, r: usize| moments[k * resamples + r];
        let mut system = System::new(size - 1);
        for r in 0..resamples {
            let mut next = size;
            for i in 0..size {
                for j in i..size {
                    system.set(i, j, at(next, r));
                    next += 1;
                }
            }
            let solved = system.solve();
            let mut intercept = self.centres[0] + self.scales[0] * at(0, r);
            for (j, slope) in system.slopes.iter().enumerate() {
                let slope = slope * self.scales[0] / self.scales[j + 1];
                let mean = self.centres[j + 1] + self.scales[j + 1] * at(j + 1, r);
                intercept -= slope * mean;
                out[(j + 1) * resamples + r] = if solved { slope } else { f64::NAN };
            }
            out[r] = if solved { intercept } else { f64::NAN };
        }
    }
}

/// The normal equations of one resample.
struct System {
    size: usize,
    /// The covariances of the predictors, lower triangle; Cholesky's factor after solving.
    matrix: Vec<f64>,
    slopes: Vec<f64>,
}

impl System {
    fn new(size: usize) -> Self {
        Self { size, matrix: vec![0.0; size * size], slopes: vec![0.0; size] }
    }

    /// Sets the covariance of columns `i <= j`, the response being column 0.
    fn set(&mut self, i: usize, j: usize, value: f64) {
        match (i, j) {
            (0, 0) => {}
            (0, j) => self.slopes[j - 1] = value,
            (i, j) => self.matrix[(j - 1) * self.size + i - 1] = value,
        }
    }

    /// Replaces the covariances with the response by the slopes; false if the rank is too low.
    fn solve(&mut self) -> bool {
        let (n, a) = (self.size, &mut self.matrix);
        for j in 0..n {
            let spread = a[j * n + j];
            let mut pivot = spread;
            for k in 0..j {
                pivot -= a[j * n + k] * a[j * n + k];
            }
            if pivot.is_nan() || pivot <= RANK_TOLERANCE * spread || spread <= 1e-13 {
                return false;
            }
            let root = pivot.sqrt();
            a[j * n + j] = root;
            for i in j + 1..n {
                let dot: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
                a[i * n + j] = (a[i * n + j] - dot) / root;
            }
        }
        for j in 0..n {
            let dot: f64 = (0..j).map(|k| a[j * n + k] * self.slopes[k]).sum();
            self.slopes[j] = (self.slopes[j] - dot) / a[j * n + j];
        }
        for j in (0..n).rev() {
            let dot: f64 = (j + 1..n).map(|k| a[k * n + j] * self.slopes[k]).sum();
            self.slopes[j] = (self.slopes[j] - dot) / a[j * n + j];
        }
        true
    }
}
