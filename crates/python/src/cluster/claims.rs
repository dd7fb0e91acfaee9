//! The shared index of a map as Python sees it: its making, its progress, what the dead held.

use super::Segment;
use super::segment::failed;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::atomic::AtomicU64;
use windfall::cluster::claims::{Chunks, Claims as Index, ITEMS_MAX, Range};
use windfall::cluster::segment::{Kind, Mapping};

/// A run of positions: the first, and the first that is not in it.
type Ends = (u32, u32);
/// Position, since when, items done, nanoseconds that they took, positions ahead.
type Look = (Option<u32>, u64, u64, u64, u32);

/// The shared index of one map, at the start of a segment.
#[pyclass(frozen, module = "windfall._core")]
pub struct Claims {
    mapping: Mapping,
}

#[pymethods]
impl Claims {
    /// Bytes of an index for as many engines.
    #[staticmethod]
    fn nbytes(engines: usize) -> usize {
        Index::words(engines) * size_of::<u64>()
    }

    /// Items of a map at most.
    #[classattr]
    const ITEMS_MAX: u64 = ITEMS_MAX;

    /// The index at the start of a segment; `items` lays a new one out, for as many engines, in
    /// chunks of as many items (0: by what they cost).
    #[new]
    #[pyo3(signature = (segment, items=None, engines=1, chunk=0))]
    fn new(segment: &Segment, items: Option<u64>, engines: usize, chunk: u64) -> PyResult<Self> {
        let claims = Self { mapping: segment.inner().map(Kind::Shared).map_err(failed)? };
        if let Some(items) = items {
            if items > ITEMS_MAX || claims.memory().len() < Index::words(engines) {
                return Err(PyValueError::new_err(format!("{items} items are too many for a map")));
            }
            let chunks = Chunks { items: chunk, ..Chunks::default() };
            Index::create(claims.memory(), items, engines, chunks);
        }
        claims.index()?;
        Ok(claims)
    }

    /// Items done by all engines, those done twice counted twice.
    #[getter]
    fn done(&self) -> PyResult<u64> {
        Ok(self.index()?.done())
    }

    /// For each engine: the position it is at, since when (nanoseconds of `time.monotonic_ns`),
    /// items done, nanoseconds that they took, and positions claimed and not begun.
    fn seen(&self) -> PyResult<Vec<Look>> {
        let index = self.index()?;
        let look = |slot| {
            let seen = index.seen(slot);
            (seen.current, seen.began_ns, seen.done, seen.busy_ns, seen.ahead.len())
        };
        Ok((0..index.slots()).map(look).collect())
    }

    /// Lets no engine begin another item.
    fn stop(&self) -> PyResult<()> {
        self.index()?.stop();
        Ok(())
    }

    /// Lets engines begin items again after a stop.
    fn resume(&self) -> PyResult<()> {
        self.index()?.resume();
        Ok(())
    }

    /// Whether no engine may begin another item.
    #[getter]
    fn is_stopped(&self) -> PyResult<bool> {
        Ok(self.index()?.is_stopped())
    }

    /// Whether there is something that an engine without work could take.
    #[getter]
    fn has_work(&self) -> PyResult<bool> {
        Ok(self.index()?.has_work())
    }

    /// What a dead engine had claimed and may not have reported; asked once.
    fn lost(&self, slot: usize) -> PyResult<Vec<Ends>> {
        let index = self.index()?;
        if slot >= index.slots() {
            return Err(PyValueError::new_err(format!("there is no slot {slot}")));
        }
        Ok(index.lost(slot).into_iter().map(|range| (range.low, range.high)).collect())
    }

    /// Lets engines do these positions again; returns those for which there is no room yet.
    fn put_back(&self, ranges: Vec<Ends>) -> PyResult<Vec<Ends>> {
        let ranges: Vec<_> = ranges.into_iter().map(|(low, high)| Range::new(low, high)).collect();
        let left = self.index()?.put_back(&ranges);
        Ok(left.into_iter().map(|range| (range.low, range.high)).collect())
    }
}

impl Claims {
    fn memory(&self) -> &[AtomicU64] {
        let length = self.mapping.nbytes() / size_of::<u64>();
        if length == 0 {
            return &[];
        }
        // SAFETY: the mapping lives as long as this value and begins at a page; whoever else maps
        // these words treats them as atomics too.
        unsafe { std::slice::from_raw_parts(self.mapping.start().as_ptr().cast(), length) }
    }

    /// The index that lies there.
    pub fn index(&self) -> PyResult<Index<'_>> {
        Index::open(self.memory())
            .ok_or_else(|| PyValueError::new_err("this memory holds no index of a map"))
    }
}
