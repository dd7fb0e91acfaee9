//! Simulation studies: streams that stay, kept replicates, failures, formulas and their mistakes.

use std::collections::HashMap;
use windfall_core::{Answer, Column, Control, Problem, Seed, Serial, Shuffled, Table, Threads};
use windfall_stats::simulate::{
    Conditions, Estimate, LAWS, MEASURES, Simulate, SimulateOptions, Study, TEXTBOOK,
};

/// Errors of a comparison: five would be exceeded once in 1.7 million comparisons.
const SIGMAS: f64 = 5.0;

fn options(replicates: u64) -> SimulateOptions {
    SimulateOptions {
        grid: ["n = 12, 30", "d = 0, 0.5"][..].into(),
        generate: ["x = normal(d, 2)"][..].into(),
        method: ["mean(x)", "median(x)", "cut = trimmed_mean(x, 0.1)"][..].into(),
        truth: Some("d".into()),
        replicates,
        distribution: true,
        ..Default::default()
    }
}

fn solve(study: &Simulate) -> Answer {
    study.solve(&Threads::new(2), &Control::default()).unwrap()
}

/// The measures of an answer by condition, method and name.
fn measures(answer: &Answer) -> HashMap<(String, String, String), (f64, f64)> {
    let table = answer.table.as_ref().unwrap();
    let factors: Vec<_> = table
        .names()
        .take_while(|&name| name != "method")
        .map(|name| table.labels(name).unwrap())
        .collect();
    let labels = ["method", "measure"].map(|name| table.labels(name).unwrap());
    let numbers = ["estimate", "mcse"].map(|name| match table.column(name).unwrap() {
        Column::Numbers(numbers) => numbers.as_slice(),
        Column::Labels(_) => panic!("{name} is text"),
    });
    let row = |row: usize| {
        let condition = factors.iter().map(|labels| labels.get(row)).collect::<Vec<_>>().join(" ");
        let [method, measure] = [0, 1].map(|label: usize| labels[label].get(row).to_owned());
        ((condition, method, measure), (numbers[0][row], numbers[1][row]))
    };
    (0..table.rows()).map(row).collect()
}

fn of(answer: &Answer, condition: &str, method: &str, measure: &str) -> (f64, f64) {
    measures(answer)[&(condition.to_owned(), method.to_owned(), measure.to_owned())]
}

#[test]
fn the_mean_of_normal_data_performs_as_theory_says() {
    let answer = solve(&Simulate::by_formulas(&options(20_000)).unwrap().with_seed(1u64.into()));
    let near = |found: (f64, f64), expected: f64| {
        assert!((found.0 - expected).abs() < SIGMAS * found.1, "{found:?} {expected}");
    };
    for (condition, n) in [("12 0.5", 12f64), ("30 0.5", 30.0), ("12 0", 12.0)] {
        near(of(&answer, condition, "mean(x)", "bias"), 0.0);
        near(of(&answer, condition, "mean(x)", "empirical_se"), 2.0 / n.sqrt());
        near(of(&answer, condition, "mean(x)", "model_se"), 2.0 / n.sqrt());
        near(of(&answer, condition, "mean(x)", "mse"), 4.0 / n);
        near(of(&answer, condition, "mean(x)", "coverage"), 0.95);
        near(of(&answer, condition, "mean(x)", "model_se_error"), 0.0);
    }
    near(of(&answer, "30 0", "mean(x)", "rejection"), 0.05);
    // The power of a two-sided t test of effect 0.25 with 30 rows, by `scipy.stats.nct`.
    near(of(&answer, "30 0.5", "mean(x)", "rejection"), POWER);
    // The interval of order statistics of 12 rows reaches from the third to the tenth.
    near(of(&answer, "12 0", "median(x)", "coverage"), 1.0 - 2.0 * (1.0 + 12.0 + 66.0) / 4096.0);
    assert_eq!(answer.draws.count, 80_000);
}

const POWER: f64 = 0.2629625267626902;

#[test]
fn every_mapping_gives_the_same_bytes() {
    let study = Simulate::by_formulas(&options(37)).unwrap().with_seed(5u64.into());
    let expected = study.solve(&Serial, &Control::default()).unwrap().to_bytes();
    for workers in [1, 2, 3, 7] {
        let answer = study.solve(&Threads::new(workers), &Control::default()).unwrap();
        assert_eq!(answer.to_bytes(), expected);
    }
    let shuffled = study.solve(&Shuffled(Seed::from(3u64)), &Control::default()).unwrap();
    assert_eq!(shuffled.to_bytes(), expected);
}

