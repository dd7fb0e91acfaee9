//! Engines: starting, ready, gone, replaced.

use super::{Comm, Controller, SIGKILL};
use crate::message::{Bytes, EngineId, EngineNote, Message, Name, Payload, Status, TaskId};
use crate::os::End;
use serde_json::json;
use std::collections::{HashSet, VecDeque};

/// Work that an engine has in line, in microseconds of its mean task.
const LINE_US: f64 = 1000.0;
/// The most tasks in line at an engine.
const LINE_MAX: f64 = 256.0;
/// How long an engine may be silent before the tasks behind the running one are called back.
const SILENCE_US: u64 = 5_000;
/// How often in turn an engine may die before it was ever ready.
const EARLY_DEATHS_MAX: u32 = 3;
/// The last words of a process that are kept, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Starting,
    Ready,
    /// It died too often before it was ready.
    Failed,
    /// Asked to go for good.
    Leaving,
}

#[derive(Debug, Default)]
pub(super) struct Engine {
    pub pid: u32,
    /// The machine of a rank, if it is another than the controller's.
    pub host: String,
    pub state: State,
    /// Tasks for this engine alone that are not sent yet.
    pub queue: VecDeque<TaskId>,
    /// Tasks sent; the first is running.
    pub line: VecDeque<TaskId>,
    /// Where in `queue` the next task goes that is given back.
    pub returned: usize,
    pub functions: HashSet<Name>,
    pub mean_us: Option<f64>,
    pub heard_us: u64,
    /// Its line was called back. Until that is empty nothing joins it: what were sent now could
    /// overtake what is on its way back.
    pub is_recalled: bool,
    pub done: u64,
    pub early_deaths: u32,
    /// Killed because somebody asked.
    pub is_asked: bool,
    /// Its place in the set of free engines.
    pub free_at: Option<usize>,
    /// Its place in the set of recalls.
    pub recalls_at: Option<u64>,
    pub text: Vec<u8>,
}

impl Engine {
    pub fn note(&self, engine: EngineId) -> EngineNote {
        let state = match self.state {
            State::Starting => 0,
            State::Ready => 1,
            State::Failed | State::Leaving => 2,
        };
        EngineNote { engine, pid: self.pid, state }
    }

    pub fn is_gone(&self) -> bool {
        self.pid == 0 && self.state != State::Starting
    }

    /// How many tasks may stand in line here.
    pub fn line_max(&self) -> usize {
        self.mean_us.map_or(1, |mean| (LINE_US / mean.max(0.5)).clamp(1.0, LINE_MAX) as usize)
    }

    pub fn has_room(&self) -> bool {
        self.state == State::Ready && !self.is_recalled && self.line.len() < self.line_max()
    }

    /// Learns how long a task took.
    pub fn took(&mut self, us: u64) {
        let us = us as f64;
        self.mean_us = Some(self.mean_us.map_or(us, |mean| mean + 0.2 * (us - mean)));
    }

    /// When the tasks behind the running one should be called back: at a full millisecond, so that
    /// it does not change with each short task.
    pub fn recall_at_us(&self) -> Option<u64> {
        let at = (self.heard_us + SILENCE_US).next_multiple_of(1000);
        (self.line.len() > 1 && !self.is_recalled).then_some(at)
    }
}

impl Controller {
    pub(super) fn add_engines(&mut self, count: u32, comm: &mut impl Comm) -> Vec<EngineId> {
        let first = self.engines.last_key_value().map_or(0, |(id, _)| id + 1);
        let added: Vec<EngineId> = (first..first + count).collect();
        for &engine in &added {
            self.engines.insert(engine, Engine::default());
            comm.start(engine);
        }
        added
    }

    pub(super) fn engine_ready(&mut self, id: EngineId, pid: u32, comm: &mut impl Comm) {
        let now = self.now;
        let Some(engine) = self.engines.get_mut(&id) else { return };
        if engine.state == State::Starting {
            engine.state = State::Ready;
        }
        (engine.pid, engine.early_deaths, engine.heard_us) = (pid, 0, now);
        engine.functions.clear();
        if self.is_stopping {
            comm.to_engine(id, Message::Stop);
        }
        self.feed(id, comm);
        self.announce(comm);
    }

