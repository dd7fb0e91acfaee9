//! Mixtures of normal distributions, by EM or by Gibbs sampling, the inner step in parallel.
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
//! errors.rs    the observed information           fit.rs     the whole fit
//! gibbs.rs     the sampler of the same model, allocations in parallel
//! prior.rs     its prior and one draw of all parameters
//! answer.rs    what a fit tells                   posterior.rs  what draws tell
//! ```

mod answer;
mod climb;
mod data;
mod errors;
mod fit;
mod gibbs;
mod model;
mod options;
mod pass;
mod posterior;
mod prior;
mod round;
mod start;
mod update;

pub use model::{Covariance, Given, Model};
pub use options::{
    Acceleration, Components, Criterion, GivenStarts, Method, MixtureOptions, Order,
};
pub use prior::{PriorOptions, Scale};
pub use start::Init;

use crate::bootstrap::{Formulas, Replicates, missing_data};
use data::Data;
use gibbs::Allocate;
use model::Densities;
use prior::Prior;
use round::{Describe, Expect};
use serde_json::Value;
use start::{Starting, Starts};
use update::Guard;
use windfall_core::{
    Answer, Control, Entry, Error, ErrorKind, Executor, Job, JobSpec, Kernel, Problem, Result,
    Seed, Shard, Shards, Streams, Table, read_options, run_bytes,
};

/// Parameters up to which standard errors are given unasked: two passes over the rows for each.
const PARAMETERS_UNASKED: usize = 60;
/// The most parameters for which standard errors can be had.
const PARAMETERS_MAX: usize = 2_000;

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "mixture",
    about: "a mixture of normal distributions, by EM from several starts or by Gibbs sampling",
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

/// A mixture of normal distributions fitted to the rows of a table by maximum likelihood, or drawn
/// from its posterior by Gibbs sampling.
///
/// The main job, whose shards [`Problem::run_shard`] runs, is the one that needs nothing but the
/// job file: that of making the starts (a task is a start), or, where `start` is given, the first
/// round (a task is a block of 4,096 rows). Any later round is the main job of the same problem
/// with that round's mixtures as `start`; any sweep of a Gibbs sampler that with the states of its
/// chains as `start` and its number as `sweep`.
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
        if options.method == Method::Gibbs {
            options.check_chains(&numbers, given.len() as u64)?;
            Prior::new(&options.prior, options.covariance, &data, numbers[0])?;
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
            each: match self.options.method {
                Method::Em => self.options.starts(),
                Method::Gibbs => self.options.chains(),
            },
        }
    }

    /// The mixtures to start from, with their numbers: given, or made by a job of their own.
    fn starts(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Vec<(u64, Model)>> {
        if !self.given.is_empty() {
            return Ok((0..).zip(self.given.iter().cloned()).collect());
        }
        let Starts(starts) = round::whole(&self.job(&self.starting()), on, control)?
            .ok_or_else(|| Error::new(ErrorKind::Interrupted))?;
        Ok(starts)
    }

    /// The job of a round that evaluates `models`.
    fn expect<'a>(&self, columns: &'a [&'a [f64]], models: &[&Model]) -> Result<Expect<'a>> {
        Ok(Expect { columns, densities: densities(models)? })
    }

    /// The job of the sweep called `sweep` of chains that are at `models`.
    fn allocate<'a>(
        &self,
        columns: &'a [&'a [f64]],
        models: &[&Model],
        sweep: u64,
    ) -> Result<Allocate<'a>> {
        Ok(Allocate { columns, densities: densities(models)?, sweep })
    }

    /// What is drawn comes from streams named by what it is for; see [`Starting`].
    fn streams(&self) -> Streams {
        Streams::new(self.seed, "mixture")
    }

    /// The main job with this kernel.
    fn job<'a, K>(&'a self, kernel: &'a K) -> Job<'a, K> {
        Job { kernel, streams: self.streams(), spec: self.spec.as_ref() }
    }

    /// The job, written down, whose first round evaluates `models`.
    fn round_spec(&self, models: &[&Model]) -> Option<JobSpec> {
        let mut spec = self.spec.clone()?;
        for key in ["starts", "init", "components", "distribution"] {
            spec.options.remove(key);
        }
        let list: Vec<Value> = models.iter().map(|model| model.to_json()).collect();
        spec.options.insert("start".into(), list.into());
        Some(spec)
    }

    /// Whether the main job is to say of each row what a given mixture makes of it.
    fn is_description(&self) -> bool {
        self.options.distribution && self.options.iterations == 0 && self.given.len() == 1
    }
}

/// The densities of several mixtures.
fn densities(models: &[&Model]) -> Result<Vec<Densities>> {
    let unsound = || Error::task("a covariance is not positive definite");
    models.iter().map(|model| Densities::new(model).ok_or_else(unsound)).collect()
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
            return run_bytes(&self.job(&self.starting()), shard);
        }
        let models: Vec<&Model> = self.given.iter().collect();
        if self.options.method == Method::Gibbs {
            let kernel = self.allocate(&columns, &models, self.options.sweep)?;
            return run_bytes(&self.job(&kernel), shard);
        }
        let mut kernel = self.expect(&columns, &models)?;
        if self.is_description() {
            let kernel = Describe { columns: &columns, densities: kernel.densities.remove(0) };
            return run_bytes(&self.job(&kernel), shard);
        }
        run_bytes(&self.job(&kernel), shard)
    }

    fn is_search(&self) -> bool {
        true
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        match self.options.method {
            Method::Em => self.maximise(on, control),
            Method::Gibbs => self.explore(on, control),
        }
    }
}
