//! Power from outside: exact values, every test, short cuts against full data, what is refused.

use crate::shared::{build, solve};
use windfall_core::{
    Answer, Cancel, Control, JobSpec, Observer, Problem, Progress, Seed, Serial, Stream,
    read_options, verify,
};
use windfall_stats::hypothesis::{Alternative, anova, mann_whitney, t};
use windfall_stats::power::{Point, Power, PowerOptions, TESTS};
use windfall_stats::statistic::Columns;

/// Solves the job, from summaries and, where that is another way, from full data.
fn both_ways(text: &str, simulations: u64) -> [Answer; 2] {
    let job = format!("problem = 'power'\nsimulations = {simulations}\nseed = 31\n{text}");
    [solve(&job).unwrap(), solve(&format!("{job}\nfull_data = true")).unwrap()]
}

/// Five standard errors: a false alarm once in 1.7 million, were the seeds new. `error` is that of
/// the expected value, where it is itself simulated.
#[track_caller]
fn holds(text: &str, simulations: u64, expected: f64, error: f64) {
    for answer in both_ways(text, simulations) {
        let power = &answer.quantities[0];
        let band = 5.0 * power.mcse.hypot(error) + 1e-9;
        let off = power.estimate - expected;
        assert!(
            off.abs() < band,
            "{text}: {} is not {expected}: {:?}",
            power.estimate,
            answer.notes
        );
        assert!(
            (power.mcse / (expected * (1.0 - expected) / simulations as f64).sqrt() - 1.0).abs()
                < 0.1
        );
    }
}

/// Power of the two-sample t test by the noncentral t law: R 4.2.2, `power.t.test`; rounded in
/// J. Cohen, "Statistical Power Analysis for the Behavioral Sciences" (1988), table 2.3.5.
#[test]
fn two_sample_t_is_exact() {
    for (d, n, expected) in [
        (0.2, 20, 0.09456733),
        (0.2, 50, 0.16767549),
        (0.2, 100, 0.29064587),
        (0.5, 20, 0.33793903),
        (0.5, 50, 0.69689341),
        (0.5, 64, 0.80145956),
        (0.5, 100, 0.94042720),
        (0.8, 20, 0.69340420),
        (0.8, 50, 0.97727909),
    ] {
        holds(&format!("test = 't-test'\neffect = {d}\nn = {n}"), 200_000, expected, 0.0);
    }
    // SciPy 1.17.1, scipy.stats.nct, as all exact values below that name no other source.
    holds("test = 't-test'\neffect = 0.5\nn = 30\nratio = 2", 200_000, 0.5993610910, 0.0);
    holds("test = 't-test'\neffect = 2\nn = 3", 200_000, 0.4626408119, 0.0);
    holds("test = 't-test'\neffect = 3\nn = 2", 200_000, 0.3874001285, 0.0);
    let text = "test = 't-test'\neffect = 0.5\nn = 50\nalpha = 0.01\nalternative = 'greater'";
    holds(text, 200_000, 0.5553191354, 0.0);
    let text = "test = 't-test'\neffect = -0.5\nn = 50\nalpha = 0.01\nalternative = 'less'";
    holds(text, 200_000, 0.5553191354, 0.0);
}

#[test]
fn other_tests_of_means_are_exact() {
    holds("test = 'one-sample-t'\neffect = 0.4\nn = 34", 200_000, 0.6195138331, 0.0);
    holds("test = 'paired-t'\neffect = 0.4\nn = 34", 200_000, 0.6195138331, 0.0);
    let text = "test = 'welch'\ngroups = ['normal(1, 1)', 'normal(0, 2)']\nn = 20\nratio = 1.5";
    holds(text, 200_000, 0.6271396651, 0.0);
    // R 4.2.2, pwr.anova.test.
    for (f, arms, n, expected) in [
        (0.25, 2, 20, 0.33793903),
        (0.25, 3, 20, 0.37443108),
        (0.25, 4, 20, 0.42039009),
        (0.25, 5, 20, 0.46633120),
        (0.4, 5, 20, 0.8960555411),
    ] {
        let text = format!("test = 'anova'\neffect = {f}\narms = {arms}\nn = {n}");
        holds(&text, 100_000, expected, 0.0);
    }
    // By quadrature over the law of the pooled variance.
    holds("test = 'tost'\nmargin = 0.5\nn = 70", 200_000, 0.8059311816, 0.0);
    let text = "test = 'equivalence'\nmargin = 0.6\neffect = 0.1\nn = 40\nratio = 1.25";
    holds(text, 200_000, 0.7045451158, 0.0);
    let text = "test = 'cluster'\neffect = 0.4\nn = 15\ncluster_size = 20\nicc = 0.05";
    holds(text, 40_000, 0.9230095110, 0.0);
}

