//! Fit a mixture of normal distributions by EM, whose inner step runs in parallel over the rows.
//!
//! A fit is a sequence of jobs: one makes the starts, then each round evaluates all mixtures that
//! still climb over all rows. Each of them is a job that can be written down: a round is a mixture
//! problem whose `start` holds the mixtures it evaluates, so that one shard of it can run anywhere.
//!
//! ```text
//! options.rs   what can be asked for              data.rs    the columns and their moments
//! model.rs     a mixture as a value, its densities
//! start.rs     where ascents begin, a task a start
//! pass.rs      the inner loop: densities, responsibilities and sums, eight rows at a time
//! round.rs     the jobs over the rows             update.rs  the maximisation step
//! climb.rs     one ascent: EM, SQUAREM, when to stop
//! errors.rs    the observed information           answer.rs  what is told
//! ```

mod answer;
mod climb;
mod data;
mod errors;
mod model;
mod options;
mod pass;
mod round;
mod start;
mod update;

pub use model::{Covariance, Given, Model};
pub use options::{
    Acceleration, Components, Criterion, GivenStarts, Method, MixtureOptions, Order,
};
pub use start::Init;

use crate::bootstrap::{Formulas, Replicates, missing_data};
use answer::Fitted;
use climb::{Climb, Pace};
use data::Data;
use model::Densities;
use round::{Describe, Expect, InRounds, Totals};
use serde_json::Value;
use start::{Starting, Starts};
use update::Guard;
use windfall_core::{
    Answer, Control, Entry, Error, ErrorKind, Executor, Job, JobSpec, Kernel, Observer, Problem,
    Result, Seed, Shard, Shards, Stopwatch, Streams, Table, read_options, run, run_bytes,
};

/// Parameters up to which standard errors are given unasked: two passes over the rows for each.
const PARAMETERS_UNASKED: usize = 60;
/// The most parameters for which standard errors can be had.
const PARAMETERS_MAX: usize = 2_000;

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "mixture",
    about: "a mixture of normal distributions, by EM from several starts",
    build: |spec, source| {
        let options: MixtureOptions = read_options(&spec.options)?;
        options.check()?;
        let path = spec.data.as_deref().ok_or_else(missing_data)?;
        let mut problem = Mixture::new(&source.table(path)?, options, spec.seed_or_fresh()?)?;
        let mut spec = spec.clone();
        spec.seed = Some(problem.seed);
        problem.spec = Some(spec);
        Ok(Box::new(problem))
    },
};

/// A mixture of normal distributions fitted to the rows of a table by maximum likelihood.
///
/// The main job, whose shards [`Problem::run_shard`] runs, is the one that needs nothing but the
/// job file: that of making the starts (a task is a start), or, where `start` is given, the first
/// round (a task is a block of 4,096 rows). Any later round is the main job of the same problem
/// with that round's mixtures as `start`.
///
/// # Cost
/// A round takes about 2 ns a row and component of two columns on one core with AVX2, with all
/// covariances full; the work grows with the square of the columns. The columns are not copied.
///
/// # Examples
/// ```
/// use windfall_core::{Control, Problem, Serial, Table};
/// use windfall_stats::mixture::{Components, Mixture, MixtureOptions};
///
/// let x = vec![0.9, 1.0, 1.1, 1.2, 4.7, 5.0, 5.2, 5.3];
/// let table = Table::from_numbers([("x", x)])?;
/// let components = Some(Components::One(2));
/// let options = MixtureOptions { components, ..Default::default() };
/// let mixture = Mixture::new(&table, options, 1u64.into())?;
/// let answer = mixture.solve(&Serial, &Control::default())?;
/// assert_eq!(answer.quantities[2].name, "mean[0, x]");
/// assert!((answer.quantities[2].estimate - 1.05).abs() < 1e-6);
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Mixture {
    spec: Option<JobSpec>,
    seed: Seed,
    options: MixtureOptions,
    data: Data,
    guard: Guard,
    /// The mixtures to start from, where they are given.
    given: Vec<Model>,
    /// The numbers of components.
    numbers: Vec<usize>,
}

