//! The answer as people read it: a list for one quantity, a table for several.

use super::record::Record;
use serde_json::Value;
use windfall::readable::{count, significant, with_error};
use windfall::{Answer, Column, Interval, Quantity, Table};

/// The further results that belong to a quantity: the Monte Carlo error of its standard error.
const STANDARD_ERROR_MCSE: &str = "standard_error_mcse";
/// The error of an estimate that is no Monte Carlo error.
const ERROR: &str = "error";
/// The statistic of a test, and its p-value adjusted for the number of tests.
const TEST: [&str; 3] = ["statistic", "adjusted", "adjusted_single_step"];

/// The answer and what it cost, as lines of text.
pub(super) fn table(answer: &Answer, record: &Record) -> String {
    let told = answer.quantities.iter().enumerate();
    let told: Vec<_> =
        told.map(|(place, _)| fields(answer, place, |name| beside(answer, name, place))).collect();
    // Rows that hold every quantity's estimate stand for the grid; for one quantity, the list.
    let same = answer.table.as_ref().is_some_and(|rows| holds_estimates(rows, answer));
    let mut text = match (answer.quantities.as_slice(), told.as_slice()) {
        (several, _) if same && several.len() > 1 => format!("{}\n", answer.problem),
        ([one], [fields]) => format!("{}: {}\n\n{}", answer.problem, one.name, list(fields, 2)),
        ([], _) => format!("{}\n", answer.problem),
        (several, told) => format!("{}\n\n{}", answer.problem, grid(several, told)),
    };
    if let Some(rows) = answer.table.as_ref().filter(|_| !same || told.len() > 1) {
        text.push_str(&format!("\n{}", sheet(rows)));
    }
    let mut about = vec![("method".to_owned(), answer.method.clone())];
    let told = |name: &str| [STANDARD_ERROR_MCSE, ERROR].contains(&name) || TEST.contains(&name);
    for (name, value) in answer.extra.iter().filter(|(name, _)| !told(name)) {
        let shown = match value {
            Value::Number(whole) if whole.is_u64() => whole.as_u64().map(count),
            Value::Number(number) => number.as_f64().map(|x| significant(x, 6)),
            Value::String(text) => Some(text.clone()),
            _ => None,
        };
        about.extend(shown.map(|shown| (name.replace('_', " "), shown)));
    }
    about.push((answer.draws.name.to_owned(), count(answer.draws.count)));
    about.push(("seed".to_owned(), answer.seed.to_string()));
    if let Some(data) = &answer.data {
        let hash = data.hash.get(..12).unwrap_or(&data.hash);
        about.push(("data".to_owned(), format!("{} rows, hash {hash}…", count(data.rows))));
    }
    about.extend(record.lines(answer));
    text.push('\n');
    text.push_str(&list(&about, 2));
    for note in &answer.notes {
        text.push_str(&format!("\nnote: {note}\n"));
    }
    if !answer.complete {
        text.push_str("\nINCOMPLETE: interrupted; this is the estimate so far\n");
    }
    text
}

/// Whether a column of `rows` is the estimates of the quantities, one a row, and nothing but their
/// Monte Carlo error is known of them.
fn holds_estimates(rows: &Table, answer: &Answer) -> bool {
    let bare = |one: &Quantity| one.standard_error.is_none() && one.bias.is_none();
    answer.quantities.iter().all(bare)
        && rows.columns().any(|(_, column)| match column {
            Column::Numbers(numbers) => {
                numbers.as_slice().iter().eq(answer.quantities.iter().map(|one| &one.estimate))
            }
            Column::Labels(_) => false,
        })
}

/// What is known of the quantity at `place`, each with its label; `beside` finds the further
/// results that belong to it.
fn fields(
    answer: &Answer,
    place: usize,
    beside: impl Fn(&str) -> Option<f64>,
) -> Vec<(String, String)> {
    let quantity = &answer.quantities[place];
    let Quantity { estimate, mcse, standard_error, bias, interval, .. } = quantity;
    let label = if answer.problem == "permutation" { "p-value" } else { "estimate" };
    let mut fields = Vec::new();
    match bias {
        // The error is that of the bias; the estimate comes from the data and has none.
        Some(bias) => {
            fields.push(("estimate".into(), significant(*estimate, 6)));
            fields.push(("bias".into(), both(*bias, *mcse)));
        }
        None => match beside(ERROR) {
            Some(error) => {
                let (estimate, error) = with_error(*estimate, error);
                fields.push(("estimate".into(), estimate));
                fields.push((ERROR.into(), error));
            }
            None => fields.push((label.into(), both(*estimate, *mcse))),
        },
    }
    if let Some(error) = standard_error {
        let told = beside(STANDARD_ERROR_MCSE).map(|mcse| both(*error, mcse));
        fields.push(("standard error".into(), told.unwrap_or_else(|| significant(*error, 4))));
    }
    if let Some(Interval { low, high, level, method, low_mcse, high_mcse }) = interval {
        let percent = significant(100.0 * level, 4);
        let percent = match percent.contains('.') {
            true => percent.trim_end_matches('0').trim_end_matches('.'),
            false => &percent,
        };
        let ends = [both(*low, *low_mcse), both(*high, *high_mcse)];
        fields.push((format!("{percent} % {method} interval"), ends.join("  to  ")));
    }
    for name in TEST {
        let told = beside(name).map(|value| (name.replace('_', " "), significant(value, 6)));
        fields.extend(told);
    }
    fields
}

