//! Methods of the textbook: estimate, standard error, interval and test by name.

use super::procedure::Estimate;
use crate::hypothesis::{Alternative, linear, logistic, mann_whitney, moments, t};
use crate::law::{binomial, normal, student};
use std::collections::HashMap;
use windfall_core::{Error, Moments, Result};
use windfall_expr::Argument::{self, Column, Number};
use windfall_lanes::scalar_math::{log1p, tanh};

/// A method that brings its own standard error, interval and test.
#[derive(Debug)]
pub struct Textbook {
    /// The word that calls it.
    pub name: &'static str,
    /// Its arguments: columns first, then constants.
    pub arguments: &'static [Argument],
    /// How many of the last arguments may be left out.
    pub optional: usize,
    /// What it is, in one sentence.
    pub about: &'static str,
    pub(crate) check: fn(&[f64]) -> Result<()>,
    pub(crate) find: fn(Sample<'_>) -> Estimate,
}

/// What a method sees.
pub(crate) struct Sample<'a> {
    pub columns: Vec<&'a [f64]>,
    pub numbers: &'a [f64],
    /// The value that its test takes as the null hypothesis.
    pub null: f64,
    /// The confidence level of its interval.
    pub level: f64,
    pub quantiles: &'a mut Quantiles,
}

/// Quantiles that were needed before.
#[derive(Debug, Default)]
pub(crate) struct Quantiles {
    known: HashMap<(u64, u64), f64>,
}

impl Quantiles {
    /// How many standard errors an interval of Student's law reaches.
    pub fn student(&mut self, freedom: f64, level: f64) -> f64 {
        if freedom.is_nan() || freedom <= 0.0 {
            return f64::NAN;
        }
        let find = || student::quantile(freedom, 0.5 + 0.5 * level);
        // Freedoms that differ from replicate to replicate are not worth keeping.
        if freedom.fract() != 0.0 {
            return find();
        }
        *self.known.entry((freedom.to_bits(), level.to_bits())).or_insert_with(find)
    }

    /// The same of the normal law.
    pub fn normal(&mut self, level: f64) -> f64 {
        let key = (0, level.to_bits());
        *self.known.entry(key).or_insert_with(|| normal::quantile(0.5 + 0.5 * level))
    }
}

macro_rules! textbook {
    ($($name:literal $arguments:expr, $optional:literal, $check:expr, $find:expr,
        $about:literal;)*) => {
        &[$(Textbook {
            name: $name,
            arguments: $arguments,
            optional: $optional,
            about: $about,
            check: $check,
            find: $find,
        }),*]
    };
}

/// Every method with a name.
pub static TEXTBOOK: &[Textbook] = textbook! {
    "mean" &[Column], 0, any, mean, "the mean with Student's interval and test";
    "trimmed_mean" &[Column, Number], 0, share, trimmed_mean,
        "the trimmed mean with the interval and test of Tukey and McLaughlin (1963)";
    "median" &[Column], 0, any, median,
        "the median with the interval of order statistics and the sign test";
    "difference" &[Column, Column], 0, any, difference,
        "the difference of the means of two columns, by Welch";
    "welch" &[Column, Column], 0, any, welch,
        "the mean of the first column where the second is not 0 less that where it is 0, by Welch";
    "t_test" &[Column, Column], 0, any, pooled,
        "the same with one variance for both groups, by Student";
    "mann_whitney" &[Column, Column], 0, any, mann_whitney,
        "the chance that a value where the second column is not 0 exceeds one where it is 0, with \
         the rank-sum test";
    "slope" &[Column, Column], 0, any, ols,
        "the slope of the first column on the second by least squares";
    "ols" &[Column; 10], 8, any, ols,
        "the coefficient of the second column in the least-squares regression of the first on it \
         and the others";
    "logistic" &[Column, Column], 0, any, log_odds,
        "the log odds ratio of the second column in the logistic regression of the first";
    "correlation" &[Column, Column], 0, any, correlation,
        "Pearson's correlation with Fisher's z interval and test";
    "wald" &[Column], 0, any, wald, "the share of ones with Wald's interval and test";
    "wilson" &[Column], 0, any, wilson,
        "the share of ones with Wilson's interval and the score test";
    "clopper_pearson" &[Column], 0, any, clopper_pearson,
        "the share of ones with the exact interval and test";
};

