//! What can be asked of a test's power, as job files and callers write it.

use super::law::Law;
use super::ready::Point;
use crate::hypothesis::Alternative;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use windfall_core::{Error, Result};

/// A number, a list, a list of lists, or one of them as text: `0.5`, `0.1,0.4,0.5`,
/// `10:100:10` (from, to, step) or `0.1,0.2;0.3,0.4`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Numbers(pub Value);

impl From<f64> for Numbers {
    fn from(number: f64) -> Self {
        Self(number.into())
    }
}

impl From<&[f64]> for Numbers {
    fn from(numbers: &[f64]) -> Self {
        Self(numbers.into())
    }
}

/// The most numbers of a range.
const RANGE_MAX: f64 = 10_000.0;

impl Numbers {
    /// Whether anything was given.
    pub(crate) fn is_given(&self) -> bool {
        !self.0.is_null()
    }

    /// The rows of numbers; none if nothing was given.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for anything but finite numbers.
    pub(crate) fn rows(&self, key: &str) -> Result<Vec<Vec<f64>>> {
        let wrong = |value: &Value| {
            let expected = "a number, a list such as `0.1,0.4`, or a range `from:to:step`";
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Error::invalid(key, shown, expected)
        };
        let number = |value: &Value| value.as_f64().ok_or_else(|| wrong(value));
        match &self.0 {
            Value::Null => Ok(Vec::new()),
            Value::Number(_) => Ok(vec![vec![number(&self.0)?]]),
            Value::String(text) => {
                let row = |text: &str| row_of(text).ok_or_else(|| wrong(&self.0));
                text.split(';').map(row).collect()
            }
            Value::Array(list) if list.iter().all(Value::is_array) && !list.is_empty() => {
                let row = |row: &Value| row.as_array().into_iter().flatten().map(number).collect();
                list.iter().map(row).collect()
            }
            Value::Array(list) => Ok(vec![list.iter().map(number).collect::<Result<_>>()?]),
            other => Err(wrong(other)),
        }
    }

    /// The numbers of the only row; none if nothing was given.
    ///
    /// # Errors
    /// As [`Numbers::rows`]; [`windfall_core::ErrorKind::Invalid`] for several rows.
    pub(crate) fn row(&self, key: &str) -> Result<Vec<f64>> {
        let mut rows = self.rows(key)?;
        match rows.len() {
            0 => Ok(Vec::new()),
            1 => Ok(rows.remove(0)),
            _ => Err(Error::invalid(key, &self.0, "one list of numbers")),
        }
    }
}

/// The numbers of `1,2,3` or `1:9:2`.
fn row_of(text: &str) -> Option<Vec<f64>> {
    let number =
        |text: &str| text.trim().parse::<f64>().ok().filter(|number: &f64| number.is_finite());
    let mut row = Vec::new();
    for part in text.split(',') {
        let ends: Vec<f64> = part.split(':').map(number).collect::<Option<_>>()?;
        match ends.as_slice() {
            [one] => row.push(*one),
            &[from, to, step] => {
                let count = ((to - from) / step + 1e-9).floor();
                if !(0.0..RANGE_MAX).contains(&count) {
                    return None;
                }
                row.extend((0..=count as u64).map(|k| step.mul_add(k as f64, from)));
            }
            _ => return None,
        }
    }
    Some(row)
}

