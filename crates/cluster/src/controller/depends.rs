//! What a task waits for: others that must have ended, and where they ran.

use super::tasks::ByTask;
use super::{Comm, Controller};
use crate::message::{EngineId, Payload, Status, TaskId};
use serde::Deserialize;
use std::collections::VecDeque;

/// Ended tasks that are remembered for those that depend on them.
const PAST_MAX: usize = 100_000;

/// Dependencies of a task.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Depends {
    /// It starts when these have ended.
    #[serde(default)]
    pub after: Vec<TaskId>,
    /// It starts when these have ended, on an engine where one of them ran (all, if `all`).
    #[serde(default)]
    pub follow: Vec<TaskId>,
    /// Whether all must have ended, or any.
    #[serde(default = "yes")]
    pub all: bool,
    /// Whether those that succeeded count.
    #[serde(default = "yes")]
    pub success: bool,
    /// Whether those that failed count.
    #[serde(default)]
    pub failure: bool,
    /// How long it waits for them, in seconds; without an end if none.
    #[serde(default)]
    pub wait_s: Option<f64>,
}

fn yes() -> bool {
    true
}

impl Depends {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("dependencies: {error}"))
    }

    fn tasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.after.iter().chain(&self.follow).copied()
    }

    fn counts(&self, is_ok: bool) -> bool {
        if is_ok { self.success } else { self.failure }
    }
}

/// Where tasks ended and whether well, the latest of them.
#[derive(Debug, Default)]
pub(super) struct Past {
    ended: ByTask<(EngineId, bool)>,
    order: VecDeque<TaskId>,
}

impl Past {
    fn push(&mut self, task: TaskId, engine: EngineId, is_ok: bool) {
        if self.order.len() == PAST_MAX {
            self.order.pop_front().map(|oldest| self.ended.remove(&oldest));
        }
        self.ended.insert(task, (engine, is_ok));
        self.order.push_back(task);
    }
}

impl Controller {
    /// Notes that `id` waits; returns for how many it does.
    pub(super) fn wait_for(&mut self, id: TaskId, depends: &Depends) -> usize {
        let mut count = 0;
        for other in depends.tasks() {
            if self.tasks.contains_key(&other) {
                self.waiters.entry(other).or_default().push(id);
                count += 1;
            }
        }
        // Where any will do, one that has ended already will.
        let is_met = !depends.all && depends.tasks().any(|task| self.is_met(task, depends));
        if is_met { 0 } else { count }
    }

    fn is_met(&self, task: TaskId, depends: &Depends) -> bool {
        self.past.ended.get(&task).is_some_and(|(_, is_ok)| depends.counts(*is_ok))
    }

    /// A task has ended: those that wait for it may go on.
    pub(super) fn settle(
        &mut self,
        id: TaskId,
        engine: EngineId,
        is_ok: bool,
        comm: &mut impl Comm,
    ) {
        self.past.push(id, engine, is_ok);
        for waiter in self.waiters.remove(&id).unwrap_or_default() {
            let Some(task) = self.tasks.get_mut(&waiter) else { continue };
            if task.waits_for == 0 {
                continue;
            }
            task.waits_for -= 1;
            let depends = task.submission.depends.as_deref().map(Depends::read);
            let is_enough = depends.is_some_and(|depends| {
                depends.is_ok_and(|depends| !depends.all && depends.counts(is_ok))
            });
            if is_enough {
                self.tasks.get_mut(&waiter).expect("as above").waits_for = 0;
            }
            if self.tasks[&waiter].waits_for == 0 {
                self.unblock(waiter, comm);
            }
        }
    }

    /// Ends a task that has waited long enough for others.
    pub(super) fn give_up_waiting(&mut self, id: TaskId, comm: &mut impl Comm) {
        let depends = self.tasks.get(&id).and_then(|task| task.submission.depends.as_deref());
        let wait_s = depends.and_then(|text| Depends::read(text).ok()?.wait_s).unwrap_or(0.0);
        let message = format!("what the task depends on has not ended after {wait_s} s");
        let body = serde_json::json!({ "message": message }).to_string();
        let payload = Payload::of(body.into_bytes());
        self.finish(id, (Status::Impossible, 0, [self.now; 2], payload), comm);
    }

    /// Queues a task whose dependencies have ended, or ends it if they can never be met.
    pub(super) fn unblock(&mut self, id: TaskId, comm: &mut impl Comm) {
        let task = self.tasks.get_mut(&id).expect("the caller has it");
        if let Some(deadline) = task.deadline_us.take() {
            self.deadlines.remove(&(deadline, id));
        }
        let Some(depends) = task.submission.depends.as_deref().map(Depends::read) else {
            return self.queue(id, comm);
        };
        let depends = depends.expect("read once before");
        // A task that is no longer remembered has ended long ago: it counts as it should have.
        let met =
            |task: TaskId| !self.past.ended.contains_key(&task) || self.is_met(task, &depends);
        let mut tasks = depends.tasks().peekable();
        let is_possible = match (tasks.peek(), depends.all) {
            (None, _) => true,
            (_, true) => tasks.all(met),
            (_, false) => tasks.any(met),
        };
        let choice = self.follow(&depends);
        if !is_possible || choice.as_ref().is_some_and(Vec::is_empty) {
            let message = "what the task depends on can never be met";
            let body = serde_json::json!({ "message": message }).to_string().into_bytes();
            let ending = (Status::Impossible, 0, [self.now; 2], Payload::of(body));
            return self.finish(id, ending, comm);
        }
        self.tasks.get_mut(&id).expect("as above").choice = choice;
        self.queue(id, comm);
    }

    /// The engines on which a task may run so as to follow others.
    fn follow(&self, depends: &Depends) -> Option<Vec<EngineId>> {
        let ran = depends.follow.iter().filter_map(|task| self.past.ended.get(task));
        let mut engines: Vec<EngineId> = ran.map(|(engine, _)| *engine).collect();
        if depends.follow.is_empty() {
            return None;
        }
        engines.sort_unstable();
        engines.dedup();
        if depends.all && engines.len() > 1 {
            engines.clear();
        }
        Some(engines)
    }
}
