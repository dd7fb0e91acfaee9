//! Two sources: one that notes what it is asked for, one over tables that came along.

use super::Tables;
use crate::{Error, Result, Source, Table};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A source that remembers the tables it was asked for.
pub struct Noting<'a> {
    source: &'a dyn Source,
    seen: Mutex<Tables>,
}

impl<'a> Noting<'a> {
    /// What finds the tables.
    pub fn new(source: &'a dyn Source) -> Self {
        Self { source, seen: Mutex::default() }
    }

    /// The tables that were found, each under the name by which it was asked for.
    pub fn into_tables(self) -> Tables {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Noting<'_> {
    fn table(&self, path: &str) -> Result<Table> {
        let table = self.source.table(path)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(path.to_owned(), table.clone());
        Ok(table)
    }
}

impl fmt::Debug for Noting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Noting").field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// Tables that came with an order.
#[derive(Clone, Debug, Default)]
pub struct Given(
    /// Each under the name by which the job asks for it.
    pub Arc<Tables>,
);

impl Source for Given {
    fn table(&self, path: &str) -> Result<Table> {
        let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        self.0.get(path).cloned().ok_or_else(|| Error::unknown("table", path, &names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_what_is_given() {
        let table = Table::from_numbers([("x", vec![1.0])]).unwrap();
        let there = Tables::from(["a", "b"].map(|path| (path.to_owned(), table.clone())));
        let given = Given(Arc::new(there));
        let noting = Noting::new(&given);
        assert_eq!(noting.table("b").unwrap(), table);
        assert!(noting.table("bb").unwrap_err().to_string().contains("did you mean `b`?"));
        assert_eq!(noting.into_tables().into_keys().collect::<Vec<_>>(), ["b"]);
    }
}
