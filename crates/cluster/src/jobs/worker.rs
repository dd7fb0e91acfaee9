//! What an engine does with shards: builds the problem once, runs them, hands back bytes.

use super::tables::{Given, Tables, unpack};
use super::{Failure, JOBS, Order};
use crate::link::{Wait, engine_link};
use crate::message::{Bytes, Message, Payload, Status};
use crate::segment::Segment;
use std::collections::VecDeque;
use std::sync::Arc;
use windfall_core::{Error, ErrorKind, JobSpec, Problem, Registry, Result, ShardSet, now_us};

/// Problems that are kept, so that the next shards need not build them again.
const PROBLEMS_MAX: usize = 4;

/// Runs the shards of jobs in an engine.
pub struct Worker {
    registry: &'static Registry,
    /// The tables, problem by problem: name of the tables, job, problem.
    problems: VecDeque<(Option<String>, String, Arc<dyn Problem>)>,
    /// The last tables.
    tables: Option<(String, Arc<Tables>)>,
}

impl Worker {
    /// A worker that knows the problems of `registry`.
    pub fn new(registry: &'static Registry) -> Self {
        Self { registry, problems: VecDeque::new(), tables: None }
    }

    /// Does what a task asks for; the bytes are partials, or say why not.
    pub fn run(&mut self, body: &[u8], segment: Option<&Segment>) -> (Status, Vec<u8>) {
        let mut shard = 0;
        match self.run_shards(body, segment, &mut shard) {
            Ok(bytes) => (Status::Ok, bytes),
            Err(error) => (Status::Error, tell(shard, &error)),
        }
    }

    fn run_shards(
        &mut self,
        body: &[u8],
        segment: Option<&Segment>,
        shard: &mut u64,
    ) -> Result<Vec<u8>> {
        let order: Order = serde_json::from_slice(body)
            .map_err(|error| Error::wire(format!("an order for shards: {error}")))?;
        let shards: ShardSet = order.shards.parse()?;
        *shard = shards.get(0).unwrap_or(0);
        let problem = self.problem(&order, segment)?;
        let mut bytes = Vec::new();
        for index in shards.iter() {
            *shard = index;
            let partial = problem.run_shard(problem.shards().get(index))?;
            bytes.extend(index.to_le_bytes());
            bytes.extend((partial.len() as u64).to_le_bytes());
            bytes.extend(partial);
        }
        Ok(bytes)
    }

    /// The problem of an order, built if it is not kept.
    fn problem(&mut self, order: &Order, segment: Option<&Segment>) -> Result<Arc<dyn Problem>> {
        let is_it = |(tables, job, _): &&(Option<String>, String, _)| {
            *tables == order.tables && *job == order.job
        };
        if let Some((.., problem)) = self.problems.iter().find(is_it) {
            return Ok(Arc::clone(problem));
        }
        let tables = match (&order.tables, segment) {
            (Some(name), Some(segment)) => self.tables(name, segment)?,
            (None, _) => Arc::default(),
            (Some(_), None) => return Err(Error::wire("an order for shards without its tables")),
        };
        let spec = JobSpec::from_json(&order.job)?;
        let problem: Arc<dyn Problem> = Arc::from(self.registry.build(&spec, &Given(tables))?);
        self.problems.truncate(PROBLEMS_MAX - 1);
        let kept = (order.tables.clone(), order.job.clone(), Arc::clone(&problem));
        self.problems.push_front(kept);
        Ok(problem)
    }

    fn tables(&mut self, name: &str, segment: &Segment) -> Result<Arc<Tables>> {
        if let Some((_, tables)) = self.tables.as_ref().filter(|(kept, _)| kept == name) {
            return Ok(Arc::clone(tables));
        }
        let tables = Arc::new(unpack(segment)?);
        self.tables = Some((name.to_owned(), Arc::clone(&tables)));
        Ok(tables)
    }
}

/// An error as bytes.
fn tell(shard: u64, error: &Error) -> Vec<u8> {
    let failure = match error.kind() {
        ErrorKind::Task { tasks, seed, message, trace, .. } => {
            let (seed, message, trace) = (seed.clone(), message.clone(), trace.clone());
            Failure { shard, tasks: *tasks, seed, message, trace }
        }
        _ => {
            let (seed, message) = (String::new(), error.to_string());
            Failure { shard, tasks: (0, 0), seed, message, trace: None }
        }
    };
    serde_json::to_vec(&failure).expect("plain values can be written")
}

/// An engine that runs jobs and nothing else, until it is told to stop.
///
/// # Errors
/// [`ErrorKind::Io`] if no controller has started this process, or it is gone.
pub fn serve_jobs(registry: &'static Registry) -> Result<()> {
    let (link, _) = engine_link()?;
    let mut worker = Worker::new(registry);
    link.send(&Message::Ready { pid: std::process::id() });
    loop {
        let Some(message) = link.take() else {
            match link.wait(None) {
                Wait::End => return Err(Error::io("the controller", link.reason())),
                _ => continue,
            }
        };
        match message {
            Message::Run { task, function, payload } => {
                link.work();
                let started_us = now_us();
                let (status, bytes) = match function {
                    Some(JOBS) => worker.run(&payload.body, payload.segment.as_ref()),
                    _ => {
                        let error =
                            Error::invalid("task", "Python code", "a job of Windfall's own");
                        (Status::Error, tell(0, &error))
                    }
                };
                let (ended_us, payload) = (now_us(), Payload::of(Bytes::from(bytes)));
                link.gather(&Message::Done { task, status, started_us, ended_us, payload });
                link.flush_if_due();
            }
            Message::Stop => return Ok(()),
            _ => {}
        }
    }
}
