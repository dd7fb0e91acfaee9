//! From replicates to the answer: summaries, intervals, what the user should know.

use super::interval::{Aid, Request, Sample, interval};
use super::options::{BootstrapOptions, Method};
use super::replicates::Replicates;
use serde_json::{Map, Value};
use windfall_core::{Answer, Draws, Quantity, Seed};

/// What is known beside the replicates.
pub(crate) struct Findings<'a> {
    pub options: &'a BootstrapOptions,
    pub names: Vec<String>,
    pub estimates: Vec<f64>,
    /// The acceleration of each quantity, for BCa.
    pub accelerations: Option<Vec<f64>>,
    /// The standard error of each estimate in closed form, for studentised intervals.
    pub delta: Option<Vec<f64>>,
}

/// One quantity, finished.
struct Finished {
    quantity: Quantity,
    sd_mcse: f64,
    undefined: usize,
    z0: Option<f64>,
}

impl Findings<'_> {
    /// The largest Monte Carlo error of an interval's end; infinite while one is not defined.
    pub fn mcse(&self, replicates: &Replicates) -> f64 {
        let worst = |place: usize| {
            let quantity = self.finish(place, replicates).quantity;
            quantity.interval.map_or(f64::INFINITY, |interval| {
                let worst = interval.low_mcse.max(interval.high_mcse);
                // `max` passes over a NaN: an interval without ends is not good enough.
                if interval.low.is_nan() || interval.high.is_nan() { f64::INFINITY } else { worst }
            })
        };
        (0..self.names.len()).map(worst).fold(0.0, f64::max)
    }

    /// The answer, complete and without a note on the data.
    pub fn answer(&self, replicates: Replicates, seed: Seed) -> Answer {
        let finished: Vec<Finished> =
            (0..self.names.len()).map(|place| self.finish(place, &replicates)).collect();
        let mut extra = Map::new();
        let each = |value: &dyn Fn(&Finished) -> Value| match finished.as_slice() {
            [one] => value(one),
            several => several.iter().map(value).collect(),
        };
        extra.insert("standard_error_mcse".into(), each(&|one| one.sd_mcse.into()));
        if let Some(accelerations) = &self.accelerations {
            extra.insert("z0".into(), each(&|one| one.z0.into()));
            let accelerations: Value = match accelerations.as_slice() {
                [one] => (*one).into(),
                several => several.to_vec().into(),
            };
            extra.insert("acceleration".into(), accelerations);
        }
        if let Some(delta) = &self.delta {
            let errors = match delta.as_slice() {
                [one] => (*one).into(),
                several => several.to_vec().into(),
            };
            extra.insert("infinitesimal_jackknife_error".into(), errors);
        }
        let count = replicates.len() as u64;
        let notes = finished.iter().flat_map(|one| self.notes(one, count)).collect();
        let distribution = match self.options.distribution {
            true => replicates.into_columns().into_iter().take(self.names.len()).collect(),
            false => Vec::new(),
        };
        let draws = Draws { name: "resamples", count };
        Answer {
            quantities: finished.into_iter().map(|one| one.quantity).collect(),
            extra,
            notes,
            distribution,
            ..Answer::new("bootstrap", self.options.method.name(), draws, seed)
        }
    }

    fn finish(&self, place: usize, replicates: &Replicates) -> Finished {
        let (estimate, columns) = (self.estimates[place], replicates.columns());
        let values = columns.get(place).map_or(&[][..], Vec::as_slice);
        let sample = Sample::new(estimate, values);
        let BootstrapOptions { method, level, alternative, .. } = *self.options;
        let mut t = Vec::new();
        let aid = match (method, &self.accelerations) {
            (Method::Bca, Some(accelerations)) => Aid::Acceleration(accelerations[place]),
            (Method::Studentised, _) => {
                let errors = columns.get(self.names.len() + place).map_or(&[][..], Vec::as_slice);
                t.extend(values.iter().zip(errors).map(|(value, se)| (value - estimate) / se));
                match &self.delta {
                    Some(delta) => Aid::Studentised(&t, delta[place], 0.0),
                    None => Aid::Studentised(&t, sample.sd, sample.sd_mcse()),
                }
            }
            _ => Aid::None,
        };
        let (interval, z0) = interval(&Request { method, level, alternative }, &sample, aid);
        let quantity = Quantity {
            name: self.names[place].clone(),
            estimate,
            mcse: sample.mean_mcse(),
            standard_error: Some(sample.sd),
            bias: Some(sample.mean - estimate),
            interval: Some(interval),
        };
        Finished { quantity, sd_mcse: sample.sd_mcse(), undefined: sample.undefined, z0 }
    }

    /// What the user should know of one quantity.
    fn notes(&self, one: &Finished, count: u64) -> Vec<String> {
        let mut notes = Vec::new();
        let name = &one.quantity.name;
        if one.undefined > 0 {
            notes.push(format!(
                "`{name}` has no value on {} of {count} resamples (a constant or collinear \
                 column); they are left out",
                one.undefined
            ));
        }
        let ends = one.quantity.interval.as_ref().map_or([0.0; 2], |i| [i.low, i.high]);
        if ends.iter().any(|end| end.is_nan()) {
            notes.push(match self.options.method {
                Method::Bca if one.quantity.standard_error == Some(0.0) => {
                    format!("`{name}` is the same on every resample: a bca interval is not defined")
                }
                Method::Bca => format!(
                    "a bca interval of `{name}` is not defined: all replicates lie on one side of \
                     the estimate, or leaving a row out never changes it; use percentile"
                ),
                method => format!("a {} interval of `{name}` is not defined", method.name()),
            });
        }
        notes
    }
}
