//! Tasks: submitted, sent, run again, finished.

use super::depends::Depends;
use super::engine::State;
use super::{Comm, Controller};
use crate::message::{ClientId, EngineId, Message, Outcome, Payload, Status, Submission, TaskId};
use serde_json::{Value, json};
use std::sync::Arc;

/// How many engines a task may take with it.
const KILLS_MAX: u32 = 2;

#[derive(Debug)]
pub(super) struct Task {
    pub client: ClientId,
    /// Clients that want to learn the outcome beside the one whose task it is.
    pub listeners: Vec<ClientId>,
    pub submission: Arc<Submission>,
    /// The one engine of a direct task.
    pub target: Option<EngineId>,
    /// The engines a balanced task may go to; none for any.
    pub choice: Option<Vec<EngineId>>,
    /// Where it was and should not go again.
    pub tried: Vec<EngineId>,
    pub tries: u32,
    pub kills: u32,
    pub submitted_us: u64,
    pub sent_to: Option<EngineId>,
    /// Tasks that it still waits for.
    pub waits_for: usize,
    /// When it must have ended, once it is sent; before that, when what it waits for must have.
    pub deadline_us: Option<u64>,
    pub is_warned: bool,
}

/// How a task ended: status, engine, when it began and ended, and what it yields.
pub(super) type Ending = (Status, EngineId, [u64; 2], Payload);

impl Controller {
    pub(super) fn submit(
        &mut self,
        client: ClientId,
        submission: Submission,
        comm: &mut impl Comm,
    ) {
        let depends = match submission.depends.as_deref().map(Depends::read).transpose() {
            Ok(depends) => depends,
            Err(message) => return self.refuse(client, &submission, &message, comm),
        };
        if let Some(name) = submission.function.filter(|name| !self.functions.contains_key(name)) {
            let message = format!("function {name:02x?} was not sent");
            return self.refuse(client, &submission, &message, comm);
        }
        let unknown = submission.targets.iter().flatten().find(|id| !self.engines.contains_key(id));
        if let Some(unknown) = unknown {
            let message = format!("there is no engine {unknown}");
            return self.refuse(client, &submission, &message, comm);
        }
        let submission = Arc::new(submission);
        if submission.balanced {
            let task = Task::new(client, &submission, None, self.now);
            self.enter(submission.first, task, depends.as_ref(), comm);
            return;
        }
        let targets = submission.targets.clone();
        let targets = targets.unwrap_or_else(|| self.engines.keys().copied().collect());
        for (id, target) in (submission.first..).zip(targets) {
            let task = Task::new(client, &submission, Some(target), self.now);
            self.enter(id, task, depends.as_ref(), comm);
        }
    }

    /// Ends tasks that cannot even be queued.
    fn refuse(
        &mut self,
        client: ClientId,
        submission: &Submission,
        message: &str,
        comm: &mut impl Comm,
    ) {
        let count =
            if submission.balanced { 1 } else { submission.targets.as_ref().map_or(1, Vec::len) };
        for task in (submission.first..).take(count) {
            let payload = Payload::of(
                json!({ "message": message, "refused": true }).to_string().into_bytes(),
            );
            let times = [self.now; 3];
            let status = Status::Impossible;
            let outcome = Outcome { task, status, engine: 0, times, payload };
            comm.to_client(client, Message::Result(outcome));
        }
    }

    fn enter(
        &mut self,
        id: TaskId,
        mut task: Task,
        depends: Option<&Depends>,
        comm: &mut impl Comm,
    ) {
        if let Some(client) = self.clients.get_mut(&task.client) {
            client.unfinished += 1;
        }
        if let Some(depends) = depends {
            task.waits_for = self.wait_for(id, depends);
            if let Some(wait_s) = depends.wait_s.filter(|_| task.waits_for > 0) {
                let deadline = self.now.saturating_add((wait_s.max(0.0) * 1e6) as u64);
                task.deadline_us = Some(deadline);
                self.deadlines.insert((deadline, id));
            }
        }
        let is_ready = task.waits_for == 0;
        self.tasks.insert(id, task);
        if is_ready {
            self.unblock(id, comm);
        }
    }

