//! All that a job reads beside its text, packed once for jobs that read the same.

use super::{Given, Noting, pack};
use crate::{Build, JobSpec, Result, Source, Work};
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What a job reads, on its way: the name by which workers may keep it, and what travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel<T> {
    /// [`super::Given::name`].
    pub name: String,
    /// The packed bytes in the form that an executor sends.
    pub body: T,
}

/// Finds and packs what jobs read, and keeps that of the last one: jobs on the same data, and
/// rounds of a job that do not learn from one another, send the same parcel.
pub struct Packer<'a, T> {
    build: &'a dyn Build,
    source: &'a (dyn Source + Sync),
    last: Mutex<Option<Last<T>>>,
}

/// By what of a job all that it reads was named, and the parcel if there was anything.
struct Last<T> {
    named_by: Value,
    parcel: Option<Parcel<T>>,
}

impl<'a, T: Clone> Packer<'a, T> {
    /// What builds the jobs, and where they find their data.
    pub fn new(build: &'a dyn Build, source: &'a (dyn Source + Sync)) -> Self {
        Self { build, source, last: Mutex::new(None) }
    }

    /// What the job `spec` of `work` reads, none if that is nothing; `load` turns
    /// [packed](super::pack) bytes into what travels.
    ///
    /// # Errors
    /// As [`Build::build`], and those of `load`.
    pub fn of(
        &self,
        (work, spec): (&dyn Work, &JobSpec),
        load: impl FnOnce(Vec<u8>) -> Result<T>,
    ) -> Result<Option<Parcel<T>>> {
        // Data are named by text; what changes from round to round is not, but for what was learnt.
        let texts = spec.options.values().filter(|value| value.is_string()).cloned();
        let learnt: Option<Arc<[u8]>> = work.learnt().map(Arc::from);
        let hash = learnt.as_ref().map(|bytes| blake3::hash(bytes).to_hex().to_string());
        let named_by = Value::from_iter(
            [Value::from(spec.problem.as_str()), Value::from(spec.data.clone()), hash.into()]
                .into_iter()
                .chain(texts),
        );
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_ref().filter(|last| last.named_by == named_by) {
            return Ok(last.parcel.clone());
        }
        let noting = Noting::new(self.source);
        self.build.build(spec, &noting)?;
        let given = Given { learnt, ..noting.into_given() };
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
