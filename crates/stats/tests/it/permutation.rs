//! Permutation tests against published values, exact enumerations, and themselves.
//!
//! Seeds are fixed. Where a simulated p-value is held to an exact one, the allowance is five of
//! its own Monte Carlo errors: with another seed each comparison fails by chance less than once in
//! a million.

use crate::bootstrap::{law_school, mouse};
use serde_json::Value;
use windfall_core::{
    Answer, Cancel, Column, Control, Error, Labels, Problem, Result, Serial, Table, Threads, verify,
};
use windfall_stats::bootstrap::Formulas;
use windfall_stats::permutation::{Alternative, Permutation, PermutationOptions, Serves, TESTS};
use windfall_stats::statistic::Columns;

fn groups(samples: &[&[f64]]) -> Table {
    let values: Vec<f64> = samples.concat();
    let names: Vec<String> = (0..samples.len()).map(|place| format!("g{place}")).collect();
    let labels = samples.iter().zip(&names).flat_map(|(s, name)| s.iter().map(|_| name.as_str()));
    let labels = Column::Labels(Labels::new(labels));
    Table::new(vec![("x".into(), Column::Numbers(values.into())), ("g".into(), labels)]).unwrap()
}

fn options(statistic: &str) -> PermutationOptions {
    PermutationOptions { statistic: statistic.into(), resamples: 50_000, ..Default::default() }
}

fn by_groups(statistic: &str) -> PermutationOptions {
    PermutationOptions { groups: Some("g".into()), ..options(statistic) }
}

fn paired(statistic: &str, samples: &[&str]) -> PermutationOptions {
    let samples = samples.iter().map(|&sample| sample.to_owned()).collect();
    PermutationOptions { samples: Some(Formulas::Many(samples)), ..options(statistic) }
}

fn pairings(statistic: &str) -> PermutationOptions {
    PermutationOptions { permute: Some("x".into()), ..options(statistic) }
}

fn solve(table: &Table, options: PermutationOptions) -> Answer {
    let problem = Permutation::new(table, options).unwrap().with_seed(3u64.into());
    problem.solve(&Threads::new(2), &Control::default()).unwrap()
}

/// The p-value of one quantity, exact.
fn exact(table: &Table, options: PermutationOptions, alternative: Alternative) -> f64 {
    let answer = solve(table, PermutationOptions { alternative: Some(alternative), ..options });
    assert_eq!(answer.method, "exact");
    assert_eq!(answer.quantities[0].mcse, 0.0);
    answer.quantities[0].estimate
}

fn statistic(answer: &Answer) -> f64 {
    answer.extra["statistic"].as_f64().unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} is not {expected}");
}

use Alternative::{Absolute, Greater, Less, TwoSided};

/// Efron and Tibshirani (1993), table 2.1: 11,440 splits, 1,613 at least as far up, 3,184 as far
/// either way (enumerated).
#[test]
fn mouse_survival() {
    let test = |alternative| {
        let options = PermutationOptions {
            groups: Some("group".into()),
            ..options("mean_difference(survival)")
        };
        exact(&mouse(), options, alternative)
    };
    close(test(Greater), 1613.0 / 11_440.0);
    close(test(Absolute), 3184.0 / 11_440.0);
    close(test(TwoSided), 2.0 * 1613.0 / 11_440.0);
    // Every form of a difference of means is the same test.
    for text in ["difference(survival.treatment, survival.control)", "t(survival)"] {
        let options = PermutationOptions { groups: Some("group".into()), ..options(text) };
        close(exact(&mouse(), options, Greater), 1613.0 / 11_440.0);
    }
}

