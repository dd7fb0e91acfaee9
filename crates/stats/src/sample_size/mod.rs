//! The smallest sample size with which a test has the power asked for, by simulation.
//!
//! ```text
//! options.rs  what can be asked for      search.rs  where to look, when to stop
//! probit.rs   the line through the looks
//! ```

mod options;
mod probit;
mod search;

pub use options::{LookJob, SampleSizeOptions};

use crate::law::binomial::clopper_pearson;
use crate::power::answer::{notes, quantities};
use crate::power::counts::Counts;
use crate::power::trials::Trials;
use crate::power::{Drawn, Point, Test, UserTest, find, written};
use crate::statistic::UserStatistic;
use probit::Look;
use search::{Aim, Found, Search};
use serde_json::Map;
use std::cell::Cell;
use std::sync::Arc;
use windfall_core::{
    Answer, Control, Draws, Entry, Error, ErrorKind, Executor, Interval, Job, JobSpec, Kernel,
    Observer, Problem, Progress, Quantity, Result, Seed, Shard, Shards, Streams, Table,
    read_options, run, run_bytes,
};

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "sample_size",
    about: "the smallest sample size with which a test has a given power, by simulation",
    build: |spec, _| {
        spec.without_data()?;
        Ok(Box::new(SampleSize::new(read_options(&spec.options)?, spec.seed_or_fresh()?)?))
    },
};

/// Simulations of the power at the answer, a share of those that the search may take.
const CHECK_SHARE: u64 = 10;

/// The smallest n at which a test reaches a power.
///
/// The search brackets n by doubling, then fits the power as Φ(a + b √n) to what it has seen near
/// the root and looks again to either side of it, each round half as long again, until the
/// interval for n is as narrow as asked or the simulations are used up. Each look has streams of
/// its own. The power at the answer is simulated anew.
///
/// # Cost
/// For d = 0.5 a few 100,000 simulations of some 20 ns; for tests that need the data as many of
/// their own price.
///
/// # Examples
/// ```
/// use windfall_core::{Control, Problem, Serial};
/// use windfall_stats::power::Design;
/// use windfall_stats::sample_size::{SampleSize, SampleSizeOptions};
///
/// let design = Design { test: "t-test".into(), effect: 0.5.into(), ..Default::default() };
/// let options = SampleSizeOptions { power: 0.8, design, ..Default::default() };
/// let answer = SampleSize::new(options, 1u64.into())?.solve(&Serial, &Control::default())?;
/// // By the noncentral t law it is 63.77 a sample: 64.
/// assert_eq!(answer.quantities[0].estimate, 64.0);
/// # Ok::<(), windfall_core::Error>(())
/// ```
pub struct SampleSize {
    spec: Option<JobSpec>,
    seed: Seed,
    options: SampleSizeOptions,
    effect: Option<f64>,
    aim: Aim,
    drawn: Drawn,
    test: Test,
    /// The look whose shards this job has: the first, unless the options name one.
    look: LookJob,
    /// What it runs.
    first: Trials,
}

impl SampleSize {
    /// The sample size of a test of the catalogue; a job that can be written down.
    ///
    /// # Errors
    /// As [`crate::power::Power::new`].
    pub fn new(options: SampleSizeOptions, seed: Seed) -> Result<Self> {
        let row = find(&options.design)?;
        let mut spec = JobSpec::new("sample_size");
        spec.seed = Some(seed);
        spec.options = written(&options);
        Self::build(options, seed, Test::Catalogue(row), Some(spec))
    }

    /// The sample size of the caller's own test; `options` names none.
    ///
    /// # Errors
    /// As [`SampleSize::new`].
    pub fn with_test(
        test: impl UserTest + 'static,
        options: SampleSizeOptions,
        seed: Seed,
    ) -> Result<Self> {
        Self::build(options, seed, Test::Whole(Arc::new(test)), None)
    }

    /// The sample size of the caller's own function of samples; see
    /// [`crate::power::Power::with_test_of_samples`].
    ///
    /// # Errors
    /// As [`SampleSize::new`].
    pub fn with_test_of_samples(
        test: impl UserStatistic + 'static,
        options: SampleSizeOptions,
        seed: Seed,
    ) -> Result<Self> {
        Self::build(options, seed, Test::OfSamples(Arc::new(test)), None)
    }

