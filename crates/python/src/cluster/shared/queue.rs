//! The bytes of a shared queue; what they mean is Python's.

use super::{Place, deadlock, limit, open, patiently, place};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use windfall::cluster::shared::{self, End, Kind, QueueSize, Refused};

/// Larger items are put with the interpreter released, in bytes.
const QUICK_BYTES_MAX: usize = 1 << 16;

/// A bounded queue of bytes in shared memory.
#[pyclass(frozen, weakref, module = "windfall._core")]
pub struct SharedQueue(shared::Queue);

impl SharedQueue {
    fn refused(&self, py: Python<'_>, refused: Refused) -> PyErr {
        let name = self.0.object().name();
        match refused {
            Refused::Ended(End::Deadlock(story)) => deadlock(py, &story),
            Refused::Ended(_) => pyo3::exceptions::PyTimeoutError::new_err("the time was up"),
            Refused::Closed => super::raised(
                py,
                "QueueClosedError",
                &format!("{name} is closed"),
                "`for item in queue` ends by itself when it is closed and empty",
            ),
            Refused::TooLarge(nbytes, most) => super::raised(
                py,
                "InputError",
                &format!("the item has `{nbytes}` bytes pickled; {name} takes at most {most}"),
                "give the queue more `bytes_max`, or put large data into a shared Array",
            ),
        }
    }
}

#[pymethods]
impl SharedQueue {
    #[new]
    #[pyo3(signature = (items, nbytes, name))]
    fn new(py: Python<'_>, items: Option<u64>, nbytes: u64, name: Option<&str>) -> PyResult<Self> {
        let queue = shared::Queue::new(name, QueueSize { items, bytes: nbytes });
        queue.map(Self).map_err(|error| crate::errors::to_python(py, &error))
    }

    /// The queue that a process has open.
    #[staticmethod]
    fn open(py: Python<'_>, place: Place) -> PyResult<Self> {
        open(py, Kind::Queue, place).map(shared::Queue::of).map(Self)
    }

    /// Where this process has it; notes that it is on its way to another.
    fn send(&self) -> Place {
        self.0.object().note_sent();
        place(self.0.object())
    }

    /// Notes that a child of a fork will have it soon.
    fn before_fork(&self) {
        self.0.object().note_sent();
    }

    /// Notes that this child of a fork has it.
    fn after_fork(&self) {
        self.0.inherit();
    }

    /// Puts an item; TimeoutError if there was no room in time.
    #[pyo3(signature = (item, timeout))]
    fn put(&self, py: Python<'_>, item: &[u8], timeout: Option<f64>) -> PyResult<()> {
        let timeout = limit(timeout)?;
        if item.len() <= QUICK_BYTES_MAX && self.0.try_put(item) {
            return Ok(());
        }
        patiently(py, timeout, |patience| self.0.put(item, patience))?
            .map_err(|refused| self.refused(py, refused))
    }

    /// Gets an item; TimeoutError if there was none in time.
    #[pyo3(signature = (timeout))]
    fn get<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyBytes>> {
        let timeout = limit(timeout)?;
        if let Some(item) = self.0.try_get() {
            return Ok(PyBytes::new(py, &item));
        }
        let item = patiently(py, timeout, |patience| self.0.get(patience))?
            .map_err(|refused| self.refused(py, refused))?;
        Ok(PyBytes::new(py, &item))
    }

    /// Lets nothing more be put.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        patiently(py, None, |patience| self.0.close(patience))?
            .map_err(|end| self.refused(py, Refused::Ended(end)))
    }

    /// Whether nothing more can be put.
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    /// How many items are in it.
    fn size(&self) -> u64 {
        self.0.len()
    }

    /// The most items and the most bytes.
    fn limits(&self) -> (Option<u64>, u64) {
        let size = self.0.size();
        (size.items, size.bytes)
    }

    /// The name, if it was given one.
    fn name(&self) -> Option<String> {
        self.0.object().given_name()
    }
}
