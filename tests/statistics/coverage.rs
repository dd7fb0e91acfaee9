//! How often 95 % intervals hold the truth: bootstrap intervals of a mean, Monte Carlo intervals.

use windfall_core::{Cancel, Control, Job, Kernel, Moments, Problem, Result, Seed, Serial};
use windfall_core::{Shard, Shards, Streams, Table, Threads, run};
use windfall_stats::bootstrap::{Bootstrap, BootstrapOptions, Method};
use windfall_stats::integrate::{self, Integrate, IntegrateOptions};

/// Data sets of a study.
const STUDIES: u64 = 4000;

/// Whether the interval of each study holds the truth, as ones and zeros.
struct Study<F>(F);

impl<F: Fn(u64, &Streams) -> Result<bool> + Sync> Kernel for Study<F> {
    type Partial = Moments;

    fn shards(&self) -> Shards {
        Shards::new(STUDIES, 10)
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, _: &Cancel) -> Result<Moments> {
        let mut moments = Moments::default();
        for task in shard.tasks() {
            moments.push(f64::from((self.0)(task, streams)?));
        }
        Ok(moments)
    }
}

/// Checks that the share of studies whose interval holds the truth is the stated one.
fn assert_coverage(stated: f64, study: impl Fn(u64, &Streams) -> Result<bool> + Sync) {
    let (study, streams) = (Study(study), Streams::new(Seed::from(3u64), "coverage"));
    let outcome = run(&Job::new(&study, streams), &Threads::new(2), &Control::default());
    let share = outcome.expect("no study fails").partial.mean();
    let error = (stated * (1.0 - stated) / STUDIES as f64).sqrt();
    println!("coverage {share:.4}, stated {stated:.4} ± {error:.4}");
    assert!((share - stated).abs() < 5.0 * error, "covers {share}, stated {stated} ± {error}");
}

/// The studies of one method: the mean of `n` draws whose expectation is `truth`.
fn bootstrap_coverage(
    method: Method,
    n: usize,
    truth: f64,
    draw: fn(&mut windfall_core::Stream) -> f64,
    stated: f64,
) {
    assert_coverage(stated, |task, streams| {
        let mut stream = streams.task(task);
        let x = (0..n).map(|_| draw(&mut stream)).collect();
        let table = Table::from_numbers([("x", x)])?;
        let statistic = "mean(x)".into();
        let options = BootstrapOptions { statistic, method, resamples: 999, ..Default::default() };
        let seed = streams.seed().child(&task.to_string());
        let answer =
            Bootstrap::new(&table, options)?.with_seed(seed).solve(&Serial, &Control::default())?;
        let interval = answer.quantities[0].interval.as_ref().expect("there is one");
        Ok(interval.low <= truth && truth <= interval.high)
    });
}

macro_rules! coverage_of_the_mean {
    ($($name:ident: $method:ident, $normal:literal, $skewed:literal;)*) => {$(
        #[test]
        fn $name() {
            bootstrap_coverage(Method::$method, 30, 0.0, |s| s.normal(), $normal);
            bootstrap_coverage(Method::$method, 20, 1.0, |s| s.exponential(), $skewed);
        }
    )*};
}

// Stated: 30 normal draws, 20 exponential draws.
coverage_of_the_mean! {
    percentile_intervals_cover_as_stated: Percentile, 0.9316, 0.9023;
    basic_intervals_cover_as_stated: Basic, 0.9322, 0.8852;
    normal_intervals_cover_as_stated: Normal, 0.9340, 0.8981;
    bca_intervals_cover_as_stated: Bca, 0.9311, 0.9109;
    studentised_intervals_cover_as_stated: Studentised, 0.9461, 0.9440;
}

/// The Monte Carlo interval of an integral: 95 % of the seeds hold the exact value.
fn coverage_of(formula: &str, exact: f64, options: IntegrateOptions, stated: f64) {
    assert_coverage(stated, |task, streams| {
        let seed = streams.seed().child(&format!("integral {task}"));
        let options = IntegrateOptions { n: Some(4096), ..options.clone() };
        let bounds = [(0.0, 1.0), (0.0, 1.0)];
        let answer = Integrate::formula(formula, &bounds, options, seed)?
            .solve(&Serial, &Control::default())?;
        let interval = answer.quantities[0].interval.as_ref().expect("there is one");
        Ok(interval.low <= exact && exact <= interval.high)
    });
}

/// The same of a smooth integrand.
fn integral_coverage(options: IntegrateOptions, stated: f64) {
    let exact = (std::f64::consts::E - 1.0).powi(2);
    coverage_of("exp(x0 + x1)", exact, options, stated);
}

fn method(method: integrate::Method) -> IntegrateOptions {
    IntegrateOptions { method, ..Default::default() }
}

#[test]
fn plain_monte_carlo_intervals_cover_as_stated() {
    integral_coverage(method(integrate::Method::Plain), 0.95);
}

#[test]
fn stratified_monte_carlo_intervals_cover_as_stated() {
    integral_coverage(method(integrate::Method::Stratified), 0.95);
}

#[test]
fn sobol_intervals_cover_as_stated() {
    // Wider than need be where scrambles differ much in luck, see `integrate::sobol`.
    integral_coverage(method(integrate::Method::Sobol), 0.975);
}

#[test]
fn lattice_intervals_cover_as_stated() {
    integral_coverage(method(integrate::Method::Lattice), 0.95);
}

#[test]
fn vegas_intervals_cover_as_stated() {
    integral_coverage(method(integrate::Method::Vegas), 0.95);
    // A peak off the middle: its mass within the square to 16 digits.
    let peak = "exp(-100*((x0 - 0.4)^2 + (x1 - 0.6)^2))";
    let exact = 0.031_415_926_051_550_5;
    coverage_of(peak, exact, method(integrate::Method::Vegas), 0.95);
}

#[test]
fn antithetic_intervals_cover_as_stated() {
    let antithetic = |kind| IntegrateOptions { antithetic: true, ..method(kind) };
    integral_coverage(antithetic(integrate::Method::Plain), 0.95);
    integral_coverage(antithetic(integrate::Method::Stratified), 0.95);
}

#[test]
fn control_variate_intervals_cover_as_stated() {
    let control = |kind| IntegrateOptions { control: "x0 + x1 + x0*x1".into(), ..method(kind) };
    integral_coverage(control(integrate::Method::Plain), 0.95);
    integral_coverage(control(integrate::Method::Stratified), 0.95);
    integral_coverage(control(integrate::Method::Sobol), 0.95);
    integral_coverage(control(integrate::Method::Lattice), 0.95);
}
