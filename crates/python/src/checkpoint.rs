//! A checkpoint for Python: opened before a run, said if it is damaged, laid before any executor.

use crate::door::enter;
use crate::errors::to_python;
use crate::inputs::Inputs;
use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use windfall::checkpoint::{Checkpoint, Code, content};
use windfall::{Answer, Cancel, Control, Executor, Problem, Result};

/// The time between two times that a checkpoint is forced to the disk.
const INTERVAL: Duration = Duration::from_secs(1);
/// The caller of the function that solves a problem, counted from here: `solve`, it, its caller.
const CALLER: i32 = 3;

/// An open checkpoint, and the content of what the job reads.
pub struct Kept {
    checkpoint: Checkpoint,
    data: String,
}

impl Kept {
    /// Opens the checkpoint in `folder`, or begins one.
    pub fn open(py: Python<'_>, folder: &Path, inputs: &Inputs) -> PyResult<Self> {
        let name = |function| -> PyResult<Code> {
            let name = py.import("windfall._functions")?.call_method1("named", (function,))?;
            let (digest, language) = name.extract()?;
            Ok(Code { digest, language })
        };
        let code = inputs.function.as_ref().map(name).transpose()?;
        let kept = enter(py, Cancel::default(), None, |_| {
            let checkpoint = Checkpoint::open(folder, INTERVAL)?.with_code(code);
            Ok(Self { checkpoint, data: content(&inputs.tables) })
        })?;
        if let Some(damage) = kept.checkpoint.damage() {
            let category = py.get_type::<PyUserWarning>();
            PyErr::warn(py, &category, &CString::new(damage)?, CALLER)?;
        }
        Ok(kept)
    }

    /// Solves `problem` on `on`, but for what is kept.
    pub fn solve(
        &self,
        problem: &dyn Problem,
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<Answer> {
        problem.solve(&self.checkpoint.keep(on, problem, &self.data)?, control)
    }

    /// How many shards were there already.
    pub fn used(&self) -> u64 {
        self.checkpoint.used()
    }
}

/// The seed of what began the checkpoint in this folder, if it has begun.
#[pyfunction]
pub fn checkpoint_seed(py: Python<'_>, folder: PathBuf) -> PyResult<Option<u128>> {
    let seed = Checkpoint::seed_in(&folder).map_err(|error| to_python(py, &error))?;
    Ok(seed.map(|seed| seed.0))
}
