//! Tests of ranks: the rank sum of two samples, the signed ranks of one.

use super::counts::{critical_z, z_rejects};
use super::{base_law, given_laws, sources, two_laws};
use crate::hypothesis::{Alternative, mann_whitney, signed_rank};
use crate::power::catalogue::Setup;
use crate::power::ready::{Decide, Decision, Drawn, Ready};
use windfall_core::Result;

/// For each value of a discrete statistic whether the test rejects it.
fn region(law: &[f64], setup: &Setup<'_>) -> Vec<bool> {
    let mut below = 0.0;
    let mut above: f64 = law.iter().sum();
    let mut rejects = |&mass: &f64| {
        below += mass;
        let p = setup.design.alternative.of_tails(below, above);
        above -= mass;
        p <= setup.design.alpha
    };
    law.iter().map(&mut rejects).collect()
}

pub(in crate::power) fn mann_whitney(setup: &Setup<'_>) -> Result<Ready> {
    let sizes = setup.pair();
    let exact = mann_whitney::has_exact_law(sizes[0], sizes[1])
        .then(|| region(&mann_whitney::law(sizes[0], sizes[1]), setup));
    let (critical, side) = (critical_z(setup), setup.design.alternative);
    let decision = Decision::Data(Box::new(RankSum { exact, critical, side }));
    let sources = sources(two_laws(setup)?, sizes);
    Ok(Ready { sources, decision, drawn: Drawn::Values })
}

#[derive(Debug)]
struct RankSum {
    exact: Option<Vec<bool>>,
    critical: f64,
    side: Alternative,
}

impl Decide for RankSum {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let (x, y) = samples.split_at_mut(1);
        let (x, y) = (&mut x[0], &mut y[0]);
        let found = mann_whitney::count(x, y);
        match &self.exact {
            Some(exact) if found.ties == 0.0 => Some(exact[found.u as usize]),
            _ => {
                let z = mann_whitney::standardised(found, x.len(), y.len(), self.side);
                z_rejects(z, self.critical, self.side)
            }
        }
    }
}

pub(in crate::power) fn signed_rank(setup: &Setup<'_>) -> Result<Ready> {
    let n = setup.n();
    let law = match given_laws(setup, 1)? {
        Some(mut laws) => laws.remove(0),
        None => {
            let law = base_law(setup)?;
            let move_by = setup.effect()?.mul_add(law.sd(), -law.mean());
            law.moved(move_by)
        }
    };
    let exact = (n <= signed_rank::EXACT_MAX).then(|| region(&signed_rank::law(n), setup));
    let (critical, side) = (critical_z(setup), setup.design.alternative);
    let decision = Decision::Data(Box::new(SignedRank { exact, critical, side }));
    Ok(Ready { sources: sources([law], [n]), decision, drawn: Drawn::Values })
}

#[derive(Debug)]
struct SignedRank {
    exact: Option<Vec<bool>>,
    critical: f64,
    side: Alternative,
}

impl Decide for SignedRank {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let all = samples[0].len();
        samples[0].retain(|&x| x != 0.0);
        let found = signed_rank::rank(&mut samples[0]);
        let whole = samples[0].len() == all && found.ties == 0.0;
        match &self.exact {
            Some(exact) if whole => Some(exact[found.sum as usize]),
            _ => {
                let z = signed_rank::standardised(found, samples[0].len());
                z_rejects(z, self.critical, self.side)
            }
        }
    }
}
