//! Runs a cluster: gives the controller sockets, processes and a clock, on one thread that polls.

mod io;
mod kept;
mod process;
mod ranks;

use crate::controller::{Controller, Event};
use crate::message::{ClientId, EngineId, Message};
use crate::os;
use crate::watch::Watch;
use crate::wire::{Read, Wire};
use io::Io;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, OwnedFd};
use serde::Deserialize;
use std::collections::BTreeMap;
use windfall_core::{Error, Result, Version, now_us};

/// How long engines have to end by themselves when the cluster stops, in microseconds.
const STOP_US: u64 = 200_000;

/// The variables by which numerical libraries are told how many threads they may start.
pub const THREAD_VARIABLES: [&str; 9] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
];

/// How to run a cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The program that is an engine, with its arguments; its standard input is the socket. None
    /// if the engines are ranks of MPI, which come by themselves; rank 0 is this process's parent.
    #[serde(default)]
    pub command: Vec<String>,
    /// Variables of the engines' environment, beside those of this process.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How many engines to start.
    pub engines: u32,
    /// Threads that numerical libraries may start in an engine, told to them by their variables
    /// before they are loaded; none leaves those as they are.
    #[serde(default)]
    pub threads: Option<u32>,
    /// Whether the cluster ends by itself when no owner has come within so many seconds.
    #[serde(default)]
    pub owner_within_s: Option<f64>,
}

/// Runs the cluster `name` until it is stopped.
///
/// # Errors
/// [`windfall_core::ErrorKind::Io`] if the name is taken or the system refuses a socket.
pub fn serve(name: &str, options: Options) -> Result<()> {
    let listener = os::listen(name).map_err(|error| {
        let failed = Error::io(format!("cluster {name}"), error);
        failed.hint("a cluster of that name may be running: `windfall status`; or choose another")
    })?;
    os::raise_limits();
    let mut io = Io::new(options);
    let (engines, are_ranks) = (io.options.engines, io.options.command.is_empty());
    let orphan_at = io.options.owner_within_s.map(|s| now_us() + (s * 1e6) as u64);
    let (watch, next_client) = (Watch::default(), 1);
    let mut server =
        Server { listener, watch, next_client, orphan_at, lead: None, joined_by: None };
    if are_ranks {
        (server.lead, server.joined_by) = (ranks::lead(), Some(now_us() + ranks::JOIN_US));
        return server.run(&mut Controller::of_ranks(engines, &mut io), &mut io);
    }
    server.run(&mut Controller::new(engines, &mut io), &mut io)
}

struct Server {
    listener: OwnedFd,
    watch: Watch,
    next_client: ClientId,
    /// When the cluster ends if no owner has come.
    orphan_at: Option<u64>,
    /// Readable when rank 0 has ended.
    lead: Option<OwnedFd>,
    /// When all ranks must have come.
    joined_by: Option<u64>,
}

/// What became readable or writable.
#[derive(Clone, Copy)]
enum Source {
    Listener,
    Client(ClientId),
    Engine(EngineId),
    Text(EngineId),
    Process(EngineId),
    Lead,
}

impl Server {
    fn run(mut self, controller: &mut Controller, io: &mut Io) -> Result<()> {
        loop {
            io.flush();
            self.settle(controller, io);
            if controller.is_over() && io.engines.is_empty() {
                io.flush();
                return Ok(());
            }
            let ready = self.poll(controller, io)?;
            for (source, flags) in ready {
                self.serve(source, flags, controller, io);
            }
            let now = now_us();
            if controller.wakes_at_us().is_some_and(|at| at <= now) {
                controller.on(now, Event::Tick, io);
            }
            if self.orphan_at.is_some_and(|at| at <= now) {
                self.orphan_at = None;
                controller.on(now, Event::FromClient(0, stop()), io);
            }
            if self.joined_by.is_some_and(|at| at <= now) {
                self.joined_by = None;
                if io.engines.len() < io.options.engines as usize {
                    controller.on(now, Event::RankGone(0), io);
                }
            }
            if io.kill_at.is_some_and(|at| at <= now) {
                io.kill_all();
            }
        }
    }

    /// Tells the controller of the losses that acting on other events has brought.
    fn settle(&mut self, controller: &mut Controller, io: &mut Io) {
        loop {
            let lost = io.lost_clients();
            for client in &lost {
                io.clients.remove(client);
                controller.on(now_us(), Event::ClientGone(*client), io);
            }
            let pending = std::mem::take(&mut io.pending);
            if lost.is_empty() && pending.is_empty() {
                return;
            }
            for event in pending {
                controller.on(now_us(), event, io);
            }
            io.flush();
        }
    }

