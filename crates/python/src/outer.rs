//! The executor whose workers belong to another engine: Dask, Ray, Spark, a pool of processes.
//!
//! Python says where and when (`windfall.backends`): it is given a round of orders, and yields what
//! came back. What the orders hold, and what becomes of the replies, is the core's.

use crate::data::held;
use crate::errors::message;
use crate::inputs::{Inputs, worker};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use windfall::machine::Workers;
use windfall::remote::{Given, Order, deliver, pack, read_failure, unpack};
use windfall::{
    Cancel, Capabilities, Carries, Error, Executor, Result, ShardSet, Sink, Source, Stopwatch, Work,
};

/// How a reply begins: partials, a failure, or that what the job reads is not there.
const DONE: u8 = 0;
const FAILED: u8 = 1;
const LACKING: u8 = 2;

/// Tables that lie in files which every worker can read: name, path, content hash.
type Files = Vec<(String, PathBuf, String)>;

/// Runs orders by a Python object, as `windfall.backends` makes them.
pub struct Outer<'a> {
    backend: Py<PyAny>,
    name: String,
    workers: usize,
    has_shared_storage: bool,
    inputs: &'a Inputs,
    /// What the last round has read; most often the next one reads the same.
    parcel: Mutex<Option<Parcel>>,
    raised: Mutex<Option<PyErr>>,
}

/// What a round reads: its name, packed bytes and files.
#[derive(Debug)]
struct Parcel {
    learnt: Option<Arc<[u8]>>,
    name: Option<String>,
    packed: Option<Py<PyArray1<u8>>>,
    files: Files,
}

impl<'a> Outer<'a> {
    /// The executor over `backend`.
    pub fn new(py: Python<'_>, backend: &Py<PyAny>, inputs: &'a Inputs) -> PyResult<Self> {
        let bound = backend.bind(py);
        Ok(Self {
            backend: backend.clone_ref(py),
            name: bound.getattr("name")?.extract()?,
            workers: bound.getattr("workers")?.extract()?,
            has_shared_storage: bound.getattr("shared_storage")?.extract()?,
            inputs,
            parcel: Mutex::new(None),
            raised: Mutex::new(None),
        })
    }

    /// How many workers there are, and whose.
    pub fn workers(&self) -> Workers {
        Workers { count: self.workers, source: self.name.clone() }
    }

    /// The exception that ended the run, if it was one of the engine.
    pub fn raised(&self) -> Option<PyErr> {
        lock(&self.raised).take()
    }

    /// What a round reads after those before have found `learnt`.
    fn parcel(&self, has_code: bool, learnt: Option<Arc<[u8]>>) -> Result<Parcel> {
        let tables = self.inputs.tables.clone();
        let code = has_code.then(|| self.inputs.code()).transpose()?;
        let (mut given, mut files) = (Given { tables, code, learnt: learnt.clone() }, Files::new());
        let name = (!given.is_empty()).then(|| given.name());
        if self.has_shared_storage {
            for (path, file) in &self.inputs.files {
                if let Some(table) = given.tables.remove(path) {
                    files.push((path.clone(), file.clone(), table.hash()));
                }
            }
        }
        let packed = (!given.is_empty()).then(|| pack(&given));
        let packed = Python::attach(|py| packed.map(|bytes| bytes.into_pyarray(py).unbind()));
        Ok(Parcel { learnt, name, packed, files })
    }

    fn round(&self, py: Python<'_>, work: &dyn Work) -> Result<Round> {
        let spec = work.written(&self.name)?;
        let learnt = work.learnt().map(Arc::from);
        let mut kept = lock(&self.parcel);
        let parcel = match kept.take_if(|kept| kept.learnt == learnt) {
            Some(parcel) => parcel,
            None => self.parcel(spec.has_code, learnt)?,
        };
        let parcel = kept.insert(parcel);
        Ok(Round {
            job: spec.to_json(),
            tables: parcel.name.clone(),
            packed: parcel.packed.as_ref().map(|packed| packed.clone_ref(py)),
            files: parcel.files.clone(),
            shards: work.shards().clone(),
            place: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            cancel: work.cancel().clone(),
            is_long: work.has_long_shards(),
        })
    }

