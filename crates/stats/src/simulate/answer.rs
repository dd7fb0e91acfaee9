//! From records to the answer: a row a condition, method and measure; failures; the replicates.

use super::ESTIMATES_MAX;
use super::conditions::Conditions;
use super::kept;
use super::options::SimulateOptions;
use super::performance::{Cells, Measured, measure};
use super::procedure::{Estimate, FIELDS};
use super::records::Records;
use crate::law::normal;
use serde_json::{Map, Value};
use windfall_core::{Answer, Column, Draws, Error, Labels, Numbers, Result, Seed, Table};

/// The failures that an answer tells one by one; `--keep` writes all.
const FAILURES_SHOWN: usize = 1000;

/// A task, the method that failed in it (none: every one), and its message.
type FailureRow<'a> = (u64, Option<usize>, &'a str);

/// What is known beside the records.
#[derive(Debug)]
pub(crate) struct Findings {
    pub conditions: Conditions,
    pub methods: Vec<String>,
    pub options: SimulateOptions,
    /// Conditions × methods; NaN where it is not known.
    pub truths: Vec<f64>,
    /// The value that the null hypothesis gives each method under each condition.
    pub nulls: Vec<f64>,
    reference: Option<usize>,
}

impl Findings {
    /// Checks what belongs together.
    pub fn new(
        conditions: Conditions,
        methods: Vec<String>,
        options: SimulateOptions,
    ) -> Result<Self> {
        options.check()?;
        if methods.is_empty() {
            return Err(Error::too_few("methods", 0, 1).hint("name at least one method"));
        }
        for (place, label) in methods.iter().enumerate() {
            if methods[..place].contains(label) {
                return Err(Error::invalid("method", label, "given once")
                    .hint("give each method a label of its own: `label = …`"));
            }
        }
        let estimates =
            options.replicates.saturating_mul((conditions.len() * methods.len()) as u64);
        if estimates > ESTIMATES_MAX {
            let value = format!("{} (for {estimates} estimates)", options.replicates);
            return Err(Error::invalid("replicates", value, "few enough for 10^8 estimates"));
        }
        let names: Vec<&str> = methods.iter().map(String::as_str).collect();
        let reference = match &options.reference {
            None => None,
            Some(name) => match methods.iter().position(|label| label == name) {
                Some(place) => Some(place),
                None => return Err(Error::unknown("reference", name, &names)),
            },
        };
        let cells = conditions.len() * methods.len();
        let (truths, nulls) = (vec![f64::NAN; cells], vec![0.0; cells]);
        Ok(Self { conditions, methods, options, truths, nulls, reference })
    }

    /// One number a condition and method.
    pub fn aims(&self, what: &str, numbers: Vec<f64>) -> Result<Vec<f64>> {
        let (found, wanted) = (numbers.len(), self.conditions.len() * self.methods.len());
        if found == wanted {
            return Ok(numbers);
        }
        let expected = format!("one for each of {wanted} conditions and methods");
        Err(Error::invalid(what, format!("{found} numbers"), &expected))
    }

    /// The number of tasks.
    pub fn tasks(&self) -> u64 {
        self.options.replicates * self.conditions.len() as u64
    }

    /// Condition and replicate of a task.
    pub fn place(&self, task: u64) -> (usize, u64) {
        let all = self.conditions.len() as u64;
        ((task % all) as usize, task / all)
    }

    /// The answer of these records, which stand in the order of their tasks.
    pub fn answer(&self, records: Records, seed: Seed) -> Result<Answer> {
        let done = records.tasks.len() as u64;
        let mut notes = Vec::new();
        let table = self.table(&records, &mut notes)?;
        let draws = Draws { name: "replicates", count: done };
        let complete = done == self.tasks();
        let mut extra = Map::new();
        extra.insert("level".into(), self.options.level.into());
        extra.insert("alpha".into(), self.options.alpha.into());
        extra.insert("failures".into(), self.failures(&records, seed, &mut notes)?);
        let index = match self.options.distribution {
            true => Some(kept::to_table(&records, &self.conditions, &self.methods)?),
            false => None,
        };
        let counted = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        let conditions = counted(self.conditions.len(), "condition");
        let method = format!("{conditions} × {}", counted(self.methods.len(), "method"));
        let table = Some(table);
        let mut answer = Answer::new("simulate", &method, draws, seed);
        (answer.table, answer.index, answer.extra) = (table, index, extra);
        (answer.notes, answer.complete) = (notes, complete);
        Ok(answer)
    }