    /// The same job, which can run elsewhere too: whoever has the code that `spec`
    /// [names](JobSpec::has_code) builds it there.
    #[must_use]
    pub fn described_by(mut self, spec: &JobSpec) -> Self {
        self.spec = spec.with_code(self.seed);
        self
    }

    fn build(
        options: SampleSizeOptions,
        seed: Seed,
        test: Test,
        spec: Option<JobSpec>,
    ) -> Result<Self> {
        test.check(&options.design)?;
        let effect = options.effect()?;
        let mut n = options.start(match &test {
            Test::Catalogue(row) => row.n_min,
            Test::Whole(_) | Test::OfSamples(_) => 2,
        })?;
        // Some designs need more rows than their test: covariates, for instance.
        let first = loop {
            let points = [Point { n, effect }];
            match test.trials(&options.design, &points, 1) {
                Err(error) if matches!(error.kind(), ErrorKind::TooFew { .. }) && n < 1 << 20 => {
                    n += 1;
                }
                built => break built?,
            }
        };
        let drawn = first.drawn();
        let aim = options.aim(n, drawn == Drawn::Summaries)?;
        let usual = LookJob { number: Some(0), n: vec![n], simulations: 1 };
        let (look, first) = match options.look.clone() {
            None => (usual, first),
            Some(look) => {
                let points = look.n.iter().map(|&n| Point { n, effect }).collect::<Vec<_>>();
                let kernel = test.trials(&options.design, &points, look.simulations)?;
                (look, kernel)
            }
        };
        Ok(Self { spec, seed, options, effect, aim, drawn, test, look, first })
    }

    /// The kernel of a look and, if the search can be written down, its job as a value.
    fn look(&self, look: &LookJob) -> Result<(Trials, Option<JobSpec>)> {
        let points: Vec<Point> = look.n.iter().map(|&n| Point { n, effect: self.effect }).collect();
        let kernel = self.test.trials(&self.options.design, &points, look.simulations)?;
        let spec = self.spec.clone().map(|mut spec| {
            spec.options.insert("look".into(), serde_json::json!(look));
            spec
        });
        Ok((kernel, spec))
    }

    fn streams(&self, look: &LookJob) -> Streams {
        let number = look.number.unwrap_or(u64::MAX);
        Streams::new(self.seed, &format!("sample_size look {number}"))
    }

