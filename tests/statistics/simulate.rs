//! Whether the Monte Carlo errors of a study's measures are those that repeated studies show, and
//! whether tests by name keep their level.

use windfall_core::{Column, Control, Moments, Problem, Seed, Table, Threads};
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

/// The share of rejections among 20,000 data sets without effect, within five of its errors; the
/// rank-sum test and the exact ones are discrete and reject less often than they may.
#[test]
fn tests_by_name_keep_their_level() {
    let methods = [
        "welch(x, g); null = 0",
        "t_test(x, g); null = 0",
        "slope(y, x); null = 0",
        "ols(y, x, g); null = 0",
        "correlation(y, x); null = 0",
        "mean(x); null = 1",
        "mann_whitney(x, g)",
        "median(x); null = 1",
        "clopper_pearson(b); null = 0.5",
    ];
    let table = study(1, 20_000, &methods, None);
    let [method, measure] = ["method", "measure"].map(|name| table.labels(name).expect("a label"));
    for row in (0..table.rows()).filter(|&row| measure.get(row) == "rejection") {
        let (share, error) = (numbers(&table, "estimate")[row], numbers(&table, "mcse")[row]);
        let label = method.get(row);
        println!("{label}: rejects {share:.4} ± {error:.4}");
        let is_discrete = ["mann", "median", "clopper"].iter().any(|word| label.starts_with(word));
        assert!(share < 0.05 + 5.0 * error, "{label} rejects {share}");
        assert!(is_discrete || share > 0.05 - 5.0 * error, "{label} rejects {share}");
    }
}
