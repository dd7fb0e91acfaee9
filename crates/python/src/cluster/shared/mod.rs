//! Shared objects for Python: how one waits without the interpreter, how they are passed on.

mod array;
mod barrier;
mod lock;
mod queue;
mod value;

pub use array::SharedArray;
pub use barrier::Barrier;
pub use lock::Lock;
pub use queue::SharedQueue;
pub use value::{Counter, Value};

use crate::errors::to_python;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use windfall::cluster::shared::{self, End, Kind, Object, Patience, Reference};

/// The process that has an object open, its descriptor there, and the two numbers of its identity.
type Place = (u32, i32, u64, u64);

/// To be called in the child of a fork, before anything shared is used there.
#[pyfunction]
pub fn shared_forked() {
    shared::forked();
}

/// Says which engine this process is, for messages.
#[pyfunction]
#[pyo3(signature = (engine))]
pub fn shared_engine(engine: Option<u32>) {
    shared::set_engine(engine);
}

fn place(object: &Object) -> Place {
    let found = object.reference();
    (found.pid, found.fd, found.identity[0], found.identity[1])
}

fn open(py: Python<'_>, kind: Kind, (pid, fd, one, two): Place) -> PyResult<Object> {
    let reference = Reference { pid, fd, identity: [one, two] };
    Object::open(kind, &reference).map_err(|error| to_python(py, &error))
}

/// Notes that `object` is on its way, and gives what pickle needs.
fn reduce<'py, T>(this: &Bound<'py, T>, object: &Object) -> PyResult<Bound<'py, PyAny>> {
    object.note_sent();
    let module = this.py().import("windfall.shared")?;
    module.call_method1("_reduce", (this.as_any(), place(object)))
}

/// An exception of `windfall._errors` with its remedy.
fn raised(py: Python<'_>, class: &str, message: &str, hint: &str) -> PyErr {
    let build = || {
        let text = format!("{message}\nhint: {hint}");
        let exception = py.import("windfall._errors")?.getattr(class)?.call1((text,))?;
        exception.setattr("hint", hint)?;
        Ok(PyErr::from_value(exception))
    };
    build().unwrap_or_else(|failure| failure)
}

fn deadlock(py: Python<'_>, story: &str) -> PyErr {
    raised(
        py,
        "DeadlockError",
        &format!("deadlock: {story}"),
        "take locks in the same order everywhere; a wait with a time limit ends by itself",
    )
}

/// A time limit in seconds; none waits.
fn limit(timeout: Option<f64>) -> PyResult<Option<f64>> {
    match timeout {
        Some(seconds) if seconds.is_nan() || seconds < 0.0 => Err(PyValueError::new_err(format!(
            "`timeout` is `{seconds}`; it must be at least 0 seconds, or None to wait"
        ))),
        timeout => Ok(timeout.filter(|seconds| seconds.is_finite())),
    }
}

/// Runs what may wait with the interpreter released; signals are looked at now and then.
///
/// `End::Stopped` never comes out of it: the exception of a signal's handler does.
fn patiently<T: Send, E: Send>(
    py: Python<'_>,
    timeout_s: Option<f64>,
    work: impl FnOnce(&mut Patience<'_>) -> Result<T, E> + Send,
) -> PyResult<Result<T, E>> {
    let mut raised = None;
    let result = py.detach(|| {
        let mut look = || {
            Python::attach(|py| match py.check_signals() {
                Ok(()) => Some(threads(py).unwrap_or(u32::MAX)),
                Err(error) => {
                    raised = Some(error);
                    None
                }
            })
        };
        work(&mut Patience::new(timeout_s, &mut look))
    });
    raised.map_or(Ok(result), Err)
}

/// The threads of this process that run Python.
fn threads(py: Python<'_>) -> PyResult<u32> {
    py.import("threading")?.call_method0("active_count")?.extract()
}

/// Whether a wait was for nothing only because its time was up.
fn in_time(py: Python<'_>, ended: Result<(), End>) -> PyResult<bool> {
    match ended {
        Ok(()) => Ok(true),
        Err(End::TimedOut | End::Stopped) => Ok(false),
        Err(End::Deadlock(story)) => Err(deadlock(py, &story)),
    }
}

/// The type of a shared number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Int64,
    Uint64,
    Float64,
    Bool,
}

impl Type {
    const NAMES: [&str; 4] = ["int64", "uint64", "float64", "bool"];
    const ALL: [Self; 4] = [Self::Int64, Self::Uint64, Self::Float64, Self::Bool];

    fn of(name: &str) -> PyResult<Self> {
        let place = Self::NAMES.iter().position(|known| *known == name);
        place.map(|place| Self::ALL[place]).ok_or_else(|| {
            PyTypeError::new_err(format!(
                "the type `{name}` cannot be shared; it must be one of {}",
                Self::NAMES.join(", ")
            ))
        })
    }

    fn of_code(code: u64) -> PyResult<Self> {
        let place = (code as usize).checked_sub(1);
        let found = place.and_then(|place| Self::ALL.get(place).copied());
        found.ok_or_else(|| PyTypeError::new_err("the shared value has no known type"))
    }

    fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// Runs code with `$T` as the Rust type of a [`Type`].
macro_rules! by_type {
    ($kind:expr, $T:ident => $code:expr) => {
        match $kind {
            Type::Int64 => {
                type $T = i64;
                $code
            }
            Type::Uint64 => {
                type $T = u64;
                $code
            }
            Type::Float64 => {
                type $T = f64;
                $code
            }
            Type::Bool => {
                type $T = bool;
                $code
            }
        }
    };
}
use by_type;