    fn poll(&self, controller: &Controller, io: &Io) -> Result<Vec<(Source, PollFlags)>> {
        let mut sources = vec![Source::Listener];
        let mut fds = vec![PollFd::new(&self.listener, PollFlags::IN)];
        let wanted = |wire: &Wire| match wire.outbox.waiting_bytes() {
            0 => PollFlags::IN,
            _ => PollFlags::IN | PollFlags::OUT,
        };
        for (id, wire) in &io.clients {
            sources.push(Source::Client(*id));
            fds.push(PollFd::from_borrowed_fd(wire.fd(), wanted(wire)));
        }
        for (id, process) in &io.engines {
            if !process.is_cut {
                sources.push(Source::Engine(*id));
                fds.push(PollFd::from_borrowed_fd(process.wire.fd(), wanted(&process.wire)));
            }
            if let Some(text) = &process.text {
                sources.push(Source::Text(*id));
                fds.push(PollFd::new(text, PollFlags::IN));
            }
            if let Some(watch) = &process.watch {
                sources.push(Source::Process(*id));
                fds.push(PollFd::new(watch, PollFlags::IN));
            }
        }
        if let Some(lead) = &self.lead {
            sources.push(Source::Lead);
            fds.push(PollFd::new(lead, PollFlags::IN));
        }
        let wakes = [controller.wakes_at_us(), io.kill_at, self.orphan_at, self.joined_by];
        let wakes_at = wakes.into_iter().chain([io.reaps_at_us()]).flatten().min();
        match self.watch.poll(&mut fds, wakes_at.map(|at| at.saturating_sub(now_us()))) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Error::io("poll", error)),
        }
        let seen = sources.into_iter().zip(fds.iter().map(PollFd::revents));
        let mut ready: Vec<_> = seen.filter(|(_, flags)| !flags.is_empty()).collect();
        let unwatched = io.engines.iter().filter(|(_, process)| process.is_unwatched());
        ready.extend(unwatched.map(|(id, _)| (Source::Process(*id), PollFlags::IN)));
        Ok(ready)
    }

    fn serve(
        &mut self,
        source: Source,
        flags: PollFlags,
        controller: &mut Controller,
        io: &mut Io,
    ) {
        match source {
            Source::Listener => self.accept(io),
            Source::Client(id) => self.serve_client(id, controller, io),
            Source::Engine(id) if flags.intersects(PollFlags::IN | PollFlags::HUP) => {
                serve_engine(id, controller, io);
            }
            Source::Engine(_) => {}
            Source::Text(id) => {
                if let Some(text) = io.engines.get_mut(&id).and_then(process::Process::read_text) {
                    controller.on(now_us(), Event::EngineText(id, text.into()), io);
                }
            }
            Source::Process(id) => reap(id, controller, io),
            Source::Lead => {
                self.lead = None;
                controller.on(now_us(), Event::RankGone(0), io);
            }
        }
    }

    fn accept(&mut self, io: &mut Io) {
        if let Ok(fd) = os::accept(self.listener.as_fd()) {
            io.clients.insert(self.next_client, Wire::new(fd));
            self.next_client += 1;
        }
    }

    fn serve_client(&mut self, id: ClientId, controller: &mut Controller, io: &mut Io) {
        let Some(wire) = io.clients.get_mut(&id) else { return };
        let mut read = wire.read();
        loop {
            let Some(wire) = io.clients.get_mut(&id) else { return };
            match wire.inbox.take() {
                Ok(Some(Message::Hello { version, .. })) if version != Version::here() => {
                    // It learns our version, and says so.
                    wire.outbox.push(&Message::welcome(id));
                    let _ = wire.flush();
                    return io.cut_client(id);
                }
                Ok(Some(Message::Hello { is_owner, .. })) => {
                    if is_owner {
                        self.orphan_at = None;
                    }
                    controller.on(now_us(), Event::ClientCame { client: id, is_owner }, io);
                }
                Ok(Some(Message::Join { engine, pid, host })) => {
                    return ranks::join((id, engine), pid, host, controller, io);
                }
                Ok(Some(message)) => controller.on(now_us(), Event::FromClient(id, message), io),
                Ok(None) => break,
                Err(_) => {
                    // Not one of ours: it is cut off.
                    read = Read::End;
                    break;
                }
            }
        }
        if read == Read::End {
            io.cut_client(id);
        }
    }
}

fn stop() -> Message {
    Message::Request { request: 0, json: r#"{"do":"stop"}"#.into() }
}

/// Takes what an engine said.
fn serve_engine(id: EngineId, controller: &mut Controller, io: &mut Io) {
    let Some(process) = io.engines.get_mut(&id) else { return };
    if process.wire.read() == Read::End {
        if process.is_rank {
            return ranks::cut(id, controller, io);
        }
        // A process without its socket is of no use: its end is what counts.
        process.cut();
    }
    take_messages(id, controller, io);
}

fn take_messages(id: EngineId, controller: &mut Controller, io: &mut Io) {
    while let Some(process) = io.engines.get_mut(&id) {
        match process.wire.inbox.take() {
            Ok(Some(Message::Stop)) => process.has_ended = true,
            Ok(Some(message)) => controller.on(now_us(), Event::FromEngine(id, message), io),
            Ok(None) => return,
            Err(_) => return process.cut(),
        }
    }
}

/// Learns how an engine's process ended, after everything it has said.
fn reap(id: EngineId, controller: &mut Controller, io: &mut Io) {
    let Some(process) = io.engines.get_mut(&id) else { return };
    if process.is_rank {
        return ranks::leave(id, controller, io);
    }
    let Some(end) = os::reap(process.pid) else { return };
    while process.wire.read() == Read::Some {}
    take_messages(id, controller, io);
    let Some(mut process) = io.engines.remove(&id) else { return };
    while let Some(text) = process.read_text() {
        controller.on(now_us(), Event::EngineText(id, text.into()), io);
    }
    controller.on(now_us(), Event::EngineGone(id, end), io);
}
