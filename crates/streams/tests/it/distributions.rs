//! Each law against SciPy: a million draws by cell (chi-square), their mean and their variance.
//!
//! Seeds are fixed. Had they been drawn, each of the three checks of a law would fail by chance
//! once in a million runs: 4.89 standard errors two-sided, and the chi-square bound in the file.

use std::collections::HashMap;
use windfall_streams::{
    Beta, Binomial, Distribution, Gamma, Multinomial, Poisson, Seed, Stream, Streams,
};

const DRAWS: usize = 1_000_000;
const STANDARD_ERRORS: f64 = 4.89;

fn stream(task: u64) -> Stream {
    Streams::new(Seed(99), "distributions").task(task)
}

/// Returns a million draws of the law called `name`.
fn draws(name: &str, parameters: &[f64], stream: &mut Stream) -> Vec<f64> {
    fn counts(law: impl Distribution<Value = u64>, stream: &mut Stream) -> Vec<f64> {
        let mut out = vec![0; DRAWS];
        law.fill(stream, &mut out);
        out.into_iter().map(|k| k as f64).collect()
    }
    let mut out = vec![0.0; DRAWS];
    match (name, parameters) {
        ("uniform", []) => stream.fill_uniform(&mut out),
        ("open_uniform", []) => stream.fill_open_uniform(&mut out),
        ("normal", []) => out.fill_with(|| stream.normal()),
        ("fill_normal", []) => stream.fill_normal(&mut out),
        ("exponential", []) => stream.fill_exponential(&mut out),
        ("gamma", &[shape, scale]) => Gamma::new(shape, scale).unwrap().fill(stream, &mut out),
        ("beta", &[a, b]) => Beta::new(a, b).unwrap().fill(stream, &mut out),
        ("poisson", &[mean]) => return counts(Poisson::new(mean).unwrap(), stream),
        ("binomial", &[n, p]) => return counts(Binomial::new(n as u64, p).unwrap(), stream),
        _ => panic!("no law `{name}` of {parameters:?}"),
    }
    out
}

fn chi_square(observed: &[u64], chances: &[f64]) -> f64 {
    assert_eq!(observed.len(), chances.len());
    let total = observed.iter().sum::<u64>() as f64;
    let cells = observed.iter().zip(chances);
    cells.map(|(&o, p)| (o as f64 - total * p).powi(2) / (total * p)).sum()
}

/// One line of the golden file.
struct Law<'a> {
    name: &'a str,
    fields: Vec<Vec<f64>>,
}

fn laws(text: &str) -> impl Iterator<Item = Law<'_>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (name, rest) = line.split_once(' ').unwrap();
        let numbers = |f: &str| f.split_whitespace().map(|x| x.parse().unwrap()).collect();
        Law { name, fields: rest.split('|').map(numbers).collect() }
    })
}

