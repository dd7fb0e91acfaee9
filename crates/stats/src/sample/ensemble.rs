//! An ensemble of walkers that stretch towards and away from one another: affine-invariant.
//!
//! Walkers of one half move along lines through walkers of the other half, then the other way
//! round. No tuning. Sources: J. Goodman, J. Weare, Communications in Applied Mathematics and
//! Computational Science 5(1), 2010; D. Foreman-Mackey et al., "emcee", PASP 125, 2013, for the
//! halves.

use super::nuts::Source;
use super::walk::{Walk, find_start, value};
use windfall_core::Result;
use windfall_lanes::scalar_math::{exp, log};

/// What stands beside each draw.
pub(super) const BESIDE: &[&str] = &["log_density", "accepted"];

/// The longest stretch, Goodman and Weare's `a`.
const STRETCH: f64 = 2.0;
/// The spread of walkers around a common starting point.
const AROUND: f64 = 0.1;

/// Walkers of an ensemble in `dimensions` if nobody says how many.
pub(super) fn usual_walkers(dimensions: usize) -> usize {
    (2 * dimensions + 2).max(32)
}

#[derive(Clone, Debug)]
struct Walker {
    x: Vec<f64>,
    log_density: f64,
    accepted: bool,
}

/// One ensemble.
pub(super) struct Ensemble {
    walkers: Vec<Walker>,
    trial: Vec<f64>,
    evaluations: u64,
}

impl Ensemble {
    /// An even number of walkers at starts of their own, around `init` if there is one.
    pub fn begin(walkers: usize, init: Option<&[f64]>, source: &mut Source<'_>) -> Result<Self> {
        let d = source.model.dimensions();
        let (mut all, mut evaluations) = (Vec::with_capacity(walkers), 0);
        let mut near = vec![0.0; d];
        for place in 0..walkers {
            // The first stands at `init` itself, so that one outside the support is an error.
            if let Some(init) = init {
                source.stream.fill_normal(&mut near);
                let spread = if place == 0 { 0.0 } else { AROUND };
                near.iter_mut().zip(init).for_each(|(x, init)| *x = spread.mul_add(*x, *init));
            }
            let mut walker = Walker { x: Vec::new(), log_density: 0.0, accepted: false };
            let mut density = |x: &[f64], source: &mut Source<'_>| {
                evaluations += 1;
                walker.x = x.to_vec();
                walker.log_density = value(x, source)?;
                Ok(walker.log_density)
            };
            let outside = match init {
                Some(_) if place > 0 => !density(&near, source)?.is_finite(),
                _ => {
                    find_start(init, source, density)?;
                    false
                }
            };
            if let (true, Some(Walker { x, log_density, .. })) = (outside, all.first()) {
                walker = Walker { x: Vec::clone(x), log_density: *log_density, accepted: false };
            }
            all.push(walker);
        }
        Ok(Self { walkers: all, trial: vec![0.0; d], evaluations })
    }
}

impl Walk for Ensemble {
    fn step(&mut self, _: Option<u64>, source: &mut Source<'_>) -> Result<()> {
        let half = self.walkers.len() / 2;
        let power = self.trial.len() as f64 - 1.0;
        for half_first in [true, false] {
            let (first, second) = self.walkers.split_at_mut(half);
            let (moving, still) = if half_first { (first, second) } else { (second, first) };
            for walker in moving {
                let partner = &still[source.stream.below(half as u64) as usize];
                let root = (STRETCH - 1.0).mul_add(source.stream.uniform(), 1.0);
                let stretch = root * root / STRETCH;
                for ((trial, x), other) in self.trial.iter_mut().zip(&walker.x).zip(&partner.x) {
                    *trial = stretch.mul_add(x - other, *other);
                }
                let there = value(&self.trial, source)?;
                let odds = power.mul_add(log(stretch), there - walker.log_density);
                walker.accepted = source.stream.uniform() < exp(odds.min(0.0));
                if walker.accepted {
                    walker.x.copy_from_slice(&self.trial);
                    walker.log_density = there;
                }
            }
        }
        self.evaluations += 2 * half as u64;
        Ok(())
    }

    fn point(&self, walker: usize) -> &[f64] {
        &self.walkers[walker].x
    }

    fn beside(&self, walker: usize, put: &mut dyn FnMut(f64)) {
        put(self.walkers[walker].log_density);
        put(f64::from(u8::from(self.walkers[walker].accepted)));
    }

    fn evaluations(&self) -> u64 {
        self.evaluations
    }

    fn tuned(&self) -> Vec<f64> {
        Vec::new()
    }
}
