//! The conditions of a study: rows of a table, each with streams of its own.
//!
//! The streams of a condition are named by what the condition says, not by its place, so that
//! conditions may be added, dropped or put in another order and the replicates of the others stay
//! as they were.

use windfall_core::{Column, Error, Labels, Numbers, Result, Table};

/// Names that the columns of results have.
const RESERVED: [&str; 15] = [
    "replicate",
    "replicates",
    "task",
    "method",
    "measure",
    "estimate",
    "mcse",
    "standard_error",
    "low",
    "high",
    "p_value",
    "truth",
    "error",
    "seed",
    "row",
];

/// The most conditions of a study.
const CONDITIONS_MAX: usize = 1_000_000;

/// The conditions under which a study generates data, at least one.
#[derive(Clone, Debug)]
pub struct Conditions {
    columns: Vec<(String, Column)>,
    /// What each says, which names its streams.
    keys: Vec<String>,
}

impl Conditions {
    /// The one condition of a study that has no factors.
    pub fn none() -> Self {
        Self { columns: Vec::new(), keys: vec![String::new()] }
    }

    /// One condition a row of `table`; its columns are the factors.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::TooFew`] without rows, [`windfall_core::ErrorKind::Invalid`]
    /// for two equal rows (they would draw the same) and for a column that bears the name of a
    /// column of results.
    pub fn new(table: &Table) -> Result<Self> {
        if table.rows() == 0 {
            return Err(Error::too_few("conditions", 0, 1));
        }
        if table.rows() > CONDITIONS_MAX {
            let value = format!("{} rows", table.rows());
            return Err(Error::invalid("conditions", value, "at most 1,000,000"));
        }
        if let Some(name) = table.names().find(|name| RESERVED.contains(name)) {
            let expected = "a name that the results do not use";
            return Err(Error::invalid("column", name, expected).hint("call the factor otherwise"));
        }
        let columns: Vec<(String, Column)> =
            table.columns().map(|(name, column)| (name.to_owned(), column.clone())).collect();
        let keys = keys(table)?;
        let mut sorted: Vec<&String> = keys.iter().collect();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::invalid("conditions", twice[0], "each different from the others")
                .hint("equal conditions would draw the same data; ask for more replicates"));
        }
        Ok(Self { columns, keys })
    }

    /// Every combination of the levels of factors, each written `name = level, level, …`; the last
    /// factor changes fastest.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for a text that is no such list, and as
    /// [`Conditions::new`].
    pub fn grid(texts: &[String]) -> Result<Self> {
        let factors = texts.iter().map(|text| factor(text)).collect::<Result<Vec<_>>>()?;
        let too_many = || {
            let expected = "levels whose combinations number at most 1,000,000";
            Error::invalid("grid", texts.join("; "), expected)
        };
        let total = factors
            .iter()
            .try_fold(1usize, |total, (_, levels)| total.checked_mul(levels.len()))
            .filter(|&total| total <= CONDITIONS_MAX)
            .ok_or_else(too_many)?;
        let mut repeat = total;
        let mut columns = Vec::with_capacity(factors.len());
        for (name, levels) in factors {
            repeat /= levels.len();
            let values: Vec<f64> =
                (0..total).map(|row| levels[row / repeat % levels.len()]).collect();
            columns.push((name, Column::Numbers(values.into())));
        }
        Self::new(&Table::new(columns)?)
    }

    /// The number of conditions.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Never: a study has at least one.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The condition at `index`.
    pub fn get(&self, index: usize) -> Condition<'_> {
        Condition { conditions: self, index }
    }

    /// The columns that tell conditions apart.
    pub(crate) fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    /// What each condition says.
    pub(crate) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The columns, with the row of `rows` in each place.
    pub(crate) fn spread(&self, rows: &[usize]) -> Vec<(String, Column)> {
        let pick = |column: &Column| match column {
            Column::Numbers(numbers) => {
                let values = numbers.as_slice();
                let picked: Vec<f64> = rows.iter().map(|&row| values[row]).collect();
                Column::Numbers(Numbers::from(picked))
            }
            Column::Labels(labels) => {
                Column::Labels(Labels::new(rows.iter().map(|&row| labels.get(row))))
            }
        };
        self.columns.iter().map(|(name, column)| (name.clone(), pick(column))).collect()
    }

    /// The name of the streams of the condition at `index`.
    pub fn stream_name(&self, index: usize) -> String {
        match self.keys[index].as_str() {
            "" => SHARED_STREAMS.to_owned(),
            key => format!("{SHARED_STREAMS} {key}"),
        }
    }
}

