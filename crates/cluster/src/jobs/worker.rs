//! What an engine does with an order for shards.

use super::JOBS;
use crate::link::{Wait, engine_link};
use crate::message::{Bytes, Message, Payload, Status};
use crate::segment::{Kind, Mapping, Segment};
use std::sync::Arc;
use windfall_core::remote::{Held, Worker, unpack, write_failure};
use windfall_core::{Error, Registry, Result, now_us};

/// Does what a task asks for; the result is partials, or says why not.
pub fn run_order(worker: &Worker, task: &Payload) -> (Status, Payload) {
    let (status, bytes) = match worker.run(&task.body, |_| unpack(&held(task.segment.as_ref())?)) {
        Ok(reply) => (Status::Ok, reply),
        Err(failure) => (Status::Error, failure),
    };
    (status, Payload::of(Bytes::from(bytes)))
}

/// What is in a segment that nobody can change any more.
fn held(segment: Option<&Segment>) -> Result<Held> {
    /// A mapping of which that is known.
    struct Final(Mapping);
    impl AsRef<[u8]> for Final {
        fn as_ref(&self) -> &[u8] {
            self.0.bytes().expect("it was looked at before")
        }
    }
    let segment = segment.ok_or_else(|| Error::wire("an order for shards without its tables"))?;
    let mapping = segment.map(Kind::Private).map_err(|error| Error::wire(error.to_string()))?;
    match mapping.bytes() {
        Some(_) => Ok(Arc::new(Final(mapping))),
        None => Err(Error::wire("tables: a segment that may still change")),
    }
}

/// An engine that runs jobs and nothing else, until it is told to stop.
///
/// # Errors
/// [`windfall_core::ErrorKind::Io`] if no controller has started this process, or it is gone.
pub fn serve_jobs(registry: &'static Registry) -> Result<()> {
    let (link, _) = engine_link()?;
    let worker = Worker::new(registry);
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
                let (status, payload) = match function {
                    Some(JOBS) => run_order(&worker, &payload),
                    _ => {
                        let error =
                            Error::invalid("task", "Python code", "a job of Windfall's own");
                        (Status::Error, Payload::of(Bytes::from(write_failure(0, &error))))
                    }
                };
                let ended_us = now_us();
                link.gather(&Message::Done { task, status, started_us, ended_us, payload });
                link.flush_if_due();
            }
            Message::Stop => return Ok(()),
            _ => {}
        }
    }
}
