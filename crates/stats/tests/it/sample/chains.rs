//! Chains are tasks: what they draw depends on nothing but seed and number.

use super::posteriors::{Law, options};
use windfall_core::{Cancel, Control, ErrorKind, Observer, Problem, Progress, Serial, Threads};
use windfall_stats::sample::model::Gaussian;
use windfall_stats::sample::{Init, Sample, SampleOptions, Sampler};

fn gaussian(options: SampleOptions, seed: u64) -> Sample<'static> {
    let law = Gaussian::independent(&[0.0, 1.0, 2.0], &[1.0, 0.1, 10.0]).unwrap();
    Sample::new(Box::new(law), options, seed.into()).unwrap()
}

#[test]
fn a_chain_does_not_depend_on_how_many_others_run() {
    for sampler in [Sampler::Nuts, Sampler::Metropolis, Sampler::Ensemble, Sampler::Tempering] {
        let of = |chains| SampleOptions {
            chains,
            warmup: 100,
            distribution: true,
            ..options(sampler, 50)
        };
        let few = gaussian(of(2), 5).solve(&Serial, &Control::default()).unwrap();
        let many = gaussian(of(5), 5).solve(&Threads::new(3), &Control::default()).unwrap();
        for (few, many) in few.distribution.iter().zip(&many.distribution) {
            assert_eq!(few[..], many[..few.len()]);
            assert_ne!(few[..50], few[50..100], "chains differ");
        }
    }
}

#[test]
fn draws_come_with_their_chain_and_number() {
    let kept = SampleOptions { chains: 2, distribution: true, ..options(Sampler::Ensemble, 10) };
    let answer = gaussian(kept, 1).solve(&Serial, &Control::default()).unwrap();
    let rows = answer.rows().unwrap();
    let names: Vec<&str> = rows.names().collect();
    assert_eq!(names[..5], ["chain", "walker", "draw", "log_density", "accepted"]);
    assert_eq!(rows.rows(), 2 * 32 * 10);
    assert_eq!(
        (rows.numbers("chain").unwrap()[320], rows.numbers("walker").unwrap()[319]),
        (1., 31.)
    );
    assert_eq!(
        rows.numbers("draw").unwrap()[..12],
        [0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 0., 1.]
    );
    // x[0], x[1], x[2] with means 0, 1, 2 and standard deviations 1, 0.1, 10.
    let x: Vec<&[f64]> = ["x[0]", "x[1]", "x[2]"].map(|name| rows.numbers(name).unwrap()).to_vec();
    let density = rows.numbers("log_density").unwrap();
    let expected = -0.5
        * (x[0][7].powi(2) + ((x[1][7] - 1.0) / 0.1).powi(2) + ((x[2][7] - 2.0) / 10.0).powi(2));
    assert!((density[7] - expected).abs() < 1e-9);
}

/// Stops a run after this many looks.
struct Stopper {
    cancel: Cancel,
    looks: std::cell::Cell<u32>,
    seen: std::cell::RefCell<Vec<Progress>>,
}

impl Observer for Stopper {
    fn tick(&self, progress: &Progress) {
        self.seen.borrow_mut().push(progress.clone());
        self.looks.set(self.looks.get() + 1);
        if self.looks.get() == 3 {
            self.cancel.stop();
        }
    }
}

#[test]
fn a_stopped_run_keeps_the_draws_so_far_and_shows_each_chain() {
    let slow = Law::new(1, |x, gradient| {
        std::thread::sleep(std::time::Duration::from_micros(20));
        gradient[0] = -x[0];
        -0.5 * x[0] * x[0]
    });
    let long =
        SampleOptions { draws: 10_000_000, warmup: 10, thin: 1, ..options(Sampler::Metropolis, 4) };
    let job = Sample::new(slow, long, 1u64.into()).unwrap();
    let stopper = Stopper { cancel: Cancel::default(), looks: 0.into(), seen: Vec::new().into() };
    let control = Control { cancel: stopper.cancel.clone(), observer: Some(&stopper) };
    let answer = job.solve(&Threads::new(2), &control).unwrap();
    assert!(!answer.complete);
    assert_eq!(answer.extra["chains"], 2);
    assert!(answer.extra["draws_per_chain"].as_u64().unwrap() > 100);
    assert!(answer.notes[0].starts_with("interrupted: 2 chains"), "{:?}", answer.notes);
    let seen = stopper.seen.borrow();
    let last = &seen[seen.len() - 1];
    assert_eq!(last.under_way.iter().map(|chain| chain.task).collect::<Vec<_>>(), [0, 1]);
    assert!(last.under_way[0].steps > 0 && last.under_way[0].text == "draws");
    assert!(last.share() > 0.0 && last.share() < 0.01);
}

