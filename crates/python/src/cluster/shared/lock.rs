//! A lock for Python, in the manner of `threading.Lock`.

use super::{Place, deadlock, in_time, limit, open, patiently, raised, reduce};
use pyo3::prelude::*;
use std::ffi::CString;
use windfall::cluster::shared::{self, Kind, Party, Reentry, Try};

/// A lock for threads of any processes, which is free again when its holder dies.
///
/// Parameters
/// ----------
/// name : str, optional
///     What it is called in messages.
/// reentrant : bool, default False
///     Whether the thread that holds it may take it again; it gives it back as often.
///
/// Warns
/// -----
/// HolderDiedWarning
///     Whoever takes the lock after a holder that died with it in its hand, within 50 ms: what the
///     lock protects may be half changed. `former_holder` names the dead until the lock is taken
///     anew. Turned into an error (`warnings.simplefilter("error", HolderDiedWarning)`), it leaves
///     the lock free.
///
/// Raises
/// ------
/// DeadlockError
///     If the wait could never end, since threads wait for one another: one of them gets the error,
///     which names all. A wait with a time limit is left to its limit.
///
/// Notes
/// -----
/// Only the thread that took it gives it back. It can be pickled and inherited by a fork; a child
/// does not hold what its parent holds. To take it and give it back costs some 30 ns beyond the
/// two calls while nobody else has it; a thread that waits sleeps.
///
/// Examples
/// --------
/// >>> from windfall import shared
/// >>> lock = shared.Lock("ledger")
/// >>> with lock:
/// ...     print(lock.locked())
/// True
#[pyclass(frozen, weakref, module = "windfall.shared")]
pub struct Lock(shared::Lock);

impl Lock {
    /// Takes it, waiting up to the limit; says whether it has.
    #[inline]
    fn take(&self, py: Python<'_>, wait: Option<Option<f64>>) -> PyResult<bool> {
        match (self.0.try_acquire(), wait) {
            (Try::Taken(None), _) => Ok(true),
            (taken, wait) => self.take_slowly(py, taken, wait),
        }
    }

    #[cold]
    fn take_slowly(&self, py: Python<'_>, tried: Try, wait: Option<Option<f64>>) -> PyResult<bool> {
        let former = match (tried, wait) {
            (Try::Taken(former), _) => former,
            (_, None) => return Ok(false),
            (Try::Mine, _) => {
                let (who, lock) = (Party::me(), self.0.object().name());
                let text = format!("deadlock: {who} waits for {lock}, which it holds itself");
                let hint = "give it back first, or make it with `reentrant=True`";
                return Err(raised(py, "DeadlockError", &text, hint));
            }
            (Try::Held, Some(timeout_s)) => {
                match patiently(py, timeout_s, |patience| self.0.acquire(patience))? {
                    Ok(former) => former,
                    Err(end) => return in_time(py, Err(end)),
                }
            }
        };
        if let Some(former) = former
            && let Err(error) = self.warn(py, &former)
        {
            self.give_back(py)?;
            return Err(error);
        }
        Ok(true)
    }

    fn warn(&self, py: Python<'_>, former: &Party) -> PyResult<()> {
        let text = format!(
            "{former} died while it held {}: what it protects may be half changed\n\
             hint: look whether it is whole; `former_holder` tells that there is need",
            self.0.object().name()
        );
        let class = py.import("windfall._errors")?.getattr("HolderDiedWarning")?;
        PyErr::warn(py, &class, &CString::new(text)?, 1)
    }

    #[inline]
    fn give_back(&self, py: Python<'_>) -> PyResult<()> {
        self.0.release().map_err(|error| crate::errors::to_python(py, &error))
    }
}

#[pymethods]
impl Lock {
    #[new]
    #[pyo3(signature = (name=None, *, reentrant=false))]
    fn new(py: Python<'_>, name: Option<&str>, reentrant: bool) -> PyResult<Self> {
        let reentry = if reentrant { Reentry::Counted } else { Reentry::Refused };
        let lock = shared::Lock::new(name, reentry);
        lock.map(Self).map_err(|error| crate::errors::to_python(py, &error))
    }

    /// The lock that a process has open.
    #[staticmethod]
    fn _open(py: Python<'_>, place: Place) -> PyResult<Self> {
        open(py, Kind::Lock, place).map(shared::Lock::of).map(Self)
    }

    fn __reduce__<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        reduce(this, this.get().0.object())
    }

    /// Take the lock; return whether it was taken.
    ///
    /// Parameters
    /// ----------
    /// blocking : bool, default True
    ///     Whether to wait while another thread has it.
    /// timeout : float, default -1
    ///     For how many seconds at most; -1 or None waits as long as it makes sense.
    #[pyo3(signature = (blocking=true, timeout=None))]
    fn acquire(&self, py: Python<'_>, blocking: bool, timeout: Option<f64>) -> PyResult<bool> {
        let timeout = limit(timeout.filter(|&seconds| seconds != -1.0))?;
        self.take(py, blocking.then_some(timeout))
    }

    /// Give the lock back.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.give_back(py)
    }

    fn __enter__<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        if this.get().take(this.py(), Some(None))? {
            return Ok(this.clone());
        }
        Err(deadlock(this.py(), "the wait was stopped"))
    }

    #[pyo3(signature = (*_args))]
    fn __exit__(&self, py: Python<'_>, _args: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.give_back(py)
    }

    /// Return whether a living thread holds it.
    fn locked(&self) -> bool {
        self.0.holder().is_some()
    }

    /// Who holds it, in words; None if nobody does.
    #[getter]
    fn holder(&self) -> Option<String> {
        self.0.holder().map(|party| party.to_string())
    }

    /// Who died with the lock in its hand before the present holder took it; None if nobody did.
    #[getter]
    fn former_holder(&self) -> Option<String> {
        self.0.former().map(|party| party.to_string())
    }

    /// The name, if it was given one.
    #[getter]
    fn name(&self) -> Option<String> {
        self.0.object().given_name()
    }

    fn __repr__(&self) -> String {
        let holder = self.0.holder().map_or("free".into(), |party| format!("held by {party}"));
        format!("<windfall.shared.Lock: {}, {holder}>", self.0.object().name())
    }
}
