//! Whether permutation tests keep their level, and their intervals hold the exact p-value.

use windfall_core::{
    Answer, Cancel, Column, Control, Job, Kernel, Labels, Moments, Partial, Problem, Result, Seed,
    Serial, Shard, Shards, Stream, Streams, Table, Threads, run,
};
use windfall_stats::bootstrap::Formulas;
use windfall_stats::permutation::{Alternative, Permutation, PermutationOptions};

/// Data sets of a study.
const STUDIES: u64 = 4000;

/// One answer of each study as ones and zeros, several at a time.
struct Study<F>(F);

/// The moments of several answers.
struct Several(Vec<Moments>);

impl Partial for Several {
    fn empty() -> Self {
        Self(Vec::new())
    }

    fn merge(self, later: Self) -> Self {
        if self.0.is_empty() {
            return later;
        }
        Self(self.0.into_iter().zip(later.0).map(|(a, b)| a.merge(b)).collect())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|moments| moments.encode(out));
    }

    fn decode(_: &[u8]) -> Result<Self> {
        unreachable!("studies stay in this process")
    }
}

impl<F: Fn(&mut Stream, Seed) -> Result<Vec<bool>> + Sync> Kernel for Study<F> {
    type Partial = Several;

    fn shards(&self) -> Shards {
        Shards::new(STUDIES, 20)
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, _: &Cancel) -> Result<Several> {
        let mut several: Vec<Moments> = Vec::new();
        for task in shard.tasks() {
            let found = (self.0)(&mut streams.task(task), streams.seed().child(&task.to_string()))?;
            several.resize(found.len(), Moments::default());
            several.iter_mut().zip(found).for_each(|(one, yes)| one.push(f64::from(yes)));
        }
        Ok(Several(several))
    }
}

/// The share of studies in which each answer is yes.
fn shares(study: impl Fn(&mut Stream, Seed) -> Result<Vec<bool>> + Sync) -> Vec<f64> {
    let (study, streams) = (Study(study), Streams::new(Seed::from(11u64), "level"));
    let outcome = run(&Job::new(&study, streams), &Threads::new(2), &Control::default());
    outcome.expect("no study fails").partial.0.iter().map(Moments::mean).collect()
}

fn error(share: f64) -> f64 {
    (share * (1.0 - share) / STUDIES as f64).sqrt()
}

/// Levels at which a p-value of 99 permutations can be exactly on the mark.
const LEVELS: [f64; 4] = [0.01, 0.05, 0.2, 0.5];

/// A table of 14 rows without any effect: `x`, `y`, labels `g` of 7 and 7, strata `s` that shift
/// `x` and hold unequal parts of both labels.
fn table(stream: &mut Stream) -> Table {
    let rows = 14;
    let stratum = |row: usize| usize::from(row.is_multiple_of(5));
    let x =
        (0..rows).map(|row| stream.exponential() + 3.0 * stratum(row) as f64).collect::<Vec<_>>();
    let y = (0..rows).map(|_| stream.normal()).collect::<Vec<_>>();
    let labels = |name: fn(usize) -> &'static str| Column::Labels(Labels::new((0..rows).map(name)));
    Table::new(vec![
        ("x".into(), Column::Numbers(x.into())),
        ("y".into(), Column::Numbers(y.into())),
        ("g".into(), labels(|row| if row < 7 { "a" } else { "b" })),
        ("s".into(), labels(|row| if row % 5 == 0 { "high" } else { "low" })),
    ])
    .expect("columns of one length")
}

fn solve(table: &Table, options: PermutationOptions, seed: Seed) -> Result<Answer> {
    Permutation::new(table, options)?.with_seed(seed).solve(&Serial, &Control::default())
}

fn upper(statistic: &str) -> PermutationOptions {
    let (alternative, resamples) = (Some(Alternative::Greater), 99);
    PermutationOptions { statistic: statistic.into(), alternative, resamples, ..Default::default() }
}

/// The tests of one outcome, one for each way of drawing.
fn ways() -> [PermutationOptions; 5] {
    let by_groups = |text| PermutationOptions { groups: Some("g".into()), ..upper(text) };
    let permute = |text| PermutationOptions { permute: Some("y".into()), ..upper(text) };
    [
        by_groups("mean_difference(y)"), // subsets
        PermutationOptions { strata: Some("s".into()), ..by_groups("t(x)") }, // shuffles
        permute("correlation(x, y)"),
        permute("distance_correlation(x, y)"), // whole arrangements
        PermutationOptions { samples: Some("y".into()), ..upper("paired_t(y)") }, // random signs
    ]
}