/// The test, the data it is to see, and how it decides: what `power` and `sample_size` share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Design {
    /// The name of a test; the manual has the table.
    pub test: String,
    /// The effect in the test's own measure; several make a curve.
    pub effect: Numbers,
    /// The level at which the test rejects; 0.05 by default.
    pub alpha: f64,
    /// The side on which it looks.
    pub alternative: Alternative,
    /// The laws of the samples, one each, such as `normal(0.5, 1)`, instead of an effect.
    pub groups: Vec<String>,
    /// The law of the data where the effect only moves it; standard normal by default.
    pub law: Option<String>,
    /// The law of the predictor of a regression; standard normal by default.
    pub predictor: Option<String>,
    /// The size of the second sample over that of the first; 1 by default.
    pub ratio: Option<f64>,
    /// The number of samples of an analysis of variance.
    pub arms: Option<u64>,
    /// How much two means may differ and still count as equivalent, in standard deviations.
    pub margin: Option<f64>,
    /// The proportion of each sample.
    pub proportions: Numbers,
    /// The mean or proportion that the null hypothesis states for one sample.
    pub null: Option<f64>,
    /// The chances of the cells of a table, row by row.
    pub probabilities: Numbers,
    /// The chances that the null hypothesis states; even ones by default.
    pub null_probabilities: Numbers,
    /// The number of cells, or of rows and columns, of a table of which only an effect is given.
    pub cells: Numbers,
    /// Further predictors of a linear regression.
    pub covariates: Option<u64>,
    /// The share of the predictor's variance that those explain.
    pub r_squared: Option<f64>,
    /// The probability of the outcome of a logistic regression where the predictor is 0.
    pub base_rate: Option<f64>,
    /// Subjects of a cluster.
    pub cluster_size: Option<u64>,
    /// The correlation of two subjects of a cluster.
    pub icc: Option<f64>,
    /// The median survival of the second group; 1 by default.
    pub median: Option<f64>,
    /// For how long subjects enter, evenly; 0 by default.
    pub accrual: Option<f64>,
    /// How long the last subject to enter is followed; without end by default.
    pub follow_up: Option<f64>,
    /// The rate at which subjects are lost; 0 by default.
    pub dropout: Option<f64>,
    /// Draw every value, even where sums or counts of them would do.
    pub full_data: bool,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            test: String::new(),
            effect: Numbers::default(),
            alpha: 0.05,
            alternative: Alternative::TwoSided,
            groups: Vec::new(),
            law: None,
            predictor: None,
            ratio: None,
            arms: None,
            margin: None,
            proportions: Numbers::default(),
            null: None,
            probabilities: Numbers::default(),
            null_probabilities: Numbers::default(),
            cells: Numbers::default(),
            covariates: None,
            r_squared: None,
            base_rate: None,
            cluster_size: None,
            icc: None,
            median: None,
            accrual: None,
            follow_up: None,
            dropout: None,
            full_data: false,
        }
    }
}

impl Design {
    /// The keys that were given of those that only some tests read.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let all = [
            ("alternative", self.alternative != Alternative::TwoSided),
            ("effect", self.effect.is_given()),
            ("groups", !self.groups.is_empty()),
            ("law", self.law.is_some()),
            ("predictor", self.predictor.is_some()),
            ("ratio", self.ratio.is_some()),
            ("arms", self.arms.is_some()),
            ("margin", self.margin.is_some()),
            ("proportions", self.proportions.is_given()),
            ("null", self.null.is_some()),
            ("probabilities", self.probabilities.is_given()),
            ("null_probabilities", self.null_probabilities.is_given()),
            ("cells", self.cells.is_given()),
            ("covariates", self.covariates.is_some()),
            ("r_squared", self.r_squared.is_some()),
            ("base_rate", self.base_rate.is_some()),
            ("cluster_size", self.cluster_size.is_some()),
            ("icc", self.icc.is_some()),
            ("median", self.median.is_some()),
            ("accrual", self.accrual.is_some()),
            ("follow_up", self.follow_up.is_some()),
            ("dropout", self.dropout.is_some()),
        ];
        all.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect()
    }

    /// Checks what every test needs.
    pub(super) fn check(&self) -> Result<()> {
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return Err(Error::invalid("alpha", self.alpha, "between 0 and 1, such as 0.05"));
        }
        if let Some(ratio) = self.ratio
            && !(1e-3..=1e3).contains(&ratio)
        {
            return Err(Error::invalid("ratio", ratio, "a number from 0.001 to 1000"));
        }
        Ok(())
    }

    /// The laws in `groups`.
    pub(super) fn laws(&self) -> Result<Vec<Law>> {
        self.groups.iter().map(|text| Law::parse("groups", text)).collect()
    }
}

/// The value of `key`, within the open interval of `low` and `high`.
pub(crate) fn between(key: &str, value: f64, (low, high): (f64, f64)) -> Result<f64> {
    if value > low && value < high {
        return Ok(value);
    }
    let expected = match (low, high) {
        (0.0, f64::INFINITY) => "a number above 0".to_owned(),
        _ => format!("between {low} and {high}"),
    };
    Err(Error::invalid(key, value, &expected))
}

/// The options of a power analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PowerOptions {
    /// The sample size, of each sample where there are several; a list or range makes a curve.
    pub n: Numbers,
    /// Simulations of each point; 100,000 by default. With a tolerance the most there may be
    /// (10^9).
    pub simulations: Option<u64>,
    /// Stop as soon as the Monte Carlo standard error of every point is at most this.
    pub tolerance: Option<f64>,
    /// Confidence level of the interval.
    pub level: f64,
    /// The test and its data.
    #[serde(flatten)]
    pub design: Design,
}

