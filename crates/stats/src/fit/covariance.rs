//! Standard errors of coefficients: from the model, or by a sandwich of scores.
//!
//! With a basis T of the coefficients, `cov(b) = T M Tᵀ`: M is a multiple of the identity where
//! the model is believed, and else the sum of squared scores, each the row of `X T` times its
//! residual. Sources: H. White (1980) for HC0; J. G. MacKinnon, H. White, "Some
//! heteroskedasticity-consistent covariance matrix estimators with improved finite sample
//! properties" (1985) for HC1 to HC3; F. Cribari-Neto (2004) for HC4; K.-Y. Liang, S. L. Zeger
//! (1986) for clusters; W. K. Newey, K. D. West (1987) for lags.

use super::StandardErrors;
use super::room::Room;
use super::sample::Failure;
use crate::linear::{Columns, Square, cross};
use std::collections::HashMap;
use windfall_lanes::scalar_math::{exp, log};
use windfall_lanes::{LANES, Simd, Task, dispatch};

/// Fills the standard errors of the fit in `room`, where `scale` is the variance that the model
/// states, and sets the degrees of freedom that go with them.
///
/// # Errors
/// [`Failure::OneCluster`]: the scores of all rows add up to 0, whatever the errors are.
pub(super) fn standard_errors(
    room: &mut Room,
    (errors, lags): (StandardErrors, Option<u64>),
    scale: f64,
) -> Result<(), Failure> {
    room.errors.clear();
    let terms = room.basis.size();
    if errors == StandardErrors::Classical {
        let of = |row: usize| (scale * super::least_squares::norm(&room.basis, row)).sqrt();
        room.errors.extend((0..terms).map(of));
        return Ok(());
    }
    let clusters = if errors.is_clustered() {
        clustered_meat(room)
    } else {
        rowwise_meat(room, errors);
        f64::NAN
    };
    if clusters == 1.0 {
        return Err(Failure::OneCluster);
    }
    if errors == StandardErrors::Hac {
        lagged_meat(room, lags);
    }
    let n = room.model.n;
    let factor = match errors {
        StandardErrors::Hc1 => n / (n - terms as f64),
        StandardErrors::Cr1 => clusters / (clusters - 1.0),
        StandardErrors::Cr1s => (n - 1.0) / (n - terms as f64) * clusters / (clusters - 1.0),
        _ => 1.0,
    };
    sandwich(room, factor);
    Ok(())
}

/// The roots of the diagonal of `factor · T M Tᵀ`.
pub(super) fn sandwich(room: &mut Room, factor: f64) {
    let terms = room.basis.size();
    let mut part = vec![0.0; terms];
    room.errors.clear();
    for row in 0..terms {
        room.meat.times(room.basis.row(row), &mut part);
        let sum: f64 = part.iter().zip(room.basis.row(row)).map(|(m, t)| m * t).sum();
        room.errors.push((factor * sum).sqrt());
    }
}

/// The sum of squared scores, each divided by what its row's leverage asks for.
fn rowwise_meat(room: &mut Room, errors: StandardErrors) {
    let Room { scores, residuals, leverage_weights, meat, model, spare, .. } = room;
    let rows = scores.rows();
    let leverage = &mut spare[2];
    leverage.clear();
    leverage.resize(residuals.len(), 0.0);
    if !matches!(errors, StandardErrors::Hc0 | StandardErrors::Hc1 | StandardErrors::Hac) {
        dispatch(Leverages { scores, out: leverage });
        leverage.iter_mut().zip(leverage_weights.iter()).for_each(|(h, weight)| *h *= weight);
    }
    let terms = scores.count() as f64;
    for (h, residual) in leverage[..rows].iter_mut().zip(residuals.iter()) {
        let left = 1.0 - *h;
        *h = match errors {
            StandardErrors::Hc2 => residual / left.sqrt(),
            StandardErrors::Hc3 => residual / left,
            StandardErrors::Hc4 => {
                let power = (model.n * *h / terms).min(4.0);
                residual * exp(-0.5 * power * log(left))
            }
            _ => *residual,
        };
    }
    for at in 0..scores.count() {
        scores.column_mut(at).iter_mut().zip(leverage.iter()).for_each(|(u, s)| *u *= s);
    }
    meat.reset(scores.count());
    cross(scores, meat);
}

