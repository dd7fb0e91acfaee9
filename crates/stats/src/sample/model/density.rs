//! A log density as a formula, with its gradient by differentiation of the formula.

use super::constrained::{Constrained, LogDensity};
use super::options::missing;
use super::{Constraint, Model, ModelOptions, Room};
use serde_json::{Map, Value};
use windfall_core::{Error, ErrorKind, Result, Table};
use windfall_expr::{Rows, Total, Words, Workspace};

/// A formula over parameters, constants and, inside `sum(…)`, the rows of a table.
#[derive(Clone, Debug)]
pub struct Density {
    total: Total,
    rows: Rows,
}

impl Density {
    /// Reads the formula `text`, for the columns of `table`.
    ///
    /// # Errors
    /// [`ErrorKind::Expression`] with all mistakes of the formula; [`ErrorKind::Invalid`] if a
    /// name stands for two things, a parameter or the data are not used, or there are sums
    /// without data; as [`Table::numbers`] for a column that is used and has a missing value.
    ///
    /// # Examples
    /// ```
    /// use windfall_core::Table;
    /// use windfall_stats::sample::model::{Constrained, Constraint, Density, Model, Room};
    ///
    /// let table = Table::from_numbers([("y", vec![1.0, 3.0])])?;
    /// let text = "sum(normal_lpdf(y, mu, tau)) + exponential_lpdf(tau)";
    /// let parameters = [("mu", Constraint::Real), ("tau", Constraint::POSITIVE)];
    /// let density = Density::parse(text, &["mu", "tau"], &[], Some(&table))?;
    /// let model = Constrained::new(density, parameters)?;
    /// let mut gradient = [0.0; 2];
    /// model.log_density(&[0.0, 0.0], &mut gradient, &mut Room::default())?;
    /// assert_eq!(gradient, [4.0, 8.0]); // by mu and by log tau
    /// # Ok::<(), windfall_core::Error>(())
    /// ```
    pub fn parse(
        text: &str,
        parameters: &[&str],
        constants: &[(&str, f64)],
        table: Option<&Table>,
    ) -> Result<Self> {
        let none = Table::default();
        let data = table.unwrap_or(&none);
        let columns: Vec<&str> = data.names().collect();
        let words = Words {
            parameters: parameters.iter().map(|&name| name.to_owned()).collect(),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            constants: constants.iter().map(|&(name, value)| (name.to_owned(), value)).collect(),
        };
        distinct(&words)?;
        let total = Total::parse(text, &words).map_err(|problems| {
            Error::new(ErrorKind::Expression { report: problems.to_string() })
        })?;
        if let Some(place) = total.uses().iter().position(|used| !used) {
            let (name, expected) = (parameters[place], "part of the log density");
            let error = Error::invalid(name, "not in the formula", expected);
            return Err(error.hint("without a term of its own it has no proper law: add a prior"));
        }
        match (total.has_sums(), table) {
            (true, None) => {
                let error = Error::invalid("data", "missing", "a table: the formula has sums");
                return Err(error.hint("`sum(…)` runs over the rows of the data"));
            }
            (false, Some(_)) => {
                let expected = "left out: the formula sums over no rows";
                return Err(Error::invalid("data", "a table", expected));
            }
            _ => {}
        }
        // Columns that the formula does not mention may hold anything.
        let empty = vec![0.0; data.rows()];
        let mentioned = total.columns_used();
        let columns = columns.iter().enumerate().map(|(place, name)| {
            if mentioned.contains(&place) { data.numbers(name) } else { Ok(empty.as_slice()) }
        });
        let rows = total.pack(&columns.collect::<Result<Vec<_>>>()?);
        Ok(Self { total, rows })
    }
}

/// Refuses a name that stands for two things.
fn distinct(words: &Words) -> Result<()> {
    let kinds = ["parameter", "column", "constant"];
    let constants = words.constants.iter().map(|(name, _)| name.clone()).collect();
    let lists = [&words.parameters, &words.columns, &constants];
    for (second, list) in lists.iter().enumerate() {
        for (first, earlier) in lists[..second].iter().enumerate() {
            if let Some(name) = list.iter().find(|name| earlier.contains(name)) {
                let value = format!("a {} and a {}", kinds[first], kinds[second]);
                let error = Error::invalid(name, value, "one of them");
                return Err(error.hint("rename the parameter or constant"));
            }
        }
    }
    Ok(())
}

impl LogDensity for Density {
    fn log_density(
        &self,
        parameters: &[f64],
        gradient: Option<&mut [f64]>,
        room: &mut Room,
    ) -> Result<f64> {
        let workspace: &mut Workspace = room.hold();
        Ok(match gradient {
            Some(gradient) => self.total.gradient(parameters, &self.rows, gradient, workspace),
            None => self.total.value(parameters, &self.rows, workspace),
        })
    }
}

/// The model of a job that gives a formula.
pub(super) fn build(options: &ModelOptions, table: Option<&Table>) -> Result<Box<dyn Model>> {
    let text = options.log_density.as_deref().unwrap_or_default();
    let parameters = read_parameters(options)?;
    let constants = numbers("constants", options.constants.as_ref())?;
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    let constants: Vec<(&str, f64)> =
        constants.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let density = Density::parse(text, &names, &constants, table)?;
    finish(density, options)
}

/// The model of a log density that is code, over the parameters that `options` name.
pub(super) fn finish<'a>(
    density: impl LogDensity + 'a,
    options: &ModelOptions,
) -> Result<Box<dyn Model + 'a>> {
    let mut model = Constrained::new(density, read_parameters(options)?)?;
    for (name, formula) in options.derived.iter().flatten() {
        let what = format!("derived.{name}");
        let text = formula.as_str();
        let text = text.ok_or_else(|| Error::invalid(&what, formula, "a formula in quotes"))?;
        model = model.derive(name, text)?;
    }
    Ok(Box::new(model))
}

fn read_parameters(options: &ModelOptions) -> Result<Vec<(String, Constraint)>> {
    let expected = "a constraint for each name, such as {mu = \"real\", tau = \"positive\"}";
    let map = options.parameters.as_ref().ok_or_else(|| missing("parameters", expected))?;
    let read = |(name, value): (&String, &Value)| {
        Ok((name.clone(), Constraint::read(&format!("parameters.{name}"), value)?))
    };
    map.iter().map(read).collect()
}

fn numbers(what: &str, map: Option<&Map<String, Value>>) -> Result<Vec<(String, f64)>> {
    let read = |(name, value): (&String, &Value)| match value.as_f64() {
        Some(number) if number.is_finite() => Ok((name.clone(), number)),
        _ => Err(Error::invalid(&format!("{what}.{name}"), value, "a number")),
    };
    map.into_iter().flatten().map(read).collect()
}
