//! Predicted against actual times, kept as lines of JSON, and how far they lie apart.

use super::mapping::default_of;
use super::model::Prediction;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// From so many pairs on, a mapping's own errors stand for the assumed one.
const PAIRS_MIN: usize = 8;
/// No machine repeats a run better than this for long.
const SPREAD_MIN: f64 = 0.05;
/// The error that is assumed of a mapping nobody knows.
const ERROR: f64 = 0.3;
/// The median of the absolute value of a standard normal.
const MEDIAN_ABSOLUTE: f64 = 0.674_489_750_196_081_7;

/// What was predicted of one run and what came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// When it ended, in microseconds since 1970.
    pub time_us: u64,
    /// The machine.
    pub host: String,
    /// The version of Windfall.
    pub version: String,
    /// The job: its file or, without one, its problem.
    pub job: String,
    /// The mapping's name.
    pub mapping: String,
    /// Its workers.
    pub workers: usize,
    /// The prediction.
    pub predicted_s: f64,
    /// Lower end of its interval.
    pub low_s: f64,
    /// Upper end.
    pub high_s: f64,
    /// What it took.
    pub actual_s: f64,
}

impl Pair {
    /// This prediction with the time that the run took; where and when is left to the caller.
    pub fn new(job: &str, predicted: &Prediction, actual_s: f64) -> Self {
        Self {
            time_us: 0,
            host: String::new(),
            version: String::new(),
            job: job.into(),
            mapping: predicted.mapping.name.clone(),
            workers: predicted.mapping.workers,
            predicted_s: predicted.seconds,
            low_s: predicted.low_s,
            high_s: predicted.high_s,
            actual_s,
        }
    }

    /// The line that keeps it, without its end.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the lines of a history.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Wire`] with the number of a line that is no pair.
    pub fn read_lines(text: &str) -> Result<Vec<Self>> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let read = |(place, line): (usize, &str)| {
            serde_json::from_str(line)
                .map_err(|error| Error::wire(format!("line {} is no pair: {error}", place + 1)))
        };
        lines.map(read).collect()
    }

    /// How far the prediction was off, as a share of what came.
    pub fn error(&self) -> f64 {
        (self.predicted_s - self.actual_s).abs() / self.actual_s
    }

    fn is_inside(&self) -> bool {
        (self.low_s..=self.high_s).contains(&self.actual_s)
    }
}

/// The errors of predictions, mapping by mapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Errors {
    rows: BTreeMap<String, Row>,
}

/// The errors of one mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Row {
    /// How many predictions there were.
    pub pairs: usize,
    /// The median of their errors, as a share of the actual time.
    pub median_error: f64,
    /// The share of them whose interval held what came; 0.9 is promised.
    pub inside: f64,
    /// The spread of actual over predicted time, as the standard deviation of its logarithm
    /// (from the median, which a single odd run does not move).
    pub spread: f64,
}

impl Errors {
    /// The errors of `pairs`; those of all mappings together are under `all`.
    pub fn of(pairs: &[Pair]) -> Self {
        let mut by_mapping: BTreeMap<&str, Vec<&Pair>> = BTreeMap::new();
        for pair in pairs.iter().filter(|pair| pair.actual_s > 0.0 && pair.predicted_s > 0.0) {
            by_mapping.entry(&pair.mapping).or_default().push(pair);
            by_mapping.entry("all").or_default().push(pair);
        }
        let rows = by_mapping.into_iter().map(|(name, pairs)| (name.to_owned(), row(&pairs)));
        Self { rows: rows.collect() }
    }

    /// The spread to assume of the mapping called `name`: its own if there are eight pairs of it.
    pub fn spread(&self, name: &str) -> f64 {
        let own = self.rows.get(name).filter(|row| row.pairs >= PAIRS_MIN);
        let assumed = || default_of(name).map_or(ERROR, |row| row.error);
        own.map_or_else(assumed, |row| row.spread.max(SPREAD_MIN))
    }

    /// Name, number of pairs, median absolute error and share inside the interval of each.
    pub fn rows(&self) -> impl Iterator<Item = (&str, usize, f64, f64)> {
        self.rows.iter().map(|(name, row)| (&**name, row.pairs, row.median_error, row.inside))
    }
}

fn row(pairs: &[&Pair]) -> Row {
    let logs = pairs.iter().map(|pair| (pair.actual_s / pair.predicted_s).ln().abs());
    Row {
        pairs: pairs.len(),
        median_error: median(pairs.iter().map(|pair| pair.error()).collect()),
        inside: pairs.iter().filter(|pair| pair.is_inside()).count() as f64 / pairs.len() as f64,
        spread: median(logs.collect()) / MEDIAN_ABSOLUTE,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Mapping, Profile, Round, predict};

    fn pairs(mapping: &str, actual: &[f64]) -> Vec<Pair> {
        let profile = Profile::of_rounds(vec![Round::of_equal(10, 0.1)]);
        let mapping = Mapping { name: mapping.into(), ..Mapping::serial() };
        let predicted = predict(&profile, &mapping, 0.1);
        actual.iter().map(|&actual_s| Pair::new("x.toml", &predicted, actual_s)).collect()
    }

    #[test]
    fn pairs_are_kept_as_lines_and_read_back() {
        let pairs = pairs("threads", &[1.0, 1.25]);
        let text: String = pairs.iter().map(|pair| pair.to_line() + "\n").collect();
        assert_eq!(Pair::read_lines(&text).unwrap(), pairs);
        let error = Pair::read_lines(&format!("{text}\n{{}}\n")).unwrap_err().to_string();
        assert!(error.contains("line 4 is no pair: missing field"), "{error}");
    }

    #[test]
    fn the_error_is_a_share_of_what_came() {
        let mut all = pairs("threads", &[1.0, 1.25, 2.0]);
        all.extend(pairs("serial", &[0.8, 1.0]));
        let errors = Errors::of(&all);
        let rows: Vec<_> = errors.rows().collect();
        assert_eq!(rows[0].0, "all");
        assert_eq!(rows[0].1, 5);
        // 0, 0.2 and 0.5; of the other one 0.25 and 0.
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(near(rows[2].2, 0.2) && near(rows[1].2, 0.125) && near(rows[0].2, 0.2));
        // exp(± 1.645 · 0.1) is 0.848 to 1.179.
        assert!(near(rows[2].3, 1.0 / 3.0) && near(rows[1].3, 0.5));
    }

    #[test]
    fn enough_pairs_speak_for_themselves() {
        let few = Errors::of(&pairs("threads", &[2.0; 7]));
        assert_eq!(few.spread("threads"), 0.1);
        let many = Errors::of(&pairs("threads", &[2.0; 8]));
        assert!((many.spread("threads") - 2f64.ln() / MEDIAN_ABSOLUTE).abs() < 1e-12);
        assert_eq!(Errors::of(&pairs("threads", &[1.0; 8])).spread("threads"), SPREAD_MIN);
        assert_eq!(many.spread("nobody's"), ERROR);
    }
}
