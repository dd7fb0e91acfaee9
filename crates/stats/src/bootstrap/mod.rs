//! The bootstrap: how far an estimate would move if the data were drawn again.
//!
//! A job draws resamples of a table's rows by a design, evaluates a statistic on each, and makes
//! of the replicates a standard error, a bias and an interval, each with its own Monte Carlo
//! error. Sources: B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993); A. C.
//! Davison, D. V. Hinkley, "Bootstrap Methods and their Application" (1997).
//!
//! ```text
//! options.rs     the keys of a job                  setup.rs       data, design and statistic
//! source.rs      one block of resamples, four ways  kernel.rs      blocks into tasks and shards
//! errors.rs      standard errors of replicates      replicates.rs  the partial
//! quantiles.rs   quantiles without sorting          interval.rs    intervals and their errors
//! answer.rs      from replicates to the answer
//! ```

mod answer;
mod errors;
mod interval;
mod kernel;
mod options;
mod quantiles;
mod replicates;
pub(crate) mod setup;
mod source;

pub use options::{Alternative, BlockChoice, BootstrapOptions, Formulas, Method};
pub use replicates::Replicates;

use crate::jackknife::Summary;
use crate::resample::{OrderLaw, Sums};
use crate::statistic::UserStatistic;
use answer::Findings;
use errors::{Delta, Nested};
use kernel::{Plan, Resampling, Rooms};
use setup::{Form, Setup, Wish, columns_or_all};
use source::{Rows, Source};
use windfall_core::{
    Answer, Control, DataNote, Entry, Error, ErrorKind, Executor, Job, JobSpec, Kernel, Outcome,
    Problem, Result, Rounds, Seed, Shard, Shards, Streams, Table, read_options, run, run_bytes,
    run_rounds,
};

/// Rows that leaving out each row may visit for the acceleration of bca: minutes of one core.
const BCA_VISITS_MAX: u64 = 200_000_000_000;

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "bootstrap",
    about: "standard error, bias and interval of a statistic, by resampling the rows of a table",
    build: |spec, source| {
        let table = source.table(spec.data.as_deref().ok_or_else(missing_data)?)?;
        let mut spec = spec.clone();
        let seed = spec.seed_or_fresh()?;
        spec.seed = Some(seed);
        let options: BootstrapOptions = read_options(&spec.options)?;
        let texts = options.statistic.texts().to_vec();
        let mut problem = Bootstrap::build((&table, seed), options, Wish::Formulas(&texts))?;
        if problem.options.method == Method::Bca {
            problem.leaving = Some(problem.options.jackknife().spec(&spec)?);
        }
        problem.spec = Some(spec);
        Ok(Box::new(problem))
    },
};

/// A fresh seed.
fn fresh() -> Result<Seed> {
    JobSpec::new("bootstrap").seed_or_fresh()
}

/// A job that needs data and names none.
pub(crate) fn missing_data() -> Error {
    Error::invalid("data", "missing", "the path of a table")
        .hint("write for example: data = \"law_school.csv\"")
}

/// A bootstrap of a table's rows.
///
/// # Examples
/// ```
/// use windfall_core::{Control, Problem, Serial, Table};
/// use windfall_stats::bootstrap::{Bootstrap, BootstrapOptions};
///
/// let x = vec![94.0, 197.0, 16.0, 38.0, 99.0, 141.0, 23.0];
/// let table = Table::from_numbers([("x", x)])?;
/// let options = BootstrapOptions { statistic: "mean(x)".into(), ..Default::default() };
/// let answer = Bootstrap::new(&table, options)?
///     .with_seed(1u64.into())
///     .solve(&Serial, &Control::default())?;
/// let mean = &answer.quantities[0];
/// assert!((mean.estimate - 86.857143).abs() < 1e-6);
/// assert!((mean.standard_error.unwrap() - 23.36).abs() < 1.0); // ideal: 23.3635
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Bootstrap {
    spec: Option<JobSpec>,
    /// The job of leaving out rows, for executors that leave the process.
    leaving: Option<JobSpec>,
    seed: Seed,
    options: BootstrapOptions,
    data: DataNote,
    setup: Setup,
    delta: Option<Delta>,
    /// The columns of sums laid out, if the statistic is nothing but moments.
    sums: Option<Sums>,
    /// The law of each part, if all are quantiles of plain samples.
    laws: Option<Vec<OrderLaw>>,
    /// The place of each row among the strata, for resamples of resamples.
    places: Vec<u32>,
    rooms: Rooms,
}