/// Darwin's plants, differences of 15 pairs in eighths of an inch. Fisher, "The Design of
/// Experiments" (1935), section 21: 863 of 32,768 in one tail.
#[test]
fn darwin_pairs() {
    let d = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48].map(f64::from);
    let zero = vec![0.0; 15];
    let table = Table::from_numbers([("d", d.to_vec()), ("zero", zero)]).unwrap();
    for options in [paired("mean(d)", &["d"]), paired("mean(d - zero)", &["d", "zero"])] {
        close(exact(&table, options.clone(), Greater), 863.0 / 32_768.0);
        close(exact(&table, options.clone(), TwoSided), 1726.0 / 32_768.0);
        close(exact(&table, options, Absolute), 1726.0 / 32_768.0);
    }
    let t = solve(&table, paired("paired_t(d)", &["d"]));
    assert!((statistic(&t) - 2.147987).abs() < 1e-6);
    close(t.quantities[0].estimate, 1726.0 / 32_768.0);
    // Wilcoxon's W = 24 is the rank sum of the negative differences; ours that of the positive.
    let wilcoxon = solve(&table, paired("wilcoxon(d)", &["d"]));
    assert_eq!(statistic(&wilcoxon), 120.0 - 24.0);
    close(wilcoxon.quantities[0].estimate, 0.041259765625);
}

/// Small samples enumerated by hand, or exact in R and SciPy.
#[test]
fn small_independent_samples() {
    let table = groups(&[&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0, 7.0]]);
    close(exact(&table, by_groups("mean_difference(x)"), TwoSided), 2.0 / 35.0);
    // SciPy's documentation of `mannwhitneyu`.
    let table = groups(&[&[19.0, 22.0, 16.0, 29.0, 24.0], &[20.0, 11.0, 17.0, 12.0]]);
    close(exact(&table, by_groups("mean_difference(x)"), TwoSided), 10.0 / 126.0);
    let u = solve(&table, by_groups("mann_whitney(x)"));
    assert_eq!(statistic(&u), 17.0);
    close(u.quantities[0].estimate, 0.1111111111111111);
    // SciPy's documentation of `ttest_ind`, without trimming: one of 120 splits in the upper tail.
    let a = [56.0, 128.6, 12.0, 123.8, 64.34, 78.0, 763.3];
    let table = groups(&[&a, &[1.1, 2.9, 4.2]]);
    let t = solve(&table, by_groups("t(x)"));
    assert!((statistic(&t) - 1.0993051861).abs() < 1e-10);
    close(t.quantities[0].estimate, 2.0 / 120.0);
}

/// Correlations of 7 and 8 pairs, over all 5,040 and 40,320 pairings.
#[test]
fn correlations() {
    let pairs =
        |x: &[f64], y: &[f64]| Table::from_numbers([("x", x.to_vec()), ("y", y.to_vec())]).unwrap();
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    // SciPy's documentation of `pearsonr`.
    let table = pairs(&x, &[10.0, 9.0, 2.5, 6.0, 4.0, 3.0, 2.0]);
    for text in ["correlation(x, y)", "pearson(y, x)"] {
        let answer = solve(&table, pairings(text));
        assert!((statistic(&answer) + 0.8285038835884277).abs() < 1e-15);
        close(exact(&table, pairings(text), Absolute), 142.0 / 5040.0);
    }
    let table = pairs(&x, &[2.0, 1.0, 4.0, 3.0, 7.0, 5.0, 6.0]);
    let answer = solve(&table, pairings("spearman(x, y)"));
    assert!((statistic(&answer) - 0.8214285714285714).abs() < 1e-15);
    close(exact(&table, pairings("correlation(x, y)"), Absolute), 0.0341269841269841);
    close(answer.quantities[0].estimate, 0.0341269841269841);
    let law = law_school();
    let first = |name: &str| law.numbers(name).unwrap()[..8].to_vec();
    let table = pairs(&first("lsat"), &first("gpa"));
    let answer = solve(&table, pairings("correlation(x, y)"));
    assert!((statistic(&answer) - 0.8032780126).abs() < 1e-10);
    close(exact(&table, pairings("correlation(x, y)"), Greater), 349.0 / 40_320.0);
    close(exact(&table, pairings("correlation(x, y)"), Absolute), 974.0 / 40_320.0);
    // A product of a column that moves and one that stays within an expression: bound anew.
    close(exact(&table, pairings("mean(x*y)"), Greater), 349.0 / 40_320.0);
}

