//! What an engine has done of a map and not yet sent, shared by its loop and by the thread that
//! sends for it while one item takes long.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Results wait at most about as long for others to come along.
pub const REPORT_EVERY_NS: u64 = 10_000_000;
/// As long as an item may keep results of its forerunners from being sent.
const STUCK_MS: u64 = 25;
/// Results of one report at most.
pub const REPORT_ITEMS_MAX: usize = 65_536;
/// Durations are sent for items that take longer on average: below, no order of items matters.
const DURATIONS_FROM_NS: u64 = 50_000;

/// Ranges of positions, their results, the microseconds of each or none if they are all quick, and
/// their nanoseconds together.
pub type Report<'py> = (Vec<(u32, u32)>, Bound<'py, PyList>, Option<Bound<'py, PyBytes>>, u64);

/// Results that wait.
pub struct Pending {
    values: Py<PyList>,
    ranges: Vec<(u32, u32)>,
    durations_us: Vec<u32>,
    busy_ns: u64,
    /// The other thread is sending: no report may overtake it.
    sending: bool,
    is_over: bool,
    raised: Option<PyErr>,
}

/// The mail of one map: filled by the loop, emptied by either thread.
pub struct Reports {
    pending: Mutex<Pending>,
    over: Condvar,
    report: Py<PyAny>,
}

impl Reports {
    pub fn new(py: Python<'_>, report: Py<PyAny>) -> Self {
        let pending = Pending {
            values: PyList::empty(py).unbind(),
            ranges: vec![],
            durations_us: vec![],
            busy_ns: 0,
            sending: false,
            is_over: false,
            raised: None,
        };
        Self { pending: Mutex::new(pending), over: Condvar::new(), report }
    }

    // Nobody asks for the interpreter while holding this lock, so whoever is attached may wait.
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a result; returns how many wait.
    #[inline]
    pub fn add(&self, value: Bound<'_, PyAny>, position: u32, took_ns: u64) -> PyResult<usize> {
        let mut pending = self.lock();
        pending.values.bind(value.py()).append(value)?;
        match pending.ranges.last_mut() {
            Some((_, high)) if *high == position => *high += 1,
            _ => pending.ranges.push((position, position + 1)),
        }
        pending.durations_us.push(u32::try_from(took_ns / 1000).unwrap_or(u32::MAX));
        pending.busy_ns += took_ns;
        Ok(pending.durations_us.len())
    }

    /// Takes what waits.
    pub fn take<'py>(&self, py: Python<'py>) -> Report<'py> {
        let fresh = PyList::empty(py).unbind();
        let mut pending = self.lock();
        let values = std::mem::replace(&mut pending.values, fresh);
        let ranges = std::mem::take(&mut pending.ranges);
        let busy_ns = std::mem::take(&mut pending.busy_ns);
        let count = pending.durations_us.len() as u64;
        let is_slow = busy_ns > DURATIONS_FROM_NS * count;
        let bytes: Vec<u8> = match is_slow {
            true => pending.durations_us.iter().flat_map(|us| us.to_ne_bytes()).collect(),
            false => vec![],
        };
        pending.durations_us.clear();
        drop(pending);
        let durations = is_slow.then(|| PyBytes::new(py, &bytes));
        (ranges, values.into_bound(py), durations, busy_ns)
    }

    /// Sends what waits; false if the other thread is at it.
    pub fn send(&self, py: Python<'_>) -> PyResult<bool> {
        self.raised()?;
        if self.lock().sending {
            return Ok(false);
        }
        let report = self.take(py);
        if !report.0.is_empty() {
            self.report.bind(py).call1(report)?;
        }
        Ok(true)
    }

    /// The other thread: sends what has waited while the loop is at one item.
    pub fn watch(&self) {
        let mut waiting_then = 0;
        loop {
            let wait = Duration::from_millis(STUCK_MS);
            let (mut pending, _) = self
                .over
                .wait_timeout_while(self.lock(), wait, |pending| !pending.is_over)
                .unwrap_or_else(PoisonError::into_inner);
            if pending.is_over {
                return;
            }
            let waiting = pending.durations_us.len();
            let is_stuck = waiting > 0 && waiting == waiting_then;
            waiting_then = waiting;
            if is_stuck {
                pending.sending = true;
                drop(pending);
                let sent = Python::attach(|py| {
                    let report = self.take(py);
                    self.report.bind(py).call1(report).map(drop)
                });
                let mut pending = self.lock();
                pending.sending = false;
                pending.raised = sent.err();
            }
        }
    }

    /// Ends [`Reports::watch`].
    pub fn end(&self) {
        self.lock().is_over = true;
        self.over.notify_all();
    }

    /// What went wrong in the other thread.
    pub fn raised(&self) -> PyResult<()> {
        self.lock().raised.take().map_or(Ok(()), Err)
    }
}
