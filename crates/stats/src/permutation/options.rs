//! The options of a permutation test, as job files and callers write them.

use crate::bootstrap::Formulas;
use serde::{Deserialize, Serialize};
use windfall_core::{Error, Result};

/// What counts as at least as extreme as the value observed, `t*` being a permuted value of the
/// statistic and `t` the observed one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alternative {
    /// Twice the smaller of the two tails, at most 1: SciPy's convention.
    #[default]
    TwoSided,
    /// `t* <= t`.
    Less,
    /// `t* >= t`.
    Greater,
    /// `|t*| >= |t|`: for statistics that are centred at zero; the convention of most textbooks.
    Absolute,
}

impl Alternative {
    /// The name, as in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoSided => "two-sided",
            Self::Less => "less",
            Self::Greater => "greater",
            Self::Absolute => "absolute",
        }
    }
}

/// The most permutations of a job.
const RESAMPLES_MAX: u64 = 1_000_000_000_000;
/// The most permutations of a job that keeps their values: 8 GB a quantity.
const KEPT_MAX: u64 = 1_000_000_000;
/// The most exceedances that may end a job: their places are kept.
const EXCEEDANCES_MAX: u64 = 1_000_000;

/// The options of a permutation test.
///
/// One of `groups`, `samples` and `permute` says what a permutation moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PermutationOptions {
    /// What to test: test statistics, or formulas of aggregates; several are tested together.
    pub statistic: Formulas,
    /// The column of independent samples, whose labels are permuted.
    pub groups: Option<String>,
    /// The columns of related samples, exchanged within each row; of one column, the sign.
    pub samples: Option<Formulas>,
    /// The columns that are permuted, together, against all others.
    pub permute: Option<Formulas>,
    /// Whether each of those columns is permuted by itself: those of k + 1 samples in (n!)^k ways.
    pub separately: bool,
    /// The column of strata: labels or rows are permuted within each.
    pub strata: Option<String>,
    /// What counts as extreme; by default `greater` for statistics that are large whatever the
    /// departure, such as F, and `two-sided` for all others.
    pub alternative: Option<Alternative>,
    /// The most permutations: all distinct ones if there are no more than these, else so many
    /// drawn at random.
    pub resamples: u64,
    /// Stop when the Monte Carlo standard errors of all p-values are at most this.
    pub tolerance: Option<f64>,
    /// Stop at this many permutations at least as extreme (Besag and Clifford 1991).
    pub exceedances: Option<u64>,
    /// Confidence level of the interval of a p-value.
    pub level: f64,
    /// Whether the answer keeps the statistic of every permutation.
    pub distribution: bool,
}

impl Default for PermutationOptions {
    fn default() -> Self {
        Self {
            statistic: Formulas::default(),
            groups: None,
            samples: None,
            permute: None,
            separately: false,
            strata: None,
            alternative: None,
            resamples: 9_999,
            tolerance: None,
            exceedances: None,
            level: 0.95,
            distribution: false,
        }
    }
}

impl PermutationOptions {
    /// Refuses what can be refused without data.
    pub(crate) fn check(&self) -> Result<()> {
        if self.resamples == 0 {
            return Err(Error::too_few("resamples", 0, 1));
        }
        let most = if self.distribution { KEPT_MAX } else { RESAMPLES_MAX };
        if self.resamples > most {
            let error = Error::invalid("resamples", self.resamples, &format!("at most {most}"));
            return Err(if self.distribution {
                error.hint("without `distribution` there may be more")
            } else {
                error
            });
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
        match self.exceedances {
            Some(0) => return Err(Error::too_few("exceedances", 0, 1)),
            Some(h) if h > EXCEEDANCES_MAX => {
                return Err(Error::invalid(
                    "exceedances",
                    h,
                    &format!("at most {EXCEEDANCES_MAX}"),
                ));
            }
            Some(h) if self.tolerance.is_some() => {
                return Err(Error::invalid("exceedances", h, "left out with `tolerance`")
                    .hint("each is a rule to stop by, and a p-value rests on one: choose"));
            }
            _ => {}
        }
        self.check_design()
    }

    fn check_design(&self) -> Result<()> {
        let given = [self.groups.is_some(), self.samples.is_some(), self.permute.is_some()];
        let hint = "groups = \"g\" permutes labels, samples = [\"a\", \"b\"] exchanges related \
                    values, permute = \"x\" permutes a column against the others";
        match given.iter().filter(|&&given| given).count() {
            1 => {}
            0 => {
                let expected = "given: one of `groups`, `samples` and `permute`";
                return Err(Error::invalid("groups", "missing", expected).hint(hint));
            }
            _ => {
                let expected = "the only one of `groups`, `samples` and `permute`";
                let what = if self.groups.is_some() { "groups" } else { "samples" };
                return Err(Error::invalid(what, "given", expected).hint(hint));
            }
        }
        if self.separately && self.permute.is_none() {
            return Err(Error::invalid("separately", true, "left out without `permute`")
                .hint("it says that the columns of `permute` are permuted each by itself"));
        }
        if let (Some(strata), Some(_)) = (&self.strata, &self.samples) {
            return Err(Error::invalid("strata", strata, "left out with `samples`")
                .hint("values are exchanged within each row already"));
        }
        Ok(())
    }
}
