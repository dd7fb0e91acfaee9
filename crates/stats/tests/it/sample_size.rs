//! Sample sizes from outside: the published ones, within the stated interval.

use crate::shared::{build, solve};
use windfall_core::{Control, ErrorKind, JobSpec, Problem, Serial, Stream, read_options, verify};
use windfall_stats::hypothesis::{Alternative, mann_whitney, t};
use windfall_stats::power::Point;
use windfall_stats::sample_size::{SampleSize, SampleSizeOptions};
use windfall_stats::statistic::Columns;

fn solved(text: &str) -> windfall_core::Answer {
    solve(&format!("problem = 'sample_size'\nseed = 17\n{text}")).unwrap()
}

/// R 4.2.2, `power.t.test`, `pwr.anova.test`: the real n by the noncentral laws, rounded up as in
/// J. Cohen (1988), table 2.4.1: 64, 394 and 26 for d = .5, .2, .8.
#[test]
fn published_sizes_are_found() {
    for (text, n, real) in [
        ("test = 't-test'\neffect = 0.5", 64.0, 63.76561),
        ("test = 't-test'\neffect = 0.2", 394.0, 393.40570),
        ("test = 't-test'\neffect = 0.8", 26.0, 25.52458),
        ("test = 't-test'\neffect = 1.0", 17.0, 16.71472),
        ("test = 't-test'\neffect = 0.3\npower = 0.9", 235.0, 234.46274),
        ("test = 't-test'\neffect = 0.5\npower = 0.95", 105.0, 104.92794),
        ("test = 't-test'\neffect = 0.5\nalpha = 0.01", 96.0, 95.10364),
        ("test = 'paired-t'\neffect = 0.2", 199.0, 198.15082),
        ("test = 'paired-t'\neffect = 0.5", 34.0, 33.36713),
        ("test = 'paired-t'\neffect = 0.8", 15.0, 14.30276),
        ("test = 'anova'\neffect = 0.25\narms = 3", 53.0, 52.39660),
        ("test = 'anova'\neffect = 0.4\narms = 5", 16.0, 15.89713),
    ] {
        let answer = solved(text);
        let size = &answer.quantities[0];
        let interval = size.interval.as_ref().unwrap();
        assert!(interval.low <= n && n <= interval.high, "{text}: {size:?}");
        assert_eq!(size.estimate, n, "{text}: {size:?}");
        // Where single sizes were told apart without a line there is no real root to compare.
        if size.mcse > 0.0 {
            let root = answer.extra["n_real"].as_f64().unwrap();
            assert!((root - real).abs() < 5.0 * size.mcse, "{text}: {root} ± {}", size.mcse);
        }
        let power = &answer.quantities[1];
        assert!(power.name == format!("power at n = {n}") && power.estimate > 0.79, "{power:?}");
        assert!(answer.complete && answer.draws.count <= 11_100_000, "{:?}", answer.draws);
    }
}

/// Full data and short cut search on different draws and must find the same.
#[test]
fn full_data_find_the_same() {
    let answer = solved("test = 't-test'\neffect = 0.8\nfull_data = true");
    let interval = answer.quantities[0].interval.as_ref().unwrap();
    assert!(interval.low <= 26.0 && 26.0 <= interval.high, "{interval:?}");
}

/// Bivariate normal pairs, exact: 84 (the power at 84 is .80034, at 83 .7955).
#[test]
fn tests_without_a_short_cut_are_searched_too() {
    let answer = solved("test = 'correlation'\neffect = 0.3\nsimulations = 50000\ntolerance = 2");
    let interval = answer.quantities[0].interval.as_ref().unwrap();
    assert!(interval.low <= 84.0 && 84.0 <= interval.high, "{interval:?}");
    assert!(0.5 * (interval.high - interval.low) <= 2.0 && answer.draws.count < 60_000);
    let table = answer.table.unwrap();
    assert_eq!(
        table.names().collect::<Vec<_>>(),
        ["n", "simulations", "power", "mcse", "low", "high"]
    );
    // More rows than the test alone needs.
    let answer = solved("test = 'linear'\neffect = 3\ncovariates = 6\nsimulations = 4000");
    assert!(answer.quantities[0].estimate >= 9.0);
}