#[test]
fn a_run_stopped_in_warm_up_has_nothing_to_say() {
    let control = Control::default();
    let cancel = control.cancel.clone();
    let stops = Law::new(1, move |x, gradient| {
        cancel.stop();
        gradient[0] = -x[0];
        -0.5 * x[0] * x[0]
    });
    let job = Sample::new(stops, SampleOptions::default(), 1u64.into()).unwrap();
    let error = job.solve(&Threads::new(2), &control).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Interrupted);
}

#[test]
fn each_chain_may_start_at_a_point_of_its_own() {
    let points = [vec![0.0, 1.0, 2.0], vec![3.0, 0.5, -40.0]];
    for sampler in [Sampler::Nuts, Sampler::Metropolis, Sampler::Ensemble, Sampler::Tempering] {
        let of = |init| {
            let few =
                SampleOptions { chains: 2, warmup: 0, distribution: true, ..options(sampler, 5) };
            let sample = gaussian(SampleOptions { init: Some(init), ..few }, 3);
            sample.solve(&Threads::new(2), &Control::default()).unwrap().distribution
        };
        let both = of(Init::Each(points.to_vec()));
        for (chain, point) in points.iter().enumerate() {
            let alone = of(Init::One(point.clone()));
            for (both, alone) in both.iter().zip(&alone) {
                let own = chain * both.len() / 2..(chain + 1) * both.len() / 2;
                assert_eq!(both[own.clone()], alone[own], "{sampler:?}");
            }
            assert_ne!(both, alone, "{sampler:?}");
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_runs() {
    let refused = |options: SampleOptions| {
        let law = Gaussian::independent(&[0.0; 3], &[1.0; 3]).unwrap();
        Sample::new(Box::new(law), options, 1u64.into()).err().unwrap().to_string()
    };
    let with = SampleOptions::default;
    for (options, part) in [
        (SampleOptions { chains: 0, ..with() }, "`chains` is `0`"),
        (SampleOptions { draws: 3, ..with() }, "`draws` is `3`"),
        (SampleOptions { thin: 0, ..with() }, "`thin` is `0`"),
        (SampleOptions { level: 1.0, ..with() }, "`level` is `1`"),
        (SampleOptions { draws: 1 << 39, ..with() }, "GiB of memory"),
        (SampleOptions { target_acceptance: Some(1.5), ..with() }, "`target_acceptance` is `1.5`"),
        (SampleOptions { depth_max: Some(0), ..with() }, "`depth_max` is `0`"),
        (SampleOptions { walkers: Some(8), ..with() }, "belongs to the sampler `ensemble`"),
        (SampleOptions { rungs: Some(8), ..with() }, "belongs to the sampler `tempering`"),
        (
            SampleOptions { init: Some(Init::One(vec![0.0])), ..with() },
            "3 numbers, one for each of x[0], x[1]",
        ),
        (
            SampleOptions { init: Some(Init::One(vec![0.0, f64::NAN, 1.0])), ..with() },
            "`x[1]` is `NaN`",
        ),
        (
            SampleOptions { init: Some(Init::Each(vec![vec![0.0; 3]; 2])), ..with() },
            "`init` is `2 points`; it must be one point, or 4, one a chain",
        ),
        (
            SampleOptions { sampler: Sampler::Ensemble, walkers: Some(4), ..with() },
            "`walkers` is `4`; it must be from 6",
        ),
        (
            SampleOptions { sampler: Sampler::Ensemble, walkers: Some(7), ..with() },
            "an even number",
        ),
        (
            SampleOptions { sampler: Sampler::Tempering, hottest: Some(1.0), ..with() },
            "`hottest` is `1`",
        ),
    ] {
        let message = refused(options);
        assert!(message.contains(part), "{part} is not in {message}");
    }
}

#[test]
fn a_model_without_support_names_the_chain() {
    let nowhere = Law::new(1, |_, _| f64::NAN);
    let job = Sample::new(nowhere, SampleOptions::default(), 1u64.into()).unwrap();
    let error = job.solve(&Serial, &Control::default()).unwrap_err().to_string();
    assert!(error.starts_with("task 0 failed (seed 1, serial): no starting point"), "{error}");
}
