//! Mixtures: published values, what every covariance shape must satisfy, and honest rounds.

use windfall_core::{
    Answer, Control, Executor, JobSpec, Problem, Result, Seed, Serial, Shard, Shuffled, Source,
    Streams, Table, Threads,
};
use windfall_stats::REGISTRY;
use windfall_stats::mixture::{Components, Given, GivenStarts, Mixture, MixtureOptions};

/// Velocities of 82 galaxies of the Corona Borealis region, in 1000 km/s (Roeder 1990, in the
/// version of R's `MASS::galaxies`).
const GALAXIES: [f64; 82] = [
    9.172, 9.350, 9.483, 9.558, 9.775, 10.227, 10.406, 16.084, 16.170, 18.419, 18.552, 18.600,
    18.927, 19.052, 19.070, 19.330, 19.343, 19.349, 19.440, 19.473, 19.529, 19.541, 19.547, 19.663,
    19.846, 19.856, 19.863, 19.914, 19.918, 19.973, 19.989, 20.166, 20.175, 20.179, 20.196, 20.215,
    20.221, 20.415, 20.629, 20.795, 20.821, 20.846, 20.875, 20.986, 21.137, 21.492, 21.701, 21.814,
    21.921, 21.960, 22.185, 22.209, 22.242, 22.249, 22.314, 22.374, 22.495, 22.746, 22.747, 22.888,
    22.914, 23.206, 23.241, 23.263, 23.484, 23.538, 23.542, 23.666, 23.706, 23.711, 24.129, 24.285,
    24.289, 24.366, 24.717, 24.990, 25.633, 26.690, 26.995, 32.065, 32.789, 34.279,
];

fn galaxies() -> Table {
    Table::from_numbers([("velocity", GALAXIES.to_vec())]).unwrap()
}

struct Memory(Table);

impl Source for Memory {
    fn table(&self, _: &str) -> Result<Table> {
        Ok(self.0.clone())
    }
}

fn build(table: &Table, text: &str) -> Result<Box<dyn Problem>> {
    let spec = JobSpec::from_toml(&format!("problem = 'mixture'\ndata = 'x'\nseed = 7\n{text}"))?;
    REGISTRY.build(&spec, &Memory(table.clone()))
}

fn solve(table: &Table, text: &str) -> Answer {
    build(table, text).unwrap().solve(&Threads::new(2), &Control::default()).unwrap()
}

fn refused(table: &Table, text: &str) -> String {
    build(table, text).map(|_| ()).unwrap_err().to_string()
}

/// The estimate called `name`.
fn of(answer: &Answer, name: &str) -> f64 {
    let found = answer.quantities.iter().find(|quantity| quantity.name == name);
    found.unwrap_or_else(|| panic!("no `{name}` in {:?}", answer.quantities)).estimate
}

fn near(value: f64, expected: f64, relative: f64) {
    assert!((value - expected).abs() <= relative * expected.abs(), "{value}, not {expected}");
}

fn extra(answer: &Answer, key: &str) -> f64 {
    answer.extra[key].as_f64().unwrap()
}

/// Three normals on the galaxies from equal weights, means 9, 21, 33 and variances 4; the values
/// were computed at 50 digits from the formulae of Dempster, Laird & Rubin (1977).
const START: &str = "start = { means = [9, 21, 33], covariances = [4, 4, 4] }\n";

#[test]
fn the_galaxies_from_a_given_start_follow_the_published_path() {
    let at_start = solve(&galaxies(), &format!("{START}iterations = 0"));
    near(extra(&at_start, "log_likelihood"), -266.869_119_750_476, 1e-13);
    let step = solve(&galaxies(), &format!("{START}iterations = 1"));
    near(extra(&step, "log_likelihood"), -206.773_402_401_828, 1e-13);
    for (place, (weight, mean)) in [
        (0.086_175_579_1, 9.770_431_610_3),
        (0.867_478_679_0, 21.343_739_300_7),
        (0.046_345_741_8, 31.738_824_254_2),
    ]
    .into_iter()
    .enumerate()
    {
        near(of(&step, &format!("weight[{place}]")), weight, 2e-9);
        near(of(&step, &format!("mean[{place}, velocity]")), mean, 2e-11);
    }
    assert!(!step.notes.is_empty() && step.extra["converged"] == false);
}

