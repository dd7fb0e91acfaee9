//! Simulation studies: make data many times, analyse them each way, say how each way performs.
//!
//! A study has conditions (a grid of factors), methods, and replicates of each condition. Task
//! `r·C + c` is replicate `r` of condition `c` of `C`: it makes data and hands them to every
//! method. Of what the methods find come bias, standard errors, coverage, power and the rest, each
//! with its Monte Carlo standard error ([`performance`](MEASURES)).
//!
//! # Streams
//! A condition has streams named by what it says, `simulate d=0.5 n=20`, of which replicate `r` has
//! stream `r`. So more replicates, or more conditions, change nothing that was there before; kept
//! replicates need not be run again.
//!
//! ```text
//! options.rs     the keys of a job                 conditions.rs   the grid and its streams
//! procedure.rs   what is done with a replicate     study.rs        the same, of closures
//! formulas.rs    the same, of formulas             laws.rs         laws of generated columns
//! recipe.rs      columns of generated data         method.rs       methods written as formulas
//! textbook.rs    methods with names                records.rs      the partial
//! kept.rs        replicates as a table             performance.rs  measures and their errors
//! answer.rs      from records to the answer
//! ```

mod answer;
mod conditions;
mod formulas;
mod kept;
mod laws;
mod method;
mod options;
mod performance;
mod procedure;
mod recipe;
mod records;
mod study;
mod textbook;

pub use conditions::{Condition, Conditions};
pub use laws::{LAWS, Law};
pub use options::{SimulateOptions, Texts};
pub use performance::MEASURES;
pub use procedure::{Estimate, IntoOutcome, Outcome, Procedure, Replicate, Results};
pub use study::Study;
pub use textbook::{TEXTBOOK, Textbook};

use answer::Findings;
use conditions::SHARED_STREAMS;
use formulas::Formulas;
use records::Records;
use std::fmt;
use windfall_core::{
    Answer, Cancel, Control, Entry, Error, ErrorKind, Executor, Job, JobSpec, Kernel, Partial,
    Problem, Result, Seed, Shard, Shards, Streams, Table, read_options, run, run_bytes,
};

/// The most estimates that a study may keep: 5 GB of them.
const ESTIMATES_MAX: u64 = 100_000_000;
/// The most shards: enough to share out evenly.
const SHARDS_MAX: u64 = 1024;
/// How far numbers run again may be from those kept: rounding of code that is not ours.
const KEPT_TOLERANCE: f64 = 1e-8;

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "simulate",
    about: "a simulation study: bias, standard errors, coverage and power of methods, by formulas",
    build: |spec, source| {
        let mut spec = spec.clone();
        let options: SimulateOptions = read_options(&spec.options)?;
        let conditions = match (&spec.data, options.grid.list()) {
            (Some(path), []) => Conditions::new(&source.table(path)?)?,
            (None, []) => Conditions::none(),
            (None, texts) => Conditions::grid(texts)?,
            (Some(path), _) => {
                let expected = "left out where there is a grid";
                return Err(Error::invalid("data", path, expected)
                    .hint("conditions come from a table or from a grid"));
            }
        };
        let kept = options.extend.as_deref().map(|path| source.table(path)).transpose()?;
        let seed = spec.seed_or_fresh()?;
        let mut problem = Simulate::of_formulas(conditions, &options)?.with_seed(seed);
        if let Some(kept) = kept {
            problem = problem.extend(&kept)?;
        }
        spec.seed = Some(seed);
        problem.spec = Some(spec);
        Ok(Box::new(problem))
    },
};

/// A simulation study, ready to run.
///
/// # Examples
/// Three estimates of the centre of a heavy-tailed law, by formulas:
/// ```
/// use windfall_core::{Control, Problem, Serial};
/// use windfall_stats::simulate::{Conditions, Simulate, SimulateOptions};
///
/// let options = SimulateOptions {
///     grid: ["n = 10, 40"][..].into(),
///     generate: ["x = t(3)"][..].into(),
///     method: ["mean(x)", "median(x)", "trimmed_mean(x, 0.2)"][..].into(),
///     truth: Some("0".into()),
///     replicates: 500,
///     ..Default::default()
/// };
/// let study = Simulate::by_formulas(&options)?.with_seed(1u64.into());
/// let table = study.solve(&Serial, &Control::default())?.table.unwrap();
/// assert_eq!(table.names().collect::<Vec<_>>()[..3], ["n", "method", "measure"]);
/// # Ok::<(), windfall_core::Error>(())
/// ```
/// Of one's own code: see [`Study`].
pub struct Simulate {
    spec: Option<JobSpec>,
    seed: Seed,
    code: Box<dyn Procedure>,
    findings: Findings,
    /// Replicates that need not be run.
    kept: Records,
    /// The tasks to run, if not all.
    missing: Option<Vec<u64>>,
}

