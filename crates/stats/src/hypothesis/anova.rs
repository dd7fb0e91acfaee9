//! One-way analysis of variance: whether several samples have one mean.

use super::{TestResult, moments};
use crate::law;
use windfall_core::Moments;

/// F of the means of `groups` against the variance within: `scipy.stats.f_oneway`.
pub fn one_way(groups: &[&[f64]]) -> TestResult {
    let groups: Vec<Moments> = groups.iter().map(|group| moments(group)).collect();
    let Statistic { f, between, within } = statistic(&groups);
    TestResult { statistic: f, p_value: law::f::survival(between, within, f) }
}

/// F with the degrees of freedom between and within groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistic {
    /// Mean square between over mean square within.
    pub f: f64,
    /// Groups less one.
    pub between: f64,
    /// Values less groups.
    pub within: f64,
}

/// F of groups of which only the moments are known.
pub fn statistic(groups: &[Moments]) -> Statistic {
    let count: f64 = groups.iter().map(|group| group.count() as f64).sum();
    let total: f64 = groups.iter().map(|group| group.count() as f64 * group.mean()).sum();
    let grand = total / count;
    let apart = |group: &Moments| group.count() as f64 * (group.mean() - grand).powi(2);
    let between = groups.len() as f64 - 1.0;
    let within = count - groups.len() as f64;
    let mean_square = groups.iter().map(apart).sum::<f64>() / between;
    let squares: f64 = groups.iter().map(Moments::squares).sum();
    Statistic { f: mean_square / (squares / within), between, within }
}