/// Without an effect, `P(p <= level)` is the level itself, of each statistic.
fn keeps_its_level(options: PermutationOptions, levels: [f64; 4]) {
    let found = shares(|stream, seed| {
        let answer = solve(&table(stream), options.clone(), seed)?;
        let all = answer.quantities.iter().map(|quantity| quantity.estimate);
        Ok(all.flat_map(|p| levels.map(|level| p <= level + 1e-12)).collect())
    });
    println!("{:?}, {:?}: {found:?}", options.statistic, options.alternative);
    for (share, level) in found.iter().zip(levels.into_iter().cycle()) {
        assert!((share - level).abs() < 5.0 * error(level), "{options:?}: {share} at {level}");
    }
}

#[test]
fn p_values_are_uniform_without_an_effect() {
    ways().into_iter().for_each(|options| keeps_its_level(options, LEVELS));
}

#[test]
fn p_values_of_the_lower_tail_are_uniform_too() {
    for options in ways() {
        let alternative = Some(Alternative::Less);
        keeps_its_level(PermutationOptions { alternative, ..options }, LEVELS);
    }
}

/// Twice the smaller tail of 99 permutations is a multiple of 0.02.
#[test]
fn two_sided_p_values_are_uniform_too() {
    for options in ways() {
        let alternative = Some(Alternative::TwoSided);
        keeps_its_level(PermutationOptions { alternative, ..options }, [0.02, 0.1, 0.2, 0.5]);
    }
}

/// Each of several outcomes on the same permutations.
#[test]
fn p_values_of_several_outcomes_are_uniform_too() {
    for (groups, permute, several) in [
        (Some("g"), None, ["mean_difference(y)", "welch_t(exp(y))", "variance_ratio(y)"]),
        (None, Some("y"), ["correlation(x, y)", "slope(x, exp(y))", "covariance(x, y^3)"]),
    ] {
        let statistic = Formulas::Many(several.map(str::to_owned).to_vec());
        let permute = permute.map(Into::into);
        let groups = groups.map(str::to_owned);
        let options = PermutationOptions { statistic, groups, permute, ..upper("") };
        keeps_its_level(options, LEVELS);
    }
}

/// Stopping at the fifth exceedance, a test rejects no more often than its level.
#[test]
fn sequential_p_values_keep_their_level() {
    let options = PermutationOptions {
        groups: Some("g".into()),
        exceedances: Some(5),
        resamples: 199,
        ..upper("mean_difference(y)")
    };
    let found = shares(|stream, seed| {
        let p = solve(&table(stream), options.clone(), seed)?.quantities[0].estimate;
        Ok(LEVELS.iter().map(|level| p <= level + 1e-12).collect())
    });
    for (share, level) in found.iter().zip(LEVELS) {
        assert!(share - level < 5.0 * error(level), "{share} at {level}");
        // Nor much less often: h/l takes values all along.
        assert!(level - share < 0.1 * level + 5.0 * error(level), "{share} at {level}");
    }
}

/// The interval of Clopper and Pearson holds the exact p-value at least as often as it says.
#[test]
fn intervals_hold_the_exact_p_value() {
    let all = PermutationOptions {
        groups: Some("g".into()),
        resamples: 3432,
        ..upper("mean_difference(y)")
    };
    let found = shares(|stream, seed| {
        let table = table(stream);
        let exact = solve(&table, all.clone(), seed)?.quantities[0].estimate;
        let sampled = PermutationOptions { resamples: 400, ..all.clone() };
        let answer = solve(&table, sampled, seed)?;
        let interval = answer.quantities[0].interval.as_ref().expect("it was sampled");
        Ok(vec![interval.low <= exact && exact <= interval.high])
    });
    println!("coverage {found:?}");
    assert!(found[0] > 0.95 - 5.0 * error(0.95) && found[0] < 0.99);
}

/// Of three outcomes without an effect, the least adjusted p-value is below the level no more
/// often than that.
#[test]
fn adjusted_p_values_keep_the_level_of_the_family() {
    let statistic = Formulas::Many(
        ["welch_t(y)", "welch_t(exp(y))", "welch_t(y^3)"].map(str::to_owned).to_vec(),
    );
    let options = PermutationOptions {
        statistic,
        groups: Some("g".into()),
        alternative: Some(Alternative::Absolute),
        ..upper("")
    };
    let found = shares(|stream, seed| {
        let answer = solve(&table(stream), options.clone(), seed)?;
        let adjusted = answer.extra["adjusted"].as_array().expect("three").iter();
        let least = adjusted.filter_map(|p| p.as_f64()).fold(1.0, f64::min);
        Ok(LEVELS.iter().map(|level| least <= level + 1e-12).collect())
    });
    for (share, level) in found.iter().zip(LEVELS) {
        assert!((share - level).abs() < 5.0 * error(level), "{share} at {level}");
    }
}
