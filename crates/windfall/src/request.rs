//! Ask for a problem that Windfall knows: a job put together key by key, then solved.

use crate::files::{Folder, InMemory};
use crate::machine;
use serde_json::Value;
use windfall_core::{Answer, Control, JobSpec, Problem, Result, Seed, Source, Table, Threads};
use windfall_stats::REGISTRY;

/// A job that is being put together: a problem, its options and its data.
///
/// The keys are those of job files, which `docs/reference` lists; a misspelt one is an error that
/// names the nearest when the job is solved.
///
/// ```
/// let answer = windfall::Request::new("pi").set("n", 1_000_000).seed(1_u64).solve()?;
/// let pi = &answer.quantities[0];
/// assert!((pi.estimate - std::f64::consts::PI).abs() < 5.0 * pi.mcse);
/// # Ok::<(), windfall::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    spec: JobSpec,
    table: Option<Table>,
}

impl Request {
    /// A job for the problem called `problem`.
    pub fn new(problem: impl Into<String>) -> Self {
        Self { spec: JobSpec::new(problem), table: None }
    }

    /// Sets one option: a number, a truth, a text, or a list of them.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.spec.options.insert(key.into(), value.into());
        self
    }

    /// Sets the seed; a job without one draws its own, which the answer names.
    #[must_use]
    pub fn seed(mut self, seed: impl Into<Seed>) -> Self {
        self.spec.seed = Some(seed.into());
        self
    }

    /// Uses the data in `table`; its columns are shared, not copied.
    #[must_use]
    pub fn table(mut self, table: &Table) -> Self {
        self.table = Some(table.clone());
        self.spec.data = Some("memory".into());
        self
    }

    /// Uses the data in the CSV or Parquet file at `path`.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>) -> Self {
        self.table = None;
        self.spec.data = Some(path.into());
        self
    }

    /// Checks the options, reads the data and makes the problem, ready to be solved on any
    /// executor.
    ///
    /// # Errors
    /// Whatever the problem's checks find; see [`windfall_core::Registry::build`].
    pub fn build(&self) -> Result<Box<dyn Problem>> {
        match &self.table {
            Some(table) => REGISTRY.build(&self.spec, &InMemory(table.clone())),
            None => REGISTRY.build(&self.spec, &Folder::default()),
        }
    }

    /// Solves the problem on every core of this machine.
    ///
    /// # Errors
    /// As [`Request::build`], and what its tasks report.
    pub fn solve(&self) -> Result<Answer> {
        solve_problem(self.build()?.as_ref())
    }
}

/// Solves the job that `spec` describes on every core; `source` finds its data.
///
/// # Errors
/// As [`Request::solve`].
///
/// # Examples
/// ```
/// use windfall::{JobSpec, files::Folder};
/// let spec = JobSpec::from_toml("problem = 'pi'\nn = 1e6\nseed = 1")?;
/// assert_eq!(windfall::solve(&spec, &Folder::default())?.draws.count, 1_000_000);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn solve(spec: &JobSpec, source: &dyn Source) -> Result<Answer> {
    solve_problem(REGISTRY.build(spec, source)?.as_ref())
}

/// Solves a problem that was put together in code, such as a study of closures, on every core.
///
/// # Errors
/// What its tasks report.
pub fn solve_problem(problem: &dyn Problem) -> Result<Answer> {
    problem.solve(&every_core()?, &Control::default())
}

fn every_core() -> Result<Threads> {
    Ok(Threads::new(machine::workers()?.count))
}
