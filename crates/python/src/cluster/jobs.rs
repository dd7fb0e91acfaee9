//! Windfall's own jobs in a Python engine: shards run without the interpreter.

use pyo3::prelude::*;
use std::sync::{LazyLock, Mutex, PoisonError};
use windfall::REGISTRY;
use windfall::cluster::jobs::run_order;
use windfall::cluster::message::{Payload, Status};
use windfall::remote::Worker;

/// Runs the shards that a task asks for; returns how it ended and their partials.
pub fn run(py: Python<'_>, payload: &Payload) -> (Status, Payload) {
    static WORKER: LazyLock<Mutex<Worker>> = LazyLock::new(|| Mutex::new(Worker::new(&REGISTRY)));
    py.detach(|| {
        let mut worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner);
        run_order(&mut worker, payload)
    })
}
