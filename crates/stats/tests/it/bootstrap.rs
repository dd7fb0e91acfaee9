//! The bootstrap against exact enumerations, published values, SciPy, and itself.
//!
//! Seeds are fixed. Where a simulated number is held to an exact one, the allowance is five of its
//! own Monte Carlo errors: with another seed each comparison fails by chance less than once in a
//! million.

use windfall_core::{
    Answer, Cancel, Capabilities, Carries, Column, Control, Executor, JobSpec, Labels, Observer,
    Partial, Problem, Progress, Quantity, Serial, Sink, Source, Table, Work, Yield, verify,
};
use windfall_stats::REGISTRY;
use windfall_stats::bootstrap::{
    Alternative, BlockChoice, Bootstrap, BootstrapOptions, Method, Replicates,
};
use windfall_stats::statistic::Columns;

const MANY: u64 = 200_000;

/// LSAT and GPA of 15 law schools. Efron and Tibshirani (1993), table 3.1.
pub fn law_school() -> Table {
    let lsat = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594];
    let gpa = [339, 330, 281, 303, 344, 307, 300, 343, 336, 313, 312, 274, 276, 288, 296];
    let lsat = lsat.map(f64::from).to_vec();
    let gpa = gpa.map(|x| f64::from(x) / 100.0).to_vec();
    Table::from_numbers([("lsat", lsat), ("gpa", gpa)]).unwrap()
}

/// Populations of 10 cities in 1920 (u) and 1930 (x). Davison and Hinkley (1997), table 2.1.
pub fn city() -> Table {
    let u = [138, 93, 61, 179, 48, 37, 29, 23, 30, 2].map(f64::from).to_vec();
    let x = [143, 104, 69, 260, 75, 63, 50, 48, 111, 50].map(f64::from).to_vec();
    Table::from_numbers([("u", u), ("x", x)]).unwrap()
}

/// Survival of 7 treated and 9 control mice. Efron and Tibshirani (1993), table 2.1.
pub fn mouse() -> Table {
    let survival = [94, 197, 16, 38, 99, 141, 23, 52, 104, 146, 10, 51, 30, 40, 27, 46];
    let group = (0..16).map(|row| if row < 7 { "treatment" } else { "control" });
    let survival = Column::Numbers(survival.map(f64::from).to_vec().into());
    let group = Column::Labels(Labels::new(group));
    Table::new(vec![("group".into(), group), ("survival".into(), survival)]).unwrap()
}

/// Speed and stopping distance of 50 cars. Ezekiel (1930); R's data set `cars`.
fn cars() -> Table {
    let speed = [
        4, 4, 7, 7, 8, 9, 10, 10, 10, 11, 11, 12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15,
        15, 15, 16, 16, 17, 17, 17, 18, 18, 18, 18, 19, 19, 19, 20, 20, 20, 20, 20, 22, 23, 24, 24,
        24, 24, 25,
    ];
    let dist = [
        2, 10, 4, 22, 16, 10, 18, 26, 34, 17, 28, 14, 20, 24, 28, 26, 34, 34, 46, 26, 36, 60, 80,
        20, 26, 54, 32, 40, 32, 40, 50, 42, 56, 76, 84, 36, 46, 68, 32, 48, 52, 56, 64, 66, 54, 70,
        92, 93, 120, 85,
    ];
    let column = |values: [i32; 50]| values.map(f64::from).to_vec();
    Table::from_numbers([("speed", column(speed)), ("dist", column(dist))]).unwrap()
}

fn options(statistic: &str, method: Method, resamples: u64) -> BootstrapOptions {
    BootstrapOptions { statistic: statistic.into(), method, resamples, ..Default::default() }
}

fn solve(table: &Table, options: BootstrapOptions, seed: u64) -> Answer {
    let problem = Bootstrap::new(table, options).unwrap().with_seed(seed.into());
    problem.solve(&Serial, &Control::default()).unwrap()
}

fn one(table: &Table, options: BootstrapOptions, seed: u64) -> Quantity {
    solve(table, options, seed).quantities.remove(0)
}

