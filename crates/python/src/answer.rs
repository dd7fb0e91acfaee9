//! Answers for Python: fields as a dictionary, text and the columns of a table on demand.

use crate::errors::to_python;
use numpy::PyArray1;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use serde_json::Value;
use windfall::{Column, Table};

/// An answer, and its table if it has one.
#[pyclass(frozen, module = "windfall._core")]
pub struct Answer {
    answer: windfall::Answer,
    table: Table,
    is_tabular: bool,
}

impl Answer {
    /// Keeps the answer.
    pub fn new(mut answer: windfall::Answer) -> Self {
        let table = answer.table.take();
        let is_tabular = table.is_some();
        Self { answer, table: table.unwrap_or_default(), is_tabular }
    }

    /// What its text says, table left out, as Python has it.
    pub fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dictionary(py, &self.answer.to_json())
    }
}

#[pymethods]
impl Answer {
    /// Whether it has a table.
    fn is_tabular(&self) -> bool {
        self.is_tabular
    }

    /// The names of the table's columns.
    fn names(&self) -> Vec<String> {
        self.table.names().map(str::to_owned).collect()
    }

    /// The number of the table's rows.
    fn rows(&self) -> usize {
        self.table.rows()
    }

    /// A column: an array of numbers, or a list of text.
    fn column<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        match self.table.column(name).map_err(|error| to_python(py, &error))? {
            Column::Numbers(numbers) => Ok(PyArray1::from_slice(py, numbers.as_slice()).into_any()),
            Column::Labels(labels) => {
                // Each label is one object, however many rows it stands in.
                let names: Vec<Bound<'py, PyString>> =
                    labels.names().iter().map(|name| PyString::new(py, name)).collect();
                let rows = labels.codes().iter().map(|&code| &names[code as usize]);
                Ok(PyList::new(py, rows)?.into_any())
            }
        }
    }

    /// The whole answer in JSON.
    fn json(&self) -> String {
        let table = self.is_tabular.then(|| self.table.clone());
        let whole = windfall::Answer { table, ..self.answer.clone() };
        Value::Object(whole.to_json()).to_string()
    }
}

fn dictionary<'py>(
    py: Python<'py>,
    map: &serde_json::Map<String, Value>,
) -> PyResult<Bound<'py, PyDict>> {
    let made = PyDict::new(py);
    for (key, value) in map {
        // The same keys come with every answer.
        made.set_item(PyString::intern(py, key), plain(py, value)?)?;
    }
    Ok(made)
}

/// A value of JSON as `json.loads` makes it.
fn plain<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(value) => value.into_bound_py_any(py),
        Value::String(text) => text.into_bound_py_any(py),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(whole), _) => whole.into_bound_py_any(py),
            (_, Some(whole)) => whole.into_bound_py_any(py),
            _ => number.as_f64().into_bound_py_any(py),
        },
        Value::Array(values) => {
            let values: Vec<_> =
                values.iter().map(|value| plain(py, value)).collect::<PyResult<_>>()?;
            Ok(PyList::new(py, values)?.into_any())
        }
        Value::Object(map) => Ok(dictionary(py, map)?.into_any()),
    }
}
