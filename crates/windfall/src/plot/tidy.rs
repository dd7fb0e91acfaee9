//! Read tidy tables: what tells the rows apart, by the columns before a certain one.

use crate::readable::significant;
use windfall_core::{Column, Error, Result, Table};

/// The name of each row's group: the values of the columns before the one called `until`. Those of
/// numbers say whose they are.
pub(super) fn key_names(table: &Table, until: &str) -> Vec<String> {
    let keys: Vec<(&str, &Column)> =
        table.columns().take_while(|(name, _)| *name != until).collect();
    let named = |row: usize| {
        let parts = keys.iter().map(|(name, column)| match column {
            Column::Labels(labels) => labels.get(row).to_owned(),
            Column::Numbers(numbers) => format!("{name} = {}", short(numbers.as_slice()[row])),
        });
        parts.collect::<Vec<_>>().join(", ")
    };
    (0..table.rows()).map(named).collect()
}

/// A number without the zeros that end its decimals.
fn short(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 {
        return format!("{value:.0}");
    }
    let text = significant(value, 6);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').to_owned(),
        false => text,
    }
}

/// A column of numbers, of which some may be missing.
pub(super) fn values<'a>(table: &'a Table, name: &str) -> Result<&'a [f64]> {
    match table.column(name)? {
        Column::Numbers(numbers) => Ok(numbers.as_slice()),
        Column::Labels(_) => Err(Error::invalid(name, "a column of labels", "one of numbers")),
    }
}

/// Each text once, in order of appearance.
pub(super) fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    texts.filter(|text| seen.insert(*text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_core::{Labels, Numbers};

    #[test]
    fn keys_are_named_by_what_stands_before() {
        let table = Table::new(vec![
            ("site".into(), Column::Labels(Labels::new(["a", "b"]))),
            ("d".into(), Column::Numbers(Numbers::from(vec![0.25, 3.0]))),
            ("term".into(), Column::Labels(Labels::new(["x", "x"]))),
        ]);
        assert_eq!(key_names(&table.unwrap(), "term"), ["a, d = 0.25", "b, d = 3"]);
        assert_eq!(distinct(["x", "y", "x"].into_iter()), ["x", "y"]);
    }
}
