//! Draw from a posterior by many chains, and say whether they can be believed.
//!
//! ```text
//! model/        what a model is, the built-in ones, and how a job names one
//! options.rs    what can be asked for                 walk.rs    what a sampler is
//! kernel.rs     a task is a chain                     chains.rs  the partial
//! nuts/  metropolis.rs  ensemble.rs  tempering.rs     the samplers
//! diagnose/     R-hat, effective sample sizes, Monte Carlo errors
//! answer.rs     from chains to the answer
//! ```

mod answer;
mod chains;
pub mod diagnose;
mod ensemble;
mod kernel;
mod metropolis;
pub mod model;
mod nuts;
mod options;
mod tempering;
mod walk;

pub use chains::{Chain, Chains};
pub use options::{Init, SampleOptions, Sampler};

use answer::Findings;
use kernel::Sampling;
use model::{LogDensity, Model};
use options::{JobOptions, Plan};
use windfall_core::{
    Answer, Control, DataNote, Entry, Executor, Job, JobSpec, Problem, Result, Seed, Shard, Shards,
    Streams, Table, read_options, run, run_bytes,
};

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "sample",
    about: "draws from a posterior by many Markov chains, with their diagnostics",
    build: |spec, source| {
        let table = spec.data.as_deref().map(|path| source.table(path)).transpose()?;
        let JobOptions { model, options } = read_options(&spec.options)?;
        let mut spec = spec.clone();
        let seed = spec.seed_or_fresh()?;
        spec.seed = Some(seed);
        let model = model::build(&model, table.as_ref())?;
        let mut problem = Sample::new(model, options, seed)?;
        problem.data = table.map(|table| note(&table));
        problem.spec = Some(spec);
        Ok(Box::new(problem))
    },
};

/// Markov chains that draw from a model's law.
///
/// A task is a chain: chain `i` draws only from stream `i`, so its draws do not depend on how many
/// others run, or where. The estimate of each quantity is its mean over all draws, its standard
/// error the law's standard deviation, its interval equal-tailed; all have Monte Carlo errors
/// that account for the correlation of draws. A run that is stopped keeps its draws so far.
///
/// # Cost
/// That of the log densities, `evaluations` of them, and about 0.2 µs a gradient for the
/// sampler itself; 8 bytes of memory a draw and column.
///
/// # Errors of a run
/// A chain that finds no start with a finite density, and what a user's model reports.
///
/// # Examples
/// ```
/// use windfall_core::{Control, Problem, Serial};
/// use windfall_stats::sample::model::Gaussian;
/// use windfall_stats::sample::{Sample, SampleOptions};
///
/// let model = Gaussian::independent(&[1.0, -2.0], &[0.5, 3.0])?;
/// let job = Sample::new(Box::new(model), SampleOptions::default(), 1u64.into())?;
/// let answer = job.solve(&Serial, &Control::default())?;
/// let last = &answer.quantities[1];
/// assert!((last.estimate + 2.0).abs() < 5.0 * last.mcse);
/// assert!((last.standard_error.unwrap() - 3.0).abs() < 0.2);
/// # Ok::<(), windfall_core::Error>(())
/// ```
pub struct Sample<'a> {
    model: Box<dyn Model + 'a>,
    options: SampleOptions,
    plan: Plan,
    seed: Seed,
    data: Option<DataNote>,
    spec: Option<JobSpec>,
}

impl<'a> Sample<'a> {
    /// Chains that explore `model`.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for an option that makes no sense, alone or for this
    /// model.
    pub fn new(model: Box<dyn Model + 'a>, options: SampleOptions, seed: Seed) -> Result<Self> {
        let plan = options.plan(model.as_ref())?;
        Ok(Self { model, options, plan, seed, data: None, spec: None })
    }

    /// Chains that explore a log density which no job file can hold, with the options of `spec`,
    /// its `parameters` and what is `derived` from them.
    ///
    /// # Errors
    /// As [`Sample::new`] and [`model::build_with`].
    pub fn of(density: impl LogDensity + 'a, spec: &JobSpec) -> Result<Self> {
        let JobOptions { model, options } = read_options(&spec.options)?;
        let seed = spec.seed_or_fresh()?;
        let job = Self::new(model::build_with(density, &model)?, options, seed)?;
        Ok(Self { spec: spec.with_code(seed), ..job })
    }

    /// The options of the run, as a job file has them.
    pub fn options(&self) -> &SampleOptions {
        &self.options
    }

    fn job<'s>(&'s self, kernel: &'s Sampling<'s>) -> Job<'s, Sampling<'s>> {
        let streams = Streams::new(self.seed, "sample");
        Job { kernel, streams, spec: self.spec.as_ref() }
    }
}

fn note(table: &Table) -> DataNote {
    DataNote { rows: table.rows() as u64, hash: table.hash() }
}

impl Problem for Sample<'_> {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        Shards::new(self.plan.chains, 1)
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        let kernel = Sampling::new(self.model.as_ref(), &self.plan);
        run_bytes(&self.job(&kernel), shard)
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let kernel = Sampling::new(self.model.as_ref(), &self.plan);
        let outcome = run(&self.job(&kernel), on, control)?;
        let names = self.model.names();
        let findings = Findings::new(&self.options, &self.plan, names, outcome.partial)?;
        let answer = findings.answer(outcome.complete, self.seed)?;
        Ok(Answer { data: self.data.clone(), ..answer })
    }
}
