//! The answer as people read it: a list for one quantity, a table for several.

use super::record::Record;
use serde_json::Value;
use windfall::readable::{count, significant, with_error};
use windfall::{Answer, Interval, Quantity};

/// The answer and what it cost, as lines of text.
pub(super) fn table(answer: &Answer, record: &Record) -> String {
    let mut text = match answer.quantities.as_slice() {
        [one] => format!("{}: {}\n\n{}", answer.problem, one.name, list(&fields(one), 2)),
        several => format!("{}\n\n{}", answer.problem, grid(several)),
    };
    let mut about = vec![("method".to_owned(), answer.method.clone())];
    for (name, value) in &answer.extra {
        let shown = match value {
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

/// What is known of a quantity, each with its label.
fn fields(quantity: &Quantity) -> Vec<(String, String)> {
    let Quantity { estimate, mcse, standard_error, bias, interval, .. } = quantity;
    let both = |(value, error): (String, String)| format!("{value} ± {error}");
    let mut fields = Vec::new();
    match bias {
        // The error is that of the bias; the estimate comes from the data and has none.
        Some(bias) => {
            fields.push(("estimate".into(), significant(*estimate, 6)));
            let told = both(with_error(*bias, *mcse));
            fields
                .push(("bias".into(), if mcse.is_finite() { told } else { significant(*bias, 4) }));
        }
        None => fields.push(("estimate".into(), both(with_error(*estimate, *mcse)))),
    }
    if let Some(error) = standard_error {
        fields.push(("standard error".into(), significant(*error, 4)));
    }
    if let Some(Interval { low, high, level, method, low_mcse, high_mcse }) = interval {
        let percent = significant(100.0 * level, 4);
        let percent = match percent.contains('.') {
            true => percent.trim_end_matches('0').trim_end_matches('.'),
            false => &percent,
        };
        let ends = [(*low, *low_mcse), (*high, *high_mcse)].map(|(end, error)| {
            if end.is_finite() { both(with_error(end, error)) } else { end.to_string() }
        });
        fields.push((format!("{percent} % {method} interval"), ends.join("  to  ")));
    }
    fields
}

/// Labels and values in two columns, indented.
fn list(rows: &[(String, String)], indent: usize) -> String {
    let width = rows.iter().map(|(label, _)| wide(label)).max().unwrap_or(0);
    let line = |(label, value): &(String, String)| {
        let gap = " ".repeat(width - wide(label) + 3);
        format!("{:indent$}{label}{gap}{value}\n", "")
    };
    rows.iter().map(line).collect()
}

/// One row a quantity, one column a field.
fn grid(quantities: &[Quantity]) -> String {
    let all: Vec<_> = quantities.iter().map(fields).collect();
    let mut labels: Vec<&str> = Vec::new();
    for (label, _) in all.iter().flatten() {
        if !labels.contains(&label.as_str()) {
            labels.push(label);
        }
    }
    let mut rows = vec![std::iter::once("").chain(labels.iter().copied()).collect::<Vec<_>>()];
    for (quantity, fields) in quantities.iter().zip(&all) {
        let cell = |label: &&str| {
            let found = fields.iter().find(|(name, _)| name == label);
            found.map_or("", |(_, value)| value.as_str())
        };
        rows.push(std::iter::once(quantity.name.as_str()).chain(labels.iter().map(cell)).collect());
    }
    let columns = rows[0].len();
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().map(|row| wide(row[column])).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<&str>| {
        let cells = row.iter().zip(&widths);
        let padded = cells.map(|(cell, width)| format!("{cell}{}", " ".repeat(width - wide(cell))));
        format!("  {}\n", padded.collect::<Vec<_>>().join("   ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Columns that a text takes on a terminal, for the letters that we print.
fn wide(text: &str) -> usize {
    text.chars().count()
}
