//! Tables as text: a header, then one line a row, separated by commas, semicolons or tabs.

use csv::{ReaderBuilder, StringRecord, Trim};
use std::io::{self, Write};
use windfall_core::{Column, Labels, Table};

/// Texts that stand for a missing number, besides what Rust reads as NaN.
const MISSING: [&str; 4] = ["", "NA", "N/A", "null"];

/// What a column has been so far.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Nothing but missing values.
    Unknown,
    Numbers,
    Truths,
    Text,
}

/// A column while it is read.
struct Reading {
    kind: Kind,
    values: Vec<f64>,
}

impl Reading {
    fn push(&mut self, cell: &str, decimal_comma: bool) {
        let (kind, value) = if MISSING.contains(&cell) {
            (self.kind, f64::NAN)
        } else if let Some(number) = number(cell, decimal_comma) {
            (Kind::Numbers, number)
        } else if cell.eq_ignore_ascii_case("true") {
            (Kind::Truths, 1.0)
        } else if cell.eq_ignore_ascii_case("false") {
            (Kind::Truths, 0.0)
        } else {
            (Kind::Text, f64::NAN)
        };
        if self.kind == Kind::Unknown {
            self.kind = kind;
        } else if self.kind != kind {
            self.kind = Kind::Text;
        }
        if self.kind == Kind::Text {
            self.values = Vec::new();
        } else {
            self.values.push(value);
        }
    }
}

fn number(cell: &str, decimal_comma: bool) -> Option<f64> {
    let parsed = cell.parse().ok();
    if parsed.is_none() && decimal_comma {
        return cell.replacen(',', ".", 1).parse().ok();
    }
    parsed
}

/// Reads a table; the error is a message that names the line.
///
/// The separator is the commonest of comma, semicolon and tab in the header. With semicolons a
/// decimal comma is read too. A column is of numbers if each cell is a number or missing, and of
/// labels otherwise, in which case the text is read a second time.
pub(super) fn read(bytes: &[u8]) -> Result<Table, String> {
    let separator = separator(bytes);
    let open = || ReaderBuilder::new().delimiter(separator).trim(Trim::All).from_reader(bytes);
    let mut reader = open();
    let names = reader.headers().map_err(|error| message(&error))?.clone();
    if let Some(place) = names
        .iter()
        .enumerate()
        .position(|(i, name)| names.iter().take(i).any(|earlier| earlier == name))
    {
        return Err(format!("line 1: the column name `{}` stands twice", &names[place]));
    }
    let mut columns: Vec<Reading> =
        names.iter().map(|_| Reading { kind: Kind::Unknown, values: Vec::new() }).collect();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| message(&error))? {
        for (column, cell) in columns.iter_mut().zip(&record) {
            column.push(cell, separator == b';');
        }
    }
    let mut labels: Vec<Vec<String>> = columns.iter().map(|_| Vec::new()).collect();
    if columns.iter().any(|column| column.kind == Kind::Text) {
        let mut reader = open();
        while reader.read_record(&mut record).map_err(|error| message(&error))? {
            for (place, column) in columns.iter().enumerate() {
                if column.kind == Kind::Text {
                    labels[place].push(record[place].to_owned());
                }
            }
        }
    }
    let columns = columns.into_iter().zip(labels).map(|(column, labels)| match column.kind {
        Kind::Text => Column::Labels(Labels::new(labels.iter().map(String::as_str))),
        _ => Column::Numbers(column.values.into()),
    });
    let named = names.iter().map(str::to_owned).zip(columns).collect();
    Table::new(named).map_err(|error| error.to_string())
}

/// The commonest separator outside quotes in the first line; a comma if there is none.
fn separator(bytes: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for &byte in bytes.iter().take_while(|&&byte| byte != b'\n') {
        quoted ^= byte == b'"';
        if let Some(row) = counts.iter_mut().find(|row| row.0 == byte && !quoted) {
            row.1 += 1;
        }
    }
    let most = counts.iter().map(|row| row.1).max().unwrap_or(0);
    counts.iter().find(|row| row.1 == most).map_or(b',', |row| row.0)
}

