//! What the controller has done outside: bytes into sockets, processes, kept outcomes.

use super::kept::Kept;
use super::process::Process;
use super::{Options, STOP_US};
use crate::controller::{Comm, Event};
use crate::message::{Bytes, ClientId, EngineId, Message, Outcome, TaskId};
use crate::os::End;
use crate::wire::Wire;
use rustix::process::{Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet};
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
        }
    }

    /// Sends what the sockets take.
    pub fn flush(&mut self) {
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
        let is_unwatched = |process: &Process| process.watch.is_none();
        self.engines.values().any(is_unwatched).then(|| now_us() + 5_000)
    }

    pub fn kill_all(&mut self) {
        self.kill_at = None;
        for process in self.engines.values() {
            let _ = kill_process(process.pid, Signal::KILL);
        }
    }
}

impl Comm for Io {
    fn to_engine(&mut self, engine: EngineId, message: Message) {
        if let Some(process) = self.engines.get_mut(&engine) {
            process.wire.outbox.push(&message);
            self.unsent.1.insert(engine);
        }
    }

    fn to_client(&mut self, client: ClientId, message: Message) {
        if let Some(wire) = self.clients.get_mut(&client) {
            wire.outbox.push(&message);
            self.unsent.0.insert(client);
        }
    }

    fn start(&mut self, engine: EngineId) {
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