impl fmt::Debug for Simulate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulate")
            .field("seed", &self.seed)
            .field("findings", &self.findings)
            .field("kept", &self.kept.tasks.len())
            .finish_non_exhaustive()
    }
}

impl Simulate {
    /// A study of `code`, whose methods have these labels, with a fresh seed; of `options` those
    /// that write formulas are not read.
    ///
    /// # Errors
    /// [`ErrorKind::TooFew`], [`ErrorKind::Invalid`], [`ErrorKind::Unknown`] for labels or
    /// options that do not go together.
    pub fn new(
        conditions: Conditions,
        methods: Vec<String>,
        code: impl Procedure + 'static,
        options: SimulateOptions,
    ) -> Result<Self> {
        let findings = Findings::new(conditions, methods, options)?;
        let seed = Seed::from_entropy().map_err(|error| Error::io("entropy", error))?;
        let kept = Records::default();
        Ok(Self { spec: None, seed, code: Box::new(code), findings, kept, missing: None })
    }

    /// A study written as formulas, as in a job file without data.
    ///
    /// # Errors
    /// [`ErrorKind::Expression`] for a formula with a mistake, and as [`Simulate::new`].
    pub fn by_formulas(options: &SimulateOptions) -> Result<Self> {
        let conditions = match options.grid.list() {
            [] => Conditions::none(),
            texts => Conditions::grid(texts)?,
        };
        Self::of_formulas(conditions, options)
    }

    fn of_formulas(conditions: Conditions, options: &SimulateOptions) -> Result<Self> {
        let formulas = Formulas::new(&conditions, options)?;
        let (methods, aims) = (formulas.labels(), formulas.aims());
        let mut study = Self::new(conditions, methods, formulas, options.clone())?;
        (study.findings.truths, study.findings.nulls) = (aims.truths, aims.nulls);
        Ok(study)
    }

    /// The same study with another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// The same study, which can run elsewhere too: whoever has the code that `spec`
    /// [names](JobSpec::has_code) builds it there.
    #[must_use]
    pub fn described_by(mut self, spec: &JobSpec) -> Self {
        self.spec = spec.with_code(self.seed);
        self
    }

    /// The same study with the truth of each method under each condition: conditions × methods,
    /// NaN where it is unknown.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if there is not one number a condition and method.
    pub fn with_truths(mut self, truths: Vec<f64>) -> Result<Self> {
        self.findings.truths = self.findings.aims("truths", truths)?;
        Ok(self)
    }

    /// The same study with the value that the null hypothesis gives each method under each
    /// condition, for tests made of standard errors: conditions × methods, 0 by default.
    ///
    /// # Errors
    /// As [`Simulate::with_truths`].
    pub fn with_nulls(mut self, nulls: Vec<f64>) -> Result<Self> {
        self.findings.nulls = self.findings.aims("nulls", nulls)?;
        Ok(self)
    }

    /// The same study, which takes the replicates in `kept` (an earlier answer's `index`) and runs
    /// only those that are missing. The answer is that of one long run.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`], [`ErrorKind::Invalid`] for a table that holds no replicates. That
    /// they are those of this study and seed is checked when the study runs, on one replicate a
    /// condition.
    pub fn extend(mut self, kept: &Table) -> Result<Self> {
        let Findings { conditions, methods, options, .. } = &self.findings;
        let kept = kept::from_table(kept, conditions, methods, options.replicates)?;
        let have = &kept.tasks;
        let all = 0..self.findings.tasks();
        let missing = all.filter(|task| have.binary_search(task).is_err()).collect();
        self.missing = Some(missing);
        self.kept = kept;
        Ok(self)
    }

    /// Runs one replicate again, here and alone: the outcome of each method.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if there is no such condition or replicate; what ends a run.
    pub fn replay(&self, condition: usize, replicate: u64) -> Result<Vec<Outcome>> {
        let all = self.findings.conditions.len();
        if condition >= all {
            let expected = format!("below {all}, the number of conditions");
            return Err(Error::invalid("condition", condition, &expected));
        }
        let task = replicate * all as u64 + condition as u64;
        let records = self.kernel().run_tasks(std::iter::once(task), &Cancel::default())?;
        let methods = self.findings.methods.len();
        let outcome = |method: usize| {
            let failed = records.failures.iter().find(|failed| failed.method as usize == method);
            match failed {
                Some(failed) => Err(failed.error.clone()),
                None => Ok(answer::estimate(records.at(0, methods, method))),
            }
        };
        Ok((0..methods).map(outcome).collect())
    }