fn any(_: &[f64]) -> Result<()> {
    Ok(())
}

fn share(numbers: &[f64]) -> Result<()> {
    match (0.0..0.5).contains(&numbers[0]) {
        true => Ok(()),
        false => Err(Error::invalid("trimmed_mean", numbers[0], "a share from 0 to below 0.5")),
    }
}

/// An estimate with its standard error, and interval and test by Student's law.
fn by_student(estimate: f64, error: f64, freedom: f64, sample: Sample<'_>) -> Estimate {
    let found = Estimate::new(estimate).standard_error(error);
    if freedom.is_nan() || freedom <= 0.0 || error.is_nan() {
        return found;
    }
    let reach = sample.quantiles.student(freedom, sample.level) * error;
    let p_value = student::two_sided(freedom, (estimate - sample.null) / error);
    found.interval(estimate - reach, estimate + reach).p_value(p_value)
}

fn mean(sample: Sample<'_>) -> Estimate {
    let found = moments(sample.columns[0]);
    by_student(found.mean(), found.mcse(), found.count() as f64 - 1.0, sample)
}

/// `g` rows are cut at either end and `h` are left. The standard error is that of the winsorised
/// sample, `√(ssw/(h(h - 1)))`, with `h - 1` degrees of freedom.
fn trimmed_mean(sample: Sample<'_>) -> Estimate {
    let mut sorted = sample.columns[0].to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let cut = (sorted.len() as f64 * sample.numbers[0]).floor() as usize;
    let left = sorted.len() - 2 * cut;
    let estimate = moments(&sorted[cut..sorted.len() - cut]).mean();
    let (low, high) = (sorted[cut], sorted[sorted.len() - 1 - cut]);
    sorted.iter_mut().for_each(|value| *value = value.clamp(low, high));
    let error = (moments(&sorted).squares() / (left * left.saturating_sub(1)) as f64).sqrt();
    by_student(estimate, error, left as f64 - 1.0, sample)
}

/// From the k-th smallest to the k-th largest value, with the largest k that keeps the level.
fn median(sample: Sample<'_>) -> Estimate {
    let mut sorted = sample.columns[0].to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    let middle = 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]);
    // Of the quantiles known, those of this kind stand under the number of rows with its sign.
    let outside = 0.5 * (1.0 - sample.level);
    let key = ((-(n as f64)).to_bits(), sample.level.to_bits());
    let k = *sample.quantiles.known.entry(key).or_insert_with(|| {
        let keeps = |k: &u64| binomial::cdf(n as u64, 0.5, k - 1) <= outside;
        (1..=n as u64 / 2).take_while(keeps).last().unwrap_or(0) as f64
    }) as usize;
    let (low, high) = match k {
        0 => (f64::NEG_INFINITY, f64::INFINITY),
        k => (sorted[k - 1], sorted[n - k]),
    };
    let above = sorted.iter().filter(|&&value| value > sample.null).count() as u64;
    let below = sorted.iter().filter(|&&value| value < sample.null).count() as u64;
    let tail = binomial::cdf(above + below, 0.5, above.min(below));
    Estimate::new(middle).interval(low, high).p_value((2.0 * tail).min(1.0))
}

/// The rows where the second column is not 0, and those where it is.
fn groups(sample: &Sample<'_>) -> [Vec<f64>; 2] {
    let mut groups = [Vec::new(), Vec::new()];
    for (&value, &group) in sample.columns[0].iter().zip(sample.columns[1]) {
        groups[usize::from(group == 0.0)].push(value);
    }
    groups
}

fn difference(sample: Sample<'_>) -> Estimate {
    unequal([moments(sample.columns[0]), moments(sample.columns[1])], sample)
}

fn welch(sample: Sample<'_>) -> Estimate {
    unequal(groups(&sample).map(|group| moments(&group)), sample)
}

