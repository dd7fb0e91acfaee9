//! The planner for Python: a plan as JSON, and what a run took, kept.

use crate::door::enter;
use crate::errors::to_python;
use crate::inputs::{Door, Inputs};
use crate::outer::Outer;
use crate::problem::On;
use pyo3::prelude::*;
use serde_json::Value;
use std::path::PathBuf;
use windfall::cluster::jobs::Engines;
use windfall::plan::{self, Calibration, Costs, Errors, Here, Mapping, Pair, State};
use windfall::{Cancel, Carries, Control, Executor, Problem, Result, Source};

/// What a plan is asked to consider.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Asked {
    workers: Option<usize>,
    pilot_s: f64,
    elsewhere: Option<usize>,
    state: Option<PathBuf>,
    /// What it took to read the data and build the problem.
    build_s: f64,
    /// Engines at hand: the name of their mapping, and where they are.
    given: Option<(String, On)>,
    /// Whether to measure first what those cost: then what it took to open a run there, and to
    /// bring a table.
    beside_s: Option<(f64, f64)>,
}

impl Asked {
    /// Workers of this machine, if it was said how many.
    pub fn workers(&self) -> Option<usize> {
        self.workers
    }

    /// The engines at hand, if they are those of others, ready for jobs that read nothing.
    pub fn outer<'a>(&self, py: Python<'_>, nothing: &'a Inputs) -> PyResult<Option<Outer<'a>>> {
        match &self.given {
            Some((_, On::Outer(backend))) => Outer::new(py, backend, nothing).map(Some),
            _ => Ok(None),
        }
    }

    fn here(&self, workers: usize) -> Result<Here> {
        let (calibration, errors) = match State::new(self.state.as_deref()) {
            Ok(state) => (state.calibration()?.unwrap_or_default(), state.errors()?),
            Err(_) => (Calibration::default(), Errors::default()),
        };
        let (elsewhere, pilot_s) = (self.elsewhere.unwrap_or(workers), self.pilot_s);
        Ok(Here { workers, elsewhere, pilot_s, calibration, errors, given: None })
    }

    /// `here` with the engines at hand, whose costs are measured and kept if that is asked for.
    fn with_given(
        &self,
        mut here: Here,
        outer: Option<&Outer<'_>>,
        control: &Control<'_>,
    ) -> Result<Here> {
        let Some((name, on)) = &self.given else { return Ok(here) };
        let nothing = Inputs::default();
        let measure = |on: &dyn Executor, here: &mut Here| -> Result<usize> {
            let workers = on.capabilities().workers;
            let row = Mapping::of_default(name, workers);
            if let (Some((open_s, share_s)), Some(row)) = (self.beside_s, row) {
                let costs = plan::calibrate_engines(on, row.costs, control)?;
                let costs = Costs { open_s, share_s, ..costs };
                let state = State::new(self.state.as_deref())?;
                here.calibration = state.calibrate(vec![(name.clone(), costs)])?;
            }
            Ok(workers)
        };
        let (place, workers) = match (on, outer) {
            (On::Cluster(place, targets), _) => {
                let on = Engines::new(place, targets.clone(), &Door, &nothing)?;
                (Some(place.as_str()), measure(&on, &mut here)?)
            }
            (On::Outer(_), Some(on)) => (None, measure(on, &mut here)?),
            (On::Outer(_), None) => return Ok(here),
        };
        here.with_given(name, place, workers)
    }
}

/// Plans `problem` on `workers` workers of this machine, and on engines that are `outer`: the
/// object that `--json` prints.
pub fn of_problem(
    (problem, name, inputs): (&dyn Problem, &str, &Inputs),
    (workers, outer): (usize, Option<&Outer<'_>>),
    asked: &Asked,
    control: &Control<'_>,
) -> Result<String> {
    let here = asked.with_given(asked.here(workers)?, outer, control)?;
    let mut profile = plan::pilot(problem, here.limits(), control)?;
    if profile.needs == Carries::Code && inputs.code().is_err() {
        profile.needs = Carries::Closures;
    }
    profile.build_s = asked.build_s;
    name.clone_into(&mut profile.problem);
    Ok(Value::Object(plan::to_json(&plan::of_profile(profile, &here)?)).to_string())
}

/// What an order costs on the mapping of this name, as [`windfall::plan::Costs`] means it, from
/// the table of defaults.
#[pyfunction]
pub fn order_s(py: Python<'_>, mapping: &str) -> PyResult<f64> {
    let here = Here::new(1).with_given(mapping, None, 1);
    let row = here.map_err(|error| to_python(py, &error))?.given;
    Ok(row.map_or(0.0, |row| row.costs.order_s))
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
