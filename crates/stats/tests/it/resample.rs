//! Each shortcut draws what naive resampling draws: held to exact laws and published variances.
//!
//! Seeds are fixed. A bound of five standard errors rings falsely once in 1.7 million checks, and
//! there are some 400 of them; `fits` has the same rate.

use windfall_lanes::{available, detected, limit};
use windfall_stats::resample::{BlockKind, Blocks, Design, DesignOptions, OrderLaw, Sums};
use windfall_streams::{Seed, Stream, Streams};

const ERRORS: f64 = 5.0;

fn stream(task: u64) -> Stream {
    Streams::new(Seed::from(20_240_917_u64), "resample tests").task(task)
}

/// A column of skewed numbers with mean 0.
fn column(rows: usize) -> Vec<f64> {
    let mut x = vec![0.0; rows];
    stream(rows as u64).fill_exponential(&mut x);
    let mean = x.iter().sum::<f64>() / rows as f64;
    x.iter_mut().for_each(|x| *x -= mean);
    x
}

/// The mean of `f` over a slice.
fn mean(x: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    x.iter().map(|&x| f(x)).sum::<f64>() / x.len() as f64
}

/// Holds draws to a mean and a variance.
fn has_moments(what: &str, draws: &[f64], centre: f64, variance: f64) {
    let n = draws.len() as f64;
    let found = mean(draws, |x| x);
    let error = (variance / n).sqrt() * ERRORS + 1e-9;
    assert!((found - centre).abs() <= error, "{what}: mean {found}, not {centre} ± {error}");
    let spread = mean(draws, |x| (x - centre).powi(2));
    let fourth = mean(draws, |x| (x - centre).powi(4));
    let error = ((fourth - spread * spread) / n).sqrt() * ERRORS + 1e-9;
    assert!((spread - variance).abs() <= error, "{what}: {spread}, not {variance} ± {error}");
}

/// Holds counts of outcomes to their chances by a chi-square test.
fn fits(what: &str, counts: &[u64], chances: &[f64]) {
    let total: u64 = counts.iter().sum();
    let (mut statistic, mut classes, mut seen, mut expected) = (0.0, 0.0, 0.0, 0.0);
    for (i, (&count, &chance)) in counts.iter().zip(chances).enumerate() {
        assert!(chance > 0.0 || count == 0, "{what}: outcome {i} cannot be");
        seen += count as f64;
        expected += chance * total as f64;
        if expected >= 8.0 {
            statistic += (seen - expected).powi(2) / expected;
            (seen, expected, classes) = (0.0, 0.0, classes + 1.0);
        }
    }
    // The rest, fewer than eight on average, in one class.
    if expected > 0.5 {
        statistic += (seen - expected).powi(2) / expected;
        classes += 1.0;
    }
    // Wilson and Hilferty: the cube root of chi-square is nearly normal.
    let freedom: f64 = classes - 1.0;
    if freedom > 0.0 {
        let part = 2.0 / (9.0 * freedom);
        let z = ((statistic / freedom).cbrt() - 1.0 + part) / part.sqrt();
        assert!(z < ERRORS, "{what}: chi-square {statistic} at {freedom} degrees of freedom");
    }
}

/// The chances of 0 to `n` successes.
fn binomial(n: usize, chance: f64) -> Vec<f64> {
    let mut log_choose = 0.0;
    let mut law = Vec::new();
    for j in 0..=n {
        if j > 0 {
            log_choose += ((n - j + 1) as f64 / j as f64).ln();
        }
        let log = log_choose + j as f64 * chance.ln() + (n - j) as f64 * (-chance).ln_1p();
        law.push(log.exp());
    }
    law
}

fn tally(values: impl Iterator<Item = f64>, classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    values.for_each(|value| counts[value as usize] += 1);
    counts
}