/// Three outcomes of two groups of four, Welch's t: enumerated over all 70 splits.
#[test]
fn westfall_and_young() {
    let rows = [
        [5.1, 2.0, 3.3],
        [4.8, 2.2, 3.1],
        [5.6, 1.9, 2.7],
        [5.0, 2.6, 3.6],
        [6.3, 2.1, 2.5],
        [5.9, 2.9, 3.0],
        [6.1, 2.4, 2.2],
        [6.8, 2.7, 2.9],
    ];
    let column = |place: usize| rows.map(|row: [f64; 3]| row[place]).to_vec();
    let label = Column::Labels(Labels::new(["a", "a", "a", "a", "b", "b", "b", "b"]));
    let number = |place: usize| Column::Numbers(column(place).into());
    let columns = vec![
        ("u".into(), number(0)),
        ("v".into(), number(1)),
        ("w".into(), number(2)),
        ("g".into(), label),
    ];
    let table = Table::new(columns).unwrap();
    let texts = ["welch_t(u)", "welch_t(v)", "welch_t(w)"].map(str::to_owned).to_vec();
    let options = PermutationOptions {
        statistic: Formulas::Many(texts),
        alternative: Some(Absolute),
        ..by_groups("")
    };
    let answer = solve(&table, options.clone());
    let list = |key: &str| -> Vec<f64> {
        answer.extra[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    };
    for (found, expected) in list("statistic").iter().zip([-4.467914967, -1.498090388, 1.987272938])
    {
        assert!((found - expected).abs() < 1e-8, "{found} {expected}");
    }
    let of = |counts: [f64; 3]| counts.map(|count| count / 70.0).to_vec();
    let raw: Vec<f64> = answer.quantities.iter().map(|quantity| quantity.estimate).collect();
    assert_eq!(raw, of([2.0, 16.0, 8.0]));
    assert_eq!(list("adjusted_single_step"), of([4.0, 30.0, 16.0]));
    assert_eq!(list("adjusted"), of([4.0, 16.0, 14.0]));
    // Sampled, `b` of 69 give (b + 1)/70, each within five of its standard errors.
    let sampled = solve(&table, PermutationOptions { resamples: 69, ..options });
    assert_eq!(sampled.method, "monte carlo");
    let adjusted = sampled.extra["adjusted"].as_array().unwrap();
    for (found, expected) in adjusted.iter().zip([4.0, 16.0, 14.0]) {
        let (found, p) = (found.as_f64().unwrap(), expected / 70.0);
        assert!((found - p).abs() <= 5.0 * (p * (1.0 - p) / 69.0f64).sqrt(), "{found} {p}");
    }
}

/// A statistic by its formula and by a function of the gathered columns: the same distribution.
#[test]
fn a_users_function_sees_what_formulas_see() {
    let table = groups(&[&[19.0, 22.0, 16.0, 29.0, 24.0], &[20.0, 11.0, 17.0, 12.0]]);
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let difference = Columns(move |samples: &[&[f64]]| mean(samples[0]) - mean(samples[1]));
    let keeping = PermutationOptions { distribution: true, ..by_groups("mean_difference(x)") };
    let formula = solve(&table, keeping.clone());
    let user = Permutation::with_statistic(&table, &[], difference, keeping).unwrap();
    let user = user.solve(&Serial, &Control::default()).unwrap();
    assert_eq!(user.quantities[0].estimate, formula.quantities[0].estimate);
    assert_eq!(user.distribution[0].len(), 126);
    for (a, b) in user.distribution[0].iter().zip(&formula.distribution[0]) {
        assert!((a - b).abs() < 1e-12);
    }
    let pairs = Table::from_numbers([
        ("x", vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ("y", vec![2.0, 1.0, 4.0, 3.0, 7.0, 5.0]),
    ])
    .unwrap();
    let product = Columns(|c: &[&[f64]]| c[0].iter().zip(c[1]).map(|(x, y)| x * y).sum());
    let user = Permutation::with_statistic(&pairs, &[], product, pairings("")).unwrap();
    let user = user.solve(&Serial, &Control::default()).unwrap();
    let formula = solve(&pairs, pairings("correlation(x, y)"));
    assert_eq!(user.quantities[0].estimate, formula.quantities[0].estimate);
}

/// SciPy 1.17 with the same data: `permutation_test` of the statistic in its own words, exact.
#[test]
fn every_test_statistic_is_as_in_scipy() {
    let golden = include_str!("../../../../tests/golden/scipy_permutation.tsv");
    let a = [2.1, 3.4, 1.9, 5.6, 3.4];
    let b = [4.4, 6.1, 3.4, 7.2];
    let c = [1.2, 2.1, 8.3];
    let two = groups(&[&a, &b]);
    let three = groups(&[&a[..3], &b[..3], &c]);
    let columns = [
        ("x", a.to_vec()),
        ("y", vec![1.0, 2.5, 2.5, 0.3, 4.0]),
        ("z", vec![3.0, 1.0, 2.0, 2.0, 5.5]),
    ];
    let related = Table::from_numbers(columns).unwrap();
    let mut seen = 0;
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, design, value, p] = fields[..] else { panic!("{line}") };
        let (value, p): (f64, f64) = (value.parse().unwrap(), p.parse().unwrap());
        let (table, options) = match design {
            "two" => (&two, by_groups(name)),
            "three" => (&three, by_groups(name)),
            "paired" => (&related, paired(name, &["x", "y"])),
            "related" => (&related, paired(name, &["x", "y", "z"])),
            _ => (&related, pairings(name)),
        };
        let answer = solve(table, options);
        assert_eq!(answer.method, "exact", "{line}");
        let found = statistic(&answer);
        assert!((found - value).abs() <= 1e-10 * value.abs(), "{line}: {found}");
        let found = answer.quantities[0].estimate;
        assert!((found - p).abs() <= 1e-12, "{line}: {found}");
        seen += 1;
    }
    assert!(seen >= TESTS.len(), "each test statistic has its line");
    for test in TESTS {
        assert!(golden.contains(&format!("\n{}(", test.name)), "{}", test.name);
    }
}

