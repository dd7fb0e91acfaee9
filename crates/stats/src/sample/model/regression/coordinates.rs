//! The coordinates in which a regression is explored: predictors centred and scaled, so that chains
//! start near the posterior and every direction has about unit length.
//!
//! Coefficients on their own scale are a linear map of the coordinates, whose Jacobian is constant:
//! the posterior is the same, only easier to explore. Priors are those of the coefficients.

use windfall_core::{Error, Result};
use windfall_lanes::sum;

/// `b_j = unit z_j / sd_j`, `b_0 = shift + unit z_0 - Σ b_j mean_j`.
#[derive(Clone, Debug)]
pub(super) struct Coordinates {
    names: Vec<String>,
    intercept: bool,
    means: Vec<f64>,
    scales: Vec<f64>,
    /// What the intercept of centred predictors is at 0.
    pub shift: f64,
    /// The unit of the linear predictor.
    pub unit: f64,
    /// 1 over the prior variance of each coefficient; empty for flat priors.
    precisions: Vec<f64>,
}

/// The standard deviations of normal priors about 0; none is flat.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Priors {
    pub coefficients: Option<f64>,
    pub intercept: Option<f64>,
}

impl Coordinates {
    /// Centres (if there is an intercept) and scales `columns` in place; `names` leads with the
    /// intercept's.
    pub fn new(
        names: Vec<String>,
        intercept: bool,
        columns: &mut [Vec<f64>],
        priors: Priors,
    ) -> Result<Self> {
        let (mut means, mut scales) = (Vec::new(), Vec::new());
        for (column, name) in columns.iter_mut().zip(&names[usize::from(intercept)..]) {
            let rows = column.len() as f64;
            let mean = if intercept { sum(column) / rows } else { 0.0 };
            column.iter_mut().for_each(|x| *x -= mean);
            let squares: Vec<f64> = column.iter().map(|x| x * x).collect();
            let scale = (sum(&squares) / rows).sqrt();
            let least = 1e-12 * mean.abs();
            if scale <= least || !scale.is_finite() {
                let expected = "a column that varies".to_owned();
                let expected =
                    if intercept { expected + " beside the intercept" } else { expected };
                return Err(Error::invalid(name, format!("{mean} in every row"), &expected));
            }
            column.iter_mut().for_each(|x| *x /= scale);
            means.push(mean);
            scales.push(scale);
        }
        let precision = |sd: Option<f64>| sd.map_or(0.0, |sd| (sd * sd).recip());
        let mut precisions = vec![precision(priors.coefficients); names.len()];
        if intercept && priors.intercept.is_some() {
            precisions[0] = precision(priors.intercept);
        }
        if precisions.iter().all(|&precision| precision == 0.0) {
            precisions.clear();
        }
        Ok(Self { names, intercept, means, scales, shift: 0.0, unit: 1.0, precisions })
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The intercept of centred predictors and the coefficients of scaled ones, from coordinates.
    pub fn split<'z>(&self, z: &'z [f64]) -> (f64, &'z [f64]) {
        match (self.intercept, z) {
            (true, [first, rest @ ..]) => (self.shift + first, rest),
            _ => (0.0, z),
        }
    }

    /// The coefficients on their own scale.
    pub fn report(&self, z: &[f64], out: &mut [f64]) {
        let first = usize::from(self.intercept);
        for (place, scale) in self.scales.iter().enumerate() {
            out[first + place] = self.unit * z[first + place] / scale;
        }
        if self.intercept {
            let away: f64 = out[1..].iter().zip(&self.means).map(|(b, mean)| b * mean).sum();
            out[0] = self.shift + self.unit * z[0] - away;
        }
    }

    /// The coordinates of coefficients.
    pub fn place(&self, coefficients: &[f64], z: &mut [f64]) -> Result<()> {
        super::super::place_reals(&self.names, coefficients, z)?;
        let first = usize::from(self.intercept);
        if self.intercept {
            let pairs = coefficients[1..].iter().zip(&self.means);
            let away: f64 = pairs.map(|(b, mean)| b * mean).sum();
            z[0] = (coefficients[0] + away - self.shift) / self.unit;
        }
        for (place, scale) in self.scales.iter().enumerate() {
            z[first + place] = coefficients[first + place] * scale / self.unit;
        }
        Ok(())
    }

    /// The log prior at `z`, up to a constant; adds its gradient to `gradient` unless that is
    /// empty. `room` is as long as there are coefficients.
    pub fn prior(&self, z: &[f64], gradient: &mut [f64], room: &mut Vec<f64>) -> f64 {
        if self.precisions.is_empty() {
            return 0.0;
        }
        room.resize(self.names.len(), 0.0);
        self.report(z, room);
        let mut value = 0.0;
        for (b, precision) in room.iter_mut().zip(&self.precisions) {
            value -= 0.5 * precision * *b * *b;
            *b *= -precision;
        }
        if gradient.is_empty() {
            return value;
        }
        let first = usize::from(self.intercept);
        let by_intercept = if self.intercept { room[0] } else { 0.0 };
        for (place, (scale, mean)) in self.scales.iter().zip(&self.means).enumerate() {
            let slope = room[first + place] - mean * by_intercept;
            gradient[first + place] += slope * self.unit / scale;
        }
        if self.intercept {
            gradient[0] += by_intercept * self.unit;
        }
        value
    }

    /// Whether every prior is flat.
    pub fn is_flat(&self) -> bool {
        self.precisions.is_empty()
    }
}
