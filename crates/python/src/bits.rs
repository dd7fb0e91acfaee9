//! A stream as NumPy's bit generator: `numpy.random.Generator` draws from it, whatever it draws.
//!
//! NumPy asks a bit generator for a lock and a capsule with a table of C functions. To move on to
//! the stream of another task is to write its state anew: tens of nanoseconds, where a new
//! `Generator` costs microseconds.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::ffi::c_void;
use std::ptr::NonNull;
use windfall::{Seed, Stream, Streams};

/// `bitgen_t` of `numpy/random/bitgen.h`.
#[repr(C)]
struct Table {
    state: *mut c_void,
    next_uint64: unsafe extern "C" fn(*mut c_void) -> u64,
    next_uint32: unsafe extern "C" fn(*mut c_void) -> u32,
    next_double: unsafe extern "C" fn(*mut c_void) -> f64,
    next_raw: unsafe extern "C" fn(*mut c_void) -> u64,
}

/// What the capsule owns: the table first, where NumPy looks for it.
#[repr(C)]
struct Contents {
    table: Table,
    _state: Box<State>,
}

// SAFETY: the pointer of the table is that of the state which the same value owns; whoever uses it
// holds the lock or, as NumPy itself when it is asked for a bit generator, the interpreter.
unsafe impl Send for Contents {}

/// A stream, and the half of a word that a draw of 32 bits left over.
struct State {
    stream: Stream,
    half: Option<u32>,
}

unsafe extern "C" fn next_uint64(state: *mut c_void) -> u64 {
    // SAFETY: NumPy hands back the table's pointer, and holds the lock while it draws.
    unsafe { (*state.cast::<State>()).stream.next_u64() }
}

unsafe extern "C" fn next_uint32(state: *mut c_void) -> u32 {
    // SAFETY: as above.
    let state = unsafe { &mut *state.cast::<State>() };
    if let Some(half) = state.half.take() {
        return half;
    }
    let word = state.stream.next_u64();
    state.half = Some((word >> 32) as u32);
    word as u32
}

unsafe extern "C" fn next_double(state: *mut c_void) -> f64 {
    // SAFETY: as above.
    unsafe { (*state.cast::<State>()).stream.uniform() }
}

/// A bit generator over the stream of one task: hand it to `numpy.random.Generator`.
#[pyclass(frozen, module = "windfall._core")]
pub struct StreamBits {
    capsule: Py<PyCapsule>,
    lock: Py<PyAny>,
    state: NonNull<State>,
}

// SAFETY: the state lives as long as the capsule, to which this value holds a reference; it is
// only touched under the lock.
unsafe impl Send for StreamBits {}
// SAFETY: as above.
unsafe impl Sync for StreamBits {}

#[pymethods]
impl StreamBits {
    /// The stream of `task` among those called `name` under `seed`, at its first word.
    #[new]
    fn new(py: Python<'_>, seed: &str, name: &str, task: u64) -> PyResult<Self> {
        let seed: Seed = seed.parse().map_err(|_| PyValueError::new_err("the seed is no seed"))?;
        Self::of(py, Streams::new(seed, name).task(task))
    }

    /// Moves on to the stream of another task, at its first word.
    fn move_to(&self, py: Python<'_>, seed: &str, name: &str, task: u64) -> PyResult<()> {
        let seed: Seed = seed.parse().map_err(|_| PyValueError::new_err("the seed is no seed"))?;
        self.set(py, Streams::new(seed, name).task(task))
    }

    /// The table of C functions.
    #[getter]
    fn capsule(&self, py: Python<'_>) -> Py<PyCapsule> {
        self.capsule.clone_ref(py)
    }

    /// The lock that is held while drawing.
    #[getter]
    fn lock(&self, py: Python<'_>) -> Py<PyAny> {
        self.lock.clone_ref(py)
    }

    /// The next `size` words of 64 bits, or one.
    #[pyo3(signature = (size=None))]
    fn random_raw(&self, py: Python<'_>, size: Option<usize>) -> PyResult<Py<PyAny>> {
        let draw = |size: usize| {
            self.locked(py, |state| (0..size).map(|_| state.stream.next_u64()).collect::<Vec<_>>())
        };
        match size {
            None => Ok(draw(1)?[0].into_pyobject(py)?.into_any().unbind()),
            Some(size) => {
                let numpy = py.import("numpy")?;
                Ok(numpy.call_method1("array", (draw(size)?, "uint64"))?.unbind())
            }
        }
    }

    /// Independent bit generators, seeded by the next words.
    fn spawn(&self, py: Python<'_>, n_children: u64) -> PyResult<Vec<Self>> {
        let [low, high] =
            self.locked(py, |state| [state.stream.next_u64(), state.stream.next_u64()])?;
        let streams = Streams::new(Seed(u128::from(low) | u128::from(high) << 64), "spawn");
        (0..n_children).map(|child| Self::of(py, streams.task(child))).collect()
    }
}

impl StreamBits {
    /// A bit generator over `stream`.
    pub fn of(py: Python<'_>, stream: Stream) -> PyResult<Self> {
        let mut state = Box::new(State { stream, half: None });
        let pointer = NonNull::from(state.as_mut());
        let table = Table {
            state: pointer.as_ptr().cast(),
            next_uint64,
            next_uint32,
            next_double,
            next_raw: next_uint64,
        };
        let contents = Contents { table, _state: state };
        let capsule = PyCapsule::new_with_value(py, contents, c"BitGenerator")?.unbind();
        let lock = py.import("threading")?.call_method0("Lock")?.unbind();
        Ok(Self { capsule, lock, state: pointer })
    }

    /// Moves on to the first word of `stream`.
    pub fn set(&self, py: Python<'_>, stream: Stream) -> PyResult<()> {
        self.locked(py, |state| *state = State { stream, half: None })
    }

    fn locked<T>(&self, py: Python<'_>, work: impl FnOnce(&mut State) -> T) -> PyResult<T> {
        self.lock.call_method0(py, "acquire")?;
        // SAFETY: the state is alive, see above; NumPy draws only with the lock in its hand, which
        // is in ours.
        let done = work(unsafe { &mut *self.state.as_ptr() });
        self.lock.call_method0(py, "release")?;
        Ok(done)
    }
}
