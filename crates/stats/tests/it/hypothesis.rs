//! Hypothesis tests against SciPy 1.17.1 and statsmodels 0.14, on data with and without ties.

use windfall_stats::hypothesis::Alternative::{self, Greater, Less, TwoSided};
use windfall_stats::hypothesis::{
    TestResult, anova, chi_square, correlation, equivalence, fisher, linear, log_rank, logistic,
    mann_whitney, proportion, signed_rank, t,
};

const ALTERNATIVES: [Alternative; 3] = [TwoSided, Less, Greater];

/// Survival of 16 mice, of which 7 were treated: Efron & Tibshirani (1993), table 2.1.
const TREATED: [f64; 7] = [94., 197., 16., 38., 99., 141., 23.];
const CONTROL: [f64; 9] = [52., 104., 146., 10., 51., 30., 40., 27., 46.];
/// Darwin's differences of crossed and self-fertilised maize, in eighths of an inch.
const DARWIN: [f64; 15] =
    [49., -67., 8., 16., 6., 23., 28., 41., 14., 29., 56., 24., 75., 60., -48.];
const TIED_X: [f64; 10] = [5., 3., 8., 9., 2., 2., 7., 5., 6., 1.];
const TIED_Y: [f64; 11] = [4., 4., 9., 12., 11., 8., 5., 7., 10., 13., 6.];

#[track_caller]
fn near(found: TestResult, statistic: f64, p_value: f64) {
    let close = |found: f64, expected: f64| (found - expected).abs() <= 2e-12 * expected.abs();
    assert!(close(found.statistic, statistic), "{} is not {statistic}", found.statistic);
    assert!(close(found.p_value, p_value), "{} is not {p_value}", found.p_value);
}

#[track_caller]
fn near_each(test: impl Fn(Alternative) -> TestResult, statistic: f64, p_values: [f64; 3]) {
    for (alternative, p_value) in ALTERNATIVES.into_iter().zip(p_values) {
        near(test(alternative), statistic, p_value);
    }
}

#[test]
fn t_tests() {
    let p = [0.32815432156769714, 0.8359228392161514, 0.16407716078384857];
    near_each(|side| t::one_sample(&TREATED, 60.0, side), 1.06426082291634, p);
    let p = [0.28121258479530004, 0.85939370760235, 0.14060629239765002];
    near_each(|side| t::two_sample(&TREATED, &CONTROL, side), 1.1208453991208167, p);
    let p = [0.31550065412252576, 0.8422496729387371, 0.15775032706126288];
    near_each(|side| t::welch(&TREATED, &CONTROL, side), 1.0587105873754061, p);
    let p = [0.049702944021800866, 0.9751485279890996, 0.024851472010900433];
    near_each(|side| t::paired(&DARWIN, &[0.0; 15], side), 2.1479874613311205, p);
    assert!(t::one_sample(&[1.0], 0.0, TwoSided).p_value.is_nan());
}

#[test]
fn analysis_of_variance() {
    let found = anova::one_way(&[&TIED_X, &TIED_Y, &TREATED]);
    near(found, 15.761123238538188, 3.7282706023606284e-05);
}

#[test]
fn equivalence_of_means() {
    let found = equivalence::two_one_sided(&TIED_X, &TIED_Y, -6.0, 2.5);
    near(found, 2.081974503938371, 0.02555181400505425);
}

#[test]
fn proportions() {
    let p = [0.0707011448659829, 0.9646494275670086, 0.03535057243299145];
    near_each(|side| proportion::one_sample(37.0, 60.0, 0.5, side), 1.8073922282301285, p);
    let p = [0.1397191967974891, 0.06985959839874455, 0.9301404016012554];
    let both = |side| proportion::two_sample((37.0, 60.0), (41.0, 55.0), side);
    near_each(both, -1.476837518499938, p);
    assert_eq!(proportion::two_sample((0.0, 9.0), (0.0, 5.0), TwoSided).p_value, 1.0);
}

#[test]
fn exact_tables() {
    let p = [0.034965034965034975, 0.9991258741258742, 0.024475524475524483];
    near_each(|side| fisher::exact([[8, 2], [1, 5]], side), 20.0, p);
    let p = [0.48571428571428565, 0.9857142857142858, 0.24285714285714283];
    near_each(|side| fisher::exact([[3, 1], [1, 3]], side), 9.0, p);
    let p = [0.0011638814788114003, 0.0006172465874853677, 0.9999109288997865];
    near_each(|side| fisher::exact([[10, 25], [22, 9]], side), 0.16363636363636364, p);
}

