//! What an executor is: it says what it can do, runs shards, and hands each partial to a sink.

use crate::{Cancel, Error, ErrorKind, JobSpec, Result, ShardSet, Shards};
use std::any::Any;

/// Where and when shards run. It never knows the problem; the problem never knows it.
///
/// Every executor passes the suite of the crate `windfall-conformance`.
pub trait Executor: Sync {
    /// What it can do and with how many workers; what is not declared is refused, never emulated.
    fn capabilities(&self) -> Capabilities;

    /// Runs every shard of `work.shards()` once and puts each partial into `sink`, in any order.
    ///
    /// It starts no shard after `work.cancel()` was stopped, calls `tick` now and then (on the
    /// calling thread: it cannot be sent to another), and returns when nothing of it runs any more.
    /// `tick` looks at progress and signals and is cheap enough to call after every shard.
    ///
    /// # Errors
    /// The error of the failed shard with the lowest index among those that failed.
    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()>;
}

/// What an executor can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Its name, as users say it.
    pub name: String,
    /// How many shards it can run at once.
    pub workers: usize,
    /// What of a job it can bring to its workers.
    pub carries: Carries,
}

/// What of a job an executor brings to its workers; each can do what those before it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carries {
    /// The job as text, and the tables it names.
    Specs,
    /// Beside them code that the job [names](crate::JobSpec::has_code): it travels as bytes, or
    /// by its source.
    Code,
    /// Closures and callbacks as they are: its workers share this process's memory.
    Closures,
}

impl Carries {
    /// What an executor must bring to its workers for the job `spec`, or for one that cannot be
    /// written down.
    pub fn needed(spec: Option<&JobSpec>) -> Self {
        match spec {
            None => Self::Closures,
            Some(spec) if spec.has_code => Self::Code,
            Some(_) => Self::Specs,
        }
    }
}

/// A job as an executor sees it, whatever its problem.
pub trait Work: Sync {
    /// The shards to run.
    fn shards(&self) -> &ShardSet;

    /// How the job is cut into shards, all of them.
    fn cut(&self) -> Shards;

    /// Runs one shard here. A panic comes back as an error that names the tasks.
    ///
    /// # Errors
    /// What the kernel reports, with the shard's address.
    fn run_shard(&self, shard: u64, worker: &str) -> Result<Yield>;

    /// The bytes of what [`Work::run_shard`] yielded, to be kept or sent.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Wire`] if it is what a closure returned, which cannot travel.
    fn to_bytes(&self, partial: &Yield) -> Result<Vec<u8>>;

    /// The job as a value, for executors that leave the process; none for closures.
    fn spec(&self) -> Option<&JobSpec>;

    /// The job as a value, for the executor called `executor`, which needs one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unsupported`] if the job cannot be written down.
    fn written(&self, executor: &str) -> Result<&JobSpec> {
        self.spec().ok_or_else(|| {
            let what = "run a job that cannot be written down".into();
            Error::new(ErrorKind::Unsupported { executor: executor.into(), what })
        })
    }

    /// What earlier rounds have found, if the shards need it: [`crate::Kernel::learnt`].
    fn learnt(&self) -> Option<Vec<u8>> {
        None
    }

    /// The flag that asks to stop.
    fn cancel(&self) -> &Cancel;

    /// Whether one shard may take seconds: run them where the calling thread can still tick.
    fn has_long_shards(&self) -> bool {
        false
    }
}

/// What running a shard yields: a partial of the kernel's own type, or its bytes.
#[derive(Debug)]
pub enum Yield {
    /// A partial made in this process.
    Here(Box<dyn Any + Send>),
    /// A partial that travelled.
    Bytes(Vec<u8>),
}

/// Takes partials as they come and merges them in shard order.
pub trait Sink: Sync {
    /// Takes the partial of `shard`. Putting one shard twice is an error of the executor.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Wire`] if the bytes cannot be read or the shard came before.
    fn put(&self, shard: u64, partial: Yield) -> Result<()>;
}
