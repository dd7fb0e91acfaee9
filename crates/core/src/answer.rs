//! The answer of a problem: estimates with their Monte Carlo errors, and how they came about.
//!
//! Everything here is the same bytes on every mapping; what may differ from run to run (seconds,
//! workers, host) is kept apart by whoever prints the answer.

use crate::{Column, Numbers, Seed, Table};
use serde_json::{Map, Value, json};

/// An interval with the Monte Carlo error of each end.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Confidence level, such as 0.95.
    pub level: f64,
    /// How it was made: `percentile`, `bca`, `normal`, ….
    pub method: String,
    /// Monte Carlo standard error of the lower end.
    pub low_mcse: f64,
    /// Monte Carlo standard error of the upper end.
    pub high_mcse: f64,
}

impl Interval {
    /// The interval `estimate ± reach · mcse` of a simulated estimate.
    pub fn around(estimate: f64, mcse: f64, reach: f64, level: f64, method: &str) -> Self {
        let (low, high) = (estimate - reach * mcse, estimate + reach * mcse);
        Self { low, high, level, method: method.into(), low_mcse: mcse, high_mcse: mcse }
    }
}

/// One estimated quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// What it is: the formula or the name of a coefficient.
    pub name: String,
    /// The estimate.
    pub estimate: f64,
    /// Monte Carlo standard error: of the estimate where that is simulated, else (bootstrap) of
    /// the bias.
    pub mcse: f64,
    /// Standard error of the estimate as a statistic, where the problem gives one.
    pub standard_error: Option<f64>,
    /// Bias of the estimate as a statistic, where the problem gives one.
    pub bias: Option<f64>,
    /// An interval.
    pub interval: Option<Interval>,
}

impl Quantity {
    /// An estimate with its Monte Carlo standard error and nothing else.
    pub fn new(name: impl Into<String>, estimate: f64, mcse: f64) -> Self {
        Self { name: name.into(), estimate, mcse, standard_error: None, bias: None, interval: None }
    }
}

/// How many draws an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draws {
    /// What they are called: `n`, `resamples`.
    pub name: &'static str,
    /// How many there were.
    pub count: u64,
}

/// The data an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataNote {
    /// Rows of the table.
    pub rows: u64,
    /// Content hash, see [`crate::Table::hash`].
    pub hash: String,
}

/// The answer of a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The problem's name.
    pub problem: String,
    /// The method within it.
    pub method: String,
    /// What was estimated; at least one.
    pub quantities: Vec<Quantity>,
    /// How many draws it took.
    pub draws: Draws,
    /// The seed.
    pub seed: Seed,
    /// Whether all that was asked for was done; false after an interruption.
    pub complete: bool,
    /// The data, if there was any.
    pub data: Option<DataNote>,
    /// Further results by name, such as quantities of one method alone.
    pub extra: Map<String, Value>,
    /// What the user should know: exact short cuts taken, costs to avoid.
    pub notes: Vec<String>,
    /// The rows of an answer that is a table by nature: fits, conditions, points of a curve.
    pub table: Option<Table>,
    /// The simulated distribution of each quantity, if it was asked for: draws in task order.
    pub distribution: Vec<Vec<f64>>,
    /// What stands beside each row of the distribution, such as the chain of a draw; without one,
    /// what is said of each row of the data.
    pub index: Option<Table>,
}

impl Answer {
    /// An answer of `problem` by `method` with nothing in it yet, complete.
    pub fn new(problem: &str, method: &str, draws: Draws, seed: Seed) -> Self {
        Self {
            problem: problem.into(),
            method: method.into(),
            quantities: Vec::new(),
            draws,
            seed,
            complete: true,
            data: None,
            extra: Map::new(),
            notes: Vec::new(),
            table: None,
            distribution: Vec::new(),
            index: None,
        }
    }

