//! Shared memory for Python: made, filled, passed by descriptor, seen as a `memoryview`.

use pyo3::exceptions::{PyMemoryError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use windfall::cluster;
use windfall::cluster::mapped::{self, MAPPED_BYTES_MIN};
use windfall::cluster::segment::{Kind, Mapping, offsets};

/// Memory behind a descriptor; it has no name and goes with its last user.
#[pyclass(frozen, module = "windfall._core")]
pub struct Segment {
    inner: cluster::Segment,
}

/// Keeps a mapping for as long as a view of it lives.
#[pyclass(frozen, module = "windfall._core")]
struct Held {
    mapping: Option<Arc<Mapping>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let is_noted = self.mapping.take().is_some_and(|m| m.nbytes() >= MAPPED_BYTES_MIN);
        if is_noted {
            mapped::forget_gone();
        }
    }
}

/// The segment in which these bytes of this process lie unchanged, and where in it.
#[pyfunction]
pub fn mapped_segment(py: Python<'_>, address: usize, nbytes: usize) -> Option<(Segment, usize)> {
    let found = py.detach(|| mapped::find(address, nbytes));
    found.map(|(segment, offset)| (Segment::wrap(segment), offset))
}

impl Segment {
    pub fn wrap(inner: cluster::Segment) -> Self {
        Self { inner }
    }

    pub fn inner(&self) -> cluster::Segment {
        self.inner.clone()
    }

    fn view_of<'py>(
        &self,
        py: Python<'py>,
        kind: Kind,
        (offset, nbytes): (usize, usize),
    ) -> PyResult<Bound<'py, PyAny>> {
        let end = offset.checked_add(nbytes).filter(|end| *end <= self.inner.nbytes());
        if end.is_none() {
            let all = self.inner.nbytes();
            let text = format!("{nbytes} bytes from {offset} are not in a segment of {all}");
            return Err(PyValueError::new_err(text));
        }
        let mapping = Arc::new(self.inner.map(kind).map_err(failed)?);
        if kind == Kind::Private {
            mapped::note(&mapping, &self.inner);
        }
        let address = mapping.start().as_ptr() as usize + offset;
        let ctypes = py.import("ctypes")?;
        let array =
            ctypes.getattr("c_ubyte")?.mul(nbytes)?.call_method1("from_address", (address,))?;
        array.setattr("mapping", Held { mapping: Some(mapping) })?;
        let view = py.import("builtins")?.call_method1("memoryview", (array,))?;
        view.call_method1("cast", ("B",))
    }
}

const FULL: &str = "\nhint: it counts as memory of this machine and its control group, and for \
                    `ulimit -f`; free some, or send less at once";

pub(super) fn failed(error: impl Into<std::io::Error>) -> PyErr {
    use std::io::ErrorKind::{FileTooLarge, OutOfMemory, QuotaExceeded, StorageFull};
    let error: std::io::Error = error.into();
    match error.kind() {
        OutOfMemory | StorageFull | FileTooLarge | QuotaExceeded => {
            PyMemoryError::new_err(format!("shared memory: {error}{FULL}"))
        }
        _ => PyOSError::new_err(format!("shared memory: {error}")),
    }
}

/// What Python says of a failed system call, as the error that it is here.
fn failed_call(py: Python<'_>, error: PyErr) -> PyErr {
    let errno = error.value(py).getattr("errno").and_then(|errno| errno.extract::<i32>());
    errno.map_or(error, |errno| failed(std::io::Error::from_raw_os_error(errno)))
}

#[pymethods]
impl Segment {
    /// So many bytes, all zero.
    #[staticmethod]
    fn zeros(nbytes: usize) -> PyResult<Self> {
        cluster::Segment::zeros(nbytes).map(Self::wrap).map_err(failed)
    }

    /// Copies buffers one after the other, each to the next multiple of 64 bytes.
    #[staticmethod]
    fn of(py: Python<'_>, buffers: Vec<Bound<'_, PyAny>>) -> PyResult<Self> {
        // `os.pwrite` takes any buffer, lets other threads run, and makes pages as it goes.
        let pwrite = py.import("os")?.getattr("pwrite")?;
        let memoryview = py.import("builtins")?.getattr("memoryview")?;
        let flat = PyDict::new(py);
        flat.set_item("format", "B")?;
        let views = buffers.iter().map(|buffer| {
            let view = memoryview.call1((buffer,))?;
            let nbytes: usize = view.getattr("nbytes")?.extract()?;
            let bytes = if nbytes == 0 { None } else { Some(view.call_method1("cast", ("B",))?) };
            Ok((bytes, nbytes))
        });
        let views = views.collect::<PyResult<Vec<_>>>()?;
        let (starts, nbytes) = offsets(views.iter().map(|(_, nbytes)| *nbytes));
        let segment = cluster::Segment::zeros(nbytes).map_err(failed)?;
        let fd = segment.fd().as_raw_fd();
        for ((view, nbytes), start) in views.iter().zip(starts) {
            let Some(view) = view else { continue };
            let mut done = 0;
            while done < *nbytes {
                let rest = view.get_item(pyo3::types::PySlice::new(
                    py,
                    done as isize,
                    *nbytes as isize,
                    1,
                ))?;
                let count = pwrite.call1((fd, rest, start + done));
                let count: usize = count.map_err(|error| failed_call(py, error))?.extract()?;
                done += count;
            }
        }
        Ok(Self::wrap(segment))
    }

    /// Its size in bytes.
    #[getter]
    fn nbytes(&self) -> usize {
        self.inner.nbytes()
    }

    /// Writable memory of this process alone: a page is copied when it is written.
    fn view<'py>(
        &self,
        py: Python<'py>,
        offset: usize,
        nbytes: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.view_of(py, Kind::Private, (offset, nbytes))
    }

    /// The whole, shared with every process that maps it so.
    fn shared<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.view_of(py, Kind::Shared, (0, self.inner.nbytes()))
    }

    /// The descriptor, which belongs to this object.
    fn fileno(&self) -> i32 {
        self.inner.fd().as_raw_fd()
    }
}
