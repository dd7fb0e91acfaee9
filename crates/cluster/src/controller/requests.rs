//! What clients ask for now and then, as JSON.

use super::engine::State;
use super::{Comm, Controller};
use crate::message::{ClientId, EngineId, Message, Outcome, TaskId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    /// Engines, tasks and rates.
    Status,
    /// What is queued and in line, engine by engine.
    Queue,
    /// SIGINT to engines that run something: these, or those that run one of these tasks.
    Interrupt { engines: Option<Vec<EngineId>>, tasks: Option<Vec<TaskId>> },
    /// Any signal to engines.
    Signal { engines: Option<Vec<EngineId>>, signal: i32 },
    /// Takes back tasks that have not begun: those named, or all of this client's, or on engines.
    Abort { tasks: Option<Vec<TaskId>>, engines: Option<Vec<EngineId>> },
    /// Starts an engine anew under its number.
    Restart { engine: EngineId },
    /// Starts more engines.
    Add { n: u32 },
    /// Lets engines go for good.
    Remove { engines: Vec<EngineId> },
    /// Hands over the outcomes of another client's tasks, now or when they end.
    Fetch { tasks: Vec<TaskId> },
    /// Forgets outcomes that nobody fetched.
    Purge,
    /// Says that this client goes for good and needs nothing any more.
    Leave,
    /// Ends the cluster.
    Stop,
}

impl Controller {
    /// Acts on a request and answers it.
    pub(super) fn request(&mut self, client: ClientId, text: &str, comm: &mut impl Comm) -> String {
        let answer = match serde_json::from_str(text) {
            Ok(request) => match self.refused_to_ranks(&request) {
                Some(refused) => refused,
                None => self.act(client, request, comm),
            },
            Err(error) => json!({ "error": format!("request `{text}`: {error}") }),
        };
        answer.to_string()
    }

    fn act(&mut self, client: ClientId, request: Request, comm: &mut impl Comm) -> Value {
        match request {
            Request::Status => self.status(),
            Request::Queue => self.queue_status(),
            Request::Interrupt { engines, tasks } => {
                let mut engines = self.chosen(engines);
                if let Some(tasks) = tasks {
                    let tasks: HashSet<TaskId> = tasks.into_iter().collect();
                    engines.retain(|id| {
                        self.engines[id].line.front().is_some_and(|task| tasks.contains(task))
                    });
                }
                self.interrupt(&engines, comm);
                json!({ "engines": engines })
            }
            Request::Signal { engines, signal } => {
                let engines = self.chosen(engines);
                engines.iter().for_each(|engine| comm.signal(*engine, signal));
                json!({ "engines": engines })
            }
            Request::Abort { tasks, engines } => {
                let tasks = tasks.unwrap_or_else(|| self.of_client(client, engines.as_deref()));
                json!({ "aborted": self.abort(&tasks, comm) })
            }
            Request::Restart { engine } => match self.restart(engine, comm) {
                true => json!({ "engine": engine }),
                false => self.no_such_engine(engine),
            },
            Request::Add { n } => {
                let added = self.add_engines(n, comm);
                self.announce(comm);
                json!({ "engines": added })
            }
            Request::Remove { engines } => {
                let unknown = engines.iter().find(|id| !self.engines.contains_key(id));
                if let Some(unknown) = unknown {
                    return self.no_such_engine(*unknown);
                }
                for &engine in &engines {
                    self.remove(engine, comm);
                }
                json!({ "engines": engines })
            }
            Request::Fetch { tasks } => self.fetch(client, &tasks, comm),
            Request::Purge => {
                comm.purge();
                json!({})
            }
            Request::Leave => {
                if let Some(client) = self.clients.get_mut(&client) {
                    client.is_leaving = true;
                }
                json!({})
            }
            Request::Stop => {
                self.stop(comm);
                json!({})
            }
        }
    }

    fn no_such_engine(&self, engine: EngineId) -> Value {
        let ids: Vec<EngineId> = self.engines.keys().copied().collect();
        json!({ "error": format!("there is no engine {engine}; there are {ids:?}") })
    }

