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
fn a_study_is_drawn_with_its_errors() {
    let scratch = Scratch::new();
    let plain = scratch.answer(&study(&["-n", "50"]));
    assert_eq!(scratch.answer(&study(&["-n", "50", "--plot", "s.svg"])), plain);
    let read = |name: &str| std::fs::read_to_string(scratch.path().join(name)).unwrap();
    let svg = read("s.svg");
    for part in ["n = 10", "n = 25", "log mean", ">bias<", ">coverage<", "100 replicates · bars"] {
        assert!(svg.contains(part), "{part} is missing in {svg}");
    }
    assert!(!svg.contains("relative bias"), "of many measures the usual ones are drawn");
    // Two conditions, and one method that states an interval.
    scratch.answer(&study(&["-n", "50", "--measure", "width", "--plot", "w.svg"]));
    assert_eq!(read("w.svg").matches("fill=\"none\"").count(), 2);
    scratch.answer(&study(&["-n", "50", "--write-job", "job.toml"]));
    scratch.answer(&["run", "job.toml", "--plot", "again.svg"]);
    assert_eq!(read("again.svg"), svg);
    scratch.answer(&study(&["-n", "50", "--plot", "s.png"]));
}

#[test]
fn fits_are_drawn_by_group_and_term() {
    let scratch = Scratch::with_law_school();
    let read = |name: &str| std::fs::read_to_string(scratch.path().join(name)).unwrap();
    let mut rows = "g,x,y\n".to_owned();
    for row in 0..60 {
        let (g, x) = (row / 20, f64::from(row % 20));
        // The group 2 has no spread, and so no fit.
        let x = if g == 2 { 1.0 } else { x };
        rows.push_str(&format!("{g},{x},{}\n", 2.0 * x + f64::from(row * 7 % 5)));
    }
    scratch.put("groups.csv", &rows);
    scratch.answer(&["fit", "groups.csv", "y ~ x", "--by", "g", "--plot", "by.svg"]);
    let svg = read("by.svg");
    for part in ["fit: y ~ x", "g = 0", "g = 2", "(Intercept)", "95 % intervals"] {
        assert!(svg.contains(part), "{part} is missing in {svg}");
    }
    assert_eq!(svg.matches("fill=\"none\"").count(), 4, "two groups with a fit, two terms");
    scratch.answer(&["fit", "law_school.csv", "gpa ~ lsat", "--plot", "one.svg"]);
    assert_eq!(read("one.svg").matches("fill=\"none\"").count(), 2);
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
