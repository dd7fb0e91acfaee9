//! Quantile regression: the exact minimum of tilted absolute residuals, by the simplex method.
//!
//! A minimum lies where as many rows as there are terms are fitted exactly. From the rows that
//! least squares fits best, one row after the other is exchanged: along the edge that goes down
//! steepest, to the row at which it ends going down (I. Barrodale, F. D. K. Roberts, "An improved
//! algorithm for discrete l1 linear approximation", 1973; R. Koenker, V. d'Orey, 1987). All is done
//! in an orthonormal basis of the terms; the last solution is that of the terms themselves.
//!
//! Standard errors rest on an estimate of the density of the errors at the quantile, by the
//! Epanechnikov kernel at the bandwidth of P. Hall, S. J. Sheather (1988): of one density for all
//! rows (`classical`), or of one for each (`hc0`: J. L. Powell, 1991).

use super::StandardErrors;
use super::covariance::sandwich;
use super::glm::prepare;
use super::room::{Model, Room};
use super::sample::Failure;
use crate::law::normal;
use crate::linear::{Columns, Square, dot, orthonormal};
use windfall_lanes::scalar_math::{cbrt, log};

/// Exchanges of rows that a fit may take, for each row and term.
const EXCHANGES_PER_ROW: usize = 50;
/// Exchanges in a row that gain nothing before ties are broken by a small disturbance.
const IDLE_MAX: usize = 100;
/// The disturbance, as a share of the spread of the response.
const DISTURBANCE: f64 = 1e-9;
/// How far a multiplier may be outside its bounds by rounding.
const SLACK: f64 = 1e-9;

/// Fits quantile `tau` to the sample in `room` and leaves coefficients, errors and figures there.
///
/// # Errors
/// [`Failure::NotFinite`], [`Failure::TooFew`], [`Failure::Singular`], [`Failure::NotConverged`].
pub(super) fn quantile(
    room: &mut Room,
    intercept: bool,
    tau: f64,
    errors: StandardErrors,
) -> Result<(), Failure> {
    let (rows, terms) = (room.sample.x.rows(), room.sample.terms());
    if rows < terms.max(1) {
        return Err(Failure::TooFew);
    }
    prepare(room, intercept)?;
    take_offset_and_weights(room);
    room.columns.reset(terms, rows);
    for at in 0..terms {
        room.columns.padded_mut(at).copy_from_slice(room.sample.x.padded(at));
    }
    let least = vec![1e-10; terms];
    orthonormal(&mut room.columns, &least, &mut room.inner).map_err(Failure::Singular)?;
    let y = room.sample.x.column(terms).to_vec();
    let mut simplex = Simplex::start(&room.columns, &y, tau).ok_or(Failure::NotConverged)?;
    let exchanges = simplex.descend().ok_or(Failure::NotConverged)?;
    let rows_fitted = simplex.basic.clone();
    solve_exactly(room, &rows_fitted, &y)?;
    let deviance = room.residuals[..rows].iter().map(|&r| tilted(r, tau)).sum::<f64>();
    let n = rows as f64;
    let freedom = n - terms as f64;
    let scale = log(tau * (1.0 - tau)) - 1.0 - log(deviance / n);
    let mut model = Model {
        n,
        freedom,
        reference: freedom,
        deviance,
        log_likelihood: n * scale,
        iterations: exchanges as f64,
        ..Model::NONE
    };
    model.set_criteria(terms as f64);
    room.model = model;
    extend_basis(room, intercept);
    density_errors(room, tau, errors, &y);
    Ok(())
}

/// The loss of a residual.
fn tilted(r: f64, tau: f64) -> f64 {
    if r < 0.0 { (tau - 1.0) * r } else { tau * r }
}

/// Takes the offset off the response; multiplies rows by their weights, which the loss lets pass.
fn take_offset_and_weights(room: &mut Room) {
    let sample = &mut room.sample;
    let y = sample.terms();
    let pairs = sample.x.column_mut(y).iter_mut().zip(&sample.offset);
    pairs.for_each(|(y, offset)| *y -= offset);
    if !sample.weights.is_empty() {
        for at in 0..=y {
            let pairs = sample.x.column_mut(at).iter_mut().zip(&sample.weights);
            pairs.for_each(|(x, weight)| *x *= weight);
        }
    }
}

