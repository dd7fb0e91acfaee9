//! Logistic and Poisson regression by Newton's method, which for these links is iteratively
//! reweighted least squares.
//!
//! A pass over the rows, in blocks that stay in the nearest cache, yields the gradient and the
//! Fisher information; a step is taken until its length in the metric of the information is below
//! 1e-7, so that what is left to the maximum is of the order of 1e-14 standard errors. Source: P.
//! McCullagh, J. A. Nelder, "Generalized Linear Models" (1989), section 2.5.

use super::Family;
use super::pass::{Constants, Pass, constants, predict};
use super::room::{Model, Room};
use super::sample::Failure;
use crate::linear::{Square, cholesky, dot, orthonormal, total, upper_inverse};
use windfall_lanes::scalar_math::log;
use windfall_lanes::{LANES, dispatch};

/// The squared length of a step, in standard errors, after which the next is below rounding.
const DECREMENT_MAX: f64 = 1e-14;
/// The largest change of a linear predictor in a last step; larger ones go off to infinity.
const LAST_CHANGE_MAX: f64 = 0.1;
/// Iterations after which each step is looked at for a direction that tells responses apart.
const ITERATIONS_BEFORE_DOUBT: u64 = 8;
/// What rounding may leave of a predictor that should not change, as a share of the largest change.
const SEPARATION_SHARE: f64 = 1e-3;
/// Halvings of a step that lowers the likelihood.
const HALVINGS_MAX: u32 = 40;
/// The least pivot of the scaled information.
const PIVOT_MIN: f64 = 1e-13;

/// Fits the sample in `room`, whose first column is the intercept if there is one, and leaves
/// coefficients, basis, score residuals and figures there.
///
/// # Errors
/// Every [`Failure`].
pub(super) fn generalised(
    room: &mut Room,
    family: Family,
    intercept: bool,
    iterations_max: u64,
) -> Result<(), Failure> {
    let (rows, terms) = (room.sample.x.rows(), room.sample.terms());
    if rows < terms.max(1) {
        return Err(Failure::TooFew);
    }
    prepare(room, intercept)?;
    check_response(room, family)?;
    let mut newton = Newton::start(room, family, intercept)?;
    let outcome = newton.climb(room, iterations_max);
    if outcome == Err(Failure::Singular(terms)) {
        return Err(dependent_term(room).map_or(Failure::NotConverged, Failure::Singular));
    }
    outcome?;
    finish(room, family, intercept, newton.iterations);
    Ok(())
}

/// Centres the terms where there is an intercept and pads what goes with the rows.
pub(super) fn prepare(room: &mut Room, intercept: bool) -> Result<(), Failure> {
    let sample = &mut room.sample;
    let (rows, terms) = (sample.x.rows(), sample.terms());
    let padded = rows.next_multiple_of(LANES);
    room.means.clear();
    for at in 0..=terms {
        let sum = total(sample.x.padded(at));
        if !sum.is_finite() {
            return Err(Failure::NotFinite);
        }
        let is_term = at >= usize::from(intercept) && at < terms;
        if intercept && is_term {
            let mean = sum / rows as f64;
            sample.x.column_mut(at).iter_mut().for_each(|value| *value -= mean);
            room.means.push(mean);
        } else if is_term {
            room.means.push(0.0);
        }
    }
    for list in [&mut sample.offset, &mut sample.weights] {
        if !list.is_empty() {
            list.resize(padded, 0.0);
        }
    }
    room.residuals.clear();
    room.residuals.resize(padded, 0.0);
    room.leverage_weights.clear();
    room.leverage_weights.resize(padded, 0.0);
    Ok(())
}

fn check_response(room: &Room, family: Family) -> Result<(), Failure> {
    let most = if family == Family::Logistic { 1.0 } else { f64::INFINITY };
    let y = room.sample.x.column(room.sample.terms());
    // In one pass without branches: this stands before every fit.
    let bad = y.iter().fold(false, |bad, &y| bad | !((0.0..=most).contains(&y)));
    if bad { Err(Failure::Response) } else { Ok(()) }
}

