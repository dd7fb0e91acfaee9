//! A client's link: tasks out; outcomes, output and news of the engines in.

use super::{STREAM_PART, Segment, name, payload, wait};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use windfall::cluster::message::{Bytes, EngineId, Message, Outcome, Submission};
use windfall::cluster::{Link, connect, own};

/// A client's end of its connection to the controller.
#[pyclass(frozen, module = "windfall._core")]
pub struct ClientLink {
    link: Link,
    client: u32,
    next_task: AtomicU64,
    next_request: AtomicU32,
}

/// A limit of seconds in microseconds; 0 if there is none.
pub(super) fn timeout_us(timeout_s: Option<f64>) -> u64 {
    timeout_s.map_or(0, |s| (s * 1e6).max(1.0) as u64)
}

impl ClientLink {
    /// So many consecutive numbers for tasks; the first of them.
    pub(super) fn take_numbers(&self, count: u64) -> u64 {
        self.next_task.fetch_add(count, Ordering::Relaxed)
    }

    /// Sends tasks, now or with what follows.
    pub(super) fn send(&self, submission: Submission) {
        self.link.send(&Message::Submit(submission));
        self.link.work();
    }
}

#[pymethods]
impl ClientLink {
    /// Connects to the cluster of that name; if `is_owner`, the cluster ends with this connection,
    /// and if it must be the one that a process `controller` runs, no other is touched.
    #[new]
    #[pyo3(signature = (name, is_owner = false, controller = None))]
    fn new(py: Python<'_>, name: &str, is_owner: bool, controller: Option<u32>) -> PyResult<Self> {
        let enter = || if is_owner { own(name, controller) } else { connect(name) };
        let entered = py.detach(enter);
        let (link, id) = entered.map_err(|error| crate::errors::to_python(py, &error))?;
        let first = u64::from(id) << 40;
        let (next_task, next_request) = (AtomicU64::new(first), AtomicU32::new(1));
        Ok(Self { link, client: id, next_task, next_request })
    }

    /// This client's number.
    #[getter]
    fn client(&self) -> u32 {
        self.client
    }

    /// Submits one task for each target, or one for whichever of them is free first; returns the
    /// number of the first.
    #[pyo3(signature = (targets, balanced, function, body, segment = None, label = "", retries = 0,
        timeout_s = None, depends = None))]
    #[allow(clippy::too_many_arguments)] // The face for Python gives them names.
    fn submit(
        &self,
        targets: Option<Vec<EngineId>>,
        balanced: bool,
        function: Option<&[u8]>,
        body: &[u8],
        segment: Option<&Bound<'_, Segment>>,
        label: &str,
        retries: u32,
        timeout_s: Option<f64>,
        depends: Option<String>,
    ) -> PyResult<u64> {
        let count = if balanced { 1 } else { targets.as_ref().map_or(1 << 12, Vec::len) as u64 };
        let first = self.take_numbers(count);
        let submission = Submission {
            first,
            targets,
            balanced,
            function: function.map(name).transpose()?,
            label: label.into(),
            retries,
            timeout_us: timeout_us(timeout_s),
            depends,
            payload: payload(body, segment)?,
        };
        self.send(submission);
        Ok(first)
    }

    /// Sends a function's bytes.
    fn blob(&self, name: &[u8], body: &[u8]) -> PyResult<()> {
        let name = super::name(name)?;
        self.link.gather(&Message::Blob { name, body: Bytes::from(body) });
        Ok(())
    }

    /// Asks the controller for something rare, as JSON; the answer comes with this number.
    fn request(&self, json: String) -> u32 {
        let request = self.next_request.fetch_add(1, Ordering::Relaxed);
        self.link.gather(&Message::Request { request, json });
        self.link.flush();
        request
    }

    /// Sends what waits.
    fn flush(&self) {
        self.link.flush();
    }

    /// Sends what waits, waits until something came or the time is up, and returns all of it.
    #[pyo3(signature = (timeout_s = None))]
    fn poll<'py>(&self, py: Python<'py>, timeout_s: Option<f64>) -> PyResult<Bound<'py, PyList>> {
        let found = wait(py, &self.link, timeout_s)?;
        let events = PyList::empty(py);
        for message in self.link.take_all() {
            if let Some(event) = event(py, message)? {
                events.append(event)?;
            }
        }
        if found.is_none() && events.is_empty() {
            events.append((4, self.link.reason()))?;
        }
        Ok(events)
    }
}

fn event(py: Python<'_>, message: Message) -> PyResult<Option<Bound<'_, PyTuple>>> {
    let event = match message {
        Message::Result(Outcome { task, status, engine, times, payload }) => {
            let body = PyBytes::new(py, &payload.body);
            let segment = payload.segment.map(Segment::wrap);
            let [submitted, started, completed] = times;
            (0, task, status as u8, engine, submitted, started, completed, body, segment)
                .into_pyobject(py)?
        }
        Message::Output { task, engine, stream: STREAM_PART, payload } => {
            let body = PyBytes::new(py, &payload.body);
            (5, task, engine, body, payload.segment.map(Segment::wrap)).into_pyobject(py)?
        }
        Message::Output { task, engine, stream, payload } => {
            (1, task, engine, stream, PyBytes::new(py, &payload.body)).into_pyobject(py)?
        }
        Message::Engines(notes) => {
            let notes: Vec<_> = notes.iter().map(|n| (n.engine, n.pid, n.state)).collect();
            (2, notes).into_pyobject(py)?
        }
        Message::Reply { request, json } => (3, request, json).into_pyobject(py)?,
        _ => return Ok(None),
    };
    Ok(Some(event))
}
