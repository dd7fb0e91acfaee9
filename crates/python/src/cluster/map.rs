//! An engine's loop over the items of a map: claim, call, keep the result, look at the clock.
//!
//! What is not the call itself costs about a tenth of a microsecond, so that a map of the cheapest
//! function is still mostly that function.

use super::claims::Claims;
use super::map_items::Items;
use super::map_reports::{REPORT_EVERY_NS, REPORT_ITEMS_MAX, Report, Reports};
use pyo3::exceptions::{PyException, PyKeyboardInterrupt, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use windfall::Stopwatch;
use windfall::cluster::claims::{Claims as Index, Worker};

/// The number of the item under way in this process, plus one; 0: none.
static ITEM: AtomicU64 = AtomicU64::new(0);

/// The item of a map that this process is at, if it is at one.
#[pyfunction]
pub fn current_item() -> Option<u64> {
    ITEM.load(Relaxed).checked_sub(1)
}

/// Says which item this process is at, and returns the one before.
#[pyfunction]
pub fn set_current_item(item: Option<u64>) -> Option<u64> {
    ITEM.swap(item.map_or(0, |item| item + 1), Relaxed).checked_sub(1)
}

/// What an engine needs to know of a map beside its index.
#[pyclass(frozen, module = "windfall._core")]
pub struct MapLoop {
    function: Py<PyAny>,
    items: std::sync::Mutex<Vec<Items>>,
    /// The numbers of the items by position, four bytes each, if they are not the same.
    order: Option<Py<PyBytes>>,
    /// The number of item 0: that of a window of a longer map.
    first: u64,
    /// One sequence, whose items are tuples of arguments.
    starred: bool,
    /// Takes the number of an item and its exception, returns what stands for the result.
    failed: Py<PyAny>,
    stops_at_error: bool,
}

#[pymethods]
impl MapLoop {
    /// Calls `function` with items of `sequences`; `failed` takes an item's number and exception.
    #[new]
    #[pyo3(signature = (function, sequences, failed, *, order=None, first=0, starred=false,
        stops_at_error=true))]
    #[allow(clippy::too_many_arguments)] // The face for Python gives them names.
    fn new(
        function: Py<PyAny>,
        sequences: Vec<(String, Bound<'_, PyAny>, i64)>,
        failed: Py<PyAny>,
        order: Option<Py<PyBytes>>,
        first: u64,
        starred: bool,
        stops_at_error: bool,
    ) -> PyResult<Self> {
        if sequences.is_empty() {
            return Err(PyValueError::new_err("a map needs a sequence"));
        }
        let items = sequences.into_iter().map(Items::read).collect::<PyResult<Vec<_>>>()?;
        let items = std::sync::Mutex::new(items);
        Ok(Self { function, items, order, first, starred, failed, stops_at_error })
    }

    /// Does what the engine of `slot` can claim. Results go to `report` as they come, the last of
    /// them are returned: ranges of positions, results, microseconds of each or None, and
    /// nanoseconds together. `now_ns` is what `time.monotonic_ns()` says.
    fn run<'py>(
        &self,
        py: Python<'py>,
        claims: &Claims,
        slot: usize,
        now_ns: u64,
        report: Py<PyAny>,
    ) -> PyResult<Report<'py>> {
        let index = claims.index()?;
        if slot >= index.slots() {
            return Err(PyValueError::new_err(format!("there is no slot {slot}")));
        }
        let mut items =
            self.items.try_lock().map_err(|_| PyValueError::new_err("it is running"))?;
        let order = self.order.as_ref().map(|order| order.bind(py).as_bytes());
        if order.is_some_and(|order| order.len() as u64 != 4 * index.items()) {
            return Err(PyValueError::new_err("the order is not one of these items"));
        }
        let reports = Reports::new(py, report);
        let before = ITEM.load(Relaxed);
        let watch = Stopwatch::start();
        let mut round = Round {
            py,
            function: self.function.bind(py),
            items: &mut items,
            order,
            first: self.first,
            starred: self.starred,
            stops_at_error: self.stops_at_error,
            index,
            worker: index.worker(slot),
            reports: &reports,
            watch,
            start_ns: now_ns,
            sent_ns: 0,
        };
        let ended = std::thread::scope(|scope| {
            let mut watcher = None;
            let ended = round.run(
                |item, error| self.failed.bind(py).call1((item, error)),
                || watcher = Some(scope.spawn(|| reports.watch())),
            );
            if let Some(watcher) = watcher {
                reports.end();
                // The other thread may need the interpreter to come to its end.
                py.detach(|| watcher.join().ok());
            }
            ended
        });
        ITEM.store(before, Relaxed);
        if let Err(error) = ended {
            // What is done is not lost with what comes now.
            reports.send(py)?;
            return Err(error);
        }
        reports.raised()?;
        Ok(reports.take(py))
    }
}