#[test]
fn laws_have_their_cells_means_and_variances() {
    let mut failures = Vec::new();
    for (task, law) in laws(include_str!("../../../../tests/golden/distributions.txt")).enumerate()
    {
        let [parameters, moments, bound, edges, chances] = &law.fields[..] else { panic!() };
        let [mean, variance, kurtosis] = moments[..] else { panic!() };
        let drawn = draws(law.name, parameters, &mut stream(task as u64));
        let mut observed = vec![0; chances.len()];
        drawn.iter().for_each(|x| observed[edges.partition_point(|edge| edge < x)] += 1);
        let count = DRAWS as f64;
        let found_mean = drawn.iter().map(|x| x - mean).sum::<f64>() / count;
        let found_variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let z_mean = found_mean / (variance / count).sqrt();
        let z_variance = (found_variance / variance - 1.0) / ((kurtosis + 2.0) / count).sqrt();
        let chi = chi_square(&observed, chances);
        let report = format!("{} {parameters:?}: {z_mean:.2} {z_variance:.2} {chi:.0}", law.name);
        let sound = z_mean.abs() < STANDARD_ERRORS && z_variance.abs() < STANDARD_ERRORS;
        if !(sound && chi < bound[0]) {
            failures.push(format!("{report} of {}", bound[0]));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Where no table reaches, mean and variance still must: huge counts, huge shapes.
#[test]
fn huge_parameters_keep_their_moments() {
    type Sample<'a> = Box<dyn FnMut(&mut Stream) -> f64 + 'a>;
    let poisson = |mean: f64| {
        let law = Poisson::new(mean).unwrap();
        (Box::new(move |s: &mut Stream| law.draw(s) as f64) as Sample, mean, mean)
    };
    let binomial = |n: f64, p: f64| {
        let law = Binomial::new(n as u64, p).unwrap();
        (Box::new(move |s: &mut Stream| law.draw(s) as f64) as Sample, n * p, n * p * (1.0 - p))
    };
    let gamma = |shape: f64| {
        let law = Gamma::new(shape, 1.0).unwrap();
        (Box::new(move |s: &mut Stream| law.draw(s)) as Sample, shape, shape)
    };
    let cases = [
        poisson(1e9),
        poisson(9e15),
        binomial(9e15, 0.25),
        binomial(9e15, 1e-9),
        gamma(1e12),
        gamma(1e15),
    ];
    for (task, (mut sample, mean, variance)) in cases.into_iter().enumerate() {
        let mut stream = stream(1000 + task as u64);
        let count = 100_000;
        let gaps: Vec<f64> = (0..count).map(|_| sample(&mut stream) - mean).collect();
        let z_mean = gaps.iter().sum::<f64>() / (variance * f64::from(count)).sqrt();
        let spread = gaps.iter().map(|gap| gap * gap).sum::<f64>() / f64::from(count);
        let z_variance = (spread / variance - 1.0) / (2.0 / f64::from(count)).sqrt();
        assert!(z_mean.abs() < STANDARD_ERRORS, "case {task}: mean off by {z_mean} errors");
        assert!(z_variance.abs() < STANDARD_ERRORS, "case {task}: variance by {z_variance}");
    }
}

/// Counts what `draw` gives and holds the counts to equal chances of `kinds` outcomes.
fn all_as_likely(kinds: usize, bound: f64, mut draw: impl FnMut() -> Vec<u64>) {
    let mut seen: HashMap<Vec<u64>, u64> = HashMap::new();
    (0..100_000).for_each(|_| *seen.entry(draw()).or_default() += 1);
    assert_eq!(seen.len(), kinds);
    let observed: Vec<u64> = seen.into_values().collect();
    let chi = chi_square(&observed, &vec![1.0 / kinds as f64; kinds]);
    assert!(chi < bound, "{chi}");
}

// The bounds are scipy.stats.chi2.isf(1e-6, kinds - 1).
const BOUNDS: [(usize, f64); 4] =
    [(6, 35.888_187), (10, 44.810_937), (15, 54.635_305), (24, 70.549_557)];

fn bound(kinds: usize) -> f64 {
    BOUNDS.into_iter().find(|row| row.0 == kinds).unwrap().1
}

#[test]
fn orders_are_equally_likely() {
    let mut stream = stream(2000);
    all_as_likely(24, bound(24), || {
        let mut items = vec![1, 2, 3, 4];
        stream.shuffle(&mut items);
        items
    });
}

#[test]
fn subsets_are_equally_likely_and_ascend() {
    let mut stream = stream(2001);
    for (n, size, kinds) in [(6, 2, 15), (6, 4, 15), (5, 3, 10), (10, 1, 10), (4, 2, 6)] {
        all_as_likely(kinds, bound(kinds), || {
            let mut out = vec![0; size];
            stream.subset(n, &mut out).unwrap();
            assert!(out.is_sorted_by(|a, b| a < b) && out[size - 1] < n, "{out:?}");
            out.into_iter().map(u64::from).collect()
        });
    }
    let mut all = [0; 100];
    stream.subset(100, &mut all).unwrap();
    assert!(all.iter().enumerate().all(|(i, &x)| i == x as usize));
    assert!(stream.subset(99, &mut all).is_err());
    stream.subset(0, &mut []).unwrap();
}

#[test]
fn bounded_numbers_are_equally_likely() {
    let mut stream = stream(2002);
    all_as_likely(6, bound(6), || vec![stream.below(6)]);
    // Three quarters of the range: without rejection some thirds would be twice as likely.
    all_as_likely(6, bound(6), || vec![stream.below(3 << 62) / (1 << 61)]);
    let mut numbers = vec![0; 100_000];
    for (limit, kinds) in [(6, 6), (10, 10), (3 << 30, 6)] {
        stream.fill_below(limit, &mut numbers);
        let mut drawn = numbers.iter();
        let width = limit / kinds as u32;
        all_as_likely(kinds, bound(kinds), || vec![u64::from(drawn.next().unwrap() / width)]);
    }
}

#[test]
fn multinomial_outcomes_have_their_chances() {
    // Three trials, three kinds with chances 1/2, 1/6, 1/3 and one with none: ten outcomes.
    let law = Multinomial::new(3, &[3.0, 1.0, 0.0, 2.0]).unwrap();
    let mut stream = stream(2003);
    let mut observed = vec![0; 10];
    let outcomes: Vec<[u64; 2]> = (0..=3).flat_map(|a| (0..=3 - a).map(move |b| [a, b])).collect();
    for _ in 0..100_000 {
        let counts = law.draw(&mut stream);
        assert_eq!((counts.iter().sum::<u64>(), counts[2]), (3, 0));
        observed[outcomes.iter().position(|o| o[..] == counts[..2]).unwrap()] += 1;
    }
    let factorial = |k: u64| (1..=k).product::<u64>() as f64;
    let power = |x: f64, k: u64| x.powi(k as i32);
    let chance = |&[a, b]: &[u64; 2]| {
        let c = 3 - a - b;
        let ways = 6.0 / (factorial(a) * factorial(b) * factorial(c));
        ways * power(1.0 / 2.0, a) * power(1.0 / 6.0, b) * power(1.0 / 3.0, c)
    };
    let chances: Vec<f64> = outcomes.iter().map(chance).collect();
    let chi = chi_square(&observed, &chances);
    assert!(chi < bound(10), "{chi}");
}

#[test]
fn tiny_beta_shapes_toss_a_coin() {
    let mut stream = stream(2004);
    for (a, b) in [(1e-300, 3e-300), (5e-324, 15e-324), (1e-5, 3e-5)] {
        let law = Beta::new(a, b).unwrap();
        let sum: f64 = (0..10_000).map(|_| law.draw(&mut stream)).sum();
        // 1/4 on average, standard error 0.00433.
        assert!((sum / 10_000.0 - 0.25).abs() < 0.00433 * STANDARD_ERRORS, "{a}: {sum}");
    }
}

#[test]
fn wrong_parameters_are_refused() {
    let wrong = [f64::NAN, -1.0, f64::INFINITY];
    for x in wrong.into_iter().chain([0.0]) {
        assert!(Gamma::new(x, 1.0).is_err() && Gamma::new(1.0, x).is_err());
        assert!(Beta::new(x, 1.0).is_err() && Beta::new(1.0, x).is_err());
        assert!(Multinomial::new(1, &[x]).is_err());
    }
    for x in wrong {
        assert!(Poisson::new(x).is_err() && Binomial::new(1, x).is_err());
        assert!(Multinomial::new(1, &[1.0, x]).is_err());
    }
    assert!(Multinomial::new(1, &[]).is_err() && Binomial::new(u64::MAX, 0.5).is_err());
    assert!(Multinomial::new(u64::MAX, &[1.0]).is_err());
    let error = Binomial::new(1, 1.5).unwrap_err();
    let text = "binomial: p is `1.5`; hint: give a probability, from 0 to 1";
    assert_eq!(error.to_string(), text);
}

#[test]
fn certain_outcomes_are_certain() {
    let mut stream = stream(2005);
    for n in [0, 1, 1000, 1 << 53] {
        assert_eq!(stream.binomial(n, 0.0), Ok(0));
        assert_eq!(stream.binomial(n, 1.0), Ok(n));
    }
    assert_eq!(stream.binomial(0, 0.5), Ok(0));
    assert_eq!(stream.poisson(0.0), Ok(0));
}