fn long(rows: usize) -> Table {
    let x: Vec<f64> =
        (0..rows).map(|row| (row * 7919 % 101) as f64 / 10.0 + row as f64 * 0.02).collect();
    let y: Vec<f64> =
        (0..rows).map(|row| (row * 104_729 % 97) as f64 / 7.0 + row as f64 * 0.01).collect();
    let g = Labels::new((0..rows).map(|row| ["a", "b", "c"][row * 31 % 5 % 3]));
    let h = Labels::new((0..rows).map(|row| ["left", "right"][row * 17 % 11 % 2]));
    let s = Labels::new((0..rows).map(|row| ["s", "t"][row * 13 % 7 % 2]));
    Table::new(vec![
        ("x".into(), Column::Numbers(x.into())),
        ("y".into(), Column::Numbers(y.into())),
        ("g".into(), Column::Labels(g)),
        ("h".into(), Column::Labels(h)),
        ("s".into(), Column::Labels(s)),
    ])
    .unwrap()
}

/// Every design and way of computing, on many rows.
fn jobs() -> Vec<PermutationOptions> {
    let two = |text| PermutationOptions { groups: Some("h".into()), ..options(text) };
    let within = |options| PermutationOptions { strata: Some("s".into()), ..options };
    let list = [
        two("mean_difference(x)"),
        two("welch_t(x)"),
        two("median_difference(x)"),
        two("energy_distance(x)"),
        within(two("t(x)")),
        by_groups("f(x)"),
        by_groups("kruskal_wallis(x) + mean(y)"),
        by_groups("quantile(x.a, 0.3) - mad(y.b)"),
        within(by_groups("f(x)")),
        paired("paired_t(x, y)", &["x", "y"]),
        paired("median(x - y)", &["x", "y"]),
        paired("mean(x)", &["x"]),
        pairings("correlation(x, y)"),
        pairings("kendall(x, y)"),
        pairings("distance_correlation(x, y)"),
        within(pairings("spearman(x, y)")),
        pairings("slope(y, x) + covariance(x, log(1 + y))"),
    ];
    list.into_iter().map(|options| PermutationOptions { resamples: 500, ..options }).collect()
}

#[test]
fn the_answer_is_the_same_bytes_on_every_mapping() {
    for options in jobs() {
        let options = PermutationOptions { distribution: true, resamples: 2_000, ..options };
        let problem = Permutation::new(&long(60), options.clone()).unwrap().with_seed(9u64.into());
        let rows = verify(&problem, &Control::default()).unwrap();
        assert!(rows.iter().all(|row| row.same), "{options:?}");
    }
}

