//! The options of many fits, as job files and callers write them.

use serde::{Deserialize, Serialize};
use windfall_core::{Error, Result};

/// The most iterations that may be asked for.
const ITERATIONS_MAX: u64 = 100_000;

/// One name of a column or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "the name of a column, or a list of them")]
pub enum Names {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Names {
    /// The names.
    pub fn list(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

/// The law of the response, and with it what is minimised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Normal errors: least squares, weighted if there are weights, ridge if there is a penalty.
    #[default]
    #[serde(alias = "ols", alias = "wls", alias = "linear", alias = "normal")]
    Gaussian,
    /// 0 and 1, or shares with weights as trials: logit link.
    #[serde(alias = "logit", alias = "binomial")]
    Logistic,
    /// Counts: log link.
    Poisson,
    /// A quantile of the response: least absolute deviations, tilted.
    Quantile,
}

impl Family {
    /// The name, as in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Logistic => "logistic",
            Self::Poisson => "poisson",
            Self::Quantile => "quantile",
        }
    }
}

/// How standard errors are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StandardErrors {
    /// From the model: equal variances, or the Fisher information.
    #[default]
    #[serde(alias = "model", alias = "nonrobust", alias = "iid")]
    Classical,
    /// White (1980): squared residuals.
    #[serde(alias = "HC0", alias = "white", alias = "robust")]
    Hc0,
    /// HC0 times n / (n - p).
    #[serde(alias = "HC1", alias = "stata")]
    Hc1,
    /// Squared residuals over 1 - leverage.
    #[serde(alias = "HC2")]
    Hc2,
    /// Squared residuals over (1 - leverage)².
    #[serde(alias = "HC3")]
    Hc3,
    /// Squared residuals over (1 - leverage) to a power that grows with it (Cribari-Neto 2004).
    #[serde(alias = "HC4")]
    Hc4,
    /// Newey and West (1987): HC0 and the products of scores up to some lags apart, for rows in
    /// order of time whose errors go together.
    #[serde(alias = "HAC", alias = "newey-west")]
    Hac,
    /// Squared sums of scores by cluster, without a correction.
    #[serde(alias = "CR0")]
    Cr0,
    /// CR0 times G / (G - 1) for G clusters.
    #[serde(alias = "CR1")]
    Cr1,
    /// CR0 times G / (G - 1) · (n - 1) / (n - p), as Stata and statsmodels.
    #[serde(alias = "CR1S", alias = "cluster")]
    Cr1s,
}

impl StandardErrors {
    /// The name, as in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Classical => "classical",
            Self::Hc0 => "hc0",
            Self::Hc1 => "hc1",
            Self::Hc2 => "hc2",
            Self::Hc3 => "hc3",
            Self::Hc4 => "hc4",
            Self::Hac => "hac",
            Self::Cr0 => "cr0",
            Self::Cr1 => "cr1",
            Self::Cr1s => "cr1s",
        }
    }

    /// Whether rows are taken together by cluster.
    pub fn is_clustered(self) -> bool {
        matches!(self, Self::Cr0 | Self::Cr1 | Self::Cr1s)
    }
}

/// Arrays of groups of equal size as a value: each is the one column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArraysJob {
    /// The number of groups.
    pub groups: u64,
    /// The number of rows of each.
    pub rows: u64,
    /// The names of the terms.
    pub names: Vec<String>,
    /// Whether to put an intercept before the terms.
    pub intercept: bool,
    /// Where the values of the terms are: `groups × rows × terms`, the last varying fastest.
    pub x: String,
    /// Where the responses are: `groups × rows`.
    pub y: String,
    /// Where the weights are, if there are any.
    pub weights: Option<String>,
    /// Where the clusters are, if there are any: numbers or labels, `groups × rows`.
    pub cluster: Option<String>,
}

/// What becomes of rows with a missing value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Their group is not fitted, and says so.
    #[default]
    Fail,
    /// They are left out.
    Drop,
}

