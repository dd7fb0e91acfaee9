//! The planner for Python: a plan as JSON, and what a run took, kept.

use crate::door::enter;
use crate::inputs::Inputs;
use pyo3::prelude::*;
use serde_json::Value;
use std::path::PathBuf;
use windfall::plan::{self, Calibration, Errors, Here, Pair, State};
use windfall::{Cancel, Carries, Problem, Result, Source};

/// What a plan is asked to consider.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Asked {
    pilot_s: f64,
    elsewhere: Option<usize>,
    state: Option<PathBuf>,
    /// What it took to read the data and build the problem.
    build_s: f64,
}

/// Plans `problem` on `workers` workers of this machine: the object that `--json` prints.
pub fn of_problem(
    (problem, name): (&dyn Problem, &str),
    inputs: &Inputs,
    workers: usize,
    asked: &Asked,
    control: &windfall::Control<'_>,
) -> Result<String> {
    let (calibration, errors) = match State::new(asked.state.as_deref()) {
        Ok(state) => (state.calibration()?.unwrap_or_default(), state.errors()?),
        Err(_) => (Calibration::default(), Errors::default()),
    };
    let elsewhere = asked.elsewhere.unwrap_or(workers);
    let here = Here { workers, elsewhere, pilot_s: asked.pilot_s, calibration, errors };
    let mut profile = plan::pilot(problem, here.limits(), control)?;
    if profile.needs == Carries::Code && inputs.code().is_err() {
        profile.needs = Carries::Closures;
    }
    profile.build_s = asked.build_s;
    name.clone_into(&mut profile.problem);
    Ok(Value::Object(plan::to_json(&plan::of_profile(profile, &here)?)).to_string())
}

/// Keeps a predicted and an actual time; returns the path of the history.
#[pyfunction]
#[pyo3(signature = (pair, state=None))]
pub fn keep_run(py: Python<'_>, pair: &str, state: Option<PathBuf>) -> PyResult<PathBuf> {
    enter(py, Cancel::default(), None, |_| {
        let state = State::new(state.as_deref())?;
        plan::keep(&state, &Pair::read_lines(pair)?)?;
        Ok(state.history_path())
    })
}