/// By adding up all tables.
#[test]
fn tests_of_counts_are_exact() {
    let text = "test = 'proportions'\nproportions = [0.6, 0.4]\nn = 60";
    holds(text, 100_000, 0.6122276697, 0.0);
    let text = "test = 'fisher'\nproportions = [0.7, 0.4]\nn = 25\nratio = 1.2";
    holds(text, 100_000, 0.5374898431, 0.0);
    holds("test = 'proportion'\nproportions = 0.65\nn = 80", 100_000, 0.7950554587, 0.0);
    let text = "test = 'goodness-of-fit'\nprobabilities = [0.5, 0.3, 0.2]\nn = 60";
    holds(text, 60_000, 0.7476907038, 0.0);
    // NumPy, 2,000,000 simulations.
    let text = "test = 'independence'\nprobabilities = '0.1,0.2,0.15;0.2,0.15,0.2'\nn = 100";
    holds(text, 60_000, 0.396442, 0.000346);
}

/// pwr.chisq.test takes the noncentral chi-square law, true for large n: N for .80 is 87.20954,
/// 107.05210, 121.13959 and 132.61429 at w = .3 and 1 to 4 degrees of freedom; Cohen's h likewise
/// takes 392.44303, 62.79088 and 24.52769 a sample for h = .2, .5 and .8.
#[test]
fn effects_of_tables_are_cohens() {
    for (text, within) in [
        ("test = 'gof'\neffect = 0.3\ncells = 2\nn = 87", 0.03),
        ("test = 'gof'\neffect = 0.3\ncells = 3\nn = 107", 0.02),
        ("test = 'gof'\neffect = 0.3\ncells = 4\nn = 121", 0.02),
        ("test = 'gof'\neffect = 0.3\ncells = 5\nn = 133", 0.02),
        ("test = 'independence'\neffect = 0.3\ncells = [2, 3]\nn = 107", 0.02),
        ("test = 'independence'\neffect = 0.3\ncells = '3,3'\nn = 133", 0.02),
        ("test = 'proportions'\neffect = 0.2\nn = 392", 0.01),
        ("test = 'proportions'\neffect = 0.5\nn = 63", 0.03),
        // Between 24, where it is .7921 by adding up all tables, and 25, where it is .8141.
        ("test = 'proportions'\neffect = 0.8\nn = 25", 0.03),
    ] {
        let power = both_ways(text, 40_000)[0].quantities[0].estimate;
        assert!((power - 0.8).abs() < within, "{text}: {power}");
    }
}

/// Exact given the predictors, integrated over the chi-square law of their spread; beside them the
/// approximation of R 4.2.2, `pwr.r.test`, which is off by less than 0.0007.
#[test]
fn slopes_are_exact() {
    for (r, exact, approximate) in [
        (0.1, 0.1060371773, 0.10637041),
        (0.3, 0.5721868446, 0.57155584),
        (0.5, 0.9671565757, 0.96698133),
    ] {
        let text = format!("test = 'correlation'\neffect = {r}\nn = 50");
        holds(&text, 60_000, exact, 0.0);
        holds(&text, 60_000, approximate, 0.0007);
    }
    holds("test = 'linear-regression'\neffect = 0.3\nn = 80", 60_000, 0.7424995667, 0.0);
    let text = "test = 'linear'\neffect = 0.5\ncovariates = 3\nr_squared = 0.4\nn = 60";
    holds(text, 40_000, 0.8008640835, 0.0);
}