impl Default for PowerOptions {
    fn default() -> Self {
        let design = Design::default();
        Self { n: Numbers::default(), simulations: None, tolerance: None, level: 0.95, design }
    }
}

/// Simulations where none are asked for.
const SIMULATIONS: u64 = 100_000;
/// The same with a tolerance.
const SIMULATIONS_TOLERANT: u64 = 1_000_000_000;

impl PowerOptions {
    /// The number of simulations, or the most of them, after the checks of all but the design.
    pub(super) fn checked_simulations(&self) -> Result<u64> {
        if let Some(tolerance) = self.tolerance {
            between("tolerance", tolerance, (0.0, f64::INFINITY))?;
        }
        let default = if self.tolerance.is_some() { SIMULATIONS_TOLERANT } else { SIMULATIONS };
        let simulations = self.simulations.unwrap_or(default);
        check_effort(simulations, self.level)?;
        Ok(simulations)
    }

    /// The points of the curve: every n at every effect, the effects in turn.
    pub(super) fn points(&self, n_min: u64) -> Result<Vec<Point>> {
        let n = self.n.row("n")?;
        if n.is_empty() {
            return Err(Error::invalid("n", "missing", "the sample size")
                .hint("`-n 50`; several make a curve: `-n 20:100:10`"));
        }
        let effects = self.design.effect.row("effect")?;
        let effects: Vec<Option<f64>> = match effects.is_empty() {
            true => vec![None],
            false => effects.into_iter().map(Some).collect(),
        };
        let mut points = Vec::new();
        for &effect in &effects {
            for &n in &n {
                points.push(Point { n: whole(n, n_min)?, effect });
            }
        }
        if points.len() > POINTS_MAX {
            return Err(Error::invalid("n", points.len(), "at most 10,000 points in a curve"));
        }
        Ok(points)
    }
}

/// The most points of a curve.
const POINTS_MAX: usize = 10_000;
/// The largest sample.
pub(crate) const N_MAX: u64 = 100_000_000;

/// A sample size of at least `least`.
fn whole(n: f64, least: u64) -> Result<u64> {
    if n.fract() != 0.0 || n < 0.0 {
        return Err(Error::invalid("n", n, "a whole number"));
    }
    if n < least as f64 {
        return Err(Error::too_few("observations (`n`)", n as u64, least));
    }
    if n > N_MAX as f64 {
        return Err(Error::invalid("n", n, "at most 10^8"));
    }
    Ok(n as u64)
}

/// The keys of a job file, those left at nothing left out.
pub(crate) fn written(options: &impl Serialize) -> Map<String, Value> {
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    match serde_json::to_value(options) {
        Ok(Value::Object(map)) => map.into_iter().filter(|(_, value)| !empty(value)).collect(),
        _ => Map::new(),
    }
}

/// The most simulations of a job: counts of them stay exact.
const SIMULATIONS_MAX: u64 = 1_000_000_000_000;

/// Checks the number of simulations and the level of an interval.
pub(crate) fn check_effort(simulations: u64, level: f64) -> Result<()> {
    if simulations == 0 {
        return Err(Error::too_few("simulations", 0, 1));
    }
    if simulations > SIMULATIONS_MAX {
        return Err(Error::invalid("simulations", simulations, "at most 10^12"));
    }
    between("level", level, (0.0, 1.0)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_read_in_every_form() {
        let rows = |value: Value| Numbers(value).rows("n").map_err(|e| e.to_string());
        assert_eq!(rows(json!(3)).unwrap(), [[3.0]]);
        assert_eq!(rows(json!([1, 2.5])).unwrap(), [[1.0, 2.5]]);
        assert_eq!(rows(json!([[1, 2], [3, 4]])).unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(rows(json!("10:30:10, 50")).unwrap(), [[10.0, 20.0, 30.0, 50.0]]);
        assert_eq!(rows(json!("0.1,0.2;0.3,0.4")).unwrap(), [[0.1, 0.2], [0.3, 0.4]]);
        assert_eq!(rows(json!("0.1:0.3:0.1")).unwrap()[0].len(), 3);
        for wrong in [json!("many"), json!("1:2"), json!("1:9:0"), json!([1, "x"]), json!(true)] {
            assert!(rows(wrong.clone()).unwrap_err().starts_with("`n` is `"), "{wrong}");
        }
    }
}
