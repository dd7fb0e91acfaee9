//! Coverage of the intervals of coefficients, and p-values that are uniform where nothing is.

use windfall_core::{Control, Numbers, Problem, Seed, Stream, Streams, Threads};
use windfall_stats::fit::{Arrays, Family, Fit, FitOptions, StandardErrors};

/// Groups of a study.
const GROUPS: usize = 20_000;

/// Fits `GROUPS` samples of `rows` rows (x, y), drawn by `draw`, with an intercept.
fn fits(
    rows: usize,
    options: FitOptions,
    draw: impl Fn(&mut Stream) -> (f64, f64),
) -> windfall_core::Table {
    let streams = Streams::new(Seed::from(7u64), "fits");
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for group in 0..GROUPS {
        let mut stream = streams.task(group as u64);
        for _ in 0..rows {
            let (own, response) = draw(&mut stream);
            x.push(own);
            y.push(response);
        }
    }
    let arrays = Arrays {
        groups: GROUPS,
        rows,
        names: vec!["x".into()],
        x: Numbers::from(x),
        y: Numbers::from(y),
        weights: None,
        clusters: None,
        intercept: true,
    };
    let fit = Fit::arrays(arrays, options).expect("the arrays go together");
    let answer = fit.solve(&Threads::new(2), &Control::default()).expect("nothing stops it");
    answer.table.expect("fits are a table")
}

/// Checks that the share of intervals of the slope that hold `truth` is the stated one.
fn assert_coverage(table: &windfall_core::Table, truth: f64, stated: f64) {
    let column = |name| table.numbers(name).expect("every group has a fit");
    let ends = column("low").iter().zip(column("high")).skip(1).step_by(2);
    let held = ends.filter(|(low, high)| **low <= truth && truth <= **high).count();
    let (share, groups) = (held as f64 / GROUPS as f64, GROUPS as f64);
    let error = (stated * (1.0 - stated) / groups).sqrt();
    println!("coverage {share:.4}, stated {stated:.4} ± {error:.4}");
    assert!((share - stated).abs() < 5.0 * error, "covers {share}, stated {stated} ± {error}");
}

/// Checks that p-values of the slope are uniform: the largest gap of their distribution function,
/// which exceeds 2.6 / √n once in 750,000 (Kolmogorov).
fn assert_uniform(table: &windfall_core::Table) {
    let p_values = table.numbers("p_value").expect("every group has a fit");
    let mut slopes: Vec<f64> = p_values.iter().skip(1).step_by(2).copied().collect();
    slopes.sort_by(f64::total_cmp);
    let n = slopes.len() as f64;
    let gaps = slopes.iter().enumerate().map(|(place, p)| {
        let (before, after) = (place as f64 / n, (place as f64 + 1.0) / n);
        (p - before).abs().max((after - p).abs())
    });
    let gap = gaps.fold(0.0, f64::max) * n.sqrt();
    println!("largest gap {gap:.3} / √n");
    assert!(gap < 2.6, "p-values are not uniform: {gap} / √n");
}

#[test]
fn least_squares_is_exact_for_normal_errors() {
    let line = |s: &mut Stream| {
        let x = s.exponential();
        (x, 1.0 + 2.0 * x + s.normal())
    };
    assert_coverage(&fits(9, FitOptions::default(), line), 2.0, 0.95);
    assert_uniform(&fits(5, FitOptions::default(), |s| (s.exponential(), s.normal())));
}

/// Stated: a run with ten times as many groups, drawn by NumPy. Plain intervals fail where the
/// variance grows with x; HC3 nearly hold.
#[test]
fn robust_errors_hold_where_plain_ones_fail() {
    let fan = |s: &mut Stream| {
        let x = s.exponential();
        (x, x * s.normal())
    };
    let with = |se| FitOptions { se: Some(se), ..Default::default() };
    assert_coverage(&fits(60, with(StandardErrors::Classical), fan), 0.0, 0.5994);
    assert_coverage(&fits(60, with(StandardErrors::Hc3), fan), 0.0, 0.9105);
}

/// Stated as above: the normal law of the estimates is a limit.
#[test]
fn logistic_and_poisson_intervals_cover_as_stated() {
    let family = |family| FitOptions { family, ..Default::default() };
    let binary = |s: &mut Stream| {
        let x = s.normal();
        let mean = 1.0 / (1.0 + (-0.5 * x).exp());
        (x, f64::from(s.uniform() < mean))
    };
    assert_coverage(&fits(100, family(Family::Logistic), binary), 0.5, 0.9530);
    let counts = |s: &mut Stream| {
        let x = s.normal();
        let mean = (1.0 + 0.3 * x).exp();
        let (mut count, mut time) = (0.0, s.exponential());
        while time < mean {
            count += 1.0;
            time += s.exponential();
        }
        (x, count)
    };
    assert_coverage(&fits(30, family(Family::Poisson), counts), 0.3, 0.9510);
}

/// Stated as above, with three times as many groups. The kernel smooths the peak of
/// this density away, so that the errors are stated too large.
#[test]
fn intervals_of_a_median_cover_as_stated() {
    let median = FitOptions { family: Family::Quantile, ..Default::default() };
    let line = |s: &mut Stream| {
        let x = s.normal();
        (x, x + s.exponential() - s.exponential())
    };
    assert_coverage(&fits(80, median, line), 1.0, 0.9837);
}
