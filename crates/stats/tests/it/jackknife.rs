//! The jackknife against published values and a direct computation.

use super::bootstrap::{city, law_school, mouse};
use windfall_core::{Answer, Control, Problem, Serial, Table, verify};
use windfall_stats::jackknife::{Jackknife, JackknifeOptions};

fn options(statistic: &str) -> JackknifeOptions {
    JackknifeOptions { statistic: statistic.into(), ..Default::default() }
}

fn solve(table: &Table, options: JackknifeOptions) -> Answer {
    Jackknife::new(table, options).unwrap().solve(&Serial, &Control::default()).unwrap()
}

#[track_caller]
fn near(found: f64, expected: f64, allowance: f64) {
    assert!((found - expected).abs() <= allowance, "{found} is not {expected} ± {allowance}");
}

/// Published by Efron and Tibshirani (1993) to three digits, computed here to twelve.
#[test]
fn the_law_school_and_the_cities_meet_their_values() {
    let answer = solve(&law_school(), options("correlation(lsat, gpa)"));
    near(answer.quantities[0].standard_error.unwrap(), 0.142_518_618_602, 1e-11);
    near(answer.quantities[0].bias.unwrap(), -0.006_473_623_046, 1e-11);
    near(answer.extra["acceleration"].as_f64().unwrap(), -0.075_671_564_937_9, 1e-11);
    let answer = solve(&city(), options("ratio(x, u)"));
    near(answer.quantities[0].standard_error.unwrap(), 0.194_790_994, 1e-9);
    near(answer.extra["acceleration"].as_f64().unwrap(), -0.011_203_194_0, 1e-10);
}

/// Leaving out by the short cuts is leaving out: each statistic on the table without the row.
#[test]
fn short_cuts_are_the_statistic_without_the_row() {
    let x = [2.0, 7.0, 7.0, 1.0, 8.5, 2.0, 8.0, 1.5, 8.25, 4.0, 5.0, 9.0, 0.5];
    let y = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, 8.0, 9.0];
    let w = [1.0, 2.0, 1.0, 0.5, 3.0, 1.0, 1.0, 2.0, 1.0, 1.0, 0.25, 1.0, 1.0];
    let all: Vec<usize> = (0..x.len()).collect();
    let table = |rows: &[usize]| {
        let pick = |column: &[f64]| rows.iter().map(|&row| column[row]).collect::<Vec<f64>>();
        Table::from_numbers([("x", pick(&x)), ("y", pick(&y)), ("w", pick(&w))]).unwrap()
    };
    for statistic in [
        "mean(x)",
        "sum(x)",
        "var(x)",
        "sd(x, 0)",
        "covariance(x, y)",
        "correlation(x, y)",
        "slope(y, x)",
        "ratio(x, y)",
        "difference(x, y)",
        "median(x)",
        "quantile(x, 0.2)",
        "quantile(x, 1)",
        "quantile(x, 0)",
        "trimmed_mean(x, 0.1)",
        "mad(x)",
        "spearman(x, y)",
        "median(x)/sd(y)",
        "mean(x^2) - 2*mean(x)*trimmed_mean(y, 0.25)",
    ] {
        for weights in [None, Some("w".to_owned())] {
            let options = JackknifeOptions { weights, ..options(statistic) };
            let fast = solve(&table(&all), options.clone());
            let values: Vec<f64> = all
                .iter()
                .map(|&out| {
                    let rest: Vec<usize> = all.iter().copied().filter(|&row| row != out).collect();
                    solve(&table(&rest), options.clone()).quantities[0].estimate
                })
                .collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            let estimate = fast.quantities[0].estimate;
            let scale = 1e-10 * (1.0 + estimate.abs());
            near(fast.quantities[0].bias.unwrap(), (n - 1.0) * (mean - estimate), scale);
            let error = ((n - 1.0) / n * squares).sqrt();
            near(fast.quantities[0].standard_error.unwrap(), error, scale);
        }
    }
}

