//! User functions: compiled pointers that need no interpreter, NumPy code by blocks, scalar Python.
//!
//! Each way to use a function is an adaptor in a file of its own.

mod density;
mod points;
mod replicates;
mod samples;
mod trials;

use density::DensityFunction;
use numpy::PyReadonlyArray1;
use points::PointFunction;
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::ffi::{PyCapsule_GetContext, PyCapsule_GetName, PyCapsule_GetPointer};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use replicates::ReplicateFunction;
use samples::SampleFunction;
use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use windfall::stats::bootstrap::Bootstrap;
use windfall::stats::integrate::Integrate;
use windfall::stats::jackknife::Jackknife;
use windfall::stats::permutation::Permutation;
use windfall::stats::sample::Sample;
use windfall::{Cancel, Error, ErrorKind, JobSpec, Result, Source, read_options};

/// `double f(int n, double *x)`.
type Plain = unsafe extern "C" fn(c_int, *mut f64) -> f64;
/// `double f(int n, double *x, void *user_data)`.
type WithData = unsafe extern "C" fn(c_int, *mut f64, *mut c_void) -> f64;
/// `double f(int n, const double *x, double *gradient)`.
type Gradient = unsafe extern "C" fn(c_int, *const f64, *mut f64) -> f64;
/// `double f(int n, const double *x, double *gradient, void *user_data)`.
type GradientWithData = unsafe extern "C" fn(c_int, *const f64, *mut f64, *mut c_void) -> f64;

/// A user's function: compiled code or Python.
#[pyclass(frozen, module = "windfall._core")]
pub struct Function(Arc<Inner>);

struct Inner {
    code: Code,
    /// Values of a point: one, or several integrands at once.
    outputs: usize,
    /// Keeps compiled code alive.
    owner: Py<PyAny>,
    /// The exception that ended the run, for its cause.
    raised: Mutex<Option<PyErr>>,
    /// The flag of the run under way.
    cancel: Mutex<Cancel>,
    /// Whether it came from another process, which sees errors as text.
    is_elsewhere: AtomicBool,
}

enum Code {
    Plain(Plain),
    WithData(WithData, *mut c_void),
    Gradient(Gradient),
    GradientWithData(GradientWithData, *mut c_void),
    /// A Python function, and whether one call takes many points or resamples, or returns a
    /// gradient too.
    Python(Py<PyAny>, bool),
}

impl Code {
    /// The code at `pointer`, which takes `data` if there is a place for it.
    ///
    /// # Safety
    /// It has the signature that the arguments say.
    unsafe fn compiled(pointer: *mut c_void, gradient: bool, data: Option<*mut c_void>) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            match (gradient, data) {
                (false, None) => Self::Plain(std::mem::transmute::<*mut c_void, Plain>(pointer)),
                (false, Some(data)) => {
                    Self::WithData(std::mem::transmute::<*mut c_void, WithData>(pointer), data)
                }
                (true, None) => {
                    Self::Gradient(std::mem::transmute::<*mut c_void, Gradient>(pointer))
                }
                (true, Some(data)) => Self::GradientWithData(
                    std::mem::transmute::<*mut c_void, GradientWithData>(pointer),
                    data,
                ),
            }
        }
    }
}

// SAFETY: the pointers are those of compiled code and its data, which the protocol of
// `scipy.LowLevelCallable` asks to be callable from any thread; Python objects are only touched
// with the interpreter attached.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

#[pymethods]
impl Function {
    /// Compiled code at an address: `double (int, double *[, void *])`, or with a gradient
    /// `double (int, const double *, double *[, void *])`; kept alive by `owner`.
    #[staticmethod]
    fn pointer(
        address: usize,
        with_gradient: bool,
        with_data: bool,
        owner: Py<PyAny>,
    ) -> PyResult<Self> {
        if address == 0 {
            return Err(PyValueError::new_err("the callback's address is null"));
        }
        // SAFETY: the caller has checked the signature; a wrong one is the user's compiled code
        // lying about itself, which nothing can detect.
        let code = unsafe {
            let pointer = address as *mut c_void;
            Code::compiled(pointer, with_gradient, with_data.then_some(std::ptr::null_mut()))
        };
        Ok(Self::new(code, owner))
    }

