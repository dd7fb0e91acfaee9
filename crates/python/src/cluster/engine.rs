//! An engine's link: tasks in, what became of them out.

use super::{STREAM_PART, Segment, payload, wait};
use pyo3::exceptions::{PyConnectionError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use windfall::cluster::jobs::JOBS;
use windfall::cluster::message::{Message, Payload, Status};
use windfall::cluster::{Link, engine_link};

/// An engine's end of its connection to the controller that started it.
#[pyclass(frozen, module = "windfall._core")]
pub struct EngineLink {
    link: Link,
    engine: u32,
}

#[pymethods]
impl EngineLink {
    /// Takes the socket that the controller gave as standard input, and dies with the controller.
    #[new]
    fn new(py: Python<'_>) -> PyResult<Self> {
        let (link, engine) =
            py.detach(engine_link).map_err(|error| crate::errors::to_python(py, &error))?;
        Ok(Self { link, engine })
    }

    /// This engine's number.
    #[getter]
    fn engine(&self) -> u32 {
        self.engine
    }

    /// Says that the engine is there.
    fn ready(&self) {
        self.link.send(&Message::Ready { pid: std::process::id() });
        self.link.flush();
    }

    /// The next thing to do, but for Windfall's own jobs, which are done here:
    /// `(0, task, function, body, segment)`, `(1, name, body)`, `(2,)`.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        loop {
            let message = match self.link.take() {
                Some(message) => {
                    self.link.flush_if_due();
                    message
                }
                None => {
                    if wait(py, &self.link, None)?.is_none() {
                        return Err(PyConnectionError::new_err(self.link.reason()));
                    }
                    continue;
                }
            };
            match message {
                Message::Run { task, function: Some(JOBS), payload } => {
                    self.link.work();
                    let started_us = windfall::now_us();
                    let (status, payload) = super::jobs::run(py, &payload);
                    let ended_us = windfall::now_us();
                    let done = Message::Done { task, status, started_us, ended_us, payload };
                    self.link.gather(&done);
                }
                Message::Blob { name: JOBS, .. } => {}
                Message::Run { task, function, payload } => {
                    self.link.work();
                    let function = function.map(|name| PyBytes::new(py, &name));
                    let body = PyBytes::new(py, &payload.body);
                    let segment = payload.segment.map(Segment::wrap);
                    return (0, task, function, body, segment).into_pyobject(py);
                }
                Message::Blob { name, body } => {
                    return (1, PyBytes::new(py, &name), PyBytes::new(py, &body)).into_pyobject(py);
                }
                Message::Stop => return (2,).into_pyobject(py),
                _ => {}
            }
        }
    }

    /// Reports the end of a task; it is sent when nothing waits, or soon.
    #[pyo3(signature = (task, status, started_us, body, segment = None))]
    fn done(
        &self,
        task: u64,
        status: u8,
        started_us: u64,
        body: &[u8],
        segment: Option<&Bound<'_, Segment>>,
    ) -> PyResult<()> {
        let code = status;
        let status = Status::from_u8(code).ok_or_else(|| {
            PyValueError::new_err(format!("a task's status is 0 to 7, not {code}"))
        })?;
        let ended_us = windfall::now_us();
        let payload = payload(body, segment)?;
        self.link.gather(&Message::Done { task, status, started_us, ended_us, payload });
        Ok(())
    }

    /// Sends what a task printed (0 stdout, 1 stderr), showed (2) or published (3).
    fn output(&self, task: u64, stream: u8, body: &[u8]) {
        let (engine, payload) = (self.engine, Payload::of(body));
        self.link.send(&Message::Output { task, engine, stream, payload });
    }

    /// Sends a part of a task's result, now or with what follows.
    #[pyo3(signature = (task, body, segment = None, now = true))]
    fn part(
        &self,
        task: u64,
        body: &[u8],
        segment: Option<&Bound<'_, Segment>>,
        now: bool,
    ) -> PyResult<()> {
        let (engine, payload) = (self.engine, payload(body, segment)?);
        let part = Message::Output { task, engine, stream: STREAM_PART, payload };
        if now {
            self.link.send(&part);
            self.link.flush();
        } else {
            self.link.gather(&part);
        }
        Ok(())
    }

    /// Sends what waits.
    fn flush(&self) {
        self.link.flush();
    }
}

/// Microseconds since 1970, as the cluster stamps its events.
#[pyfunction]
pub fn now_us() -> u64 {
    windfall::now_us()
}