#[test]
fn weights_are_multinomial_counts() {
    for rows in [1, 2, 15, 40, 64, 100, 1000] {
        let design = Design::rows(rows).unwrap();
        let mut stream = stream(1);
        let resamples = 20_000;
        let mut weights = vec![0.0; rows];
        let (mut first, mut last, mut half) = (vec![], vec![], vec![]);
        let mut product = vec![];
        for _ in 0..resamples {
            design.draw_weights(&mut stream, &mut weights);
            assert_eq!(weights.iter().sum::<f64>(), rows as f64);
            first.push(weights[0]);
            last.push(weights[rows - 1]);
            half.push(weights[..rows / 2].iter().sum::<f64>());
            product.push((weights[0] - 1.0) * (weights[rows - 1] - 1.0));
        }
        let chance = 1.0 / rows as f64;
        if rows > 1 {
            let law = binomial(rows, chance);
            fits("first row", &tally(first.into_iter(), rows + 1), &law);
            fits("last row", &tally(last.into_iter(), rows + 1), &law);
            let chance = (rows / 2) as f64 / rows as f64;
            fits("half the rows", &tally(half.into_iter(), rows + 1), &binomial(rows, chance));
            let spread = mean(&product, |x| x * x);
            let covariance = mean(&product, |x| x);
            let error = (spread / f64::from(resamples)).sqrt() * ERRORS;
            assert!((covariance + 1.0 / rows as f64).abs() < error, "{rows}: {covariance}");
        }
    }
}

#[test]
fn sums_have_the_moments_of_independent_draws() {
    for rows in [2, 7, 15, 16, 17, 100, 159, 160, 161, 1000, 1023, 1024, 1025, 3001] {
        let x = column(rows);
        let y: Vec<f64> = x.iter().map(|x| x.abs().sqrt() - 1.0).collect();
        let zero_one: Vec<f64> = (0..rows).map(|i| f64::from(u8::from(i < rows / 2))).collect();
        let ones = vec![1.0; rows];
        let design = Design::rows(rows).unwrap();
        let resamples = 20_003;
        let sums = Sums::new(&[&x, &y, &zero_one, &ones], &design);
        let mut out = vec![0.0; 4 * resamples];
        sums.draw(&mut stream(2), resamples, &mut out);
        let n = rows as f64;
        let both: Vec<f64> = (0..resamples).map(|r| out[r] + 2.0 * out[resamples + r]).collect();
        let combined: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x + 2.0 * y).collect();
        for (values, draws) in [(&x, &out[..resamples]), (&combined, &both[..])] {
            let centre = mean(values, |x| x);
            let moment = |power| mean(values, |x| (x - centre).powi(power));
            has_moments(&format!("{rows} rows"), draws, n * centre, n * moment(2));
            let sixth = mean(draws, |x| (x - n * centre).powi(6));
            let third = mean(draws, |x| (x - n * centre).powi(3));
            let error = ((sixth - third * third) / resamples as f64).sqrt() * ERRORS;
            assert!((third - n * moment(3)).abs() < error + 1e-9, "{rows}: third moment {third}");
        }
        let halves = tally(out[2 * resamples..3 * resamples].iter().copied(), rows + 1);
        fits("zeros and ones", &halves, &binomial(rows, (rows / 2) as f64 / n));
        assert!(out[3 * resamples..].iter().all(|&sum| sum == n));
    }
}

#[test]
fn sums_count_each_row_by_its_binomial_law() {
    for rows in [159, 160, 200, 999, 1000, 1024, 1025] {
        let design = Design::rows(rows).unwrap();
        let law = binomial(rows, 1.0 / rows as f64);
        for row in [0, rows / 2, rows - 1] {
            let mut one = vec![0.0; rows];
            one[row] = 1.0;
            let mut counts = vec![0.0; 40_003];
            Sums::new(&[&one], &design).draw(&mut stream(12), counts.len(), &mut counts);
            fits(&format!("row {row} of {rows}"), &tally(counts.iter().copied(), rows + 1), &law);
            // Resamples that are drawn together know nothing of one another.
            let products: Vec<f64> =
                counts.windows(2).map(|pair| (pair[0] - 1.0) * (pair[1] - 1.0)).collect();
            let error = (mean(&products, |x| x * x) / products.len() as f64).sqrt() * ERRORS;
            let covariance = mean(&products, |x| x);
            assert!(covariance.abs() < error, "row {row} of {rows}: {covariance}");
        }
    }
}