#[track_caller]
fn near(found: f64, expected: f64, allowance: f64) {
    assert!((found - expected).abs() <= allowance, "{found} is not {expected} ± {allowance}");
}

#[track_caller]
fn ends(quantity: &Quantity, low: f64, high: f64) {
    let interval = quantity.interval.as_ref().unwrap();
    near(interval.low, low, 5.0 * interval.low_mcse);
    near(interval.high, high, 5.0 * interval.high_mcse);
    // The errors themselves must be of a sensible size.
    let width = high - low;
    assert!(interval.low_mcse > 0.0 && interval.low_mcse < 0.02 * width, "{interval:?}");
    assert!(interval.high_mcse > 0.0 && interval.high_mcse < 0.02 * width, "{interval:?}");
}

/// Exact values: all 77,558,760 multisets of 15 schools, enumerated.
#[test]
fn the_law_school_meets_the_ideal_bootstrap() {
    let correlation = "correlation(lsat, gpa)";
    let percentile = one(&law_school(), options(correlation, Method::Percentile, MANY), 1);
    near(percentile.estimate, 0.776_374_491_289_407, 1e-14);
    near(percentile.bias.unwrap(), 0.770_645_079 - 0.776_374_491, 5.0 * percentile.mcse);
    let answer = solve(&law_school(), options(correlation, Method::Basic, MANY), 2);
    let sd_mcse = answer.extra["standard_error_mcse"].as_f64().unwrap();
    near(answer.quantities[0].standard_error.unwrap(), 0.133_559_762, 5.0 * sd_mcse);
    ends(&percentile, 0.459_56, 0.961_85);
    ends(&answer.quantities[0], 0.590_90, 1.093_19);
    let answer = solve(&law_school(), options(correlation, Method::Bca, MANY), 3);
    near(answer.extra["acceleration"].as_f64().unwrap(), -0.075_671_564_937_9, 1e-12);
    near(answer.extra["z0"].as_f64().unwrap(), -0.096_993_068_7, 5.0 * 1.26 / (MANY as f64).sqrt());
    ends(&answer.quantities[0], 0.332_64, 0.941_71);
    let ninety = BootstrapOptions { level: 0.9, ..options(correlation, Method::Bca, MANY) };
    ends(&one(&law_school(), ninety, 4), 0.429_10, 0.926_86);
}

/// Exact values: all 92,378 multisets of 10 cities; BCa with ties counted one half.
#[test]
fn the_city_ratio_meets_the_ideal_bootstrap() {
    let percentile = one(&city(), options("ratio(x, u)", Method::Percentile, MANY), 5);
    near(percentile.estimate, 1.520_312_5, 1e-14);
    near(percentile.bias.unwrap(), 0.039_473_600_042, 5.0 * percentile.mcse);
    near(percentile.standard_error.unwrap(), 0.221_498_053_030, 5.0 * 0.3 * percentile.mcse * 4.0);
    ends(&percentile, 1.251_116_071, 2.106_976_744);
    let ninety =
        BootstrapOptions { level: 0.9, ..options("mean(x)/mean(u)", Method::Percentile, MANY) };
    ends(&one(&city(), ninety, 6), 1.285_714_286, 1.968_045_113);
    let answer = solve(&city(), options("ratio(x, u)", Method::Bca, MANY), 7);
    near(answer.extra["acceleration"].as_f64().unwrap(), -0.011_203_194_0, 1e-10);
    ends(&answer.quantities[0], 1.246_819, 2.088_957);
}

