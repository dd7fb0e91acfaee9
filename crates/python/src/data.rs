//! Tables from Python: NumPy columns shared in place, text as labels, files, Arrow streams.

use crate::errors::to_python;
use numpy::{IntoPyArray, PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::sync::Arc;
use windfall::remote::{Given, Held, Tables, pack, unpack};
use windfall::{Column, Labels, Numbers, Source};

/// Named columns of numbers or labels, and the file that they were read from, if it was one.
#[pyclass(frozen, module = "windfall._core")]
#[derive(Debug)]
pub struct Table(pub windfall::Table, pub Option<PathBuf>);

#[pymethods]
impl Table {
    /// A table of (name, float64 array or list of text) pairs; arrays are shared if contiguous.
    #[staticmethod]
    fn from_columns(py: Python<'_>, columns: Vec<(String, Bound<'_, PyAny>)>) -> PyResult<Self> {
        let columns = columns
            .into_iter()
            .map(|(name, values)| Ok((name, column(&values)?)))
            .collect::<PyResult<Vec<_>>>()?;
        table(py, windfall::Table::new(columns))
    }

    /// A table read from an object with `__arrow_c_stream__`.
    #[staticmethod]
    fn from_arrow(py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Self> {
        table(py, windfall::Table::new(crate::arrow::columns(data)?))
    }

    /// A table read from a CSV or Parquet file.
    #[staticmethod]
    fn from_file(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let Table(table, _) = table(py, py.detach(|| windfall::files::read(&path)))?;
        Ok(Self(table, std::path::absolute(path).ok()))
    }

    /// Writes it as CSV, TSV or Parquet, by the ending.
    fn write(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let written = py.detach(|| {
            windfall::files::check_ending(&path)?;
            windfall::files::write(&path, &self.0)
        });
        written.map_err(|error| to_python(py, &error))
    }

    /// The names of the columns.
    fn names(&self) -> Vec<String> {
        self.0.names().map(str::to_owned).collect()
    }

    /// The number of rows.
    fn rows(&self) -> usize {
        self.0.rows()
    }

    /// The columns by name: arrays of numbers, lists of text; copies.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns(py, &self.0)
    }

    /// For each row, taken as a condition of a simulation study, the name of its streams.
    fn stream_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let conditions = windfall::stats::simulate::Conditions::new(&self.0);
        let conditions = conditions.map_err(|error| to_python(py, &error))?;
        Ok((0..conditions.len()).map(|row| conditions.stream_name(row)).collect())
    }

    /// The table in bytes, as an array of them; `windfall._data.unpacked` reads it back.
    fn packed<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u8>> {
        let tables = Tables::from([(String::new(), self.0.clone())]);
        pack(&Given { tables, ..Given::default() }).into_pyarray(py)
    }

    /// Reads what `packed` wrote; numbers stay where they are.
    #[staticmethod]
    fn from_packed(py: Python<'_>, packed: &Bound<'_, PyArray1<u8>>) -> PyResult<Self> {
        let given = held(packed).and_then(|held| unpack(&held));
        let table = given.and_then(|given| given.table(""));
        table.map(|table| Self(table, None)).map_err(|error| to_python(py, &error))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("windfall._data")?.call_method1("reduced", (self.packed(py),))
    }

    /// The content hash.
    fn hash(&self) -> String {
        self.0.hash()
    }
}

fn table(py: Python<'_>, made: windfall::Result<windfall::Table>) -> PyResult<Table> {
    made.map(|table| Table(table, None)).map_err(|error| to_python(py, &error))
}

/// The columns of a table: arrays of numbers, lists of text.
pub fn columns<'py>(py: Python<'py>, table: &windfall::Table) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    for (name, column) in table.columns() {
        match column {
            Column::Numbers(numbers) => {
                columns.set_item(name, PyArray1::from_slice(py, numbers.as_slice()))?;
            }
            Column::Labels(labels) => {
                columns.set_item(name, labels.rows().collect::<Vec<_>>())?;
            }
        }
    }
    Ok(columns)
}

fn column(values: &Bound<'_, PyAny>) -> PyResult<Column> {
    if let Ok(array) = values.cast::<PyArray1<f64>>() {
        return Ok(Column::Numbers(numbers(array)));
    }
    let labels: Vec<String> = values.extract()?;
    Ok(Column::Labels(Labels::new(labels.iter().map(String::as_str))))
}

/// The numbers of an array, shared if they lie one after the other.
pub fn numbers(array: &Bound<'_, PyArray1<f64>>) -> Numbers {
    let readonly = array.readonly();
    match readonly.as_slice() {
        Ok(slice) => {
            let (start, len) = (slice.as_ptr(), slice.len());
            Numbers::shared(SharedArray { _owner: array.clone().unbind(), start, len })
        }
        Err(_) => readonly.as_array().to_vec().into(),
    }
}

/// Bytes of an array that stay where they are.
pub fn held(array: &Bound<'_, PyArray1<u8>>) -> windfall::Result<Held> {
    let readonly = array.readonly();
    let slice = readonly.as_slice().map_err(|error| windfall::Error::wire(error.to_string()))?;
    let (start, len) = (slice.as_ptr(), slice.len());
    Ok(Arc::new(SharedArray { _owner: array.clone().unbind(), start, len }))
}

/// A NumPy array kept alive, with the place of its elements.
struct SharedArray<T> {
    _owner: Py<PyArray1<T>>,
    start: *const T,
    len: usize,
}

// SAFETY: the numbers are only read, and a reference to the owner may be dropped on any thread.
unsafe impl<T> Send for SharedArray<T> {}
// SAFETY: as above; no method writes.
unsafe impl<T> Sync for SharedArray<T> {}

impl<T> AsRef<[T]> for SharedArray<T> {
    fn as_ref(&self) -> &[T] {
        // SAFETY: the owner is alive and contiguous, so `len` numbers lie at `start`. As with every
        // extension that releases the interpreter, the user must not write to an array while a
        // run reads it; NumPy cannot resize one that is referenced.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}
