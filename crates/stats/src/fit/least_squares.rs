//! Least squares, weighted or not, with or without a ridge penalty.
//!
//! With an intercept the columns are centred, which takes it out of the problem. The normal
//! equations of the columns, scaled to unit length, are solved by Cholesky, those of eight fits at
//! once ([`super::eight`]), where they keep the digits: the diagonal of their inverse, the variance
//! inflation factors, says how many are lost. Elsewhere an orthonormal basis of the columns is made
//! and the solution refined with residuals in twice the precision.

use super::room::{Model, Room};
use super::sample::Failure;
use crate::linear::{Columns, Square, add_scaled, cross, dot, orthonormal, refine, total};
use windfall_lanes::scalar_math::log;
use windfall_lanes::{LANES, Simd, Task, dispatch};

/// Variance inflation up to which normal equations serve: it costs three digits, of which one
/// step of refinement wins two back.
const INFLATION_MAX: f64 = 1e3;
/// Variance inflation below which they need no refinement.
const INFLATION_FREE: f64 = 10.0;
/// What must be left of a column's length, beyond what rounding leaves, to count as its own.
const LEFT_MIN: f64 = 1e-10;

/// Makes the cross products of the sample in `room`, from which [`super::eight::solve`] goes on.
///
/// # Errors
/// [`Failure::NotFinite`] if a sum is not; [`Failure::TooFew`]; [`Failure::Singular`] for a term
/// that is constant but for rounding.
pub(super) fn begin(room: &mut Room, intercept: bool, penalty: f64) -> Result<(), Failure> {
    let (rows, inner) = (room.sample.x.rows(), room.sample.terms());
    let terms = inner + usize::from(intercept);
    if rows == 0 || (rows < terms && penalty == 0.0) {
        return Err(Failure::TooFew);
    }
    let y = inner;
    for (value, offset) in room.sample.x.column_mut(y).iter_mut().zip(&room.sample.offset) {
        *value -= offset;
    }
    room.mass = centre(room, intercept);
    room.cross.reset(inner + 1);
    cross(&room.sample.x, &mut room.cross);
    if (0..=inner).any(|at| !room.cross.at(at, at).is_finite()) {
        return Err(Failure::NotFinite);
    }
    match flat(room, rows) {
        Some(flat) => Err(Failure::Singular(flat + usize::from(intercept))),
        None => Ok(()),
    }
}

/// Makes the fit of what the normal equations in `room` came to, or another way if they lost too
/// many digits, and leaves coefficients, basis, residuals and figures there.
///
/// # Errors
/// [`Failure::Singular`].
pub(super) fn finish(room: &mut Room, intercept: bool, penalty: f64) -> Result<(), Failure> {
    let (inner, inflation) = (room.sample.terms(), room.inflation);
    room.residuals.clear();
    room.residuals.resize(room.sample.x.padded(inner).len(), 0.0);
    if penalty == 0.0 && (inflation.is_nan() || inflation > INFLATION_MAX) {
        by_basis(room, intercept)?;
    } else if inflation.is_nan() {
        return Err(Failure::Singular(inner));
    } else {
        residuals(room);
        if inflation > INFLATION_FREE || penalty > 0.0 {
            correct(room, penalty);
        }
    }
    room.extend_basis(intercept, 1.0 / room.mass.sqrt());
    figures(room, intercept, penalty);
    if intercept {
        let shift: f64 = room.coefficients.iter().zip(&room.means).map(|(b, m)| b * m).sum();
        let first = room.means[inner] - shift;
        room.coefficients.insert(0, first);
    }
    Ok(())
}

/// Takes the means out of the columns if there is an intercept, and multiplies rows by the roots
/// of their weights. Returns the total weight.
fn centre(room: &mut Room, intercept: bool) -> f64 {
    let (x, weights) = (&mut room.sample.x, &room.sample.weights);
    let rows = x.rows();
    room.means.clear();
    room.means.resize(x.count(), 0.0);
    let mass = if weights.is_empty() { rows as f64 } else { total(weights) };
    if intercept && weights.is_empty() {
        dispatch(Centre { x, means: &mut room.means });
    } else if intercept {
        for (at, mean) in room.means.iter_mut().enumerate() {
            let column = x.column_mut(at);
            *mean = dot(column, weights) / mass;
            column.iter_mut().for_each(|value| *value -= *mean);
        }
    }
    if !weights.is_empty() {
        for at in 0..x.count() {
            let pairs = x.column_mut(at).iter_mut().zip(weights);
            pairs.for_each(|(value, weight)| *value *= weight.sqrt());
        }
    }
    mass
}

/// Takes the mean out of each column.
struct Centre<'a> {
    x: &'a mut Columns,
    means: &'a mut [f64],
}

impl Task for Centre<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        const SHORT: usize = 1024;
        let rows = self.x.rows();
        for (at, mean) in self.means.iter_mut().enumerate() {
            let column = self.x.padded_mut(at);
            let sum = if column.len() <= SHORT {
                let mut sums = [simd.splat(0.0); 2];
                for (place, lanes) in column.as_chunks::<LANES>().0.iter().enumerate() {
                    sums[place % 2] = simd.add(sums[place % 2], simd.load(lanes));
                }
                simd.sum_lanes(simd.add(sums[0], sums[1]))
            } else {
                total(column)
            };
            *mean = sum / rows as f64;
            let shift = simd.splat(*mean);
            for lanes in column.as_chunks_mut::<LANES>().0 {
                simd.store(simd.sub(simd.load(lanes), shift), lanes);
            }
            column[rows..].fill(0.0);
        }
    }
}