/// The state of the simplex method.
struct Simplex<'a> {
    z: &'a Columns,
    y: Vec<f64>,
    tau: f64,
    /// The rows fitted exactly.
    basic: Vec<usize>,
    is_basic: Vec<bool>,
    /// The inverse of the matrix of those rows.
    inverse: Square,
    residuals: Vec<f64>,
    /// On which side of the fit each row counts as lying; tells where a residual is zero.
    above: Vec<bool>,
}

impl<'a> Simplex<'a> {
    /// From the independent rows with the least residuals of least squares.
    fn start(z: &'a Columns, y: &[f64], tau: f64) -> Option<Self> {
        let (rows, terms) = (z.rows(), z.count());
        let mut padded = z.padded(0).to_vec();
        padded.fill(0.0);
        padded[..rows].copy_from_slice(y);
        let mut residuals = y.to_vec();
        for at in 0..terms {
            let share = dot(z.padded(at), &padded);
            residuals.iter_mut().zip(z.column(at)).for_each(|(r, z)| *r -= share * z);
        }
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by(|&a, &b| residuals[a].abs().total_cmp(&residuals[b].abs()));
        let basic = independent(z, &order)?;
        let mut is_basic = vec![false; rows];
        basic.iter().for_each(|&row| is_basic[row] = true);
        let above = residuals.iter().map(|&r| r > 0.0).collect();
        let inverse = Square::default();
        let mut simplex =
            Self { z, y: y.to_vec(), tau, basic, is_basic, inverse, residuals, above };
        simplex.refit()?;
        Some(simplex)
    }

    /// Fits the basic rows exactly.
    fn refit(&mut self) -> Option<()> {
        let terms = self.z.count();
        let mut matrix = Square::zero(terms);
        for (i, &row) in self.basic.iter().enumerate() {
            (0..terms).for_each(|j| matrix.set(i, j, self.z.column(j)[row]));
        }
        invert(&matrix, &mut self.inverse).then_some(())?;
        let fitted: Vec<f64> = self.basic.iter().map(|&row| self.y[row]).collect();
        let mut c = vec![0.0; terms];
        self.inverse.times(&fitted, &mut c);
        self.residuals.copy_from_slice(&self.y);
        for (at, &c) in c.iter().enumerate() {
            let pairs = self.residuals.iter_mut().zip(self.z.column(at));
            pairs.for_each(|(r, z)| *r -= c * z);
        }
        let scale = self.y.iter().fold(0.0f64, |most, y| most.max(y.abs()));
        for (row, r) in self.residuals.iter().enumerate() {
            if r.abs() > 1e-12 * scale {
                self.above[row] = *r > 0.0;
            }
        }
        Some(())
    }

    /// Exchanges rows until no edge goes down; returns how many, none if it does not end.
    fn descend(&mut self) -> Option<usize> {
        let (rows, terms) = (self.z.rows(), self.z.count());
        let (mut idle, mut is_disturbed) = (0, false);
        for exchange in 0..EXCHANGES_PER_ROW * (rows + terms) {
            let Some((leaving, up, slope)) = self.steepest() else { return Some(exchange) };
            let gained = self.exchange(leaving, up, slope)?;
            idle = if gained { 0 } else { idle + 1 };
            if idle > IDLE_MAX && !is_disturbed {
                is_disturbed = true;
                self.disturb();
            }
            self.refit()?;
        }
        None
    }

    /// The basic row, direction and slope of the edge that goes down steepest.
    fn steepest(&self) -> Option<(usize, bool, f64)> {
        let terms = self.z.count();
        let mut pull = vec![0.0; terms];
        for (at, pull) in pull.iter_mut().enumerate() {
            let column = self.z.column(at);
            for (row, z) in column.iter().enumerate() {
                if !self.is_basic[row] {
                    *pull += if self.above[row] { self.tau * z } else { (self.tau - 1.0) * z };
                }
            }
        }
        let mut v = vec![0.0; terms];
        self.inverse.transposed_times(&pull, &mut v);
        let edges = v
            .iter()
            .enumerate()
            .flat_map(|(k, v)| [(k, true, 1.0 - self.tau - v), (k, false, self.tau + v)]);
        let down = edges.filter(|(_, _, slope)| *slope < -SLACK);
        down.min_by(|a, b| a.2.total_cmp(&b.2))
    }