#[test]
fn the_galaxies_converge_to_the_published_limit() {
    for more in ["tolerance = 1e-16", "tolerance = 1e-16\nacceleration = 'squarem'"] {
        let limit = solve(&galaxies(), &format!("{START}{more}"));
        near(extra(&limit, "log_likelihood"), -203.179_227_965, 3e-12);
        for (place, (weight, mean, variance)) in [
            (0.085_365_338_3, 9.710_139_558_4, 0.178_514_021_0),
            (0.878_051_095_5, 21.400_098_826_0, 4.816_030_717_4),
            (0.036_583_566_2, 33.044_377_316_1, 0.849_562_451_8),
        ]
        .into_iter()
        .enumerate()
        {
            near(of(&limit, &format!("weight[{place}]")), weight, 3e-7);
            near(of(&limit, &format!("mean[{place}, velocity]")), mean, 1e-7);
            near(of(&limit, &format!("variance[{place}, velocity]")), variance, 3e-6);
        }
        let trace = limit.extra["trace"].as_array().unwrap();
        let trace: Vec<f64> = trace.iter().map(|height| height.as_f64().unwrap()).collect();
        let slack = 1e-11;
        assert!(trace.windows(2).all(|pair| pair[1] >= pair[0] - slack), "{trace:?}");
        assert_eq!(limit.extra["converged"], true);
    }
}

#[test]
fn squarem_needs_fewer_rounds_where_em_crawls() {
    let overlapping = blobs(600, 1.2);
    let job = "components = 2\nstarts = 1\ntolerance = 1e-12\niterations = 100000\n";
    let plain = solve(&overlapping, job);
    let fast = solve(&overlapping, &format!("{job}acceleration = 'squarem'"));
    near(extra(&fast, "log_likelihood"), extra(&plain, "log_likelihood"), 1e-9);
    assert!(3 * fast.draws.count < plain.draws.count, "{} {}", fast.draws.count, plain.draws.count);
}

/// `n` rows, half of them `gap` away from the others in both columns.
fn blobs(n: usize, gap: f64) -> Table {
    let mut stream = Streams::new(Seed::from(5u64), "blobs").task(0);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for row in 0..n {
        let shift = if row % 2 == 0 { 0.0 } else { gap };
        let (a, b) = (stream.normal(), stream.normal());
        x.push(1e6 + a + shift);
        y.push(0.6 * a + 0.8 * b + shift);
    }
    Table::from_numbers([("x", x), ("y", y)]).unwrap()
}

#[test]
fn one_component_is_the_mean_and_the_covariance() {
    let table = blobs(1001, 3.0);
    let (x, y) = (table.numbers("x").unwrap(), table.numbers("y").unwrap());
    let n = x.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let moment = |x: &[f64], y: &[f64]| {
        let (a, b) = (mean(x), mean(y));
        x.iter().zip(y).map(|(x, y)| (x - a) * (y - b)).sum::<f64>() / n
    };
    for shape in ["full", "tied", "diag", "spherical"] {
        let answer = solve(&table, &format!("components = 1\ncovariance = '{shape}'"));
        near(of(&answer, "mean[0, x]"), mean(x), 1e-14);
        near(of(&answer, "mean[0, y]"), mean(y), 1e-13);
        match shape {
            "full" => near(of(&answer, "covariance[0, x, y]"), moment(x, y), 1e-11),
            "tied" => near(of(&answer, "covariance[x, y]"), moment(x, y), 1e-11),
            "diag" => near(of(&answer, "variance[0, y]"), moment(y, y), 1e-11),
            _ => {
                near(of(&answer, "variance[0]"), 0.5 * (moment(x, x) + moment(y, y)), 1e-11);
            }
        }
        // Of one normal the observed information is known: the variance of the mean is s^2 / n.
        let error = answer.quantities[1].standard_error.unwrap();
        let variance = match shape {
            "spherical" => 0.5 * (moment(x, x) + moment(y, y)),
            _ => moment(x, x),
        };
        near(error, (variance / n).sqrt(), 1e-6);
        if shape == "full" {
            let error = answer.quantities[3].standard_error.unwrap();
            near(error, moment(x, x) * (2.0 / n).sqrt(), 1e-6);
        }
    }
}