#[test]
fn counts() {
    let found = chi_square::goodness_of_fit(&[16., 18., 16., 14., 12., 12.], &[1.0 / 6.0; 6]);
    near(found, 2.0, 0.8491450360846096);
    let found = chi_square::goodness_of_fit(&[30., 14., 6.], &[0.5, 0.3, 0.2]);
    near(found, 2.666666666666667, 0.2635971381157267);
    let found = chi_square::independence(&[10., 10., 20., 20., 20., 20.], 3);
    near(found, 2.7777777777777777, 0.24935220877729622);
}

#[test]
fn correlations() {
    let (x, y) = ([1., 2., 3., 4., 5., 6., 7.], [10., 9., 2.5, 6., 4., 3., 2.]);
    let found = correlation::pearson(&x, &y, TwoSided);
    near(found, -0.8285038835884277, 0.021280260007523342);
}

#[test]
fn rank_sums() {
    // Exact, as one sample has fewer than nine values and none are tied.
    let p = [0.6805944055944056, 0.6967657342657342, 0.3402972027972028];
    near_each(|side| mann_whitney::rank_sum(&TREATED, &CONTROL, side), 36.0, p);
    let p = [0.037150614953446785, 0.018575307476723393, 0.9844094025034686];
    near_each(|side| mann_whitney::rank_sum(&TIED_X, &TIED_Y, side), 25.0, p);
    // Two published tables: 2/35 and U = 17 of (19, 22, 16, 29, 24) and (20, 11, 17, 12).
    let found = mann_whitney::rank_sum(&[1., 2., 3.], &[4., 5., 6., 7.], TwoSided);
    near(found, 0.0, 2.0 / 35.0);
    let found = mann_whitney::rank_sum(&[19., 22., 16., 29., 24.], &[20., 11., 17., 12.], TwoSided);
    near(found, 17.0, 0.1111111111111111);
}

#[test]
fn signed_ranks() {
    let p = [0.041259765625, 0.982330322265625, 0.0206298828125];
    near_each(|side| signed_rank::signed_rank(&DARWIN, side), 96.0, p);
    let tied = [3., -1., 2., 2., 0., 5., -2., 7., 4., 0., 1., 6., -3., 8.];
    let p = [0.03375728251926588, 0.9831213587403671, 0.01687864125963294];
    near_each(|side| signed_rank::signed_rank(&tied, side), 66.0, p);
}

#[test]
fn regressions() {
    let x = [1., 2., 3., 4., 5., 6., 7., 8.];
    let other = [2., 1., 4., 3., 6., 5., 8., 9.];
    let y = [1.1, 2.3, 2.8, 4.1, 5.2, 5.8, 7.1, 7.7];
    let found = linear::slope(&y, &x, &[&other], TwoSided);
    assert!((found.statistic / 10.50229889537314 - 1.0).abs() < 1e-10);
    assert!((found.p_value / 0.0001350809521799692 - 1.0).abs() < 1e-9);
    let double: Vec<f64> = x.iter().map(|x| 2.0 * x + 1.0).collect();
    assert!(linear::slope(&y, &x, &[&double], TwoSided).p_value.is_nan(), "collinear");

    // The space shuttle's O-rings: failure by temperature in Fahrenheit.
    let temperature = [
        66., 70., 69., 68., 67., 72., 73., 70., 57., 63., 70., 78., 67., 53., 67., 75., 70., 81.,
        76., 79., 75., 76., 58.,
    ];
    let failed = [8, 9, 10, 13, 20, 22, 1];
    let y: Vec<f64> = (0..23).map(|row| f64::from(u8::from(failed.contains(&row)))).collect();
    let found = logistic::slope(&y, &temperature, TwoSided);
    near(found, -2.1449575492721493, 0.031956241249453884);
    let found = logistic::coefficient(&y, &temperature).unwrap();
    assert!((found.estimate + 0.232162744219).abs() < 1e-11);
    assert!((found.standard_error - 0.108236521649).abs() < 1e-11);
    assert!(logistic::coefficient(&[0., 0., 1., 1.], &[1., 2., 3., 4.]).is_none(), "separated");
}

#[test]
fn survival() {
    let group = |first: bool, events: &[f64], censored: &[f64]| {
        let events = events.iter().map(|&time| (time, true));
        let all = events.chain(censored.iter().map(|&time| (time, false)));
        let subject = |(time, event)| log_rank::Subject { time, event, first };
        all.map(subject).collect::<Vec<_>>()
    };
    let mut subjects = group(true, &[8., 15., 32., 40., 61.], &[10., 20., 70.]);
    subjects.extend(group(false, &[5., 9., 12., 15., 22.], &[30.]));
    let p = [0.05900878980232201, 0.029504394901161007, 0.970495605098839];
    near_each(|side| log_rank::log_rank(&subjects, side), -1.888127842972391, p);
}
