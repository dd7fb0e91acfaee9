//! One transition: a trajectory that doubles until it turns, and the point chosen from it.
//!
//! Multinomial weights within a subtree, biased progressive choice between subtrees, and the
//! generalised criterion with Stan's additional checks. Sources: M. D. Hoffman, A. Gelman, "The
//! No-U-Turn Sampler", JMLR 15, 2014; M. Betancourt, "A Conceptual Introduction to Hamiltonian
//! Monte Carlo", arXiv:1701.02434, appendix A.

use super::vectors::{
    Arrival, KickDrift, KickWeigh, StillApart, Stretch, Vector, go, kinetic_energy,
};
use crate::sample::model::{Model, Room};
use windfall_core::{Result, Stream};

/// An energy error above this ends a trajectory as divergent, as in Stan.
const DIVERGENT: f64 = 1000.0;

/// A point of the model's space with what is known there.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub x: Vector,
    pub gradient: Vector,
    pub log_density: f64,
}

impl Point {
    pub fn zeros(dimensions: usize) -> Self {
        let zeros = Vector::zeros(dimensions);
        Self { x: zeros.clone(), gradient: zeros, log_density: f64::NEG_INFINITY }
    }

    pub fn copy_from(&mut self, other: &Self) {
        self.x.copy_from(&other.x);
        self.gradient.copy_from(&other.gradient);
        self.log_density = other.log_density;
    }

    /// Evaluates the model at `x`; what is no number counts as outside the support.
    pub fn evaluate(&mut self, model: &dyn Model, room: &mut Room) -> Result<()> {
        let d = model.dimensions();
        let x = &self.x.padded()[..d];
        let value = model.log_density(x, &mut self.gradient.padded_mut()[..d], room)?;
        self.log_density = if value < f64::INFINITY { value } else { f64::NEG_INFINITY };
        Ok(())
    }
}

/// A stretch of trajectory with the point that was chosen from it.
#[derive(Clone, Debug)]
struct Branch {
    first: Vector,
    last: Vector,
    sum: Vector,
    weight: f64,
    chosen: Point,
    energy: f64,
}

impl Branch {
    fn zeros(dimensions: usize) -> Self {
        let zeros = Vector::zeros(dimensions);
        Self {
            first: zeros.clone(),
            last: zeros.clone(),
            sum: zeros,
            weight: 0.0,
            chosen: Point::zeros(dimensions),
            energy: 0.0,
        }
    }

    /// Becomes a stretch of one point.
    fn become_leaf(&mut self, point: &Point, v: &Vector, arrival: Arrival) {
        self.first.copy_from(v);
        self.last.copy_from(v);
        self.sum.copy_from(v);
        self.weight = arrival.weight;
        self.chosen.copy_from(point);
        self.energy = arrival.energy;
    }

    fn stretch(&self) -> Stretch<'_> {
        Stretch { first: &self.first, last: &self.last, sum: &self.sum }
    }

    /// Grows by its neighbour `right`, which keeps what is of no more use. Takes the neighbour's
    /// choice if `take`; tells whether the whole still moves apart.
    fn join(&mut self, right: &mut Self, room: &mut Vector, take: bool) -> bool {
        let apart = StillApart { left: self.stretch(), right: right.stretch(), sum: room };
        let apart = go(apart);
        std::mem::swap(&mut self.sum, room);
        std::mem::swap(&mut self.last, &mut right.last);
        self.weight += right.weight;
        if take {
            std::mem::swap(&mut self.chosen, &mut right.chosen);
            self.energy = right.energy;
        }
        apart
    }
}

/// One end of the trajectory.
#[derive(Clone, Debug)]
struct End {
    point: Point,
    v: Vector,
}

/// What a transition did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Flight {
    /// Doublings of the trajectory.
    pub depth: u32,
    /// Leapfrog steps, each one gradient.
    pub steps: u64,
    /// Whether a step's energy error was beyond bounds.
    pub divergent: bool,
    /// Mean over the steps of `min(1, weight)`: what a Metropolis step would accept.
    pub acceptance: f64,
    /// Mean over the steps of `2 min(1, w)/(1 + w)`, which counts gains of energy as errors too.
    pub symmetric: f64,
    /// Energy at the chosen point.
    pub energy: f64,
    /// Whether the chosen point is another than the start.
    pub moved: bool,
}

/// The room for one chain's trajectories.
#[derive(Debug)]
pub(crate) struct Trajectory {
    tree: Branch,
    /// Waiting subtrees, the largest first, as in a binary counter.
    waiting: Vec<Branch>,
    /// The backward and the forward end.
    ends: [End; 2],
    room: Vector,
    start_energy: f64,
    flight: Flight,
}

