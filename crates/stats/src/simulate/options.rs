//! The options of a study, as job files and callers write them.

use super::performance::MEASURES;
use serde::{Deserialize, Serialize};
use windfall_core::{Error, Result};

/// One text or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a text in quotes, or a list of them")]
pub enum Texts {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Texts {
    /// The texts.
    pub fn list(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl From<&[&str]> for Texts {
    fn from(texts: &[&str]) -> Self {
        Self::Many(texts.iter().map(|&text| text.to_owned()).collect())
    }
}

/// What a job file may say about a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SimulateOptions {
    /// Factors with their levels, `n = 20, 50`; the conditions are all their combinations.
    pub grid: Texts,
    /// Columns of data in the order in which they are made, `x = normal(0, 1)`.
    pub generate: Texts,
    /// Rows of data, a formula of the condition; the factor `n` by default.
    pub rows: Option<String>,
    /// Methods, `label = mean(x)`; of user code, their labels.
    pub method: Texts,
    /// The truth, a formula of the condition.
    pub truth: Option<String>,
    /// What tests take as their null hypothesis, a formula of the condition; 0 by default.
    pub null: Option<String>,
    /// Replicates of each condition.
    pub replicates: u64,
    /// Confidence level of the methods' intervals.
    pub level: f64,
    /// The p-value at or below which a test rejects.
    pub alpha: f64,
    /// The method against which the others' precision is measured.
    pub reference: Option<String>,
    /// The measures to tell; all by default.
    pub measure: Texts,
    /// Whether conditions draw from the same streams: less noise in their differences.
    pub common_random_numbers: bool,
    /// Replicates kept by an earlier run: a table that is not run again.
    pub extend: Option<String>,
    /// Whether the answer keeps every replicate.
    pub distribution: bool,
}

/// The most replicates of a condition.
const REPLICATES_MAX: u64 = 1_000_000_000;

impl Default for SimulateOptions {
    fn default() -> Self {
        Self {
            grid: Texts::default(),
            generate: Texts::default(),
            rows: None,
            method: Texts::default(),
            truth: None,
            null: None,
            replicates: 1000,
            level: 0.95,
            alpha: 0.05,
            reference: None,
            measure: Texts::default(),
            common_random_numbers: false,
            extend: None,
            distribution: false,
        }
    }
}

impl SimulateOptions {
    /// Checks what can be checked without the conditions.
    pub(crate) fn check(&self) -> Result<()> {
        if self.replicates == 0 {
            return Err(Error::too_few("replicates", 0, 1));
        }
        if self.replicates > REPLICATES_MAX {
            return Err(Error::invalid("replicates", self.replicates, "at most 10^9"));
        }
        for (name, value) in [("level", self.level), ("alpha", self.alpha)] {
            if !(value > 0.0 && value < 1.0) {
                return Err(Error::invalid(name, value, "between 0 and 1"));
            }
        }
        let known = MEASURES.map(|(name, _)| name);
        match self.measure.list().iter().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Error::unknown("measure", name, &known)),
        }
    }
}
