//! The options of a bootstrap and of a jackknife, as job files and callers write them.
//!
//! One struct a problem: its fields are the keys of the job file, its `Default` the defaults of
//! the documentation, and every check that needs no data stands here.

use super::setup::Keys;
use crate::jackknife::JackknifeOptions;
use crate::resample::BlockKind;
use serde::{Deserialize, Serialize};
use windfall_core::{Error, Result};

/// One formula or several, evaluated on the same resamples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a text in quotes, or a list of them")]
pub enum Formulas {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Formulas {
    /// The texts.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl Default for Formulas {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl From<&str> for Formulas {
    fn from(text: &str) -> Self {
        Self::One(text.to_owned())
    }
}

/// How the interval is made from the replicates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Quantiles of the replicates.
    Percentile,
    /// Quantiles of the replicates, reflected at the estimate.
    Basic,
    /// The estimate less its bias, plus and minus normal quantiles times the standard error.
    Normal,
    /// Quantiles of the replicates at levels corrected for bias and acceleration.
    #[default]
    #[serde(alias = "BCa", alias = "BCA")]
    Bca,
    /// Quantiles of the replicates' own t statistics.
    #[serde(alias = "studentized")]
    Studentised,
}

impl Method {
    /// The name, as in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Percentile => "percentile",
            Self::Basic => "basic",
            Self::Normal => "normal",
            Self::Bca => "bca",
            Self::Studentised => "studentised",
        }
    }
}

/// Which ends the interval has, in SciPy's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alternative {
    /// Both ends, half of `1 - level` beyond each.
    #[default]
    TwoSided,
    /// `(-∞, high]`.
    Less,
    /// `[low, ∞)`.
    Greater,
}

/// How blocks of a series are drawn; see [`BlockKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are those of `BlockKind`, which tells what they are")]
pub enum BlockChoice {
    Moving,
    Circular,
    Stationary,
}

impl From<BlockChoice> for BlockKind {
    fn from(choice: BlockChoice) -> Self {
        match choice {
            BlockChoice::Moving => Self::Moving,
            BlockChoice::Circular => Self::Circular,
            BlockChoice::Stationary => Self::Stationary,
        }
    }
}

/// The most values a job may keep: 8 GB of replicates.
const RESAMPLES_MAX: u64 = 1_000_000_000;

/// The most resamples within a resample: 0.8 GB of them on each worker.
const INNER_RESAMPLES_MAX: u64 = 100_000_000;

/// The options of a bootstrap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BootstrapOptions {
    /// What to estimate.
    pub statistic: Formulas,
    /// How to make the interval.
    pub method: Method,
    /// Resamples; with a tolerance, the most there can be.
    pub resamples: u64,
    /// Stop when the Monte Carlo errors of all interval ends are at most this.
    pub tolerance: Option<f64>,
    /// Confidence level.
    pub level: f64,
    /// Which ends the interval has.
    pub alternative: Alternative,
    /// The column of strata: rows are resampled within each.
    pub strata: Option<String>,
    /// The column of independent samples: `x.label` is column `x` within one of them.
    pub groups: Option<String>,
    /// The column of clusters: whole clusters are resampled.
    pub clusters: Option<String>,
    /// The column of case weights, which go with their rows.
    pub weights: Option<String>,
    /// The blocks of a series, in row order.
    pub blocks: Option<BlockChoice>,
    /// The length of a block; of stationary blocks, the mean length.
    pub block_length: Option<f64>,
    /// Whether rows get Dirichlet weights instead of counts.
    pub bayesian: bool,
    /// Resamples within a resample, where a studentised interval needs them.
    pub inner_resamples: u64,
    /// Whether the answer keeps every replicate.
    pub distribution: bool,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self {
            statistic: Formulas::default(),
            method: Method::default(),
            resamples: 9_999,
            tolerance: None,
            level: 0.95,
            alternative: Alternative::default(),
            strata: None,
            groups: None,
            clusters: None,
            weights: None,
            blocks: None,
            block_length: None,
            bayesian: false,
            inner_resamples: 50,
            distribution: false,
        }
    }
}

impl BootstrapOptions {
    /// The keys of the design.
    pub(crate) fn keys(&self) -> Keys<'_> {
        Keys {
            strata: self.strata.as_deref(),
            groups: self.groups.as_deref(),
            clusters: self.clusters.as_deref(),
            weights: self.weights.as_deref(),
            blocks: self.blocks.map(BlockKind::from),
            block_length: self.block_length,
            bayesian: self.bayesian,
            leaves_out: self.method == Method::Bca,
        }
    }

    /// The jackknife of the same statistic and design.
    pub(crate) fn jackknife(&self) -> JackknifeOptions {
        JackknifeOptions {
            statistic: self.statistic.clone(),
            strata: self.strata.clone(),
            groups: self.groups.clone(),
            clusters: self.clusters.clone(),
            weights: self.weights.clone(),
        }
    }

    /// Refuses what can be refused without data.
    pub(crate) fn check(&self) -> Result<()> {
        if self.resamples == 0 {
            return Err(Error::too_few("resamples", 0, 1));
        }
        if self.resamples > RESAMPLES_MAX {
            let expected = format!("at most {RESAMPLES_MAX}");
            return Err(Error::invalid("resamples", self.resamples, &expected));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(
                Error::invalid("level", self.level, "between 0 and 1").hint("0.95 stands for 95 %")
            );
        }
        if let Some(tolerance) = self.tolerance
            && (tolerance.is_nan() || tolerance <= 0.0)
        {
            return Err(Error::invalid("tolerance", tolerance, "above 0"));
        }
        if self.inner_resamples < 2 {
            return Err(Error::too_few("inner_resamples", self.inner_resamples, 2));
        }
        if self.inner_resamples > INNER_RESAMPLES_MAX {
            let expected = format!("at most {INNER_RESAMPLES_MAX}");
            return Err(Error::invalid("inner_resamples", self.inner_resamples, &expected));
        }
        let weighted = if self.bayesian { Some("bayesian") } else { None };
        let odd = self.blocks.map(|_| "blocks").or(weighted);
        match (self.method, odd) {
            (Method::Bca, Some(odd)) => {
                let expected = format!("another with `{odd}`");
                Err(Error::invalid("method", "bca", &expected).hint(
                    "bca needs rows that are drawn independently; write method = \"percentile\"",
                ))
            }
            _ => Ok(()),
        }
    }
}