/// The options of many fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitOptions {
    /// The model, such as `y ~ x1 + x2`; see [`crate::formula::Formula`].
    pub formula: String,
    /// The columns whose values tell the groups apart; none for a single fit.
    pub by: Names,
    /// Arrays of groups of equal size instead of a table and a formula.
    pub arrays: Option<ArraysJob>,
    /// The law of the response.
    pub family: Family,
    /// How standard errors are made; by default `cr1s` if there are clusters, `hac` if there are
    /// lags, else `classical`.
    pub se: Option<StandardErrors>,
    /// Of `hac` the most rows between two whose errors go together; 4 (n/100)^(2/9), rounded down,
    /// by default.
    pub lags: Option<u64>,
    /// The column of clusters, within groups.
    pub cluster: Option<String>,
    /// The column of weights: inverse variances, or trials of shares.
    pub weights: Option<String>,
    /// The penalty of ridge regression on the sum of squared coefficients but the intercept's.
    pub ridge: f64,
    /// The quantile that quantile regression fits.
    pub quantile: f64,
    /// Confidence level of the intervals.
    pub level: f64,
    /// What becomes of rows with a missing value.
    pub missing: Missing,
    /// The most iterations of a fit that needs them.
    pub max_iterations: u64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            formula: String::new(),
            by: Names::default(),
            arrays: None,
            family: Family::default(),
            se: None,
            lags: None,
            cluster: None,
            weights: None,
            ridge: 0.0,
            quantile: 0.5,
            level: 0.95,
            missing: Missing::default(),
            max_iterations: 100,
        }
    }
}

impl FitOptions {
    /// How standard errors are made.
    pub fn errors(&self) -> StandardErrors {
        let usual = match (&self.cluster, self.lags) {
            (Some(_), _) => StandardErrors::Cr1s,
            (None, Some(_)) => StandardErrors::Hac,
            (None, None) => StandardErrors::Classical,
        };
        self.se.unwrap_or(usual)
    }

    /// The checks that need no data.
    pub(super) fn check(&self) -> Result<()> {
        let errors = self.errors();
        if errors.is_clustered() && self.cluster.is_none() {
            let error = Error::invalid("se", errors.name(), "another where no cluster is given");
            return Err(error.hint("name the column of clusters: cluster = \"school\""));
        }
        if let Some(cluster) = &self.cluster
            && !errors.is_clustered()
        {
            let expected = format!("left out with se = \"{}\"", errors.name());
            let error = Error::invalid("cluster", cluster, &expected);
            return Err(error.hint("clusters go with se = \"cr0\", \"cr1\" or \"cr1s\""));
        }
        if let Some(lags) = self.lags
            && errors != StandardErrors::Hac
        {
            let expected = format!("left out with se = \"{}\"", errors.name());
            let error = Error::invalid("lags", lags, &expected);
            return Err(error.hint("lags go with se = \"hac\""));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::invalid("level", self.level, "between 0 and 1, such as 0.95"));
        }
        if !(self.ridge >= 0.0 && self.ridge.is_finite()) {
            return Err(Error::invalid("ridge", self.ridge, "a finite number, at least 0"));
        }
        if self.ridge > 0.0 && self.family != Family::Gaussian {
            let expected = "left out but with family = \"gaussian\"";
            return Err(Error::invalid("ridge", self.ridge, expected));
        }
        if !(self.quantile > 0.0 && self.quantile < 1.0) {
            return Err(Error::invalid("quantile", self.quantile, "between 0 and 1"));
        }
        if self.quantile != 0.5 && self.family != Family::Quantile {
            let expected = "left out but with family = \"quantile\"";
            return Err(Error::invalid("quantile", self.quantile, expected));
        }
        let kernel = matches!(errors, StandardErrors::Classical | StandardErrors::Hc0);
        if self.family == Family::Quantile && !kernel {
            let expected = "classical or hc0 for quantile regression";
            return Err(Error::invalid("se", errors.name(), expected));
        }
        if self.max_iterations == 0 || self.max_iterations > ITERATIONS_MAX {
            let expected = format!("from 1 to {ITERATIONS_MAX}");
            return Err(Error::invalid("max_iterations", self.max_iterations, &expected));
        }
        Ok(())
    }
}
