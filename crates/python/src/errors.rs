//! Map the house's errors to Python's classes, which stand in `windfall._errors`.

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use windfall::{Error, ErrorKind};

/// The Python exception for `error`: its text, with the remedy as the attribute `hint`.
pub fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    build(py, error).unwrap_or_else(|failure| failure)
}

/// What a Python exception says of itself.
pub fn message(py: Python<'_>, error: &PyErr) -> String {
    let name = error.get_type(py).name().map(|name| name.to_string()).unwrap_or_default();
    match error.value(py).str() {
        Ok(text) if text.to_string_lossy().is_empty() => name,
        Ok(text) => format!("{name}: {text}"),
        Err(_) => name,
    }
}

fn build(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let class = match error.kind() {
        ErrorKind::TooFew { .. } => "TooFewError",
        ErrorKind::NotFinite { .. } => "NotFiniteError",
        ErrorKind::Invalid { .. } => "InputError",
        ErrorKind::Unknown { .. } => "UnknownNameError",
        ErrorKind::Expression { .. } => "ExpressionError",
        ErrorKind::Task { .. } => "TaskError",
        ErrorKind::Unsupported { .. } => "UnsupportedError",
        ErrorKind::Io { .. } => "FileError",
        ErrorKind::Interrupted => return Ok(PyKeyboardInterrupt::new_err(error.to_string())),
        _ => "WindfallError",
    };
    let exception = py.import("windfall._errors")?.getattr(class)?.call1((error.to_string(),))?;
    exception.setattr("hint", error.remedy())?;
    match error.kind() {
        ErrorKind::Task { tasks, seed, worker, trace, .. } => {
            exception.setattr("tasks", *tasks)?;
            exception.setattr("seed", seed.parse::<u128>().ok())?;
            exception.setattr("worker", worker)?;
            exception.setattr("trace", trace.as_deref())?;
        }
        ErrorKind::NotFinite { row, value, .. } => {
            exception.setattr("row", *row)?;
            exception.setattr("value", *value)?;
        }
        ErrorKind::Unknown { nearest, known, .. } => {
            exception.setattr("nearest", nearest.as_deref())?;
            exception.setattr("known", known)?;
        }
        _ => {}
    }
    Ok(PyErr::from_value(exception))
}
