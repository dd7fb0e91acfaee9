//! One shared number, and numbers that are claimed.

use super::{Place, Type, by_type, open, reduce};
use pyo3::BoundObject;
use pyo3::exceptions::{PyAttributeError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyRange, PyType};
use windfall::cluster::shared::{self, Kind};

/// A number in shared memory that is changed in one step, whoever else changes it.
///
/// Parameters
/// ----------
/// kind : {"int64", "uint64", "float64", "bool"} or type
///     The type of the number; `int`, `float` and `bool` stand for the first, third and last.
/// initial : number, default 0
///     What it is at first.
/// name : str, optional
///     What it is called in messages.
///
/// Notes
/// -----
/// It can be pickled, inherited by a fork and used by threads; all of them see one number. Each
/// method is one atomic step of about 10 ns on top of the call. There is no way to assign to
/// `value`: between reading and writing it, others may change it.
///
/// Examples
/// --------
/// >>> from windfall import shared
/// >>> total = shared.Value("int64")
/// >>> total.add(5)
/// 0
/// >>> total += 2
/// >>> total.value
/// 7
#[pyclass(frozen, weakref, module = "windfall.shared")]
pub struct Value {
    inner: shared::Value,
    kind: Type,
}

fn type_of(kind: &Bound<'_, PyAny>) -> PyResult<Type> {
    let py = kind.py();
    if let Ok(class) = kind.cast::<PyType>() {
        let known = [
            (py.get_type::<PyBool>(), Type::Bool),
            (py.get_type::<PyInt>(), Type::Int64),
            (py.get_type::<PyFloat>(), Type::Float64),
        ];
        if let Some((_, found)) = known.iter().find(|(known, _)| known.is(class)) {
            return Ok(*found);
        }
        return Type::of(&class.name()?.to_string());
    }
    match kind.extract::<String>() {
        Ok(name) => Type::of(&name),
        Err(_) => Type::of(&kind.str()?.to_string()),
    }
}

impl Value {
    fn overflow(&self) -> PyErr {
        match self.kind {
            Type::Bool => PyTypeError::new_err("a shared bool is set and compared, not added to"),
            kind => PyOverflowError::new_err(format!(
                "the result does not fit into {}; the value is as it was",
                kind.name()
            )),
        }
    }
}

#[pymethods]
impl Value {
    #[new]
    #[pyo3(signature = (kind, initial=None, *, name=None))]
    fn new(
        kind: &Bound<'_, PyAny>,
        initial: Option<&Bound<'_, PyAny>>,
        name: Option<&str>,
    ) -> PyResult<Self> {
        let py = kind.py();
        let kind = type_of(kind)?;
        let inner = by_type!(kind, T => {
            let initial = initial.map(|x| x.extract::<T>()).transpose()?;
            shared::Value::new::<T>(name, initial.unwrap_or_default())
        });
        Ok(Self { inner: inner.map_err(|error| crate::errors::to_python(py, &error))?, kind })
    }

    /// The value that a process has open.
    #[staticmethod]
    fn _open(py: Python<'_>, place: Place) -> PyResult<Self> {
        let inner = shared::Value::of(open(py, Kind::Value, place)?);
        let kind = Type::of_code(inner.code())?;
        Ok(Self { inner, kind })
    }

