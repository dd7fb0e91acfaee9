//! Ranks of MPI as engines: rank 0 brings their connections and passes on what is said.

use super::process::Process;
use super::{Io, take_messages};
use crate::controller::{Controller, Event};
use crate::message::{ClientId, EngineId, Message};
use crate::os;
use crate::wire::Read;
use rustix::fd::OwnedFd;
use rustix::process::{Pid, getppid};
use windfall_core::now_us;

/// How long rank 0 may take to bring all connections, in microseconds.
pub(super) const JOIN_US: u64 = 30_000_000;

/// What becomes readable when rank 0, the parent of this process, has ended.
pub(super) fn lead() -> Option<OwnedFd> {
    getppid().and_then(|lead| os::watch(lead).ok().flatten())
}

/// Lets what connected as a client be an engine.
pub(super) fn join(
    (client, engine): (ClientId, EngineId),
    pid: u32,
    host: String,
    controller: &mut Controller,
    io: &mut Io,
) {
    let is_expected = io.options.command.is_empty()
        && engine < io.options.engines
        && !io.engines.contains_key(&engine);
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let (true, Some(pid)) = (is_expected, pid) else { return io.cut_client(client) };
    let Some(wire) = io.clients.remove(&client) else { return };
    io.engines.insert(engine, Process::of_rank(wire, pid, host.is_empty()));
    controller.on(now_us(), Event::RankCame(engine, host), io);
    crate::controller::Comm::to_engine(io, engine, Message::welcome(engine));
    take_messages(engine, controller, io);
}

/// Rank 0 has closed a rank's connection: it says `Stop` before if that rank has come to its end,
/// and if not, it is rank 0 that is gone.
pub(super) fn cut(id: EngineId, controller: &mut Controller, io: &mut Io) {
    take_messages(id, controller, io);
    match io.engines.get_mut(&id) {
        Some(process) if process.has_ended => leave(id, controller, io),
        Some(process) => process.cut(),
        None => {}
    }
}

/// A rank has ended, after everything it has said.
pub(super) fn leave(id: EngineId, controller: &mut Controller, io: &mut Io) {
    if let Some(process) = io.engines.get_mut(&id) {
        while process.wire.read() == Read::Some {}
    }
    take_messages(id, controller, io);
    if io.engines.remove(&id).is_some() {
        controller.on(now_us(), Event::RankGone(id + 1), io);
    }
}