/// Against SciPy 1.17.1 (`mannwhitneyu`, `wilcoxon`) and NumPy on simulated data, 200,000 to
/// 400,000 simulations each; the last number is the standard error of that.
#[test]
fn ranks_survival_and_odds_agree_with_others() {
    holds(
        "test = 'mann-whitney'\neffect = 0.6\nn = 30\nratio = 0.8334",
        20_000,
        0.5579775,
        0.00079,
    );
    let text = "test = 'mann-whitney'\ngroups = ['lognormal(0, 1)', 'lognormal(-0.9, 1)']\nn = 7\n\
                ratio = 1.7143";
    holds(text, 20_000, 0.39108, 0.0011);
    holds("test = 'wilcoxon'\neffect = 0.6\nn = 20", 20_000, 0.699245, 0.00103);
    let text = "test = 'log-rank'\neffect = 0.5\nn = 60\naccrual = 1\nfollow_up = 2";
    holds(text, 10_000, 0.885895, 0.00071);
    let odds = "test = 'logistic-regression'\neffect = 2\nbase_rate = 0.3\nn = 100";
    holds(odds, 10_000, 0.84708, 0.00057);
}

/// Without an effect a test rejects as often as it should; discrete ones at most that often.
#[test]
fn every_test_keeps_its_level() {
    for (text, exact) in [
        ("test = 't-test'\neffect = 0\nn = 10\nlaw = 'normal(5, 3)'", true),
        ("test = 'welch'\ngroups = ['normal(1, 1)', 'normal(1, 4)']\nn = 12", false),
        ("test = 'anova'\neffect = 0\narms = 4\nn = 5", true),
        ("test = 'correlation'\neffect = 0\nn = 12", true),
        ("test = 'linear'\neffect = 0\nn = 12\npredictor = 'bernoulli(0.5)'", true),
        ("test = 'mann-whitney'\neffect = 0\nn = 8\nlaw = 'gamma(2)'", false),
        ("test = 'wilcoxon'\neffect = 0\nn = 12\nlaw = 't(5)'", false),
        ("test = 'fisher'\nproportions = [0.3, 0.3]\nn = 20", false),
    ] {
        let answer = &both_ways(text, 20_000)[0];
        let level = &answer.quantities[0];
        let band = 5.0 * (0.05 * 0.95 / 20_000f64).sqrt();
        assert!(
            level.estimate < 0.05 + band + if exact { 0.0 } else { 0.004 },
            "{text}: {level:?}"
        );
        assert!(!exact || level.estimate > 0.05 - band, "{text}: {level:?}");
    }
}

/// The points of a curve see the same draws, so that power hardly ever falls from one to the next.
#[test]
fn a_curve_is_smooth_and_a_table() {
    for text in ["test = 't-test'\neffect = 0.5", "test = 'mann-whitney'\neffect = 0.5"] {
        for answer in both_ways(&format!("{text}\nn = '20:40:4'"), 4_000) {
            let power: Vec<f64> = answer.quantities.iter().map(|q| q.estimate).collect();
            // Independent points would fall about once in five steps of this size.
            let falls = power.windows(2).filter(|pair| pair[1] < pair[0]).count();
            assert!(falls == 0, "{power:?}");
            assert_eq!(answer.quantities[1].name, "power at n = 24");
            let table = answer.table.unwrap();
            assert_eq!(
                table.names().collect::<Vec<_>>(),
                ["n", "effect", "power", "mcse", "low", "high"]
            );
            assert_eq!(table.numbers("n").unwrap(), [20., 24., 28., 32., 36., 40.]);
            assert_eq!(table.numbers("power").unwrap(), power);
        }
    }
    // A curve over the effect; and each point is what it is alone.
    let job =
        "problem = 'power'\ntest = 't-test'\nn = 25\nseed = 4\nsimulations = 3001\nfull_data = ";
    for full in [true, false] {
        let curve = solve(&format!("{job}{full}\neffect = [0.2, 0.5, 0.8]")).unwrap();
        for (place, effect) in [0.2, 0.5, 0.8].into_iter().enumerate() {
            let alone = solve(&format!("{job}{full}\neffect = {effect}")).unwrap();
            assert_eq!(alone.quantities[0].estimate, curve.quantities[place].estimate);
        }
        assert_eq!(curve.quantities[2].name, "power at effect = 0.8");
    }
}