/// The state of the climb to the maximum.
struct Newton {
    family: Family,
    /// Where it started, should it have to start again with care.
    start: Vec<f64>,
    before: Vec<f64>,
    step: Vec<f64>,
    gradient: Vec<f64>,
    /// Whether each step must raise the likelihood.
    is_careful: bool,
    iterations: u64,
}

impl Newton {
    fn start(room: &mut Room, family: Family, intercept: bool) -> Result<Self, Failure> {
        let terms = room.sample.terms();
        let mut start = vec![0.0; terms];
        if intercept {
            let (y, weights) = (room.sample.x.padded(terms), &room.sample.weights);
            let (sum, mass) = if weights.is_empty() {
                (total(y), room.sample.x.rows() as f64)
            } else {
                (dot(y, weights), total(weights))
            };
            let mean = sum / mass;
            if mean <= 0.0 || (family == Family::Logistic && mean >= 1.0) {
                return Err(Failure::Separated);
            }
            if room.sample.offset.is_empty() {
                start[0] = match family {
                    Family::Logistic => log(mean / (1.0 - mean)),
                    _ => log(mean),
                };
            }
        }
        room.coefficients.clone_from(&start);
        let (before, step, gradient) = (start.clone(), vec![0.0; terms], vec![0.0; terms]);
        Ok(Self { family, start, before, step, gradient, is_careful: false, iterations: 0 })
    }

    fn climb(&mut self, room: &mut Room, iterations_max: u64) -> Result<(), Failure> {
        let terms = room.sample.terms();
        let (mut last, mut highest, mut halvings) = (f64::INFINITY, f64::NEG_INFINITY, 0);
        while self.iterations < iterations_max {
            let likelihood = pass(room, self.family, self.is_careful);
            let fell = likelihood < highest - 1e-9 * (1.0 + highest.abs());
            if self.is_careful && (fell || likelihood.is_nan()) {
                halvings += 1;
                if halvings > HALVINGS_MAX {
                    return self.give_up(room);
                }
                for (b, before) in room.coefficients.iter_mut().zip(&self.before) {
                    *b = 0.5 * (*b + before);
                }
                continue;
            }
            (halvings, highest) = (0, likelihood);
            self.iterations += 1;
            let decrement = self.solve(room);
            if decrement.is_nan() && self.iterations == 1 {
                return Err(Failure::Singular(terms));
            }
            // A step that got longer, or nowhere: start again and watch the likelihood.
            let is_worse = decrement.is_nan() || decrement >= last.max(1.0);
            if is_worse && !self.is_careful {
                self.is_careful = true;
                room.coefficients.clone_from(&self.start);
                (last, highest) = (f64::INFINITY, f64::NEG_INFINITY);
                continue;
            }
            if decrement.is_nan() {
                return self.give_up(room);
            }
            let done = decrement < DECREMENT_MAX;
            if (done || self.iterations > ITERATIONS_BEFORE_DOUBT) && self.separates(room, done) {
                return Err(Failure::Separated);
            }
            self.before.clone_from(&room.coefficients);
            room.coefficients.iter_mut().zip(&self.step).for_each(|(b, step)| *b += step);
            if done {
                return Ok(());
            }
            last = decrement;
        }
        self.give_up(room)
    }

    /// Solves for the step and returns its squared length; NaN if the information is singular.
    fn solve(&mut self, room: &mut Room) -> f64 {
        let terms = self.step.len();
        self.gradient.copy_from_slice(&room.cross.row(terms)[..terms]);
        if !invert_information(&room.cross, &mut room.factor, &mut room.inner) {
            return f64::NAN;
        }
        let part = &mut room.spare[1];
        part.resize(terms.max(part.len()), 0.0);
        room.inner.transposed_times(&self.gradient, part);
        room.inner.times(part, &mut self.step);
        part[..terms].iter().map(|part| part * part).sum()
    }

    /// Whether the step is a direction in which the likelihood rises for ever.
    fn separates(&self, room: &mut Room, done: bool) -> bool {
        let Room { sample, columns, .. } = room;
        columns.reset(1, sample.x.rows());
        predict(&sample.x, &self.step, columns.padded_mut(0));
        let changes = columns.column(0);
        let most = changes.iter().fold(0.0f64, |most, change| most.max(change.abs()));
        if done {
            return most > LAST_CHANGE_MAX;
        }
        let slack = SEPARATION_SHARE * most;
        let logistic = self.family == Family::Logistic;
        let y = sample.x.column(sample.terms());
        most > LAST_CHANGE_MAX
            && changes.iter().zip(y).all(|(&change, &y)| match y {
                0.0 => change <= slack,
                1.0 if logistic => change >= -slack,
                _ => change.abs() <= slack,
            })
    }

