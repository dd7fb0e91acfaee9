//! A user's code for a simulation study: data made and analysed, one replicate a call.

use super::{Code, Inner};
use crate::bits::StreamBits;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use serde_json::Value;
use std::sync::Arc;
use windfall::stats::simulate::{
    Conditions, Estimate, Outcome, Procedure, Replicate, Results, Simulate, SimulateOptions,
};
use windfall::{Error, JobSpec, Result, Source, read_options};

/// A function of a NumPy generator, the place of a condition and the number of a replicate, that
/// returns a list with six numbers or a message for each method, or one message for all.
pub(super) struct ReplicateFunction(pub Arc<Inner>);

impl Procedure for ReplicateFunction {
    fn run(&self, replicates: &[Replicate<'_>], results: &mut Results<'_>) -> Result<()> {
        let Code::Python(function, _) = &self.0.code else {
            return Err(Error::invalid("simulate", "compiled code", "a Python function"));
        };
        let Some(first) = replicates.first() else { return Ok(()) };
        // Attached throughout: a thread's state is dear to make, and the interpreter lets others
        // in by itself.
        Python::attach(|py| {
            let (bits, generator) = generator(py, first).map_err(|error| failed(&error))?;
            for replicate in replicates {
                if results.is_stopped() {
                    break;
                }
                let found = self.0.python(|py| {
                    bits.get().set(py, replicate.stream())?;
                    let place = (&generator, replicate.condition.index(), replicate.number);
                    outcomes(function.bind(py).call1(place)?, results.methods())
                })?;
                match found {
                    Ok(outcomes) => results.put(replicate, outcomes.into_iter()),
                    Err(error) => results.fail(replicate, &error),
                }
            }
            Ok(())
        })
    }
}

/// The study of such a function: its conditions are the rows of the job's table.
///
/// The job's `truths` and `nulls` hold a number or null for each method of each condition.
pub(super) fn study(
    code: ReplicateFunction,
    spec: &JobSpec,
    source: &dyn Source,
) -> Result<Simulate> {
    let table = spec.data.as_deref().map(|path| source.table(path)).transpose()?;
    let mut options = spec.options.clone();
    let aims = ["truths", "nulls"].map(|key| options.shift_remove(key));
    let options: SimulateOptions = read_options(&options)?;
    let conditions = table.as_ref().map_or_else(|| Ok(Conditions::none()), Conditions::new)?;
    let kept = options.extend.as_deref().map(|path| source.table(path)).transpose()?;
    let methods = options.method.list().to_vec();
    let mut study =
        Simulate::new(conditions, methods, code, options)?.with_seed(spec.seed_or_fresh()?);
    let [truths, nulls] = aims.map(|aims| {
        let rows: Option<Vec<Value>> = aims.and_then(|aims| aims.as_array().cloned());
        rows.map(|rows| rows.iter().map(|row| row.as_f64().unwrap_or(f64::NAN)).collect())
    });
    if let Some(truths) = truths {
        study = study.with_truths(truths)?;
    }
    if let Some(nulls) = nulls {
        study = study.with_nulls(nulls)?;
    }
    if let Some(kept) = kept {
        study = study.extend(&kept)?;
    }
    Ok(study.described_by(spec))
}

/// A generator, at the stream of `replicate`.
fn generator<'py>(
    py: Python<'py>,
    replicate: &Replicate<'_>,
) -> PyResult<(Bound<'py, StreamBits>, Bound<'py, PyAny>)> {
    let bits = Bound::new(py, StreamBits::of(py, replicate.stream())?)?;
    let generator = py.import("numpy.random")?.getattr("Generator")?.call1((&bits,))?;
    Ok((bits, generator))
}

fn failed(error: &PyErr) -> Error {
    Error::task(format!("no generator could be made: {error}"))
}

/// What the function returned: an outcome a method, or why there is none at all.
fn outcomes(
    found: Bound<'_, PyAny>,
    methods: usize,
) -> PyResult<std::result::Result<Vec<Outcome>, String>> {
    if let Ok(error) = found.cast::<PyString>() {
        return Ok(Err(error.to_string()));
    }
    let list = found.cast_into::<PyList>().map_err(PyErr::from)?;
    if list.len() != methods {
        let found = list.len();
        return Err(PyValueError::new_err(format!("{found} outcomes for {methods} methods")));
    }
    let outcome = |found: Bound<'_, PyAny>| {
        if let Ok(error) = found.cast::<PyString>() {
            return Ok(Err(error.to_string()));
        }
        let (estimate, standard_error, low, high, p_value, truth) = found.extract()?;
        Ok(Ok(Estimate { estimate, standard_error, low, high, p_value, truth }))
    };
    list.iter().map(outcome).collect::<PyResult<Vec<_>>>().map(Ok)
}