    /// A `scipy.LowLevelCallable`.
    #[staticmethod]
    fn low_level(callable: &Bound<'_, PyAny>) -> PyResult<Self> {
        let capsule = callable.cast::<PyTuple>()?.get_item(0)?.cast_into::<PyCapsule>()?;
        // SAFETY: the capsule is alive; its name is null or a C string that lives as long.
        let (name, pointer, data) = unsafe {
            let name = PyCapsule_GetName(capsule.as_ptr());
            let pointer = PyCapsule_GetPointer(capsule.as_ptr(), name);
            (name, pointer, PyCapsule_GetContext(capsule.as_ptr()))
        };
        if name.is_null() || pointer.is_null() {
            return Err(PyValueError::new_err("the LowLevelCallable holds no signature"));
        }
        // SAFETY: checked above not to be null.
        let signature = unsafe { CStr::from_ptr(name) }.to_string_lossy().replace(' ', "");
        let signature = signature.replace("const", "");
        let (with_gradient, data) = match signature.as_str() {
            "double(int,double*)" => (false, None),
            "double(int,double*,void*)" => (false, Some(data)),
            "double(int,double*,double*)" => (true, None),
            "double(int,double*,double*,void*)" => (true, Some(data)),
            other => {
                return Err(PyValueError::new_err(format!(
                    "the LowLevelCallable has the signature `{other}`; it must be \
                     `double (int, double *)` or `double (int, double *, void *)`, with a \
                     gradient `double (int, double *, double *)` or \
                     `double (int, double *, double *, void *)`"
                )));
            }
        };
        // SAFETY: the capsule's name states the signature of the code behind the pointer.
        let code = unsafe { Code::compiled(pointer, with_gradient, data) };
        Ok(Self::new(code, callable.clone().unbind()))
    }

    /// A Python function; `vectorised` says whether one call takes many points or resamples, or
    /// returns a gradient too, `outputs` how many values a point has.
    #[staticmethod]
    #[pyo3(signature = (callable, vectorised, outputs=1))]
    fn python(callable: Py<PyAny>, vectorised: bool, outputs: usize, py: Python<'_>) -> Self {
        Self::of(Code::Python(callable.clone_ref(py), vectorised), callable, outputs.max(1))
    }

    /// What it was made of, to be made again elsewhere: a Python function, or the object that
    /// holds the compiled code; whether one call takes many; the number of outputs.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let vectorised = match self.0.code {
            Code::Python(_, vectorised) => Some(vectorised),
            _ => None,
        };
        let parts = (&self.0.owner, vectorised, self.0.outputs);
        py.import("windfall._functions")?.call_method1("reduced", parts)
    }
}

impl Function {
    fn new(code: Code, owner: Py<PyAny>) -> Self {
        Self::of(code, owner, 1)
    }

    fn of(code: Code, owner: Py<PyAny>, outputs: usize) -> Self {
        let (raised, cancel) = (Mutex::new(None), Mutex::new(Cancel::default()));
        let is_elsewhere = AtomicBool::new(false);
        Self(Arc::new(Inner { code, outputs, owner, raised, cancel, is_elsewhere }))
    }

    /// The problem in which this function is the integrand, the statistic, the test, ….
    pub fn problem(
        &self,
        spec: &JobSpec,
        source: &dyn Source,
    ) -> Result<Box<dyn windfall::Problem>> {
        let table = spec.data.as_deref().map(|path| source.table(path)).transpose()?;
        let table = table.as_ref();
        let with_gradient = matches!(self.0.code, Code::Gradient(_) | Code::GradientWithData(..));
        if with_gradient && spec.problem != "sample" {
            let expected = "`double (int, double *)` or `double (int, double *, void *)`";
            return Err(Error::invalid("signature", "one with a gradient", expected));
        }
        match (spec.problem.as_str(), table) {
            ("simulate", _) => {
                let code = ReplicateFunction(self.0.clone());
                Ok(Box::new(replicates::study(code, spec, source)?))
            }
            ("integrate", _) => {
                let problem = Integrate::of(PointFunction(self.0.clone()), spec)?;
                Ok(Box::new(problem.after(source.learnt().as_deref())?))
            }
            ("bootstrap", Some(table)) => {
                let options = read_options(&spec.options)?;
                let code = SampleFunction(self.0.clone());
                let problem = Bootstrap::with_statistic(table, &[], code, options)?;
                Ok(Box::new(problem.with_seed(spec.seed_or_fresh()?).described_by(spec)?))
            }
            ("jackknife", Some(table)) => {
                let options = read_options(&spec.options)?;
                let code = SampleFunction(self.0.clone());
                let problem = Jackknife::with_statistic(table, &[], code, &options)?;
                Ok(Box::new(problem.described_by(spec)))
            }
            ("permutation", Some(table)) => {
                let options = read_options(&spec.options)?;
                let code = SampleFunction(self.0.clone());
                let problem = Permutation::with_statistic(table, &[], code, options)?;
                Ok(Box::new(problem.with_seed(spec.seed_or_fresh()?).described_by(spec)))
            }
            ("power" | "sample_size", None) => trials::problem(&self.0, spec),
            ("sample", None) => Ok(Box::new(Sample::of(DensityFunction(self.0.clone()), spec)?)),
            ("sample", Some(_)) => {
                let expected = "left out: a function brings its own";
                Err(Error::invalid("data", "a table", expected))
            }
            (other, _) => Err(Error::invalid("problem", other, "one that takes a function")),
        }
    }