/// One engine's run through the index.
struct Round<'a, 'py> {
    py: Python<'py>,
    function: &'a Bound<'py, PyAny>,
    items: &'a mut [Items],
    order: Option<&'a [u8]>,
    first: u64,
    starred: bool,
    stops_at_error: bool,
    index: Index<'a>,
    worker: Worker<'a>,
    reports: &'a Reports,
    watch: Stopwatch,
    /// The clock of all processes when the stopwatch was started.
    start_ns: u64,
    sent_ns: u64,
}

impl<'py> Round<'_, 'py> {
    /// `failed` says what stands for the result of an item that raised; `watched` is called once,
    /// before an item might keep results of its forerunners.
    fn run(
        &mut self,
        failed: impl Fn(u32, PyErr) -> PyResult<Bound<'py, PyAny>>,
        watched: impl FnOnce(),
    ) -> PyResult<()> {
        let mut watched = Some(watched);
        let mut waiting = 0;
        let mut then_ns = self.watch.elapsed_ns();
        while let Some(position) = self.worker.take() {
            if waiting > 0
                && let Some(watched) = watched.take()
            {
                watched();
            }
            if self.worker.came_back() {
                self.report(Some(position))?;
            }
            let item = self.number(position);
            ITEM.store(self.first + u64::from(item) + 1, Relaxed);
            self.worker.began(self.start_ns + then_ns);
            let mut is_last = false;
            let result = match self.call(position, item) {
                Ok(result) => result,
                Err(error) if is_of_the_item(self.py, &error) => {
                    is_last = self.stops_at_error;
                    failed(item, error)?
                }
                Err(error) => return Err(error),
            };
            let now_ns = self.watch.elapsed_ns();
            waiting = self.reports.add(result, position, now_ns - then_ns)?;
            self.worker.did(now_ns - then_ns);
            then_ns = now_ns;
            if is_last {
                // Told before the others stop: if this engine dies now, they stop for a reason.
                self.report(None)?;
                self.index.stop();
                break;
            }
            let is_due = now_ns - self.sent_ns > REPORT_EVERY_NS;
            if is_due || waiting >= REPORT_ITEMS_MAX || self.worker.must_report() {
                self.py.check_signals()?;
                self.report(None)?;
                self.sent_ns = now_ns;
                then_ns = self.watch.elapsed_ns();
            }
        }
        Ok(())
    }

    fn report(&mut self, current: Option<u32>) -> PyResult<()> {
        if self.reports.send(self.py)? {
            self.worker.reported(current);
        }
        Ok(())
    }

    #[inline]
    fn number(&self, position: u32) -> u32 {
        let Some(order) = self.order else { return position };
        let bytes = &order[4 * position as usize..][..4];
        u32::from_ne_bytes(bytes.try_into().expect("four bytes"))
    }

    #[inline]
    fn call(&mut self, position: u32, item: u32) -> PyResult<Bound<'py, PyAny>> {
        let (py, function) = (self.py, self.function.as_ptr());
        let first = self.items[0].get(py, position, item)?;
        if self.starred {
            let arguments = first.cast_into::<PyTuple>()?;
            return self.function.call1(arguments);
        }
        // A call with so many arguments makes no tuple, which the binding's own would.
        match &mut self.items[1..] {
            // SAFETY: all objects are alive and the interpreter attached; the list of arguments
            // ends with a null; a new reference or null comes back.
            [] => unsafe {
                let result = ffi::PyObject_CallFunctionObjArgs(
                    function,
                    first.as_ptr(),
                    null_mut::<ffi::PyObject>(),
                );
                Bound::from_owned_ptr_or_err(py, result)
            },
            [second] => {
                let second = second.get(py, position, item)?;
                // SAFETY: as above.
                unsafe {
                    let result = ffi::PyObject_CallFunctionObjArgs(
                        function,
                        first.as_ptr(),
                        second.as_ptr(),
                        null_mut::<ffi::PyObject>(),
                    );
                    Bound::from_owned_ptr_or_err(py, result)
                }
            }
            others => {
                let others = others.iter_mut().map(|items| items.get(py, position, item));
                let arguments: Vec<_> =
                    std::iter::once(Ok(first)).chain(others).collect::<PyResult<_>>()?;
                self.function.call1(PyTuple::new(py, arguments)?)
            }
        }
    }
}

/// Whether an exception is a result of one item, or ends the engine's part in the map.
fn is_of_the_item(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyException>(py) && !error.is_instance_of::<PyKeyboardInterrupt>(py)
}