#[test]
fn many_columns_are_summed_alike() {
    for rows in [12, 100, 640, 1024, 2500] {
        let columns: Vec<Vec<f64>> = (0..11).map(|k| column(rows + k)[..rows].to_vec()).collect();
        let all: Vec<&[f64]> = columns.iter().map(|column| &column[..]).collect();
        let design = Design::rows(rows).unwrap();
        let mut ones = vec![1.0; rows];
        ones[0] = 1.5;
        let of = |columns: &[&[f64]]| {
            let mut out = vec![0.0; columns.len() * 9];
            Sums::new(columns, &design).draw(&mut stream(3), 9, &mut out);
            out
        };
        let together = of(&all);
        // The first column doubled is summed to twice the first column.
        let doubled: Vec<f64> = columns[0].iter().map(|x| 2.0 * x).collect();
        let mut with_doubled = all.clone();
        with_doubled[10] = &doubled;
        let again = of(&with_doubled);
        assert_eq!(together[..90], again[..90]);
        for r in 0..9 {
            assert_eq!(again[90 + r], 2.0 * again[r]);
        }
    }
}

/// Twelve numbers in order of time, and closed forms for the variance of their resampled mean.
const SERIES: [f64; 12] = [2.1, 1.7, 3.0, 2.8, 4.1, 3.9, 5.2, 4.4, 3.1, 2.9, 1.2, 0.8];

/// Holds the resampled mean of the series, drawn in three ways, to its mean and variance.
fn series_mean_is(design: &Design, centre: f64, variance: f64) {
    let resamples = 100_000;
    let mut out = vec![0.0; resamples];
    Sums::new(&[&SERIES], design).draw(&mut stream(4), resamples, &mut out);
    out.iter_mut().for_each(|sum| *sum /= 12.0);
    has_moments("sums", &out, centre, variance);
    let mut weights = [0.0; 12];
    let mut stream = stream(5);
    for value in &mut out {
        design.draw_weights(&mut stream, &mut weights);
        assert!((weights.iter().sum::<f64>() - 12.0).abs() < 1e-12);
        *value = weights.iter().zip(&SERIES).map(|(w, x)| w * x).sum::<f64>() / 12.0;
    }
    has_moments("weights", &out, centre, variance);
    if !design.has_rows() {
        return assert!(design.draw_rows(&mut stream, &mut Vec::new()).is_err());
    }
    let mut rows = Vec::new();
    for value in &mut out {
        design.draw_rows(&mut stream, &mut rows).unwrap();
        assert_eq!(rows.len(), 12);
        *value = rows.iter().map(|&row| SERIES[row as usize]).sum::<f64>() / 12.0;
    }
    has_moments("rows", &out, centre, variance);
}

#[test]
fn designs_without_blocks_have_their_closed_forms() {
    let centre = mean(&SERIES, |x| x);
    series_mean_is(&Design::rows(12).unwrap(), centre, 0.134_768_519);
    let bayesian =
        Design::new(DesignOptions { rows: 12, bayesian: true, ..Default::default() }).unwrap();
    series_mean_is(&bayesian, centre, 0.124_401_709);
    // Strata: the sum of each stratum's variance times its size.
    let strata = [0, 1, 0, 1, 2, 2, 2, 2, 1, 1, 0, 0];
    let part = |code| -> Vec<f64> {
        let rows = SERIES.iter().zip(strata).filter(|row| row.1 == code);
        rows.map(|row| *row.0).collect()
    };
    let squares = |x: Vec<f64>| {
        let centre = mean(&x, |x| x);
        x.iter().map(|x| (x - centre).powi(2)).sum::<f64>()
    };
    let variance = (0..3).map(|code| squares(part(code))).sum::<f64>() / 144.0;
    let options = DesignOptions { rows: 12, strata: Some(&strata), ..Default::default() };
    series_mean_is(&Design::new(options).unwrap(), centre, variance);
    // Clusters of three: four cluster totals.
    let clusters = [3, 1, 0, 0, 1, 2, 3, 3, 2, 2, 1, 0];
    let totals: Vec<f64> = (0..4)
        .map(|code| SERIES.iter().zip(clusters).filter(|row| row.1 == code).map(|row| row.0).sum())
        .collect();
    let options = DesignOptions { rows: 12, clusters: Some(&clusters), ..Default::default() };
    let design = Design::new(options).unwrap();
    assert!(design.keeps_total() && !design.is_plain());
    series_mean_is(&design, centre, squares(totals) / 144.0);
}

