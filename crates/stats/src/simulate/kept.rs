//! The replicates as a table: what `--keep` writes, and what a longer run begins with.

use super::conditions::{Conditions, keys};
use super::procedure::FIELDS;
use super::records::{Failure, Records};
use std::collections::{HashMap, HashSet};
use windfall_core::{Column, Error, Labels, Numbers, Result, Table};

/// The columns of an estimate's numbers.
const NUMBERS: [&str; FIELDS] = ["estimate", "standard_error", "low", "high", "p_value", "truth"];
/// The column of a failure's message.
const ERROR: &str = "error";
const REPLICATE: &str = "replicate";
const METHOD: &str = "method";

/// One row a replicate and method: the condition, the replicate's number, the method, what it
/// found or why it found nothing. Columns that would hold nothing are left out.
pub(crate) fn to_table(
    records: &Records,
    conditions: &Conditions,
    methods: &[String],
) -> Result<Table> {
    let (count, all) = (methods.len(), conditions.len() as u64);
    let each_method = |task: &u64| std::iter::repeat_n(*task, count);
    let tasks: Vec<u64> = records.tasks.iter().flat_map(each_method).collect();
    let rows: Vec<usize> = tasks.iter().map(|task| (task % all) as usize).collect();
    let mut columns = conditions.spread(&rows);
    let numbers: Vec<f64> = tasks.iter().map(|task| (task / all) as f64).collect();
    columns.push((REPLICATE.into(), Column::Numbers(Numbers::from(numbers))));
    let names = (0..tasks.len()).map(|row| methods[row % count].as_str());
    columns.push((METHOD.into(), Column::Labels(Labels::new(names))));
    for (field, name) in NUMBERS.into_iter().enumerate() {
        let values: Vec<f64> = records.values.iter().skip(field).step_by(FIELDS).copied().collect();
        if field == 0 || values.iter().any(|value| !value.is_nan()) {
            columns.push((name.into(), Column::Numbers(Numbers::from(values))));
        }
    }
    if !records.failures.is_empty() {
        let mut errors = vec![""; tasks.len()];
        for failure in &records.failures {
            let place = records.tasks.binary_search(&failure.task);
            let place = place.expect("a failure belongs to a task that was run");
            errors[place * count + failure.method as usize] = &failure.error;
        }
        columns.push((ERROR.into(), Column::Labels(Labels::new(errors))));
    }
    Table::new(columns)
}

/// The replicates below `replicates` that `table` holds whole, in the order of their tasks.
///
/// Rows of other conditions and methods are passed over; a replicate of which a method is missing
/// is not taken.
///
/// # Errors
/// [`windfall_core::ErrorKind::Unknown`] for a missing column,
/// [`windfall_core::ErrorKind::Invalid`] for a replicate that is no whole number or stands twice.
pub(crate) fn from_table(
    table: &Table,
    conditions: &Conditions,
    methods: &[String],
    replicates: u64,
) -> Result<Records> {
    let rows = condition_of_rows(table, conditions)?;
    let labels = table.labels(METHOD)?;
    let method_of: Vec<Option<usize>> =
        labels.names().iter().map(|name| methods.iter().position(|own| own == name)).collect();
    let numbers = table.numbers(REPLICATE)?;
    let (width, all) = (methods.len() * FIELDS, conditions.len() as u64);
    let columns = NUMBERS.map(|name| optional_numbers(table, name));
    let errors = optional_labels(table, ERROR);
    let mut found: HashMap<u64, (usize, HashSet<usize>)> = HashMap::new();
    let mut records = Records::default();
    for row in 0..table.rows() {
        let (Some(condition), Some(method)) = (rows[row], method_of[labels.codes()[row] as usize])
        else {
            continue;
        };
        let number = numbers[row];
        if number.fract() != 0.0 || !(0.0..9e15).contains(&number) {
            return Err(Error::invalid(REPLICATE, number, "a whole number from 0"));
        }
        if number as u64 >= replicates {
            continue;
        }
        let task = number as u64 * all + condition as u64;
        let (place, seen) = found.entry(task).or_insert_with(|| {
            records.tasks.push(task);
            records.values.resize(records.tasks.len() * width, f64::NAN);
            (records.tasks.len() - 1, HashSet::new())
        });
        if !seen.insert(method) {
            let value = format!("{number} of method {}", methods[method]);
            return Err(Error::invalid(REPLICATE, value, "kept once, and stands twice"));
        }
        let start = *place * width + method * FIELDS;
        for (field, column) in columns.iter().enumerate() {
            records.values[start + field] = column.as_ref().map_or(f64::NAN, |values| values[row]);
        }
        if !records.values[start].is_finite() {
            let told = errors.as_ref().map_or("", |errors| errors.get(row));
            let error = told.to_owned();
            records.failures.push(Failure { task, method: method as u32, error });
        }
    }
    Ok(whole(records, &found, methods.len()).sorted(methods.len()))
}

/// The records of those tasks of which every method was found.
fn whole(
    records: Records,
    found: &HashMap<u64, (usize, HashSet<usize>)>,
    methods: usize,
) -> Records {
    let is_whole = |task: &u64| found[task].1.len() == methods;
    if records.tasks.iter().all(is_whole) {
        return records;
    }
    let width = methods * FIELDS;
    let mut kept = Records::default();
    for (task, values) in records.tasks.iter().zip(records.values.chunks(width)) {
        if is_whole(task) {
            kept.tasks.push(*task);
            kept.values.extend_from_slice(values);
        }
    }
    kept.failures = records.failures;
    kept.failures.retain(|failure| is_whole(&failure.task));
    kept
}

/// For each row of `table` the condition that it belongs to.
fn condition_of_rows(table: &Table, conditions: &Conditions) -> Result<Vec<Option<usize>>> {
    let mut columns = Vec::new();
    for (name, _) in conditions.columns() {
        columns.push((name.clone(), table.column(name)?.clone()));
    }
    if columns.is_empty() {
        return Ok(vec![Some(0); table.rows()]);
    }
    let known: HashMap<&str, usize> =
        conditions.keys().iter().enumerate().map(|(place, key)| (key.as_str(), place)).collect();
    let told = keys(&Table::new(columns)?)?;
    Ok(told.iter().map(|key| known.get(key.as_str()).copied()).collect())
}

/// The numbers of a column that may be missing, as may be its values.
fn optional_numbers(table: &Table, name: &str) -> Option<Vec<f64>> {
    Some(match table.column(name).ok()? {
        Column::Numbers(numbers) => numbers.as_slice().to_vec(),
        // A column without any number comes back from a file as text.
        Column::Labels(labels) => {
            labels.rows().map(|text| text.parse().unwrap_or(f64::NAN)).collect()
        }
    })
}

fn optional_labels(table: &Table, name: &str) -> Option<Labels> {
    match table.column(name).ok()? {
        Column::Labels(labels) => Some(labels.clone()),
        Column::Numbers(_) => None,
    }
}
