//! Random-walk Metropolis whose proposal takes the shape of what it has seen.
//!
//! In warm-up the proposal's covariance follows that of the chain and its size the acceptance
//! rate, with steps that shrink; then both stand still, so that the draws are a Markov chain's.
//! Sources: H. Haario, E. Saksman, J. Tamminen, Bernoulli 7(2), 2001; C. Andrieu, J. Thoms,
//! Statistics and Computing 18(4), 2008, algorithm 4; G. O. Roberts, J. S. Rosenthal, Statistical
//! Science 16(4), 2001 for the rate 0.234.

use super::nuts::Source;
use super::walk::{Walk, find_start, value};
use windfall_core::{Result, Stream};
use windfall_lanes::dot;
use windfall_lanes::scalar_math::{exp, log, pow};

/// What stands beside each draw.
pub(super) const BESIDE: &[&str] = &["log_density", "accepted"];

/// Shares of what is new fall with the number of steps to this power.
const FORGETTING: f64 = -0.6;
/// Steps of warm-up between two factors of the covariance.
const STEPS_PER_FACTOR: u64 = 16;

/// The acceptance rate at which a random walk in `dimensions` is best.
pub(super) fn best_rate(dimensions: usize) -> f64 {
    if dimensions == 1 { 0.44 } else { 0.234 }
}

/// A proposal that adapts.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    dimensions: usize,
    mean: Vec<f64>,
    /// Row by row.
    covariance: Vec<f64>,
    /// Its lower Cholesky factor, row by row.
    factor: Vec<f64>,
    log_scale: f64,
    noise: Vec<f64>,
    away: Vec<f64>,
}

impl Proposal {
    /// A proposal for a chain that starts at `start`.
    pub fn new(start: &[f64]) -> Self {
        let d = start.len();
        let mut unit = vec![0.0; d * d];
        (0..d).for_each(|i| unit[i * d + i] = 1.0);
        Self {
            dimensions: d,
            mean: start.to_vec(),
            covariance: unit.clone(),
            factor: unit,
            log_scale: log(2.38 / (d as f64).sqrt()),
            noise: vec![0.0; d],
            away: vec![0.0; d],
        }
    }

    /// The factor on the covariance's root.
    pub fn scale(&self) -> f64 {
        exp(self.log_scale)
    }

    /// Writes a proposal from `x` to `out`.
    pub fn propose(&mut self, x: &[f64], stream: &mut Stream, out: &mut [f64]) {
        let d = self.dimensions;
        stream.fill_normal(&mut self.noise);
        let scale = self.scale();
        for (i, (x, out)) in x.iter().zip(out).enumerate() {
            let row = &self.factor[i * d..i * d + i + 1];
            *out = scale.mul_add(dot(row, &self.noise[..=i]), *x);
        }
    }

    /// Learns from step `done` of a warm-up, which ended at `x` and was accepted with this
    /// probability.
    pub fn learn(&mut self, done: u64, x: &[f64], accepted: f64, rate: f64) {
        let d = self.dimensions;
        let share = pow((done + 2) as f64, FORGETTING);
        self.log_scale += share * (accepted - rate);
        for ((away, mean), x) in self.away.iter_mut().zip(&mut self.mean).zip(x) {
            *away = x - *mean;
            *mean = share.mul_add(*away, *mean);
        }
        for i in 0..d {
            let row = &mut self.covariance[i * d..i * d + i + 1];
            for (entry, away) in row.iter_mut().zip(&self.away) {
                *entry = share.mul_add(self.away[i] * away - *entry, *entry);
            }
        }
        if done.is_multiple_of(STEPS_PER_FACTOR) {
            self.refactor();
        }
    }

    /// The Cholesky factor of the covariance, with a thousandth of the smallest seen variance
    /// where it would be singular; the old one stays if even that is none.
    fn refactor(&mut self) {
        let d = self.dimensions;
        let mut factor = vec![0.0; d * d];
        for i in 0..d {
            for j in 0..=i {
                let known = dot(&factor[i * d..i * d + j], &factor[j * d..j * d + j]);
                let rest = self.covariance[i * d + j] - known;
                if i == j {
                    let least = 1e-9 * self.covariance[i * d + i];
                    if !(rest.max(least) > 0.0 && rest.is_finite()) {
                        return;
                    }
                    factor[i * d + i] = rest.max(least).sqrt();
                } else {
                    factor[i * d + j] = rest / factor[j * d + j];
                }
            }
        }
        self.factor = factor;
    }
}

/// A random walk on a density raised to a power: a whole chain, or one rung of a ladder.
#[derive(Clone, Debug)]
pub(super) struct RandomWalk {
    pub x: Vec<f64>,
    pub log_density: f64,
    pub accepted: bool,
    pub proposal: Proposal,
    rate: f64,
    trial: Vec<f64>,
}

impl RandomWalk {
    /// A walk at its start.
    pub fn begin(rate: f64, init: Option<&[f64]>, source: &mut Source<'_>) -> Result<Self> {
        let (mut x, mut log_density) = (Vec::new(), 0.0);
        find_start(init, source, |start, source| {
            log_density = value(start, source)?;
            x = start.to_vec();
            Ok(log_density)
        })?;
        let (proposal, trial) = (Proposal::new(&x), x.clone());
        Ok(Self { x, log_density, accepted: false, proposal, rate, trial })
    }

    /// Goes one step on the density to the power `power`.
    pub fn step(&mut self, power: f64, warm: Option<u64>, source: &mut Source<'_>) -> Result<()> {
        self.proposal.propose(&self.x, source.stream, &mut self.trial);
        let there = value(&self.trial, source)?;
        let odds = power * (there - self.log_density);
        let chance = if odds >= 0.0 { 1.0 } else { exp(odds) };
        self.accepted = source.stream.uniform() < chance;
        if self.accepted {
            std::mem::swap(&mut self.x, &mut self.trial);
            self.log_density = there;
        }
        if let Some(done) = warm {
            self.proposal.learn(done, &self.x, chance, self.rate);
        }
        Ok(())
    }
}

/// One chain of adaptive Metropolis.
pub(super) struct Metropolis {
    walk: RandomWalk,
    evaluations: u64,
}

impl Metropolis {
    /// A chain at its start that aims at this acceptance rate.
    pub fn begin(rate: f64, init: Option<&[f64]>, source: &mut Source<'_>) -> Result<Self> {
        Ok(Self { walk: RandomWalk::begin(rate, init, source)?, evaluations: 1 })
    }
}

impl Walk for Metropolis {
    fn step(&mut self, warm: Option<u64>, source: &mut Source<'_>) -> Result<()> {
        self.evaluations += 1;
        self.walk.step(1.0, warm, source)
    }

    fn point(&self, _: usize) -> &[f64] {
        &self.walk.x
    }

    fn beside(&self, _: usize, put: &mut dyn FnMut(f64)) {
        put(self.walk.log_density);
        put(f64::from(u8::from(self.walk.accepted)));
    }

    fn evaluations(&self) -> u64 {
        self.evaluations
    }

    fn tuned(&self) -> Vec<f64> {
        vec![self.walk.proposal.scale()]
    }
}