/// The mean and the variance of the statistic over random permutations against those over all of
/// them, for small data that take the same ways as large ones: within five standard errors.
#[test]
fn the_law_of_drawn_permutations_is_that_of_all() {
    for options in jobs() {
        let of = |resamples| {
            let rows = if options.samples.is_some() { 10 } else { 7 };
            let kept = PermutationOptions { resamples, distribution: true, ..options.clone() };
            let problem = Permutation::new(&long(rows), kept);
            let answer = problem.ok()?.with_seed(4u64.into());
            let answer = answer.solve(&Serial, &Control::default()).unwrap();
            let values = &answer.distribution[0];
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let power = |k: i32| values.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / n;
            Some((answer.method, mean, power(2), power(4), n))
        };
        let Some((method, mean, variance, fourth, _)) = of(200_000) else { continue };
        if method != "exact" {
            continue;
        }
        let Some((_, drawn, spread, _, n)) = of(39) else { continue };
        assert!((drawn - mean).abs() <= 5.0 * (variance / n).sqrt() + 1e-12, "{options:?}");
        let error = ((fourth - variance * variance).max(0.0) / n).sqrt();
        assert!((spread - variance).abs() <= 5.0 * error + 0.1 * variance, "{options:?}");
    }
}

/// Centred, with a sum of squares of 1.
fn standardised(x: impl Iterator<Item = f64>) -> Vec<f64> {
    let x: Vec<f64> = x.collect();
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let length = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>().sqrt();
    x.into_iter().map(|x| (x - mean) / length).collect()
}

/// Up to 1,024 rows and beyond, where the random numbers are others: over all pairings a sum of
/// products with mean 0 has the variance Σ x² Σ y² / (n - 1), by strata the sum of theirs; over all
/// labels of k groups the share of the squares between them has the mean (k - 1)/(n - 1). Within
/// five standard errors of 20,000 permutations: ten numbers, a false alarm in 100,000 new seeds.
#[test]
fn many_rows_are_permuted_as_few_are() {
    for rows in [1_000, 1_500, 5_000] {
        let table = long(rows);
        let n = rows as f64;
        let of = |options: PermutationOptions| {
            let options = PermutationOptions { distribution: true, resamples: 20_000, ..options };
            solve(&table, options).distribution.remove(0)
        };
        let check = |values: &[f64], variance: f64, name: &str| {
            let draws = values.len() as f64;
            let power = |k: i32| values.iter().map(|v| v.powi(k)).sum::<f64>() / draws;
            let name = format!("{name} of {rows} rows");
            assert!(power(1).abs() < 5.0 * (variance / draws).sqrt(), "{name}: {}", power(1));
            let error = ((power(4) - variance * variance) / draws).sqrt();
            assert!((power(2) - variance).abs() < 5.0 * error, "{name}: {} {variance}", power(2));
        };
        let [x, y] = ["x", "y"].map(|name| table.numbers(name).unwrap());
        check(&of(pairings("correlation(x, y)")), 1.0 / (n - 1.0), "one column");
        let both = standardised(x.iter().copied()).into_iter();
        let both = both.zip(standardised(x.iter().map(|x| x * x))).map(|(a, b)| (a + b).powi(2));
        let found = of(pairings("correlation(x, y) + correlation(x^2, y)"));
        check(&found, both.sum::<f64>() / (n - 1.0), "two columns");

        let strata = table.labels("s").unwrap();
        let (mut mean, mut variance) = (0.0, 0.0);
        let [u, v] = [x, y].map(|x| standardised(x.iter().copied()));
        for name in ["s", "t"] {
            let within: Vec<usize> = (0..rows).filter(|&row| strata.get(row) == name).collect();
            let size = within.len() as f64;
            let sums = |x: &[f64]| {
                let mean = within.iter().map(|&row| x[row]).sum::<f64>() / size;
                (mean, within.iter().map(|&row| (x[row] - mean).powi(2)).sum::<f64>())
            };
            let ((a, squares), (b, others)) = (sums(&u), sums(&v));
            mean += size * a * b;
            variance += squares * others / (size - 1.0);
        }
        let options =
            PermutationOptions { strata: Some("s".into()), ..pairings("correlation(x, y)") };
        let found: Vec<f64> = of(options).into_iter().map(|r| r - mean).collect();
        check(&found, variance, "strata");

        let (between, rest) = (2.0, n - 3.0);
        let share = |f: &f64| between * f / (between * f + rest);
        let shares: Vec<f64> = of(by_groups("f(x)")).iter().map(share).collect();
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        let variance = shares.iter().map(|r| (r - mean).powi(2)).sum::<f64>();
        let error = variance.sqrt() / shares.len() as f64;
        assert!((mean - between / (n - 1.0)).abs() < 5.0 * error, "{rows} rows: {mean} ± {error}");
    }
}