    /// The rows that a file of results holds: the distribution if the answer keeps one, one column
    /// a quantity, after its index; or else an index alone, which says something of each row of
    /// the data; or else the table; none if it has none of them.
    pub fn rows(&self) -> Option<Table> {
        if self.distribution.is_empty() {
            return self.index.clone().or_else(|| self.table.clone());
        }
        let index = self.index.iter().flat_map(Table::columns);
        let mut columns: Vec<(String, Column)> =
            index.map(|(name, column)| (name.to_owned(), column.clone())).collect();
        for (quantity, values) in self.quantities.iter().zip(&self.distribution) {
            let taken = |name: &str| columns.iter().any(|(earlier, _)| earlier == name);
            let mut name = quantity.name.clone();
            for again in 2.. {
                if !taken(&name) {
                    break;
                }
                name = format!("{} ({again})", quantity.name);
            }
            columns.push((name, Column::Numbers(Numbers::from(values.clone()))));
        }
        Table::new(columns).ok()
    }

    /// The object that `--json` prints, less what may differ from run to run.
    ///
    /// `quantity`, `estimate`, `mcse`, `standard_error`, `bias` and `interval` hold one value, or a
    /// list if there are several quantities. What JSON has no number for is `null`
    /// (undefined) or the text `inf` or `-inf` (the open end of a one-sided interval). The seed is
    /// text, since JSON numbers cannot hold 128 bits. `table` holds one list a column.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("problem".into(), self.problem.clone().into());
        map.insert("method".into(), self.method.clone().into());
        map.insert("quantity".into(), self.each(|q| q.name.clone().into()));
        map.insert("estimate".into(), self.each(|q| number(q.estimate)));
        map.insert("mcse".into(), self.each(|q| number(q.mcse)));
        map.insert(
            "standard_error".into(),
            self.each(|q| q.standard_error.map_or(Value::Null, number)),
        );
        map.insert("bias".into(), self.each(|q| q.bias.map_or(Value::Null, number)));
        map.insert("interval".into(), self.each(|q| interval(q.interval.as_ref())));
        map.insert(self.draws.name.into(), self.draws.count.into());
        map.insert("seed".into(), self.seed.to_string().into());
        map.insert("complete".into(), self.complete.into());
        if let Some(data) = &self.data {
            map.insert("data".into(), json!({ "rows": data.rows, "hash": data.hash }));
        }
        map.extend(self.extra.clone());
        if let Some(table) = &self.table {
            let columns = table.columns();
            let columns = columns.map(|(name, column)| (name.to_owned(), values(column)));
            map.insert("table".into(), Value::Object(columns.collect()));
        }
        map.insert("notes".into(), self.notes.clone().into());
        map
    }

    /// Everything in the answer as bytes, the distribution included: what `verify` compares.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Value::Object(self.to_json()).to_string().into_bytes();
        self.distribution.iter().for_each(|values| crate::wire::put_f64s(&mut bytes, values));
        self.index.iter().for_each(|index| bytes.extend(index.hash().bytes()));
        bytes
    }

    fn each(&self, value: impl Fn(&Quantity) -> Value) -> Value {
        match self.quantities.as_slice() {
            [one] => value(one),
            several => several.iter().map(value).collect(),
        }
    }
}

fn number(value: f64) -> Value {
    match value {
        f64::INFINITY => "inf".into(),
        f64::NEG_INFINITY => "-inf".into(),
        _ => value.into(),
    }
}

/// A column as a list; a missing number is `null`.
fn values(column: &Column) -> Value {
    match column {
        Column::Numbers(numbers) => numbers.as_slice().iter().map(|&value| number(value)).collect(),
        Column::Labels(labels) => labels.rows().collect(),
    }
}

fn interval(interval: Option<&Interval>) -> Value {
    interval.map_or(Value::Null, |interval| {
        json!({
            "low": number(interval.low),
            "high": number(interval.high),
            "level": interval.level,
            "method": interval.method,
            "low_mcse": number(interval.low_mcse),
            "high_mcse": number(interval.high_mcse),
        })
    })
}
