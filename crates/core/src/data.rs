//! Tables: named columns of numbers or labels, shared without a copy, with a content hash.

use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A column of numbers that some owner keeps in memory; clones share it.
#[derive(Clone)]
pub struct Numbers(Arc<dyn AsRef<[f64]> + Send + Sync>);

impl Numbers {
    /// Shares the numbers that `owner` holds, without a copy.
    ///
    /// `owner.as_ref()` must return the same slice each time and nobody may write to it.
    pub fn shared(owner: impl AsRef<[f64]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(owner))
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[f64] {
        (*self.0).as_ref()
    }
}

impl From<Vec<f64>> for Numbers {
    fn from(values: Vec<f64>) -> Self {
        Self::shared(values)
    }
}

impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Numbers({} rows)", self.as_slice().len())
    }
}

/// A column of labels: for each row the place of its label among the distinct ones, which stand
/// in order of first appearance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    codes: Vec<u32>,
    names: Vec<String>,
}

impl Labels {
    /// Codes the labels of the rows.
    pub fn new<'a>(rows: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut labels = Self::default();
        for row in rows {
            let code = *known.entry(row.to_owned()).or_insert_with(|| {
                labels.names.push(row.to_owned());
                labels.names.len() as u32 - 1
            });
            labels.codes.push(code);
        }
        labels
    }

    /// The labels `names[code]` of the rows, without a look at their text.
    ///
    /// # Panics
    /// If a code has no name.
    pub fn coded(codes: Vec<u32>, names: &[String]) -> Self {
        // Names stand in order of first appearance, whatever order they are given in.
        let (mut places, mut known) = (vec![u32::MAX; names.len()], Vec::new());
        let mut place = |code: u32| {
            let place = &mut places[code as usize];
            if *place == u32::MAX {
                *place = known.len() as u32;
                known.push(names[code as usize].clone());
            }
            *place
        };
        let codes = codes.into_iter().map(&mut place).collect();
        Self { codes, names: known }
    }

    /// For each row, the place of its label in [`Labels::names`].
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The distinct labels in order of first appearance.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The label of the row at `row`.
    pub fn get(&self, row: usize) -> &str {
        &self.names[self.codes[row] as usize]
    }

    /// The label of each row.
    pub fn rows(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().map(|&code| self.names[code as usize].as_str())
    }
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; a missing one is NaN.
    Numbers(Numbers),
    /// Text, as labels.
    Labels(Labels),
}

impl Column {
    fn rows(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.as_slice().len(),
            Self::Labels(labels) => labels.codes.len(),
        }
    }
}

/// Named columns of the same length.
///
/// ```
/// use windfall_core::Table;
/// let table = Table::from_numbers([("u", vec![1.0, 2.0]), ("x", vec![3.0, 4.0])])?;
/// assert_eq!(table.numbers("x")?, [3.0, 4.0]);
/// assert!(table.numbers("y").is_err());
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<(String, Column)>,
    rows: usize,
}

impl Table {
    /// A table of these columns.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if two lengths differ or a name stands twice.
    pub fn new(columns: Vec<(String, Column)>) -> Result<Self> {
        let rows = columns.first().map_or(0, |(_, column)| column.rows());
        for (place, (name, column)) in columns.iter().enumerate() {
            if column.rows() != rows {
                let expected = format!("as long as column `{}`: {rows} rows", columns[0].0);
                return Err(Error::invalid(name, format!("{} rows", column.rows()), &expected));
            }
            if columns[..place].iter().any(|(earlier, _)| earlier == name) {
                return Err(Error::invalid("column", name, "named once"));
            }
        }
        Ok(Self { columns, rows })
    }

    /// A table of columns of numbers.
    ///
    /// # Errors
    /// As [`Table::new`].
    pub fn from_numbers<'a>(
        columns: impl IntoIterator<Item = (&'a str, Vec<f64>)>,
    ) -> Result<Self> {
        let column = |(name, values): (&str, Vec<f64>)| {
            (name.to_owned(), Column::Numbers(Numbers::from(values)))
        };
        Self::new(columns.into_iter().map(column).collect())
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The columns with their names, in order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.columns.iter().map(|(name, column)| (name.as_str(), column))
    }

