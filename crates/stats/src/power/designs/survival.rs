//! The log-rank test of two groups, with staggered entry, the end of follow-up and dropout.

use super::counts::{critical_z, z_rejects};
use super::given_laws;
use crate::hypothesis::Alternative;
use crate::hypothesis::log_rank::{Subject, statistic};
use crate::power::catalogue::Setup;
use crate::power::law::{Base, Law};
use crate::power::options::between;
use crate::power::ready::{Decide, Decision, Drawn, Ready, Source};
use windfall_core::{Error, Result};

/// The laws of survival: as given, or exponential with the hazards' ratio.
fn survival(setup: &Setup<'_>) -> Result<Vec<Law>> {
    if let Some(laws) = given_laws(setup, 2)? {
        if setup.design.median.is_some() {
            let expected = "left out where `groups` gives the laws";
            return Err(Error::invalid("median", "given", expected));
        }
        if !laws.iter().all(Law::is_positive) {
            let shown = setup.design.groups.join(", ");
            return Err(Error::invalid("groups", shown, "laws of times, none below 0"));
        }
        return Ok(laws);
    }
    let ratio = between("effect", setup.effect()?, (0.0, f64::INFINITY))?;
    let median = setup.design.median.unwrap_or(1.0);
    let mean = between("median", median, (0.0, f64::INFINITY))? / std::f64::consts::LN_2;
    let law = |scale| Law { base: Base::Exponential, shift: 0.0, scale };
    Ok(vec![law(mean / ratio), law(mean)])
}

pub(in crate::power) fn log_rank(setup: &Setup<'_>) -> Result<Ready> {
    let design = setup.design;
    let from_zero = |key: &str, value: Option<f64>| match value {
        Some(value) if !(value >= 0.0 && value.is_finite()) => {
            Err(Error::invalid(key, value, "a number from 0 on"))
        }
        value => Ok(value),
    };
    let accrual = from_zero("accrual", design.accrual)?.unwrap_or(0.0);
    let follow_up = from_zero("follow_up", design.follow_up)?;
    let dropout = from_zero("dropout", design.dropout)?.unwrap_or(0.0);
    if accrual > 0.0 && follow_up.is_none() {
        let expected = "left out where `follow_up` is: all subjects are then followed to the event";
        return Err(Error::invalid("accrual", accrual, expected));
    }
    let sizes = setup.pair();
    let mut sources = Vec::new();
    for (law, size) in survival(setup)?.into_iter().zip(sizes) {
        sources.push(Source { law, size });
    }
    for size in sizes {
        let size = if follow_up.is_some() && accrual > 0.0 { size } else { 0 };
        sources.push(Source { law: Law::uniform(), size });
    }
    for size in sizes {
        let law = Law { base: Base::Exponential, shift: 0.0, scale: 1.0 };
        sources.push(Source { law, size: if dropout > 0.0 { size } else { 0 } });
    }
    let (critical, side) = (critical_z(setup), design.alternative);
    let test = LogRank { accrual, follow_up, dropout, critical, side };
    Ok(Ready { sources, decision: Decision::Data(Box::new(test)), drawn: Drawn::Values })
}

/// Times of both groups, then uniform numbers of entry and exponential ones of loss.
#[derive(Debug)]
struct LogRank {
    accrual: f64,
    follow_up: Option<f64>,
    dropout: f64,
    critical: f64,
    side: Alternative,
}

impl Decide for LogRank {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let mut subjects = Vec::with_capacity(samples[0].len() + samples[1].len());
        for group in 0..2 {
            for (place, &time) in samples[group].iter().enumerate() {
                let entry = samples[2 + group].get(place).map_or(0.0, |u| u * self.accrual);
                // The study ends `follow_up` after the last entry.
                let end = self.follow_up.map_or(f64::INFINITY, |end| end + self.accrual - entry);
                let loss =
                    samples[4 + group].get(place).map_or(f64::INFINITY, |e| e / self.dropout);
                let seen = end.min(loss);
                let (first, event) = (group == 0, time <= seen);
                subjects.push(Subject { time: time.min(seen), event, first });
            }
        }
        z_rejects(statistic(&mut subjects), self.critical, self.side)
    }
}