    /// Goes along an edge to where it ends going down; whether that is any way at all.
    fn exchange(&mut self, leaving: usize, up: bool, slope: f64) -> Option<bool> {
        let (rows, terms) = (self.z.rows(), self.z.count());
        let sign = if up { 1.0 } else { -1.0 };
        let mut along = vec![0.0; rows];
        for at in 0..terms {
            let share = sign * self.inverse.at(at, leaving);
            along.iter_mut().zip(self.z.column(at)).for_each(|(a, z)| *a += share * z);
        }
        let mut breaks: Vec<(f64, usize)> = Vec::new();
        for (row, &a) in along.iter().enumerate() {
            let towards = if self.above[row] { a > 1e-13 } else { a < -1e-13 };
            if towards && !self.is_basic[row] {
                breaks.push(((self.residuals[row] / a).max(0.0), row));
            }
        }
        breaks.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut slope = slope;
        for (length, row) in breaks {
            slope += along[row].abs();
            if slope >= 0.0 {
                let left = std::mem::replace(&mut self.basic[leaving], row);
                (self.is_basic[left], self.is_basic[row]) = (false, true);
                // Upwards the fit rises above the row that is let go.
                self.above[left] = !up;
                return Some(length > 0.0);
            }
            self.above[row] = !self.above[row];
        }
        None
    }

    /// Breaks ties: moves each response by its own share of a small number.
    fn disturb(&mut self) {
        let (low, high) = self
            .y
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &y| (l.min(y), h.max(y)));
        let mut state = 1u64;
        for y in &mut self.y {
            // Lehmer's generator: any numbers without a pattern serve.
            state = state * 48_271 % 2_147_483_647;
            *y += DISTURBANCE * (high - low) * (state as f64 / 2_147_483_647.0);
        }
    }
}

