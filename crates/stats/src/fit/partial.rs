//! What a shard of fits yields: one record a group, the numbers of its model and of its terms.

use super::room::Model;
use super::sample::Failure;
use windfall_core::wire::{Reader, put_f64s, put_u64};
use windfall_core::{Error, Partial, Result};

/// Numbers of a group's model: those of [`Model`], then the code of its status.
pub(super) const MODEL: usize = 12;
/// Numbers of a term: estimate, standard error, statistic, p-value, low, high.
pub(super) const TERM: usize = 6;

/// The fits of some groups: those of each shard as they came, for to merge is not to copy.
#[derive(Clone, Debug, Default)]
pub(super) struct Fits {
    /// None of them empty.
    pub parts: Vec<Records>,
}

/// The fits of the groups of a shard.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    /// The groups, in order within each shard.
    pub groups: Vec<u64>,
    /// `MODEL` numbers a group.
    pub models: Vec<f64>,
    /// `TERM` numbers a term, term by term, group by group.
    pub terms: Vec<f64>,
}

impl Records {
    /// None yet, with room for so many groups.
    pub fn with_room(groups: usize, terms: usize) -> Self {
        Self {
            groups: Vec::with_capacity(groups),
            models: Vec::with_capacity(groups * MODEL),
            terms: Vec::with_capacity(groups * terms * TERM),
        }
    }

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

impl From<Records> for Fits {
    fn from(records: Records) -> Self {
        let is_empty = records.groups.is_empty();
        Self { parts: if is_empty { Vec::new() } else { vec![records] } }
    }
}

impl Fits {
    /// The groups that they hold.
    pub fn groups(&self) -> usize {
        self.parts.iter().map(|part| part.groups.len()).sum()
    }

    /// The models of all groups, in their order, each with its status last.
    pub fn models(&self) -> impl Iterator<Item = &[f64; MODEL]> {
        self.parts.iter().flat_map(|part| part.models.as_chunks().0)
    }
}

impl Partial for Fits {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, later: Self) -> Self {
        self.parts.extend(later.parts);
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.groups() as u64);
        let groups = self.parts.iter().flat_map(|part| &part.groups);
        groups.for_each(|&group| put_u64(out, group));
        let all = |of: fn(&Records) -> &Vec<f64>| self.parts.iter().flat_map(of).copied();
        put_f64s(out, &all(|part| &part.models).collect::<Vec<_>>());
        put_f64s(out, &all(|part| &part.terms).collect::<Vec<_>>());
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let count = reader.u64()?;
        if count > bytes.len() as u64 / 8 {
            return Err(Error::wire(format!("they promise {count} groups and end before")));
        }
        let groups = (0..count).map(|_| reader.u64()).collect::<Result<_>>()?;
        let records = Records { groups, models: reader.f64s()?, terms: reader.f64s()? };
        if records.models.len() as u64 != count * MODEL as u64 {
            return Err(Error::wire("they do not hold one model a group"));
        }
        reader.finish().map(|()| records.into())
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
        Err(Failure::OneCluster) => 7.0,
        Err(Failure::Singular(term)) => 8.0 + term as f64,
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
        7 => "too few clusters".into(),
        singular => match names.get(singular - 8) {
            Some(name) => format!("singular: `{name}` is determined by the other terms"),
            None => "singular".into(),
        },
    }
}