#[test]
fn answers_are_the_same_bytes_however_the_rows_are_shared_out() {
    let table = blobs(20_000, 2.5);
    for shape in ["full", "tied", "diag", "spherical"] {
        let text = format!(
            "components = [1, 2]\ncovariance = '{shape}'\nstarts = 2\niterations = 15\n\
             distribution = true"
        );
        let problem = build(&table, &text).unwrap();
        let on = |on: &dyn Executor| problem.solve(on, &Control::default()).unwrap().to_bytes();
        let expected = on(&Serial);
        assert!(on(&Threads::new(3)) == expected && on(&Threads::new(7)) == expected);
        assert!(on(&Shuffled(Seed::from(3u64))) == expected);
    }
}

#[test]
fn a_start_does_not_depend_on_the_others() {
    let table = blobs(3000, 2.0);
    let heights = |text: &str| {
        let answer = solve(&table, &format!("iterations = 7\n{text}"));
        answer.extra["starts"].as_array().unwrap().clone()
    };
    let alone = heights("components = 3\nstarts = 2");
    assert_eq!(heights("components = 3\nstarts = 5")[..2], alone);
    assert_ne!(alone[0], alone[1]);
    let among = solve(&table, "iterations = 7\ncomponents = [2, 3]\nstarts = 2");
    let table = among.table.unwrap();
    let best = alone.iter().map(|h| h.as_f64().unwrap()).fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(table.numbers("log_likelihood").unwrap()[1], best);
}

#[test]
fn a_round_is_a_job_that_can_be_written_down() {
    // The first round from a given start, shard by shard, decodes to the sums that make the
    // second: here the weights after one step.
    let table = blobs(9000, 4.0);
    let start = "start = { means = [[1e6, 0], [1000004, 4]] }\n";
    let problem = build(&table, start).unwrap();
    assert_eq!(problem.shards().count(), 3);
    let mut total: Option<Vec<f64>> = None;
    for index in 0..3 {
        let bytes = problem.run_shard(problem.shards().get(index)).unwrap();
        let numbers: Vec<f64> = bytes[8..]
            .chunks_exact(8)
            .map(|word| f64::from_le_bytes(word.try_into().unwrap()))
            .collect();
        total = Some(match total {
            None => numbers,
            Some(sum) => sum.iter().zip(&numbers).map(|(a, b)| a + b).collect(),
        });
    }
    let total = total.unwrap();
    let step = solve(&table, &format!("{start}iterations = 1"));
    assert_eq!(of(&step, "weight[0]"), total[0] / (total[0] + total[6]));
    near(total[0] + total[6], 9000.0, 1e-12);
    let zero = solve(&table, &format!("{start}iterations = 0"));
    assert_eq!(extra(&zero, "log_likelihood"), *total.last().unwrap());
    // Without a start the main job makes starts, a task each.
    let problem = build(&table, "components = 2\nstarts = 4").unwrap();
    assert_eq!(problem.shards().tasks(), 4);
    let one = |task| problem.run_shard(Shard::only(task)).unwrap();
    assert_eq!(one(1), one(1));
    assert_ne!(one(1), one(2));
}

