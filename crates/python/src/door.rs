//! The one door between the languages: release the interpreter, poll signals, map errors.

use crate::errors::to_python;
use pyo3::prelude::*;
use std::cell::{Cell, RefCell};
use windfall::{Cancel, Control, Observer, Progress, Result};

/// Runs `work` with the interpreter released.
///
/// Now and then, on this thread, it lets Python handle signals and calls `tick` with tasks done,
/// tasks at most, estimate, Monte Carlo error and seconds. The first Ctrl-C asks the run to stop
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
        if let Err(error) = py.check_signals() {
            if self.interrupted.replace(true) {
                return Err(error);
            }
            self.cancel.stop();
        }
        let Some(tick) = &self.tick else { return Ok(()) };
        let estimate = progress.moments.map(|moments| moments.mean());
        let mcse = progress.moments.map(|moments| moments.mcse());
        let seen = (progress.tasks, progress.tasks_max, estimate, mcse, progress.elapsed_s);
        tick.call1(py, seen).map(drop)
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
