//! Problems for Python: built from a job as text, tables and a function; solved behind the door.

use crate::answer::Answer;
use crate::checkpoint::Kept;
use crate::data::{Table, columns};
use crate::door::enter;
use crate::errors::to_python;
use crate::function::Function;
use crate::inputs::{Door, IN_MEMORY, Inputs, KEPT};
use crate::outer::Outer;
use crate::plan::{self, Asked};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use windfall::cluster::jobs::Engines;
use windfall::files::{Folder, read_job};
use windfall::machine::{self, Workers};
use windfall::remote::Noting;
use windfall::{
    Cancel, Control, Executor, JobSpec, REGISTRY, Result, Seed, Shard, Source, Stopwatch, Threads,
};

/// The arguments that make a problem.
type Parts<'py> = (
    String,
    Option<Bound<'py, Table>>,
    Option<Bound<'py, Function>>,
    Option<Bound<'py, Table>>,
    Bound<'py, PyDict>,
);

/// A problem, checked and ready to solve.
#[pyclass(frozen, module = "windfall._core")]
pub struct Problem {
    problem: Box<dyn windfall::Problem>,
    name: String,
    inputs: Inputs,
}

/// Fields of the answer, facts of the run, distribution, its index, the answer.
type Solved<'py> = (
    Bound<'py, PyDict>,
    Bound<'py, PyDict>,
    Vec<Bound<'py, PyArray1<f64>>>,
    Option<Bound<'py, PyDict>>,
    Answer,
);

