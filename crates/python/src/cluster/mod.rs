//! The cluster for Python: segments, the links of clients and engines, the controller's loop.

mod caller;
mod claims;
mod client;
mod engine;
mod jobs;
mod map;
mod map_items;
mod map_reports;
mod segment;
pub mod shared;

pub use caller::Caller;
pub use claims::Claims;
pub use client::ClientLink;
pub use engine::{EngineLink, now_us};
pub use map::{MapLoop, current_item, set_current_item};
pub use segment::{Segment, mapped_segment};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::os::fd::IntoRawFd;
use windfall::cluster::message::{Bytes, FRAME_BYTES_MAX, Name, Payload, STREAM_PART};
use windfall::cluster::{self, Link, Wait};

/// Runs the cluster `name` in this process until it is stopped.
#[pyfunction]
pub fn serve(py: Python<'_>, name: &str, options: &str) -> PyResult<()> {
    let options: cluster::Options = serde_json::from_str(options)
        .map_err(|error| PyValueError::new_err(format!("options: {error}")))?;
    py.detach(|| cluster::serve(name, options))
        .map_err(|error| crate::errors::to_python(py, &error))
}

/// The names of the clusters of this user that run.
#[pyfunction]
pub fn clusters() -> Vec<String> {
    cluster::os::clusters()
}

/// Connects to the cluster of that name as nobody yet, for rank 0 to pass on what a rank says;
/// returns the socket's descriptor, which belongs to the caller.
#[pyfunction]
pub fn dial(name: &str) -> PyResult<i32> {
    Ok(cluster::os::connect(name)?.into_raw_fd())
}

/// How many cores this process may use: what affinity, cgroup quota and Slurm grant.
#[pyfunction]
pub fn cores(py: Python<'_>) -> PyResult<usize> {
    let workers = windfall::machine::workers();
    workers.map(|workers| workers.count).map_err(|error| crate::errors::to_python(py, &error))
}

/// The variables by which numerical libraries are told how many threads they may start.
#[pyfunction]
pub fn thread_variables() -> [&'static str; cluster::THREAD_VARIABLES.len()] {
    cluster::THREAD_VARIABLES
}

/// Waits without the interpreter; signals are looked at. True if messages are there, none if the
/// other end is gone.
fn wait(py: Python<'_>, link: &Link, timeout_s: Option<f64>) -> PyResult<Option<bool>> {
    let deadline = timeout_s.map(|s| windfall::now_us() + (s.max(0.0) * 1e6) as u64);
    loop {
        let left = deadline.map(|at| at.saturating_sub(windfall::now_us()));
        match py.detach(|| link.wait(left)) {
            Wait::Messages => return Ok(Some(true)),
            Wait::TimedOut => return Ok(Some(false)),
            Wait::End => return Ok(None),
            Wait::Signal => py.check_signals()?,
        }
    }
}

fn payload(body: &[u8], segment: Option<&Bound<'_, Segment>>) -> PyResult<Payload> {
    if body.len() > BODY_BYTES_MAX {
        return Err(PyValueError::new_err(format!(
            "{} bytes are more than a message holds ({BODY_BYTES_MAX}); arrays and other large \
             buffers are not counted, but many small objects are: put them into an array",
            body.len()
        )));
    }
    Ok(Payload { body: Bytes::from(body), segment: segment.map(|segment| segment.get().inner()) })
}

/// The most that a message's body may have, in bytes: a frame's most, less room for its head.
const BODY_BYTES_MAX: usize = FRAME_BYTES_MAX - (1 << 20);

fn name(bytes: &[u8]) -> PyResult<Name> {
    bytes.try_into().map_err(|_| {
        PyValueError::new_err(format!("a function's name has 16 bytes, not {}", bytes.len()))
    })
}