#[test]
fn more_replicates_extend_a_run_to_the_bytes_of_a_longer_one() {
    let seed = Seed::from(8u64);
    let whole = Simulate::by_formulas(&options(120)).unwrap().with_seed(seed);
    let expected = solve(&whole);
    let short = solve(&Simulate::by_formulas(&options(50)).unwrap().with_seed(seed));
    let kept = short.index.unwrap();
    let extended =
        Simulate::by_formulas(&options(120)).unwrap().with_seed(seed).extend(&kept).unwrap();
    assert_eq!(extended.shards().tasks(), 70 * 4);
    assert_eq!(solve(&extended).to_bytes(), expected.to_bytes());
    // A replicate of which a method is missing is run again.
    let rows = |table: &Table| (1..table.rows()).collect::<Vec<_>>();
    let columns = kept.columns().map(|(name, column)| {
        let column = match column {
            Column::Numbers(x) => {
                let picked: Vec<f64> = rows(&kept).iter().map(|&row| x.as_slice()[row]).collect();
                Column::Numbers(picked.into())
            }
            Column::Labels(labels) => Column::Labels(windfall_core::Labels::new(
                rows(&kept).into_iter().map(|row| labels.get(row)),
            )),
        };
        (name.to_owned(), column)
    });
    let torn = Table::new(columns.collect()).unwrap();
    let torn = Simulate::by_formulas(&options(120)).unwrap().with_seed(seed).extend(&torn).unwrap();
    assert_eq!(torn.shards().tasks(), 70 * 4 + 1);
    assert_eq!(solve(&torn).to_bytes(), expected.to_bytes());
    // Replicates of another seed are refused.
    let other = Simulate::by_formulas(&options(120)).unwrap().with_seed(9u64.into());
    let error = other.extend(&kept).unwrap().solve(&Serial, &Control::default()).unwrap_err();
    assert!(error.to_string().contains("extend with the seed"), "{error}");
}

#[test]
fn more_conditions_leave_the_others_as_they_were() {
    let of_grid = |grid: &[&str]| {
        let options = SimulateOptions { grid: grid.into(), ..options(40) };
        measures(&solve(&Simulate::by_formulas(&options).unwrap().with_seed(2u64.into())))
    };
    let few = of_grid(&["n = 12", "d = 0.5"]);
    let many = of_grid(&["n = 5, 12, 30", "d = 0, 0.5, 1"]);
    assert!(few.len() > 30);
    for (key, found) in few {
        assert_eq!(found, many[&key], "{key:?}");
    }
}

#[test]
fn common_random_numbers_are_common() {
    let options = SimulateOptions {
        grid: ["d = 0, 1"][..].into(),
        rows: Some("9".into()),
        common_random_numbers: true,
        ..options(30)
    };
    let answer = solve(&Simulate::by_formulas(&options).unwrap().with_seed(2u64.into()));
    let error = |condition| of(&answer, condition, "mean(x)", "bias").0;
    assert!((error("0") - error("1")).abs() < 1e-12);
}

#[test]
fn a_failing_replicate_is_a_row_and_can_be_replayed() {
    let table = Table::from_numbers([("n", vec![4.0, 8.0])]).unwrap();
    let study = Study::new(Conditions::new(&table).unwrap(), |condition, rng| {
        let x: Vec<f64> = (0..condition.number("n") as usize).map(|_| rng.normal()).collect();
        assert!(x[0] < 1.5, "the first value is {:.3}", x[0]);
        x
    })
    .method("mean", |x, _, _| x.iter().sum::<f64>() / x.len() as f64)
    .method("root", |x, _, _| match x[1] {
        x if x < -1.0 => Err(format!("no root of {x:.3}")),
        x => Ok(Estimate::new((x + 1.0).sqrt())),
    })
    .replicates(200)
    .seed(3u64)
    .build()
    .unwrap();
    let answer = solve(&study);
    let failures = answer.extra["failures"].as_object().unwrap();
    let column = |name: &str| failures[name].as_array().unwrap();
    assert!(column("error").len() > 20);
    for row in 0..column("error").len() {
        let condition = usize::from(column("n")[row] == 8.0);
        let replicate = column("replicate")[row].as_u64().unwrap();
        assert_eq!(column("task")[row], 2 * replicate + condition as u64);
        assert_eq!(column("seed")[row], "3");
        let again = study.replay(condition, replicate).unwrap();
        let error = column("error")[row].as_str().unwrap();
        match column("method")[row].as_str().unwrap() {
            "(all)" => {
                assert!(error.starts_with("the first value is"), "{error}");
                assert!(again.iter().all(|one| one.as_ref().unwrap_err() == error));
            }
            method => {
                assert_eq!(method, "root");
                assert!(again[0].is_ok() && again[1].as_ref().unwrap_err() == error, "{error}");
            }
        }
    }
    let all = |method| of(&answer, "4", method, "failures").0;
    assert!(all("root") > all("mean") && all("mean") > 0.0);
    assert!(answer.notes[0].contains("estimates are missing: see `failures`"));
    assert!(study.replay(2, 0).is_err());
}

