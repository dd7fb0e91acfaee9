//! Clients: who is connected, which functions they sent, what becomes of their tasks.

use super::{Comm, Controller};
use crate::message::{Bytes, ClientId, Message, Name};

/// The most that functions may take together, in bytes.
const FUNCTION_BYTES_MAX: usize = 512 << 20;

#[derive(Debug)]
pub(super) struct Client {
    pub is_owner: bool,
    pub unfinished: u64,
}

impl Controller {
    pub(super) fn client_came(&mut self, client: ClientId, is_owner: bool, comm: &mut impl Comm) {
        self.clients.insert(client, Client { is_owner, unfinished: 0 });
        comm.to_client(client, Message::Welcome { id: client });
        comm.to_client(client, Message::Engines(self.notes()));
    }

    /// A client that is gone leaves its tasks: they go on and their outcomes are kept.
    pub(super) fn client_gone(&mut self, client: ClientId, comm: &mut impl Comm) {
        let Some(gone) = self.clients.remove(&client) else { return };
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