    /// Lets Python run the round; the failed shard with the lowest index if one has failed.
    fn replies(
        &self,
        round: &Bound<'_, Round>,
        sink: &dyn Sink,
        tick: &mut dyn FnMut(),
    ) -> PyResult<Option<(u64, Error)>> {
        let py = round.py();
        let mut failed: Option<(u64, Error)> = None;
        for reply in self.backend.bind(py).call_method1("replies", (round,))?.try_iter()? {
            let reply = reply?;
            if !reply.is_none() {
                let (status, bytes, worker): (u8, Bound<'_, PyBytes>, String) = reply.extract()?;
                let bytes = bytes.as_bytes();
                let result = match status {
                    DONE => py.detach(|| deliver(bytes, sink)),
                    _ => Err(read_failure(bytes, &worker)
                        .unwrap_or_else(|| (0, Error::wire("a failure that cannot be read")))),
                };
                if let Err((shard, error)) = result
                    && failed.as_ref().is_none_or(|(lowest, _)| shard < *lowest)
                {
                    failed = Some((shard, error));
                    round.get().is_over.store(true, Relaxed);
                }
            }
            tick();
        }
        Ok(failed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Executor for Outer<'_> {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: self.name.clone(), workers: self.workers, carries: Carries::Code }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        if work.cancel().is_stopped() || work.shards().is_empty() {
            return Ok(());
        }
        Python::attach(|py| {
            let round = self.round(py, work)?;
            let raised = |error: PyErr| {
                let told = Error::io(&self.name, message(py, &error));
                *lock(&self.raised) = Some(error);
                told
            };
            let round = Bound::new(py, round).map_err(raised)?;
            match self.replies(&round, sink, tick).map_err(raised)? {
                Some((_, error)) => Err(error),
                None => Ok(()),
            }
        })
    }
}

/// The orders of one round of a job, cut as whoever sends them likes.
#[pyclass(frozen, module = "windfall._core")]
pub struct Round {
    job: String,
    tables: Option<String>,
    packed: Option<Py<PyArray1<u8>>>,
    files: Files,
    shards: ShardSet,
    /// The first shard that nobody has taken, by its place among them.
    place: AtomicU64,
    is_over: AtomicBool,
    cancel: Cancel,
    is_long: bool,
}

#[pymethods]
impl Round {
    /// How many shards nobody has taken; none once the run is to stop.
    #[getter]
    fn left(&self) -> u64 {
        match self.is_stopped() {
            true => 0,
            false => self.shards.len() - self.place.load(Relaxed).min(self.shards.len()),
        }
    }

    /// Whether no further shard shall begin.
    #[getter]
    fn is_stopped(&self) -> bool {
        self.is_over.load(Relaxed) || self.cancel.is_stopped()
    }

    /// Whether one shard may take seconds.
    #[getter]
    fn is_long(&self) -> bool {
        self.is_long
    }

    /// Asks the run to stop and keep what is done.
    fn stop(&self) {
        self.cancel.stop();
    }

    /// What the job reads: its name, packed bytes, and files by name, path and content hash.
    #[getter]
    fn parcel<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let Some(name) = &self.tables else { return Ok(None) };
        Ok(Some((name, self.packed.as_ref(), self.files.clone()).into_pyobject(py)?))
    }

    /// An order for the next shards, at most so many, and how many they are.
    fn take<'py>(&self, py: Python<'py>, most: u64) -> (Bound<'py, PyBytes>, u64) {
        let first = self.place.fetch_add(most, Relaxed);
        let shards: ShardSet =
            (first..first.saturating_add(most)).map_while(|at| self.shards.get(at)).collect();
        let count = shards.len();
        let order = Order { job: self.job.clone(), shards, tables: self.tables.clone() };
        (PyBytes::new(py, &order.to_bytes()), count)
    }
}

/// Does what an order asks for, in whatever process this is: how it ended (0 partials, 1 a
/// failure, 2 that what the job reads is neither kept nor given), bytes, seconds.
#[pyfunction]
#[pyo3(signature = (order, packed=None, files=None))]
pub fn run_order<'py>(
    py: Python<'py>,
    order: &[u8],
    packed: Option<&Bound<'py, PyArray1<u8>>>,
    files: Option<Files>,
) -> PyResult<(u8, Bound<'py, PyBytes>, f64)> {
    let packed = packed.map(held).transpose();
    let packed = packed.map_err(|error| crate::errors::to_python(py, &error))?;
    let (status, bytes, seconds) = py.detach(|| {
        let is_lacking = Cell::new(false);
        let given = |_: &str| {
            if packed.is_none() && files.is_none() {
                is_lacking.set(true);
                return Err(Error::wire("an order for shards without its tables"));
            }
            let mut given = packed.as_ref().map_or_else(|| Ok(Given::default()), unpack)?;
            for (name, path, hash) in files.iter().flatten() {
                given.tables.insert(name.clone(), read(path, hash)?);
            }
            Ok(given)
        };
        let watch = Stopwatch::start();
        let result = worker().run(order, given);
        let seconds = watch.elapsed_s();
        match result {
            Ok(reply) => (DONE, reply, seconds),
            Err(failure) if !is_lacking.get() => (FAILED, failure, seconds),
            Err(_) => (LACKING, Vec::new(), seconds),
        }
    });
    Ok((status, PyBytes::new(py, &bytes), seconds))
}

/// A table on storage that all share, if it is the one that was meant.
fn read(path: &Path, hash: &str) -> Result<windfall::Table> {
    let table = windfall::files::read(path)?;
    if table.hash() != hash {
        let shown = path.display();
        let hint = "the file has changed, or is another one here: leave `shared_storage` out";
        return Err(Error::invalid("data", shown, "the table that the job read").hint(hint));
    }
    Ok(table)
}