#[test]
fn every_law_has_its_mean_and_its_variance() {
    // Law, mean, variance.
    let laws = [
        ("normal(2, 3)", 2.0, 9.0),
        ("lognormal(0.1, 0.5)", LOG_MEAN, LOG_VARIANCE),
        ("uniform(-1, 2)", 0.5, 0.75),
        ("exponential(2)", 2.0, 4.0),
        ("weibull(2, 3)", 1.5 * PI.sqrt(), 9.0 * (1.0 - PI / 4.0)),
        ("pareto(5, 2)", 2.5, 4.0 * 5.0 / (16.0 * 3.0)),
        ("gumbel(1, 2)", 1.0 + 2.0 * 0.5772156649015329, 4.0 * PI * PI / 6.0),
        ("laplace(1, 2)", 1.0, 8.0),
        ("logistic(1, 2)", 1.0, 4.0 * PI * PI / 3.0),
        ("t(9)", 0.0, 9.0 / 7.0),
        ("gamma(3, 2)", 6.0, 12.0),
        ("chisquare(5)", 5.0, 10.0),
        ("beta(2, 3)", 0.4, 0.04),
        ("bernoulli(0.3)", 0.3, 0.21),
        ("binomial(10, 0.3)", 3.0, 2.1),
        ("poisson(4.5)", 4.5, 4.5),
        ("negative_binomial(4, 0.4)", 6.0, 15.0),
    ];
    for (text, mean, variance) in laws {
        // The same parameters from columns give the same law.
        let (name, rest) = text.split_once('(').unwrap();
        let varying = rest.trim_end_matches(')').split(',').map(|one| format!("{one} + 0*row"));
        let varying = format!("{name}({})", varying.collect::<Vec<_>>().join(","));
        for text in [text.to_owned(), varying] {
            let options = SimulateOptions {
                rows: Some("2000".into()),
                generate: [&format!("x = {text}")[..]][..].into(),
                method: ["mean(x)", "v = mean((x - m)^2); truth = 0"].map(|method| {
                    method.replace('m', "m").replace("- m)", &format!("- {mean:?})"))
                })[..]
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()[..]
                    .into(),
                replicates: 100,
                ..Default::default()
            };
            let answer = solve(&Simulate::by_formulas(&options).unwrap().with_seed(6u64.into()));
            for (method, expected) in [("mean(x)", mean), ("v", variance)] {
                let (found, mcse) = of(&answer, "", method, "mean");
                assert!((found - expected).abs() < SIGMAS * mcse, "{text}: {found} {expected}");
            }
        }
    }
    let tested = laws.map(|(text, ..)| text.split('(').next().unwrap());
    for law in LAWS {
        assert!(tested.contains(&law.name) || law.name == "cauchy", "{}", law.name);
    }
}

const PI: f64 = std::f64::consts::PI;
/// exp(0.225)
const LOG_MEAN: f64 = 1.2523227161918644;
/// (exp(0.25) - 1) exp(0.45)
const LOG_VARIANCE: f64 = 0.4454405219803076;

#[test]
fn methods_say_what_stands_beside_the_estimate() {
    let options = SimulateOptions {
        grid: ["n = 25"][..].into(),
        generate: ["g = row < rows/2", "e = normal(0, 1)", "y = 1 + 0.8*g + e"][..].into(),
        method: [
            "plain = median(y) - 1; interval = none",
            "own = mean(y); se = sd(y)/sqrt(n); interval = normal; p = 0.5; truth = 1.4",
            "student = mean(y); se = sd(y)/sqrt(n); interval = t",
            "effect = welch(y, g); truth = 0.8",
            "boot = mean(y); interval = percentile; resamples = 199; truth = 1.4",
        ][..]
            .into(),
        reference: Some("student".into()),
        replicates: 400,
        ..Default::default()
    };
    let answer = solve(&Simulate::by_formulas(&options).unwrap().with_seed(4u64.into()));
    let all = measures(&answer);
    let has = |method: &str, measure: &str| {
        all.contains_key(&("25".to_owned(), method.to_owned(), measure.to_owned()))
    };
    assert!(!has("plain", "width") && !has("plain", "bias") && has("plain", "precision_gain"));
    assert_eq!(of(&answer, "25", "own", "rejection").0, 0.0);
    let (normal, student) =
        (of(&answer, "25", "own", "width").0, of(&answer, "25", "student", "width").0);
    // The quantiles 1.959964 and 2.063899.
    assert!((student / normal - 2.0638985616280205 / 1.959963984540054).abs() < 1e-9);
    let (coverage, mcse) = of(&answer, "25", "effect", "coverage");
    assert!((coverage - 0.95).abs() < SIGMAS * mcse);
    let (boot, other) =
        (of(&answer, "25", "boot", "model_se").0, of(&answer, "25", "own", "model_se").0);
    assert!((boot / other - 1.0).abs() < 0.1, "{boot} {other}");
    assert!(of(&answer, "25", "own", "precision_gain").0.abs() < 1e-9);
}