impl Mixture {
    /// The mixture that `options` describes, of the rows of `table`.
    ///
    /// # Errors
    /// [`ErrorKind::TooFew`] for fewer rows than components, [`ErrorKind::Invalid`] for an option
    /// or a start that makes no sense, and the errors of columns: unknown, text, not finite or
    /// constant.
    pub fn new(table: &Table, options: MixtureOptions, seed: Seed) -> Result<Self> {
        options.check()?;
        let mut data = Data::new(table, options.columns.as_ref().map(Formulas::texts))?;
        if options.start.is_none() || options.iterations > 0 {
            data.check_variation()?;
        }
        let guard = Guard {
            added: options.regularisation,
            floor: options.floor,
            variances: data.variances(),
        };
        // Columns that determine each other: all rows lie in a plane.
        guard.hold(&mut data.overall);
        let d = data.columns.len();
        let list = options.start.as_ref().map_or(&[][..], GivenStarts::list);
        let model = |given: &Given| given.model(options.covariance, &data.overall, d);
        let given: Vec<Model> = list.iter().map(model).collect::<Result<_>>()?;
        let mut numbers = options.numbers()?;
        for model in &given {
            let k = model.components();
            if options.components.is_some() && !numbers.contains(&k) {
                let expected = format!("mixtures of `components`, not of {k}");
                return Err(Error::invalid("start", format!("{k} components"), &expected));
            }
            if !numbers.contains(&k) {
                numbers.push(k);
            }
        }
        let most = numbers.iter().copied().max().unwrap_or(1);
        if given.is_empty() && data.rows() < most {
            let error = Error::too_few("rows", data.rows() as u64, most as u64);
            return Err(error.hint("ask for fewer components than there are rows"));
        }
        Ok(Self { spec: None, seed, options, data, guard, given, numbers })
    }

