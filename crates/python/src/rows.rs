//! The rows of an answer that is a table, handed over column by column when they are asked for.

use crate::errors::to_python;
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use windfall::Column;

/// An answer with its table.
#[pyclass(frozen, module = "windfall._core")]
pub struct Rows {
    answer: windfall::Answer,
    table: windfall::Table,
}

impl Rows {
    /// The answer as text without its table, and the table if it has one.
    pub fn split(mut answer: windfall::Answer) -> (String, Option<Self>) {
        let table = answer.table.take();
        let text = serde_json::Value::Object(answer.to_json()).to_string();
        (text, table.map(|table| Self { answer, table }))
    }
}

#[pymethods]
impl Rows {
    /// The names of the columns.
    fn names(&self) -> Vec<String> {
        self.table.names().map(str::to_owned).collect()
    }

    /// The number of rows.
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
        let whole = windfall::Answer { table: Some(self.table.clone()), ..self.answer.clone() };
        serde_json::Value::Object(whole.to_json()).to_string()
    }
}