impl Bootstrap {
    /// A bootstrap of formulas over the columns of `table`, with a fresh seed.
    ///
    /// # Cost
    /// A few copies of the columns that the formulas use.
    ///
    /// # Errors
    /// [`ErrorKind::Expression`] with every mistake of the formulas; [`ErrorKind::Unknown`],
    /// [`ErrorKind::NotFinite`] for columns; [`ErrorKind::TooFew`] for fewer than two rows;
    /// [`ErrorKind::Invalid`] for options that do not go together.
    pub fn new(table: &Table, options: BootstrapOptions) -> Result<Self> {
        let texts = options.statistic.texts().to_vec();
        Self::build((table, fresh()?), options, Wish::Formulas(&texts))
    }

    /// A bootstrap of a caller's own function of the gathered `columns` (all columns of numbers
    /// if none are named); `options.statistic` is not read.
    ///
    /// With `groups`, `x.label` names the values of column `x` within one label.
    ///
    /// # Errors
    /// As [`Bootstrap::new`].
    pub fn with_statistic(
        table: &Table,
        columns: &[String],
        statistic: impl UserStatistic + 'static,
        options: BootstrapOptions,
    ) -> Result<Self> {
        let columns = columns_or_all(table, columns);
        let wish = Wish::User(Box::new(statistic), &columns);
        Self::build((table, fresh()?), options, wish)
    }

    /// The same job with another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// The same job, which can run elsewhere too: whoever has the code that `spec`
    /// [names](JobSpec::has_code) builds it there.
    ///
    /// # Errors
    /// None: plain options can always be written down.
    pub fn described_by(mut self, spec: &JobSpec) -> Result<Self> {
        self.spec = spec.with_code(self.seed);
        if let Some(spec) = self.spec.as_ref().filter(|_| self.options.method == Method::Bca) {
            self.leaving = Some(self.options.jackknife().spec(spec)?);
        }
        Ok(self)
    }

    fn build(
        (table, seed): (&Table, Seed),
        options: BootstrapOptions,
        wish: Wish<'_>,
    ) -> Result<Self> {
        options.check()?;
        let setup = Setup::new(table, options.keys(), wish)?;
        if options.method == Method::Bca && setup.leave_one_out().visits() > BCA_VISITS_MAX {
            let expected = "another for so many rows with this statistic";
            return Err(Error::invalid("method", "bca", expected).hint(
                "its acceleration would take a pass over all rows for each of them; \
                 write method = \"percentile\"",
            ));
        }
        let data = DataNote { rows: table.rows() as u64, hash: table.hash() };
        let mut problem = Self {
            spec: None,
            leaving: None,
            seed,
            options,
            data,
            setup,
            delta: None,
            sums: None,
            laws: None,
            places: Vec::new(),
            rooms: Rooms::default(),
        };
        problem.prepare()?;
        Ok(problem)
    }

    /// Makes ready what the way of drawing needs.
    fn prepare(&mut self) -> Result<()> {
        let Setup { design, form, .. } = &self.setup;
        let studentised = self.options.method == Method::Studentised;
        let moments = match form {
            Form::Formula { drawn, .. } if drawn.parts.is_empty() => Some(drawn),
            _ => None,
        };
        if studentised {
            self.delta = moments.filter(|_| design.is_plain()).map(|drawn| Delta::new(drawn));
            if self.delta.is_none() && !self.setup.is_rowwise {
                let error = Error::invalid("method", "studentised", "another for this design");
                return Err(error.hint("use percentile, basic, normal or, without blocks, bca"));
            }
            self.places = self.setup.places();
        }
        match (moments, form) {
            (Some(drawn), _) if self.delta.is_some() || !studentised => {
                let products = self.delta.iter().flat_map(|delta| &delta.products);
                let columns: Vec<&[f64]> =
                    drawn.sums.iter().chain(products).map(Vec::as_slice).collect();
                self.sums = Some(Sums::new(&columns, design));
            }
            (None, Form::Formula { drawn, .. }) if self.setup.is_plain_within => {
                self.laws = source::laws(drawn)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The way in which resamples are drawn.
    fn source(&self) -> Source<'_> {
        let Setup { design, form, .. } = &self.setup;
        if self.options.method == Method::Studentised && self.delta.is_none() {
            return Source::Nested(Nested {
                target: self.setup.target(),
                design,
                places: &self.places,
                inner: self.options.inner_resamples as usize,
            });
        }
        match (form, &self.sums, &self.laws) {
            (Form::User(gathered), ..) => {
                let batch = if design.keeps_total() { gathered.batch() } else { 1 };
                Source::Rows(Rows { gathered, design, batch })
            }
            (Form::Formula { drawn, .. }, Some(sums), _) => {
                Source::Sums(drawn, sums, self.delta.as_ref())
            }
            (Form::Formula { drawn, .. }, None, Some(laws)) => Source::Order(drawn, laws),
            (Form::Formula { drawn, .. }, None, None) => Source::Weights(drawn, design),
        }
    }

    fn kernel(&self) -> Resampling<'_> {
        let source = self.source();
        let rows = self.setup.rows as u64;
        let (draws, ns) = match &source {
            Source::Order(..) => (1, 6.0),
            Source::Sums(_, sums, _) => (rows, 0.2 + 0.06 * sums.columns() as f64),
            Source::Weights(statistic, _) => (rows, 0.5 + statistic.inputs() as f64),
            Source::Rows(..) => (rows, 5.0),
            Source::Nested(_) => (rows * (1 + self.options.inner_resamples), 3.0),
        };
        let plan = Plan::new(self.options.resamples, draws, ns);
        Resampling { plan, source, rooms: &self.rooms }
    }

    fn job<'a>(&'a self, kernel: &'a Resampling<'a>) -> Job<'a, Resampling<'a>> {
        let streams = Streams::new(self.seed, "bootstrap");
        Job { kernel, streams, spec: self.spec.as_ref() }
    }

