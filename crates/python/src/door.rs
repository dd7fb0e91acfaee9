//! The one door between the languages: release the interpreter, poll signals, map errors.

use crate::errors::to_python;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use std::cell::{Cell, RefCell};
use windfall::{Cancel, Control, Observer, Progress, Result};

/// Runs `work` with the interpreter released.
///
/// Now and then, on this thread, it lets Python handle signals and calls `tick` with tasks done,
/// tasks at most, estimate, Monte Carlo error, seconds, and for each task under way its number,
/// steps, steps at most and what there is to say. The first Ctrl-C asks the run to stop
/// and keep what is done; a second one, or an exception of `tick`, is raised when the run has
/// stopped, which is soon.
pub fn enter<T: Send>(
    py: Python<'_>,
    cancel: Cancel,
    tick: Option<Py<PyAny>>,
    work: impl FnOnce(&Control<'_>) -> Result<T> + Send,
) -> PyResult<T> {
    let (result, raised) = py.detach(|| {
        let watcher = Watcher {
            cancel: cancel.clone(),
            tick,
            interrupted: Cell::new(false),
            raised: RefCell::new(None),
        };
        let control = Control { cancel, observer: Some(&watcher) };
        let result = work(&control);
        (result, watcher.raised.into_inner())
    });
    match raised {
        Some(error) => Err(error),
        None => result.map_err(|error| to_python(py, &error)),
    }
}

/// Looks at a run on behalf of Python.
struct Watcher {
    cancel: Cancel,
    tick: Option<Py<PyAny>>,
    interrupted: Cell<bool>,
    raised: RefCell<Option<PyErr>>,
}

impl Watcher {
    fn look(&self, py: Python<'_>, progress: &Progress) -> PyResult<()> {
        py.check_signals().or_else(|error| self.interrupt(py, error))?;
        let Some(tick) = &self.tick else { return Ok(()) };
        let estimate = progress.moments.map(|moments| moments.mean());
        let mcse = progress.moments.map(|moments| moments.mcse());
        let under_way: Vec<_> = progress
            .under_way
            .iter()
            .map(|task| (task.task, task.steps, task.steps_max, task.text.as_str()))
            .collect();
        let (done, most) = (progress.tasks, progress.tasks_max);
        let seen = (done, most, estimate, mcse, progress.elapsed_s, under_way);
        // A Ctrl-C may also come while `tick` runs.
        tick.call1(py, seen).map(drop).or_else(|error| self.interrupt(py, error))
    }

    /// Asks the run to stop if this is the first Ctrl-C; any other error stays one.
    fn interrupt(&self, py: Python<'_>, error: PyErr) -> PyResult<()> {
        if !error.is_instance_of::<PyKeyboardInterrupt>(py) || self.interrupted.replace(true) {
            return Err(error);
        }
        self.cancel.stop();
        Ok(())
    }
}

impl Observer for Watcher {
    fn tick(&self, progress: &Progress) {
        if let Err(error) = Python::attach(|py| self.look(py, progress)) {
            self.cancel.stop();
            self.raised.replace(Some(error));
        }
    }
}
