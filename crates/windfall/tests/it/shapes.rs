//! The shapes that people and scripts rely on.

use crate::{Scratch, number};
use serde_json::Value;

/// The keys of every answer in JSON, in their order.
const COMMON: [&str; 7] =
    ["problem", "method", "quantity", "estimate", "mcse", "standard_error", "bias"];

#[test]
fn pi_tells_its_error_and_what_it_cost() {
    let scratch = Scratch::new();
    let object = scratch.json(&["pi", "-n", "1e7", "--seed", "42", "--workers", "2"]);
    let keys: Vec<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(keys[..7], COMMON);
    assert_eq!(keys[7..], ["interval", "n", "seed", "complete", "notes", "run"]);
    // A fixed seed; five standard errors would be missed by one seed in 1.7 million.
    let error = number(&object, "estimate") - std::f64::consts::PI;
    assert!(error.abs() < 5.0 * number(&object, "mcse"));
    assert_eq!((&object["n"], &object["seed"]), (&10_000_000.into(), &"42".into()));
    let run = object["run"].as_object().unwrap();
    assert!(number(run, "seconds") > 0.0 && number(run, "draws_per_second") > 0.0);
    assert_eq!((&run["workers"], &run["workers_source"]), (&2.into(), &"--workers: 2".into()));
    for key in ["isa", "host", "version", "executor"] {
        assert!(run[key].is_string(), "{key}");
    }
}

#[test]
fn integrate_takes_finite_and_infinite_bounds() {
    let scratch = Scratch::new();
    let square = ["integrate", "exp(-(x0^2+x1^2))", "--bounds=-1:1,-1:1", "-n", "1e5"];
    let object = scratch.json(&[&square[..], &["--method", "sobol", "--seed", "1"]].concat());
    // (sqrt(pi) erf(1))^2
    let expected = 2.230985141404134;
    assert!((number(&object, "estimate") - expected).abs() < 6.0 * number(&object, "mcse"));
    let open = ["integrate", "exp(-x0^2)", "--bounds", "-inf:inf", "-n", "1e5", "--seed", "1"];
    let object = scratch.json(&open);
    let error = number(&object, "estimate") - std::f64::consts::PI.sqrt();
    assert!(error.abs() < 5.0 * number(&object, "mcse"));
}

#[test]
fn the_bootstrap_of_the_law_schools_is_the_published_one() {
    let scratch = Scratch::with_law_school();
    let bootstrap = ["bootstrap", "law_school.csv", "--statistic", "correlation(lsat, gpa)"];
    let options = ["--method", "bca", "--resamples", "100000", "--seed", "7"];
    let object = scratch.json(&[&bootstrap[..], &options].concat());
    assert!((number(&object, "estimate") - 0.776374491289407).abs() < 1e-12);
    // The standard error over all 77,558,760 resamples there are is 0.133559762; five errors.
    assert!((number(&object, "standard_error") - 0.133559762).abs() < 5.0 * 0.0004);
    let interval = object["interval"].as_object().unwrap();
    // The ends of the ideal BCa interval, within five Monte Carlo errors.
    for (end, error, ideal) in [("low", "low_mcse", 0.33264), ("high", "high_mcse", 0.94171)] {
        let gap = number(interval, end) - ideal;
        assert!(gap.abs() < 5.0 * number(interval, error), "{end}: {gap}");
    }
    assert_eq!((&interval["level"], &interval["method"]), (&0.95.into(), &"bca".into()));
    assert_eq!(object["data"]["rows"], 15);
    assert_eq!(object["resamples"], 100_000);
}

#[test]
fn several_statistics_come_as_lists_in_their_order() {
    let scratch = Scratch::with_law_school();
    let statistics = ["--statistic", "mean(gpa)", "--statistic", "median(lsat)"];
    let bootstrap = [&["bootstrap", "law_school.csv", "--seed", "1"][..], &statistics].concat();
    let object = scratch.json(&bootstrap);
    assert_eq!(object["quantity"], Value::from(vec!["mean(gpa)", "median(lsat)"]));
    assert_eq!(object["estimate"].as_array().unwrap().len(), 2);
    let table = scratch.run(&bootstrap).stdout;
    for part in ["mean(gpa) ", "median(lsat) ", "standard error", "95 % bca interval", "9,999"] {
        assert!(table.contains(part), "{part} is missing in\n{table}");
    }
}