/// Adds to the sum of squared scores, which are in place, the products of those that stand up to
/// `lags` rows apart, with Bartlett's weights 1 - l / (lags + 1): Newey and West (1987).
fn lagged_meat(room: &mut Room, lags: Option<u64>) {
    let Room { scores, meat, .. } = room;
    let (rows, terms) = (scores.rows(), scores.count());
    let usual = || (4.0 * exp(log(rows as f64 / 100.0) * (2.0 / 9.0))) as u64;
    let lags = lags.unwrap_or_else(usual);
    let product = |early: usize, late: usize, lag: usize| -> f64 {
        let pairs = scores.column(early).iter().zip(&scores.column(late)[lag..]);
        pairs.map(|(early, late)| early * late).sum()
    };
    for lag in 1..=lags.min(rows as u64 - 1) as usize {
        let weight = 1.0 - lag as f64 / (lags as f64 + 1.0);
        for i in 0..terms {
            for j in 0..=i {
                meat.add(i, j, weight * (product(i, j, lag) + product(j, i, lag)));
            }
        }
    }
    meat.mirror();
}

/// The squared length of each row.
struct Leverages<'a> {
    scores: &'a Columns,
    out: &'a mut [f64],
}

impl Task for Leverages<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for at in 0..self.scores.count() {
            let column = self.scores.padded(at).as_chunks::<LANES>().0;
            for (out, u) in self.out.as_chunks_mut::<LANES>().0.iter_mut().zip(column) {
                let u = simd.load(u);
                simd.store(simd.fma(u, u, simd.load(out)), out);
            }
        }
    }
}

/// The sum over clusters of their squared scores; returns the number of clusters, less one of
/// which is that of the degrees of freedom.
fn clustered_meat(room: &mut Room) -> f64 {
    let Room { scores, residuals, sample, meat, model, .. } = room;
    let terms = scores.count();
    let mut places: HashMap<u32, usize> = HashMap::new();
    let mut sums: Vec<f64> = Vec::new();
    for (row, code) in sample.clusters.iter().enumerate() {
        let next = places.len();
        let place = *places.entry(*code).or_insert(next);
        if place == next {
            sums.resize(sums.len() + terms, 0.0);
        }
        for (at, sum) in sums[place * terms..][..terms].iter_mut().enumerate() {
            *sum += scores.column(at)[row] * residuals[row];
        }
    }
    meat.reset(terms);
    for sum in sums.chunks(terms) {
        for i in 0..terms {
            for j in 0..=i {
                meat.add(i, j, sum[i] * sum[j]);
            }
        }
    }
    meat.mirror();
    let clusters = places.len() as f64;
    if model.reference.is_finite() {
        model.reference = clusters - 1.0;
    }
    clusters
}

/// What the middle of a ridge regression's covariance is where the model is believed:
/// `σ² (I - λ Tᵀ T)`, the intercept's part apart.
pub(super) fn ridge_meat(room: &mut Room, intercept: bool, penalty: f64) {
    let scale = room.model.sigma * room.model.sigma;
    let (inner, first) = (room.inner.size(), usize::from(intercept));
    room.meat = Square::zero(inner + first);
    if intercept {
        room.meat.set(0, 0, scale);
    }
    for i in 0..inner {
        for j in 0..inner {
            let product = |k: usize| room.inner.at(k, i) * room.inner.at(k, j);
            let shrunk = penalty * (0..inner).map(product).sum::<f64>();
            room.meat.set(i + first, j + first, scale * (f64::from(i == j) - shrunk));
        }
    }
}
