//! Where the arguments of a map's calls come from: a range, blocks unpickled when they are needed,
//! or anything that can be indexed, as a mapped array.

use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;

/// One sequence of a map.
pub enum Items {
    /// `range`: item `i` is `start + i * step`.
    Range { start: i64, step: i64 },
    /// Lists of `length` items, made by calling `load` with the number of the block; in the order
    /// of positions, which need not be that of items.
    Blocks { load: Py<PyAny>, length: u32, loaded: Option<(u32, Py<PyList>)> },
    /// Item `i` is `object[i]`.
    Object(Py<PyAny>),
}

impl Items {
    /// From what Python says: `("range", start, step)`, `("blocks", load, length)` or
    /// `("object", object, 0)`.
    pub fn read((kind, what, number): (String, Bound<'_, PyAny>, i64)) -> PyResult<Self> {
        match kind.as_str() {
            "range" => Ok(Self::Range { start: what.extract()?, step: number }),
            "blocks" => {
                let length = u32::try_from(number).ok().filter(|&length| length > 0);
                let length = length.ok_or_else(|| PyValueError::new_err("blocks are empty"))?;
                Ok(Self::Blocks { load: what.unbind(), length, loaded: None })
            }
            "object" => Ok(Self::Object(what.unbind())),
            _ => Err(PyValueError::new_err(format!("`{kind}` is no kind of items"))),
        }
    }

    /// The argument of the call at `position`, which is for item number `item`.
    #[inline]
    pub fn get<'py>(
        &mut self,
        py: Python<'py>,
        position: u32,
        item: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Range { start, step } => {
                let value = *start + i64::from(item) * *step;
                Ok(value.into_pyobject(py)?.into_any())
            }
            Self::Blocks { load, length, loaded } => {
                let (block, place) = (position / *length, position % *length);
                let list = match loaded {
                    Some((number, list)) if *number == block => &*list,
                    _ => {
                        // The old block goes first: two may be more than memory holds.
                        *loaded = None;
                        let list = load.bind(py).call1((block,))?.cast_into::<PyList>()?;
                        &loaded.insert((block, list.unbind())).1
                    }
                };
                list.bind(py).get_item(place as usize)
            }
            // SAFETY: the object is alive and the interpreter attached; a new reference or null.
            Self::Object(object) => unsafe {
                let found = ffi::PySequence_GetItem(object.as_ptr(), item as ffi::Py_ssize_t);
                Bound::from_owned_ptr_or_err(py, found)
            },
        }
    }
}