    /// The acceleration of each quantity, by a job of its own; none for other methods.
    fn accelerations(
        &self,
        estimates: &[f64],
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<Option<Vec<f64>>> {
        if self.options.method != Method::Bca {
            return Ok(None);
        }
        let kernel = self.setup.leave_one_out();
        let streams = Streams::new(self.seed, "jackknife");
        let job = Job { kernel: &kernel, streams, spec: self.leaving.as_ref() };
        let outcome = run(&job, on, control)?;
        if !outcome.complete {
            return Err(Error::new(ErrorKind::Interrupted));
        }
        let columns = outcome.partial.columns().iter().zip(estimates);
        let acceleration = |(values, estimate): (&Vec<f64>, &f64)| {
            Summary::new(*estimate, values, self.setup.units()).acceleration
        };
        Ok(Some(columns.map(acceleration).collect()))
    }

    /// The standard errors of the estimates in closed form, if there are such.
    fn delta_errors(&self) -> Option<Vec<f64>> {
        let (delta, Form::Formula { drawn, .. }) = (self.delta.as_ref()?, &self.setup.form) else {
            return None;
        };
        let columns = drawn.sums.iter().chain(&delta.products);
        let inputs: Vec<f64> = columns.map(|column| windfall_lanes::sum(column)).collect();
        let mut out = vec![0.0; drawn.quantities()];
        delta.evaluate(drawn, &inputs, &mut out, &mut windfall_expr::Workspace::new());
        Some(out)
    }

    /// The estimates, to the bit as replicates of the same value.
    fn estimates(&self, source: &Source<'_>) -> Result<Vec<f64>> {
        let estimates = self.setup.estimates()?;
        Ok(source.estimates().unwrap_or(estimates))
    }
}

impl Problem for Bootstrap {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        self.kernel().shards()
    }

    fn grows_by(&self) -> Option<&'static str> {
        Some("resamples")
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        let kernel = self.kernel();
        run_bytes(&self.job(&kernel), shard)
    }

    fn is_search(&self) -> bool {
        self.options.tolerance.is_some()
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let kernel = self.kernel();
        let estimates = self.estimates(&kernel.source)?;
        let accelerations = self.accelerations(&estimates, on, control)?;
        let findings = Findings {
            options: &self.options,
            names: self.setup.names(),
            estimates,
            accelerations,
            delta: self.delta_errors(),
        };
        let job = self.job(&kernel);
        let Outcome { partial, complete, .. } = match self.options.tolerance {
            None => run(&job, on, control)?,
            Some(tolerance) => {
                let rounds = Rounds { first: kernel.plan.first_round(), growth: 1.5 };
                run_rounds(&job, on, control, rounds, |replicates, _| {
                    findings.mcse(replicates) <= tolerance
                })?
            }
        };
        let missed = self.options.tolerance.filter(|_| complete).and_then(|tolerance| {
            let mcse = findings.mcse(&partial);
            (mcse > tolerance).then(|| {
                format!(
                    "the tolerance {tolerance} was not reached: after all {} resamples the \
                     largest error of an end is {mcse:.3e}",
                    partial.len()
                )
            })
        });
        let mut answer = findings.answer(partial, self.seed);
        answer.notes.extend(missed);
        answer.complete = complete;
        answer.data = Some(self.data.clone());
        answer.notes.splice(0..0, kernel.source.note());
        Ok(answer)
    }
}
