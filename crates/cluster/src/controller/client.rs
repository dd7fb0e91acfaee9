//! Clients: who is connected, which functions they sent, what becomes of their tasks.

use super::{Comm, Controller};
use crate::message::{Bytes, ClientId, Message, Name, Outcome, TaskId};
use std::collections::VecDeque;

/// The most that functions may take together, in bytes.
const FUNCTION_BYTES_MAX: usize = 512 << 20;

/// What is remembered of the outcomes that a client was sent, in bytes: should it die before it has
/// done anything with them, another can fetch them.
const DELIVERED_BYTES_MAX: usize = 16 << 20;
/// What an outcome takes beside its payload, in bytes.
const OUTCOME_BYTES: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Client {
    pub is_owner: bool,
    pub unfinished: u64,
    /// It has said that it needs nothing any more.
    pub is_leaving: bool,
    /// The latest outcomes that it was sent, the oldest first.
    delivered: VecDeque<Outcome>,
    delivered_bytes: usize,
}

impl Client {
    pub fn note_delivered(&mut self, outcome: &Outcome) {
        let nbytes = |outcome: &Outcome| outcome.payload.nbytes() + OUTCOME_BYTES;
        if nbytes(outcome) > DELIVERED_BYTES_MAX {
            return;
        }
        self.delivered.push_back(outcome.clone());
        self.delivered_bytes += nbytes(outcome);
        while self.delivered_bytes > DELIVERED_BYTES_MAX {
            let Some(oldest) = self.delivered.pop_front() else { break };
            self.delivered_bytes -= nbytes(&oldest);
        }
    }

    /// The outcome of a task that it was sent, if it is remembered.
    pub fn delivered(&self, task: TaskId) -> Option<&Outcome> {
        self.delivered.iter().find(|outcome| outcome.task == task)
    }
}

impl Controller {
    pub(super) fn client_came(&mut self, client: ClientId, is_owner: bool, comm: &mut impl Comm) {
        self.clients.insert(client, Client { is_owner, ..Client::default() });
        comm.to_client(client, Message::welcome(client));
        comm.to_client(client, Message::Engines(self.notes()));
    }

    /// A client that is gone leaves its tasks: they go on and their outcomes are kept, and so are
    /// the latest that it was sent, unless it took its leave.
    pub(super) fn client_gone(&mut self, client: ClientId, comm: &mut impl Comm) {
        let Some(gone) = self.clients.remove(&client) else { return };
        if !gone.is_leaving {
            gone.delivered.into_iter().for_each(|outcome| comm.keep(outcome));
        }
        if gone.is_owner {
            self.stop(comm);
        }
        if self.clients.is_empty() && self.tasks.is_empty() {
            self.forget_functions();
        }
    }

    /// Keeps a function's bytes for the engines that will need it.
    pub(super) fn learn(&mut self, name: Name, body: Bytes) {
        if self.function_bytes + body.len() > FUNCTION_BYTES_MAX {
            // Functions of finished tasks go first; a client sends again what is missing.
            self.forget_functions();
        }
        self.function_bytes += body.len();
        if let Some(old) = self.functions.insert(name, body) {
            self.function_bytes -= old.len();
        }
    }

    /// Drops the functions that no unfinished task needs.
    fn forget_functions(&mut self) {
        let used: std::collections::HashSet<Name> =
            self.tasks.values().filter_map(|task| task.submission.function).collect();
        self.functions.retain(|name, _| used.contains(name));
        self.function_bytes = self.functions.values().map(|body| body.len()).sum();
    }
}
