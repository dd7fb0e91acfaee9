//! The executor whose workers are the engines of a cluster.

use super::tables::{Noting, pack};
use super::{Failure, JOBS, Order};
use crate::link::{Link, Wait, connect};
use crate::message::{Bytes, EngineId, Message, Outcome, Payload, Status, Submission, TaskId};
use crate::segment::Segment;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use windfall_core::{
    Capabilities, Error, ErrorKind, Executor, JobSpec, Registry, Result, ShardSet, Sink, Source,
    Work, Yield,
};

/// How often the calling thread ticks while it waits, in microseconds.
const TICK_US: u64 = 20_000;
/// How many tasks an engine gets, so that all end together.
const TASKS_AN_ENGINE: u64 = 8;
/// How often a run of shards may be run again after an engine has died.
const RETRIES: u32 = 3;

/// Runs the shards of written-down jobs on the engines of a cluster.
pub struct Engines<'a> {
    name: String,
    targets: Option<Vec<EngineId>>,
    workers: usize,
    registry: &'a Registry,
    source: &'a (dyn Source + Sync),
    /// The tables of the last job, and what of the job named them.
    packed: Mutex<Option<Packed>>,
}

#[derive(Clone)]
struct Packed {
    named_by: Value,
    name: Option<String>,
    segment: Option<Segment>,
}

impl<'a> Engines<'a> {
    /// The engines of the cluster `name`: those of `targets`, or all of them.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if there is no such cluster; [`ErrorKind::Invalid`] if a target is not
    /// one of its engines.
    pub fn new(
        name: &str,
        targets: Option<Vec<EngineId>>,
        registry: &'a Registry,
        source: &'a (dyn Source + Sync),
    ) -> Result<Self> {
        let (_, known) = enter(name)?;
        if let Some(target) = targets.iter().flatten().find(|target| !known.contains(target)) {
            return Err(Error::invalid("engine", target, &format!("one of {known:?}")));
        }
        let workers = targets.as_ref().map_or(known.len(), Vec::len).max(1);
        let packed = Mutex::new(None);
        Ok(Self { name: name.to_owned(), targets, workers, registry, source, packed })
    }

    /// How many engines there are.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// The tables that the job reads, in a segment; packed once for jobs that name the same.
    fn tables(&self, spec: &JobSpec) -> Result<Packed> {
        // Data are named by text; what changes from round to round is not.
        let texts = spec.options.values().filter(|value| value.is_string()).cloned();
        let named_by = Value::from_iter(
            [Value::from(spec.problem.as_str()), Value::from(spec.data.clone())]
                .into_iter()
                .chain(texts),
        );
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(packed) = packed.as_ref().filter(|packed| packed.named_by == named_by) {
            return Ok(packed.clone());
        }
        let noting = Noting::new(self.source);
        self.registry.build(spec, &noting)?;
        let tables = noting.into_tables();
        let fresh = match tables.is_empty() {
            true => Packed { named_by, name: None, segment: None },
            false => {
                let hashes: Vec<String> = tables.values().map(windfall_core::Table::hash).collect();
                let paths: Vec<&str> = tables.keys().map(String::as_str).collect();
                let name = format!("{}:{}", paths.join(","), hashes.join(","));
                Packed { named_by, name: Some(name), segment: Some(pack(&tables)?) }
            }
        };
        Ok(packed.insert(fresh).clone())
    }
}

/// Connects; returns the engines there are, once one of them is ready.
fn enter(name: &str) -> Result<((Link, u64), Vec<EngineId>)> {
    let link = connect(name, false)?;
    let mut client = 0;
    loop {
        if link.wait(Some(TICK_US)) == Wait::End {
            return Err(Error::io(format!("cluster {name}"), link.reason()));
        }
        for message in link.take_all() {
            match message {
                Message::Welcome { id } => client = u64::from(id),
                Message::Engines(notes) if notes.iter().any(|note| note.state == 1) => {
                    let usable = notes.iter().filter(|note| note.state < 2);
                    return Ok(((link, client), usable.map(|note| note.engine).collect()));
                }
                Message::Engines(notes) if notes.iter().all(|note| note.state == 2) => {
                    let text = "it has no engine that runs";
                    return Err(Error::io(format!("cluster {name}"), text));
                }
                _ => {}
            }
        }
    }
}