#[test]
fn responsibilities_add_up_and_say_what_the_likelihood_says() {
    for (shape, columns) in [("full", 2), ("diag", 2), ("full", 1)] {
        let table = blobs(4099, 2.0);
        let names = if columns == 1 { "columns = 'x'\n" } else { "" };
        let answer = solve(
            &table,
            &format!(
                "{names}components = 3\ncovariance = '{shape}'\nstarts = 1\niterations = 5\n\
                 distribution = true"
            ),
        );
        let index = answer.index.as_ref().unwrap();
        assert_eq!(index.rows(), 4099);
        let shares: Vec<&[f64]> =
            (0..3).map(|j| index.numbers(&format!("p{j}")).unwrap()).collect();
        for row in 0..4099 {
            near(shares.iter().map(|share| share[row]).sum(), 1.0, 1e-14);
            let label = index.numbers("component").unwrap()[row] as usize;
            assert!((0..3).all(|j| shares[j][row] <= shares[label][row]));
        }
        let total: f64 = index.numbers("log_density").unwrap().iter().sum();
        near(total, extra(&answer, "log_likelihood"), 1e-12);
    }
}

#[test]
fn many_columns_agree_with_few() {
    // The pass has one path for up to three columns and one for any number; a column of noise
    // that is the same for all components adds its own likelihood and changes nothing else.
    let table = blobs(5000, 3.0);
    let mut stream = Streams::new(Seed::from(9u64), "noise").task(0);
    let mut columns: Vec<(&str, Vec<f64>)> = vec![
        ("x", table.numbers("x").unwrap().to_vec()),
        ("y", table.numbers("y").unwrap().to_vec()),
    ];
    let start = |d: usize| {
        let row = |at: f64| {
            let mut row = vec![1e6 + at, at];
            row.resize(d, 0.0);
            row
        };
        let mut unit = vec![vec![0.0; d]; d];
        (0..d).for_each(|a| unit[a][a] = 1.0);
        let means = serde_json::json!([row(0.0), row(3.0)]);
        let covariances = serde_json::json!([unit, unit]);
        Given { weights: None, means, covariances: Some(covariances) }
    };
    let mut heights = Vec::new();
    for d in [2, 3, 4, 7] {
        for name in ["n0", "n1", "n2", "n3", "n4"].iter().take(d - 2).skip(columns.len() - 2) {
            columns.push((name, (0..5000).map(|_| stream.normal()).collect()));
        }
        let table = Table::from_numbers(columns.clone()).unwrap();
        let options = MixtureOptions {
            components: Some(Components::One(2)),
            start: Some(GivenStarts::One(start(d))),
            iterations: 0,
            distribution: true,
            ..Default::default()
        };
        let problem = Mixture::new(&table, options, Seed::from(1u64)).unwrap();
        let answer = problem.solve(&Serial, &Control::default()).unwrap();
        let noise: f64 = columns[2..]
            .iter()
            .flat_map(|(_, values)| values)
            .map(|z| -0.5 * z * z - 0.5 * std::f64::consts::TAU.ln())
            .sum();
        heights.push(extra(&answer, "log_likelihood") - noise);
        near(*heights.last().unwrap(), heights[0], 1e-11);
        // One step of each shape from the sums of either path.
        let step = MixtureOptions {
            components: Some(Components::One(2)),
            start: Some(GivenStarts::One(start(d))),
            iterations: 1,
            ..Default::default()
        };
        let step = Mixture::new(&table, step, Seed::from(1u64)).unwrap();
        let step = step.solve(&Serial, &Control::default()).unwrap();
        near(of(&step, "covariance[1, x, y]"), 0.536_3, 0.2);
    }
}

#[test]
fn a_collapse_is_noted_and_loses_to_a_sound_start() {
    let mut values: Vec<f64> = GALAXIES.to_vec();
    values.extend([20.0; 25]);
    let table = Table::from_numbers([("v", values)]).unwrap();
    let given = "start = [{ means = [20, 21], covariances = [1e-4, 9] }, \
                 { means = [10, 21], covariances = [1, 4] }]";
    let answer = solve(&table, given);
    assert_eq!(answer.extra["start"], 1, "{:?}", answer.notes);
    assert!(answer.notes.iter().any(|note| note.contains("passed over")), "{:?}", answer.notes);
    let alone = solve(&table, "start = { means = [20, 21], covariances = [1e-4, 9] }");
    assert!(alone.notes.iter().any(|note| note.contains("collapsed")), "{:?}", alone.notes);
    assert!(alone.quantities[0].standard_error.is_none());
}