    /// What the user should know of the cost.
    pub fn note(&self, problem: &str) -> Option<String> {
        if problem == "simulate" {
            return Some(SERIAL.to_owned());
        }
        matches!(self.0.code, Code::Python(_, false)).then(|| SLOW.to_owned())
    }

    /// Says that it came from another process.
    pub fn is_from_elsewhere(&self) {
        self.0.is_elsewhere.store(true, Relaxed);
    }

    /// Readies the function for a run that `cancel` can stop.
    pub fn begin(&self, cancel: &Cancel) {
        *lock(&self.0.cancel) = cancel.clone();
        *lock(&self.0.raised) = None;
    }

    /// Gives an error the exception of the user's code as its cause.
    pub fn explain(&self, py: Python<'_>, error: PyErr) -> PyErr {
        match lock(&self.0.raised).take() {
            Some(raised) if raised.is_instance_of::<PyKeyboardInterrupt>(py) => raised,
            Some(raised) => {
                error.set_cause(py, Some(raised));
                error
            }
            None => error,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// Calls compiled code on each row of `width` numbers; Python is called elsewhere.
    fn call(&self, rows: &mut [f64], width: usize, out: &mut [f64]) {
        let n = width as c_int;
        let rows = rows.chunks_exact_mut(width);
        match self.code {
            Code::Plain(function) => {
                for (x, out) in rows.zip(out) {
                    // SAFETY: `x` holds `n` numbers for the time of the call, as is promised.
                    *out = unsafe { function(n, x.as_mut_ptr()) };
                }
            }
            Code::WithData(function, data) => {
                for (x, out) in rows.zip(out) {
                    // SAFETY: as above; `data` is what the callable's maker gave for it.
                    *out = unsafe { function(n, x.as_mut_ptr(), data) };
                }
            }
            Code::Gradient(_) | Code::GradientWithData(..) | Code::Python(..) => out.fill(f64::NAN),
        }
    }

    /// Calls Python code. The first Ctrl-C inside it stops the run after this shard: the call is
    /// made again. Any other exception, and a second Ctrl-C, ends the run.
    fn python<T>(&self, call: impl Fn(Python<'_>) -> PyResult<T>) -> Result<T> {
        Python::attach(|py| {
            let mut result = call(py);
            let interrupted = |error: &PyErr| error.is_instance_of::<PyKeyboardInterrupt>(py);
            let cancel = lock(&self.cancel).clone();
            if result.as_ref().is_err_and(interrupted) && !cancel.is_stopped() {
                cancel.stop();
                result = call(py);
            }
            result.map_err(|error| {
                let message = format!("the function raised {error}");
                // Here the exception itself is the cause.
                let trace = error.traceback(py).filter(|_| self.is_elsewhere.load(Relaxed));
                let trace = trace.and_then(|trace| trace.format().ok());
                lock(&self.raised).get_or_insert(error);
                Error::new(ErrorKind::Task {
                    tasks: (0, 0),
                    seed: String::new(),
                    worker: String::new(),
                    message,
                    trace: trace.map(|trace| trace.trim_end().to_owned()),
                })
            })
        })
    }
}

const SLOW: &str = "the function is Python code called for one value at a time, on one core in \
                    effect: write it as a formula, compile it with numba's @cfunc, or let one \
                    call take arrays, to gain a factor of 10 to 100";

const SERIAL: &str = "the study is Python code, which runs on one core in effect, but for what it \
                      does outside the interpreter; formulas and Rust run on all cores";

/// The `expected` numbers that a vectorised function returned.
fn numbers(values: &Bound<'_, PyAny>, expected: usize) -> PyResult<Vec<f64>> {
    table(values, 1, expected)
}

/// The numbers that a function returned for `points` points, `outputs` each: those of the first
/// output, then those of the second, and so on. One output may stand alone.
fn table(values: &Bound<'_, PyAny>, outputs: usize, points: usize) -> PyResult<Vec<f64>> {
    let numpy = values.py().import("numpy")?;
    let wanted = if outputs == 1 { vec![points] } else { vec![outputs, points] };
    let wrong = |found: String| {
        let wanted = wanted.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        PyValueError::new_err(format!("it returned {found}; it must return {wanted} numbers"))
    };
    let array = numpy
        .call_method1("asarray", (values, "float64"))
        .map_err(|_| wrong(format!("`{values}`")))?;
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    if shape != wanted && shape != [outputs, points] {
        let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        return Err(wrong(format!("{shape} numbers for {points} points")));
    }
    let array: PyReadonlyArray1<'_, f64> = array.call_method0("ravel")?.extract()?;
    Ok(array.as_array().to_vec())
}