#[test]
fn blocks_have_their_closed_forms() {
    let blocks = |kind, length| {
        let blocks = Some(Blocks { kind, length });
        Design::new(DesignOptions { rows: 12, blocks, ..Default::default() }).unwrap()
    };
    let centre = mean(&SERIES, |x| x);
    let circular =
        [(1.0, 0.134_768_519), (2.0, 0.226_412_037), (3.0, 0.295_416_667), (4.0, 0.327_685_185)];
    for (length, variance) in circular.into_iter().chain([(6.0, 0.286_273_148), (12.0, 0.0)]) {
        series_mean_is(&blocks(BlockKind::Circular, length), centre, variance);
    }
    let moving = [
        (2.0, 3.068_181_818, 0.210_626_722),
        (3.0, 3.23, 0.222_136_111),
        (4.0, 3.344_444_444, 0.207_674_897),
        (6.0, 3.502_380_952, 0.083_469_388),
    ];
    for (length, centre, variance) in moving {
        series_mean_is(&blocks(BlockKind::Moving, length), centre, variance);
    }
    let stationary =
        [(1.0, 0.134_768_519), (2.0, 0.230_811_412), (4.0, 0.226_647_653), (10.0, 0.135_454_958)];
    for (length, variance) in stationary {
        series_mean_is(&blocks(BlockKind::Stationary, length), centre, variance);
    }
}

#[test]
fn blocks_follow_one_another_and_end_with_the_rows() {
    let options = DesignOptions { rows: 10, ..Default::default() };
    let design =
        |kind| Design::new(DesignOptions { blocks: Some(Blocks { kind, length: 4.0 }), ..options });
    let mut rows = Vec::new();
    for kind in [BlockKind::Moving, BlockKind::Circular] {
        let design = design(kind).unwrap();
        for task in 0..50 {
            design.draw_rows(&mut stream(task), &mut rows).unwrap();
            for block in rows.chunks(4) {
                assert!(block.windows(2).all(|pair| pair[1] == (pair[0] + 1) % 10));
                assert!(kind == BlockKind::Circular || block[0] <= 6);
            }
        }
    }
}

#[test]
fn clusters_are_drawn_whole_and_within_their_stratum() {
    let strata = [1, 1, 0, 0, 1, 1, 0, 0, 0];
    let clusters = [5, 5, 7, 7, 9, 9, 8, 8, 8];
    let design = Design::new(DesignOptions {
        rows: 9,
        strata: Some(&strata),
        clusters: Some(&clusters),
        ..Default::default()
    })
    .unwrap();
    assert!(!design.keeps_total());
    let mut weights = [0.0; 9];
    let mut rows = Vec::new();
    let mut seen = [false; 3];
    for task in 0..100 {
        design.draw_weights(&mut stream(task), &mut weights);
        let [a, _, b, _, c, _, d, ..] = weights;
        assert_eq!(weights, [a, a, b, b, c, c, d, d, d]);
        assert_eq!((a + c, b + d), (2.0, 2.0));
        seen[b as usize] = true;
        design.draw_rows(&mut stream(task), &mut rows).unwrap();
        let count = |row| rows.iter().filter(|&&drawn| drawn == row).count();
        assert_eq!(count(2) + count(6), 2);
        assert_eq!((count(6), count(2)), (count(8), count(3)));
    }
    assert_eq!(seen, [true; 3]);
}

#[test]
fn a_bayesian_cluster_weighs_its_rows_alike() {
    let clusters = [0, 0, 1, 2, 2, 2];
    let options = DesignOptions { rows: 6, clusters: Some(&clusters), ..Default::default() };
    let design = Design::new(DesignOptions { bayesian: true, ..options }).unwrap();
    let mut weights = [0.0; 6];
    design.draw_weights(&mut stream(0), &mut weights);
    let [a, _, b, c, ..] = weights;
    assert_eq!(weights, [a, a, b, c, c, c]);
    assert!((a + b + c - 3.0).abs() < 1e-12);
}