#[test]
fn a_tolerance_stops_early_and_alike() {
    let job =
        "problem = 'power'\ntest = 't-test'\neffect = 0.5\nn = 64\nseed = 3\ntolerance = 0.001";
    let answer = solve(job).unwrap();
    assert!(answer.quantities[0].mcse <= 0.001 && answer.draws.count < 3_000_000);
    let rows = verify(build(job).unwrap().as_ref(), &Control::default()).unwrap();
    assert!(rows.iter().all(|row| row.same), "{rows:?}");
    let text = "problem = 'power'\ntest = 't-test'\neffect = 0.5\nn = 64\nseed = 3\n\
                tolerance = 1e-5\n\
                simulations = 1000";
    assert!(solve(text).unwrap().notes.iter().any(|note| note.contains("was not reached")));
}

#[test]
fn any_number_of_simulations_is_counted_to_the_last() {
    for full in [true, false] {
        for n in [1, 7, 8, 9, 1000, 1003] {
            let text = format!(
                "problem = 'power'\ntest = 't-test'\neffect = 9\nn = 9\nseed = 3\n\
                 simulations = {n}\n\
                 full_data = {full}"
            );
            let answer = solve(&text).unwrap();
            assert_eq!((answer.draws.count, answer.quantities[0].estimate), (n, 1.0));
            assert!(answer.notes.iter().any(|note| note.contains("all simulations agree")));
        }
    }
}

#[test]
fn undefined_tests_are_counted_and_told() {
    let text =
        "problem = 'power'\ntest = 'logistic'\neffect = 20\nn = 8\nseed = 1\nsimulations = 2000";
    let answer = solve(text).unwrap();
    assert!(answer.notes.iter().any(|note| note.contains("allowed no test")), "{:?}", answer.notes);
}

#[test]
fn a_closure_is_a_test() {
    let test = |point: Point, stream: &mut Stream| {
        let mut x = vec![0.0; point.n as usize];
        stream.fill_normal(&mut x);
        x.iter_mut().for_each(|x| *x += point.effect.unwrap());
        t::one_sample(&x, 0.0, Alternative::TwoSided).p_value
    };
    let mut options =
        PowerOptions { n: 34.0.into(), simulations: Some(20_000), ..Default::default() };
    options.design.effect = 0.4.into();
    let power = Power::with_test(test, options.clone(), 5u64.into()).unwrap();
    let answer = power.solve(&Serial, &Control::default()).unwrap();
    let found = &answer.quantities[0];
    assert!((found.estimate - 0.6195138331).abs() < 5.0 * found.mcse, "{found:?}");
    let rows = verify(&power, &Control::default()).unwrap();
    assert!(rows.iter().all(|row| row.same), "{rows:?}");
    options.design.test = "t-test".into();
    assert!(Power::with_test(test, options, 5u64.into()).is_err());
}

/// The catalogue's tests that look at every value, asked by name and as a function of samples: the
/// same draws, hence the same counts, alone and along a curve.
#[test]
fn a_function_of_samples_sees_what_the_catalogue_sees() {
    fn rank_sum(samples: &[&[f64]]) -> f64 {
        mann_whitney::rank_sum(samples[0], samples[1], Alternative::TwoSided).p_value
    }
    fn student(samples: &[&[f64]]) -> f64 {
        t::two_sample(samples[0], samples[1], Alternative::TwoSided).p_value
    }
    fn one(samples: &[&[f64]]) -> f64 {
        t::one_sample(samples[0], 0.0, Alternative::TwoSided).p_value
    }
    fn variance(samples: &[&[f64]]) -> f64 {
        anova::one_way(samples).p_value
    }
    type OfSamples = fn(&[&[f64]]) -> f64;
    let cases: [(&str, OfSamples, &str, Option<u64>); 4] = [
        ("mann-whitney", rank_sum, "effect = 0.6\nratio = 1.5", None),
        ("t-test", student, "groups = ['gamma(2, 1)', 'gamma(2, 1.6)']", None),
        ("one-sample-t", one, "effect = 0.5\nlaw = 'lognormal(0, 1)'", Some(1)),
        ("anova", variance, "effect = 0.4\nlaw = 'exponential(1)'\narms = 3", Some(3)),
    ];
    for (name, test, design, arms) in cases {
        let text =
            format!("problem = 'power'\nn = [8, 20]\nsimulations = 3000\nseed = 11\n{design}");
        let known = solve(&format!("{text}\ntest = '{name}'")).unwrap();
        let job = JobSpec::from_toml(&text).unwrap();
        let mut options: PowerOptions = read_options(&job.options).unwrap();
        options.design.arms = arms;
        let power = Power::with_test_of_samples(Columns(test), options, 11u64.into()).unwrap();
        let own = power.solve(&Serial, &Control::default()).unwrap();
        assert_eq!(own.quantities, known.quantities, "{name}");
        assert!(own.quantities.iter().all(|one| (0.02..0.98).contains(&one.estimate)));
        let rows = verify(&power, &Control::default()).unwrap();
        assert!(rows.iter().all(|row| row.same), "{rows:?}");
    }
}

