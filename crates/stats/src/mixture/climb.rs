//! One ascent of the likelihood from one start: what to evaluate next, and when to stop.
//!
//! Plain EM (Dempster, Laird & Rubin 1977), or EM accelerated by SQUAREM (Varadhan & Roland 2008,
//! scheme S3): after two steps a leap along them, taken back if the likelihood falls.

use super::model::{Covariance, Densities, Model};
use super::update::{Guard, update};
use crate::cholesky::cholesky;
use windfall_lanes::scalar_math::{exp, log};

/// When an ascent ends, and how it goes.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// Ends when a step moves the log-likelihood by less than this much a row.
    pub tolerance: f64,
    /// The most steps.
    pub steps_max: u64,
    /// Whether steps are accelerated.
    pub leaps: bool,
    pub guard: Guard,
}

/// An ascent from one start.
#[derive(Clone, Debug)]
pub(super) struct Climb {
    /// The number of the start.
    pub start: u64,
    /// The best mixture evaluated so far.
    pub model: Model,
    /// Its log-likelihood and those before it, in rising order.
    pub trace: Vec<f64>,
    /// The sums at `model`.
    pub totals: Vec<f64>,
    /// Maximisation steps.
    pub steps: u64,
    /// Whether the last step gained less than the tolerance.
    pub converged: bool,
    /// Which covariances of `model` are held off zero.
    pub held: Vec<bool>,
    next: Option<(Model, Vec<bool>)>,
    /// Mixtures of this cycle, as free numbers.
    cycle: Vec<Vec<f64>>,
    /// Where to go if the leap fell.
    instead: Option<(Model, Vec<bool>)>,
}

impl Climb {
    /// An ascent that has yet to be evaluated at its start.
    pub fn new(start: u64, model: Model) -> Self {
        let held = vec![false; model.components()];
        Self {
            start,
            next: Some((model.clone(), held.clone())),
            model,
            trace: Vec::new(),
            totals: Vec::new(),
            steps: 0,
            converged: false,
            held,
            cycle: Vec::new(),
            instead: None,
        }
    }

    /// The mixture to evaluate next; none when the ascent has ended.
    pub fn wants(&self) -> Option<&Model> {
        self.next.as_ref().map(|(model, _)| model)
    }

    /// The log-likelihood reached.
    pub fn height(&self) -> f64 {
        self.trace.last().copied().unwrap_or(f64::NEG_INFINITY)
    }

    /// Takes the sums of the mixture that was wanted, over `rows` rows.
    pub fn take(&mut self, totals: Vec<f64>, rows: f64, pace: &Pace) {
        let Some((model, held)) = self.next.take() else { return };
        let height = totals.last().copied().unwrap_or(f64::NAN);
        let instead = self.instead.take();
        let fell = height.is_nan() || height < self.height();
        if let Some(instead) = instead.filter(|_| fell) {
            self.next = Some(instead);
            return;
        }
        let gain = (height - self.height()) / rows;
        let by_a_step = !self.cycle.is_empty() || !pace.leaps;
        (self.model, self.held, self.totals) = (model, held, totals);
        self.trace.push(height);
        self.converged = self.steps > 0 && by_a_step && gain.abs() < pace.tolerance;
        if self.converged || self.steps >= pace.steps_max || height.is_nan() {
            return;
        }
        let (next, held) = update(&self.model, &self.totals, &pace.guard);
        self.steps += 1;
        if pace.leaps {
            self.cycle.push(free(&self.model));
            if self.cycle.len() == 2 {
                let leap = leap(&self.cycle[0], &self.cycle[1], &free(&next));
                self.cycle.clear();
                let landed = leap.and_then(|values| fixed(&values, &self.model));
                if let Some(landed) = landed.filter(|landed| Densities::new(landed).is_some()) {
                    self.instead = Some((next, held.clone()));
                    self.next = Some((landed, held));
                    return;
                }
            }
        }
        self.next = Some((next, held));
    }
}

/// The point that SQUAREM leaps to from three in a row; none if it would not leave the third.
fn leap(first: &[f64], second: &[f64], third: &[f64]) -> Option<Vec<f64>> {
    let (mut step, mut bend) = (0.0_f64, 0.0_f64);
    for ((x0, x1), x2) in first.iter().zip(second).zip(third) {
        let r = x1 - x0;
        let v = (x2 - x1) - r;
        step = r.mul_add(r, step);
        bend = v.mul_add(v, bend);
    }
    let length = -(step / bend).sqrt();
    if !length.is_finite() || length >= -1.0 {
        return None;
    }
    let to = |((x0, x1), x2): ((&f64, &f64), &f64)| {
        let r = x1 - x0;
        let v = (x2 - x1) - r;
        (length * length).mul_add(v, (-2.0 * length).mul_add(r, *x0))
    };
    Some(first.iter().zip(second).zip(third).map(to).collect())
}

/// A mixture as numbers that may take any value: logarithms of weights and of the diagonals of the
/// covariances' factors.
fn free(model: &Model) -> Vec<f64> {
    let d = model.dimensions();
    let mut values: Vec<f64> =
        model.weights.iter().map(|&weight| log(weight.max(f64::MIN_POSITIVE))).collect();
    values.extend_from_slice(&model.means);
    if model.covariance.is_diagonal() {
        values.extend(model.covariances.iter().map(|&variance| log(variance)));
        return values;
    }
    for matrix in model.covariances.chunks_exact(d * d) {
        let factor = cholesky(matrix, d).unwrap_or_else(|| vec![f64::NAN; d * d]);
        for a in 0..d {
            values.extend_from_slice(&factor[a * d..a * d + a]);
            values.push(log(factor[a * d + a]));
        }
    }
    values
}

/// The mixture that [`free`] turns into `values`, of the form of `like`; none if a number is lost.
fn fixed(values: &[f64], like: &Model) -> Option<Model> {
    let (k, d) = (like.components(), like.dimensions());
    let (weights, rest) = values.split_at(k);
    let (means, rest) = rest.split_at(k * d);
    let most = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut weights: Vec<f64> = weights.iter().map(|weight| exp(weight - most)).collect();
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    let covariances: Vec<f64> = match like.covariance {
        Covariance::Diag | Covariance::Spherical => rest.iter().map(|&value| exp(value)).collect(),
        _ => rest.chunks_exact(d * (d + 1) / 2).flat_map(|packed| square(packed, d)).collect(),
    };
    let numbers = weights.iter().chain(means).chain(&covariances);
    let sound = numbers.copied().all(f64::is_finite);
    let covariance = like.covariance;
    sound.then(|| Model { covariance, weights, means: means.to_vec(), covariances })
}

/// The matrix whose factor is packed so.
fn square(packed: &[f64], d: usize) -> Vec<f64> {
    let entry = |a: usize, b: usize| {
        let value = packed[a * (a + 1) / 2 + b];
        if a == b { exp(value) } else { value }
    };
    let mut matrix = vec![0.0; d * d];
    for a in 0..d {
        for b in 0..=a {
            let sum = (0..=b).fold(0.0, |sum, c| entry(a, c).mul_add(entry(b, c), sum));
            matrix[a * d + b] = sum;
            matrix[b * d + a] = sum;
        }
    }
    matrix
}
