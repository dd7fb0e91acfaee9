//! Pi from outside: the answer, its error, the counts at the edges, and what is refused.

use crate::shared::{build, solve};
use windfall_core::{Cancel, Control, Observer, Problem, Progress, Serial, verify};
use windfall_stats::pi::{Pi, PiOptions};

/// Five standard errors: one seed in 1.7 million would fail.
#[test]
fn the_estimate_is_pi_within_its_error() {
    let answer = solve("problem = 'pi'\nn = 1e7\nseed = 1").unwrap();
    let pi = &answer.quantities[0];
    assert!((pi.estimate - std::f64::consts::PI).abs() < 5.0 * pi.mcse);
    // The exact standard error is 4 sqrt(p (1 - p) / n), p = pi / 4.
    assert!((pi.mcse / 5.193e-4 - 1.0).abs() < 0.01, "{}", pi.mcse);
    let interval = pi.interval.as_ref().unwrap();
    assert!((interval.high - interval.low - 2.0 * 1.959_964 * pi.mcse).abs() < 1e-9);
    assert_eq!((answer.draws.count, answer.complete), (10_000_000, true));
}

#[test]
fn every_mapping_gives_the_same_bytes() {
    let problem = build("problem = 'pi'\nn = 5000003\nseed = 3").unwrap();
    let rows = verify(problem.as_ref(), &Control::default()).unwrap();
    assert!(rows.iter().all(|row| row.same), "{rows:?}");
}

/// The points of a smaller n are the first ones of a larger.
#[test]
fn any_number_of_points_is_counted_to_the_last() {
    let hits = |n: u64| {
        let pi = Pi::new(PiOptions { n }, 5u64.into()).unwrap();
        let answer = pi.solve(&Serial, &Control::default()).unwrap();
        assert_eq!(answer.draws.count, n);
        (answer.quantities[0].estimate * n as f64 / 4.0).round() as u64
    };
    let mut before = 0;
    for n in 1..40 {
        let now = hits(n);
        assert!(now == before || now == before + 1, "{now} of {n} after {before}");
        before = now;
    }
    assert!(hits(65_536) <= hits(65_537));
}

#[test]
fn one_point_has_no_error_to_tell() {
    let answer = solve("problem = 'pi'\nn = 1\nseed = 1").unwrap();
    assert!(answer.quantities[0].mcse.is_nan());
    assert!(answer.notes[0].contains("error cannot be told"), "{:?}", answer.notes);
}

#[test]
fn an_interrupted_run_keeps_its_points() {
    struct Stop(Cancel);
    impl Observer for Stop {
        fn tick(&self, progress: &Progress) {
            let moments = progress.moments.unwrap();
            assert!((moments.mean() - std::f64::consts::PI).abs() < 6.0 * moments.mcse());
            self.0.stop();
        }
    }
    let problem = build("problem = 'pi'\nn = 1e12\nseed = 1").unwrap();
    let cancel = Cancel::default();
    let stop = Stop(cancel.clone());
    let control = Control { cancel, observer: Some(&stop) };
    let answer = problem.solve(&Serial, &control).unwrap();
    assert!(!answer.complete && answer.draws.count < 1_000_000_000_000);
    let pi = &answer.quantities[0];
    assert!((pi.estimate - std::f64::consts::PI).abs() < 5.0 * pi.mcse);
}

#[test]
fn bad_numbers_of_points_are_refused() {
    for (text, part) in [
        ("n = 0", "too few points"),
        ("n = 2e15", "at most 10^15"),
        ("n = -1", "`n` is `-1`"),
        ("n = 1.5", "`n` is `1.5`"),
        ("n = 'many'", "`n` is `\"many\"`"),
        ("m = 3", "unknown key `m`"),
    ] {
        let message = solve(&format!("problem = 'pi'\n{text}")).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}
