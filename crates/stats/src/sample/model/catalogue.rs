//! The built-in models by name, and the door from a job's options to a model.

use super::{Model, ModelOptions, gaussian};
use windfall_core::{Error, Result, Table};

/// A built-in model.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name in job files and on the command line.
    pub name: &'static str,
    /// One sentence on what it is.
    pub about: &'static str,
    /// The keys it takes.
    pub keys: &'static [&'static str],
    /// Whether it reads a table.
    pub data: bool,
    /// Makes the model; the table is there exactly if `data` says so.
    pub(crate) build: fn(&ModelOptions, &Table) -> Result<Box<dyn Model>>,
}

/// Every built-in model.
pub static CATALOGUE: &[Kind] = &[gaussian::KIND];

/// The model that `options` choose, on `table` if the job names data.
///
/// # Errors
/// [`windfall_core::ErrorKind::Unknown`] for a model that does not exist,
/// [`windfall_core::ErrorKind::Invalid`] for a key that the model does not take, one that is
/// missing or makes no sense, and for data where the model has no use for any; all before any
/// work starts.
pub fn build(options: &ModelOptions, table: Option<&Table>) -> Result<Box<dyn Model>> {
    let names = || CATALOGUE.iter().map(|kind| kind.name).collect::<Vec<_>>();
    let Some(name) = &options.model else {
        let expected = format!("one of {}", names().join(", "));
        return Err(super::options::missing("model", &expected));
    };
    let kind = CATALOGUE.iter().find(|kind| kind.name == name);
    let kind = kind.ok_or_else(|| Error::unknown("model", name, &names()))?;
    for (key, value) in options.given() {
        if key != "model" && !kind.keys.contains(&key.as_str()) {
            let expected = format!("left out: model `{name}` has no use for it");
            let hint = format!("its keys are {}", kind.keys.join(", "));
            return Err(Error::invalid(&key, value, &expected).hint(hint));
        }
    }
    match (kind.data, table) {
        (true, None) => {
            let expected = format!("a table: model `{name}` needs one");
            Err(super::options::missing("data", &expected))
        }
        (false, Some(_)) => {
            let expected = format!("left out: model `{name}` has no use for it");
            Err(Error::invalid("data", "a table", &expected))
        }
        (_, table) => (kind.build)(options, table.unwrap_or(&Table::default())),
    }
}