    /// The power at the answer and just below it, simulated anew.
    fn check(
        &self,
        n: u64,
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<(Vec<Point>, Counts)> {
        let below = (n > self.aim.n.0).then(|| n - 1);
        let sizes: Vec<u64> = below.into_iter().chain([n]).collect();
        let simulations = (self.aim.simulations / CHECK_SHARE).max(1);
        let look = LookJob { number: None, n: sizes, simulations };
        let (kernel, spec) = self.look(&look)?;
        let job = Job { kernel: &kernel, streams: self.streams(&look), spec: spec.as_ref() };
        let outcome = run(&job, on, control)?;
        let points = look.n.iter().map(|&n| Point { n, effect: self.effect });
        Ok((points.collect(), outcome.partial))
    }

    fn answer(
        &self,
        search: &Search,
        found: Found,
        checked: Option<(Vec<Point>, Counts)>,
    ) -> Result<Answer> {
        let Found { n, low, high, root, error, reached } = found;
        let level = self.options.level;
        let interval = Interval {
            low: low as f64,
            high: high as f64,
            level,
            method: "probit".into(),
            low_mcse: error,
            high_mcse: error,
        };
        let size = Quantity { interval: Some(interval), ..Quantity::new("n", n as f64, error) };
        let mut all = vec![size];
        let mut told = Vec::new();
        let mut spent = search.spent;
        let complete = checked.is_some();
        if let Some((points, counts)) = checked {
            let mut powers = quantities(&points, &counts, level);
            for (power, point) in powers.iter_mut().zip(&points) {
                power.name = format!("power at n = {}", point.n);
            }
            all.extend(powers.into_iter().rev());
            told = notes(&points, &counts, self.drawn);
            spent += counts.simulations;
        }
        if complete && !reached {
            told.push("the interval is wider than was asked for: raise `simulations`".to_owned());
        }
        let mut extra = Map::from_iter([
            ("target_power".to_owned(), self.aim.power.into()),
            ("n_real".to_owned(), root.into()),
        ]);
        extra.extend(self.test.told(&self.options.design));
        let draws = Draws { name: "simulations", count: spent };
        Ok(Answer {
            quantities: all,
            table: Some(looks(search, level)?),
            complete,
            extra,
            notes: told,
            ..Answer::new("sample_size", self.test.name(), draws, self.seed)
        })
    }
}

/// All looks as rows, by n.
fn looks(search: &Search, level: f64) -> Result<Table> {
    let column = |value: fn(&Look) -> f64| search.looks.iter().map(value).collect::<Vec<f64>>();
    let end = |end: fn((f64, f64)) -> f64| {
        let ends = |look: &Look| end(clopper_pearson(look.rejected, look.simulations, level));
        search.looks.iter().map(ends).collect::<Vec<f64>>()
    };
    let mcse = |look: &Look| (look.power() * (1.0 - look.power()) / look.simulations as f64).sqrt();
    Table::from_numbers([
        ("n", column(|look| look.n as f64)),
        ("simulations", column(|look| look.simulations as f64)),
        ("power", column(Look::power)),
        ("mcse", column(mcse)),
        ("low", end(|ends| ends.0)),
        ("high", end(|ends| ends.1)),
    ])
}

impl Problem for SampleSize {
    fn spec(&self) -> Option<&JobSpec> {
        self.spec.as_ref()
    }

    fn shards(&self) -> Shards {
        self.first.shards()
    }

    fn is_tabular(&self) -> bool {
        true
    }

    /// A shard of the look that the options name, or of the first: what comes after depends on
    /// what it yields.
    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        let streams = self.streams(&self.look);
        run_bytes(&Job { kernel: &self.first, streams, spec: self.spec.as_ref() }, shard)
    }

    fn is_search(&self) -> bool {
        true
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let whole = Whole { control, spent: Cell::new(0), most: self.aim.simulations };
        let watched = control.observer.map(|_| &whole as &dyn Observer);
        let control = Control { cancel: control.cancel.clone(), observer: watched };
        let (mut search, mut number) = (Search::default(), 0);
        let mut look = |n: u64, simulations: u64| {
            let this = LookJob { number: Some(number), n: vec![n], simulations };
            let (kernel, spec) = self.look(&this)?;
            let job = Job { kernel: &kernel, streams: self.streams(&this), spec: spec.as_ref() };
            let outcome = match run(&job, on, &control) {
                Err(error) if *error.kind() == ErrorKind::Interrupted => return Ok(None),
                outcome => outcome?,
            };
            number += 1;
            let Counts { simulations, points } = outcome.partial;
            whole.spent.set(whole.spent.get() + simulations);
            Ok(outcome.complete.then(|| Look { n, simulations, rejected: points[0].rejected }))
        };
        let found = search.run(&self.aim, &mut look)?;
        let Some((found, complete)) = found else { return Err(Error::new(ErrorKind::Interrupted)) };
        let checked = if complete { self.check(found.n, on, &control).map(Some) } else { Ok(None) };
        match checked {
            Err(error) if *error.kind() == ErrorKind::Interrupted => {
                self.answer(&search, found, None)
            }
            checked => self.answer(&search, found, checked?),
        }
    }
}

/// Shows the looks as one run.
struct Whole<'a> {
    control: &'a Control<'a>,
    /// Simulations of the looks before.
    spent: Cell<u64>,
    most: u64,
}

impl Observer for Whole<'_> {
    fn tick(&self, progress: &Progress) {
        let Some(observer) = self.control.observer else { return };
        let now = progress.moments.map_or(0, |moments| moments.count());
        let tasks = (self.spent.get() + now).min(self.most);
        observer.tick(&Progress { tasks, tasks_max: self.most, moments: None, ..progress.clone() });
    }
}
