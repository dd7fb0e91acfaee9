//! A barrier for Python, in the manner of `threading.Barrier`.

use super::{Place, deadlock, in_time, limit, open, patiently, raised, reduce};
use pyo3::prelude::*;
use windfall::cluster::shared::{self, Broken, End, Kind, Party, Unmet};

/// A meeting of `parties` threads of any processes: each waits until all have come.
///
/// Parameters
/// ----------
/// parties : int
///     How many meet, between 1 and 4096.
/// name : str, optional
///     What it is called in messages.
///
/// Raises
/// ------
/// BrokenBarrierError
///     In all who wait and all who come, once a member ended, waited no longer or broke it. Members
///     are those who met last, wait, or have joined; those who wait notice the end of one within
///     50 ms.
/// DeadlockError
///     If a member that is missing waits for something that one who waits here holds.
///
/// Examples
/// --------
/// >>> from windfall import shared
/// >>> barrier = shared.Barrier(1)
/// >>> barrier.wait()
/// 0
#[pyclass(frozen, weakref, module = "windfall.shared")]
pub struct Barrier(shared::Barrier);

impl Barrier {
    fn broken_error(&self, py: Python<'_>, why: &str) -> PyErr {
        let text = format!("{} is broken: {why}", self.0.object().name());
        raised(py, "BrokenBarrierError", &text, "`reset()` makes it as new, without members")
    }
}

#[pymethods]
impl Barrier {
    #[new]
    #[pyo3(signature = (parties, *, name=None))]
    fn new(py: Python<'_>, parties: u64, name: Option<&str>) -> PyResult<Self> {
        let barrier = shared::Barrier::new(name, parties);
        barrier.map(Self).map_err(|error| crate::errors::to_python(py, &error))
    }

    /// The barrier that a process has open.
    #[staticmethod]
    fn _open(py: Python<'_>, place: Place) -> PyResult<Self> {
        open(py, Kind::Barrier, place).map(shared::Barrier::of).map(Self)
    }

    fn __reduce__<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        reduce(this, this.get().0.object())
    }

    /// Wait until all have come; return how many had come before this thread.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, optional
    ///     Seconds to wait; when they are over, the barrier is broken.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<usize> {
        let timeout = limit(timeout)?;
        match patiently(py, timeout, |patience| self.0.wait(patience))? {
            Ok(before) => Ok(before),
            Err(Unmet::Ended(End::Deadlock(story))) => Err(deadlock(py, &story)),
            Err(Unmet::Ended(_)) => Err(self.broken_error(py, "the time was up")),
            Err(Unmet::Broken(broken)) => Err(self.broken_error(py, &broken.to_string())),
        }
    }

    /// Become a member before the first wait, so that one's death is noticed from now on.
    fn join(&self, py: Python<'_>) -> PyResult<()> {
        let joined = patiently(py, None, |patience| self.0.join(patience))?;
        in_time(py, joined).map(drop)
    }

    /// Make it as new, without members; those who wait get BrokenBarrierError.
    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        let done = patiently(py, None, |patience| self.0.reset(patience))?;
        in_time(py, done).map(drop)
    }

    /// Break it: those who wait and those who come get BrokenBarrierError.
    fn abort(&self, py: Python<'_>) {
        py.detach(|| self.0.abort());
    }

    /// How many meet.
    #[getter]
    fn parties(&self) -> u64 {
        self.0.parties()
    }

    /// How many wait just now.
    #[getter]
    fn n_waiting(&self) -> usize {
        self.0.waiting()
    }

    /// Whether it is broken.
    #[getter]
    fn broken(&self) -> bool {
        self.0.broken().is_some()
    }

    /// Process of the member that broke it or whose death did; None while it is whole.
    #[getter]
    fn broken_by(&self) -> Option<u32> {
        let pid = |party: Party| party.pid();
        match self.0.broken()? {
            Broken::Died(party) | Broken::Left(party) | Broken::Aborted(party) => Some(pid(party)),
        }
    }

    /// The name, if it was given one.
    #[getter]
    fn name(&self) -> Option<String> {
        self.0.object().given_name()
    }

    fn __repr__(&self) -> String {
        let (name, parties) = (self.0.object().name(), self.0.parties());
        match self.0.broken() {
            Some(broken) => format!("<windfall.shared.Barrier: {name}, broken: {broken}>"),
            None => {
                format!("<windfall.shared.Barrier: {name}, {} of {parties} wait>", self.0.waiting())
            }
        }
    }
}
