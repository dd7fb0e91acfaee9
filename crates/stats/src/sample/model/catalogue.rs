//! The built-in models by name, and the door from a job's options to a model.

use super::constrained::LogDensity;
use super::options::missing;
use super::{Model, ModelOptions, density, gaussian, hierarchical, mixture, regression, targets};
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
    /// Makes the model; the table is empty unless `data` says that it is read.
    pub(crate) build: fn(&ModelOptions, &Table) -> Result<Box<dyn Model>>,
}

/// Every built-in model.
pub static CATALOGUE: &[Kind] = &[
    regression::LINEAR,
    regression::LOGISTIC,
    regression::POISSON,
    hierarchical::KIND,
    hierarchical::SCHOOLS,
    mixture::KIND,
    gaussian::KIND,
    targets::ROSENBROCK,
    targets::FUNNEL,
];

/// The keys of a log density that is a formula.
const DENSITY_KEYS: &[&str] = &["log_density", "parameters", "constants", "derived"];
/// The keys of a log density that is code.
const CODE_KEYS: &[&str] = &["parameters", "derived"];

/// The model that `options` choose, on `table` if the job names data.
///
/// # Examples
/// ```
/// use windfall_stats::sample::model::{ModelOptions, build};
///
/// let options = ModelOptions { model: Some("funnel".into()), ..Default::default() };
/// assert_eq!(build(&options, None)?.names()[..2], ["v", "x[0]"]);
/// let options = ModelOptions { model: Some("funel".into()), ..Default::default() };
/// assert!(build(&options, None).err().unwrap().to_string().contains("`funnel`"));
/// # Ok::<(), windfall_core::Error>(())
/// ```
///
/// # Errors
/// [`windfall_core::ErrorKind::Unknown`] for a model that does not exist,
/// [`windfall_core::ErrorKind::Invalid`] for a key that the model does not take, one that is
/// missing or makes no sense, and for data where the model has no use for any; all before any
/// work starts.
pub fn build(options: &ModelOptions, table: Option<&Table>) -> Result<Box<dyn Model>> {
    let names = || CATALOGUE.iter().map(|kind| kind.name).collect::<Vec<_>>();
    let name = match (&options.model, &options.log_density) {
        (None, None) => {
            let error = missing("model", &format!("one of {}", names().join(", ")));
            return Err(error.hint("or give `log_density` and `parameters`"));
        }
        (Some(model), Some(_)) => {
            return Err(Error::invalid("model", model, "left out where `log_density` is given"));
        }
        (None, Some(_)) => {
            options.only(DENSITY_KEYS, "a log density")?;
            return density::build(options, table);
        }
        (Some(name), None) => name,
    };
    let kind = CATALOGUE.iter().find(|kind| kind.name == name);
    let kind = kind.ok_or_else(|| Error::unknown("model", name, &names()))?;
    let without_name = ModelOptions { model: None, ..options.clone() };
    without_name.only(kind.keys, &format!("model `{name}`"))?;
    match (kind.data, table) {
        (true, None) => Err(missing("data", &format!("a table: model `{name}` needs one"))),
        (false, Some(_)) => {
            let expected = format!("left out: model `{name}` has no use for it");
            Err(Error::invalid("data", "a table", &expected))
        }
        (_, table) => (kind.build)(options, table.unwrap_or(&Table::default())),
    }
}

/// The model of a log density that no job file can hold: code, over the parameters that `options`
/// name and constrain.
///
/// # Errors
/// As [`build`].
pub fn build_with<'a>(
    density: impl LogDensity + 'a,
    options: &ModelOptions,
) -> Result<Box<dyn Model + 'a>> {
    options.only(CODE_KEYS, "a log density that is a function")?;
    density::finish(density, options)
}