/// The name of the streams that conditions share if they are to draw the same numbers.
pub(crate) const SHARED_STREAMS: &str = "simulate";

/// What each row of `table` says: `name=value` for each column, in the order of their names.
pub(crate) fn keys(table: &Table) -> Result<Vec<String>> {
    let mut names: Vec<&str> = table.names().collect();
    names.sort_unstable();
    let mut keys = vec![String::new(); table.rows()];
    for (place, name) in names.into_iter().enumerate() {
        let labels = table.labels(name)?;
        for (row, key) in keys.iter_mut().enumerate() {
            let gap = if place == 0 { "" } else { " " };
            let label = labels.get(row);
            // A number reads the same whether a file keeps it as one or as text.
            let told =
                label.parse::<f64>().map_or_else(|_| format!("{label:?}"), |x| x.to_string());
            key.push_str(&format!("{gap}{name}={told}"));
        }
    }
    Ok(keys)
}

/// Reads `name = level, level, …`.
fn factor(text: &str) -> Result<(String, Vec<f64>)> {
    let wrong =
        || Error::invalid("grid", text, "a factor with its levels").hint("write `n = 20, 50, 100`");
    let (name, levels) = text.split_once('=').ok_or_else(wrong)?;
    let name = name.trim();
    let is_name = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_name {
        return Err(wrong());
    }
    let level = |text: &str| {
        let level = text.trim().parse::<f64>().ok().filter(|level| level.is_finite());
        level.ok_or_else(|| Error::invalid(name, text.trim(), "a finite number as a level"))
    };
    let levels = levels.split(',').map(level).collect::<Result<Vec<f64>>>()?;
    Ok((name.to_owned(), levels))
}

/// One condition of a study.
#[derive(Clone, Copy, Debug)]
pub struct Condition<'a> {
    conditions: &'a Conditions,
    index: usize,
}

impl<'a> Condition<'a> {
    /// Its place among the conditions.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The level of a factor of numbers.
    ///
    /// # Panics
    /// If there is no such factor; within a replicate that makes it a failed one.
    pub fn number(&self, factor: &str) -> f64 {
        match self.column(factor) {
            Column::Numbers(numbers) => numbers.as_slice()[self.index],
            Column::Labels(_) => panic!("the factor `{factor}` holds text: read it by `label`"),
        }
    }

    /// The level of a factor of text.
    ///
    /// # Panics
    /// If there is no such factor.
    pub fn label(&self, factor: &str) -> &'a str {
        match self.column(factor) {
            Column::Labels(labels) => labels.get(self.index),
            Column::Numbers(_) => {
                panic!("the factor `{factor}` holds numbers: read it by `number`")
            }
        }
    }

    /// The factors of numbers with their levels.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (&'a str, f64)> {
        let index = self.index;
        self.conditions.columns.iter().filter_map(move |(name, column)| match column {
            Column::Numbers(numbers) => Some((name.as_str(), numbers.as_slice()[index])),
            Column::Labels(_) => None,
        })
    }

    /// What it says, such as `d=0.5 n=20`.
    pub(crate) fn key(&self) -> &'a str {
        &self.conditions.keys[self.index]
    }

    fn column(&self, factor: &str) -> &'a Column {
        let found = self.conditions.columns.iter().find(|(name, _)| name == factor);
        found.map(|(_, column)| column).unwrap_or_else(|| panic!("there is no factor `{factor}`"))
    }
}