/// A value with its Monte Carlo error, if it has one.
fn both(value: f64, error: f64) -> String {
    let exact = error == 0.0 || !error.is_finite() || !value.is_finite();
    let (value, error) = with_error(value, error);
    if exact { value } else { format!("{value} ± {error}") }
}

/// The further result called `name` of the quantity at `place`, where the problem tells it.
fn beside(answer: &Answer, name: &str, place: usize) -> Option<f64> {
    match answer.extra.get(name)? {
        Value::Array(list) => list.get(place)?.as_f64(),
        one => one.as_f64(),
    }
}

/// Labels and values in two columns, indented.
pub(super) fn list(rows: &[(String, String)], indent: usize) -> String {
    let width = rows.iter().map(|(label, _)| wide(label)).max().unwrap_or(0);
    let line = |(label, value): &(String, String)| {
        let gap = " ".repeat(width - wide(label) + 3);
        format!("{:indent$}{label}{gap}{value}\n", "")
    };
    rows.iter().map(line).collect()
}

/// One row a quantity, one column a field.
fn grid(quantities: &[Quantity], all: &[Vec<(String, String)>]) -> String {
    let mut labels: Vec<&str> = Vec::new();
    for (label, _) in all.iter().flatten() {
        if !labels.contains(&label.as_str()) {
            labels.push(label);
        }
    }
    let mut rows = vec![std::iter::once("").chain(labels.iter().copied()).collect::<Vec<_>>()];
    for (quantity, fields) in quantities.iter().zip(all) {
        let cell = |label: &&str| {
            let found = fields.iter().find(|(name, _)| name == label);
            found.map_or("", |(_, value)| value.as_str())
        };
        rows.push(std::iter::once(quantity.name.as_str()).chain(labels.iter().map(cell)).collect());
    }
    aligned(&rows)
}

/// The first rows of a table, and how many more there are.
fn sheet(table: &Table) -> String {
    const ROWS_MAX: usize = 40;
    let names: Vec<String> = table.names().map(|name| name.replace('_', " ")).collect();
    let shown = table.rows().min(ROWS_MAX);
    let cells = |row: usize| {
        let cell = |(_, column): (&str, &Column)| match column {
            Column::Numbers(numbers) => cell(numbers.as_slice()[row]),
            Column::Labels(labels) => labels.get(row).to_owned(),
        };
        table.columns().map(cell).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = std::iter::once(names).chain((0..shown).map(cells)).collect();
    let rows: Vec<Vec<&str>> =
        rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let mut text = aligned(&rows);
    if shown < table.rows() {
        let more = count((table.rows() - shown) as u64);
        text.push_str(&format!("  … {more} rows more; --out FILE writes all\n"));
    }
    text
}

/// A number of a table: whole ones as they are, nothing for a missing one.
fn cell(value: f64) -> String {
    match value {
        value if value.is_nan() => String::new(),
        value if value.fract() == 0.0 && value.abs() < 1e9 => format!("{value:.0}"),
        value => significant(value, 5),
    }
}

/// Rows of cells in columns, indented.
pub(super) fn aligned<T: AsRef<str>>(rows: &[Vec<T>]) -> String {
    let columns = rows[0].len();
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().map(|row| wide(row[column].as_ref())).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<T>| {
        let cells = row.iter().map(AsRef::as_ref).zip(&widths);
        let padded = cells.map(|(cell, width)| format!("{cell}{}", " ".repeat(width - wide(cell))));
        format!("  {}\n", padded.collect::<Vec<_>>().join("   ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Columns that a text takes on a terminal, for the letters that we print.
fn wide(text: &str) -> usize {
    text.chars().count()
}
