//! The maximisation step: from sums over rows to the mixture they make most likely.

use super::model::{Covariance, Model};
use crate::cholesky::cholesky;

/// A component with less than this share of one row keeps its mean and covariance.
const ROWS_LEAST: f64 = 1e-9;

/// What keeps covariances positive definite.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// Added to every variance, in the units of the data.
    pub added: f64,
    /// The least variance that a component may have in any direction, given the columns before,
    /// over the column's own.
    pub floor: f64,
    /// The variance of each column over all rows.
    pub variances: Vec<f64>,
}

/// The sums of one component.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums<'a> {
    /// Its share of the rows.
    pub count: f64,
    /// Of deviations from its mean.
    pub firsts: &'a [f64],
    /// Of their products: the lower triangle row after row, or the squares.
    pub seconds: &'a [f64],
}

impl<'a> Sums<'a> {
    /// The sums of each component, from those of a pass; the log-likelihood, the last, is left.
    pub fn of(totals: &'a [f64], k: usize, d: usize) -> impl Iterator<Item = Self> {
        totals[..totals.len() - 1].chunks_exact((totals.len() - 1) / k).map(move |sums| Self {
            count: sums[0],
            firsts: &sums[1..=d],
            seconds: &sums[1 + d..],
        })
    }

    /// The sums of products as a matrix.
    pub fn products_matrix(&self) -> Vec<f64> {
        self.about(|_, _| 0.0)
    }

    /// The matrix of second moments about the component's new mean, times its share of rows.
    pub fn scatter(&self) -> Vec<f64> {
        self.about(|a, b| self.firsts[a] * (self.firsts[b] / self.count))
    }

    /// The sums of products as a matrix, less a shift of each that there is.
    fn about(&self, shift: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let d = self.firsts.len();
        let mut matrix = vec![0.0; d * d];
        let diagonal = self.seconds.len() == d;
        let mut seconds = self.seconds.iter();
        for a in 0..d {
            for b in (if diagonal { a } else { 0 })..=a {
                let value = seconds.next().copied().unwrap_or(0.0) - shift(a, b);
                matrix[a * d + b] = value;
                matrix[b * d + a] = value;
            }
        }
        matrix
    }
}

/// The mixture that the sums of `model` make most likely, and which of its components' covariances
/// had to be held off zero.
pub(super) fn update(model: &Model, totals: &[f64], guard: &Guard) -> (Model, Vec<bool>) {
    let (k, d) = (model.components(), model.dimensions());
    let rows: f64 = Sums::of(totals, k, d).map(|sums| sums.count).sum();
    let mut next = model.clone();
    let (mut scatters, mut counts) = (Vec::with_capacity(k), Vec::with_capacity(k));
    for (component, sums) in Sums::of(totals, k, d).enumerate() {
        next.weights[component] = sums.count / rows;
        counts.push(sums.count);
        if sums.count < ROWS_LEAST {
            // As it was, at the weight of nothing.
            let matrix = model.covariance_of(component);
            scatters.push(matrix.iter().map(|value| value * sums.count).collect());
            continue;
        }
        for a in 0..d {
            next.means[component * d + a] += sums.firsts[a] / sums.count;
        }
        scatters.push(sums.scatter());
    }
    let held = covariances(&mut next, &scatters, &counts, guard);
    (next, held)
}

/// Sets the covariances from each component's scatter and share of rows.
fn covariances(
    model: &mut Model,
    scatters: &[Vec<f64>],
    counts: &[f64],
    guard: &Guard,
) -> Vec<bool> {
    let d = model.dimensions();
    let mut held = vec![false; counts.len()];
    if model.covariance == Covariance::Tied {
        let mut pooled = vec![0.0; d * d];
        for scatter in scatters {
            pooled.iter_mut().zip(scatter).for_each(|(sum, value)| *sum += value);
        }
        let rows: f64 = counts.iter().sum();
        pooled.iter_mut().for_each(|value| *value /= rows);
        held.fill(guard.hold(&mut pooled));
        model.covariances = pooled;
        return held;
    }
    for (component, (scatter, &count)) in scatters.iter().zip(counts).enumerate() {
        if count < ROWS_LEAST {
            held[component] = true;
            continue;
        }
        let mut matrix: Vec<f64> = scatter.iter().map(|value| value / count).collect();
        if model.covariance == Covariance::Spherical {
            let mean = (0..d).map(|a| matrix[a * d + a]).sum::<f64>() / d as f64;
            (0..d).for_each(|a| matrix[a * d + a] = mean);
        }
        held[component] = guard.hold(&mut matrix);
        let diagonal = || (0..d).map(|a| matrix[a * d + a]);
        match model.covariance {
            Covariance::Spherical => {
                // Held at the largest of the columns' floors.
                model.covariances[component] = diagonal().fold(0.0, f64::max);
            }
            Covariance::Diag => {
                let place = component * d..(component + 1) * d;
                model.covariances[place].iter_mut().zip(diagonal()).for_each(|(to, v)| *to = v);
            }
            _ => model.covariances[component * d * d..][..d * d].copy_from_slice(&matrix),
        }
    }
    held
}

impl Guard {
    /// Adds what is always added; then raises the variances if in some direction too little is
    /// left, and says whether that was so.
    pub fn hold(&self, matrix: &mut [f64]) -> bool {
        let d = self.variances.len();
        (0..d).for_each(|a| matrix[a * d + a] += self.added);
        let least = |a: usize| self.floor * self.variances[a];
        let factor = cholesky(matrix, d);
        let sound = factor.is_some_and(|factor| {
            (0..d).all(|a| factor[a * d + a] * factor[a * d + a] >= least(a))
        });
        if !sound {
            // A tiny negative variance is a rounding of zero.
            for a in 0..d {
                matrix[a * d + a] = matrix[a * d + a].max(0.0) + least(a);
            }
            if cholesky(matrix, d).is_none() {
                // Rounding has made it indefinite beyond that: only its diagonal is kept.
                for at in (0..d * d).filter(|at| at % (d + 1) != 0) {
                    matrix[at] = 0.0;
                }
            }
        }
        !sound
    }
}
