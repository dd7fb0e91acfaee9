//! Do chains draw from the law they are given, and do they know their own errors?

use windfall_core::{Cancel, Control, Job, Kernel, Moments, Problem, Result, Seed, Serial};
use windfall_core::{Shard, Shards, Streams, Threads, run};
use windfall_stats::law::chi_square;
use windfall_stats::sample::model::{Gaussian, Model, Room};
use windfall_stats::sample::{Sample, SampleOptions, Sampler};

const DIMENSIONS: usize = 5;
const GROUPS: usize = 3;
/// Draws of a study, thinned until they are nearly independent: ranks from 0 to 99.
const DRAWS: u64 = 99;
const BINS: usize = 10;

/// A hierarchical normal law: `mu` and `log tau` standard normal, three standardised effects, one
/// observation `mu + tau·effect` of each with unit error.
struct Hierarchy {
    names: Vec<String>,
    y: [f64; GROUPS],
}

impl Hierarchy {
    fn new(y: [f64; GROUPS]) -> Self {
        Self { names: (0..DIMENSIONS).map(|i| format!("x{i}")).collect(), y }
    }
}

impl Model for Hierarchy {
    fn dimensions(&self) -> usize {
        DIMENSIONS
    }
    fn names(&self) -> &[String] {
        &self.names
    }
    fn log_density(&self, x: &[f64], gradient: &mut [f64], _: &mut Room) -> Result<f64> {
        let (mu, tau) = (x[0], windfall_lanes::scalar_math::exp(x[1]));
        let mut value = -0.5 * x.iter().map(|x| x * x).sum::<f64>();
        gradient.iter_mut().zip(x).for_each(|(slope, x)| *slope = -x);
        for (group, y) in self.y.iter().enumerate() {
            let effect = x[2 + group];
            let off = y - mu - tau * effect;
            value -= 0.5 * off * off;
            gradient[0] += off;
            gradient[1] += off * tau * effect;
            gradient[2 + group] += off * tau;
        }
        Ok(value)
    }
    fn value(&self, x: &[f64], room: &mut Room) -> Result<f64> {
        self.log_density(x, &mut [0.0; DIMENSIONS], room)
    }
    fn report(&self, x: &[f64], out: &mut [f64], _: &mut Room) -> Result<()> {
        out.copy_from_slice(x);
        Ok(())
    }
    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()> {
        x.copy_from_slice(parameters);
        Ok(())
    }
}

/// Studies that draw parameters from the prior, data from the parameters, and chains from the
/// posterior, and rank the parameters among the draws.
struct Calibration {
    options: SampleOptions,
    studies: u64,
}

impl Calibration {
    fn ranks(&self, task: u64, streams: &Streams) -> Result<[usize; DIMENSIONS]> {
        let mut stream = streams.task(task);
        let truth: [f64; DIMENSIONS] = std::array::from_fn(|_| stream.normal());
        let tau = windfall_lanes::scalar_math::exp(truth[1]);
        let y = std::array::from_fn(|group| truth[0] + tau * truth[2 + group] + stream.normal());
        let seed = streams.seed().child(&format!("study {task}"));
        let job = Sample::new(Box::new(Hierarchy::new(y)), self.options.clone(), seed)?;
        let answer = job.solve(&Serial, &Control::default())?;
        Ok(std::array::from_fn(|place| {
            let draws = &answer.distribution[place][..DRAWS as usize];
            draws.iter().filter(|draw| **draw < truth[place]).count()
        }))
    }
}

/// Counts of ranks by quantity and bin.
#[derive(Clone)]
struct Counts([[u64; BINS]; DIMENSIONS]);

impl windfall_core::Partial for Counts {
    fn empty() -> Self {
        Self([[0; BINS]; DIMENSIONS])
    }
    fn merge(mut self, later: Self) -> Self {
        let counts = self.0.as_flattened_mut().iter_mut();
        counts.zip(later.0.as_flattened()).for_each(|(count, more)| *count += more);
        self
    }
    fn encode(&self, _: &mut Vec<u8>) {}
    fn decode(_: &[u8]) -> Result<Self> {
        Ok(Self::empty())
    }
}

impl Kernel for Calibration {
    type Partial = Counts;

    fn shards(&self) -> Shards {
        Shards::new(self.studies, 10)
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, _: &Cancel) -> Result<Counts> {
        let mut counts = <Counts as windfall_core::Partial>::empty();
        for task in shard.tasks() {
            for (place, rank) in self.ranks(task, streams)?.into_iter().enumerate() {
                counts.0[place][rank * BINS / (DRAWS as usize + 1)] += 1;
            }
        }
        Ok(counts)
    }
}

