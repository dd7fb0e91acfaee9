//! Warm-up of NUTS: the step size by dual averaging, the scales from draws and gradients.
//!
//! Scales are learnt in windows that grow, a new one in the background while the last one serves,
//! from the variances of draws and of gradients at once, as nutpie does (A. Seyboldt, E. L.
//! Carlson, B. Carpenter, "Preconditioning Hamiltonian Monte Carlo by minimizing Fisher
//! divergence", arXiv:2603.18845; the schedule is that of nuts-rs 0.19). The step size follows
//! Hoffman and Gelman (2014), section 3.2.

use super::tree::{Flight, Point};
use super::vectors::{Rescale, Spread, Vector, go};
use windfall_lanes::scalar_math::{exp, log, pow};

/// Share of the warm-up in which windows stay short, for the way from the start.
const EARLY: f64 = 0.3;
/// Share of the warm-up, at its end, in which only the step size adapts.
const LATE: f64 = 0.15;
/// Draws of a short window.
const SHORT: u64 = 10;
/// Draws of the first long window.
const LONG: u64 = 80;
/// A long window over the one before it.
const GROWTH: f64 = 1.5;

/// What a warm-up step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    /// The scales are new: look for a step size that suits them.
    Search,
}

/// The state of a warm-up.
#[derive(Debug)]
pub(super) struct Adaptation {
    warm_up: u64,
    window: u64,
    begun: bool,
    /// Draws and gradients of the window that serves.
    near: [Spread; 2],
    /// Those of the next one.
    next: [Spread; 2],
    step: DualAverage,
}

impl Adaptation {
    /// A warm-up of `warm_up` draws in this many dimensions.
    pub fn new(dimensions: usize, warm_up: u64, target: f64) -> Self {
        let empty = || [Spread::new(dimensions), Spread::new(dimensions)];
        let step = DualAverage::new(target);
        Self { warm_up, window: LONG, begun: false, near: empty(), next: empty(), step }
    }

    /// First scales from the gradient at the start: `1/sqrt|g|`.
    pub fn begin(&mut self, start: &Point, scale: &mut Vector) {
        for (scale, gradient) in scale.padded_mut().iter_mut().zip(start.gradient.padded()) {
            let guess = gradient.abs().clamp(1e-20, 1e20).recip().sqrt();
            *scale = if guess.is_finite() { guess.min(1e3) } else { 1.0 };
        }
        self.add(start);
    }

    /// Learns from draw `done` of the warm-up, counted from 0.
    pub fn learn(&mut self, done: u64, flight: &Flight, point: &Point, scale: &mut Vector) -> Wish {
        let late_from = self.warm_up - (LATE * self.warm_up as f64) as u64;
        if done >= late_from {
            self.step.advance(flight.symmetric);
            return Wish::Nothing;
        }
        let early_end = (EARLY * self.warm_up as f64) as u64;
        let early = done < early_end;
        if done == early_end {
            self.window = self.window.max(self.next[0].count());
        }
        if flight.moved && (!flight.divergent || flight.steps > 4) {
            self.add(point);
        }
        let grown = ((self.window as f64 * GROWTH).round() as u64).max(self.window + 1);
        let (wanted, following) = if early { (SHORT, SHORT) } else { (self.window, grown) };
        let is_late = following + done > late_from;
        if self.next[0].count() >= wanted && !is_late {
            let dimensions = scale.padded().len();
            let empty = [Spread::new(dimensions), Spread::new(dimensions)];
            self.near = std::mem::replace(&mut self.next, empty);
            self.window = if early { self.window } else { grown };
        }
        let known = self.near[0].count() >= 3;
        if known {
            go(Rescale { draws: &self.near[0], gradients: &self.near[1], scale });
        }
        self.step.advance(if is_late { flight.symmetric } else { flight.acceptance });
        if known && !self.begun {
            self.begun = true;
            return Wish::Search;
        }
        Wish::Nothing
    }

    fn add(&mut self, point: &Point) {
        for [draws, gradients] in [&mut self.near, &mut self.next] {
            draws.add(&point.x);
            gradients.add(&point.gradient);
        }
    }

    /// Starts over from a step size that a search found.
    pub fn restart(&mut self, step: f64) {
        self.step.restart(step);
    }

    /// The step size to use next, and the one to keep.
    pub fn steps(&self) -> (f64, f64) {
        (exp(self.step.log_step), exp(self.step.log_average))
    }
}

/// Nesterov's dual averaging of the logarithm of the step size.
#[derive(Debug)]
struct DualAverage {
    target: f64,
    log_step: f64,
    log_average: f64,
    error: f64,
    centre: f64,
    count: f64,
}

impl DualAverage {
    const GAMMA: f64 = 0.05;
    const T0: f64 = 10.0;
    const KAPPA: f64 = 0.75;
    /// No step is longer, in units of the scales: a normal law is unstable beyond 2.
    const LOG_STEP_MAX: f64 = 1.144_729_885_849_400_2;

    fn new(target: f64) -> Self {
        Self { target, log_step: 0.0, log_average: 0.0, error: 0.0, centre: 0.0, count: 1.0 }
    }

    fn restart(&mut self, step: f64) {
        let log_step = log(step);
        let centre = log_step + std::f64::consts::LN_10;
        let (target, log_average) = (self.target, log_step);
        *self = Self { target, log_step, log_average, error: 0.0, centre, count: 1.0 };
    }

    fn advance(&mut self, acceptance: f64) {
        let share = 1.0 / (self.count + Self::T0);
        self.error = (1.0 - share) * self.error + share * (self.target - acceptance);
        let log_step = self.centre - self.error * self.count.sqrt() / Self::GAMMA;
        self.log_step = log_step.min(Self::LOG_STEP_MAX);
        let share = pow(self.count, -Self::KAPPA);
        self.log_average = share * self.log_step + (1.0 - share) * self.log_average;
        self.count += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dual_averaging_finds_the_step_that_is_accepted_as_often_as_wanted() {
        let mut step = DualAverage::new(0.8);
        step.restart(10.0);
        for _ in 0..2000 {
            let acceptance = (-step.log_step.exp()).exp();
            step.advance(acceptance);
        }
        let found = step.log_average.exp();
        assert!((found - 0.2231).abs() < 0.01, "{found}");
    }
}
