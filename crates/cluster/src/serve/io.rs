//! What the controller has done outside: bytes into sockets, processes, kept outcomes.

use super::kept::Kept;
use super::process::Process;
use super::{Options, STOP_US};
use crate::controller::{Comm, Event};
use crate::message::{
    Bytes, ClientId, EngineId, Message, Outcome, Payload, STREAM_PART, Status, TaskId,
};
use crate::os::End;
use crate::wire::Wire;
use rustix::process::{Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use windfall_core::now_us;

pub(super) struct Io {
    pub options: Options,
    pub clients: BTreeMap<ClientId, Wire>,
    pub engines: BTreeMap<EngineId, Process>,
    /// Events that acting brought about.
    pub pending: Vec<Event>,
    /// When whatever still runs is killed.
    pub kill_at: Option<u64>,
    /// Who has something to be sent.
    unsent: (BTreeSet<ClientId>, BTreeSet<EngineId>),
    lost: BTreeSet<ClientId>,
    kept: Kept,
    /// Outcomes for clients that do not read as fast as they come.
    backlogs: BTreeMap<ClientId, Backlog>,
}

/// What may wait in memory for a client that does not read, in bytes; more goes to disk.
const UNREAD_BYTES_MAX: usize = 64 << 20;

/// Outcomes in the order in which they came.
#[derive(Default)]
struct Backlog {
    order: VecDeque<TaskId>,
    kept: Kept,
}

impl Io {
    pub fn new(options: Options) -> Self {
        Self {
            options,
            clients: BTreeMap::new(),
            engines: BTreeMap::new(),
            pending: Vec::new(),
            kill_at: None,
            unsent: Default::default(),
            lost: BTreeSet::new(),
            kept: Kept::default(),
            backlogs: BTreeMap::new(),
        }
    }

    /// Sends what the sockets take.
    pub fn flush(&mut self) {
        self.send();
        while self.catch_up() {
            self.send();
        }
    }

    /// Hands outcomes on to clients that have begun to read again; whether there were any.
    fn catch_up(&mut self) -> bool {
        let Self { clients, unsent, backlogs, .. } = self;
        let mut is_any = false;
        backlogs.retain(|client, backlog| {
            let Some(wire) = clients.get_mut(client) else { return false };
            while wire.outbox.waiting_bytes() < UNREAD_BYTES_MAX / 2 {
                let Some(task) = backlog.order.pop_front() else { return false };
                let outcome = backlog.kept.take(task).unwrap_or_else(|| dropped(task));
                wire.outbox.push(&Message::Result(outcome));
                unsent.0.insert(*client);
                is_any = true;
            }
            true
        });
        is_any
    }

    fn send(&mut self) {
        let Self { clients, engines, unsent, lost, .. } = self;
        unsent.0.retain(|id| {
            let Some(wire) = clients.get_mut(id) else { return false };
            match wire.flush() {
                Ok(is_sent) => !is_sent,
                Err(_) => {
                    lost.insert(*id);
                    false
                }
            }
        });
        unsent.1.retain(|id| {
            let Some(process) = engines.get_mut(id) else { return false };
            match process.wire.flush() {
                Ok(is_sent) => !is_sent,
                Err(_) => {
                    process.cut();
                    false
                }
            }
        });
    }

    /// Clients whose sockets have failed.
    pub fn lost_clients(&mut self) -> Vec<ClientId> {
        std::mem::take(&mut self.lost).into_iter().collect()
    }

    /// A client is gone, or not one of ours.
    pub fn cut_client(&mut self, id: ClientId) {
        self.lost.insert(id);
    }

    /// When to ask again for processes whose end nobody tells.
    pub fn reaps_at_us(&self) -> Option<u64> {
        self.engines.values().any(Process::is_unwatched).then(|| now_us() + 5_000)
    }

    pub fn kill_all(&mut self) {
        self.kill_at = None;
        for process in self.engines.values().filter(|process| !process.is_rank) {
            let _ = kill_process(process.pid, Signal::KILL);
        }
        // Without their connections rank 0 ends the ranks.
        if self.options.command.is_empty() {
            let ranks = std::mem::take(&mut self.engines).into_keys().map(|id| id + 1);
            self.pending.extend(ranks.chain([0]).map(Event::RankGone));
        }
    }
}

/// What a client learns of an outcome for which there was no room even on disk.
fn dropped(task: TaskId) -> Outcome {
    let message = "its result was dropped: too much waited for a client that did not read";
    let body = serde_json::json!({ "message": message }).to_string().into_bytes();
    let payload = Payload::of(Bytes::from(body));
    Outcome { task, status: Status::Lost, engine: 0, times: [now_us(); 3], payload }
}

impl Comm for Io {
    fn to_engine(&mut self, engine: EngineId, message: Message) {
        if let Some(process) = self.engines.get_mut(&engine) {
            process.wire.outbox.push(&message);
            self.unsent.1.insert(engine);
        }
    }

    fn to_client(&mut self, client: ClientId, message: Message) {
        let Some(wire) = self.clients.get_mut(&client) else { return };
        let is_behind = wire.outbox.waiting_bytes() > UNREAD_BYTES_MAX;
        match message {
            Message::Result(outcome) if is_behind || self.backlogs.contains_key(&client) => {
                let backlog = self.backlogs.entry(client).or_default();
                backlog.order.push_back(outcome.task);
                backlog.kept.push(outcome, now_us());
            }
            // What is printed while nobody reads is lost; parts of results are not.
            Message::Output { stream, .. } if is_behind && stream != STREAM_PART => {}
            message => {
                wire.outbox.push(&message);
                self.unsent.0.insert(client);
            }
        }
    }

    fn start(&mut self, engine: EngineId) {
        if self.options.command.is_empty() {
            return; // a rank, which comes by itself
        }
        match Process::start(engine, &self.options) {
            Ok(process) => {
                self.engines.insert(engine, process);
                self.unsent.1.insert(engine);
            }
            Err(error) => {
                let text = format!("`{}` cannot be started: {error}", self.options.command[0]);
                self.pending.push(Event::EngineText(engine, Bytes::from(text.into_bytes())));
                self.pending.push(Event::EngineGone(engine, End::default()));
            }
        }
    }

    fn signal(&mut self, engine: EngineId, signal: i32) {
        let named = Signal::from_named_raw(signal);
        if self.engines.get(&engine).is_some_and(|process| process.is_rank) {
            return self.to_engine(engine, Message::Signal { signal: signal.unsigned_abs() });
        }
        if let (Some(process), Some(signal)) = (self.engines.get(&engine), named) {
            let _ = kill_process(process.pid, signal);
        }
    }

    fn keep(&mut self, outcome: Outcome) {
        self.kept.push(outcome, now_us());
    }

    fn take_kept(&mut self, task: TaskId) -> Option<Outcome> {
        self.kept.take(task)
    }

    fn purge(&mut self) {
        self.kept = Kept::default();
    }

    fn stop(&mut self) {
        self.kill_at.get_or_insert(now_us() + STOP_US);
    }
}