/// The difference of two means; NaN without two rows in each.
fn gap(groups: [Moments; 2]) -> f64 {
    match groups.iter().any(|group| group.count() < 2) {
        true => f64::NAN,
        false => groups[0].mean() - groups[1].mean(),
    }
}

fn unequal(groups: [Moments; 2], sample: Sample<'_>) -> Estimate {
    let [a, b] = groups.map(|group| group.variance() / group.count() as f64);
    let freedom = t::welch_statistic(groups[0], groups[1]).freedom;
    by_student(gap(groups), (a + b).sqrt(), freedom, sample)
}

fn pooled(sample: Sample<'_>) -> Estimate {
    let groups = groups(&sample).map(|group| moments(&group));
    let [m, n] = groups.map(|group| group.count() as f64);
    let freedom = m + n - 2.0;
    let variance = (groups[0].squares() + groups[1].squares()) / freedom;
    by_student(gap(groups), (variance * (1.0 / m + 1.0 / n)).sqrt(), freedom, sample)
}

fn mann_whitney(sample: Sample<'_>) -> Estimate {
    let [x, y] = groups(&sample);
    let pairs = (x.len() * y.len()) as f64;
    let found = mann_whitney::rank_sum(&x, &y, Alternative::TwoSided);
    Estimate::new(found.statistic / pairs).p_value(found.p_value)
}

fn ols(sample: Sample<'_>) -> Estimate {
    let columns = &sample.columns;
    let found = linear::coefficient(columns[0], columns[1], &columns[2..]);
    by_student(found.estimate, found.standard_error, found.freedom, sample)
}

fn log_odds(sample: Sample<'_>) -> Estimate {
    let Some(found) = logistic::coefficient(sample.columns[0], sample.columns[1]) else {
        return Estimate::new(f64::NAN);
    };
    let (estimate, error) = (found.estimate, found.standard_error);
    let reach = sample.quantiles.normal(sample.level) * error;
    let p_value = 2.0 * normal::cdf(-((estimate - sample.null) / error).abs());
    let found = Estimate::new(estimate).standard_error(error);
    found.interval(estimate - reach, estimate + reach).p_value(p_value)
}

/// Sums of squares and products about the means: xx, xy, yy; and the count.
fn products(sample: &Sample<'_>) -> ([f64; 3], f64) {
    let (x, y) = (sample.columns[0], sample.columns[1]);
    let (centre, middle) = (moments(x).mean(), moments(y).mean());
    let mut sums = [0.0; 3];
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x - centre, y - middle);
        sums = [x.mul_add(x, sums[0]), x.mul_add(y, sums[1]), y.mul_add(y, sums[2])];
    }
    (sums, x.len() as f64)
}

/// The standard error is `(1 - r²)/√(n - 1)`; interval and test lie on Fisher's scale, where
/// that of `atanh r` is `1/√(n - 3)`; for a null hypothesis of 0 the test is the exact one.
fn correlation(sample: Sample<'_>) -> Estimate {
    let ([xx, xy, yy], n) = products(&sample);
    let r = (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0);
    let found = Estimate::new(r).standard_error((1.0 - r * r) / (n - 1.0).sqrt());
    if n < 4.0 || r.is_nan() || r.abs() >= 1.0 {
        return found;
    }
    let fisher = |r: f64| 0.5 * (log1p(r) - log1p(-r));
    let (z, error) = (fisher(r), 1.0 / (n - 3.0).sqrt());
    let reach = sample.quantiles.normal(sample.level) * error;
    let p_value = match sample.null {
        0.0 => student::two_sided(n - 2.0, r * ((n - 2.0) / (1.0 - r * r)).sqrt()),
        null => 2.0 * normal::cdf(-((z - fisher(null)) / error).abs()),
    };
    found.interval(tanh(z - reach), tanh(z + reach)).p_value(p_value)
}

/// The number of values that are not 0, and of all.
fn ones(sample: &Sample<'_>) -> (u64, u64) {
    let x = sample.columns[0];
    (x.iter().filter(|&&value| value != 0.0).count() as u64, x.len() as u64)
}