/// The exact law of the median of seven, by order statistics, and the ideal standard errors.
#[test]
fn the_mice_meet_their_exact_laws() {
    let base = |statistic: &str| BootstrapOptions {
        groups: Some("group".into()),
        distribution: true,
        ..options(statistic, Method::Percentile, MANY)
    };
    let answer = solve(&mouse(), base("median(survival.treatment)"), 8);
    assert!(answer.notes[0].starts_with("exact short cut"), "{:?}", answer.notes);
    let law = [
        (16.0, 0.010_150_05),
        (23.0, 0.098_123_60),
        (38.0, 0.238_626_28),
        (94.0, 0.306_200_16),
        (99.0, 0.238_626_28),
        (141.0, 0.098_123_60),
        (197.0, 0.010_150_05),
    ];
    for (value, chance) in law {
        let count = answer.distribution[0].iter().filter(|&&x| x == value).count();
        let error = (chance * (1.0 - chance) / MANY as f64).sqrt();
        near(count as f64 / MANY as f64, chance, 5.0 * error);
    }
    let treatment = &answer.quantities[0];
    near(treatment.estimate + treatment.bias.unwrap(), 79.728_844_76, 5.0 * treatment.mcse);
    near(treatment.standard_error.unwrap(), 37.834_674_39, 5.0 * treatment.mcse);
    let control = one(&mouse(), base("median(survival.control)"), 9);
    near(control.standard_error.unwrap(), 13.075_870_03, 5.0 * control.mcse);
    near(control.estimate + control.bias.unwrap(), 45.855_403_70, 5.0 * control.mcse);
    for (statistic, estimate, error) in [
        ("mean(survival.treatment)", 86.857_143, 23.363_523_44),
        ("mean(survival.control)", 56.222_222, 13.348_859_27),
        (
            "difference(survival.treatment, survival.control)",
            30.634_921,
            (23.363_523_44f64.powi(2) + 13.348_859_27f64.powi(2)).sqrt(),
        ),
    ] {
        let mean = one(&mouse(), base(statistic), 10);
        near(mean.estimate, estimate, 1e-6);
        near(mean.standard_error.unwrap(), error, 5.0 * mean.mcse);
        near(mean.bias.unwrap(), 0.0, 5.0 * mean.mcse);
    }
}

/// Variances of the mean under block designs and the Bayesian bootstrap, in closed form.
#[test]
fn designs_meet_their_closed_forms() {
    let x = vec![2.1, 1.7, 3.0, 2.8, 4.1, 3.9, 5.2, 4.4, 3.1, 2.9, 1.2, 0.8];
    let table = Table::from_numbers([("x", x)]).unwrap();
    let of = |blocks: Option<BlockChoice>, length: f64, bayesian: bool| {
        let options = BootstrapOptions {
            blocks,
            block_length: blocks.map(|_| length),
            bayesian,
            ..options("mean(x)", Method::Percentile, MANY)
        };
        let answer = solve(&table, options, 11);
        let error = answer.extra["standard_error_mcse"].as_f64().unwrap();
        (answer.quantities[0].clone(), error)
    };
    use BlockChoice::{Circular, Moving, Stationary};
    for (blocks, length, bayesian, variance) in [
        (None, 0.0, false, 0.134_768_519),
        (None, 0.0, true, 0.124_401_709),
        (Some(Circular), 2.0, false, 0.226_412_037),
        (Some(Circular), 3.0, false, 0.295_416_667),
        (Some(Circular), 4.0, false, 0.327_685_185),
        (Some(Circular), 6.0, false, 0.286_273_148),
        (Some(Moving), 2.0, false, 0.210_626_722),
        (Some(Moving), 3.0, false, 0.222_136_111),
        (Some(Moving), 4.0, false, 0.207_674_897),
        (Some(Moving), 6.0, false, 0.083_469_388),
        (Some(Stationary), 10.0, false, 0.135_454_958),
        (Some(Stationary), 4.0, false, 0.226_647_653),
        (Some(Stationary), 2.0, false, 0.230_811_412),
    ] {
        let (mean, error) = of(blocks, length, bayesian);
        let found = mean.standard_error.unwrap();
        near(found, f64::sqrt(variance), 5.0 * error);
    }
    let (mean, _) = of(Some(Moving), 6.0, false);
    near(mean.estimate + mean.bias.unwrap(), 3.502_380_952, 5.0 * mean.mcse);
}

