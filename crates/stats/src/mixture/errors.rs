//! Standard errors by the observed information: minus the slope of the score at the maximum.
//!
//! The score of a mixture is a formula of the sums of one pass over the rows: the derivative of
//! the log-likelihood equals the expected derivative of that of the complete data (Fisher's
//! identity; Louis 1982). Its slope is taken by central differences, two mixtures a parameter,
//! all in one round.

use super::model::{Covariance, Model};
use super::update::Sums;
use crate::cholesky::{cholesky, inverse, inverse_lower};

/// Steps of the differences, in standard deviations of what moves.
const STEP: f64 = 1e-4;

/// One free parameter: the weights but the last, then means, then covariances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    /// The weight of a component; that of the last one moves against it.
    Weight(usize),
    /// The mean of a component in a column.
    Mean(usize, usize),
    /// The covariance of a component, or of all, between two columns.
    Covariance(Option<usize>, usize, usize),
    /// The variance of a component in every direction.
    Variance(usize),
}

/// The free parameters of `model`, in the order of their quantities.
pub(super) fn parameters(model: &Model) -> Vec<Parameter> {
    let (k, d) = (model.components(), model.dimensions());
    let mut list: Vec<Parameter> = (0..k - 1).map(Parameter::Weight).collect();
    list.extend((0..k).flat_map(|j| (0..d).map(move |a| Parameter::Mean(j, a))));
    list.extend(spreads(model));
    list
}

/// The parameters of the covariances.
pub(super) fn spreads(model: &Model) -> Vec<Parameter> {
    let (k, d) = (model.components(), model.dimensions());
    let triangle = |j: Option<usize>| {
        (0..d).flat_map(move |a| (0..=a).map(move |b| Parameter::Covariance(j, a, b)))
    };
    match model.covariance {
        Covariance::Full => (0..k).flat_map(|j| triangle(Some(j))).collect(),
        Covariance::Tied => triangle(None).collect(),
        Covariance::Diag => {
            (0..k).flat_map(|j| (0..d).map(move |a| Parameter::Covariance(Some(j), a, a))).collect()
        }
        Covariance::Spherical => (0..k).map(Parameter::Variance).collect(),
    }
}

/// The two neighbours of `model` along each parameter, and the distances between the two.
pub(super) fn neighbours(model: &Model) -> (Vec<Model>, Vec<f64>) {
    let d = model.dimensions();
    let last = model.components() - 1;
    let (mut models, mut gaps) = (Vec::new(), Vec::new());
    for parameter in parameters(model) {
        let step = STEP * size(model, parameter);
        for step in [step, -step] {
            let mut moved = model.clone();
            match parameter {
                Parameter::Weight(j) => {
                    moved.weights[j] += step;
                    moved.weights[last] -= step;
                }
                Parameter::Mean(j, a) => moved.means[j * d + a] += step,
                Parameter::Variance(j) => moved.covariances[j] += step,
                Parameter::Covariance(j, a, b) if model.covariance == Covariance::Diag => {
                    debug_assert_eq!(a, b);
                    moved.covariances[j.unwrap_or(0) * d + a] += step;
                }
                Parameter::Covariance(j, a, b) => {
                    let first = j.unwrap_or(0) * d * d;
                    moved.covariances[first + a * d + b] += step;
                    if a != b {
                        moved.covariances[first + b * d + a] += step;
                    }
                }
            }
            models.push(moved);
        }
        gaps.push(2.0 * step);
    }
    (models, gaps)
}

/// The scale on which a parameter moves.
fn size(model: &Model, parameter: Parameter) -> f64 {
    let d = model.dimensions();
    let deviation = |j: usize, a: usize| model.covariance_of(j)[a * d + a].sqrt();
    match parameter {
        Parameter::Weight(j) => {
            let last = model.components() - 1;
            model.weights[j].min(model.weights[last])
        }
        Parameter::Mean(j, a) => deviation(j, a),
        // A tenth: matrices near the edge stay positive definite.
        Parameter::Covariance(j, a, b) => {
            let j = j.unwrap_or(0);
            let free = cholesky(&model.covariance_of(j), d).map_or(1.0, |factor| {
                let share = |a: usize| factor[a * d + a] / deviation(j, a);
                (0..d).map(share).fold(1.0, f64::min)
            });
            free * free * deviation(j, a) * deviation(j, b)
        }
        Parameter::Variance(j) => model.covariances[j],
    }
}

