//! The tables and the code that a job reads, packed once for jobs that name the same.

use super::{Noting, pack};
use crate::{Build, JobSpec, Result, Source};
use serde_json::Value;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Tables and code on their way: the name by which workers may keep them, and what travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel<T> {
    /// [`super::Given::name`].
    pub name: String,
    /// The packed tables in the form that an executor sends.
    pub body: T,
}

/// Finds and packs the tables and the code that jobs read, and keeps those of the last one: rounds
/// of a job, and jobs on the same data, send the same parcel.
pub struct Packer<'a, T> {
    build: &'a dyn Build,
    source: &'a (dyn Source + Sync),
    last: Mutex<Option<Last<T>>>,
}

/// What of a job named its tables, and their parcel if there were any.
struct Last<T> {
    named_by: Value,
    parcel: Option<Parcel<T>>,
}

impl<'a, T: Clone> Packer<'a, T> {
    /// What builds the jobs, and where they find their data.
    pub fn new(build: &'a dyn Build, source: &'a (dyn Source + Sync)) -> Self {
        Self { build, source, last: Mutex::new(None) }
    }

    /// The tables of `spec`, none if it reads none; `load` turns [packed](super::pack) bytes into
    /// what travels.
    ///
    /// # Errors
    /// As [`Build::build`], and those of `load`.
    pub fn of(
        &self,
        spec: &JobSpec,
        load: impl FnOnce(Vec<u8>) -> Result<T>,
    ) -> Result<Option<Parcel<T>>> {
        // Data are named by text; what changes from round to round is not.
        let texts = spec.options.values().filter(|value| value.is_string()).cloned();
        let named_by = Value::from_iter(
            [Value::from(spec.problem.as_str()), Value::from(spec.data.clone())]
                .into_iter()
                .chain(texts),
        );
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_ref().filter(|last| last.named_by == named_by) {
            return Ok(last.parcel.clone());
        }
        let noting = Noting::new(self.source);
        self.build.build(spec, &noting)?;
        let given = noting.into_given();
        let parcel = match given.is_empty() {
            true => None,
            false => Some(Parcel { name: given.name(), body: load(pack(&given))? }),
        };
        Ok(last.insert(Last { named_by, parcel }).parcel.clone())
    }
}

impl<T> fmt::Debug for Packer<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}
