//! The executor whose workers are the engines of a cluster.

use super::JOBS;
use crate::link::{Link, Wait, connect};
use crate::message::{Bytes, EngineId, Message, Outcome, Payload, Status, Submission, TaskId};
use crate::segment::Segment;
use serde_json::Value;
use std::collections::BTreeMap;
use windfall_core::remote::{Order, Packer, Parcel, deliver, read_failure};
use windfall_core::{
    Build, Capabilities, Carries, Error, Executor, JobSpec, Result, ShardSet, Sink, Source, Work,
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
    carries: Carries,
    /// The tables of jobs, in segments.
    packer: Packer<'a, Segment>,
}

impl<'a> Engines<'a> {
    /// The engines of the cluster `name`: those of `targets`, or all of them.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Io`] if there is no such cluster;
    /// [`windfall_core::ErrorKind::Invalid`] if a target is not one of its engines.
    pub fn new(
        name: &str,
        targets: Option<Vec<EngineId>>,
        build: &'a dyn Build,
        source: &'a (dyn Source + Sync),
    ) -> Result<Self> {
        let (_, known) = enter(name)?;
        if let Some(target) = targets.iter().flatten().find(|target| !known.contains(target)) {
            return Err(Error::invalid("engine", target, &format!("one of {known:?}")));
        }
        let workers = targets.as_ref().map_or(known.len(), Vec::len).max(1);
        let packer = Packer::new(build, source);
        let carries = Carries::Specs;
        Ok(Self { name: name.to_owned(), targets, workers, carries, packer })
    }

    /// The same engines, which run Python: they take jobs with code.
    #[must_use]
    pub fn with_python(self) -> Self {
        Self { carries: Carries::Code, ..self }
    }

    /// How many engines there are.
    pub fn workers(&self) -> usize {
        self.workers
    }
}

/// Packed tables in memory that every engine can map.
fn load(packed: Vec<u8>) -> Result<Segment> {
    Segment::of(&[&packed]).map_err(|error| {
        Error::io("shared memory", error).hint("the tables do not fit; see `df /dev/shm`")
    })
}

/// Connects; returns the engines there are, once one of them is ready.
fn enter(name: &str) -> Result<((Link, u64), Vec<EngineId>)> {
    let failed = |text: &str| Error::io(format!("cluster {name}"), text);
    let (link, client) = connect(name)?;
    loop {
        if link.wait(Some(TICK_US)) == Wait::End {
            return Err(failed(&link.reason()));
        }
        for message in link.take_all() {
            match message {
                Message::Engines(notes) if notes.iter().any(|note| note.state == 1) => {
                    let usable = notes.iter().filter(|note| note.state < 2);
                    let usable = usable.map(|note| note.engine).collect();
                    return Ok(((link, u64::from(client)), usable));
                }
                Message::Engines(notes) if notes.iter().all(|note| note.state == 2) => {
                    return Err(failed("it has no engine that runs"));
                }
                _ => {}
            }
        }
    }
}

impl Executor for Engines<'_> {
    fn capabilities(&self) -> Capabilities {
        let name = format!("cluster {}", self.name);
        Capabilities { name, workers: self.workers, carries: self.carries }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        let spec = work.written(&self.capabilities().name)?;
        if work.cancel().is_stopped() || work.shards().is_empty() {
            return Ok(());
        }
        let parcel = self.packer.of((work, spec), load)?;
        let ((link, client), _) = enter(&self.name)?;
        let mut run = Run { link, sink, pending: BTreeMap::new(), failed: None, is_aborted: false };
        run.submit(self, work, (spec, parcel), client << 40);
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
        (spec, parcel): (&JobSpec, Option<Parcel<Segment>>),
        first_task: TaskId,
    ) {
        self.link.gather(&Message::Blob { name: JOBS, body: Bytes::default() });
        let pieces = work.shards().cut(TASKS_AN_ENGINE * on.workers as u64);
        let job = spec.to_json();
        let (tables, segment) = parcel.map(|parcel| (parcel.name, parcel.body)).unzip();
        for (task, shards) in (first_task..).zip(pieces) {
            let label = format!("{} {shards}", spec.problem);
            let (job, tables) = (job.clone(), tables.clone());
            let body = Order { job, shards: shards.clone(), tables }.to_bytes();
            let payload = Payload { body: Bytes::from(body), segment: segment.clone() };
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
            Status::Ok => deliver(&outcome.payload.body, self.sink),
            Status::Aborted => Ok(()),
            _ => Err(failure(outcome, &shards)),
        };
        if let Err((shard, error)) = result
            && self.failed.as_ref().is_none_or(|(lowest, _)| shard < *lowest)
        {
            self.failed = Some((shard, error));
        }
    }
}

/// What became of shards that were not done.
fn failure(outcome: &Outcome, shards: &ShardSet) -> (u64, Error) {
    let worker = format!("engine {}", outcome.engine);
    if outcome.status == Status::Error
        && let Some(failed) = read_failure(&outcome.payload.body, &worker)
    {
        return failed;
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
