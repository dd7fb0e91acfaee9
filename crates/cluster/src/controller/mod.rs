//! The controller: which task runs where, and what becomes of it. A pure state machine.
//!
//! It has no socket, no process and no clock: [`Controller::on`] takes an [`Event`] and the time
//! and tells a [`Comm`] what to send, start and signal. So it is tested by plain calls, and by a
//! simulation of ten thousand engines that come, stall and die.
//!
//! A task is *waiting* for others, *queued* (for one engine, or for whichever is free), or *sent*.
//! Sent tasks stand in line at their engine, as many as fill a millisecond there, so
//! that short tasks need no round trip each and long ones are not kept from a free engine.

mod client;
mod depends;
mod dispatch;
mod engine;
mod ranks;
mod requests;
mod task;
mod tasks;
#[cfg(test)]
mod tests;

pub use depends::Depends;

use crate::message::{Bytes, ClientId, EngineId, EngineNote, Message, Name, Outcome, TaskId};
use crate::os::End;
use client::Client;
use depends::Past;
use engine::Engine;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use task::Task;
use tasks::ByTask;

/// What happens outside.
#[derive(Debug)]
pub enum Event {
    /// A client has connected; the cluster ends with its owner.
    ClientCame {
        /// Its number.
        client: ClientId,
        /// Whether the cluster ends with it.
        is_owner: bool,
    },
    /// A client is gone.
    ClientGone(ClientId),
    /// A client says something.
    FromClient(ClientId, Message),
    /// An engine says something.
    FromEngine(EngineId, Message),
    /// An engine's process wrote to its standard output or error by itself.
    EngineText(EngineId, Bytes),
    /// An engine's process has ended.
    EngineGone(EngineId, End),
    /// A rank of MPI is there, on another machine unless the name is empty.
    RankCame(EngineId, String),
    /// A rank of MPI has ended: 0 leads the others, engine `i` is rank `i + 1`.
    RankGone(u32),
    /// The time for which [`Controller::wakes_at_us`] asked has come.
    Tick,
}

/// What the controller has done outside. Nothing here fails: a loss comes back as an event.
pub trait Comm {
    /// Sends to an engine.
    fn to_engine(&mut self, engine: EngineId, message: Message);
    /// Sends to a client that is connected.
    fn to_client(&mut self, client: ClientId, message: Message);
    /// Starts the process of an engine.
    fn start(&mut self, engine: EngineId);
    /// Sends a signal to the process of an engine.
    fn signal(&mut self, engine: EngineId, signal: i32);
    /// Keeps the outcome of a task whose client is gone.
    fn keep(&mut self, outcome: Outcome);
    /// Gives back what was kept.
    fn take_kept(&mut self, task: TaskId) -> Option<Outcome>;
    /// Forgets what was kept.
    fn purge(&mut self);
    /// Ends everything once the engines are gone.
    fn stop(&mut self);
}

/// SIGINT, as every Unix numbers it.
const SIGINT: i32 = 2;
/// SIGKILL, as every Unix numbers it.
const SIGKILL: i32 = 9;

/// The state of a cluster.
#[derive(Debug, Default)]
pub struct Controller {
    now: u64,
    engines: BTreeMap<EngineId, Engine>,
    clients: BTreeMap<ClientId, Client>,
    tasks: ByTask<Task>,
    /// Balanced tasks that any engine may take.
    queue: VecDeque<TaskId>,
    /// Balanced tasks for some engines only, by the engines.
    pools: BTreeMap<Vec<EngineId>, VecDeque<TaskId>>,
    /// Tasks that must not go again where they went before.
    shy: VecDeque<TaskId>,
    /// Ready engines with room, those with the fewest tasks first.
    free: BTreeSet<(usize, EngineId)>,
    /// When tasks behind a running one should be called back, engine by engine.
    recalls: BTreeSet<(u64, EngineId)>,
    /// When tasks must have ended.
    deadlines: BTreeSet<(u64, TaskId)>,
    /// Functions, while a client that sent them is connected.
    functions: HashMap<Name, Bytes>,
    function_bytes: usize,
    waiters: ByTask<Vec<TaskId>>,
    past: Past,
    /// Whether the engines are ranks of MPI: none can be started, and each ends with all.
    are_ranks: bool,
    is_stopping: bool,
    done: u64,
}

