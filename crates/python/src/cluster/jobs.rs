//! Windfall's own jobs in a Python engine: shards run without the interpreter.

use super::Segment;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::{LazyLock, Mutex, PoisonError};
use windfall::REGISTRY;
use windfall::cluster::jobs::Worker;

/// Runs the shards that a task's body asks for; returns its status and bytes.
#[pyfunction]
#[pyo3(signature = (body, segment = None))]
pub fn run_shards<'py>(
    py: Python<'py>,
    body: &[u8],
    segment: Option<&Bound<'py, Segment>>,
) -> (u8, Bound<'py, PyBytes>) {
    static WORKER: LazyLock<Mutex<Worker>> = LazyLock::new(|| Mutex::new(Worker::new(&REGISTRY)));
    let segment = segment.map(|segment| segment.get().inner());
    let (status, bytes) = py.detach(|| {
        let mut worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner);
        worker.run(body, segment.as_ref())
    });
    (status as u8, PyBytes::new(py, &bytes))
}