#[test]
fn bic_finds_the_number_of_components() {
    let answer = solve(&blobs(2000, 4.0), "components = [1, 2, 3, 4]\nstarts = 3");
    assert_eq!(answer.extra["components"], 2);
    let table = answer.table.unwrap();
    let bic = table.numbers("bic").unwrap();
    assert!(bic[1] < bic[0] && bic[1] < bic[2] && bic[2] < bic[3]);
    // 1 weight, 4 means, 6 covariances.
    assert_eq!(table.numbers("parameters").unwrap()[1], 11.0);
    near(bic[1], -2.0 * table.numbers("log_likelihood").unwrap()[1] + 11.0 * 2000f64.ln(), 1e-13);
}

#[test]
fn every_way_to_start_finds_well_parted_components() {
    let table = blobs(3000, 7.0);
    for init in ["k-means++", "kmeans", "random", "random_from_data"] {
        let text = format!("components = 2\ninit = '{init}'\niterations = 5000");
        let answer = solve(&table, &text);
        near(of(&answer, "weight[0]"), 0.5, 1e-3);
        near(of(&answer, "mean[1, y]"), 7.0, 0.02);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let table = galaxies();
    for (text, part) in [
        ("", "`components` is `missing`"),
        ("components = 0", "`components` is `0`"),
        ("components = [2, 2]", "named once"),
        ("components = 83", "too few rows: `82`, at least 83"),
        ("components = 2\ncovariance = 'ful'", "`covariance` is `\"ful\"`"),
        ("components = 2\nstarts = 0", "too few starts"),
        ("components = 2\ntolerance = -1", "`tolerance` is `-1`"),
        ("components = 2\nfloor = 0", "`floor` is `0`"),
        ("components = 2\ncolumns = 'speed'", "unknown column `speed`"),
        ("start = { means = [1, 2], weights = [0.5, 0.6] }", "`weights` is `[0.5,0.6]`"),
        ("start = { means = [1, 2], covariances = [1, 0] }", "positive definite in component 1"),
        ("start = { means = [1, 2], covariances = [1] }", "`covariances` is `[1.0]`"),
        ("start = { means = [1, 2] }\ncomponents = 3", "`start` is `2 components`"),
        ("start = { means = [1, 2] }\nstarts = 3", "`starts` is `3`"),
    ] {
        let message = refused(&table, text);
        assert!(message.contains(part), "{text}: {message}");
    }
    let flat = Table::from_numbers([("x", vec![1.0, 2.0]), ("c", vec![3.0, 3.0])]).unwrap();
    let message = refused(&flat, "components = 1");
    assert!(message.contains("`columns` is `c`") && message.contains("hint: "), "{message}");
}

/// Fisher's irises (1936): four measurements of 150 flowers.
fn irises() -> Table {
    let text = include_str!("../../../../examples/iris.csv");
    let mut columns = vec![Vec::new(); 4];
    for line in text.lines().skip(1) {
        let fields = line.split(',').take(4).map(|field| field.parse::<f64>().unwrap());
        columns.iter_mut().zip(fields).for_each(|(column, value)| column.push(value));
    }
    let names = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
    Table::from_numbers(names.into_iter().zip(columns)).unwrap()
}

#[test]
fn each_shape_agrees_with_scikit_learn_step_by_step() {
    let golden = include_str!("../../../../tests/golden/scikit_mixture.tsv");
    let x = irises();
    let row = |row: usize| x.names().map(|name| x.numbers(name).unwrap()[row]).collect::<Vec<_>>();
    let means = serde_json::json!([row(0), row(60), row(120)]);
    for (shape, ones) in [
        (
            "full",
            "[[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1],[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1],\
                  [1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1]]",
        ),
        ("tied", "[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1]"),
        ("diag", "[[1,1,1,1],[1,1,1,1],[1,1,1,1]]"),
        ("spherical", "[1,1,1]"),
    ] {
        let answer = solve(
            &x,
            &format!(
                "start = {{ means = {means}, covariances = {ones} }}\ncovariance = '{shape}'\n\
                 iterations = 25\ntolerance = 0\nregularisation = 1e-6\norder = 'none'"
            ),
        );
        let model = &answer.extra["model"];
        let flat = |value: &serde_json::Value| {
            let text = value.to_string().replace(['[', ']'], "");
            text.split(',').map(|number| number.parse::<f64>().unwrap()).collect::<Vec<f64>>()
        };
        for what in ["log_likelihood", "bic", "weights", "means", "covariances"] {
            let expected = golden.lines().filter_map(|line| {
                let mut fields = line.split('\t');
                let here = fields.next() == Some(shape) && fields.next() == Some(what);
                here.then(|| fields.next().unwrap().parse::<f64>().unwrap())
            });
            let found = flat(answer.extra.get(what).unwrap_or(&model[what]));
            assert_eq!(expected.clone().count(), found.len(), "{shape} {what}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() <= 1e-9 * (1.0 + expected.abs()),
                    "{shape} {what}: {found}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn the_irises_have_the_published_criteria() {
    // mclust (Scrucca et al. 2016, The R Journal 8): VVV with 2 and 3 components has the BIC
    // -574.0178 and -580.8389, of the opposite sign.
    let answer = solve(&irises(), "components = [2, 3]\nstarts = 20");
    let table = answer.table.unwrap();
    let bic = table.numbers("bic").unwrap();
    assert!((bic[0] - 574.0178).abs() < 1e-4 && (bic[1] - 580.8389).abs() < 1e-4, "{bic:?}");
}

/// The answer of a Gibbs sampler.
fn draw(table: &Table, text: &str) -> Answer {
    solve(table, &format!("method = 'gibbs'\n{text}"))
}

/// The estimate called `name` lies within five of its Monte Carlo errors, once in 1.7 million not.
fn within_errors(answer: &Answer, name: &str, expected: f64) {
    let quantity = answer.quantities.iter().find(|quantity| quantity.name == name).unwrap();
    let (estimate, mcse) = (quantity.estimate, quantity.mcse);
    assert!(mcse > 0.0 && mcse < 0.05 * (1.0 + expected.abs()), "{name}: {mcse}");
    assert!(
        (estimate - expected).abs() < 5.0 * mcse,
        "{name}: {estimate} ± {mcse}, not {expected}"
    );
}

#[test]
fn draws_of_one_component_have_the_conjugate_posterior() {
    // Gelman et al., Bayesian Data Analysis (3rd ed.), section 3.6, formulae by hand.
    let table = blobs(60, 0.0);
    let columns = ["x", "y"].map(|name| table.numbers(name).unwrap());
    let n = 60.0;
    let mean = columns.map(|x| x.iter().sum::<f64>() / n);
    let moment = |a: usize, b: usize| {
        let pairs = columns[a].iter().zip(columns[b]);
        pairs.map(|(x, y)| (x - mean[a]) * (y - mean[b])).sum::<f64>()
    };
    let centre = [1e6 + 1.0, -1.0];
    let prior = "prior = { shrinkage = 5, centre = [1000001, -1], degrees = 9, \
                 scale = [[4, 1], [1, 3]] }";
    let scale = [[4.0, 1.0], [1.0, 3.0]];
    let off = [mean[0] - centre[0], mean[1] - centre[1]];
    let updated =
        |a: usize, b: usize| scale[a][b] + moment(a, b) + 5.0 * n / (5.0 + n) * off[a] * off[b];
    for shape in ["full", "tied", "diag", "spherical"] {
        let text = format!("components = 1\ncovariance = '{shape}'\ndraws = 4000\nwarmup = 10\n");
        let answer = draw(&table, &format!("{text}{prior}"));
        let pulled = (5.0 * centre[1] + n * mean[1]) / (5.0 + n);
        within_errors(&answer, "mean[0, y]", pulled);
        match shape {
            // The mean of an inverse Wishart is its scale over degrees - columns - 1.
            "full" => {
                within_errors(&answer, "covariance[0, x, y]", updated(0, 1) / (9.0 + n - 3.0));
                within_errors(&answer, "variance[0, y]", updated(1, 1) / (9.0 + n - 3.0));
            }
            "tied" => within_errors(&answer, "covariance[x, y]", updated(0, 1) / (9.0 + n - 3.0)),
            "diag" => within_errors(&answer, "variance[0, x]", updated(0, 0) / (9.0 + n - 2.0)),
            _ => {
                let all = 3.5 + updated(0, 0) - 4.0 + updated(1, 1) - 3.0;
                within_errors(&answer, "variance[0]", all / (9.0 + 2.0 * n - 2.0));
            }
        }
    }
}

#[test]
fn chains_do_not_depend_on_each_other_nor_on_the_mapping() {
    let table = blobs(9000, 3.0);
    let text = "method = 'gibbs'\ncomponents = 2\nwarmup = 3\ndraws = 6\ndistribution = true\n";
    let of = |chains: u64, on: &dyn Executor| {
        let problem = build(&table, &format!("{text}chains = {chains}")).unwrap();
        problem.solve(on, &Control::default()).unwrap()
    };
    let two = of(2, &Serial);
    assert_eq!(two.to_bytes(), of(2, &Threads::new(3)).to_bytes());
    assert_eq!(two.to_bytes(), of(2, &Shuffled(Seed::from(1u64))).to_bytes());
    let three = of(3, &Serial);
    for (short, long) in two.distribution.iter().zip(&three.distribution) {
        assert_eq!(short[..], long[..12]);
    }
    assert_ne!(two.distribution[0][..6], two.distribution[0][6..]);
}

#[test]
fn a_run_goes_on_where_another_ended() {
    let table = blobs(500, 3.0);
    let text = "components = 2\nchains = 2\ndistribution = true\norder = 'none'\n";
    let whole = draw(&table, &format!("{text}warmup = 5\ndraws = 20"));
    let first = draw(&table, &format!("{text}warmup = 5\ndraws = 8"));
    let mut spec = JobSpec::from_toml("problem = 'mixture'\ndata = 'x'\nseed = 7").unwrap();
    let options = serde_json::json!({
        "method": "gibbs", "start": first.extra["last"], "sweep": first.extra["sweep"],
        "warmup": 0, "draws": 12, "distribution": true, "order": "none",
    });
    spec.options = options.as_object().unwrap().clone();
    let problem = REGISTRY.build(&spec, &Memory(table)).unwrap();
    let rest = problem.solve(&Serial, &Control::default()).unwrap();
    for (place, draws) in whole.distribution.iter().enumerate() {
        let (first, rest) = (&first.distribution[place], &rest.distribution[place]);
        for chain in 0..2 {
            let all = &draws[20 * chain..20 * (chain + 1)];
            assert_eq!(all[..8], first[8 * chain..8 * (chain + 1)]);
            assert_eq!(all[8..], rest[12 * chain..12 * (chain + 1)]);
        }
    }
}

#[test]
fn labels_are_put_in_order_and_their_switches_told() {
    // Two components that lie over each other switch labels all the time.
    let table = blobs(200, 0.3);
    let ordered = draw(&table, "components = 2\ndraws = 300\ndistribution = true");
    assert!(ordered.extra["label_switches"].as_u64().unwrap() > 20);
    assert!(ordered.notes.iter().any(|note| note.contains("in order by rising mean of `x`")));
    let [low, high] = [2, 4].map(|place: usize| &ordered.distribution[place]);
    assert!(low.iter().zip(high).all(|(low, high)| low <= high));
    let raw = draw(&table, "components = 2\ndraws = 300\ndistribution = true\norder = 'none'");
    assert!(raw.notes.iter().any(|note| note.contains("may switch")));
    let [one, other] = [2, 4].map(|place: usize| &raw.distribution[place]);
    assert!(one.iter().zip(other).any(|(one, other)| one > other));
}