/// The derivative of the log-likelihood by each free parameter, from the sums of a pass.
pub(super) fn score(model: &Model, totals: &[f64]) -> Vec<f64> {
    let (k, d) = (model.components(), model.dimensions());
    let mut slopes = Vec::new();
    let mut matrices = vec![vec![0.0; d * d]; k];
    let last = Sums::of(totals, k, d).last().map_or(0.0, |sums| sums.count) / model.weights[k - 1];
    for (j, sums) in Sums::of(totals, k, d).enumerate().take(k - 1) {
        slopes.push(sums.count / model.weights[j] - last);
    }
    for (j, sums) in Sums::of(totals, k, d).enumerate() {
        let precision = cholesky(&model.covariance_of(j), d)
            .map(|factor| inverse(&inverse_lower(&factor, d), d))
            .unwrap_or_else(|| vec![f64::NAN; d * d]);
        let product = |left: &[f64], right: &[f64]| {
            let mut out = vec![0.0; d * d];
            for a in 0..d {
                for b in 0..d {
                    out[a * d + b] =
                        (0..d).fold(0.0, |sum, c| left[a * d + c].mul_add(right[c * d + b], sum));
                }
            }
            out
        };
        for a in 0..d {
            let row = precision[a * d..(a + 1) * d].iter().zip(sums.firsts);
            slopes.push(row.fold(0.0, |sum, (p, first)| p.mul_add(*first, sum)));
        }
        let second = product(&product(&precision, &sums.products_matrix()), &precision);
        let both = second.iter().zip(&precision);
        matrices[j] = both.map(|(s, p)| 0.5 * (-sums.count).mul_add(*p, *s)).collect();
    }
    for spread in spreads(model) {
        let entry = |j: usize, a: usize, b: usize| {
            let factor = if a == b { 1.0 } else { 2.0 };
            factor * matrices[j][a * d + b]
        };
        slopes.push(match spread {
            Parameter::Covariance(Some(j), a, b) => entry(j, a, b),
            Parameter::Covariance(None, a, b) => (0..k).map(|j| entry(j, a, b)).sum(),
            Parameter::Variance(j) => (0..d).map(|a| entry(j, a, a)).sum(),
            Parameter::Weight(_) | Parameter::Mean(..) => 0.0,
        });
    }
    slopes
}

/// The standard errors of all weights, means and covariances: those of [`parameters`], with that
/// of the last weight after the other weights. None if the information is not positive definite.
///
/// `scores` are those of the neighbours, two a parameter, `gaps` their distances.
pub(super) fn standard_errors(
    components: usize,
    scores: &[Vec<f64>],
    gaps: &[f64],
) -> Option<Vec<f64>> {
    let p = gaps.len();
    let slope = |row: usize, column: usize| {
        (scores[2 * row + 1][column] - scores[2 * row][column]) / gaps[row]
    };
    let mut information = vec![0.0; p * p];
    for row in 0..p {
        for column in 0..p {
            information[row * p + column] = 0.5 * (slope(row, column) + slope(column, row));
        }
    }
    // Parameters differ in their units: scaled to ones on the diagonal.
    let scale: Vec<f64> = (0..p).map(|at| 1.0 / information[at * p + at].sqrt()).collect();
    for at in 0..p * p {
        information[at] *= scale[at / p] * scale[at % p];
    }
    let covariance = inverse(&inverse_lower(&cholesky(&information, p)?, p), p);
    let entry = |a: usize, b: usize| covariance[a * p + b] * scale[a] * scale[b];
    let weights = components - 1;
    let mut errors: Vec<f64> = (0..p).map(|at| entry(at, at).sqrt()).collect();
    let pairs = (0..weights).flat_map(|a| (0..weights).map(move |b| (a, b)));
    errors.insert(weights, pairs.fold(0.0, |sum: f64, (a, b)| sum + entry(a, b)).sqrt());
    Some(errors)
}