impl Trajectory {
    pub fn new(dimensions: usize, depth_max: u32) -> Self {
        let branch = Branch::zeros(dimensions);
        let end = End { point: Point::zeros(dimensions), v: Vector::zeros(dimensions) };
        Self {
            tree: branch.clone(),
            waiting: vec![branch; depth_max as usize + 1],
            ends: [end.clone(), end],
            room: Vector::zeros(dimensions),
            start_energy: 0.0,
            flight: Flight::default(),
        }
    }

    /// Takes `point` to the next draw with momentum, directions and choices from `stream`.
    pub fn fly(
        &mut self,
        point: &mut Point,
        scale: &Vector,
        step: f64,
        depth_max: u32,
        source: &mut Source<'_>,
    ) -> Result<Flight> {
        self.begin(point, source);
        while self.flight.depth < depth_max {
            let forward = source.stream.next_u64() >> 63 == 1;
            let leaves = 1u64 << self.flight.depth;
            let reached = self.extend(forward, leaves, scale, step, source)?;
            if !reached {
                break;
            }
            self.flight.depth += 1;
            // The new subtree stands alone at the bottom of the counter.
            let sub = &mut self.waiting[0];
            let take = source.stream.uniform() * self.tree.weight < sub.weight;
            self.flight.moved |= take;
            // Backwards the trajectory is read from its other end.
            if !forward {
                std::mem::swap(&mut self.tree.first, &mut self.tree.last);
            }
            let apart = self.tree.join(sub, &mut self.room, take);
            if !forward {
                std::mem::swap(&mut self.tree.first, &mut self.tree.last);
            }
            if !apart {
                break;
            }
        }
        point.copy_from(&self.tree.chosen);
        let steps = self.flight.steps.max(1) as f64;
        self.flight.acceptance /= steps;
        self.flight.symmetric /= steps;
        self.flight.energy = self.tree.energy;
        Ok(self.flight)
    }

    /// A trajectory of one point with a fresh momentum.
    fn begin(&mut self, point: &Point, source: &mut Source<'_>) {
        let d = source.model.dimensions();
        let [back, front] = &mut self.ends;
        source.stream.fill_normal(&mut back.v.padded_mut()[..d]);
        back.point.copy_from(point);
        front.v.copy_from(&back.v);
        front.point.copy_from(point);
        self.start_energy = kinetic_energy(&back.v) - point.log_density;
        let start = Arrival { energy: self.start_energy, weight: 1.0 };
        self.tree.become_leaf(point, &back.v, start);
        self.flight = Flight::default();
    }

    /// Grows a subtree of `leaves` points (a power of two) at one end; false if it diverged or
    /// turned within itself and is of no use.
    fn extend(
        &mut self,
        forward: bool,
        leaves: u64,
        scale: &Vector,
        step: f64,
        source: &mut Source<'_>,
    ) -> Result<bool> {
        let end = &mut self.ends[usize::from(forward)];
        let step = if forward { step } else { -step };
        let mut top = 0;
        for leaf in 1..=leaves {
            let arrival = leapfrog(end, scale, step, self.start_energy, source)?;
            self.flight.steps += 1;
            let weight = arrival.weight;
            self.flight.acceptance += weight.min(1.0);
            self.flight.symmetric += 2.0 * weight.min(1.0) / (1.0 + weight);
            if arrival.energy - self.start_energy > DIVERGENT {
                self.flight.divergent = true;
                return Ok(false);
            }
            self.waiting[top].become_leaf(&end.point, &end.v, arrival);
            top += 1;
            for _ in 0..leaf.trailing_zeros() {
                let (lower, upper) = self.waiting.split_at_mut(top - 1);
                let (left, right) = (&mut lower[top - 2], &mut upper[0]);
                let total = left.weight + right.weight;
                let take = source.stream.uniform() * total < right.weight;
                if !left.join(right, &mut self.room, take) {
                    return Ok(false);
                }
                top -= 1;
            }
        }
        Ok(true)
    }

    /// The weight of one leapfrog step from `point` with a fresh momentum.
    pub fn try_step(
        &mut self,
        point: &Point,
        scale: &Vector,
        step: f64,
        source: &mut Source<'_>,
    ) -> Result<f64> {
        self.begin(point, source);
        let start_energy = self.start_energy;
        Ok(leapfrog(&mut self.ends[1], scale, step, start_energy, source)?.weight)
    }
}

/// What a chain moves on and draws from.
pub(crate) struct Source<'a> {
    pub model: &'a dyn Model,
    pub room: &'a mut Room,
    pub stream: &'a mut Stream,
}

/// Moves `end` by one leapfrog step; negative steps go back in time.
fn leapfrog(
    end: &mut End,
    scale: &Vector,
    step: f64,
    start_energy: f64,
    source: &mut Source<'_>,
) -> Result<Arrival> {
    let End { point, v } = end;
    go(KickDrift { scale, gradient: &point.gradient, step, v, x: &mut point.x });
    point.evaluate(source.model, source.room)?;
    let (gradient, log_density) = (&point.gradient, point.log_density);
    Ok(go(KickWeigh { scale, gradient, step, v, log_density, start_energy }))
}
