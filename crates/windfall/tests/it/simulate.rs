//! Simulation studies from the shell: conditions, kept replicates, replay of a failure.

use crate::Scratch;
use windfall::files;

const STUDY: [&str; 11] = [
    "simulate",
    "--grid",
    "n = 10, 25",
    "-g",
    "x = exponential(1)",
    "-m",
    "mean(x)",
    "-m",
    "log mean = log(mean(x)); truth = 0",
    "--truth",
    "1",
];

fn study(more: &[&'static str]) -> Vec<&'static str> {
    [&STUDY[..], &["--seed", "3"], more].concat()
}

#[test]
fn kept_replicates_are_extended_to_the_answer_of_one_long_run() {
    let scratch = Scratch::new();
    let whole = scratch.answer(&study(&["-n", "90"]));
    for (keep, extend) in [("a.parquet", "b.parquet"), ("a.csv", "b.tsv")] {
        scratch.answer(&study(&["-n", "40", "--keep", keep]));
        let more = study(&["-n", "90", "--extend", keep, "--keep", extend]);
        assert_eq!(scratch.answer(&more), whole, "{keep}");
        let kept = files::read(&scratch.path().join(extend)).unwrap();
        assert_eq!(kept.rows(), 90 * 2 * 2);
        // Nothing is left to run; the job says where the file lies from wherever it is.
        let again = study(&["-n", "90", "--extend", extend, "--write-job", "deep/job.toml"]);
        scratch.put("deep/placeholder", "");
        assert_eq!(scratch.answer(&again), whole);
        assert_eq!(scratch.answer(&["run", "deep/job.toml"]), whole);
    }
    let other = [&study(&["-n", "90", "--extend", "a.csv"])[..], &["--level", "0.9"]].concat();
    assert_eq!(scratch.run(&other).code, 0, "intervals are not compared");
    let wrong = [&STUDY[..], &["--seed", "4", "--extend", "a.csv"]].concat();
    let done = scratch.run(&wrong);
    assert!(done.code != 0 && done.stderr.contains("extend with the seed"), "{}", done.stderr);
}

#[test]
fn conditions_come_from_a_grid_or_from_a_file() {
    let scratch = Scratch::new();
    scratch.put("conditions.csv", "n,label\n10,few\n25,many\n");
    let grid = scratch.answer(&study(&["-n", "50", "--measure", "coverage"]));
    let file = ["simulate", "--conditions", "conditions.csv"];
    let rest = [&STUDY[3..], &["--seed", "3", "-n", "50", "--measure", "coverage"]].concat();
    let listed = scratch.answer(&[&file[..], &rest].concat());
    assert_eq!(listed["table"]["n"], grid["table"]["n"]);
    assert_eq!(listed["table"]["label"][0], "few");
    let done = scratch.run(&study(&["-n", "50", "--measure", "coverage", "--out", "t.csv"]));
    for part in ["2 conditions × 2 methods", "coverage", "mcse", "100"] {
        assert!(done.stdout.contains(part), "{part} is missing in\n{}", done.stdout);
    }
    let table = files::read(&scratch.path().join("t.csv")).unwrap();
    assert_eq!(table.rows(), 2);
}

#[test]
fn a_failure_names_the_task_that_replay_runs_again() {
    let scratch = Scratch::new();
    let failing =
        ["simulate", "--rows", "3", "-g", "p = uniform(-0.1, 1)", "-g", "k = bernoulli(p)"];
    let rest = ["-m", "mean(k)", "-n", "60", "--seed", "5", "--write-job", "job.toml"];
    let answer = scratch.answer(&[&failing[..], &rest].concat());
    let failures = &answer["failures"];
    assert_eq!(failures["seed"][0], "5");
    assert!(failures["error"][0].as_str().unwrap().contains("`p` of bernoulli is `-0.0"));
    let task = failures["task"][0].to_string();
    let done = scratch.run(&["replay", "job.toml", &task, "--json"]);
    // The message travels in the partial: "column " as bytes.
    assert!(done.object()["partial"].as_str().unwrap().contains("636f6c756d6e20"));
}