#[test]
fn a_function_that_gives_no_p_value_is_told_so() {
    let options = || {
        let mut options = PowerOptions { n: 5.0.into(), ..Default::default() };
        options.design.effect = 1.0.into();
        options
    };
    let seed = Seed::from(1u64);
    for wrong in [1.7, -0.1, f64::INFINITY] {
        let whole = Power::with_test(move |_, _: &mut Stream| wrong, options(), seed).unwrap();
        let test = Columns(move |_: &[&[f64]]| wrong);
        let of_samples = Power::with_test_of_samples(test, options(), seed).unwrap();
        for power in [whole, of_samples] {
            let error = power.solve(&Serial, &Control::default()).unwrap_err().to_string();
            assert!(error.contains(&format!("the test returned `{wrong}`")), "{error}");
        }
    }
    let nothing = Columns(|_: &[&[f64]]| f64::NAN);
    let answer = Power::with_test_of_samples(nothing, options(), seed).unwrap();
    let answer = answer.solve(&Serial, &Control::default()).unwrap();
    assert!(answer.notes.iter().any(|note| note.contains("allowed no test")), "{:?}", answer.notes);
    type Change = fn(&mut PowerOptions);
    let changes: [(Change, &str); 5] = [
        (|o| o.design.null = Some(1.0), "`null`"),
        (|o| o.design.groups = vec!["normal".into()], "`effect` is `given`"),
        (|o| o.design.alternative = Alternative::Less, "`alternative` is `given`"),
        (|o| o.design.alpha = 1.0, "`alpha` is `1`"),
        (|o| o.n = 2e8.into(), "`n` is `2"),
    ];
    for (change, part) in changes {
        let mut options = options();
        change(&mut options);
        let test = Columns(|_: &[&[f64]]| 0.5);
        let error = Power::with_test_of_samples(test, options, seed).err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_interrupted_run_keeps_its_simulations() {
    struct Stop(Cancel);
    impl Observer for Stop {
        fn tick(&self, progress: &Progress) {
            let moments = progress.moments.unwrap();
            assert!((moments.mean() - 0.80145956).abs() < 6.0 * moments.mcse());
            self.0.stop();
        }
    }
    let text =
        "problem = 'power'\ntest = 't-test'\neffect = 0.5\nn = 64\nsimulations = 1e12\nseed = 1";
    let cancel = Cancel::default();
    let stop = Stop(cancel.clone());
    let control = Control { cancel, observer: Some(&stop) };
    let answer = build(text).unwrap().solve(&Serial, &control).unwrap();
    assert!(!answer.complete && answer.draws.count < 1_000_000_000_000);
    let power = &answer.quantities[0];
    assert!((power.estimate - 0.80145956).abs() < 5.0 * power.mcse);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (text, part) in [
        ("", "`test` is `missing`"),
        ("test = 't-tset'", "did you mean `t-test`"),
        ("test = 't-test'\neffect = 0.5", "`n` is `missing`"),
        ("test = 't-test'\nn = 50", "`effect` is `missing`"),
        ("test = 't-test'\nn = 1\neffect = 1", "too few observations (`n`): `1`"),
        ("test = 't-test'\nn = 2.5\neffect = 1", "`n` is `2.5`"),
        ("test = 't-test'\nn = 1e9\neffect = 1", "at most 10^8"),
        ("test = 't-test'\nn = 'ten'\neffect = 1", "`n` is `ten`"),
        ("test = 't-test'\nn = 9\neffect = 1\nalpha = 5", "`alpha` is `5`"),
        ("test = 't-test'\nn = 9\neffect = 1\nicc = 0.1", "`t-test` has no use for it"),
        ("test = 't-test'\nn = 9\neffect = 1\nratio = 0", "`ratio` is `0`"),
        ("test = 't-test'\nn = 9\neffect = 1\nsimulations = 0", "too few simulations"),
        ("test = 't-test'\nn = 9\neffect = 1\nlevel = 95", "`level` is `95`"),
        ("test = 't-test'\nn = 9\neffect = 1\nlaw = 'cauchy(1)'", "unknown law `cauchy`"),
        ("test = 't-test'\nn = 9\neffect = 1\nlaw = 'poisson(3)'", "a continuous law"),
        ("test = 't-test'\nn = 9\neffect = 1\nlaw = 't(2)'", "standard deviation"),
        ("test = 't-test'\nn = 9\ngroups = ['normal(0, 1)']", "2 laws, one a sample"),
        ("test = 't-test'\nn = 9\neffect = 1\ngroups = ['normal', 'normal']", "left out where"),
        ("test = 'anova'\nn = 9\neffect = 1", "`arms` is `missing`"),
        ("test = 'anova'\nn = 9\neffect = 1\narms = 99", "`arms` is `99`"),
        ("test = 'tost'\nn = 9", "`margin` is `missing`"),
        ("test = 'cluster'\nn = 9\neffect = 1\nicc = 0.1", "`cluster_size` is `missing`"),
        ("test = 'cluster'\nn = 9\neffect = 1\nicc = 2\ncluster_size = 3", "`icc` is `2`"),
        ("test = 'fisher'\nn = 9\nproportions = [0.2, 1.3]", "`proportions` is `1.3`"),
        ("test = 'fisher'\nn = 9\nproportions = 0.2", "2 of them"),
        ("test = 'fisher'\nn = 90000\nproportions = [0.2, 0.3]", "use `proportions`"),
        ("test = 'gof'\nn = 9\neffect = 0.3", "`cells` is `missing`"),
        ("test = 'gof'\nn = 9\neffect = 1.5\ncells = 2", "`effect` is `1.5`"),
        ("test = 'gof'\nn = 9\nprobabilities = [0.3, 0.3]", "sum to 1"),
        ("test = 'independence'\nn = 9\nprobabilities = [0.5, 0.5]", "rows of one length"),
        ("test = 'correlation'\nn = 9\neffect = 1", "`effect` is `1`"),
        ("test = 'linear'\nn = 5\neffect = 1\ncovariates = 4", "too few rows"),
        ("test = 'linear'\nn = 9\neffect = 1\nr_squared = 0.5", "`r_squared` is `0.5`"),
        ("test = 'logistic'\nn = 9\neffect = -1", "`effect` is `-1`"),
        ("test = 'logistic'\nn = 9\neffect = 2\nbase_rate = 1", "`base_rate` is `1`"),
        ("test = 'log-rank'\nn = 9\neffect = 2\naccrual = 1", "`accrual` is `1`"),
        ("test = 'log-rank'\nn = 9\ngroups = ['normal', 'normal']", "laws of times"),
        ("tset = 't-test'", "unknown key `tset`; did you mean `test`"),
        ("test = 't-test'\nn = 9\neffect = 1\ndata = 'x.csv'", "`data` is `x.csv`"),
    ] {
        let message = match solve(&format!("problem = 'power'\n{text}")) {
            Ok(answer) => panic!("{text}: {answer:?}"),
            Err(error) => error.to_string(),
        };
        assert!(message.contains(part), "{text}: {message}");
    }
}

/// Every test of the catalogue takes its effect, and bigger effects have more power.
#[test]
fn the_catalogue_is_whole() {
    for row in TESTS {
        let more = match row.name {
            "anova" => "arms = 3",
            "cluster" => "cluster_size = 5\nicc = 0.1",
            "goodness-of-fit" => "cells = 4",
            "independence" => "cells = [2, 2]",
            "equivalence" => "margin = 1",
            _ => "",
        };
        let effects = match row.name {
            "equivalence" => [0.6, 0.1],
            "logistic-regression" | "log-rank" => [1.2, 3.0],
            _ => [0.1, 0.6],
        };
        for name in [&[row.name], row.aliases].concat() {
            let power = effects.map(|effect| {
                let text = format!(
                    "problem = 'power'\ntest = '{name}'\nn = 30\neffect = {effect}\nseed = 2\n\
                     simulations = 500\n{more}"
                );
                solve(&text).unwrap().quantities[0].estimate
            });
            assert!(power[1] > power[0] + 0.2, "{name}: {power:?}");
        }
    }
}