    fn kernel(&self) -> Tasks<'_> {
        let Findings { conditions, options, .. } = &self.findings;
        let name = |condition: usize| match options.common_random_numbers {
            true => SHARED_STREAMS.to_owned(),
            false => conditions.stream_name(condition),
        };
        let streams = (0..conditions.len()).map(|place| Streams::new(self.seed, &name(place)));
        Tasks { study: self, streams: streams.collect() }
    }

    fn job<'a>(&'a self, kernel: &'a Tasks<'a>) -> Job<'a, Tasks<'a>> {
        let streams = Streams::new(self.seed, SHARED_STREAMS);
        Job { kernel, streams, spec: self.spec.as_ref() }
    }

    /// Runs the first kept replicate of each condition again and compares.
    fn check_kept(&self, kernel: &Tasks<'_>) -> Result<()> {
        let methods = self.findings.methods.len();
        let mut checked = vec![false; self.findings.conditions.len()];
        for (place, &task) in self.kept.tasks.iter().enumerate() {
            let (condition, replicate) = self.findings.place(task);
            if std::mem::replace(&mut checked[condition], true) {
                continue;
            }
            let again = kernel.run_tasks(std::iter::once(task), &Cancel::default())?;
            for method in 0..methods {
                let (old, new) =
                    (self.kept.at(place, methods, method)[0], again.at(0, methods, method)[0]);
                let is_near = (old - new).abs() <= KEPT_TOLERANCE * (1.0 + old.abs());
                let both_failed = old.is_nan() && new.is_nan();
                if !is_near && !both_failed {
                    let key = self.findings.conditions.get(condition).key();
                    let expected = format!("`{new}`, which replicate {replicate} of `{key}` gives");
                    return Err(Error::invalid("kept estimate", old, &expected).hint(
                        "extend with the seed, the data and the methods of the run that was kept",
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Problem for Simulate {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        self.kernel().shards()
    }

    fn grows_by(&self) -> Option<&'static str> {
        self.missing.is_none().then_some("replicates")
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        run_bytes(&self.job(&self.kernel()), shard)
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let kernel = self.kernel();
        self.check_kept(&kernel)?;
        let mut all = self.kept.clone();
        match run(&self.job(&kernel), on, control) {
            Ok(outcome) => all = all.merge(outcome.partial),
            // What was kept is an answer still.
            Err(error) if *error.kind() == ErrorKind::Interrupted && !all.tasks.is_empty() => {}
            Err(error) => return Err(error),
        }
        if all.tasks.is_empty() {
            return Err(Error::new(ErrorKind::Interrupted));
        }
        self.findings.answer(all.sorted(self.findings.methods.len()), self.seed)
    }
}

/// The kernel: a task is one replicate of one condition, for every method.
#[derive(Debug)]
struct Tasks<'a> {
    study: &'a Simulate,
    /// Of each condition.
    streams: Vec<Streams>,
}

impl Tasks<'_> {
    fn run_tasks(&self, tasks: impl Iterator<Item = u64>, cancel: &Cancel) -> Result<Records> {
        let findings = &self.study.findings;
        let replicates: Vec<Replicate<'_>> = tasks
            .map(|task| {
                let (condition, number) = findings.place(task);
                let streams = &self.streams[condition];
                Replicate { condition: findings.conditions.get(condition), number, task, streams }
            })
            .collect();
        let mut records = Records::default();
        let methods = findings.methods.len();
        let mut results = Results { records: &mut records, methods, cancel };
        self.study.code.run(&replicates, &mut results)?;
        Ok(records)
    }
}

impl Kernel for Tasks<'_> {
    type Partial = Records;

    fn shards(&self) -> Shards {
        let all = self.study.findings.tasks();
        let tasks = self.study.missing.as_ref().map_or(all, |missing| missing.len() as u64);
        // By powers of two, so that a study that grows keeps its shards.
        Shards::new(tasks, tasks.div_ceil(SHARDS_MAX).next_power_of_two())
    }

    /// Replicates that were done before a stop are as good as any.
    fn keeps_stopped(&self) -> bool {
        true
    }

    fn run_shard(&self, shard: Shard, _: &Streams, cancel: &Cancel) -> Result<Records> {
        match &self.study.missing {
            None => self.run_tasks(shard.tasks(), cancel),
            Some(missing) => self.run_tasks(
                shard.tasks().filter_map(|place| missing.get(place as usize).copied()),
                cancel,
            ),
        }
    }
}
