//! The permutation test: how often a statistic would be as extreme if labels meant nothing.
//!
//! A job rearranges the rows of a table as its design allows: labels of independent samples, the
//! values of related samples within their row, a column against the others; within strata if there
//! are any. If there are no more distinct arrangements than permutations asked for, each is looked
//! at once and the p-value is exact; else so many are drawn, and it has a Monte Carlo error.
//! Sources: P. Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses" (2005); P.
//! Westfall, S. Young, "Resampling-Based Multiple Testing" (1993).
//!
//! ```text
//! options.rs    the keys of a job              design.rs   arrangements: counted, ranked, drawn
//! catalogue.rs  the table of test statistics   direct.rs   those that are no formulas;  ranks.rs
//! setup.rs      data, design and statistic     binder.rs   formulas bound to columns;  orders.rs
//! bound.rs      from arrangements to values    linear.rs   sums over arranged rows
//! engine.rs     which of three ways to draw    subsets.rs  two groups, random signs;  nibbles.rs
//! shuffles.rs   sums over random orders        narrow.rs   the same of at most 1,024 rows
//! kernel.rs     blocks into tasks and shards
//! tally.rs      the partial: counts            answer.rs   from counts to p-values
//! ```

mod answer;
mod binder;
mod bound;
mod catalogue;
mod design;
mod direct;
mod engine;
mod kernel;
mod linear;
mod narrow;
mod nibbles;
mod options;
mod orders;
mod ranks;
mod setup;
mod shuffles;
mod subsets;
mod tally;

pub use catalogue::{Serves, TESTS, TestStatistic};
pub use options::{Alternative, PermutationOptions};

use crate::statistic::UserStatistic;
use answer::Findings;
use kernel::{FIRST_ROUND, Permuting, Plan};
use setup::{Setup, Wish};
use tally::Reference;
use windfall_core::{
    Answer, Control, DataNote, Entry, Error, Executor, Job, JobSpec, Kernel, Outcome, Problem,
    Result, Rounds, Seed, Shard, Shards, Streams, Table, read_options, run, run_bytes, run_rounds,
};

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "permutation",
    about: "p-value of a statistic, by rearranging labels, related values or a column",
    build: |spec, source| {
        let missing = || {
            Error::invalid("data", "missing", "the path of a table")
                .hint("write for example: data = \"mouse.csv\"")
        };
        let table = source.table(spec.data.as_deref().ok_or_else(missing)?)?;
        let mut spec = spec.clone();
        let seed = spec.seed_or_fresh()?;
        spec.seed = Some(seed);
        let mut problem = Permutation::new(&table, read_options(&spec.options)?)?.with_seed(seed);
        problem.spec = Some(spec);
        Ok(Box::new(problem))
    },
};

/// A permutation test on a table's rows.
///
/// # Examples
/// ```
/// use windfall_core::{Column, Control, Labels, Problem, Serial, Table};
/// use windfall_stats::permutation::{Permutation, PermutationOptions};
///
/// let x = Column::Numbers(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0].into());
/// let side = Column::Labels(Labels::new(["a", "a", "a", "b", "b", "b", "b"]));
/// let table = Table::new(vec![("x".into(), x), ("side".into(), side)])?;
/// let options = PermutationOptions {
///     statistic: "mean_difference(x)".into(),
///     groups: Some("side".into()),
///     ..Default::default()
/// };
/// let answer = Permutation::new(&table, options)?.solve(&Serial, &Control::default())?;
/// assert_eq!(answer.method, "exact");
/// assert_eq!(answer.quantities[0].estimate, 2.0 / 35.0); // of 35 splits, 1 in either tail
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Permutation {
    spec: Option<JobSpec>,
    seed: Seed,
    options: PermutationOptions,
    data: DataNote,
    setup: Setup,
    reference: Reference,
    /// The number of distinct arrangements, where it can be counted.
    arrangements: Option<u64>,
}

impl Permutation {
    /// A test of formulas over the columns of `table`, with a fresh seed.
    ///
    /// # Cost
    /// A few copies of the columns that the formulas use; of related samples, one for each order
    /// of a row's values.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Expression`] with every mistake of the formulas;
    /// [`windfall_core::ErrorKind::Unknown`], [`windfall_core::ErrorKind::NotFinite`] for columns;
    /// [`windfall_core::ErrorKind::TooFew`] for fewer than two rows or groups;
    /// [`windfall_core::ErrorKind::Invalid`] for options that do not go together, for a statistic
    /// that no permutation changes, and for one that has no value on the data.
    pub fn new(table: &Table, options: PermutationOptions) -> Result<Self> {
        let texts = options.statistic.texts().to_vec();
        Self::build(table, options, Wish::Formulas(&texts))
    }