#[pymethods]
impl Problem {
    /// The problem of a job in JSON, with data and code that a job file cannot hold: the tables
    /// that it names, or one that it does not and kept replicates.
    #[new]
    #[pyo3(signature = (job, table=None, function=None, kept=None, tables=None))]
    fn new<'py>(
        py: Python<'py>,
        job: &str,
        table: Option<&Bound<'py, Table>>,
        function: Option<Py<Function>>,
        kept: Option<&Bound<'py, Table>>,
        tables: Option<HashMap<String, Bound<'py, Table>>>,
    ) -> PyResult<Self> {
        let named = tables.into_iter().flatten();
        let given: Vec<(String, Bound<'py, Table>)> = named
            .chain(table.map(|table| (IN_MEMORY.to_owned(), table.clone())))
            .chain(kept.map(|kept| (KEPT.to_owned(), kept.clone())))
            .collect();
        let build = || {
            let mut spec = JobSpec::from_json(job)?;
            if table.is_some() {
                spec.data = Some(IN_MEMORY.into());
            }
            if kept.is_some() {
                spec.options.insert("extend".into(), KEPT.into());
            }
            spec.has_code = function.is_some();
            let mut inputs = Inputs { function, ..Inputs::default() };
            for (path, table) in given {
                let Table(table, file) = table.get();
                inputs.tables.insert(path.clone(), table.clone());
                inputs.files.extend(file.clone().map(|file| (path, file)));
            }
            let problem = match &inputs.function {
                Some(function) => function.get().problem(&spec, &inputs)?,
                None => {
                    // What lies in files is read and kept with what was in memory.
                    let source = Either { inputs: &inputs, folder: Folder::default() };
                    let noting = Noting::new(&source);
                    let problem = REGISTRY.build(&spec, &noting)?;
                    inputs.read(noting.into_given().tables, &source.folder);
                    problem
                }
            };
            Ok(Self { problem, name: spec.problem, inputs })
        };
        build().map_err(|error| to_python(py, &error))
    }

    /// The problem of a job file, TOML or JSON; `seed` is for one that names none.
    #[staticmethod]
    #[pyo3(signature = (path, seed=None))]
    fn from_file(py: Python<'_>, path: PathBuf, seed: Option<u128>) -> PyResult<Self> {
        let folder = Folder::of(&path);
        let build = || {
            let mut spec = read_job(&path)?;
            spec.seed = spec.seed.or(seed.map(Seed));
            let noting = Noting::new(&folder);
            let problem = REGISTRY.build(&spec, &noting)?;
            let mut inputs = Inputs::default();
            inputs.read(noting.into_given().tables, &folder);
            Ok(Self { problem, name: spec.problem, inputs })
        };
        build().map_err(|error| to_python(py, &error))
    }

    /// What it is built from, to be built again elsewhere.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Parts<'py>)> {
        let job = self.problem.spec().map(JobSpec::to_json).unwrap_or_default();
        let tables = PyDict::new(py);
        for (path, table) in &self.inputs.tables {
            let file = self.inputs.files.get(path).cloned();
            tables.set_item(path, Bound::new(py, Table(table.clone(), file))?)?;
        }
        let function = self.inputs.function.as_ref().map(|function| function.bind(py).clone());
        Ok((py.get_type::<Self>().into_any(), (job, None, function, None, tables)))
    }

    /// The problem's name.
    fn name(&self) -> &str {
        &self.name
    }

    /// The job in JSON, if it can be written down.
    fn job(&self) -> Option<String> {
        let spec = self.problem.spec().filter(|spec| !spec.has_code);
        spec.map(JobSpec::to_json)
    }

    /// Solves it on threads; on engines of a cluster: its name and, perhaps, which of them; or on
    /// another engine: an object as `windfall.backends` makes them. What is done is kept in the
    /// folder `checkpoint`, and what is kept there is not run.
    #[pyo3(signature = (workers=None, tick=None, on=None, checkpoint=None))]
    fn solve<'py>(
        &self,
        py: Python<'py>,
        workers: Option<usize>,
        tick: Option<Py<PyAny>>,
        on: Option<On>,
        checkpoint: Option<PathBuf>,
    ) -> PyResult<Solved<'py>> {
        let workers = count(workers).map_err(|error| to_python(py, &error))?;
        let watch = Stopwatch::start();
        let kept = checkpoint.map(|folder| Kept::open(py, &folder, &self.inputs)).transpose()?;
        let outer = match &on {
            Some(On::Outer(backend)) => Some(Outer::new(py, backend, &self.inputs)?),
            _ => None,
        };
        let solve = |on: &dyn Executor, control: &Control<'_>| match &kept {
            Some(kept) => kept.solve(self.problem.as_ref(), on, control),
            None => self.problem.solve(on, control),
        };
        let solved = self.enter(py, tick, |control| match (on, &outer) {
            (Some(On::Cluster(name, engines)), _) => {
                let on = Engines::new(&name, engines, &Door, &self.inputs)?.with_python();
                let source = format!("engines of cluster {name}");
                let workers = Workers { count: on.workers(), source };
                Ok((solve(&on, control)?, workers))
            }
            (_, Some(on)) => Ok((solve(on, control)?, on.workers())),
            _ => Ok((solve(&Threads::new(workers.count), control)?, workers)),
        });
        let raised = || outer.as_ref().and_then(Outer::raised);
        let (mut answer, workers) = solved.map_err(|error| raised().unwrap_or(error))?;
        let note = |function: &Py<Function>| function.get().note(&self.name);
        answer.notes.extend(self.inputs.function.as_ref().and_then(note));
        let facts = PyDict::new(py);
        facts.set_item("seconds", watch.elapsed_s())?;
        facts.set_item("workers", workers.count)?;
        facts.set_item("workers_source", workers.source)?;
        facts.set_item("isa", windfall::machine::isa())?;
        facts.set_item("host", machine::host())?;
        facts.set_item("version", env!("CARGO_PKG_VERSION"))?;
        if let Some(kept) = &kept {
            facts.set_item("shards_kept", kept.used())?;
        }
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
    fn plan(&self, py: Python<'_>, asked: Asked) -> PyResult<String> {
        let workers = count(asked.workers()).map_err(|error| to_python(py, &error))?.count;
        let problem = (self.problem.as_ref(), self.name.as_str(), &self.inputs);
        let nothing = Inputs::default();
        let outer = asked.outer(py, &nothing)?;
        let on = (workers, outer.as_ref());
        let planned =
            self.enter(py, None, |control| plan::of_problem(problem, on, &asked, control));
        planned.map_err(|error| outer.as_ref().and_then(Outer::raised).unwrap_or(error))
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
        work: impl FnOnce(&Control<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        let Some(function) = &self.inputs.function else {
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

/// What was given, before what lies in files.
struct Either<'a> {
    inputs: &'a Inputs,
    folder: Folder,
}

impl Source for Either<'_> {
    fn table(&self, path: &str) -> Result<windfall::Table> {
        match self.inputs.tables.get(path) {
            Some(table) => Ok(table.clone()),
            None => self.folder.table(path),
        }
    }
}

/// Where a problem is to be solved, if not here: engines of a cluster, all or some of them, or an
/// object as `windfall.backends` makes them.
#[derive(FromPyObject)]
pub enum On {
    Cluster(String, Option<Vec<u32>>),
    Outer(Py<PyAny>),
}