fn wald(sample: Sample<'_>) -> Estimate {
    let (k, n) = ones(&sample);
    let share = k as f64 / n as f64;
    let error = (share * (1.0 - share) / n as f64).sqrt();
    let reach = sample.quantiles.normal(sample.level) * error;
    let p_value = 2.0 * normal::cdf(-((share - sample.null) / error).abs());
    let found = Estimate::new(share).standard_error(error).interval(share - reach, share + reach);
    if error > 0.0 { found.p_value(p_value) } else { found }
}

/// E. B. Wilson, Journal of the American Statistical Association 22, 1927.
fn wilson(sample: Sample<'_>) -> Estimate {
    let (k, n) = ones(&sample);
    let (share, n) = (k as f64 / n as f64, n as f64);
    let z = sample.quantiles.normal(sample.level);
    let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let spread = share * (1.0 - share) / n + z * z / (4.0 * n * n);
    let reach = z * spread.sqrt() / (1.0 + z * z / n);
    let error = (share * (1.0 - share) / n).sqrt();
    let found = Estimate::new(share).standard_error(error);
    let found = found.interval(centre - reach, centre + reach);
    let null = sample.null;
    if !(0.0 < null && null < 1.0) {
        return found;
    }
    let score = (share - null) / (null * (1.0 - null) / n).sqrt();
    found.p_value(2.0 * normal::cdf(-score.abs()))
}

fn clopper_pearson(sample: Sample<'_>) -> Estimate {
    let (k, n) = ones(&sample);
    let (low, high) = binomial::clopper_pearson(k, n, sample.level);
    let found = Estimate::new(k as f64 / n as f64).interval(low, high);
    let null = sample.null;
    if !(0.0 < null && null < 1.0) {
        return found;
    }
    let (below, above) = (binomial::cdf(n, null, k), at_least(n, null, k));
    found.p_value((2.0 * below.min(above)).min(1.0))
}

