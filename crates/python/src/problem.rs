//! Problems for Python: built from a job as text, a table and a function; solved behind the door.

use crate::answer::Answer;
use crate::data::{Table, columns, numbers};
use crate::door::enter;
use crate::errors::to_python;
use crate::function::Function;
use crate::plan::{self, Asked};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::path::PathBuf;
use std::sync::OnceLock;
use windfall::cluster::jobs::Engines;
use windfall::files::{Folder, read_job};
use windfall::machine::{self, Workers};
use windfall::stats::fit::{Arrays, Fit};
use windfall::{
    Cancel, JobSpec, REGISTRY, Result, Shard, Source, Stopwatch, Threads, read_options,
};

/// A problem, checked and ready to solve.
#[pyclass(frozen, module = "windfall._core")]
pub struct Problem {
    problem: Box<dyn windfall::Problem>,
    name: String,
    function: Option<Py<Function>>,
    /// The tables in memory that it was built from.
    table: Option<windfall::Table>,
    kept: Option<windfall::Table>,
    /// Where the files lie that it names.
    folder: Folder,
}

/// Fields of the answer, facts of the run, distribution, its index, the answer.
type Solved<'py> = (
    Bound<'py, PyDict>,
    Bound<'py, PyDict>,
    Vec<Bound<'py, PyArray1<f64>>>,
    Option<Bound<'py, PyDict>>,
    Answer,
);

/// Arrays of terms, of responses and, perhaps, of weights, all flat.
type Flat<'py> =
    (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>, Option<Bound<'py, PyArray1<f64>>>);

#[pymethods]
impl Problem {
    /// The problem of a job in JSON, with data and code that a job file cannot hold.
    #[new]
    #[pyo3(signature = (job, table=None, function=None, kept=None))]
    fn new(
        py: Python<'_>,
        job: &str,
        table: Option<&Bound<'_, Table>>,
        function: Option<Bound<'_, Function>>,
        kept: Option<&Bound<'_, Table>>,
    ) -> PyResult<Self> {
        let [table, kept] = [table, kept].map(|table| table.map(|table| &table.get().0));
        let build = || {
            let mut spec = JobSpec::from_json(job)?;
            if let Some(function) = &function {
                return Ok((function.get().problem(&spec, table, kept)?, spec.problem));
            }
            if table.is_some() {
                spec.data = Some(IN_MEMORY.into());
            }
            if kept.is_some() {
                spec.options.insert("extend".into(), KEPT.into());
            }
            let folder = &Folder::default();
            let problem = REGISTRY.build(&spec, &Given { table, kept, folder })?;
            Ok((problem, spec.problem))
        };
        let (problem, name) = build().map_err(|error| to_python(py, &error))?;
        let (table, kept) = (table.cloned(), kept.cloned());
        let (function, folder) = (function.map(Bound::unbind), Folder::default());
        Ok(Self { problem, name, function, table, kept, folder })
    }

    /// The problem of a job file, TOML or JSON.
    #[staticmethod]
    fn from_file(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let folder = Folder::of(&path);
        let build = || {
            let spec = read_job(&path)?;
            Ok((REGISTRY.build(&spec, &folder)?, spec.problem))
        };
        let (problem, name) = build().map_err(|error| to_python(py, &error))?;
        Ok(Self { problem, name, function: None, table: None, kept: None, folder })
    }

    /// Fits to the groups of arrays of `shape` groups and rows; `names` are those of the terms.
    #[staticmethod]
    fn fits(
        py: Python<'_>,
        job: &str,
        arrays: Flat<'_>,
        shape: (usize, usize),
        terms: (Vec<String>, bool),
    ) -> PyResult<Self> {
        let build = || {
            let (x, y, weights) = &arrays;
            let arrays = Arrays {
                groups: shape.0,
                rows: shape.1,
                names: terms.0,
                x: numbers(x),
                y: numbers(y),
                weights: weights.as_ref().map(numbers),
                intercept: terms.1,
            };
            Fit::arrays(arrays, read_options(&JobSpec::from_json(job)?.options)?)
        };
        let problem = build().map_err(|error| to_python(py, &error))?;
        let (problem, name, folder) = (Box::new(problem), "fit".into(), Folder::default());
        Ok(Self { problem, name, function: None, table: None, kept: None, folder })
    }

    /// The problem's name.
    fn name(&self) -> &str {
        &self.name
    }

    /// The job in JSON, if it can be written down.
    fn job(&self) -> Option<String> {
        self.problem.spec().map(JobSpec::to_json)
    }

    /// Solves it on threads, or on engines of a cluster: its name and, perhaps, which of them.
    #[pyo3(signature = (workers=None, tick=None, on=None))]
    fn solve<'py>(
        &self,
        py: Python<'py>,
        workers: Option<usize>,
        tick: Option<Py<PyAny>>,
        on: Option<(String, Option<Vec<u32>>)>,
    ) -> PyResult<Solved<'py>> {
        let workers = count(workers).map_err(|error| to_python(py, &error))?;
        let (table, kept, folder) = (self.table.as_ref(), self.kept.as_ref(), &self.folder);
        let given = Given { table, kept, folder };
        let watch = Stopwatch::start();
        let (mut answer, workers) = self.enter(py, tick, |control| {
            let Some((name, engines)) = on else {
                let answer = self.problem.solve(&Threads::new(workers.count), control)?;
                return Ok((answer, workers));
            };
            let on = Engines::new(&name, engines, &REGISTRY, &given)?;
            let source = format!("engines of cluster {name}");
            let workers = Workers { count: on.workers(), source };
            Ok((self.problem.solve(&on, control)?, workers))
        })?;
        let note = |function: &Py<Function>| function.get().note(&self.name);
        answer.notes.extend(self.function.as_ref().and_then(note));
        let facts = PyDict::new(py);
        facts.set_item("seconds", watch.elapsed_s())?;
        facts.set_item("workers", workers.count)?;
        facts.set_item("workers_source", workers.source)?;
        facts.set_item("isa", windfall::machine::isa())?;
        facts.set_item("host", machine::host())?;
        facts.set_item("version", env!("CARGO_PKG_VERSION"))?;
        let distribution = std::mem::take(&mut answer.distribution)
            .into_iter()
            .map(|values| values.into_pyarray(py));
        let distribution = distribution.collect();
        let index = answer.index.take().map(|index| columns(py, &index)).transpose()?;
        let answer = Answer::new(answer);
        Ok((answer.fields(py)?, facts, distribution, index, answer))
    }

    /// Runs one task again, here and alone, and returns its partial as bytes.
    fn run_task(&self, py: Python<'_>, task: u64) -> PyResult<Py<PyBytes>> {
        let bytes = self.enter(py, None, |_| self.problem.run_shard(Shard::only(task)))?;
        Ok(PyBytes::new(py, &bytes).unbind())
    }

    /// Runs a pilot and predicts every mapping: the plan in JSON.
    fn plan(&self, py: Python<'_>, workers: Option<usize>, asked: Asked) -> PyResult<String> {
        let workers = count(workers).map_err(|error| to_python(py, &error))?.count;
        let problem = (self.problem.as_ref(), self.name.as_str());
        self.enter(py, None, |control| plan::of_problem(problem, workers, &asked, control))
    }

    /// Solves it on several mappings and compares: (mapping, hash, same) each.
    fn verify(&self, py: Python<'_>) -> PyResult<Vec<(String, String, bool)>> {
        let rows =
            self.enter(py, None, |control| windfall::verify(self.problem.as_ref(), control))?;
        Ok(rows.into_iter().map(|row| (row.mapping, row.hash, row.same)).collect())
    }
}