#[test]
fn the_table_is_plain_text_with_the_cost() {
    let scratch = Scratch::with_law_school();
    let statistic = ["--statistic", "correlation(lsat, gpa)", "--seed", "9", "--speedup"];
    let done = scratch.run(&[&["bootstrap", "law_school.csv"][..], &statistic].concat());
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert!(!done.stdout.contains('\x1b'), "{}", done.stdout);
    let parts = ["estimate  ", "0.776374", " ± ", "15 rows, hash ", "resamples/s", "speed-up  "];
    for part in parts {
        assert!(done.stdout.contains(part), "{part} is missing in\n{}", done.stdout);
    }
}

#[test]
fn fits_come_as_a_table_and_go_to_a_file() {
    let scratch = Scratch::new();
    scratch.put("d.csv", "g,x,y\na,1,2\nb,1,5\na,2,4\nb,2,3\na,3,6.5\nb,3,1.5\nc,1,1\n");
    let fit = ["fit", "d.csv", "y ~ x", "--by", "g", "--out", "fits.csv"];
    let object = scratch.json(&fit);
    let table = object["table"].as_object().unwrap();
    assert_eq!(table["g"], Value::from(vec!["a", "a", "b", "b", "c", "c"]));
    assert_eq!(table["term"][1], "x");
    assert!((table["estimate"][1].as_f64().unwrap() - 2.25).abs() < 1e-14);
    assert_eq!(
        (&table["status"][4], &table["estimate"][4]),
        (&"too few rows".into(), &Value::Null)
    );
    assert_eq!((&object["groups"], &object["failed"]), (&3.into(), &1.into()));
    let written = windfall::files::read(&scratch.path().join("fits.csv")).unwrap();
    assert_eq!(written.rows(), 6);
    assert!(written.names().eq(table.keys()));
    let shown = scratch.run(&["fit", "d.csv", "y ~ x", "-b", "g"]).stdout;
    for part in ["term", "standard error", "note: 1 of 3 groups has no fit: too few rows (1)"] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
}

#[test]
fn the_examples_run() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let scratch = Scratch::new();
    for name in ["law_school.toml", "gaussian.toml", "health.toml"] {
        let object = scratch.json(&["run", &format!("{examples}/{name}")]);
        let finite = match &object["mcse"] {
            Value::Array(list) => list.len() == 5 && list.iter().all(Value::is_number),
            one => one.is_number(),
        };
        assert!(finite, "{name}");
    }
}

#[test]
fn verify_finds_the_same_bytes_and_replay_runs_one_task() {
    let scratch = Scratch::with_law_school();
    let job = "problem = 'bootstrap'\ndata = 'law_school.csv'\nstatistic = 'mean(gpa)'\nseed = 3";
    scratch.put("job.toml", job);
    let done = scratch.run(&["verify", "job.toml", "--json"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let object = done.object();
    assert_eq!((&object["problem"], &object["same"]), (&"bootstrap".into(), &true.into()));
    assert!(object["mappings"].as_array().unwrap().len() >= 5);
    let replay = |task: &str| scratch.run(&["replay", "job.toml", task, "--json"]);
    let (first, again) = (replay("0").object(), replay("0").object());
    assert_eq!(first["partial"], again["partial"]);
    assert!(first["partial"].as_str().is_some_and(|hex| hex.len() >= 16));
    assert_eq!(replay("999999999").code, 2);
}

#[test]
fn the_version_is_quick() {
    let scratch = Scratch::new();
    let quickest = (0..20).map(|_| {
        let start = std::time::Instant::now();
        let done = scratch.run(&["--version"]);
        assert_eq!(done.stdout, concat!("windfall ", env!("CARGO_PKG_VERSION"), "\n"));
        start.elapsed().as_secs_f64()
    });
    let quickest = quickest.fold(f64::INFINITY, f64::min);
    assert!(quickest < 0.01, "{quickest} s");
}