/// With a p-value of 0.1410 by enumeration, the sampled one lies within five of its errors; its
/// interval is that of Clopper and Pearson.
#[test]
fn a_sampled_p_value_comes_with_its_error() {
    let options = PermutationOptions {
        groups: Some("group".into()),
        alternative: Some(Greater),
        resamples: 9_999,
        ..options("mean_difference(survival)")
    };
    let answer = solve(&mouse(), options.clone());
    assert_eq!(answer.method, "monte carlo");
    let p = &answer.quantities[0];
    assert!((p.estimate - 1613.0 / 11_440.0).abs() < 5.0 * p.mcse);
    let b = answer.extra["exceedances"].as_u64().unwrap() as f64;
    assert_eq!(p.estimate, (b + 1.0) / 10_000.0);
    let interval = p.interval.as_ref().unwrap();
    assert!(interval.low < b / 9999.0 && b / 9999.0 < interval.high);
    assert_eq!(interval.method, "clopper-pearson");

    let options = PermutationOptions { tolerance: Some(0.01), ..options };
    let few = solve(&mouse(), options.clone());
    assert!(few.complete && few.quantities[0].mcse <= 0.01 && few.draws.count < 9_999);
    let missed = solve(&mouse(), PermutationOptions { tolerance: Some(1e-6), ..options });
    assert!(missed.notes[0].contains("not reached"), "{:?}", missed.notes);
}

/// Besag and Clifford (1991): the job stops at the exceedance asked for, wherever it runs.
#[test]
fn a_sequential_test_stops_at_the_same_permutation_everywhere() {
    let options = PermutationOptions {
        groups: Some("h".into()),
        exceedances: Some(20),
        alternative: Some(Greater),
        resamples: 1_000_000,
        distribution: true,
        ..options("mean_difference(x)")
    };
    let problem = Permutation::new(&long(300), options.clone()).unwrap().with_seed(5u64.into());
    let rows = verify(&problem, &Control::default()).unwrap();
    assert!(rows.iter().all(|row| row.same));
    let answer = problem.solve(&Threads::new(3), &Control::default()).unwrap();
    assert!(answer.complete && answer.draws.count < 1_000_000);
    let (observed, values) = (statistic(&answer), &answer.distribution[0]);
    let mut extreme = values.iter().enumerate().filter(|(_, value)| **value >= observed);
    let last = extreme.nth(19).unwrap().0 as f64 + 1.0;
    let p = &answer.quantities[0];
    assert_eq!(p.estimate, 20.0 / last);
    assert!((p.mcse - p.estimate * ((1.0 - p.estimate) / 20.0).sqrt()).abs() < 1e-15);
    let interval = p.interval.as_ref().unwrap();
    assert!(interval.low < p.estimate && p.estimate < interval.high);
    // Where permutations run out before, the p-value is the plain one.
    let rare = PermutationOptions { exceedances: Some(400), resamples: 500, ..options };
    let rare = solve(&long(300), rare);
    assert!(rare.notes[0].starts_with("fewer than 400"), "{:?}", rare.notes);
}

