//! Whether the Monte Carlo errors of a study's measures are those that repeated studies show, and
//! whether tests by name keep their level.

use windfall_core::{Column, Control, Moments, Problem, Seed, Table, Threads};
use windfall_stats::law::binomial;
use windfall_stats::simulate::{Simulate, SimulateOptions};

/// Seeds of a comparison. The standard deviation of 400 studies is known to 3.5 %, so that a band
/// of 20 % is more than five of its errors.
const SEEDS: u64 = 400;
const BAND: f64 = 0.2;

fn study(seed: u64, replicates: u64, method: &[&str], reference: Option<&str>) -> Table {
    let options = SimulateOptions {
        rows: Some("20".into()),
        generate: ["g = row < 10", "x = normal(1, 2)", "y = normal(1, 1)", "b = y > 1"][..].into(),
        method: method.into(),
        truth: Some("1".into()),
        null: Some("0.5".into()),
        reference: reference.map(str::to_owned),
        replicates,
        ..Default::default()
    };
    let study = Simulate::by_formulas(&options).expect("the options are right");
    let study = study.with_seed(Seed::from(seed));
    let answer = study.solve(&Threads::new(2), &Control::default()).expect("nothing fails");
    answer.table.expect("a study answers with a table")
}

fn numbers<'a>(table: &'a Table, name: &str) -> &'a [f64] {
    match table.column(name) {
        Ok(Column::Numbers(numbers)) => numbers.as_slice(),
        _ => panic!("{name} is no column of numbers"),
    }
}

#[test]
fn measures_err_as_stated() {
    let methods = ["mean = mean(x)", "median = median(x)"];
    let mut seen: Vec<(String, Moments, Moments)> = Vec::new();
    for seed in 0..SEEDS {
        let table = study(seed, 150, &methods, Some("median"));
        let labels = table.labels("measure").expect("it has measures");
        seen.resize_with(table.rows(), Default::default);
        for (row, (name, values, errors)) in seen.iter_mut().enumerate() {
            labels.get(row).clone_into(name);
            values.push(numbers(&table, "estimate")[row]);
            errors.push(numbers(&table, "mcse")[row]);
        }
    }
    let mut compared = 0;
    for (name, values, errors) in seen.iter().filter(|row| row.0 != "failures") {
        let (found, stated) = (values.variance().sqrt(), errors.mean());
        println!("{name}: stated {stated:.5}, seen {found:.5}");
        assert!((stated / found - 1.0).abs() < BAND, "{name}: stated {stated}, seen {found}");
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}

/// The share of rejections among 20,000 data sets without effect, within five of its errors.
/// Trimming and Welch's degrees of freedom are approximations, good to 0.002 here. The rank-sum
/// test and the sign test are discrete and reject less often than they may; so does the Wald test
/// of a logistic regression (Hauck and Donner 1977). Of the tests of 20 zeros and ones the share is
/// exact: those of Wald, of the score and the exact one all reject up to 5 and from 15 on, but
/// Wald's knows no error where all are alike, twice in a million.
#[test]
fn tests_by_name_keep_their_level() {
    let exact = 2.0 * binomial::cdf(20, 0.5, 5);
    let methods = [
        ("welch(x, g); null = 0", 0.05, 0.002),
        ("difference(x, y); null = 0", 0.05, 0.002),
        ("t_test(x, g); null = 0", 0.05, 0.0),
        ("slope(y, x); null = 0", 0.05, 0.0),
        ("ols(y, x, g); null = 0", 0.05, 0.0),
        ("correlation(y, x); null = 0", 0.05, 0.0),
        ("mean(x); null = 1", 0.05, 0.0),
        ("trimmed_mean(x, 0.2); null = 1", 0.05, 0.002),
        ("mann_whitney(x, g)", 0.04, 0.01),
        ("median(x); null = 1", 0.04, 0.01),
        ("logistic(b, x); null = 0", 0.03, 0.02),
        ("wald(b); null = 0.5", exact, 2e-6),
        ("wilson(b); null = 0.5", exact, 0.0),
        ("clopper_pearson(b); null = 0.5", exact, 0.0),
    ];
    let table = study(1, 20_000, &methods.map(|method| method.0), None);
    let [label, measure] = ["method", "measure"].map(|name| table.labels(name).expect("a label"));
    let rejections = (0..table.rows()).filter(|&row| measure.get(row) == "rejection");
    let mut seen = 0;
    for (row, (method, expected, slack)) in rejections.zip(methods) {
        let (share, error) = (numbers(&table, "estimate")[row], numbers(&table, "mcse")[row]);
        assert!(method.starts_with(label.get(row)), "{method} is not {}", label.get(row));
        println!("{method}: rejects {share:.4} ± {error:.4}");
        assert!((share - expected).abs() < 5.0 * error + slack, "{method} rejects {share}");
        seen += 1;
    }
    assert_eq!(seen, methods.len());
}

/// Within a study, the intervals that resample each data set cover as those of a bootstrap by
/// itself do (see `coverage`), here the mean of 20 exponential draws: 4,000 replicates, five
/// standard errors.
#[test]
fn bootstrap_intervals_in_a_study_cover_as_stated() {
    let stated = [("basic", 0.8852), ("bca", 0.9109), ("studentised", 0.9440)];
    let methods = stated.map(|(kind, _)| format!("{kind} = mean(x); interval = {kind}"));
    let options = SimulateOptions {
        rows: Some("20".into()),
        generate: ["x = exponential(1)"][..].into(),
        method: methods.each_ref().map(String::as_str)[..].into(),
        truth: Some("1".into()),
        replicates: 4_000,
        ..Default::default()
    };
    let study = Simulate::by_formulas(&options).expect("the options are right");
    let answer = study.with_seed(Seed::from(4u64)).solve(&Threads::new(2), &Control::default());
    let table = answer.expect("nothing fails").table.expect("a study answers with a table");
    let measure = table.labels("measure").expect("a label");
    let rows: Vec<usize> =
        (0..table.rows()).filter(|&row| measure.get(row) == "coverage").collect();
    assert_eq!(rows.len(), stated.len());
    for (row, (kind, stated)) in rows.into_iter().zip(stated) {
        let (share, error) = (numbers(&table, "estimate")[row], numbers(&table, "mcse")[row]);
        println!("{kind}: covers {share:.4} ± {error:.4}, stated {stated}");
        assert!((share - stated).abs() < 5.0 * error, "{kind} covers {share}, stated {stated}");
    }
}
