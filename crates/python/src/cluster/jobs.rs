//! Windfall's own jobs in a Python engine: shards run without the interpreter,
//! but for what they call of it.

use crate::inputs::worker;
use pyo3::prelude::*;
use windfall::cluster::jobs::run_order;
use windfall::cluster::message::{Payload, Status};

/// Runs the shards that a task asks for; returns how it ended and their partials.
pub fn run(py: Python<'_>, payload: &Payload) -> (Status, Payload) {
    py.detach(|| run_order(worker(), payload))
}
