//! The power of a test by simulation: how often it rejects when the effect is there.
//!
//! ```text
//! options.rs    what can be asked for          catalogue.rs  the table of tests
//! law.rs        laws that data come from       designs/      data and decision of each test
//! ready.rs      a test at one point            rule.rs       tests of moments, eight at once
//! test.rs       of the catalogue, or one's own
//! trials.rs     the kernel                     lanes.rs  data.rs  user.rs   its three ways
//! counts.rs     its partial                    answer.rs     power with its errors
//! ```

pub(crate) mod answer;
mod catalogue;
pub(crate) mod counts;
mod data;
mod designs;
mod lanes;
mod law;
mod options;
mod ready;
mod rule;
mod test;
pub(crate) mod trials;
mod user;

pub(crate) use catalogue::find;
pub use catalogue::{Row, TESTS};
pub use options::{Design, Numbers, PowerOptions};
pub(crate) use options::{N_MAX, between, check_effort, written};
pub(crate) use ready::Drawn;
pub use ready::Point;
pub(crate) use test::Test;
pub use user::UserTest;

use crate::statistic::UserStatistic;
use counts::Counts;
use std::sync::Arc;
use trials::Trials;
use windfall_core::{
    Answer, Control, Draws, Entry, Executor, Job, JobSpec, Kernel, Problem, Result, Rounds, Seed,
    Shard, Shards, Streams, read_options, run, run_bytes, run_rounds,
};

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "power",
    about: "the power of a test by simulation, at one sample size or along a curve",
    build: |spec, _| {
        spec.without_data()?;
        Ok(Box::new(Power::new(read_options(&spec.options)?, spec.seed_or_fresh()?)?))
    },
};

/// The power of a test: the share of simulated data sets that it rejects.
///
/// A task is one simulation, or eight abreast where normal data are seen by their moments alone.
/// Every point of a curve is given the same draws (common random numbers), and the data of a
/// smaller sample are the first of a larger one, so that the curve is smooth although each point
/// has its error.
///
/// # Cost
/// Two-sample t at 50 a sample: about 0.2 µs a simulation with AVX2 where every value is drawn,
/// 0.02 µs from sufficient statistics; tests of ranks some 5 µs.
///
/// # Examples
/// ```
/// use windfall_core::{Control, Problem, Serial};
/// use windfall_stats::power::{Design, Power, PowerOptions};
///
/// let design = Design { test: "t-test".into(), effect: 0.5.into(), ..Default::default() };
/// let options = PowerOptions { n: 64.0.into(), design, ..Default::default() };
/// let answer = Power::new(options, 1u64.into())?.solve(&Serial, &Control::default())?;
/// let power = &answer.quantities[0];
/// // By the noncentral t law it is 0.80145956.
/// assert!((power.estimate - 0.80145956).abs() < 5.0 * power.mcse);
/// # Ok::<(), windfall_core::Error>(())
/// ```
pub struct Power {
    spec: Option<JobSpec>,
    seed: Seed,
    test: Test,
    options: PowerOptions,
    points: Vec<Point>,
    trials: Trials,
}

impl Power {
    /// The power of a test of the catalogue; a job that can be written down.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Unknown`] for the name of a test or law,
    /// [`windfall_core::ErrorKind::Invalid`] or [`windfall_core::ErrorKind::TooFew`] for an option
    /// that makes no sense or that the test does not read.
    pub fn new(options: PowerOptions, seed: Seed) -> Result<Self> {
        let test = Test::Catalogue(find(&options.design)?);
        let mut spec = JobSpec::new("power");
        spec.seed = Some(seed);
        spec.options = written(&options);
        Self::build(test, options, seed, Some(spec))
    }

    /// The power of the caller's own test at the points of `options`, which names no test.
    ///
    /// # Errors
    /// As [`Power::new`].
    ///
    /// # Examples
    /// ```
    /// use windfall_core::{Control, Problem, Serial, Stream};
    /// use windfall_stats::hypothesis::{Alternative, t};
    /// use windfall_stats::power::{Point, Power, PowerOptions};
    ///
    /// let test = |point: Point, stream: &mut Stream| {
    ///     let mut x = vec![0.0; point.n as usize];
    ///     stream.fill_normal(&mut x);
    ///     t::one_sample(&x, 0.6, Alternative::TwoSided).p_value
    /// };
    /// let options = PowerOptions { n: 24.0.into(), ..Default::default() };
    /// let answer = Power::with_test(test, options, 1u64.into())?;
    /// let answer = answer.solve(&Serial, &Control::default())?;
    /// assert!((answer.quantities[0].estimate - 0.80).abs() < 0.01);
    /// # Ok::<(), windfall_core::Error>(())
    /// ```
    pub fn with_test(
        test: impl UserTest + 'static,
        options: PowerOptions,
        seed: Seed,
    ) -> Result<Self> {
        Self::build(Test::Whole(Arc::new(test)), options, seed, None)
    }