    /// One row a condition, method and measure.
    fn table(&self, records: &Records, notes: &mut Vec<String>) -> Result<Table> {
        let mut places = vec![Vec::new(); self.conditions.len()];
        for (place, &task) in records.tasks.iter().enumerate() {
            places[self.place(task).0].push(place);
        }
        let asked = self.options.measure.list();
        let is_asked =
            |measured: &Measured| asked.is_empty() || asked.iter().any(|a| a == measured.name);
        let mut normal = false;
        let mut rows: Vec<(usize, usize, Measured)> = Vec::new();
        for (condition, places) in places.iter().enumerate() {
            let cells: Vec<Cells> = (0..self.methods.len())
                .map(|method| self.cells(records, places, (condition, method), &mut normal))
                .collect();
            for (method, own) in cells.iter().enumerate() {
                let reference = self.reference.filter(|&other| other != method);
                let reference = reference.map(|other| &cells[other]);
                let all = measure(own, reference, self.options.alpha);
                rows.extend(all.into_iter().filter(is_asked).map(|row| (condition, method, row)));
            }
        }
        if normal {
            notes.push(
                "where a method states a standard error alone, its interval and its test are the \
                 normal ones"
                    .to_owned(),
            );
        }
        let at: Vec<usize> = rows.iter().map(|row| row.0).collect();
        let mut columns = self.conditions.spread(&at);
        let numbers = |of: &dyn Fn(&Measured) -> f64| {
            Column::Numbers(Numbers::from(rows.iter().map(|row| of(&row.2)).collect::<Vec<_>>()))
        };
        let methods = Labels::new(rows.iter().map(|row| self.methods[row.1].as_str()));
        columns.push(("method".into(), Column::Labels(methods)));
        let measures = Labels::new(rows.iter().map(|row| row.2.name));
        columns.push(("measure".into(), Column::Labels(measures)));
        columns.push(("estimate".into(), numbers(&|row| row.estimate)));
        columns.push(("mcse".into(), numbers(&|row| row.mcse)));
        columns.push(("replicates".into(), numbers(&|row| row.count as f64)));
        Table::new(columns)
    }

    /// What a method found under a condition; `normal` is set where an interval or a p-value is
    /// made of its standard error.
    fn cells(
        &self,
        records: &Records,
        places: &[usize],
        (condition, method): (usize, usize),
        normal: &mut bool,
    ) -> Cells {
        let count = self.methods.len();
        let cell = condition * count + method;
        let reach = normal::quantile(0.5 + self.options.level / 2.0);
        let mut cells = Cells::default();
        for &place in places {
            let &[estimate, error, mut low, mut high, mut p_value, truth] =
                records.at(place, count, method);
            if error.is_finite() && low.is_nan() && high.is_nan() {
                (low, high) = (estimate - reach * error, estimate + reach * error);
                *normal = true;
            }
            if error > 0.0 && error.is_finite() && p_value.is_nan() {
                p_value = 2.0 * normal::cdf(-((estimate - self.nulls[cell]) / error).abs());
                *normal = true;
            }
            cells.estimate.push(estimate);
            cells.standard_error.push(error);
            cells.low.push(low);
            cells.high.push(high);
            cells.p_value.push(p_value);
            cells.truth.push(if truth.is_nan() { self.truths[cell] } else { truth });
        }
        cells
    }

    /// The replicates that failed, a list a column: condition, replicate, task, method, seed and
    /// error. A replicate of which every method failed in the same way is one row.
    fn failures(&self, records: &Records, seed: Seed, notes: &mut Vec<String>) -> Result<Value> {
        let mut rows: Vec<FailureRow<'_>> = Vec::new();
        for of_task in records.failures.chunk_by(|a, b| a.task == b.task) {
            let first = &of_task[0];
            let alike = of_task.iter().all(|failure| failure.error == first.error);
            if alike && of_task.len() == self.methods.len() && of_task.len() > 1 {
                rows.push((first.task, None, &first.error));
                continue;
            }
            rows.extend(
                of_task.iter().map(|f| (f.task, Some(f.method as usize), f.error.as_str())),
            );
        }
        if !rows.is_empty() {
            let told = match rows.len() > FAILURES_SHOWN {
                true => format!(", of which `failures` tells the first {FAILURES_SHOWN}"),
                false => ": see `failures`".to_owned(),
            };
            let estimates = records.failures.len();
            notes.push(format!("{estimates} estimates are missing{told}"));
        }
        rows.truncate(FAILURES_SHOWN);
        let mut columns = Map::new();
        let at: Vec<usize> = rows.iter().map(|row| self.place(row.0).0).collect();
        for (name, column) in self.conditions.spread(&at) {
            let list: Value = match column {
                Column::Numbers(numbers) => numbers.as_slice().to_vec().into(),
                Column::Labels(labels) => labels.rows().collect(),
            };
            columns.insert(name, list);
        }
        let mut list = |name: &str, of: &dyn Fn(&FailureRow<'_>) -> Value| {
            columns.insert(name.to_owned(), rows.iter().map(of).collect());
        };
        list("replicate", &|row| self.place(row.0).1.into());
        list("task", &|row| row.0.into());
        list("method", &|row| row.1.map_or("(all)", |method| &self.methods[method]).into());
        list("seed", &|_| seed.to_string().into());
        list("error", &|row| row.2.into());
        Ok(Value::Object(columns))
    }
}

/// An estimate of its numbers.
pub(crate) fn estimate(numbers: &[f64; FIELDS]) -> Estimate {
    let &[estimate, standard_error, low, high, p_value, truth] = numbers;
    Estimate { estimate, standard_error, low, high, p_value, truth }
}