impl Problem {
    /// Goes through the door, with what a user's function has to say about its failures.
    fn enter<T: Send>(
        &self,
        py: Python<'_>,
        tick: Option<Py<PyAny>>,
        work: impl FnOnce(&windfall::Control<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        let Some(function) = &self.function else {
            return enter(py, Cancel::default(), tick, work);
        };
        let function = function.get();
        let cancel = Cancel::default();
        function.begin(&cancel);
        enter(py, cancel, tick, work).map_err(|error| function.explain(py, error))
    }
}

/// The worker count asked for, or what this machine grants; the machine is asked once.
fn count(workers: Option<usize>) -> Result<Workers> {
    static GRANTED: OnceLock<Result<Workers>> = OnceLock::new();
    match workers {
        Some(count) => Workers::asked(&count.to_string(), "workers"),
        None => GRANTED.get_or_init(machine::workers).clone(),
    }
}

/// The path under which a table in memory is known, and that of kept replicates.
const IN_MEMORY: &str = "(in memory)";
const KEPT: &str = "(kept)";

/// What Python gave: tables in memory, before all that lies in files.
struct Given<'a> {
    table: Option<&'a windfall::Table>,
    kept: Option<&'a windfall::Table>,
    folder: &'a Folder,
}

impl Source for Given<'_> {
    fn table(&self, path: &str) -> Result<windfall::Table> {
        match (path, self.table, self.kept) {
            (IN_MEMORY, Some(table), _) | (KEPT, _, Some(table)) => Ok(table.clone()),
            _ => self.folder.table(path),
        }
    }
}