/// SciPy's own intervals, from the file that names its version and seeds.
#[test]
fn scipy_agrees_on_every_statistic_and_method() {
    let golden = include_str!("../../../../tests/golden/scipy_bootstrap.tsv");
    let mut rows = 0;
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |place: usize| fields[place].parse::<f64>().unwrap();
        let method = match fields[2] {
            "percentile" => Method::Percentile,
            "basic" => Method::Basic,
            _ => Method::Bca,
        };
        let (table, groups) = match fields[0] {
            "cars" => (cars(), None),
            _ => (mouse(), Some("group".to_owned())),
        };
        let options = BootstrapOptions { groups, ..options(fields[1], method, MANY) };
        let answer = solve(&table, options, 12);
        let (quantity, sd_mcse) =
            (&answer.quantities[0], answer.extra["standard_error_mcse"].as_f64().unwrap());
        let interval = quantity.interval.as_ref().unwrap();
        rows += 1;
        if number(3).is_nan() {
            // Leaving a row out never changes this one: neither side defines the interval.
            assert!(interval.low.is_nan() && interval.high.is_nan(), "{line}");
            continue;
        }
        // A statistic with few values has ends that jump by a whole value, of which neither
        // side's error tells: allow a hundredth of the interval.
        let slack = 0.01 * (interval.high - interval.low);
        let both = |ours: f64, theirs: f64| 5.0 * (ours * ours + theirs * theirs).sqrt();
        near(interval.low, number(3), both(interval.low_mcse, number(4)).max(slack));
        near(interval.high, number(5), both(interval.high_mcse, number(6)).max(slack));
        near(quantity.standard_error.unwrap(), number(7), both(sd_mcse, number(8)));
    }
    assert_eq!(rows, 48);
}

/// The stated errors of the ends against their spread over 200 seeds. A spread of 200 values has
/// a relative error of 5 %; the allowance is five of those, and the mean of the stated errors is
/// itself within a few per cent.
#[test]
fn the_stated_errors_are_the_spread_over_seeds() {
    for (statistic, method) in [
        ("correlation(lsat, gpa)", Method::Percentile),
        ("correlation(lsat, gpa)", Method::Basic),
        ("correlation(lsat, gpa)", Method::Normal),
        ("correlation(lsat, gpa)", Method::Bca),
        ("mean(gpa)", Method::Studentised),
        ("sd(lsat)", Method::Bca),
    ] {
        let problem = Bootstrap::new(&law_school(), options(statistic, method, 4_000)).unwrap();
        let mut problem = problem;
        let (mut lows, mut highs, mut stated) = (Vec::new(), Vec::new(), [0.0; 2]);
        for seed in 0..200u64 {
            problem = problem.with_seed((1_000 + seed).into());
            let answer = problem.solve(&Serial, &Control::default()).unwrap();
            let interval = answer.quantities[0].interval.clone().unwrap();
            lows.push(interval.low);
            highs.push(interval.high);
            stated[0] += interval.low_mcse / 200.0;
            stated[1] += interval.high_mcse / 200.0;
        }
        for (values, stated) in [(lows, stated[0]), (highs, stated[1])] {
            let mean = values.iter().sum::<f64>() / 200.0;
            let spread =
                (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 199.0).sqrt();
            let ratio = stated / spread;
            assert!((0.78..1.3).contains(&ratio), "{statistic} {method:?}: {stated} {spread}");
        }
    }
}

/// The short cut, the sums and the general way have one law: their standard errors and quantiles
/// agree within Monte Carlo error.
#[test]
fn every_way_to_draw_has_the_same_law() {
    let table = cars();
    let base = |statistic: &str| options(statistic, Method::Percentile, MANY);
    // `0*mad(dist)` forces the general way.
    for statistic in ["median(dist)", "quantile(dist, 0.9)", "mean(dist)", "slope(dist, speed)"] {
        let short = one(&table, base(statistic), 13);
        let general = one(&table, base(&format!("{statistic} + 0*mad(dist)")), 14);
        near(short.estimate, general.estimate, 1e-12);
        let error = 5.0 * std::f64::consts::SQRT_2 * short.mcse;
        near(short.bias.unwrap(), general.bias.unwrap(), error);
        near(short.standard_error.unwrap(), general.standard_error.unwrap(), error);
    }
    // A user's function sees rows.
    let mean =
        Columns(|columns: &[&[f64]]| columns[0].iter().sum::<f64>() / columns[0].len() as f64);
    let gathered = Bootstrap::with_statistic(&table, &["dist".into()], mean, base("")).unwrap();
    let answer = gathered.with_seed(15u64.into()).solve(&Serial, &Control::default()).unwrap();
    let (rows, sums) = (&answer.quantities[0], one(&table, base("mean(dist)"), 16));
    near(rows.estimate, sums.estimate, 1e-12);
    near(rows.standard_error.unwrap(), sums.standard_error.unwrap(), 7.0 * sums.mcse);
}