    /// A test of a caller's own function of `columns`; `options.statistic` is not read.
    ///
    /// With `groups`, `x.label` names the values of column `x` within one label. If no columns are
    /// named, the function gets all columns of numbers; with `groups`, those of the first label,
    /// then those of the second, and so on.
    ///
    /// # Errors
    /// As [`Permutation::new`], and what the function reports on the data.
    pub fn with_statistic(
        table: &Table,
        columns: &[String],
        statistic: impl UserStatistic + 'static,
        options: PermutationOptions,
    ) -> Result<Self> {
        Self::build(table, options, Wish::User(Box::new(statistic), columns))
    }

    /// The same job with another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// The same job, which can run elsewhere too: whoever has the code that `spec`
    /// [names](JobSpec::has_code) builds it there.
    #[must_use]
    pub fn described_by(mut self, spec: &JobSpec) -> Self {
        self.spec = spec.with_code(self.seed);
        self
    }

    fn build(table: &Table, options: PermutationOptions, wish: Wish<'_>) -> Result<Self> {
        options.check()?;
        let setup = Setup::new(table, &options, wish)?;
        let seed = JobSpec::new("permutation").seed_or_fresh()?;
        let data = DataNote { rows: table.rows() as u64, hash: table.hash() };
        let usual = match setup.is_large_when_extreme {
            true => Alternative::Greater,
            false => Alternative::TwoSided,
        };
        let alternative = options.alternative.unwrap_or(usual);
        let (observed, slack) = (setup.observed.clone(), setup.slack.clone());
        let mut reference = Reference::new(observed, slack, alternative);
        reference.places_max = options.exceedances.unwrap_or(0) as usize;
        reference.keeps_values = options.distribution;
        let arrangements = setup.design.count();
        Ok(Self { spec: None, seed, options, data, setup, reference, arrangements })
    }

    /// Whether every arrangement is looked at.
    fn is_exact(&self) -> bool {
        self.arrangements.is_some_and(|count| count <= self.options.resamples)
    }

    fn kernel(&self) -> Permuting<'_> {
        let is_exact = self.is_exact();
        let rows = self.setup.design.rows() as u64;
        let asked = self.options.resamples;
        let count = if is_exact { self.arrangements.unwrap_or(asked) } else { asked };
        let ends_early = self.options.tolerance.is_some() || self.options.exceedances.is_some();
        let plan = Plan::new(
            count,
            rows,
            self.setup.engine.cost_ns(&self.setup.design),
            ends_early && !is_exact,
        );
        Permuting { plan, setup: &self.setup, reference: &self.reference, is_exact }
    }

    fn job<'a>(&'a self, kernel: &'a Permuting<'a>) -> Job<'a, Permuting<'a>> {
        let streams = Streams::new(self.seed, "permutation");
        Job { kernel, streams, spec: self.spec.as_ref() }
    }

    /// What to say where the job ended without reaching its aim.
    fn missed(&self, findings: &Findings<'_>, tally: &tally::Tally) -> Option<String> {
        if self.is_exact() {
            return None;
        }
        let mcse = findings.mcse(tally);
        match (self.options.tolerance, self.options.exceedances) {
            (Some(tolerance), _) if mcse > tolerance => Some(format!(
                "the tolerance {tolerance} was not reached: after all {} permutations the largest \
                 error of a p-value is {mcse:.3e}",
                tally.draws
            )),
            (_, Some(wanted)) if !findings.has_enough(tally) => Some(format!(
                "fewer than {wanted} permutations of {} were as extreme in some tail: there the \
                 p-value is (b + 1)/(n + 1)",
                tally.draws
            )),
            _ => None,
        }
    }
}

impl Problem for Permutation {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        self.kernel().shards()
    }

    fn grows_by(&self) -> Option<&'static str> {
        (!self.is_exact()).then_some("resamples")
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        let kernel = self.kernel();
        run_bytes(&self.job(&kernel), shard)
    }

    fn is_search(&self) -> bool {
        self.options.tolerance.is_some() || self.options.exceedances.is_some()
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let kernel = self.kernel();
        let findings = Findings {
            options: &self.options,
            names: &self.setup.bound.names,
            reference: &self.reference,
            is_exact: kernel.is_exact,
            arrangements: self.arrangements,
        };
        let job = self.job(&kernel);
        let rounds = |wanted: u64| Rounds { first: kernel.plan.first_round(wanted), growth: 1.5 };
        let Outcome { partial, complete, .. } =
            match (self.options.tolerance, self.options.exceedances) {
                _ if kernel.is_exact => run(&job, on, control)?,
                (Some(tolerance), _) => {
                    let enough = |tally: &tally::Tally, _| findings.mcse(tally) <= tolerance;
                    run_rounds(&job, on, control, rounds(FIRST_ROUND), enough)?
                }
                (None, Some(wanted)) => {
                    let enough = |tally: &tally::Tally, _| findings.has_enough(tally);
                    run_rounds(&job, on, control, rounds(2 * wanted), enough)?
                }
                (None, None) => run(&job, on, control)?,
            };
        let missed = self.missed(&findings, &partial).filter(|_| complete);
        let mut answer = findings.answer(partial, complete, self.seed);
        answer.notes.extend(missed);
        answer.data = Some(self.data.clone());
        Ok(answer)
    }
}
