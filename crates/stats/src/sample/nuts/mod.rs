//! NUTS: Hamiltonian trajectories that end where they turn, tuned in warm-up.
//!
//! ```text
//! tree.rs     one transition
//! adapt.rs    the warm-up: step size and scales
//! vectors.rs  the fused loops, eight lanes at a time
//! ```
//!
//! The crate `nuts-rs` has the same algorithm. It calls the platform's `exp` and `ln` in its tree
//! and step size and sums by the width of the processor's vectors, so its draws are a property of
//! the machine; here they are a value, the same bits on every instruction set.

mod adapt;
mod tree;
mod vectors;

pub(super) use tree::{Point, Source};

use super::walk::{Walk, find_start};
use adapt::{Adaptation, Wish};
use tree::{Flight, Trajectory};
use vectors::Vector;
use windfall_core::Result;

/// What stands beside each draw.
pub(super) const BESIDE: &[&str] =
    &["log_density", "energy", "divergent", "depth", "steps", "step_size", "acceptance"];

/// How NUTS is tuned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    pub warm_up: u64,
    pub target: f64,
    pub depth_max: u32,
}

/// One chain of NUTS.
pub(super) struct Nuts {
    tuning: Tuning,
    point: Point,
    scale: Vector,
    step: f64,
    trajectory: Trajectory,
    adaptation: Adaptation,
    flight: Flight,
    evaluations: u64,
}

impl Nuts {
    /// A chain at its start, with a step size that a search found.
    pub fn begin(tuning: Tuning, init: Option<&[f64]>, source: &mut Source<'_>) -> Result<Self> {
        let d = source.model.dimensions();
        let mut point = Point::zeros(d);
        let mut evaluations = 0;
        find_start(init, source, |x, source| {
            point.x.padded_mut()[..d].copy_from_slice(x);
            point.evaluate(source.model, source.room)?;
            evaluations += 1;
            let flat = point.gradient.padded().iter().all(|slope| slope.is_finite());
            Ok(if flat { point.log_density } else { f64::NEG_INFINITY })
        })?;
        let mut chain = Self {
            tuning,
            scale: Vector::zeros(d),
            step: 0.1,
            trajectory: Trajectory::new(d, tuning.depth_max),
            adaptation: Adaptation::new(d, tuning.warm_up, tuning.target),
            flight: Flight::default(),
            point,
            evaluations,
        };
        chain.adaptation.begin(&chain.point, &mut chain.scale);
        chain.search(source)?;
        Ok(chain)
    }

    /// Doubles or halves the step size until the acceptance of one step crosses the target.
    fn search(&mut self, source: &mut Source<'_>) -> Result<()> {
        let mut grows = None;
        while (1e-10..1e5).contains(&self.step) {
            let accepted =
                self.trajectory.try_step(&self.point, &self.scale, self.step, source)?.min(1.0);
            self.evaluations += 1;
            let wants_more = accepted > self.tuning.target;
            if *grows.get_or_insert(wants_more) != wants_more {
                break;
            }
            self.step *= if wants_more { 2.0 } else { 0.5 };
        }
        self.adaptation.restart(self.step);
        Ok(())
    }
}

impl Walk for Nuts {
    fn step(&mut self, warm: Option<u64>, source: &mut Source<'_>) -> Result<()> {
        let Self { point, scale, step, trajectory, .. } = self;
        self.flight = trajectory.fly(point, scale, *step, self.tuning.depth_max, source)?;
        self.evaluations += self.flight.steps;
        let Some(done) = warm else { return Ok(()) };
        let wish = self.adaptation.learn(done, &self.flight, &self.point, &mut self.scale);
        if wish == Wish::Search {
            self.search(source)?;
        }
        let (next, kept) = self.adaptation.steps();
        self.step = if done + 1 == self.tuning.warm_up { kept } else { next };
        Ok(())
    }

    fn point(&self, _: usize) -> &[f64] {
        self.point.x.padded()
    }

    fn beside(&self, _: usize, put: &mut dyn FnMut(f64)) {
        let Flight { depth, steps, divergent, acceptance, energy, .. } = self.flight;
        put(self.point.log_density);
        put(energy);
        put(f64::from(u8::from(divergent)));
        put(f64::from(depth));
        put(steps as f64);
        put(self.step);
        put(acceptance);
    }

    fn diverged(&self) -> bool {
        self.flight.divergent
    }

    fn evaluations(&self) -> u64 {
        self.evaluations
    }

    fn tuned(&self) -> Vec<f64> {
        vec![self.step]
    }
}