    /// Text that no task wrote by Python goes to the client of the running task.
    pub(super) fn engine_text(&mut self, id: EngineId, text: Bytes, comm: &mut impl Comm) {
        let Some(engine) = self.engines.get_mut(&id) else { return };
        engine.text.extend_from_slice(&text);
        let surplus = engine.text.len().saturating_sub(TEXT_BYTES_MAX);
        engine.text.drain(..surplus);
        let Some(&task) = engine.line.front() else { return };
        let client = self.tasks[&task].client;
        if self.clients.contains_key(&client) {
            let payload = Payload::of(text);
            comm.to_client(client, Message::Output { task, engine: id, stream: 1, payload });
        }
    }

    /// An engine is gone: its tasks go elsewhere or end, and it is replaced.
    pub(super) fn engine_gone(&mut self, id: EngineId, end: End, comm: &mut impl Comm) {
        let Some(engine) = self.engines.get_mut(&id) else { return };
        let was_starting = engine.state == State::Starting;
        let (line, queue) = (std::mem::take(&mut engine.line), std::mem::take(&mut engine.queue));
        let cause = json!({
            "engine": id, "pid": engine.pid, "signal": end.signal, "exit": end.exit,
            "peak_bytes": end.peak_bytes, "asked": engine.is_asked,
            "text": String::from_utf8_lossy(&engine.text),
        });
        engine.free_at.map(|at| self.free.remove(&(at, id)));
        engine.recalls_at.map(|at| self.recalls.remove(&(at, id)));
        let kept = (engine.early_deaths, engine.done, std::mem::take(&mut engine.text));
        let is_leaving = engine.state == State::Leaving || self.is_stopping;
        *engine = Engine { early_deaths: kept.0, done: kept.1, ..Engine::default() };
        if was_starting {
            engine.early_deaths += 1;
        }
        let has_failed = engine.early_deaths >= EARLY_DEATHS_MAX;
        if has_failed {
            (engine.state, engine.text) = (State::Failed, kept.2);
        }
        if is_leaving {
            self.engines.remove(&id);
        } else if !has_failed {
            comm.start(id);
        }
        for (place, &task) in line.iter().enumerate() {
            self.lose(task, (id, place == 0, &cause), comm);
        }
        for &task in &queue {
            self.lose(task, (id, false, &cause), comm);
        }
        if has_failed || is_leaving {
            self.give_up_without_engines(&cause, comm);
        }
        self.announce(comm);
    }

    /// Ends what can never run because no engine is left that could.
    fn give_up_without_engines(&mut self, cause: &serde_json::Value, comm: &mut impl Comm) {
        let is_hope = |engine: &Engine| matches!(engine.state, State::Starting | State::Ready);
        if self.engines.values().any(is_hope) {
            return;
        }
        let mut lost: Vec<TaskId> = self.tasks.keys().copied().collect();
        lost.sort_unstable();
        for task in lost {
            let payload = Payload::of(cause.to_string().into_bytes());
            let engine = cause["engine"].as_u64().unwrap_or(0) as EngineId;
            self.finish(task, (Status::Lost, engine, [0, 0], payload), comm);
        }
    }

    /// Starts an engine anew under its number.
    pub(super) fn restart(&mut self, id: EngineId, comm: &mut impl Comm) -> bool {
        let Some(engine) = self.engines.get_mut(&id) else { return false };
        if engine.state == State::Failed {
            *engine = Engine::default();
            comm.start(id);
        } else {
            engine.is_asked = true;
            comm.signal(id, SIGKILL);
        }
        true
    }

    /// Lets an engine go for good.
    pub(super) fn remove(&mut self, id: EngineId, comm: &mut impl Comm) -> bool {
        let Some(engine) = self.engines.get_mut(&id) else { return false };
        engine.is_asked = true;
        if engine.state == State::Failed {
            self.engines.remove(&id);
            self.announce(comm);
            return true;
        }
        engine.state = State::Leaving;
        self.refresh(id);
        comm.to_engine(id, Message::Stop);
        true
    }

    /// Ends the cluster.
    pub(super) fn stop(&mut self, comm: &mut impl Comm) {
        self.is_stopping = true;
        for id in self.engines.keys() {
            comm.to_engine(*id, Message::Stop);
        }
        comm.stop();
    }
}
