//! Tests of means: they see size, mean and spread of each sample.

use super::{base_law, given_laws, sources, two_laws};
use crate::power::catalogue::Setup;
use crate::power::law::{Base, Law};
use crate::power::options::between;
use crate::power::ready::{Decision, Drawn, Ready, Source};
use crate::power::rule::{Level, Rule, SAMPLES_MAX};
use windfall_core::{Error, Result};

/// A test of moments: from summaries where all data are normal, unless all values are asked for.
fn of_moments(setup: &Setup<'_>, sources: Vec<Source>, rule: impl Fn(&Level<'_>) -> Rule) -> Ready {
    let sizes: Vec<usize> = sources.iter().map(|source| source.size).collect();
    let (alpha, side) = (setup.design.alpha, setup.design.alternative);
    let decision = Decision::Moments(rule(&Level { sizes: &sizes, alpha, side }));
    let normal = sources.iter().all(|source| source.law.base == Base::Normal);
    let short = normal && !setup.design.full_data;
    let drawn = if short { Drawn::Summaries } else { Drawn::Values };
    Ready { sources, decision, drawn }
}

pub(in crate::power) fn two_sample(setup: &Setup<'_>) -> Result<Ready> {
    Ok(of_moments(setup, sources(two_laws(setup)?, setup.pair()), Rule::pooled))
}

pub(in crate::power) fn welch(setup: &Setup<'_>) -> Result<Ready> {
    Ok(of_moments(setup, sources(two_laws(setup)?, setup.pair()), Rule::welch))
}

/// Also of pairs, whose differences are the one sample.
pub(in crate::power) fn one_sample(setup: &Setup<'_>) -> Result<Ready> {
    let null = setup.design.null.unwrap_or(0.0);
    let law = match given_laws(setup, 1)? {
        Some(mut laws) => laws.remove(0),
        None => {
            let law = base_law(setup)?;
            let move_by = setup.effect()?.mul_add(law.sd(), null - law.mean());
            law.moved(move_by)
        }
    };
    Ok(of_moments(setup, sources([law], [setup.n()]), |level| Rule::one(level, null)))
}

pub(in crate::power) fn equivalence(setup: &Setup<'_>) -> Result<Ready> {
    let design = setup.design;
    let margin = design.margin.ok_or_else(|| {
        Error::invalid("margin", "missing", "the largest difference that counts as none")
    })?;
    between("margin", margin, (0.0, f64::INFINITY))?;
    let (laws, unit) = match given_laws(setup, 2)? {
        Some(_) => (two_laws(setup)?, 1.0),
        None => {
            let law = base_law(setup)?;
            let unit = law.sd();
            let effect = setup.point.effect.unwrap_or(0.0);
            ([law.clone().moved(effect * unit), law], unit)
        }
    };
    let sources = sources(laws, setup.pair());
    Ok(of_moments(setup, sources, |level| Rule::equivalence(level, margin * unit)))
}

pub(in crate::power) fn anova(setup: &Setup<'_>) -> Result<Ready> {
    let design = setup.design;
    let laws = match design.groups.len() {
        0 => {
            let arms = design.arms.ok_or_else(|| {
                Error::invalid("arms", "missing", "the number of samples")
                    .hint("or give the law of each sample in `groups`")
            })?;
            spread_laws(setup, arms)?
        }
        given if design.arms.is_some() => {
            return Err(Error::invalid("arms", given, "left out where `groups` lists the samples"));
        }
        given => {
            arms_of(given as u64)?;
            given_laws(setup, given)?.unwrap_or_default()
        }
    };
    let sources = laws.into_iter().map(|law: Law| Source { law, size: setup.n() }).collect();
    Ok(of_moments(setup, sources, Rule::anova))
}

/// One law moved to `arms` means whose standard deviation is the effect.
pub(super) fn spread_laws(setup: &Setup<'_>, arms: u64) -> Result<Vec<Law>> {
    let arms = arms_of(arms)?;
    let (law, effect) = (base_law(setup)?, setup.effect()?);
    let apart = effect * law.sd();
    Ok(contrast(arms).into_iter().map(|c| law.clone().moved(apart * c)).collect())
}

fn arms_of(arms: u64) -> Result<usize> {
    if !(2..=SAMPLES_MAX as u64).contains(&arms) {
        return Err(Error::invalid("arms", arms, &format!("from 2 to {SAMPLES_MAX}")));
    }
    Ok(arms as usize)
}

/// `count` numbers of mean 0 and mean square 1: as many low as high, one in the middle if odd.
pub(super) fn contrast(count: usize) -> Vec<f64> {
    let paired = count / 2 * 2;
    let size = (count as f64 / paired as f64).sqrt();
    let sign = |place: usize| if place.is_multiple_of(2) { size } else { -size };
    (0..count).map(|place| if place < paired { sign(place) } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contrast_has_mean_0_and_mean_square_1() {
        for count in 2..9 {
            let c = contrast(count);
            assert!(c.iter().sum::<f64>().abs() < 1e-12);
            let square = c.iter().map(|c| c * c).sum::<f64>() / count as f64;
            assert!((square - 1.0).abs() < 1e-12);
        }
    }
}