    fn __reduce__<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        reduce(this, this.get().inner.object())
    }

    /// The number just now.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        by_type!(self.kind, T => into(py, self.inner.get::<T>()))
    }

    #[setter]
    fn set_value(&self, _new: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyAttributeError::new_err(
            "`value` cannot be assigned to: between reading and writing it, others may change it\n\
             hint: `add(x)`, or `+= x` on the value itself, adds in one step; `set(x)` writes",
        ))
    }

    /// The type of the number: int64, uint64, float64 or bool.
    #[getter]
    fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// The name, if it was given one.
    #[getter]
    fn name(&self) -> Option<String> {
        self.inner.object().given_name()
    }

    /// Write `x`, whatever was there.
    fn set(&self, x: &Bound<'_, PyAny>) -> PyResult<()> {
        by_type!(self.kind, T => self.inner.set(x.extract::<T>()?));
        Ok(())
    }

    /// Write `x` and return what was there.
    fn swap<'py>(&self, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        by_type!(self.kind, T => into(x.py(), self.inner.swap(x.extract::<T>()?)))
    }

    /// Add `x` and return what was there before.
    ///
    /// Raises OverflowError if the sum does not fit.
    fn add<'py>(&self, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let old = by_type!(self.kind, T => {
            let old = self.inner.add(x.extract::<T>()?);
            old.map(|old| into(x.py(), old))
        });
        old.map_err(|_| self.overflow())?
    }

    fn __iadd__(&self, x: &Bound<'_, PyAny>) -> PyResult<()> {
        self.add(x).map(drop)
    }

    fn __isub__(&self, x: &Bound<'_, PyAny>) -> PyResult<()> {
        let done = by_type!(self.kind, T => self.inner.subtract(x.extract::<T>()?).map(drop));
        done.map_err(|_| self.overflow())
    }

    /// Write `x` if it is larger than what is there; return what was there. NaN is never larger.
    fn max<'py>(&self, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        by_type!(self.kind, T => into(x.py(), self.inner.max(x.extract::<T>()?)))
    }

    /// Write `x` if it is smaller than what is there; return what was there. NaN is never smaller.
    fn min<'py>(&self, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        by_type!(self.kind, T => into(x.py(), self.inner.min(x.extract::<T>()?)))
    }

    /// Write `new` if what is there equals `expected`; return whether it did.
    fn compare_exchange(
        &self,
        expected: &Bound<'_, PyAny>,
        new: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        Ok(by_type!(self.kind, T => {
            self.inner.compare_exchange(expected.extract::<T>()?, new.extract::<T>()?)
        }))
    }

    fn __bool__(&self) -> bool {
        by_type!(self.kind, T => self.inner.get::<T>() != T::default())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<windfall.shared.Value {} {}>", self.kind.name(), self.value(py)?))
    }
}

pub(super) fn into<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    x: T,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(x.into_pyobject(py).map_err(Into::into)?.into_bound().into_any())
}

/// Whole numbers in shared memory, each of which is claimed once: an index that workers share.
///
/// Parameters
/// ----------
/// start : int, default 0
///     The first number.
/// stop : int, optional
///     The number it stops before; without it, it never does.
/// name : str, optional
///     What it is called in messages.
///
/// Notes
/// -----
/// To iterate is to claim: `for i in counter` in several workers gives each number to one of them.
/// A number claimed by a worker that dies stays claimed.
///
/// Examples
/// --------
/// >>> from windfall import shared
/// >>> rows = shared.Counter(stop=10)
/// >>> next(rows), next(rows)
/// (0, 1)
/// >>> rows.claim(5), list(rows), rows.claim(5)
/// (range(2, 7), [7, 8, 9], range(10, 10))
#[pyclass(frozen, weakref, module = "windfall.shared")]
pub struct Counter(shared::Counter);

#[pymethods]
impl Counter {
    #[new]
    #[pyo3(signature = (start=0, stop=None, *, name=None))]
    fn new(py: Python<'_>, start: u64, stop: Option<u64>, name: Option<&str>) -> PyResult<Self> {
        let stop = stop.unwrap_or(i64::MAX as u64);
        if start > stop {
            let text =
                format!("`start` is `{start}`; it must not lie after `stop`, which is {stop}");
            return Err(PyValueError::new_err(text));
        }
        let counter = shared::Counter::new(name, start..stop);
        counter.map(Self).map_err(|error| crate::errors::to_python(py, &error))
    }

    /// The counter that a process has open.
    #[staticmethod]
    fn _open(py: Python<'_>, place: Place) -> PyResult<Self> {
        open(py, Kind::Counter, place).map(shared::Counter::of).map(Self)
    }

    fn __reduce__<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        reduce(this, this.get().0.object())
    }

    fn __iter__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    fn __next__(&self) -> Option<u64> {
        self.0.claim(1).next()
    }

    /// Claim the next `count` numbers, or as many as are left; an empty range if none are.
    #[pyo3(signature = (count))]
    fn claim<'py>(&self, py: Python<'py>, count: u64) -> PyResult<Bound<'py, PyRange>> {
        let claimed = self.0.claim(count);
        PyRange::new(py, claimed.start as isize, claimed.end as isize)
    }

    /// The number that is claimed next.
    #[getter]
    fn value(&self) -> u64 {
        self.0.next()
    }

    /// The name, if it was given one.
    #[getter]
    fn name(&self) -> Option<String> {
        self.0.object().given_name()
    }

    fn __repr__(&self) -> String {
        format!("<windfall.shared.Counter at {}>", self.0.next())
    }
}