    fn give_up(&self, room: &mut Room) -> Result<(), Failure> {
        let separated =
            self.step.iter().all(|step| step.is_finite()) && self.separates(room, false);
        Err(if separated { Failure::Separated } else { Failure::NotConverged })
    }
}

/// One pass at the coefficients: information and gradient into `room.cross`, score residuals and
/// weights beside them. Returns the log-likelihood less its constant, if it is wanted.
fn pass(room: &mut Room, family: Family, wanted: bool) -> f64 {
    let Room { sample, columns, cross, coefficients, residuals, leverage_weights, .. } = room;
    cross.reset(sample.terms() + 1);
    let pass = Pass {
        x: &sample.x,
        b: coefficients,
        offset: &sample.offset,
        prior: &sample.weights,
        weighted: columns,
        information: cross,
        residuals,
        weights: leverage_weights,
        wanted,
    };
    match family {
        Family::Logistic => dispatch(pass.logistic()),
        _ => dispatch(pass.poisson()),
    }
}

/// Fills `inner` with a basis T of the inverse of the information, `T Tᵀ`; false if there is
/// none.
fn invert_information(information: &Square, factor: &mut Square, inner: &mut Square) -> bool {
    let terms = information.size() - 1;
    factor.reset(terms);
    let scale = |at: usize| 1.0 / information.at(at, at).sqrt();
    let scales: Vec<f64> = (0..terms).map(scale).collect();
    for i in 0..terms {
        for j in 0..=i {
            factor.set(i, j, information.at(i, j) * scales[i] * scales[j]);
        }
    }
    if !cholesky(factor, PIVOT_MIN) {
        return false;
    }
    upper_inverse(factor, inner);
    for (i, scale) in scales.iter().enumerate() {
        for j in i..terms {
            inner.set(i, j, inner.at(i, j) * scale);
        }
    }
    true
}

/// The term that the others determine, if there is one.
fn dependent_term(room: &mut Room) -> Option<usize> {
    let terms = room.sample.terms();
    room.columns.reset(terms, room.sample.x.rows());
    for at in 0..terms {
        room.columns.padded_mut(at).copy_from_slice(room.sample.x.padded(at));
    }
    let least = vec![1e-9; terms];
    orthonormal(&mut room.columns, &least, &mut room.inner).err()
}

/// The figures at the maximum, and everything in the coordinates of the terms as they were.
fn finish(room: &mut Room, family: Family, intercept: bool, iterations: u64) {
    let likelihood = pass(room, family, true);
    let known = invert_information(&room.cross, &mut room.factor, &mut room.inner);
    let rows = room.sample.x.rows();
    room.residuals[rows..].fill(0.0);
    let terms = room.sample.terms();
    let Constants { saturated, constant } = constants(&room.sample, family);
    let mut model = Model {
        n: rows as f64,
        freedom: rows as f64 - terms as f64,
        reference: f64::INFINITY,
        log_likelihood: likelihood + constant,
        deviance: 2.0 * (saturated - likelihood),
        iterations: iterations as f64,
        ..Model::NONE
    };
    model.set_criteria(terms as f64);
    room.model = model;
    if !known {
        room.inner.reset(terms);
        room.inner.fill(f64::NAN);
    }
    room.basis.clone_from(&room.inner);
    if intercept {
        // The rows of the basis for centred terms, back to terms as they were.
        let mut shift = 0.0;
        for at in 1..terms {
            shift += room.coefficients[at] * room.means[at - 1];
        }
        room.coefficients[0] -= shift;
        for k in 0..terms {
            let moved = (1..terms).map(|j| room.means[j - 1] * room.inner.at(j, k)).sum::<f64>();
            room.basis.set(0, k, room.inner.at(0, k) - moved);
        }
    }
}
