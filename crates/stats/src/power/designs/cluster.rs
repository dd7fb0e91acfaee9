//! Two arms of randomised clusters: subjects of a cluster share a normal effect.
//!
//! A subject has variance 1, `icc` of it between clusters. The test is Student's t of the means of
//! the clusters, which is exact for clusters of one size. Source: A. Donner, N. Klar, "Design and
//! Analysis of Cluster Randomization Trials in Health Research" (2000), chapter 6.

use super::sources;
use crate::hypothesis::moments;
use crate::power::catalogue::Setup;
use crate::power::law::{Base, Law};
use crate::power::ready::{Decide, Decision, Drawn, Ready};
use crate::power::rule::{Level, Rule};
use windfall_core::{Error, Result};

pub(in crate::power) fn two_arms(setup: &Setup<'_>) -> Result<Ready> {
    let design = setup.design;
    let missing = |key: &str, what: &str| Error::invalid(key, "missing", what);
    let subjects =
        design.cluster_size.ok_or_else(|| missing("cluster_size", "subjects of a cluster"))?;
    let icc = design.icc.ok_or_else(|| missing("icc", "the correlation within a cluster"))?;
    if !(1..=1_000_000).contains(&subjects) {
        return Err(Error::invalid("cluster_size", subjects, "from 1 to 10^6"));
    }
    if !(0.0..=1.0).contains(&icc) {
        return Err(Error::invalid("icc", icc, "from 0 to 1"));
    }
    let (sizes, effect) = (setup.pair(), setup.effect()?);
    let rule =
        Rule::pooled(&Level { sizes: &sizes, alpha: design.alpha, side: design.alternative });
    let normal = |scale: f64, shift: f64| Law { base: Base::Normal, shift, scale };
    if design.full_data {
        let sizes =
            [sizes[0], sizes[1], sizes[0] * subjects as usize, sizes[1] * subjects as usize];
        let (between, within) = (icc.sqrt(), (1.0 - icc).sqrt());
        let laws = [
            normal(between, effect),
            normal(between, 0.0),
            normal(within, 0.0),
            normal(within, 0.0),
        ];
        let decision = Decision::Data(Box::new(Arms { rule, subjects: subjects as usize }));
        return Ok(Ready { sources: sources(laws, sizes), decision, drawn: Drawn::Values });
    }
    let scale = (icc + (1.0 - icc) / subjects as f64).sqrt();
    let laws = [normal(scale, effect), normal(scale, 0.0)];
    let decision = Decision::Moments(rule);
    Ok(Ready { sources: sources(laws, sizes), decision, drawn: Drawn::Summaries })
}

/// Effects of clusters of both arms, then deviations of their subjects.
#[derive(Debug)]
struct Arms {
    rule: Rule,
    subjects: usize,
}

impl Decide for Arms {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let (clusters, deviations) = samples.split_at_mut(2);
        for (clusters, deviations) in clusters.iter_mut().zip(deviations) {
            let subjects = deviations.chunks(self.subjects);
            for (cluster, deviations) in clusters.iter_mut().zip(subjects) {
                *cluster += windfall_lanes::sum(deviations) / self.subjects as f64;
            }
        }
        self.rule.rejects(&[moments(&clusters[0]), moments(&clusters[1])])
    }
}