/// Of 1, 2, …, n it is (n - 1)/(3n), by its definition; a row of weight 2 is two rows.
#[test]
fn the_gini_coefficient_is_that_of_the_textbook() {
    let of = |x: &[f64], w: &[f64]| {
        let table = Table::from_numbers([("x", x.to_vec()), ("w", w.to_vec())]).unwrap();
        let weighted = JackknifeOptions { weights: Some("w".into()), ..options("gini(x)") };
        let plain = solve(&table, options("gini(x)")).quantities[0].estimate;
        (plain, solve(&table, weighted).quantities[0].estimate)
    };
    near(of(&[3., 1., 2., 5., 4., 6., 10., 9., 7., 8.], &[1.0; 10]).0, 0.3, 1e-14);
    near(of(&[2.0, 2.0, 2.0], &[1.0, 5.0, 0.5]).1, 0.0, 1e-14);
    let (twice, _) = of(&[4.0, 1.0, 4.0, 7.0], &[1.0; 4]);
    near(of(&[1.0, 7.0, 4.0], &[1.0, 1.0, 2.0]).1, twice, 1e-14);
    let table = Table::from_numbers([("x", vec![1.0, -2.0, 3.0])]).unwrap();
    let refused = Jackknife::new(&table, options("gini(x)")).map(|_| ()).unwrap_err().to_string();
    assert!(refused.starts_with("`gini` is `-2`"), "{refused}");
}

/// Two samples: squared standard errors add.
#[test]
fn independent_samples_are_left_out_apart() {
    let groups =
        |statistic: &str| JackknifeOptions { groups: Some("group".into()), ..options(statistic) };
    let error =
        |statistic: &str| solve(&mouse(), groups(statistic)).quantities[0].standard_error.unwrap();
    let (a, b) = (error("mean(survival.treatment)"), error("mean(survival.control)"));
    // Of a mean the jackknife gives sd/sqrt(n): 25.23548953 and 14.15860337.
    near(a, 25.235_489_53, 1e-8);
    near(b, 14.158_603_37, 1e-8);
    let both = error("mean(survival.treatment) - mean(survival.control)");
    near(both, (a * a + b * b).sqrt(), 1e-10);
}

/// Clusters are left out whole: the clustered standard error of a mean, in closed form.
#[test]
fn clusters_are_left_out_whole() {
    let y = vec![2.0, 3.0, 1.0, 5.0, 7.0, 6.0, 4.0, 4.0, 5.0, 9.0, 8.0, 8.5];
    let g: Vec<f64> = (0..12).map(|row| f64::from(row / 3)).collect();
    let means: Vec<f64> = y.chunks(3).map(|three| three.iter().sum::<f64>() / 3.0).collect();
    let table = Table::from_numbers([("y", y), ("g", g)]).unwrap();
    let clustered = JackknifeOptions { clusters: Some("g".into()), ..options("mean(y)") };
    let mean = means.iter().sum::<f64>() / 4.0;
    let squares: f64 = means.iter().map(|value| (value - mean) * (value - mean)).sum();
    let answer = solve(&table, clustered);
    near(answer.quantities[0].standard_error.unwrap(), (squares / 12.0).sqrt(), 1e-12);
    assert_eq!(answer.draws.count, 4);
}

#[test]
fn every_mapping_gives_the_same_bytes() {
    let x: Vec<f64> = (0..4_000u32).map(|i| f64::from(i * 7919 % 4001)).collect();
    let table = Table::from_numbers([("x", x)]).unwrap();
    for statistic in ["sd(x)", "median(x)", "trimmed_mean(x, 0.1)"] {
        let problem = Jackknife::new(&table, options(statistic)).unwrap();
        let rows = verify(&problem, &Control::default()).unwrap();
        assert!(rows.iter().all(|row| row.same), "{statistic}: {rows:?}");
    }
}