/// What went wrong, with the line.
fn message(error: &csv::Error) -> String {
    let line = error.position().map_or(String::new(), |place| format!("line {}: ", place.line()));
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{line}{len} fields where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => format!("{line}not UTF-8 text"),
        _ => error.to_string(),
    }
}

/// Writes a table under a header; numbers in the shortest form that reads back to the same bits, a
/// missing one as `NaN`.
pub(super) fn write(out: &mut impl Write, table: &Table, by: char) -> io::Result<()> {
    let separator = |place: usize| if place == 0 { String::new() } else { by.to_string() };
    let quoted = |text: &str| match text.contains([by, '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    for (place, name) in table.names().enumerate() {
        write!(out, "{}{}", separator(place), quoted(name))?;
    }
    writeln!(out)?;
    let columns: Vec<&Column> = table.columns().map(|(_, column)| column).collect();
    for row in 0..table.rows() {
        for (place, column) in columns.iter().enumerate() {
            write!(out, "{}", separator(place))?;
            match column {
                Column::Numbers(numbers) => write!(out, "{:?}", numbers.as_slice()[row])?,
                Column::Labels(labels) => write!(out, "{}", quoted(labels.get(row)))?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(table: &Table, name: &str) -> Vec<f64> {
        table.numbers(name).unwrap().to_vec()
    }

    #[test]
    fn separators_and_decimal_commas_are_found_out() {
        for text in [
            "a,b\n1,2.5\n3,-4e2\n",
            "a\tb\r\n1\t2.5\r\n3\t-400\r\n",
            "a;b\n1;2,5\n3;-400,0",
            "\u{feff}\"a\", b\n 1,\"2.5\"\n\n3,-400\n",
        ] {
            let table = read(text.as_bytes()).unwrap();
            assert_eq!(table.names().collect::<Vec<_>>(), ["a", "b"], "{text}");
            assert_eq!(numbers(&table, "a"), [1.0, 3.0]);
            assert_eq!(numbers(&table, "b"), [2.5, -400.0]);
        }
    }

    #[test]
    fn missing_numbers_are_nan_and_truths_are_one_and_zero() {
        let table =
            read(b"x,y,flag,who,none\n1,NA,TRUE,ann,\n,2,false,bob,NA\nnan,3,True,3,\n").unwrap();
        for (name, missing) in [("x", 1), ("y", 0), ("none", 0)] {
            let message = table.numbers(name).unwrap_err().to_string();
            assert!(message.contains(&format!("`NaN` in row {missing}")), "{message}");
        }
        assert_eq!(numbers(&table, "flag"), [1.0, 0.0, 1.0]);
        assert_eq!(table.labels("who").unwrap().names(), ["ann", "bob", "3"]);
    }

    #[test]
    fn errors_name_the_line() {
        for (text, part) in [
            (b"a,b\n1,2\n3\n".as_slice(), "line 3: 1 fields where the header has 2"),
            (b"a,b,a\n1,2,3\n", "line 1: the column name `a` stands twice"),
            (b"a,b\n1,\xff\n", "line 2: not UTF-8"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn what_is_written_reads_back_to_the_same_bits() {
        let numbers = |values: Vec<f64>| Column::Numbers(values.into());
        let columns = [
            ("a, \"b\"", numbers(vec![0.1 + 0.2, -0.0, 1e300])),
            ("c", numbers(vec![5e-324, f64::MAX, 3.0])),
            ("who", Column::Labels(Labels::new(["ann", "b, \"c\"", "ann"]))),
        ];
        let columns = columns.map(|(name, column)| (name.to_owned(), column)).to_vec();
        let table = Table::new(columns).unwrap();
        let mut bytes = Vec::new();
        write(&mut bytes, &table, ',').unwrap();
        let again = read(&bytes).unwrap();
        for name in ["a, \"b\"", "c"] {
            let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(again.numbers(name).unwrap()), bits(table.numbers(name).unwrap()));
        }
        assert_eq!(again.labels("who").unwrap(), table.labels("who").unwrap());
    }
}