/// Strata, clusters and case weights, by the variance of a mean in closed form.
#[test]
fn strata_clusters_and_weights_meet_their_closed_forms() {
    let y = vec![2.0, 3.0, 1.0, 5.0, 7.0, 6.0, 4.0, 4.0, 5.0, 9.0, 8.0, 8.5];
    let g: Vec<f64> = (0..12).map(|row| f64::from(row / 3)).collect();
    let w = vec![1.0, 2.0, 1.0, 0.5, 3.0, 1.0, 1.0, 2.0, 1.0, 1.0, 0.25, 1.0];
    let table = Table::from_numbers([("y", y.clone()), ("g", g), ("w", w)]).unwrap();
    let of = |statistic: &str, change: &dyn Fn(&mut BootstrapOptions)| {
        let mut options = options(statistic, Method::Percentile, MANY);
        change(&mut options);
        let answer = solve(&table, options, 31);
        (answer.quantities[0].clone(), answer.extra["standard_error_mcse"].as_f64().unwrap())
    };
    let variance = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / values.len() as f64
    };
    // Each stratum of three keeps its size: the mean of four independent means of three.
    let within: f64 = y.chunks(3).map(|three| variance(three) / 3.0).sum::<f64>() / 16.0;
    let (mean, error) = of("mean(y)", &|o| o.strata = Some("g".into()));
    near(mean.standard_error.unwrap(), within.sqrt(), 5.0 * error);
    // Four clusters drawn from four.
    let means: Vec<f64> = y.chunks(3).map(|three| three.iter().sum::<f64>() / 3.0).collect();
    let (mean, error) = of("mean(y)", &|o| o.clusters = Some("g".into()));
    near(mean.standard_error.unwrap(), (variance(&means) / 4.0).sqrt(), 5.0 * error);
    // A weighted mean is a ratio of means.
    let (weighted, error) = of("mean(y)", &|o| o.weights = Some("w".into()));
    let (ratio, _) = of("ratio(w*y, w)", &|_| {});
    near(weighted.estimate, ratio.estimate, 1e-14);
    near(weighted.standard_error.unwrap(), ratio.standard_error.unwrap(), 7.0 * error);
    // Weighted parts take the general way; a weight of 1 changes nothing.
    let (heavy, error) = of("median(y) + 0*mean(w)", &|o| o.weights = Some("g".into()));
    assert!(heavy.estimate > 6.0 && heavy.standard_error.unwrap() > error);
}

/// Stopping in the middle keeps what is done and says so.
#[test]
fn a_stopped_run_answers_from_what_is_there() {
    struct StopAtOnce(Cancel);
    impl Observer for StopAtOnce {
        fn tick(&self, _: &Progress) {
            self.0.stop();
        }
    }
    let x: Vec<f64> = (0..20_000u32).map(|i| f64::from(i * 7919 % 20_011)).collect();
    let table = Table::from_numbers([("x", x)]).unwrap();
    let problem =
        Bootstrap::new(&table, options("mean(x)", Method::Percentile, 2_000_000)).unwrap();
    let cancel = Cancel::default();
    let observer = StopAtOnce(cancel.clone());
    let control = Control { cancel, observer: Some(&observer) };
    let answer = problem.with_seed(32u64.into()).solve(&Serial, &control).unwrap();
    assert!(!answer.complete && answer.draws.count > 0 && answer.draws.count < 2_000_000);
    assert!(answer.quantities[0].interval.as_ref().unwrap().low.is_finite());
}