    /// The column called `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`] with the nearest name.
    pub fn column(&self, name: &str) -> Result<&Column> {
        match self.columns.iter().find(|(candidate, _)| candidate == name) {
            Some((_, column)) => Ok(column),
            None => Err(Error::unknown("column", name, &self.names().collect::<Vec<_>>())),
        }
    }

    /// The finite numbers of the column called `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`] for a missing column, [`ErrorKind::Invalid`] for one of text,
    /// [`ErrorKind::NotFinite`] with the first row at fault for a missing or infinite value.
    pub fn numbers(&self, name: &str) -> Result<&[f64]> {
        let numbers = match self.column(name)? {
            Column::Numbers(numbers) => numbers.as_slice(),
            Column::Labels(labels) => {
                let first = labels.names.first().map_or("", String::as_str);
                let error = Error::invalid(name, first, "a column of numbers");
                return Err(error.hint("text columns serve as strata, clusters or groups"));
            }
        };
        match numbers.iter().position(|value| !value.is_finite()) {
            None => Ok(numbers),
            Some(row) => Err(Error::new(ErrorKind::NotFinite {
                what: format!("column `{name}`"),
                row: row as u64,
                value: numbers[row],
            })
            .hint("drop or fill the rows with missing values first")),
        }
    }

    /// The column called `name` as labels; distinct numbers are distinct labels.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`] for a missing column.
    pub fn labels(&self, name: &str) -> Result<Labels> {
        Ok(match self.column(name)? {
            Column::Labels(labels) => labels.clone(),
            Column::Numbers(numbers) => {
                let texts: Vec<String> =
                    numbers.as_slice().iter().map(|value| value.to_string()).collect();
                Labels::new(texts.iter().map(String::as_str))
            }
        })
    }

    /// The content hash: BLAKE3 over names, kinds and values, as 64 hexadecimal digits.
    ///
    /// It does not depend on the format or the path of the file that the table came from.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let text = |hasher: &mut blake3::Hasher, text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        hasher.update(&(self.rows as u64).to_le_bytes());
        for (name, column) in &self.columns {
            text(&mut hasher, name);
            match column {
                Column::Numbers(numbers) => {
                    hasher.update(b"n");
                    let mut bytes = vec![[0; 8]; 16 * 1024];
                    for chunk in numbers.as_slice().chunks(bytes.len()) {
                        bytes.iter_mut().zip(chunk).for_each(|(to, x)| *to = x.to_le_bytes());
                        hasher.update(bytes[..chunk.len()].as_flattened());
                    }
                }
                Column::Labels(labels) => {
                    hasher.update(b"l");
                    labels.rows().for_each(|label| text(&mut hasher, label));
                }
            }
        }
        hasher.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unequal_or_repeated_columns_are_refused() {
        assert!(Table::from_numbers([("a", vec![1.0]), ("b", vec![1.0, 2.0])]).is_err());
        assert!(Table::from_numbers([("a", vec![1.0]), ("a", vec![2.0])]).is_err());
    }

    #[test]
    fn missing_values_and_text_are_named_with_their_row() {
        let labels = Column::Labels(Labels::new(["left", "right", "left"]));
        let numbers = Column::Numbers(vec![1.0, 2.0, f64::NAN].into());
        let table = Table::new(vec![("side".into(), labels), ("x".into(), numbers)]).unwrap();
        let message = table.numbers("x").unwrap_err().to_string();
        assert!(message.starts_with("column `x` holds `NaN` in row 2"), "{message}");
        assert!(table.numbers("side").unwrap_err().to_string().contains("`left`"));
        assert_eq!(table.labels("side").unwrap().codes(), [0, 1, 0]);
        assert_eq!(table.labels("x").unwrap().names().len(), 3);
    }

    #[test]
    fn the_hash_sees_names_and_values() {
        let of = |name, value| Table::from_numbers([(name, vec![value])]).unwrap().hash();
        assert_eq!(of("a", 1.0), of("a", 1.0));
        assert_ne!(of("a", 1.0), of("b", 1.0));
        assert_ne!(of("a", 0.0), of("a", -0.0));
    }
}
