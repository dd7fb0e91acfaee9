//! Who gets what next, and what time brings: deadlines, and tasks stuck behind a long one.

use super::engine::State;
use super::{Comm, Controller, SIGINT, SIGKILL};
use crate::message::{EngineId, Message, TaskId};
use std::collections::VecDeque;

/// How long a task that is too late has to end by itself after an interrupt, in microseconds.
const GRACE_US: u64 = 1_000_000;

impl Controller {
    /// Sends queued tasks wherever there is room.
    pub(super) fn dispatch(&mut self, comm: &mut impl Comm) {
        while !self.queue.is_empty() {
            let Some((line, engine)) = self.free.first().copied() else { break };
            let id = self.queue[0];
            let Some(task) = self.tasks.get(&id) else {
                self.queue.pop_front();
                continue;
            };
            if line > 0 && task.submission.timeout_us > 0 {
                break;
            }
            self.queue.pop_front();
            self.send(engine, id, comm);
            self.refresh(engine);
        }
        self.dispatch_pools(comm);
        self.dispatch_shy(comm);
    }

    /// Tasks for some engines only: the first of each pool, as long as one of its engines has room.
    fn dispatch_pools(&mut self, comm: &mut impl Comm) {
        if self.pools.is_empty() || self.free.is_empty() {
            return;
        }
        let mut pools = std::mem::take(&mut self.pools);
        pools.retain(|choice, waiting| {
            while let Some(&id) = waiting.front() {
                if self.tasks.contains_key(&id) {
                    let Some(engine) = self.freest(choice, id) else { return true };
                    self.send(engine, id, comm);
                    self.refresh(engine);
                }
                waiting.pop_front();
            }
            false
        });
        self.pools = pools;
    }

    fn dispatch_shy(&mut self, comm: &mut impl Comm) {
        if self.shy.is_empty() || self.free.is_empty() {
            return;
        }
        for id in std::mem::take(&mut self.shy) {
            if !self.tasks.contains_key(&id) {
                continue;
            }
            let candidates = self.candidates(id);
            match self.freest(&candidates, id) {
                Some(engine) => {
                    self.send(engine, id, comm);
                    self.refresh(engine);
                }
                None => self.shy.push_back(id),
            }
        }
    }

    /// The engine among `choice` with the fewest tasks in line that has room for this one.
    fn freest(&self, choice: &[EngineId], task: TaskId) -> Option<EngineId> {
        let is_timed = self.tasks[&task].submission.timeout_us > 0;
        let free = choice.iter().filter_map(|id| Some((self.engines.get(id)?.free_at?, *id)));
        free.filter(|(line, _)| *line == 0 || !is_timed).min().map(|(_, id)| id)
    }

    /// Sends an engine its own tasks as far as there is room, and notes what room is left.
    pub(super) fn feed(&mut self, id: EngineId, comm: &mut impl Comm) {
        while let Some(engine) = self.engines.get_mut(&id) {
            if engine.line.is_empty() {
                (engine.is_recalled, engine.returned) = (false, 0);
            }
            let Some(&task) = engine.queue.front() else { break };
            let is_timed = |task: &super::Task| task.submission.timeout_us > 0;
            match self.tasks.get(&task) {
                None => {}
                Some(found) if engine.line.is_empty() || !is_timed(found) => {
                    if !engine.has_room() {
                        break;
                    }
                    self.send(id, task, comm);
                }
                Some(_) => break,
            }
            self.engines.get_mut(&id).expect("as above").queue.pop_front();
        }
        self.refresh(id);
    }