/// A job file gives the same bytes in this process and through text and bytes alone, the second
/// job of bca included.
#[test]
fn a_job_file_runs_anywhere() {
    struct Mice;
    impl Source for Mice {
        fn table(&self, _: &str) -> windfall_core::Result<Table> {
            Ok(mouse())
        }
    }
    /// Sees the job as text and yields bytes, as every executor on another machine does.
    struct Afar;
    impl Executor for Afar {
        fn capabilities(&self) -> Capabilities {
            Capabilities { name: "afar".into(), workers: 1, carries: Carries::Specs }
        }
        fn run(
            &self,
            work: &dyn Work,
            sink: &dyn Sink,
            tick: &mut dyn FnMut(),
        ) -> windfall_core::Result<()> {
            let spec = JobSpec::from_toml(&work.spec().unwrap().to_toml())?;
            let problem = REGISTRY.build(&spec, &Mice)?;
            for index in work.shards().iter() {
                sink.put(index, Yield::Bytes(problem.run_shard(problem.shards().get(index))?))?;
                tick();
            }
            Ok(())
        }
    }
    for statistic in [
        "'median(survival.treatment) - median(survival.control)'",
        "['mean(survival.treatment)', 'mad(survival.control)']",
    ] {
        let spec = JobSpec::from_toml(&format!(
            "problem = 'bootstrap'\nseed = 33\ndata = 'mouse.csv'\nmethod = 'bca'\n\
             groups = 'group'\nresamples = 2000\nstatistic = {statistic}"
        ))
        .unwrap();
        let problem = REGISTRY.build(&spec, &Mice).unwrap();
        assert_eq!(problem.spec(), Some(&spec));
        let here = problem.solve(&Serial, &Control::default()).unwrap();
        let afar = problem.solve(&Afar, &Control::default()).unwrap();
        assert_eq!(here.to_bytes(), afar.to_bytes());
    }
    let misspelt = JobSpec::from_toml(
        "problem = 'bootstrap'\ndata = 'mouse.csv'\nstatistic = 'mean(survival)'\nmethod = 'bac'",
    );
    let message = REGISTRY.build(&misspelt.unwrap(), &Mice).err().unwrap().to_string();
    assert!(message.contains("`method`") && message.contains("bca"), "{message}");
}

/// Studentised intervals: in closed form where there is one, nested elsewhere.
#[test]
fn studentised_intervals_know_their_standard_errors() {
    // Infinitesimal-jackknife standard errors: law school 0.124276255, city 0.180243540.
    for (table, statistic, error) in [
        (law_school(), "correlation(lsat, gpa)", 0.124_276_255),
        (city(), "ratio(x, u)", 0.180_243_540),
    ] {
        let answer = solve(&table, options(statistic, Method::Studentised, 999), 17);
        near(answer.extra["infinitesimal_jackknife_error"].as_f64().unwrap(), error, 1e-8);
    }
    let answer = one(&law_school(), options("mean(gpa)", Method::Studentised, MANY), 17);
    let interval = answer.interval.unwrap();
    assert!(interval.low < answer.estimate && answer.estimate < interval.high);
    // Nested and closed forms of the mean differ only by the noise of the inner error.
    let nested = BootstrapOptions {
        inner_resamples: 200,
        ..options("mean(gpa) + 0*mad(gpa)", Method::Studentised, 20_000)
    };
    let nested = one(&law_school(), nested, 18).interval.unwrap();
    near(nested.low, interval.low, 0.1 * (interval.high - interval.low));
    near(nested.high, interval.high, 0.1 * (interval.high - interval.low));
}

#[test]
fn one_sided_intervals_have_one_end() {
    let base = |alternative, level| BootstrapOptions {
        alternative,
        level,
        ..options("mean(x)", Method::Percentile, 9_999)
    };
    let both = one(&city(), base(Alternative::TwoSided, 0.9), 19).interval.unwrap();
    let less = one(&city(), base(Alternative::Less, 0.95), 19).interval.unwrap();
    let greater = one(&city(), base(Alternative::Greater, 0.95), 19).interval.unwrap();
    assert_eq!((less.low, less.low_mcse), (f64::NEG_INFINITY, 0.0));
    assert_eq!((greater.high, greater.high_mcse), (f64::INFINITY, 0.0));
    near(less.high, both.high, 1e-9);
    near(greater.low, both.low, 1e-9);
}