/// As many independent rows as there are columns, the first in `order` that are.
fn independent(z: &Columns, order: &[usize]) -> Option<Vec<usize>> {
    let terms = z.count();
    let (mut chosen, mut reduced): (Vec<usize>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    for &row in order {
        let mut values: Vec<f64> = (0..terms).map(|at| z.column(at)[row]).collect();
        let length = values.iter().map(|v| v * v).sum::<f64>().sqrt();
        for _ in 0..2 {
            for unit in &reduced {
                let share: f64 = values.iter().zip(unit).map(|(v, u)| v * u).sum();
                values.iter_mut().zip(unit).for_each(|(v, u)| *v -= share * u);
            }
        }
        let left = values.iter().map(|v| v * v).sum::<f64>().sqrt();
        if left > 1e-6 * length {
            values.iter_mut().for_each(|v| *v /= left);
            reduced.push(values);
            chosen.push(row);
            if chosen.len() == terms {
                return Some(chosen);
            }
        }
    }
    None
}

/// The inverse by elimination with partial pivoting; false if there is none.
fn invert(matrix: &Square, out: &mut Square) -> bool {
    let n = matrix.size();
    let mut a = matrix.clone();
    out.reset(n);
    (0..n).for_each(|i| out.set(i, i, 1.0));
    for k in 0..n {
        let pivot =
            (k..n).fold(k, |best, i| if a.at(i, k).abs() > a.at(best, k).abs() { i } else { best });
        let size = a.at(pivot, k).abs();
        if size.is_nan() || size <= 1e-300 {
            return false;
        }
        for j in 0..n {
            for m in [&mut a, &mut *out] {
                let (x, y) = (m.at(k, j), m.at(pivot, j));
                m.set(k, j, y);
                m.set(pivot, j, x);
            }
        }
        let scale = 1.0 / a.at(k, k);
        for j in 0..n {
            a.set(k, j, a.at(k, j) * scale);
            out.set(k, j, out.at(k, j) * scale);
        }
        for i in (0..n).filter(|&i| i != k) {
            let share = a.at(i, k);
            for j in 0..n {
                a.add(i, j, -share * a.at(k, j));
                out.add(i, j, -share * out.at(k, j));
            }
        }
    }
    true
}

/// The coefficients that fit the basic rows exactly, with one step of refinement, and residuals.
fn solve_exactly(room: &mut Room, basic: &[usize], y: &[f64]) -> Result<(), Failure> {
    let x = &room.sample.x;
    let terms = basic.len();
    let mut matrix = Square::zero(terms);
    for (i, &row) in basic.iter().enumerate() {
        (0..terms).for_each(|j| matrix.set(i, j, x.column(j)[row]));
    }
    let mut inverse = Square::default();
    if !invert(&matrix, &mut inverse) {
        return Err(Failure::NotConverged);
    }
    let b = &mut room.coefficients;
    b.clear();
    b.resize(terms, 0.0);
    let (mut left, mut step) = (vec![0.0; terms], vec![0.0; terms]);
    for _ in 0..2 {
        for (i, left) in left.iter_mut().enumerate() {
            let fitted: f64 = matrix.row(i).iter().zip(b.iter()).map(|(x, b)| x * b).sum();
            *left = y[basic[i]] - fitted;
        }
        inverse.times(&left, &mut step);
        b.iter_mut().zip(&step).for_each(|(b, step)| *b += step);
    }
    room.residuals[..y.len()].copy_from_slice(y);
    for (at, &b) in room.coefficients.iter().enumerate() {
        let pairs = room.residuals.iter_mut().zip(x.column(at));
        pairs.for_each(|(r, x)| *r -= b * x);
    }
    basic.iter().for_each(|&row| room.residuals[row] = 0.0);
    Ok(())
}

/// Coefficients and basis for the terms as they were before they were centred.
fn extend_basis(room: &mut Room, intercept: bool) {
    let terms = room.coefficients.len();
    room.basis.clone_from(&room.inner);
    if intercept {
        for at in 1..terms {
            room.coefficients[0] -= room.coefficients[at] * room.means[at - 1];
        }
        for k in 0..terms {
            let moved: f64 = (1..terms).map(|j| room.means[j - 1] * room.inner.at(j, k)).sum();
            room.basis.set(0, k, room.inner.at(0, k) - moved);
        }
    }
}

/// Standard errors from the density of the residuals at zero.
fn density_errors(room: &mut Room, tau: f64, errors: StandardErrors, y: &[f64]) {
    let (rows, terms) = (y.len(), room.coefficients.len());
    let n = rows as f64;
    let h = bandwidth(&room.residuals[..rows], y, tau);
    let kernel = |r: f64| {
        let u = r / h;
        if u.abs() <= 1.0 { 0.75 * (1.0 - u * u) / h } else { 0.0 }
    };
    let meat = &mut room.meat;
    meat.reset(terms);
    let variance = tau * (1.0 - tau);
    if errors == StandardErrors::Classical {
        let density = room.residuals[..rows].iter().map(|&r| kernel(r)).sum::<f64>() / n;
        (0..terms).for_each(|i| meat.set(i, i, variance / (density * density)));
    } else {
        let mut densities = Square::zero(terms);
        for row in 0..rows {
            let density = kernel(room.residuals[row]);
            for i in 0..terms {
                for j in 0..terms {
                    let (a, b) = (room.columns.column(i)[row], room.columns.column(j)[row]);
                    densities.add(i, j, density * a * b);
                }
            }
        }
        let mut inverse = Square::default();
        if !invert(&densities, &mut inverse) {
            inverse.fill(f64::NAN);
        }
        for i in 0..terms {
            for j in 0..terms {
                let sum: f64 = (0..terms).map(|k| inverse.at(i, k) * inverse.at(k, j)).sum();
                meat.set(i, j, variance * sum);
            }
        }
    }
    sandwich(room, 1.0);
}

/// The bandwidth of Hall and Sheather on the scale of residuals, as statsmodels makes it.
fn bandwidth(residuals: &[f64], y: &[f64], tau: f64) -> f64 {
    let n = residuals.len() as f64;
    let z = normal::quantile(tau);
    let density = normal::pdf(z);
    let size = cbrt(normal::quantile(0.975));
    let mut h = size * size * cbrt(1.5 * density * density / (2.0 * z * z + 1.0)) / cbrt(n);
    while tau - h <= 0.0 || tau + h >= 1.0 {
        h *= 0.5;
    }
    let mut sorted = residuals.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |p: f64| {
        let place = p * (n - 1.0);
        let low = place as usize;
        let high = (low + 1).min(sorted.len() - 1);
        sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
    };
    let mean = y.iter().sum::<f64>() / n;
    let spread = (y.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / n).sqrt();
    let scale = spread.min((at(0.75) - at(0.25)) / 1.34);
    scale * (normal::quantile(tau + h) - normal::quantile(tau - h))
}