#[test]
fn what_cannot_be_is_named_before_any_work() {
    type Change = fn(&mut SimulateOptions);
    let cases: [(Change, &str); 20] = [
        (|o| o.replicates = 0, "replicates"),
        (|o| o.level = 95.0, "`level` is `95`"),
        (|o| o.alpha = 0.0, "`alpha` is `0`"),
        (|o| o.grid = ["n : 3"][..].into(), "`n : 3`"),
        (|o| o.grid = ["n = 3, x"][..].into(), "`n` is `x`"),
        (|o| o.grid = ["n = 3, 3"][..].into(), "n=3"),
        (|o| o.grid = ["method = 1", "n = 3"][..].into(), "`method`"),
        (|o| o.grid = ["m = 3"][..].into(), "`rows` is `missing`"),
        (|o| o.rows = Some("n/7".into()), "whole number"),
        (|o| o.generate = [""; 0][..].into(), "generated columns"),
        (|o| o.generate = ["normal(0, 1)"][..].into(), "x = normal(0, 1)"),
        (|o| o.generate = ["x = normal(0, -1)"][..].into(), "`sd` of normal"),
        (|o| o.generate = ["x = normal(0)"][..].into(), "`normal(mean, sd)`"),
        (|o| o.generate = ["x = 1 + normal(0, 1)"][..].into(), "a draw has a column of its own"),
        (|o| o.generate = ["n = normal(0, 1)"][..].into(), "a name that nothing else has"),
        (|o| o.method = ["mean(z)"][..].into(), "z"),
        (|o| o.method = ["mean(x); intervall = t"][..].into(), "interval"),
        (|o| o.method = ["mean(x); interval = student"][..].into(), "student"),
        (|o| o.method = ["sd(x)/2; interval = t"][..].into(), "se = "),
        (|o| o.method = ["mean(x)", "mean(x)"][..].into(), "given once"),
    ];
    for (change, part) in cases {
        let mut options = options(10);
        change(&mut options);
        let error = Simulate::by_formulas(&options).map(drop).unwrap_err().to_string();
        assert!(error.contains(part), "no {part} in {error}");
    }
    let options = SimulateOptions { reference: Some("meen(x)".into()), ..options(10) };
    let error = Simulate::by_formulas(&options).unwrap_err().to_string();
    assert!(error.contains("did you mean `mean(x)`?"), "{error}");
}

#[test]
fn a_parameter_that_goes_wrong_in_a_row_fails_that_replicate_alone() {
    let options = SimulateOptions {
        generate: ["u = uniform(-1, 9)", "x = exponential(u + 0.9)"][..].into(),
        ..SimulateOptions { truth: None, grid: ["n = 4"][..].into(), ..options(500) }
    };
    let answer = solve(&Simulate::by_formulas(&options).unwrap().with_seed(4u64.into()));
    let (failed, mcse) = of(&answer, "4", "mean(x)", "failures");
    // One row in a hundred is below -0.9.
    assert!((failed - 500.0 * (1.0 - 0.99f64.powi(4))).abs() < SIGMAS * mcse, "{failed}");
    let errors = answer.extra["failures"]["error"].as_array().unwrap();
    assert!(errors[0].as_str().unwrap().starts_with("column `x`: `scale` of exponential is `-"));
}

#[test]
fn measures_may_be_chosen() {
    let options = SimulateOptions { measure: ["coverage", "bias"][..].into(), ..options(10) };
    let answer = solve(&Simulate::by_formulas(&options).unwrap());
    assert_eq!(answer.table.unwrap().rows(), 4 * 3 * 2);
    let wrong = SimulateOptions { measure: ["coverrage"][..].into(), ..options };
    let error = Simulate::by_formulas(&wrong).unwrap_err().to_string();
    assert!(error.contains("did you mean `coverage`?"), "{error}");
    assert!(!TEXTBOOK.is_empty() && MEASURES.iter().any(|row| row.0 == "bias"));
}