/// The regression of Ezekiel's cars: coefficients by R, standard errors of resampled rows near
/// the robust ones (HC0 5.5419, 0.3987).
#[test]
fn a_regression_gives_all_its_coefficients() {
    let answer = solve(&cars(), options("coefficients(dist, speed)", Method::Bca, 20_000), 20);
    let names: Vec<&str> = answer.quantities.iter().map(|q| q.name.as_str()).collect();
    assert_eq!(names, ["intercept", "speed"]);
    near(answer.quantities[0].estimate, -17.579_094_890_51, 1e-9);
    near(answer.quantities[1].estimate, 3.932_408_759_12, 1e-10);
    near(answer.quantities[0].standard_error.unwrap(), 5.75, 0.4);
    near(answer.quantities[1].standard_error.unwrap(), 0.41, 0.03);
    let slope = one(&cars(), options("slope(dist, speed)", Method::Percentile, 20_000), 20);
    near(slope.estimate, 3.932_408_759_12, 1e-10);
}

/// Every path answers the same bytes on every mapping.
#[test]
fn every_path_answers_the_same_bytes_everywhere() {
    let with = |statistic: &str, method: Method, change: &dyn Fn(&mut BootstrapOptions)| {
        let mut options = options(statistic, method, 5_000);
        options.distribution = true;
        change(&mut options);
        options
    };
    let correlation = "correlation(lsat, gpa)";
    let cases = [
        with(correlation, Method::Bca, &|_| {}),
        with("median(lsat)", Method::Bca, &|_| {}),
        with("trimmed_mean(lsat, 0.1) + mean(gpa)", Method::Bca, &|_| {}),
        with("spearman(lsat, gpa)", Method::Basic, &|_| {}),
        with("mean(lsat)", Method::Studentised, &|_| {}),
        with("median(lsat)", Method::Studentised, &|o| o.inner_resamples = 20),
        with("coefficients(gpa, lsat)", Method::Normal, &|_| {}),
        with("quantile(lsat, 0.3)", Method::Percentile, &|o| o.bayesian = true),
        with("mean(lsat)", Method::Percentile, &|o| {
            (o.blocks, o.block_length) = (Some(BlockChoice::Stationary), Some(3.0));
        }),
        with(correlation, Method::Bca, &|o| {
            (o.tolerance, o.resamples) = (Some(0.004), 1_000_000);
        }),
    ];
    for options in cases {
        let problem =
            Bootstrap::new(&law_school(), options.clone()).unwrap().with_seed(21u64.into());
        let rows = verify(&problem, &Control::default()).unwrap();
        assert!(rows.iter().all(|row| row.same), "{options:?} {rows:?}");
    }
    // Large enough for many shards.
    let x: Vec<f64> = (0..5_000u32).map(|i| f64::from(i * 7919 % 5003)).collect();
    let table = Table::from_numbers([("x", x)]).unwrap();
    for statistic in ["mean(x)", "trimmed_mean(x, 0.2)"] {
        let problem = Bootstrap::new(&table, with(statistic, Method::Percentile, &|_| {})).unwrap();
        assert!(problem.shards().count() > 3);
        let rows = verify(&problem.with_seed(22u64.into()), &Control::default()).unwrap();
        assert!(rows.iter().all(|row| row.same), "{statistic} {rows:?}");
    }
}

#[test]
fn a_tolerance_is_kept_with_fewer_resamples() {
    let tolerant = BootstrapOptions {
        tolerance: Some(0.004),
        ..options("correlation(lsat, gpa)", Method::Percentile, 10_000_000)
    };
    let answer = solve(&law_school(), tolerant, 23);
    let interval = answer.quantities[0].interval.as_ref().unwrap();
    assert!(interval.low_mcse <= 0.004 && interval.high_mcse <= 0.004);
    assert!(answer.complete && answer.draws.count < 1_000_000, "{}", answer.draws.count);
}

