//! The memory of a shared array: NumPy sees it in place; sums and rows are given out here.

use super::{Place, Type, by_type, open, place};
use numpy::ndarray::ArrayView1;
use numpy::{PyArray1, PyArrayMethods, PyUntypedArray};
use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use windfall::cluster::shared::{self, Kind};

/// Memory of a shared array of a shape and a type.
#[pyclass(frozen, weakref, module = "windfall._core")]
pub struct SharedArray {
    inner: shared::Array,
    shape: Vec<usize>,
    kind: Option<Type>,
}

impl SharedArray {
    /// The place of an element, counted in elements.
    fn flat(&self, index: &Bound<'_, PyAny>) -> PyResult<usize> {
        let index = match index.extract::<isize>() {
            Ok(one) => vec![one],
            Err(_) => index.extract::<Vec<isize>>().map_err(|_| {
                PyTypeError::new_err("`index` must be a whole number, or one for each dimension")
            })?,
        };
        let mut flat = 0;
        let is_inside = index.len() == self.shape.len()
            && index.iter().zip(&self.shape).all(|(&at, &len)| {
                let at = if at < 0 { at + len as isize } else { at };
                flat = flat * len + at.max(0) as usize;
                (0..len as isize).contains(&at)
            });
        is_inside.then_some(flat).ok_or_else(|| {
            let (index, shape) = (&index, &self.shape);
            PyIndexError::new_err(format!("`{index:?}` is no element of the shape {shape:?}"))
        })
    }
}

#[pymethods]
impl SharedArray {
    #[new]
    #[pyo3(signature = (shape, kind, nbytes, name))]
    fn new(
        py: Python<'_>,
        shape: Vec<usize>,
        kind: &str,
        nbytes: usize,
        name: Option<&str>,
    ) -> PyResult<Self> {
        let rows = shape.first().copied().unwrap_or(0);
        let inner = shared::Array::new(name, nbytes, rows);
        let inner = inner.map_err(|error| crate::errors::to_python(py, &error))?;
        Ok(Self { inner, shape, kind: Type::of(kind).ok() })
    }

    /// The array that a process has open.
    #[staticmethod]
    fn open(py: Python<'_>, place: Place, shape: Vec<usize>, kind: &str) -> PyResult<Self> {
        let inner = shared::Array::of(open(py, Kind::Array, place)?);
        Ok(Self { inner, shape, kind: Type::of(kind).ok() })
    }

    /// Where this process has it; notes that it is on its way to another.
    fn send(&self) -> Place {
        self.inner.object().note_sent();
        place(self.inner.object())
    }

    /// All its bytes, in place; they keep this object alive.
    fn bytes<'py>(this: &Bound<'py, Self>) -> Bound<'py, PyUntypedArray> {
        let array = &this.get().inner;
        // SAFETY: so many bytes lie there, mapped for as long as the array lives, which becomes the
        // base of NumPy's and lives as long as that. Other processes may write to them meanwhile,
        // as to any shared memory: NumPy reads them by pointers, never by references of Rust.
        unsafe {
            let view = ArrayView1::from_shape_ptr(array.nbytes(), array.start().cast_const());
            PyArray1::<u8>::borrow_from_array(&view, this.clone().into_any()).as_untyped().clone()
        }
    }

    /// Adds `x` to an element in one step; returns what was there before.
    fn add<'py>(
        &self,
        index: &Bound<'py, PyAny>,
        x: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, at) = (x.py(), self.flat(index)?);
        let refused = || {
            PyTypeError::new_err(
                "only elements of int64, uint64 and float64 are added to in one step\n\
                 hint: choose one of these types, or hold a Lock while adding",
            )
        };
        let kind = self.kind.filter(|&kind| kind != Type::Bool).ok_or_else(refused)?;
        let old = by_type!(kind, T => {
            let old = self.inner.add(at, x.extract::<T>()?);
            old.map(|old| super::value::into(py, old))
        });
        old.map_err(|_| {
            let kind = kind.name();
            PyOverflowError::new_err(format!("the sum does not fit into {kind}; nothing was added"))
        })?
    }

    /// The row of the calling thread.
    fn slot(&self, py: Python<'_>) -> PyResult<usize> {
        self.inner.slot().map_err(|error| crate::errors::to_python(py, &error))
    }

    /// The name, if it was given one.
    fn name(&self) -> Option<String> {
        self.inner.object().given_name()
    }
}