    /// Brings the sets of free engines and of recalls up to date.
    pub(super) fn refresh(&mut self, id: EngineId) {
        let Some(engine) = self.engines.get_mut(&id) else { return };
        let line = engine.line.len();
        // An engine whose running task is timed takes no other; a timed task has a deadline.
        let (tasks, is_any_timed) = (&self.tasks, !self.deadlines.is_empty());
        let is_timed = |id: &TaskId| is_any_timed && tasks[id].submission.timeout_us > 0;
        let has_room = engine.has_room()
            && engine.queue.is_empty()
            && !engine.line.front().is_some_and(is_timed);
        let free_at = has_room.then_some(line);
        if engine.free_at != free_at {
            engine.free_at.map(|at| self.free.remove(&(at, id)));
            free_at.map(|at| self.free.insert((at, id)));
            engine.free_at = free_at;
        }
        let recalls_at = engine.recall_at_us();
        if engine.recalls_at != recalls_at {
            engine.recalls_at.map(|at| self.recalls.remove(&(at, id)));
            recalls_at.map(|at| self.recalls.insert((at, id)));
            engine.recalls_at = recalls_at;
        }
    }

    fn send(&mut self, id: EngineId, task_id: TaskId, comm: &mut impl Comm) {
        let engine = self.engines.get_mut(&id).expect("the caller has it");
        let task = self.tasks.get_mut(&task_id).expect("the caller has it");
        let submission = &task.submission;
        if let Some(name) = submission.function
            && engine.functions.insert(name)
            && let Some(body) = self.functions.get(&name)
        {
            comm.to_engine(id, Message::Blob { name, body: body.clone() });
        }
        let (function, payload) = (submission.function, submission.payload.clone());
        comm.to_engine(id, Message::Run { task: task_id, function, payload });
        if engine.line.is_empty() {
            engine.heard_us = self.now;
        }
        engine.line.push_back(task_id);
        task.sent_to = Some(id);
        if submission.timeout_us > 0 {
            let deadline = self.now + submission.timeout_us;
            task.deadline_us = Some(deadline);
            self.deadlines.insert((deadline, task_id));
        }
    }

    /// Acts on what is due.
    pub(super) fn look_at_time(&mut self, comm: &mut impl Comm) {
        while let Some(&(at, id)) = self.deadlines.first() {
            if at > self.now {
                break;
            }
            self.deadlines.pop_first();
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            let Some(engine) = task.sent_to else {
                task.deadline_us = None;
                self.give_up_waiting(id, comm);
                continue;
            };
            if task.is_warned {
                // A rank that were killed would take all with it: its task runs on.
                if !self.are_ranks {
                    comm.signal(engine, SIGKILL);
                }
                continue;
            }
            task.is_warned = true;
            task.deadline_us = Some(self.now + GRACE_US);
            self.deadlines.insert((self.now + GRACE_US, id));
            comm.signal(engine, SIGINT);
        }
        self.recall(comm);
    }

    /// Calls back what stands behind a long task.
    fn recall(&mut self, comm: &mut impl Comm) {
        while let Some(&(at, id)) = self.recalls.first() {
            if at > self.now {
                break;
            }
            let engine = self.engines.get_mut(&id).expect("an engine of the set is known");
            engine.is_recalled = true;
            // It is slower than was thought: fewer stand in its line from now on.
            let silent = self.now.saturating_sub(engine.heard_us) as f64;
            engine.mean_us = engine.mean_us.map(|mean| mean.max(silent));
            comm.to_engine(id, Message::Recall);
            self.refresh(id);
        }
    }

    /// Tasks that are not sent, in no order.
    pub(super) fn unsent(&self) -> usize {
        let queued = |queue: &VecDeque<TaskId>| {
            queue.iter().filter(|id| self.tasks.contains_key(id)).count()
        };
        queued(&self.queue) + queued(&self.shy) + self.pools.values().map(queued).sum::<usize>()
    }

    /// Interrupts the engines that run something.
    pub(super) fn interrupt(&mut self, engines: &[EngineId], comm: &mut impl Comm) {
        for id in engines {
            let busy = self.engines.get(id).filter(|engine| !engine.line.is_empty());
            if busy.is_some_and(|engine| engine.state == State::Ready) {
                comm.signal(*id, SIGINT);
            }
        }
    }
}