#[test]
fn replicates_are_a_monoid_that_travels() {
    let of = |values: &[f64]| {
        let mut part = Replicates::with_capacity(2, 4);
        part.columns_mut().iter_mut().for_each(|column| column.extend_from_slice(values));
        part
    };
    let (a, b, c) = (of(&[1.0, f64::MIN_POSITIVE]), of(&[-0.0]), of(&[2.5, 3.5]));
    let left = a.clone().merge(b.clone()).merge(c.clone());
    assert_eq!(left, a.clone().merge(b.merge(c)));
    assert_eq!(Replicates::empty().merge(a.clone()), a);
    assert_eq!(a.clone().merge(Replicates::empty()), a);
    let mut bytes = Vec::new();
    left.encode(&mut bytes);
    assert_eq!(Replicates::decode(&bytes).unwrap(), left);
    for broken in [&bytes[..bytes.len() - 1], &[255; 8][..], &[][..]] {
        assert!(Replicates::decode(broken).is_err());
    }
}

#[test]
fn odd_data_give_an_answer_or_a_clear_error() {
    let table = |x: &[f64]| Table::from_numbers([("x", x.to_vec()), ("y", x.to_vec())]).unwrap();
    let error = |table: &Table, options: BootstrapOptions| {
        let built = Bootstrap::new(table, options);
        let error = match built {
            Ok(problem) => problem.solve(&Serial, &Control::default()).unwrap_err(),
            Err(error) => error,
        };
        error.to_string()
    };
    let mean = |method| options("mean(x)", method, 999);
    // Constant data: nothing varies, and bca says that it is not defined.
    let answer = solve(&table(&[0.1; 9]), mean(Method::Bca), 1);
    assert_eq!(answer.quantities[0].standard_error, Some(0.0));
    assert!(answer.notes[0].contains("the same on every resample"), "{:?}", answer.notes);
    let answer = one(&table(&[0.1; 9]), mean(Method::Percentile), 1).interval.unwrap();
    assert_eq!((answer.low, answer.high, answer.low_mcse), (0.1, 0.1, 0.0));
    // Resamples on which a correlation has no value are counted.
    let answer =
        solve(&table(&[1.0, 2.0, 3.0]), options("correlation(x, y)", Method::Percentile, 999), 1);
    assert!(answer.notes[0].contains("has no value on"), "{:?}", answer.notes);
    assert_eq!(answer.quantities[0].standard_error, Some(0.0));
    let cases = [
        (error(&table(&[1.0]), mean(Method::Bca)), "too few rows: `1`"),
        (error(&table(&[]), mean(Method::Bca)), "too few rows: `0`"),
        (error(&table(&[1.0, f64::NAN]), mean(Method::Bca)), "row 1"),
        (error(&law_school(), options("mean(lsta)", Method::Bca, 9)), "`lsat`"),
        (error(&law_school(), options("maen(lsat)", Method::Bca, 9)), "`mean`"),
        (error(&law_school(), options("mean(lsat)", Method::Bca, 0)), "too few resamples"),
        (error(&mouse(), options("mean(group)", Method::Bca, 9)), "a column of numbers"),
        (error(&law_school(), options("quantile(lsat, 2)", Method::Bca, 9)), "a level from 0 to 1"),
        (error(&law_school(), options("log(mean(lsat) - 1e4)", Method::Bca, 9)), "a number"),
        (error(&law_school(), options("mean(log(gpa - 3))", Method::Bca, 9)), "row 2"),
    ];
    for (message, part) in cases {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
    let both = error(&law_school(), options("mean(lsta) + maen(gpa)", Method::Bca, 9));
    assert!(both.contains("lsta") && both.contains("maen"), "{both}");
    let blocked = BootstrapOptions {
        blocks: Some(BlockChoice::Moving),
        block_length: Some(3.0),
        ..options("mean(lsat)", Method::Bca, 9)
    };
    assert!(error(&law_school(), blocked).contains("hint: "));
}