/// Simulation-based calibration (Talts et al., arXiv:1804.06788): the ranks are uniform. Five
/// quantities are each held to the 1 - 1e-6 quantile of chi-square with 9 degrees of freedom, so
/// that a correct sampler fails with probability 5e-6, were the seed drawn anew.
fn assert_calibrated(sampler: Sampler, thin: u64, warmup: u64, studies: u64) {
    let options = SampleOptions {
        sampler,
        thin,
        warmup,
        draws: DRAWS,
        chains: 1,
        walkers: (sampler == Sampler::Ensemble).then_some(12),
        rungs: (sampler == Sampler::Tempering).then_some(3),
        distribution: true,
        ..SampleOptions::default()
    };
    let (study, streams) = (Calibration { options, studies }, Streams::new(Seed(5), "ranks"));
    let outcome = run(&Job::new(&study, streams), &Threads::new(2), &Control::default());
    let limit = chi_square::quantile(9.0, 1.0 - 1e-6);
    let expected = studies as f64 / BINS as f64;
    for (place, counts) in outcome.expect("no study fails").partial.0.iter().enumerate() {
        let terms = counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected);
        let statistic: f64 = terms.sum();
        println!("{}: x{place} chi-square {statistic:.1}, limit {limit:.1}", sampler.name());
        assert!(statistic < limit, "{}: ranks of x{place} are {counts:?}", sampler.name());
    }
}

#[test]
fn nuts_is_calibrated() {
    assert_calibrated(Sampler::Nuts, 4, 300, 800);
}

#[test]
fn metropolis_is_calibrated() {
    assert_calibrated(Sampler::Metropolis, 60, 2000, 400);
}

#[test]
fn ensembles_are_calibrated() {
    assert_calibrated(Sampler::Ensemble, 30, 500, 200);
}

#[test]
fn tempering_is_calibrated() {
    assert_calibrated(Sampler::Tempering, 50, 1500, 200);
}

/// Seeds whose means are compared with the truth.
const SEEDS: u64 = 200;

/// The squared errors of a correlated normal law's mean, in units of the stated error.
struct Errors(SampleOptions);

impl Kernel for Errors {
    type Partial = Moments;

    fn shards(&self) -> Shards {
        Shards::new(SEEDS, 10)
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, _: &Cancel) -> Result<Moments> {
        let mut moments = Moments::default();
        for task in shard.tasks() {
            let law = Gaussian::correlated(&[2.0, 0.0], &[vec![1.0, 0.8], vec![0.8, 1.0]])?;
            let seed = streams.seed().child(&format!("errors {task}"));
            let job = Sample::new(Box::new(law), self.0.clone(), seed)?;
            let answer = job.solve(&Serial, &Control::default())?;
            let found = &answer.quantities[0];
            moments.push(((found.estimate - 2.0) / found.mcse).powi(2));
        }
        Ok(moments)
    }
}

/// The mean of 200 squared errors in units of the stated one is 1; a band of five standard errors
/// raises a false alarm once in 1.7 million.
fn assert_honest(sampler: Sampler, draws: u64, thin: u64) {
    let options = SampleOptions {
        sampler,
        draws,
        thin,
        walkers: (sampler == Sampler::Ensemble).then_some(8),
        rungs: (sampler == Sampler::Tempering).then_some(3),
        ..SampleOptions::default()
    };
    let (study, streams) = (Errors(options), Streams::new(Seed(9), "honest"));
    let outcome = run(&Job::new(&study, streams), &Threads::new(2), &Control::default());
    let squares = outcome.expect("no seed fails").partial;
    println!("{}: {:.3} ± {:.3}", sampler.name(), squares.mean(), squares.mcse());
    let away = (squares.mean() - 1.0).abs();
    assert!(
        away < 5.0 * squares.mcse(),
        "{}: {} ± {}",
        sampler.name(),
        squares.mean(),
        squares.mcse()
    );
}

#[test]
fn stated_errors_of_nuts_are_honest() {
    assert_honest(Sampler::Nuts, 300, 1);
}

#[test]
fn stated_errors_of_metropolis_are_honest() {
    assert_honest(Sampler::Metropolis, 1000, 2);
}

#[test]
fn stated_errors_of_ensembles_are_honest() {
    assert_honest(Sampler::Ensemble, 300, 1);
}

#[test]
fn stated_errors_of_tempering_are_honest() {
    assert_honest(Sampler::Tempering, 500, 2);
}