impl Executor for Engines<'_> {
    fn capabilities(&self) -> Capabilities {
        let name = format!("cluster {}", self.name);
        Capabilities { name, workers: self.workers, closures: false }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        let spec = work.spec().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported {
                executor: self.capabilities().name,
                what: "run a job that cannot be written down".into(),
            })
        })?;
        if work.cancel().is_stopped() || work.shards().is_empty() {
            return Ok(());
        }
        let packed = self.tables(spec)?;
        let ((link, client), _) = enter(&self.name)?;
        let mut run = Run { link, sink, pending: BTreeMap::new(), failed: None, is_aborted: false };
        run.submit(self, work, (spec, &packed), client << 40);
        while !run.pending.is_empty() {
            tick();
            if (work.cancel().is_stopped() || run.failed.is_some()) && !run.is_aborted {
                run.abort();
            }
            match run.link.wait(Some(TICK_US)) {
                Wait::Messages => {
                    for message in run.link.take_all() {
                        if let Message::Result(outcome) = message {
                            run.take(&outcome);
                        }
                    }
                }
                Wait::TimedOut | Wait::Signal => {}
                Wait::End => {
                    return Err(Error::io(format!("cluster {}", self.name), run.link.reason()));
                }
            }
        }
        tick();
        run.failed.map_or(Ok(()), |(_, error)| Err(error))
    }
}

/// One run under way.
struct Run<'a> {
    link: Link,
    sink: &'a dyn Sink,
    /// The shards of each task that has not ended.
    pending: BTreeMap<TaskId, ShardSet>,
    /// The failed shard with the lowest index.
    failed: Option<(u64, Error)>,
    is_aborted: bool,
}

impl Run<'_> {
    fn submit(
        &mut self,
        on: &Engines<'_>,
        work: &dyn Work,
        (spec, packed): (&JobSpec, &Packed),
        first_task: TaskId,
    ) {
        self.link.gather(&Message::Blob { name: JOBS, body: Bytes::default() });
        let pieces = work.shards().cut(TASKS_AN_ENGINE * on.workers as u64);
        let job = spec.to_json();
        for (task, shards) in (first_task..).zip(pieces) {
            let written = shards.to_string();
            let label = format!("{} {written}", spec.problem);
            let order = Order { job: job.clone(), shards: written, tables: packed.name.clone() };
            let body = serde_json::to_vec(&order).expect("plain values can be written");
            let payload = Payload { body: Bytes::from(body), segment: packed.segment.clone() };
            self.pending.insert(task, shards);
            self.link.gather(&Message::Submit(Submission {
                first: task,
                targets: on.targets.clone(),
                balanced: true,
                function: Some(JOBS),
                label,
                retries: RETRIES,
                payload,
                ..Submission::default()
            }));
        }
        self.link.flush();
    }

    /// Takes back what has not begun.
    fn abort(&mut self) {
        self.is_aborted = true;
        let json = r#"{"do":"abort","tasks":null,"engines":null}"#.into();
        self.link.gather(&Message::Request { request: 1, json });
        self.link.flush();
    }

    fn take(&mut self, outcome: &Outcome) {
        let Some(shards) = self.pending.remove(&outcome.task) else { return };
        let result = match outcome.status {
            Status::Ok => self.put(&outcome.payload.body),
            Status::Aborted => Ok(()),
            _ => Err(failure(outcome, &shards)),
        };
        if let Err((shard, error)) = result
            && self.failed.as_ref().is_none_or(|(lowest, _)| shard < *lowest)
        {
            self.failed = Some((shard, error));
        }
    }

    /// Puts the partials of a task into the sink: index, length and bytes of each.
    fn put(&self, mut bytes: &[u8]) -> Result<(), (u64, Error)> {
        while !bytes.is_empty() {
            let parts = bytes.split_first_chunk::<8>().and_then(|(shard, rest)| {
                let (length, rest) = rest.split_first_chunk::<8>()?;
                let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
                Some((u64::from_le_bytes(*shard), rest.split_at_checked(length)?))
            });
            let Some((shard, (partial, rest))) = parts else {
                return Err((0, Error::wire("partials that end too early")));
            };
            let put = self.sink.put(shard, Yield::Bytes(partial.to_vec()));
            put.map_err(|error| (shard, error))?;
            bytes = rest;
        }
        Ok(())
    }
}

/// What became of shards that were not done.
fn failure(outcome: &Outcome, shards: &ShardSet) -> (u64, Error) {
    let worker = format!("engine {}", outcome.engine);
    if outcome.status == Status::Error
        && let Ok(failure) = serde_json::from_slice::<Failure>(&outcome.payload.body)
    {
        let Failure { shard, tasks, seed, message, trace } = failure;
        let error = match seed.is_empty() {
            true => Error::io(worker, message),
            false => Error::new(ErrorKind::Task { tasks, seed, worker, message, trace }),
        };
        return (shard, error);
    }
    let cause: Value = serde_json::from_slice(&outcome.payload.body).unwrap_or_default();
    let text = match (cause["signal"].as_i64(), cause["message"].as_str()) {
        (Some(signal), _) => format!("died by signal {signal}"),
        (None, Some(message)) => message.to_owned(),
        (None, None) => format!("ended ({:?})", outcome.status),
    };
    let shown = format!("{text} while it ran the shards {shards}");
    (shards.get(0).unwrap_or(0), Error::io(worker, shown))
}
