//! Mixtures: coverage of the observed information's errors; ranks of the truth among Gibbs draws.

use windfall_core::{
    Control, Problem, Result, Seed, Serial, Stream, Streams, Table, Tasks, Threads, collect,
};
use windfall_stats::mixture::{
    Components, Covariance, Given, GivenStarts, Method, Mixture, MixtureOptions, PriorOptions,
    Scale,
};

/// What each task returns, in task order.
fn studies<T: Send + 'static>(n: u64, study: impl Fn(u64, &mut Stream) -> T + Sync) -> Vec<T> {
    let streams = Streams::new(Seed::from(12u64), "mixture studies");
    let tasks = Tasks { shards: Tasks::<()>::cut(n), streams, task: &study };
    collect(&tasks, &Threads::new(2), &Control::default()).expect("no study fails").partial
}

fn solve(x: Vec<f64>, options: MixtureOptions, seed: u64) -> Result<windfall_core::Answer> {
    let table = Table::from_numbers([("x", x)])?;
    Mixture::new(&table, options, Seed::from(seed))?.solve(&Serial, &Control::default())
}

#[test]
fn the_errors_of_the_observed_information_cover_as_stated() {
    const STUDIES: u64 = 2000;
    // 0.4 N(0, 1) + 0.6 N(4, 1.5^2), 600 rows: overlapping a little.
    let truth = [0.4, 0.6, 0.0, 4.0, 1.0, 2.25];
    let covers = studies(STUDIES, |task, stream| {
        let row = |stream: &mut Stream| match stream.uniform() < 0.4 {
            true => stream.normal(),
            false => 4.0 + 1.5 * stream.normal(),
        };
        let x = (0..600).map(|_| row(stream)).collect();
        let means = serde_json::json!([0.0, 4.0]);
        let given = Given { weights: None, means, covariances: None };
        let start = Some(GivenStarts::One(given));
        let options = MixtureOptions { start, ..Default::default() };
        let answer = solve(x, options, task).expect("it can be fitted");
        let quantities = answer.quantities.iter().zip(truth);
        let z = quantities.map(|(one, truth)| {
            ((one.estimate - truth) / one.standard_error.expect("it converges")).abs()
        });
        z.map(|z| z < 1.959_964).collect::<Vec<bool>>()
    });
    for (place, name) in ["w0", "w1", "m0", "m1", "v0", "v1"].iter().enumerate() {
        let share = covers.iter().filter(|covers| covers[place]).count() as f64 / STUDIES as f64;
        let error = (0.95 * 0.05 / STUDIES as f64).sqrt();
        println!("{name}: covers {share:.4}, asymptotically 0.95 ± {error:.4}");
        // Wald intervals of variances cover a little less with so many rows: one per cent is
        // granted beyond five binomial errors.
        assert!((share - 0.95).abs() < 5.0 * error + 0.01, "{name} covers {share}");
    }
}

#[test]
fn the_truth_has_a_uniform_rank_among_gibbs_draws() {
    // Simulation-based calibration (Talts et al. 2018): parameters from the prior, rows from
    // them, draws from the posterior; every 25th of 475 draws, so that ranks are near independent.
    const STUDIES: u64 = 2000;
    const KEPT: usize = 19;
    const EVERY: usize = 25;
    let prior = PriorOptions {
        concentration: 2.0,
        shrinkage: 0.3,
        degrees: Some(6.0),
        centre: Some(vec![1.0]),
        scale: Some(Scale::Matrix(vec![vec![8.0]])),
    };
    let ranks = studies(STUDIES, |task, stream| {
        let mut gamma = |shape: f64| stream.gamma(shape, 1.0).expect("a positive shape");
        let (a, b) = (gamma(2.0), gamma(2.0));
        let variances = [4.0 / gamma(3.0), 4.0 / gamma(3.0)];
        let mut means = variances.map(|variance| 1.0 + (variance / 0.3).sqrt() * stream.normal());
        let mut weights = [a / (a + b), b / (a + b)];
        let mut variances = variances;
        if means[1] < means[0] {
            for pair in [&mut means, &mut weights, &mut variances] {
                pair.reverse();
            }
        }
        let row = |stream: &mut Stream| {
            let component = usize::from(stream.uniform() >= weights[0]);
            means[component] + variances[component].sqrt() * stream.normal()
        };
        let x: Vec<f64> = (0..25).map(|_| row(stream)).collect();
        let options = MixtureOptions {
            components: Some(Components::One(2)),
            covariance: Covariance::Full,
            method: Method::Gibbs,
            chains: Some(1),
            warmup: 150,
            draws: (KEPT * EVERY) as u64,
            prior: prior.clone(),
            distribution: true,
            ..Default::default()
        };
        let answer = solve(x, options, task).expect("it can be drawn from");
        let truth = [weights[0], means[0], means[1], variances[0], variances[1]];
        let places = [0, 2, 3, 4, 5];
        let ranks = truth.iter().zip(places).map(|(truth, place)| {
            let draws = answer.distribution[place].iter().step_by(EVERY);
            draws.filter(|draw| *draw < truth).count()
        });
        ranks.collect::<Vec<usize>>()
    });
    for (place, name) in ["w0", "m0", "m1", "v0", "v1"].iter().enumerate() {
        let mut counts = [0.0; KEPT + 1];
        ranks.iter().for_each(|ranks| counts[ranks[place]] += 1.0);
        let expected = STUDIES as f64 / (KEPT + 1) as f64;
        let chi_square: f64 =
            counts.iter().map(|count| (count - expected) * (count - expected) / expected).sum();
        println!("{name}: chi-square {chi_square:.1} on {KEPT} degrees of freedom");
        // Exceeded with probability 10^-6.
        assert!(chi_square < 63.7, "{name}: {counts:?}");
    }
}