    fn starting(&self) -> Starting<'_> {
        Starting {
            data: &self.data,
            init: self.options.init,
            covariance: self.options.covariance,
            guard: &self.guard,
            components: &self.numbers,
            each: self.options.starts(),
        }
    }

    fn expect<'a>(&self, columns: &'a [&'a [f64]], models: &[&Model]) -> Result<Expect<'a>> {
        let densities = models.iter().map(|model| {
            let unsound = || Error::task("a covariance is not positive definite");
            Densities::new(model).ok_or_else(unsound)
        });
        let densities = densities.collect::<Result<_>>()?;
        Ok(Expect { columns, densities })
    }

    /// What is drawn comes from streams named by what it is for; see [`Starting`].
    fn streams(&self) -> Streams {
        Streams::new(self.seed, "mixture")
    }

    /// The job, written down, whose first round evaluates `models`.
    fn round_spec(&self, models: &[&Model]) -> Option<JobSpec> {
        let mut spec = self.spec.clone()?;
        for key in ["starts", "init", "components"] {
            spec.options.remove(key);
        }
        let list: Vec<Value> = models.iter().map(|model| model.to_json()).collect();
        spec.options.insert("start".into(), list.into());
        Some(spec)
    }

    /// The ascents, not begun.
    fn climbs(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Vec<Climb>> {
        if !self.given.is_empty() {
            let numbered = self.given.iter().enumerate();
            let climb = |(at, model): (usize, &Model)| Climb::new(at as u64, model.clone());
            return Ok(numbered.map(climb).collect());
        }
        let kernel = self.starting();
        let job = Job { kernel: &kernel, streams: self.streams(), spec: self.spec.as_ref() };
        let Starts(starts) =
            whole(&job, on, control)?.ok_or_else(|| Error::new(ErrorKind::Interrupted))?;
        Ok(starts.into_iter().map(|(start, model)| Climb::new(start, model)).collect())
    }

    /// Lets all ascents climb side by side, a round at a time; whether all came to their end.
    fn climb(
        &self,
        climbs: &mut [Climb],
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<bool> {
        let (columns, rows) = (self.data.slices(), self.data.rows() as f64);
        let leaps = self.options.acceleration == Acceleration::Squarem;
        let pace = Pace {
            tolerance: self.options.tolerance,
            steps_max: self.options.iterations,
            leaps,
            guard: self.guard.clone(),
        };
        // A leap may have to be taken back: two rounds a step at most.
        let rounds = (pace.steps_max + 1) * if leaps { 2 } else { 1 };
        let watch = Stopwatch::start();
        for round in 0..rounds {
            let wanted: Vec<&Model> = climbs.iter().filter_map(Climb::wants).collect();
            if wanted.is_empty() {
                break;
            }
            let kernel = self.expect(&columns, &wanted)?;
            let spec = self.round_spec(&wanted);
            let job = Job { kernel: &kernel, streams: self.streams(), spec: spec.as_ref() };
            let tasks = kernel.shards().tasks();
            let counted = control.observer.map(|observer| InRounds {
                observer,
                before: round * tasks,
                tasks_max: rounds * tasks,
                watch: &watch,
            });
            let observer = counted.as_ref().map(|counted| counted as &dyn Observer);
            let within = Control { cancel: control.cancel.clone(), observer };
            let Some(Totals(totals)) = whole(&job, on, &within)? else {
                // Sums of some rows are of no use.
                let nothing = Err(Error::new(ErrorKind::Interrupted));
                return if round > 0 { Ok(false) } else { nothing };
            };
            let mut rest = totals.as_slice();
            let climbing = climbs.iter_mut().filter(|climb| climb.wants().is_some());
            for (climb, densities) in climbing.zip(&kernel.densities) {
                let (totals, later) = rest.split_at(densities.sums());
                climb.take(totals.to_vec(), rows, &pace);
                rest = later;
            }
        }
        Ok(true)
    }

    /// The standard errors of the quantities of `model`; none if they are not wanted or cannot be
    /// had, with a note that says why where the user should know.
    fn standard_errors(
        &self,
        fitted: &mut Fitted<'_>,
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<()> {
        let Some(model) = fitted.wants_errors(self.options.standard_errors) else {
            return Ok(());
        };
        let columns = self.data.slices();
        let (models, gaps) = errors::neighbours(&model);
        let models: Vec<&Model> = models.iter().collect();
        let kernel = self.expect(&columns, &models)?;
        let spec = self.round_spec(&models);
        let job = Job { kernel: &kernel, streams: self.streams(), spec: spec.as_ref() };
        let Some(Totals(totals)) = whole(&job, on, control)? else {
            fitted.complete = false;
            return Ok(());
        };
        let sums = kernel.densities[0].sums();
        let scores = models.iter().zip(totals.chunks_exact(sums));
        let scores: Vec<Vec<f64>> =
            scores.map(|(model, totals)| errors::score(model, totals)).collect();
        fitted.errors = errors::standard_errors(model.components(), &scores, &gaps);
        if fitted.errors.is_none() {
            fitted.notes.push(
                "no standard errors: the observed information is not positive definite there"
                    .into(),
            );
        }
        Ok(())
    }

    /// What the mixture says of each row, if the answer is to keep it.
    fn describe(
        &self,
        fitted: &mut Fitted<'_>,
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<()> {
        let Some(densities) = Densities::new(&fitted.model).filter(|_| self.options.distribution)
        else {
            return Ok(());
        };
        let columns = self.data.slices();
        let kernel = Describe { columns: &columns, densities };
        let spec = self.round_spec(&[&fitted.model]).map(|mut spec| {
            spec.options.insert("iterations".into(), 0.into());
            spec
        });
        let job = Job { kernel: &kernel, streams: self.streams(), spec: spec.as_ref() };
        fitted.rows = whole(&job, on, control)?;
        fitted.complete = fitted.rows.is_some();
        Ok(())
    }

    /// Whether the main job is to say of each row what a given mixture makes of it.
    fn is_description(&self) -> bool {
        self.options.distribution && self.options.iterations == 0 && self.given.len() == 1
    }
}

/// The partial of all of a job's shards; none if it was stopped before.
fn whole<K: Kernel>(
    job: &Job<'_, K>,
    on: &dyn Executor,
    control: &Control<'_>,
) -> Result<Option<K::Partial>> {
    match run(job, on, control) {
        Err(_) if control.cancel.is_stopped() => Ok(None),
        outcome => outcome.map(|outcome| outcome.complete.then_some(outcome.partial)),
    }
}

impl Problem for Mixture {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        if self.given.is_empty() {
            return self.starting().shards();
        }
        round::cut(self.data.rows())
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        let columns = self.data.slices();
        if self.given.is_empty() {
            let kernel = self.starting();
            let job = Job { kernel: &kernel, streams: self.streams(), spec: self.spec() };
            return run_bytes(&job, shard);
        }
        let models: Vec<&Model> = self.given.iter().collect();
        let mut kernel = self.expect(&columns, &models)?;
        if self.is_description() {
            let kernel = Describe { columns: &columns, densities: kernel.densities.remove(0) };
            let job = Job { kernel: &kernel, streams: self.streams(), spec: self.spec() };
            return run_bytes(&job, shard);
        }
        run_bytes(&Job { kernel: &kernel, streams: self.streams(), spec: self.spec() }, shard)
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let mut climbs = self.climbs(on, control)?;
        let complete = self.climb(&mut climbs, on, control)?;
        let mut fitted = Fitted::best(&self.options, &self.data, &climbs)?;
        fitted.complete = complete;
        if complete {
            self.standard_errors(&mut fitted, on, control)?;
        }
        if fitted.complete {
            self.describe(&mut fitted, on, control)?;
        }
        Ok(fitted.answer(self.seed))
    }
}