    fn chosen(&self, engines: Option<Vec<EngineId>>) -> Vec<EngineId> {
        let all = || self.engines.keys().copied().collect();
        let mut engines = engines.unwrap_or_else(all);
        engines.retain(|id| self.engines.contains_key(id));
        engines
    }

    /// A client's unfinished tasks, all or those of some engines, in the order of their numbers.
    fn of_client(&self, client: ClientId, engines: Option<&[EngineId]>) -> Vec<TaskId> {
        let is_there = |engine: Option<EngineId>| match engines {
            None => true,
            Some(engines) => engine.is_some_and(|engine| engines.contains(&engine)),
        };
        let meant = self
            .tasks
            .iter()
            .filter(|(_, task)| task.client == client && is_there(task.target.or(task.sent_to)));
        let mut tasks: Vec<TaskId> = meant.map(|(id, _)| *id).collect();
        tasks.sort_unstable();
        tasks
    }

    /// Sends kept outcomes. What still runs becomes the client's, or if the client whose task it is
    /// is there, both will learn the outcome.
    fn fetch(&mut self, client: ClientId, tasks: &[TaskId], comm: &mut impl Comm) -> Value {
        let (mut unknown, mut running) = (Vec::new(), Vec::new());
        for &id in tasks {
            if let Some(outcome) = comm.take_kept(id) {
                comm.to_client(client, Message::Result(outcome));
            } else if let Some(task) = self.tasks.get_mut(&id) {
                if self.clients.contains_key(&task.client) {
                    if task.client != client && !task.listeners.contains(&client) {
                        task.listeners.push(client);
                    }
                } else {
                    task.client = client;
                    if let Some(new) = self.clients.get_mut(&client) {
                        new.unfinished += 1;
                    }
                }
                running.push(id);
            } else if let Some(outcome) = self.delivered(id) {
                comm.to_client(client, Message::Result(outcome));
            } else {
                unknown.push(id);
            }
        }
        json!({ "unknown": unknown, "running": running })
    }

    /// The outcome of a task that its client was sent, if it is remembered.
    fn delivered(&self, id: TaskId) -> Option<Outcome> {
        let owner = ClientId::try_from(id >> 40).ok()?;
        self.clients.get(&owner)?.delivered(id).cloned()
    }

    fn status(&self) -> Value {
        let state = |state: State| match state {
            State::Starting => "starting",
            State::Ready => "ready",
            State::Failed => "failed",
            State::Leaving => "leaving",
        };
        let engines = self.engines.iter().map(|(id, engine)| {
            let running = engine.line.front().and_then(|task| self.tasks.get(task));
            json!({
                "engine": id, "pid": engine.pid, "host": engine.host,
                "state": state(engine.state),
                "running": running.map(|task| &task.submission.label),
                "line": engine.line.len(), "queue": engine.queue.len(),
                "done": engine.done, "mean_us": engine.mean_us,
                "text": String::from_utf8_lossy(&engine.text),
            })
        });
        let clients = self.clients.iter().map(|(id, client)| {
            json!({ "client": id, "owner": client.is_owner, "unfinished": client.unfinished })
        });
        json!({
            "engines": engines.collect::<Vec<Value>>(), "ranks": self.are_ranks,
            "clients": clients.collect::<Vec<Value>>(), "tasks": self.tasks.len(),
            "queued": self.unsent(), "done": self.done, "functions": self.functions.len(),
            "function_bytes": self.function_bytes,
        })
    }

    fn queue_status(&self) -> Value {
        let engines = self.engines.iter().map(|(id, engine)| {
            let known = |queue: &std::collections::VecDeque<TaskId>| {
                queue.iter().filter(|task| self.tasks.contains_key(task)).count()
            };
            let counts = json!({
                "queue": known(&engine.queue), "tasks": engine.line.len(), "completed": engine.done,
            });
            (id.to_string(), counts)
        });
        let mut answer: serde_json::Map<String, Value> = engines.collect();
        answer.insert("unassigned".into(), json!(self.unsent()));
        Value::Object(answer)
    }
}