impl Controller {
    /// A cluster of `engines` engines, which are started.
    pub fn new(engines: u32, comm: &mut impl Comm) -> Self {
        let mut controller = Self::default();
        controller.add_engines(engines, comm);
        controller
    }

    /// A cluster whose engines are ranks of MPI, which come by themselves.
    pub fn of_ranks(engines: u32, comm: &mut impl Comm) -> Self {
        let mut controller = Self { are_ranks: true, ..Self::default() };
        controller.add_engines(engines, comm);
        controller
    }

    /// Takes what happened at `now_us`, microseconds since 1970, and acts on it.
    pub fn on(&mut self, now_us: u64, event: Event, comm: &mut impl Comm) {
        self.now = now_us;
        match event {
            Event::ClientCame { client, is_owner } => self.client_came(client, is_owner, comm),
            Event::ClientGone(client) => self.client_gone(client, comm),
            Event::FromClient(client, message) => self.hear_client(client, message, comm),
            Event::FromEngine(engine, message) => self.hear_engine(engine, message, comm),
            Event::EngineText(engine, text) => self.engine_text(engine, text, comm),
            Event::EngineGone(engine, end) => self.engine_gone(engine, end, comm),
            Event::RankCame(engine, host) => self.rank_came(engine, host),
            Event::RankGone(rank) => self.rank_gone(rank, comm),
            Event::Tick => {}
        }
        self.dispatch(comm);
        if matches!(self.wakes_at_us(), Some(at) if at <= now_us) {
            self.look_at_time(comm);
            self.dispatch(comm);
        }
    }

    /// When it wants a [`Event::Tick`], if it does.
    pub fn wakes_at_us(&self) -> Option<u64> {
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        let recall = self.recalls.first().map(|(at, _)| *at);
        deadline.into_iter().chain(recall).min()
    }

    /// Whether it was asked to stop and no engine is left.
    pub fn is_over(&self) -> bool {
        self.is_stopping && self.engines.values().all(Engine::is_gone)
    }

    fn hear_client(&mut self, client: ClientId, message: Message, comm: &mut impl Comm) {
        match message {
            Message::Submit(submission) => self.submit(client, submission, comm),
            Message::Blob { name, body } => self.learn(name, body),
            Message::Request { request, json } => {
                let json = self.request(client, &json, comm);
                comm.to_client(client, Message::Reply { request, json });
            }
            _ => {}
        }
    }

    fn hear_engine(&mut self, engine: EngineId, message: Message, comm: &mut impl Comm) {
        match message {
            Message::Ready { pid } => self.engine_ready(engine, pid, comm),
            Message::Done { task, status, started_us, ended_us, payload } => {
                self.done(engine, task, (status, started_us, ended_us, payload), comm);
            }
            Message::Output { task, stream, payload, .. } => {
                let owner = self.tasks.get(&task).map(|task| task.client);
                if let Some(client) = owner.filter(|client| self.clients.contains_key(client)) {
                    comm.to_client(client, Message::Output { task, engine, stream, payload });
                }
            }
            _ => {}
        }
    }

    /// Tells every client which engines there are.
    fn announce(&self, comm: &mut impl Comm) {
        let notes = self.notes();
        for client in self.clients.keys() {
            comm.to_client(*client, Message::Engines(notes.clone()));
        }
    }

    fn notes(&self) -> Vec<EngineNote> {
        self.engines.iter().map(|(id, engine)| engine.note(*id)).collect()
    }
}
