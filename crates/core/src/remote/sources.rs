//! Two sources: one that notes what it is asked for, one over what came along.

use super::Tables;
use crate::{Error, Result, Source, Table};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A source that remembers the tables and the code it was asked for.
pub struct Noting<'a> {
    source: &'a dyn Source,
    seen: Mutex<Given>,
}

impl<'a> Noting<'a> {
    /// What finds them.
    pub fn new(source: &'a dyn Source) -> Self {
        Self { source, seen: Mutex::default() }
    }

    /// What was found, tables under the names by which they were asked for.
    pub fn into_given(self) -> Given {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, Given> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Noting<'_> {
    fn table(&self, path: &str) -> Result<Table> {
        let table = self.source.table(path)?;
        self.seen().tables.insert(path.to_owned(), table.clone());
        Ok(table)
    }

    fn code(&self) -> Result<Arc<[u8]>> {
        let code = self.source.code()?;
        self.seen().code = Some(Arc::clone(&code));
        Ok(code)
    }
}

impl fmt::Debug for Noting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Noting").field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// What came with an order: all that a job reads beside its text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// Tables under the names by which the job asks for them.
    pub tables: Tables,
    /// The code that is a part of the job, if there is any.
    pub code: Option<Arc<[u8]>>,
    /// What earlier rounds have found, if the shards need it.
    pub learnt: Option<Arc<[u8]>>,
}

impl Given {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Paths and content hashes: equal names mean equal contents.
    pub fn name(&self) -> String {
        let tables = self.tables.iter().map(|(path, table)| format!("{path}:{}", table.hash()));
        let named = |kind: &str, bytes: &Option<Arc<[u8]>>| {
            bytes.as_ref().map(|bytes| format!("{kind}:{}", blake3::hash(bytes).to_hex()))
        };
        let others = [named("code", &self.code), named("learnt", &self.learnt)];
        tables.chain(others.into_iter().flatten()).collect::<Vec<_>>().join(",")
    }
}

impl Source for Given {
    fn table(&self, path: &str) -> Result<Table> {
        let names: Vec<&str> = self.tables.keys().map(String::as_str).collect();
        self.tables.get(path).cloned().ok_or_else(|| Error::unknown("table", path, &names))
    }

    fn code(&self) -> Result<Arc<[u8]>> {
        self.code.clone().ok_or_else(|| Error::wire("a job with code that did not come along"))
    }

    fn learnt(&self) -> Option<Arc<[u8]>> {
        self.learnt.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_what_is_given() {
        let table = Table::from_numbers([("x", vec![1.0])]).unwrap();
        let tables = Tables::from(["a", "b"].map(|path| (path.to_owned(), table.clone())));
        let given = Given { tables, code: Some([1, 2].into()), learnt: None };
        let noting = Noting::new(&given);
        assert_eq!(noting.table("b").unwrap(), table);
        assert!(noting.table("bb").unwrap_err().to_string().contains("did you mean `b`?"));
        assert_eq!(*noting.code().unwrap(), [1, 2]);
        let noted = noting.into_given();
        assert_eq!(noted.tables.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(noted.code, given.code);
        assert_ne!(noted.name(), Given { code: Some([1, 3].into()), ..noted.clone() }.name());
        assert_ne!(noted.name(), Given { learnt: Some([1, 2].into()), ..noted.clone() }.name());
    }
}
