//! The catalogue of tests: name, effect, unit of n, the keys it reads, how it is made ready.

use super::designs::{cluster, counts, means, ranks, regression, survival};
use super::options::Design;
use super::ready::{Point, Ready};
use windfall_core::{Error, Result};

/// A row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name, as in job files.
    pub name: &'static str,
    /// Other names it goes by.
    pub aliases: &'static [&'static str],
    /// What it tests.
    pub about: &'static str,
    /// What its effect is.
    pub effect: &'static str,
    /// What its n counts.
    pub n: &'static str,
    /// The least n.
    pub n_min: u64,
    /// Keys it reads beyond those of every test.
    pub keys: &'static [&'static str],
    pub(crate) build: fn(&Setup<'_>) -> Result<Ready>,
}

/// What a test is made ready from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    pub design: &'a Design,
    pub point: Point,
}

impl Setup<'_> {
    /// n as a number of values.
    pub fn n(&self) -> usize {
        self.point.n as usize
    }

    /// n and the size of the second sample.
    pub fn pair(&self) -> [usize; 2] {
        let second = (self.point.n as f64 * self.design.ratio.unwrap_or(1.0)).round();
        [self.n(), (second as usize).max(2)]
    }

    /// The effect, which must be given.
    pub fn effect(&self) -> Result<f64> {
        self.point.effect.ok_or_else(|| {
            Error::invalid("effect", "missing", "a number")
                .hint("`--effect 0.5`; or give the laws of the data themselves")
        })
    }
}

macro_rules! catalogue {
    ($($name:literal $aliases:tt, $about:literal, $effect:literal, $n:literal from $min:literal,
        $keys:tt, $build:path;)*) => {
        &[$(Row {
            name: $name,
            aliases: &$aliases,
            about: $about,
            effect: $effect,
            n: $n,
            n_min: $min,
            keys: &$keys,
            build: $build,
        }),*]
    };
}

/// Every test.
#[rustfmt::skip]
pub static TESTS: &[Row] = catalogue! {
    "t-test" ["two-sample-t", "student"],
        "two means, Student's t with pooled variance",
        "d = (first mean - second mean) / sd", "a sample" from 2,
        ["effect", "alternative", "groups", "law", "ratio"], means::two_sample;
    "welch" ["welch-t"],
        "two means, Welch's t with the variance of each",
        "d, in standard deviations", "a sample" from 2,
        ["effect", "alternative", "groups", "law", "ratio"], means::welch;
    "one-sample-t" ["one-sample"],
        "a mean against `null`, Student's t",
        "d = (mean - null) / sd", "in all" from 2,
        ["effect", "alternative", "groups", "law", "null"], means::one_sample;
    "paired-t" ["paired"],
        "the mean of paired differences against 0, Student's t",
        "d = mean / sd of the differences", "pairs" from 2,
        ["effect", "alternative", "groups", "law", "null"], means::one_sample;
    "anova" ["one-way"],
        "several means, one-way analysis of variance",
        "f = sd of the means / sd within", "a sample" from 2,
        ["effect", "groups", "law", "arms"], means::anova;
    "equivalence" ["tost"],
        "whether two means differ by less than `margin`: two one-sided t tests",
        "the true d, 0 by default", "a sample" from 2,
        ["effect", "groups", "law", "ratio", "margin"], means::equivalence;
    "cluster" ["cluster-randomised", "cluster-randomized"],
        "two arms of randomised clusters, Student's t of the clusters' means",
        "d, in standard deviations of subjects", "clusters an arm" from 2,
        ["effect", "alternative", "ratio", "cluster_size", "icc"], cluster::two_arms;
    "proportion" ["one-proportion"],
        "a proportion against `null`, z by the score",
        "h = 2 asin √p - 2 asin √null", "in all" from 1,
        ["effect", "alternative", "proportions", "null"], counts::one_proportion;
    "proportions" ["two-proportions"],
        "two proportions, z with pooled variance",
        "h = 2 asin √p1 - 2 asin √p2, about p2 = 1/2", "a sample" from 1,
        ["effect", "alternative", "proportions", "ratio"], counts::two_proportions;
    "fisher" ["fisher-exact"],
        "two proportions, Fisher's exact test",
        "h, about p2 = 1/2", "a sample" from 1,
        ["effect", "alternative", "proportions", "ratio"], counts::fisher;
    "goodness-of-fit" ["chi-square", "gof"],
        "the chances of `cells` against `null_probabilities`, Pearson's chi-square",
        "w = √Σ(p - p0)²/p0", "in all" from 1,
        ["effect", "probabilities", "null_probabilities", "cells"], counts::goodness_of_fit;
    "independence" ["contingency"],
        "rows and columns of a table, Pearson's chi-square",
        "w", "in all" from 1,
        ["effect", "probabilities", "cells"], counts::independence;
    "correlation" ["pearson"],
        "a correlation against 0, by its t",
        "r", "pairs" from 3,
        ["effect", "alternative"], regression::correlation;
    "linear-regression" ["linear", "ols"],
        "one coefficient of least squares, by its t",
        "slope in sd of the error per unit of the predictor", "rows" from 3,
        ["effect", "alternative", "law", "predictor", "covariates", "r_squared"],
        regression::linear;
    "logistic-regression" ["logistic"],
        "one coefficient of a logistic regression, Wald's z",
        "odds ratio of one unit of the predictor", "rows" from 4,
        ["effect", "alternative", "predictor", "base_rate"], regression::logistic;
    "mann-whitney" ["rank-sum", "wilcoxon-mann-whitney"],
        "which of two samples tends to be larger, ranks",
        "shift in standard deviations", "a sample" from 1,
        ["effect", "alternative", "groups", "law", "ratio"], ranks::mann_whitney;
    "wilcoxon" ["signed-rank"],
        "whether differences lie evenly about 0, signed ranks",
        "shift in standard deviations", "pairs" from 1,
        ["effect", "alternative", "groups", "law"], ranks::signed_rank;
    "log-rank" ["logrank"],
        "the survival of two groups, log-rank test",
        "hazard ratio of the first group to the second", "a group" from 2,
        ["effect", "alternative", "groups", "ratio", "median", "accrual", "follow_up", "dropout"],
        survival::log_rank;
};

/// The row of the test that `design` names, after the checks that need no point.
pub(crate) fn find(design: &Design) -> Result<&'static Row> {
    let name = design.test.trim().to_lowercase().replace(['_', ' '], "-");
    let row = TESTS.iter().find(|row| row.name == name || row.aliases.contains(&name.as_str()));
    let Some(row) = row else {
        let names: Vec<&str> = TESTS.iter().map(|row| row.name).collect();
        if name.is_empty() {
            let expected = format!("one of {}", names.join(", "));
            return Err(Error::invalid("test", "missing", &expected));
        }
        return Err(Error::unknown("test", &design.test, &names));
    };
    design.check()?;
    for key in design.given() {
        if !row.keys.contains(&key) {
            let expected = format!("left out: `{}` has no use for it", row.name);
            let hint = format!("it reads {}", row.keys.join(", "));
            return Err(Error::invalid(key, "given", &expected).hint(hint));
        }
    }
    Ok(row)
}