    /// Queues a task.
    pub(super) fn queue(&mut self, id: TaskId, comm: &mut impl Comm) {
        let task = &self.tasks[&id];
        if let Some(target) = task.target {
            let Some(engine) = self.engines.get_mut(&target) else {
                let cause = json!({ "engine": target, "gone": true });
                return self.lose(id, (target, true, &cause), comm);
            };
            engine.queue.push_back(id);
            self.feed(target, comm);
        } else if !task.tried.is_empty() {
            self.shy.push_back(id);
        } else if let Some(choice) = task.choice.clone().or_else(|| task.submission.targets.clone())
        {
            self.pools.entry(choice).or_default().push_back(id);
        } else {
            self.queue.push_back(id);
        }
    }

    /// An engine reports the end of a task.
    pub(super) fn done(
        &mut self,
        id: EngineId,
        task: TaskId,
        (status, started_us, ended_us, payload): (Status, u64, u64, Payload),
        comm: &mut impl Comm,
    ) {
        let now = self.now;
        let Some(engine) = self.engines.get_mut(&id) else { return };
        let Some(place) = engine.line.iter().position(|&sent| sent == task) else { return };
        engine.line.remove(place);
        if status == Status::Returned {
            self.returned(id, task, comm);
            return;
        }
        if status != Status::Aborted {
            engine.took(ended_us.saturating_sub(started_us));
            engine.done += 1;
            self.done += 1;
        }
        engine.heard_us = now;
        let found = self.tasks.get_mut(&task).expect("a task in line is known");
        (found.sent_to, found.tries) = (None, found.tries + 1);
        let deadline = found.deadline_us.take();
        let is_late = std::mem::take(&mut found.is_warned);
        let may_retry = found.target.is_none() && found.tries <= found.submission.retries;
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, task));
        }
        match status {
            Status::Error if is_late => {
                self.finish(task, (Status::TimedOut, id, [started_us, ended_us], payload), comm);
            }
            Status::Error if may_retry => self.go_elsewhere(task, id, comm),
            Status::Unmet => self.unmet(task, id, [started_us, ended_us], comm),
            _ => self.finish(task, (status, id, [started_us, ended_us], payload), comm),
        }
        self.feed(id, comm);
    }

    /// A task comes back unstarted.
    fn returned(&mut self, id: EngineId, task: TaskId, comm: &mut impl Comm) {
        let engine = self.engines.get_mut(&id).expect("the caller has it");
        let found = self.tasks.get_mut(&task).expect("a task in line is known");
        found.sent_to = None;
        if found.target.is_some() {
            engine.queue.insert(engine.returned.min(engine.queue.len()), task);
            engine.returned += 1;
        } else {
            self.queue(task, comm);
        }
        // The task that it stood behind may have ended meanwhile: then nothing else feeds it.
        self.feed(id, comm);
    }

    /// Queues a task again, not for the engine it was on if there is another.
    fn go_elsewhere(&mut self, id: TaskId, engine: EngineId, comm: &mut impl Comm) {
        let task = self.tasks.get_mut(&id).expect("the caller has it");
        task.tried.push(engine);
        if self.candidates(id).is_empty() {
            self.tasks.get_mut(&id).expect("as above").tried.clear();
        }
        self.queue(id, comm);
    }

    /// What a task needs is not there on that engine: it tries the others.
    fn unmet(&mut self, id: TaskId, engine: EngineId, times: [u64; 2], comm: &mut impl Comm) {
        let task = self.tasks.get_mut(&id).expect("the caller has it");
        task.tried.push(engine);
        if task.target.is_some() || self.candidates(id).is_empty() {
            let message = "no engine meets what the task depends on";
            let payload = Payload::of(json!({ "message": message }).to_string().into_bytes());
            self.finish(id, (Status::Impossible, engine, times, payload), comm);
        } else {
            self.queue(id, comm);
        }
    }

    /// The engines a balanced task may still go to.
    pub(super) fn candidates(&self, id: TaskId) -> Vec<EngineId> {
        let task = &self.tasks[&id];
        let choice = task.choice.as_ref().or(task.submission.targets.as_ref());
        let is_alive = |id: &EngineId| {
            let engine = self.engines.get(id);
            engine.is_some_and(|engine| matches!(engine.state, State::Starting | State::Ready))
        };
        let all = || self.engines.keys().copied().collect();
        let mut candidates = choice.cloned().unwrap_or_else(all);
        candidates.retain(|id| is_alive(id) && !task.tried.contains(id));
        candidates
    }

    /// A task's engine is gone; `was_running` says that it may be to blame.
    pub(super) fn lose(
        &mut self,
        id: TaskId,
        (engine, was_running, cause): (EngineId, bool, &Value),
        comm: &mut impl Comm,
    ) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let (started_us, is_late) = (task.sent_to.take().map(|_| self.now), task.is_warned);
        if let Some(deadline) = task.deadline_us.take() {
            self.deadlines.remove(&(deadline, id));
        }
        let task = self.tasks.get_mut(&id).expect("as above");
        let is_asked = cause["asked"] == json!(true);
        if was_running && !is_asked {
            task.kills += 1;
        }
        task.tries += u32::from(was_running);
        let may_retry = task.target.is_none()
            && (!was_running || (task.tries <= task.submission.retries && task.kills < KILLS_MAX));
        if may_retry {
            task.tried.clear();
            self.queue(id, comm);
            return;
        }
        let mut cause = cause.clone();
        cause["label"] = json!(task.submission.label);
        cause["tries"] = json!(task.tries);
        cause["kills"] = json!(task.kills);
        cause["running"] = json!(was_running);
        let status = if is_late && was_running { Status::TimedOut } else { Status::Lost };
        let payload = Payload::of(cause.to_string().into_bytes());
        let times = [started_us.unwrap_or(self.now), self.now];
        self.finish(id, (status, engine, times, payload), comm);
    }

    /// A task has ended: its client learns it, or it is kept for one to come.
    pub(super) fn finish(
        &mut self,
        id: TaskId,
        (status, engine, [began, ended], payload): Ending,
        comm: &mut impl Comm,
    ) {
        let Some(task) = self.tasks.remove(&id) else { return };
        if let Some(deadline) = task.deadline_us {
            self.deadlines.remove(&(deadline, id));
        }
        let times = [task.submitted_us, began, ended];
        let outcome = Outcome { task: id, status, engine, times, payload };
        if let Some(client) = self.clients.get_mut(&task.client) {
            client.unfinished -= 1;
        }
        let mut wanted: Vec<ClientId> = task.listeners;
        wanted.push(task.client);
        wanted.retain(|client| self.clients.contains_key(client));
        match wanted.pop() {
            Some(last) => {
                if let Some(client) = self.clients.get_mut(&task.client) {
                    client.note_delivered(&outcome);
                }
                for client in wanted {
                    comm.to_client(client, Message::Result(outcome.clone()));
                }
                comm.to_client(last, Message::Result(outcome));
            }
            None => comm.keep(outcome),
        }
        self.settle(id, engine, status == Status::Ok, comm);
    }

    /// Takes tasks back: at once those that are not sent, by their engine those in its line.
    pub(super) fn abort(&mut self, tasks: &[TaskId], comm: &mut impl Comm) -> usize {
        let mut meant: std::collections::BTreeMap<EngineId, Vec<TaskId>> = Default::default();
        let mut count = 0;
        for &id in tasks {
            match self.tasks.get(&id).map(|task| task.sent_to) {
                None => {}
                Some(Some(engine)) => meant.entry(engine).or_default().push(id),
                Some(None) => {
                    count += 1;
                    let now = [self.now; 2];
                    self.finish(id, (Status::Aborted, 0, now, Payload::default()), comm);
                }
            }
        }
        for (engine, tasks) in meant {
            count += tasks.len();
            comm.to_engine(engine, Message::Abort { tasks });
        }
        count
    }
}

impl Task {
    fn new(
        client: ClientId,
        submission: &Arc<Submission>,
        target: Option<EngineId>,
        submitted_us: u64,
    ) -> Self {
        Self {
            client,
            submission: Arc::clone(submission),
            target,
            choice: None,
            tried: Vec::new(),
            tries: 0,
            kills: 0,
            submitted_us,
            sent_to: None,
            waits_for: 0,
            deadline_us: None,
            listeners: Vec::new(),
            is_warned: false,
        }
    }
}
