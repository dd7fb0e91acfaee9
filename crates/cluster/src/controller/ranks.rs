//! Engines that are ranks of MPI: they come by themselves, and the end of one is the end of all.

use super::requests::Request;
use super::{Comm, Controller, SIGKILL};
use crate::message::{EngineId, Payload, Status, TaskId};
use serde_json::{Value, json};

impl Controller {
    pub(super) fn rank_came(&mut self, id: EngineId, host: String) {
        if let Some(engine) = self.engines.get_mut(&id) {
            engine.host = host;
        }
    }

    /// A rank has ended. Unless the cluster is about to stop, MPI ends all of them: every task is
    /// lost by the doing of this one.
    pub(super) fn rank_gone(&mut self, rank: u32, comm: &mut impl Comm) {
        let id = rank.checked_sub(1);
        let gone = id.and_then(|id| self.engines.remove(&id));
        if let (Some(id), Some(engine)) = (id, &gone) {
            engine.free_at.map(|at| self.free.remove(&(at, id)));
            engine.recalls_at.map(|at| self.recalls.remove(&(at, id)));
        }
        if rank == 0 {
            self.engines.retain(|_, engine| engine.pid != 0); // who has not come will not
        }
        let (pid, host) = gone.map_or((0, String::new()), |engine| (engine.pid, engine.host));
        let is_asked = self.is_stopping;
        if !is_asked {
            self.stop(comm);
        } else if !self.engines.is_empty() {
            return;
        }
        let cause = json!({
            "rank": rank, "engine": id, "pid": pid, "host": host, "asked": is_asked,
        });
        let mut lost: Vec<TaskId> = self.tasks.keys().copied().collect();
        lost.sort_unstable();
        for task in lost {
            let mut cause = cause.clone();
            cause["label"] = json!(self.tasks[&task].submission.label);
            cause["running"] = json!(id.is_some() && self.tasks[&task].sent_to == id);
            let payload = Payload::of(cause.to_string().into_bytes());
            let now = [self.now, self.now];
            self.finish(task, (Status::Lost, id.unwrap_or(0), now, payload), comm);
        }
        self.announce(comm);
    }

    /// Why a request cannot be met where the engines are ranks of MPI, if it cannot.
    pub(super) fn refused_to_ranks(&self, request: &Request) -> Option<Value> {
        let what = match request {
            _ if !self.are_ranks => return None,
            Request::Restart { .. } => "an engine cannot be restarted",
            Request::Add { .. } => "no engine can be added",
            Request::Remove { .. } => "no engine can go alone",
            Request::Signal { signal: SIGKILL, .. } => "no engine can be killed alone",
            _ => return None,
        };
        let why = "the engines are ranks of MPI, which begin and end together";
        let hint = "hint: stop the cluster and start another";
        Some(json!({ "error": format!("{what}: {why}\n{hint}") }))
    }
}