#[test]
fn impossible_designs_are_refused() {
    let blocks = |kind, length| Some(Blocks { kind, length });
    let moving = blocks(BlockKind::Moving, 2.0);
    let plain = DesignOptions { rows: 4, ..Default::default() };
    let cases = [
        (DesignOptions { rows: 0, ..plain }, "too few rows: `0`"),
        (DesignOptions { rows: 1 << 40, ..plain }, "`rows` is `1099511627776`"),
        (DesignOptions { strata: Some(&[0]), ..plain }, "`strata` is `1`"),
        (DesignOptions { clusters: Some(&[0; 5]), ..plain }, "`clusters` is `5`"),
        (DesignOptions { blocks: moving, bayesian: true, ..plain }, "`blocks` is `moving`"),
        (DesignOptions { blocks: moving, clusters: Some(&[0; 4]), ..plain }, "leave out one"),
        (DesignOptions { blocks: blocks(BlockKind::Circular, 5.0), ..plain }, "from 1 to 4"),
        (DesignOptions { blocks: blocks(BlockKind::Moving, 1.5), ..plain }, "`1.5`"),
        (DesignOptions { blocks: blocks(BlockKind::Stationary, 0.5), ..plain }, "mean length"),
        (DesignOptions { blocks: blocks(BlockKind::Stationary, f64::NAN), ..plain }, "`NaN`"),
        (
            DesignOptions { strata: Some(&[0, 0, 1, 1]), clusters: Some(&[3, 4, 4, 5]), ..plain },
            "rows 1 and 2",
        ),
    ];
    for (options, part) in cases {
        let message = Design::new(options).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn the_median_of_the_mice_has_its_exact_law() {
    // Treated mice, Efron and Tibshirani (1993), table 2.1; the law by enumeration.
    let sorted = [16.0, 23.0, 38.0, 94.0, 99.0, 141.0, 197.0];
    let exact = [
        0.010_150_05,
        0.098_123_60,
        0.238_626_28,
        0.306_200_16,
        0.238_626_28,
        0.098_123_60,
        0.010_150_05,
    ];
    let median = OrderLaw::quantile(7, 0.5).unwrap();
    for ((row, chance), exact) in median.rows().zip(exact) {
        assert!((chance - exact).abs() < 1e-8, "{row}: {chance}");
    }
    let (mut centre, mut square) = (0.0, 0.0);
    median.rows().for_each(|(row, chance)| centre += chance * sorted[row]);
    median.rows().for_each(|(row, chance)| square += chance * (sorted[row] - centre).powi(2));
    assert!((centre - 79.728_844_76).abs() < 1e-7);
    assert!((square.sqrt() - 37.834_674_39).abs() < 1e-7);
    let mut out = vec![0.0; 100_001];
    median.draw(&mut stream(6), &sorted, &mut out);
    let place = |x: f64| sorted.iter().position(|&y| y == x).unwrap() as f64;
    fits("median", &tally(out.into_iter().map(place), 7), &exact);
    assert_eq!(median.of(&sorted), 94.0);
}

/// The exact law of a statistic of the sorted places of `n` draws, by going through all n^n.
fn enumerate(n: usize, classes: usize, class: impl Fn(&[usize]) -> usize) -> Vec<f64> {
    let all = n.pow(n as u32);
    let mut law = vec![0.0; classes];
    for code in 0..all {
        let mut places: Vec<usize> = (0..n).map(|i| code / n.pow(i as u32) % n).collect();
        places.sort_unstable();
        law[class(&places)] += 1.0 / all as f64;
    }
    law
}

#[test]
fn quantiles_between_two_rows_have_their_exact_joint_law() {
    for (n, probability) in [(2, 0.5), (4, 0.5), (6, 0.5), (5, 0.1), (6, 0.93), (7, 0.3)] {
        let place = (n - 1) as f64 * probability;
        let (k, fraction) = (place as usize, place.fract());
        let class = |low: usize, high: usize| low * n + high;
        let exact = enumerate(n, n * n, |places| class(places[k], places[k + 1]));
        let law = OrderLaw::quantile(n, probability).unwrap();
        // Values from which both rows can be read.
        let sorted: Vec<f64> = (0..n).map(|i| (1_u64 << (5 * i)) as f64).collect();
        let pairs: Vec<(f64, usize)> = (0..n * n)
            .filter(|pair| pair / n <= pair % n)
            .map(|pair| {
                let (low, high) = (sorted[pair / n], sorted[pair % n]);
                (fraction.mul_add(high - low, low), pair)
            })
            .collect();
        let mut out = vec![0.0; 200_000];
        law.draw(&mut stream(7), &sorted, &mut out);
        let mut counts = vec![0; n * n];
        for value in out {
            let (_, pair) = pairs.iter().find(|pair| pair.0 == value).expect("a pair of rows");
            counts[*pair] += 1;
        }
        fits(&format!("quantile {probability} of {n}"), &counts, &exact);
    }
}

#[test]
fn quantiles_of_many_rows_agree_with_real_resamples() {
    for (n, probability) in [(1000, 0.5), (1001, 0.5), (500, 0.01), (300, 0.999), (80, 0.0)] {
        let mut sorted = column(n);
        sorted.sort_by(f64::total_cmp);
        let law = OrderLaw::quantile(n, probability).unwrap();
        let design = Design::rows(n).unwrap();
        let mut fast = vec![0.0; 200_000];
        law.draw(&mut stream(8), &sorted, &mut fast);
        let mut stream = stream(9);
        let mut rows = Vec::new();
        let naive: Vec<f64> = (0..5000)
            .map(|_| {
                design.draw_rows(&mut stream, &mut rows).unwrap();
                rows.sort_unstable();
                law.of(&rows.iter().map(|&row| sorted[row as usize]).collect::<Vec<_>>())
            })
            .collect();
        // Two-sample comparison of the mean and of the second moment.
        for power in [1, 2, 3] {
            let moment = |x: &[f64]| mean(x, |x| x.powi(power));
            let error = |x: &[f64]| {
                (mean(x, |x| x.powi(2 * power)) - moment(x).powi(2)).max(0.0) / x.len() as f64
            };
            let bound = ERRORS * (error(&fast) + error(&naive)).sqrt() + 1e-12;
            let difference = (moment(&fast) - moment(&naive)).abs();
            assert!(difference < bound, "{n} {probability} {power}: {difference} {bound}");
        }
    }
}

#[test]
fn an_order_statistic_must_exist() {
    for (n, k) in [(0, 0), (3, 0), (3, 4), (1 << 33, 1)] {
        assert!(OrderLaw::order(n, k).is_err());
    }
    assert!(OrderLaw::quantile(3, 1.5).is_err() && OrderLaw::quantile(3, f64::NAN).is_err());
    let largest = OrderLaw::quantile(3, 1.0).unwrap();
    assert_eq!(largest.of(&[1.0, 2.0, 5.0]), 5.0);
    assert_eq!(OrderLaw::order(1, 1).unwrap().rows().collect::<Vec<_>>(), [(0, 1.0)]);
}

#[test]
fn every_instruction_set_draws_the_same_bits() {
    let run = || {
        let mut out = Vec::new();
        for rows in [3, 16, 40, 100, 159, 160, 1003, 1024, 5000] {
            let codes: Vec<u32> = (0..rows as u32).map(|row| row * 7 % 3).collect();
            let plain = DesignOptions { rows, ..Default::default() };
            let blocks = Some(Blocks { kind: BlockKind::Stationary, length: 2.5 });
            for options in [
                plain,
                DesignOptions { strata: Some(&codes), ..plain },
                DesignOptions { bayesian: true, ..plain },
                DesignOptions { blocks, ..plain },
            ] {
                let design = Design::new(options).unwrap();
                let (x, y) = (column(rows), column(rows + 1));
                let mut sums = vec![0.0; 2 * 11];
                let mut stream = stream(10);
                Sums::new(&[&x, &y[..rows]], &design).draw(&mut stream, 11, &mut sums);
                out.extend(sums.iter().map(|sum| sum.to_bits()));
                Sums::new(&[&x], &design).draw(&mut stream, 22, &mut sums);
                let mut weights = vec![0.0; rows];
                design.draw_weights(&mut stream, &mut weights);
                out.extend(sums.into_iter().chain(weights).map(f64::to_bits));
                out.push(stream.next_u64());
            }
            let mut sorted = column(rows);
            sorted.sort_by(f64::total_cmp);
            let mut medians = [0.0; 21];
            for probability in [0.5, 0.3] {
                let law = OrderLaw::quantile(rows, probability).unwrap();
                law.draw(&mut stream(11), &sorted, &mut medians);
                out.extend(medians.map(f64::to_bits));
                out.extend(law.rows().map(|(_, chance)| chance.to_bits()));
            }
        }
        out
    };
    let expected = run();
    for &isa in available() {
        limit(isa).unwrap();
        assert!(run() == expected, "{isa} differs");
    }
    limit(detected()).unwrap();
}
