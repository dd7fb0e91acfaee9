//! From counts to p-values, each with its Monte Carlo error and interval.

use super::options::{Alternative, PermutationOptions};
use super::tally::{Counts, Reference, Tally};
use crate::law::{beta, binomial};
use serde_json::{Map, Value};
use windfall_core::{Answer, Draws, Interval, Quantity, Seed};

/// What is known beside the counts.
pub(crate) struct Findings<'a> {
    pub options: &'a PermutationOptions,
    pub names: &'a [String],
    pub reference: &'a Reference,
    /// Whether every arrangement was looked at.
    pub is_exact: bool,
    /// The number of distinct arrangements, where it can be counted.
    pub arrangements: Option<u64>,
}

/// A p-value with its Monte Carlo standard error and interval.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Found {
    p: f64,
    mcse: f64,
    ends: Option<(f64, f64)>,
}

impl Findings<'_> {
    /// The largest Monte Carlo standard error of a p-value.
    pub fn mcse(&self, tally: &Tally) -> f64 {
        let each = tally.counts.iter().map(|counts| self.find(counts, tally.draws, true).mcse);
        each.fold(0.0, f64::max)
    }

    /// Whether every tail that matters has the exceedances that end the job.
    pub fn has_enough(&self, tally: &Tally) -> bool {
        let wanted = self.options.exceedances.unwrap_or(u64::MAX);
        let full = |counts: &Counts| {
            self.reference.tails().iter().all(|&tail| counts.places[tail].len() as u64 >= wanted)
        };
        tally.counts.iter().all(full)
    }

    /// The answer, without a note on the data.
    pub fn answer(&self, tally: Tally, complete: bool, seed: Seed) -> Answer {
        let found: Vec<Found> =
            tally.counts.iter().map(|counts| self.find(counts, tally.draws, complete)).collect();
        let quantities = self.names.iter().zip(&found).map(|(name, found)| Quantity {
            interval: found.ends.map(|(low, high)| Interval {
                low,
                high,
                level: self.options.level,
                method: "clopper-pearson".into(),
                low_mcse: 0.0,
                high_mcse: 0.0,
            }),
            ..Quantity::new(name, found.p, found.mcse)
        });
        let draws = Draws { name: "resamples", count: tally.draws };
        let method = if self.is_exact { "exact" } else { "monte carlo" };
        Answer {
            quantities: quantities.collect(),
            complete,
            extra: self.extra(&tally),
            notes: self.notes(&tally),
            distribution: tally.values,
            ..Answer::new("permutation", method, draws, seed)
        }
    }

    /// The p-value of one quantity.
    fn find(&self, counts: &Counts, draws: u64, complete: bool) -> Found {
        let level = self.options.level;
        let in_tail = |tail: usize| {
            let b = counts.tails[tail];
            if self.is_exact && complete {
                return Found { p: b as f64 / draws as f64, mcse: 0.0, ends: None };
            }
            match self.options.exceedances {
                Some(h) if complete && counts.places[tail].len() as u64 >= h => {
                    stopped(h, counts.places[tail][h as usize - 1] + 1, level)
                }
                _ => sampled(b, draws, level),
            }
        };
        let tails = self.reference.tails().iter().map(|&tail| in_tail(tail));
        let Some(least) = tails.min_by(|a, b| a.p.total_cmp(&b.p)) else {
            return Found { p: f64::NAN, mcse: f64::NAN, ends: None };
        };
        match self.reference.alternative {
            Alternative::TwoSided => Found {
                p: (2.0 * least.p).min(1.0),
                mcse: 2.0 * least.mcse,
                ends: least.ends.map(|(low, high)| (2.0 * low, (2.0 * high).min(1.0))),
            },
            _ => least,
        }
    }

    fn extra(&self, tally: &Tally) -> Map<String, Value> {
        let each = |value: &dyn Fn(usize) -> Value| match self.names.len() {
            1 => value(0),
            several => (0..several).map(value).collect(),
        };
        let mut extra = Map::new();
        extra.insert("statistic".into(), each(&|q| self.reference.observed[q].into()));
        extra.insert("alternative".into(), self.reference.alternative.name().into());
        if let Some(arrangements) = self.arrangements {
            extra.insert("arrangements".into(), arrangements.into());
        }
        extra.insert(
            "exceedances".into(),
            each(&|q| {
                let counts = self.reference.tails().iter().map(|&tail| tally.counts[q].tails[tail]);
                counts.min().into()
            }),
        );
        if self.names.len() > 1 {
            let (single, step) = self.adjusted(tally);
            extra.insert("adjusted".into(), step.into());
            extra.insert("adjusted_single_step".into(), single.into());
        }
        extra
    }

    /// The p-values adjusted for their number: in a single step, and stepping down.
    fn adjusted(&self, tally: &Tally) -> (Vec<f64>, Vec<f64>) {
        let share = |count: u64| match self.is_exact {
            true => count as f64 / tally.draws as f64,
            false => (count + 1) as f64 / (tally.draws + 1) as f64,
        };
        let single = tally.counts.iter().map(|counts| share(counts.single)).collect();
        let (mut step, mut largest) = (vec![0.0; self.names.len()], 0.0f64);
        for &q in self.reference.order() {
            largest = largest.max(share(tally.counts[q].step));
            step[q] = largest;
        }
        (single, step)
    }

    /// What the user should know.
    fn notes(&self, tally: &Tally) -> Vec<String> {
        let undefined = self.names.iter().zip(&tally.counts).filter(|(_, one)| one.undefined > 0);
        let mut notes: Vec<String> = undefined
            .map(|(name, one)| {
                format!(
                    "`{name}` has no value on {} of {} permutations (a constant column or group); \
                     they count as extreme",
                    one.undefined, tally.draws
                )
            })
            .collect();
        if self.names.len() > 1 && self.reference.alternative == Alternative::TwoSided {
            notes.push(
                "adjusted p-values compare the sizes of the statistics (as `absolute` does): give \
                 statistics that are centred at zero and alike in scale, such as t or correlations"
                    .to_owned(),
            );
        }
        notes
    }
}

/// After `b` of `n` random permutations in the tail: `(b + 1)/(n + 1)`, the data themselves being
/// one of the arrangements. Source: B. Phipson, G. Smyth, "Permutation p-values should never be
/// zero", Statistical Applications in Genetics and Molecular Biology 9 (2010).
fn sampled(b: u64, n: u64, level: f64) -> Found {
    let draws = n as f64;
    let p = (b as f64 + 1.0) / (draws + 1.0);
    let mcse = (draws * p * (1.0 - p)).sqrt() / (draws + 1.0);
    Found { p, mcse, ends: Some(binomial::clopper_pearson(b, n, level)) }
}

/// Stopped at the exceedance number `h`, at permutation `l`: `h/l`, whose interval inverts the
/// negative binomial law. Source: J. Besag, P. Clifford, "Sequential Monte Carlo p-values",
/// Biometrika 78 (1991).
fn stopped(h: u64, l: u64, level: f64) -> Found {
    let (successes, failures) = (h as f64, (l - h) as f64);
    let p = successes / l as f64;
    let half = 0.5 * (1.0 - level);
    let low = beta::quantile(successes, failures + 1.0, half);
    let high = match failures {
        0.0 => 1.0,
        failures => beta::quantile(successes, failures, 1.0 - half),
    };
    Found { p, mcse: p * ((1.0 - p) / successes).sqrt(), ends: Some((low, high)) }
}
