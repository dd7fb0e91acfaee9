//! Parallel tempering: a ladder of ever flatter copies of the law that swap their points.
//!
//! Rung `k` walks on the density to the power `1/T_k`; neighbours swap, even and odd pairs in
//! turn, so that points which the hot rungs carried over a valley come down to the cold one. Only
//! that one's points are draws. In warm-up the temperatures between the ends move to where all
//! pairs are rejected equally often. Source: S. Syed, A. Bouchard-Côté, G. Deligiannidis, A.
//! Doucet, "Non-reversible parallel tempering", JRSS B 84(2), 2022, algorithms 2 and 3.

use super::metropolis::RandomWalk;
use super::nuts::Source;
use super::walk::Walk;
use windfall_core::Result;
use windfall_lanes::scalar_math::{exp, log};

/// What stands beside each draw.
pub(super) const BESIDE: &[&str] = &["log_density", "accepted", "swapped"];

/// The step at which the ladder is first tuned; then each time their number has trebled.
const FIRST_ROUND: u64 = 50;

/// The ladder of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ladder {
    pub rungs: usize,
    pub hottest: f64,
    /// The acceptance rate that each rung's walk aims at.
    pub rate: f64,
}

/// One ladder.
pub(super) struct Tempering {
    rungs: Vec<RandomWalk>,
    /// `1/T` of each rung, from 1 downwards.
    powers: Vec<f64>,
    /// Sums of rejection probabilities of the swaps of this round, and how many there were.
    rejected: Vec<(f64, f64)>,
    round_end: u64,
    odd: bool,
    swapped: bool,
    evaluations: u64,
}

impl Tempering {
    /// A ladder whose temperatures lie geometrically between 1 and the hottest.
    pub fn begin(ladder: Ladder, init: Option<&[f64]>, source: &mut Source<'_>) -> Result<Self> {
        let rungs = (0..ladder.rungs).map(|_| RandomWalk::begin(ladder.rate, init, source));
        let rungs = rungs.collect::<Result<Vec<_>>>()?;
        let last = (ladder.rungs - 1) as f64;
        let step = -log(ladder.hottest) / last;
        let powers = (0..ladder.rungs).map(|rung| exp(step * rung as f64)).collect();
        Ok(Self {
            powers,
            rejected: vec![(0.0, 0.0); ladder.rungs - 1],
            round_end: FIRST_ROUND,
            odd: false,
            swapped: false,
            evaluations: rungs.len() as u64,
            rungs,
        })
    }

    /// Offers each second pair of neighbours a swap.
    fn swap(&mut self, source: &mut Source<'_>) {
        self.swapped = false;
        for pair in (usize::from(self.odd)..self.rungs.len() - 1).step_by(2) {
            let (cold, hot) = self.rungs.split_at_mut(pair + 1);
            let (cold, hot) = (&mut cold[pair], &mut hot[0]);
            let gap = self.powers[pair] - self.powers[pair + 1];
            let chance = exp((gap * (hot.log_density - cold.log_density)).min(0.0));
            self.rejected[pair].0 += 1.0 - chance;
            self.rejected[pair].1 += 1.0;
            if source.stream.uniform() < chance {
                std::mem::swap(&mut cold.x, &mut hot.x);
                std::mem::swap(&mut cold.log_density, &mut hot.log_density);
                self.swapped |= pair == 0;
            }
        }
        self.odd = !self.odd;
    }

    /// Moves the temperatures between the ends to where the rejections add up evenly.
    fn tune(&mut self) {
        let rates = self.rejected.iter().map(|(sum, count)| (sum / count.max(1.0)).max(1e-3));
        let mut barrier = vec![0.0];
        for rate in rates {
            barrier.push(barrier[barrier.len() - 1] + rate);
        }
        let last = barrier.len() - 1;
        let old = self.powers.clone();
        for rung in 1..last {
            let wanted = barrier[last] * rung as f64 / last as f64;
            let above = barrier.iter().position(|&at| at >= wanted).unwrap_or(last).max(1);
            let share = (wanted - barrier[above - 1]) / (barrier[above] - barrier[above - 1]);
            self.powers[rung] = share.mul_add(old[above] - old[above - 1], old[above - 1]);
        }
        self.rejected.fill((0.0, 0.0));
    }
}

impl Walk for Tempering {
    fn step(&mut self, warm: Option<u64>, source: &mut Source<'_>) -> Result<()> {
        for (rung, power) in self.rungs.iter_mut().zip(&self.powers) {
            rung.step(*power, warm, source)?;
        }
        self.evaluations += self.rungs.len() as u64;
        self.swap(source);
        if warm.is_some_and(|done| done + 1 == self.round_end) {
            self.tune();
            self.round_end *= 3;
        }
        Ok(())
    }

    fn point(&self, _: usize) -> &[f64] {
        &self.rungs[0].x
    }

    fn beside(&self, _: usize, put: &mut dyn FnMut(f64)) {
        put(self.rungs[0].log_density);
        put(f64::from(u8::from(self.rungs[0].accepted)));
        put(f64::from(u8::from(self.swapped)));
    }

    fn evaluations(&self) -> u64 {
        self.evaluations
    }

    fn tuned(&self) -> Vec<f64> {
        self.powers.iter().map(|power| power.recip()).collect()
    }
}