    /// The power of the caller's own function of samples, whose value is the p-value.
    ///
    /// Their laws are those of `groups`, one a sample; else one law that the effect moves, for
    /// `arms` samples, by default two. It sees the values that a test of the catalogue sees which
    /// looks at all of them, in batches as it likes.
    ///
    /// # Errors
    /// As [`Power::new`].
    ///
    /// # Examples
    /// ```
    /// use windfall_core::{Control, Problem, Serial};
    /// use windfall_stats::hypothesis::{Alternative, t};
    /// use windfall_stats::power::{Power, PowerOptions};
    /// use windfall_stats::statistic::Columns;
    ///
    /// let test = Columns(|samples: &[&[f64]]| {
    ///     t::two_sample(samples[0], samples[1], Alternative::TwoSided).p_value
    /// });
    /// let mut options = PowerOptions { n: 64.0.into(), ..Default::default() };
    /// options.design.effect = 0.5.into();
    /// let answer = Power::with_test_of_samples(test, options, 1u64.into())?;
    /// let answer = answer.solve(&Serial, &Control::default())?;
    /// assert!((answer.quantities[0].estimate - 0.80).abs() < 0.01);
    /// # Ok::<(), windfall_core::Error>(())
    /// ```
    pub fn with_test_of_samples(
        test: impl UserStatistic + 'static,
        options: PowerOptions,
        seed: Seed,
    ) -> Result<Self> {
        Self::build(Test::OfSamples(Arc::new(test)), options, seed, None)
    }

    /// The same job, which can run elsewhere too: whoever has the code that `spec`
    /// [names](JobSpec::has_code) builds it there.
    #[must_use]
    pub fn described_by(mut self, spec: &JobSpec) -> Self {
        self.spec = spec.with_code(self.seed);
        self
    }

    fn build(test: Test, options: PowerOptions, seed: Seed, spec: Option<JobSpec>) -> Result<Self> {
        let simulations = options.checked_simulations()?;
        test.check(&options.design)?;
        let points = options.points(test.n_min())?;
        let trials = test.trials(&options.design, &points, simulations)?;
        Ok(Self { spec, seed, test, options, points, trials })
    }

    fn job(&self) -> Job<'_, Trials> {
        let streams = Streams::new(self.seed, "power");
        Job { kernel: &self.trials, streams, spec: self.spec.as_ref() }
    }

    fn answer(&self, counts: &Counts, complete: bool) -> Result<Answer> {
        let design = &self.options.design;
        let quantities = answer::quantities(&self.points, counts, self.options.level);
        let mut notes = answer::notes(&self.points, counts, self.trials.drawn());
        let worst = quantities.iter().map(|quantity| quantity.mcse).fold(0.0, f64::max);
        if let Some(tolerance) = self.options.tolerance
            && complete
            && worst > tolerance
        {
            let note = format!("the tolerance `{tolerance}` was not reached: raise `simulations`");
            notes.push(note);
        }
        let extra = self.test.told(design);
        let draws = Draws { name: "simulations", count: counts.simulations };
        Ok(Answer {
            table: Some(answer::table(&self.points, &quantities)?),
            quantities,
            complete,
            extra,
            notes,
            ..Answer::new("power", self.test.name(), draws, self.seed)
        })
    }
}

impl Problem for Power {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        self.trials.shards()
    }

    fn grows_by(&self) -> Option<&'static str> {
        Some("simulations")
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        run_bytes(&self.job(), shard)
    }

    fn is_tabular(&self) -> bool {
        true
    }

    fn is_search(&self) -> bool {
        self.options.tolerance.is_some()
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let outcome = match self.options.tolerance {
            None => run(&self.job(), on, control)?,
            Some(tolerance) => {
                let rounds = Rounds { first: 8, growth: 1.5 };
                run_rounds(&self.job(), on, control, rounds, |counts, _| {
                    let quantities = answer::quantities(&self.points, counts, self.options.level);
                    quantities.iter().all(|quantity| quantity.mcse <= tolerance)
                })?
            }
        };
        self.answer(&outcome.partial, outcome.complete)
    }
}