/// The first column that is constant but for rounding, or zero.
fn flat(room: &Room, rows: usize) -> Option<usize> {
    let rounding = 16.0 * f64::EPSILON;
    let least = |at: usize| rows as f64 * (rounding * room.means[at]).powi(2);
    (0..room.sample.terms()).find(|&at| room.cross.at(at, at) <= least(at))
}

/// `y - X b`.
fn residuals(room: &mut Room) {
    let Room { sample, coefficients, residuals, .. } = room;
    dispatch(Residuals { x: &sample.x, b: coefficients, r: residuals });
}

struct Residuals<'a> {
    x: &'a Columns,
    b: &'a [f64],
    r: &'a mut [f64],
}

impl Task for Residuals<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let y = self.x.padded(self.b.len()).as_chunks::<LANES>().0;
        for (at, (y, out)) in y.iter().zip(self.r.as_chunks_mut::<LANES>().0).enumerate() {
            let mut left = simd.load(y);
            for (term, &b) in self.b.iter().enumerate() {
                let x = &self.x.padded(term).as_chunks::<LANES>().0[at];
                left = simd.fnma(simd.splat(b), simd.load(x), left);
            }
            simd.store(left, out);
        }
    }
}

/// One step of refinement: the coefficients of the residuals (Å. Björck, "Stability analysis of
/// the method of seminormal equations", 1987).
fn correct(room: &mut Room, penalty: f64) {
    let count = room.coefficients.len();
    let mut gradient = vec![0.0; count];
    for (at, out) in gradient.iter_mut().enumerate() {
        *out = dot(room.sample.x.padded(at), &room.residuals) - penalty * room.coefficients[at];
    }
    let (mut part, mut step) = (vec![0.0; count], vec![0.0; count]);
    room.inner.transposed_times(&gradient, &mut part);
    room.inner.times(&part, &mut step);
    for (at, step) in step.iter().enumerate() {
        room.coefficients[at] += step;
        add_scaled(-step, room.sample.x.padded(at), &mut room.residuals);
    }
}

/// Solves by an orthonormal basis and refines.
fn by_basis(room: &mut Room, intercept: bool) -> Result<(), Failure> {
    let count = room.sample.terms();
    let Room { sample, columns, inner, cross, means, coefficients, residuals, .. } = room;
    columns.reset(count, sample.x.rows());
    for at in 0..count {
        columns.padded_mut(at).copy_from_slice(sample.x.padded(at));
    }
    // A column far from zero keeps fewer digits of what it varies by.
    let rows = sample.x.rows() as f64;
    let rounding = |at: usize| means[at].abs() * (rows / cross.at(at, at)).sqrt();
    let worst = (0..count).map(rounding).fold(1.0, f64::max);
    let least = vec![LEFT_MIN + 8.0 * f64::EPSILON * worst; count];
    orthonormal(columns, &least, inner)
        .map_err(|at| Failure::Singular(at + usize::from(intercept)))?;
    let y = sample.x.padded(count).to_vec();
    for (at, b) in coefficients.iter_mut().enumerate() {
        let share = |k: usize| inner.at(at, k) * dot(columns.padded(k), &y);
        *b = (0..count).map(share).sum();
    }
    let x = TermsOnly::of(&sample.x, count);
    refine(&x.0, &y, (columns, inner), coefficients, residuals);
    Ok(())
}

/// The columns of the terms, without the response.
struct TermsOnly(Columns);

impl TermsOnly {
    fn of(x: &Columns, count: usize) -> Self {
        let mut terms = Columns::default();
        terms.reset(count, x.rows());
        for at in 0..count {
            terms.padded_mut(at).copy_from_slice(x.padded(at));
        }
        Self(terms)
    }
}

/// The figures of the model as a whole.
fn figures(room: &mut Room, intercept: bool, penalty: f64) {
    let (n, inner) = (room.sample.x.rows() as f64, room.sample.terms());
    let terms = inner as f64 + f64::from(intercept);
    // What the penalty takes off the coefficients, from the trace of the hat matrix.
    let trace: f64 = (0..inner).map(|i| norm(&room.inner, i)).sum();
    let effective = terms - penalty * trace;
    let squares = dot(&room.residuals, &room.residuals);
    let all = room.cross.at(inner, inner);
    let log_weights: f64 = room.sample.weights.iter().map(|&weight| log(weight)).sum();
    let freedom = n - effective;
    let mut model = Model {
        n,
        freedom,
        reference: freedom,
        sigma: (squares / freedom).sqrt(),
        r_squared: 1.0 - squares / all,
        deviance: squares,
        ..Model::NONE
    };
    let of_mean = n - f64::from(intercept);
    model.adjusted_r_squared = 1.0 - (1.0 - model.r_squared) * of_mean / freedom;
    let spread = log(std::f64::consts::TAU * squares / n);
    model.log_likelihood = 0.5 * (log_weights - n * (spread + 1.0));
    if freedom <= 0.0 {
        (model.sigma, model.adjusted_r_squared) = (f64::NAN, f64::NAN);
    }
    model.set_criteria(effective + 1.0);
    room.model = model;
}

/// The square of the length of a row.
pub(super) fn norm(of: &Square, row: usize) -> f64 {
    of.row(row).iter().map(|t| t * t).sum()
}