#[test]
fn every_mapping_takes_the_same_way() {
    for text in ["test = 't-test'\neffect = 0.7", "test = 'fisher'\nproportions = [0.8, 0.4]"] {
        let job = format!("problem = 'sample_size'\nseed = 2\nsimulations = 60000\n{text}");
        let rows = verify(build(&job).unwrap().as_ref(), &Control::default()).unwrap();
        assert!(rows.iter().all(|row| row.same), "{rows:?}");
    }
}

#[test]
fn a_search_starts_where_it_is_told() {
    let found = |more: &str| {
        let job = "problem = 'sample_size'\ntest = 't-test'\neffect = 0.8\nseed = 3\n";
        solve(&format!("{job}{more}")).unwrap()
    };
    let answer = found("n_min = 20");
    assert_eq!(answer.quantities[0].estimate, 26.0);
    assert_eq!(
        answer.table.unwrap().numbers("n").unwrap().iter().copied().fold(99.0, f64::min),
        20.0
    );
    // Below it nothing is looked at, were it enough.
    assert_eq!(found("n_min = 40").quantities[0].estimate, 40.0);
}

#[test]
fn a_closure_is_searched() {
    let test = |point: Point, stream: &mut Stream| {
        let mut x = vec![0.0; point.n as usize];
        stream.fill_normal(&mut x);
        t::one_sample(&x, 0.8, Alternative::TwoSided).p_value
    };
    let options = SampleSizeOptions { simulations: Some(100_000), ..Default::default() };
    let answer = SampleSize::with_test(test, options, 5u64.into()).unwrap();
    let answer = answer.solve(&Serial, &Control::default()).unwrap();
    assert_eq!(answer.quantities[0].estimate, 15.0);
}

#[test]
fn a_function_of_samples_is_searched_as_the_catalogue_is() {
    let design = "effect = 1.1\nlaw = 'exponential(1)'\nsimulations = 20000\nseed = 5";
    let known =
        solve(&format!("problem = 'sample_size'\ntest = 'mann-whitney'\n{design}")).unwrap();
    let job = JobSpec::from_toml(&format!("problem = 'sample_size'\n{design}")).unwrap();
    let test = Columns(|samples: &[&[f64]]| {
        mann_whitney::rank_sum(samples[0], samples[1], Alternative::TwoSided).p_value
    });
    let options = read_options(&job.options).unwrap();
    let own = SampleSize::with_test_of_samples(test, options, 5u64.into()).unwrap();
    let own = own.solve(&Serial, &Control::default()).unwrap();
    // The search for one's own test starts at 2; the check of the answer has the same draws.
    assert_eq!(own.quantities[0].estimate, known.quantities[0].estimate);
    assert_eq!(own.quantities[1..], known.quantities[1..]);
    assert_eq!(own.method, "own test");
}

#[test]
fn an_interruption_before_anything_is_known_is_told() {
    let control = Control::default();
    control.cancel.stop();
    let job = build("problem = 'sample_size'\ntest = 't-test'\neffect = 0.5\nseed = 1").unwrap();
    let error = job.solve(&Serial, &control).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Interrupted);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (text, part) in [
        ("test = 't-test'", "`effect` is `missing`"),
        ("test = 't-test'\neffect = [0.2, 0.5]", "one number"),
        ("test = 't-test'\neffect = 0.5\npower = 1", "`power` is `1`"),
        ("test = 't-test'\neffect = 0.5\npower = 0.04", "above alpha"),
        ("test = 't-test'\neffect = 0.5\ntolerance = -1", "`tolerance` is `-1`"),
        ("test = 't-test'\neffect = 0.5\nn_max = 1", "`n_max` is `1`"),
        ("test = 't-test'\neffect = 0.5\nn_min = 1", "`n_min` is `1`"),
        ("test = 't-test'\neffect = 0.5\nn_min = 9\nn_max = 8", "`n_min` is `9`"),
        ("test = 't-test'\neffect = 0.5\nn = 3", "unknown key `n`"),
        ("test = 't-test'\neffect = 0\nn_max = 1000", "is there an effect at all?"),
    ] {
        let error = solve(&format!("problem = 'sample_size'\n{text}")).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}