#[test]
fn an_interrupted_test_keeps_what_is_done() {
    let options = PermutationOptions {
        resamples: 10_000_000,
        groups: Some("h".into()),
        ..options("welch_t(x)")
    };
    let problem = Permutation::new(&long(500), options).unwrap();
    struct Stop(Cancel);
    impl windfall_core::Observer for Stop {
        fn tick(&self, progress: &windfall_core::Progress) {
            if progress.tasks > 0 {
                self.0.stop();
            }
        }
    }
    let cancel = Cancel::default();
    let stop = Stop(cancel.clone());
    let control = Control { cancel, observer: Some(&stop) };
    let answer = problem.solve(&Threads::new(2), &control).unwrap();
    assert!(!answer.complete && answer.draws.count > 0 && answer.draws.count < 10_000_000);
    assert!(answer.quantities[0].mcse > 0.0);
}

#[track_caller]
fn refused(table: &Table, options: PermutationOptions, parts: &[&str]) {
    let error: Result<Permutation> = Permutation::new(table, options);
    let message = error.map(drop).map_err(|error: Error| error.to_string()).unwrap_err();
    for part in parts {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_a_remedy() {
    let table = &long(20);
    refused(table, options("mean(x)"), &["`groups` is `missing`", "hint:"]);
    let both = PermutationOptions { groups: Some("g".into()), ..pairings("correlation(x, y)") };
    refused(table, both, &["the only one of"]);
    refused(table, by_groups("mean(x)"), &["`mean(x)`", "permutations change", "x.a"]);
    refused(table, by_groups("t(x)"), &["`t`", "two groups", "kruskal_wallis"]);
    refused(table, by_groups("f(x.a)"), &["`x.a`", "leave out the label"]);
    refused(table, by_groups("spearman(x, y)"), &["permutations change"]);
    refused(table, by_groups("kendall(x, y)"), &["`kendall`", "a permuted column"]);
    refused(table, by_groups("ff(x)"), &["ff"]);
    refused(table, by_groups("coefficients(x, y)"), &["slope(y, x)"]);
    refused(table, pairings("spearman(y, y^2)"), &["must pair `x`"]);
    refused(table, pairings("kendall(x, x + y)"), &["must pair `x`"]);
    refused(table, paired("mean(y)", &["x"]), &["permutations change"]);
    refused(table, paired("mean(x)", &["g"]), &["`g`"]);
    refused(table, paired("", &["x"; 7]), &["at most 6"]);
    let strata = PermutationOptions { strata: Some("s".into()), ..paired("mean(x)", &["x"]) };
    refused(table, strata, &["`strata` is `s`"]);
    refused(table, PermutationOptions { resamples: 0, ..by_groups("f(x)") }, &["`0`"]);
    refused(table, PermutationOptions { level: 95.0, ..by_groups("f(x)") }, &["`level` is `95`"]);
    let none = PermutationOptions { exceedances: Some(0), ..by_groups("f(x)") };
    refused(table, none, &["exceedances"]);
    let two =
        PermutationOptions { exceedances: Some(5), tolerance: Some(0.1), ..by_groups("f(x)") };
    refused(table, two, &["`exceedances` is `5`", "choose"]);
    let one = groups(&[&[1.0, 2.0]]);
    refused(&one, by_groups("f(x)"), &["too few", "groups"]);
    let constant = groups(&[&[1.0, 1.0], &[1.0, 1.0]]);
    refused(&constant, by_groups("t(x)"), &["permutations change"]);
    let constant = groups(&[&[1.0, 2.0], &[1.0, 1.0]]);
    refused(&constant, by_groups("variance_ratio(x)"), &["a number on the data themselves"]);
}

/// Statistics that are large whatever the departure are tested in the upper tail.
#[test]
fn the_usual_alternative_is_that_of_the_statistic() {
    let of = |options| match &solve(&long(20), options).extra["alternative"] {
        Value::String(text) => text.clone(),
        other => panic!("{other}"),
    };
    assert_eq!(of(by_groups("f(x)")), "greater");
    assert_eq!(of(by_groups("f(x) + 1")), "two-sided");
    assert_eq!(of(pairings("distance_correlation(x, y)")), "greater");
    assert_eq!(of(pairings("kendall(x, y)")), "two-sided");
    let less = PermutationOptions { alternative: Some(Less), ..by_groups("f(x)") };
    assert_eq!(of(less), "less");
    assert!(TESTS.iter().any(|test| test.serves == Serves::Samples && test.is_large_when_extreme));
}
