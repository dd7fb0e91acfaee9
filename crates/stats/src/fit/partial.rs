//! What a shard of fits yields: one record a group, the numbers of its model and of its terms.

use super::room::Model;
use super::sample::Failure;
use windfall_core::wire::{Reader, put_f64s, put_u64};
use windfall_core::{Error, Partial, Result};

/// Numbers of a group's model: those of [`Model`], then the code of its status.
pub(super) const MODEL: usize = 12;
/// Numbers of a term: estimate, standard error, statistic, p-value, low, high.
pub(super) const TERM: usize = 6;

/// The fits of some groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fits {
    /// The groups, in order within each shard.
    pub groups: Vec<u64>,
    /// `MODEL` numbers a group.
    pub models: Vec<f64>,
    /// `TERM` numbers a term, term by term, group by group.
    pub terms: Vec<f64>,
}

impl Fits {
    /// Adds the model of a group.
    pub fn push_model(&mut self, group: u64, model: &Model, status: f64) {
        self.groups.push(group);
        self.models.extend([
            model.n,
            model.freedom,
            model.reference,
            model.sigma,
            model.r_squared,
            model.adjusted_r_squared,
            model.log_likelihood,
            model.deviance,
            model.aic,
            model.bic,
            model.iterations,
            status,
        ]);
    }
}

impl Partial for Fits {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, later: Self) -> Self {
        self.groups.extend(later.groups);
        self.models.extend(later.models);
        self.terms.extend(later.terms);
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.groups.len() as u64);
        self.groups.iter().for_each(|&group| put_u64(out, group));
        put_f64s(out, &self.models);
        put_f64s(out, &self.terms);
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let count = reader.u64()?;
        if count > bytes.len() as u64 / 8 {
            return Err(Error::wire(format!("they promise {count} groups and end before")));
        }
        let groups = (0..count).map(|_| reader.u64()).collect::<Result<_>>()?;
        let fits = Self { groups, models: reader.f64s()?, terms: reader.f64s()? };
        if fits.models.len() as u64 != count * MODEL as u64 {
            return Err(Error::wire("they do not hold one model a group"));
        }
        reader.finish().map(|()| fits)
    }
}

/// The code of a status in a record.
pub(super) fn code(status: Result<(), Failure>) -> f64 {
    match status {
        Ok(()) => 0.0,
        Err(Failure::Missing) => 1.0,
        Err(Failure::NotFinite) => 2.0,
        Err(Failure::TooFew) => 3.0,
        Err(Failure::Response) => 4.0,
        Err(Failure::Separated) => 5.0,
        Err(Failure::NotConverged) => 6.0,
        Err(Failure::Singular(term)) => 7.0 + term as f64,
    }
}

/// The reason that a code stands for, in words.
pub(super) fn reason(code: f64, names: &[String], response: &str) -> String {
    match code as usize {
        0 => "ok".into(),
        1 => "missing values".into(),
        2 => "infinite or overflowing values".into(),
        3 => "too few rows".into(),
        4 => format!("impossible response: {response}"),
        5 => "separated: a coefficient is infinite".into(),
        6 => "not converged".into(),
        singular => match names.get(singular - 7) {
            Some(name) => format!("singular: `{name}` is determined by the other terms"),
            None => "singular".into(),
        },
    }
}
