//! What Python gave a problem beside its job: tables and a function; and how they are found again.

use crate::errors::message;
use crate::function::Function;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use windfall::files::Folder;
use windfall::remote::{Tables, Worker};
use windfall::{Build, Error, JobSpec, Problem, REGISTRY, Result, Source, Table};

/// The path under which a table in memory is known, and that of kept replicates.
pub const IN_MEMORY: &str = "(in memory)";
pub const KEPT: &str = "(kept)";

/// All that a problem was built from beside its job.
#[derive(Default)]
pub struct Inputs {
    /// Every table that the job reads, by the name that it has there.
    pub tables: Tables,
    /// Where those lie that were read from files.
    pub files: HashMap<String, PathBuf>,
    /// The code of the job, if it has any.
    pub function: Option<Py<Function>>,
}

impl Inputs {
    /// Takes down what was read while the problem was built.
    pub fn read(&mut self, tables: Tables, folder: &Folder) {
        for (path, table) in tables {
            let is_new = self.tables.insert(path.clone(), table).is_none();
            if is_new && let Ok(file) = std::path::absolute(folder.0.join(&path)) {
                self.files.insert(path, file);
            }
        }
    }
}

impl Source for Inputs {
    fn table(&self, path: &str) -> Result<Table> {
        let names: Vec<&str> = self.tables.keys().map(String::as_str).collect();
        self.tables.get(path).cloned().ok_or_else(|| Error::unknown("table", path, &names))
    }

    fn code(&self) -> Result<Arc<[u8]>> {
        let missing = || Error::invalid("code", "true", "left out: this job has no function");
        let function = self.function.as_ref().ok_or_else(missing)?;
        Python::attach(|py| {
            let dump = || py.import("windfall._functions")?.call_method1("dump", (function,));
            let bytes = dump().map_err(|error| unfit(py, &error))?;
            let bytes = bytes.cast::<PyBytes>().map_err(|_| Error::wire("no bytes of code"))?;
            Ok(bytes.as_bytes().into())
        })
    }
}

/// A function that does not travel.
fn unfit(py: Python<'_>, error: &PyErr) -> Error {
    let hint = error.value(py).getattr("hint").ok().and_then(|hint| hint.extract().ok());
    let hint: String = hint.unwrap_or_else(|| "run it on threads".to_owned());
    let text = message(py, error);
    let text = text.split("\nhint: ").next().unwrap_or_default();
    Error::invalid("function", text, "one that can travel").hint(hint)
}

/// What runs orders in this process, whoever sends them.
pub fn worker() -> &'static Worker {
    static WORKER: LazyLock<Worker> = LazyLock::new(|| Worker::new(&Door));
    &WORKER
}

/// Builds jobs, those with code of Python among them.
#[derive(Debug)]
pub struct Door;

impl Build for Door {
    fn build(&self, spec: &JobSpec, source: &dyn Source) -> Result<Box<dyn Problem>> {
        if !spec.has_code {
            return REGISTRY.build(spec, source);
        }
        let code = source.code()?;
        let function = Python::attach(|py| {
            let code = PyBytes::new(py, &code);
            let load = || py.import("windfall._functions")?.call_method1("load", (code,));
            let function = load().map_err(|error| {
                Error::task(format!("the function cannot be read here: {}", message(py, &error)))
                    .hint("install on the workers what the function needs")
            })?;
            function
                .cast_into::<Function>()
                .map_err(|_| Error::wire("code that is no function"))
                .map(Bound::unbind)
        })?;
        function.get().is_from_elsewhere();
        function.get().problem(spec, source)
    }
}