/// P(K >= k).
fn at_least(n: u64, p: f64, k: u64) -> f64 {
    if k == 0 { 1.0 } else { binomial::survival(n, p, k - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 7] = [94.0, 197.0, 16.0, 38.0, 99.0, 141.0, 23.0];
    const Y: [f64; 7] = [52.0, 104.0, 146.0, 10.0, 51.0, 30.0, 40.0];

    fn find(name: &str, columns: Vec<&[f64]>, numbers: &[f64], null: f64) -> Estimate {
        let textbook = TEXTBOOK.iter().find(|row| row.name == name).unwrap();
        assert!(columns.len() + numbers.len() + textbook.optional >= textbook.arguments.len());
        let mut quantiles = Quantiles::default();
        let quantiles = &mut quantiles;
        (textbook.find)(Sample { columns, numbers, null, level: 0.95, quantiles })
    }

    /// Estimate, standard error, interval and p-value; NaN for what the method does not tell.
    fn assert_is(name: &str, found: Estimate, expected: [f64; 5]) {
        for (found, expected) in found.numbers().into_iter().zip(expected) {
            let near = (found - expected).abs() <= 1e-12 * (1.0 + expected.abs());
            assert!(near || (found.is_nan() && expected.is_nan()), "{name}: {found} {expected}");
        }
    }

    /// By SciPy 1.17: `ttest_1samp`, `ttest_ind`, `linregress`, `pearsonr`, `binomtest`,
    /// `quantile_test`, `mannwhitneyu`, and the trimmed mean by `trim_mean` and the formula; by
    /// statsmodels 0.14: `OLS`, `Logit`.
    #[test]
    fn the_textbook_is_that_of_scipy() {
        let nan = f64::NAN;
        let expected =
            [86.85714285714286, 25.235489533052238, 25.108124449272267, 148.60616126501344];
        let [a, b, c, d] = expected;
        assert_is("mean", find("mean", vec![&X], &[], 50.0), [a, b, c, d, 0.19444470772840863]);
        let expected = [
            79.0,
            28.513906381673788,
            -0.16729580346631678,
            158.16729580346632,
            0.3666442463730384,
        ];
        assert_is("trimmed", find("trimmed_mean", vec![&X], &[0.2], 50.0), expected);
        let gap = X.iter().sum::<f64>() / 7.0 - Y.iter().sum::<f64>() / 7.0;
        let welch =
            [gap, 30.860559775543024, -43.09798133695016, 93.09798133695017, 0.43541333009860267];
        assert_is("difference", find("difference", vec![&X, &Y], &[], 0.0), welch);
        let both: Vec<f64> = X.into_iter().chain(Y).collect();
        let group: Vec<f64> = (0..14u8).map(|row| f64::from(row < 7)).collect();
        assert_is("welch", find("welch", vec![&both, &group], &[], 0.0), welch);
        let pooled =
            [gap, 30.860559775543024, -42.23938356966554, 92.23938356966556, 0.433656659055761];
        assert_is("t_test", find("t_test", vec![&both, &group], &[], 0.0), pooled);
        let slope = [
            0.025492981818958715,
            0.3145925094861297,
            -0.7831928086933313,
            0.8341787723312488,
            0.9385578700467677,
        ];
        assert_is("slope", find("slope", vec![&Y, &X], &[], 0.0), slope);
        let squares = X.map(|x| x * x);
        let expected = [
            -1.5202350577860866,
            1.0912959749774105,
            -4.550158425834171,
            1.5096883102619985,
            0.2360306128311646,
        ];
        assert_is("ols", find("ols", vec![&Y, &X, &squares], &[], 0.0), expected);
        let large: Vec<f64> = both.iter().map(|&value| f64::from(value > 50.0)).collect();
        let order: Vec<f64> = (0..14u8).map(f64::from).collect();
        let expected = [
            -0.13079345620804345,
            0.14231668232196631,
            -0.4097290279583256,
            0.14814211554223872,
            0.3580793087631937,
        ];
        assert_is("logistic", find("logistic", vec![&large, &order], &[], 0.0), expected);
        let expected = [0.5510204081632653, nan, nan, nan, 0.8047785547785549];
        assert_is("ranks", find("mann_whitney", vec![&both, &group], &[], 0.0), expected);
        let r = 0.036216148061652326f64;
        let error = (1.0 - r * r) / 6f64.sqrt();
        let expected = [r, error, -0.7369404376271115, 0.7683199713501073, 0.9385578700467677];
        assert_is("correlation", find("correlation", vec![&X, &Y], &[], 0.0), expected);
        let seven: Vec<f64> = (0..20u8).map(|row| f64::from(row < 7)).collect();
        let error = 0.1066536450385077;
        let expected = [0.35, nan, 0.1539092047845412, 0.5921885345328283, 0.26317596435546875];
        assert_is("exact", find("clopper_pearson", vec![&seven], &[], 0.5), expected);
        let expected = [0.35, error, 0.1811918241010821, 0.5671457233147637, 0.17971249487899987];
        assert_is("wilson", find("wilson", vec![&seven], &[], 0.5), expected);
        let low = 0.14096269690460586;
        let expected = [0.35, error, low, 0.7 - low, 2.0 * normal::cdf(-0.15 / error)];
        assert_is("wald", find("wald", vec![&seven], &[], 0.5), expected);
        let ten: Vec<f64> = (1..=10u8).map(f64::from).collect();
        assert_is("median", find("median", vec![&ten], &[], 3.0), [5.5, nan, 2.0, 9.0, 0.1796875]);
    }

    #[test]
    fn data_that_allow_no_test_give_none() {
        let one = find("mean", vec![&[3.0]], &[], 0.0);
        assert!(one.estimate == 3.0 && one.low.is_nan() && one.p_value.is_nan());
        let alone = find("welch", vec![&X, &[1.0; 7]], &[], 0.0);
        assert!(alone.estimate.is_nan());
        let few = find("median", vec![&X[..4]], &[], 0.0);
        assert_eq!((few.low, few.high), (f64::NEG_INFINITY, f64::INFINITY));
    }
}
