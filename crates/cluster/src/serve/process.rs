//! An engine's process: its socket, what it prints by itself, its end.

use super::{Options, THREAD_VARIABLES};
use crate::message::{EngineId, Message};
use crate::os;
use crate::wire::Wire;
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Command, Stdio};

/// Text read from an engine's output at a time, in bytes.
const TEXT_BYTES: usize = 16 * 1024;

pub(super) struct Process {
    pub pid: Pid,
    pub wire: Wire,
    /// Its standard output and error, both.
    pub text: Option<OwnedFd>,
    /// Readable when the process has ended.
    pub watch: Option<OwnedFd>,
    /// Whether its socket is of no use any more.
    pub is_cut: bool,
    /// Whether it is a rank of MPI, which was started by others; rank 0 stands at the other end of
    /// the socket.
    pub is_rank: bool,
    /// Whether rank 0 has said that it came to its end.
    pub has_ended: bool,
}

impl Process {
    pub fn start(engine: EngineId, options: &Options) -> std::io::Result<Self> {
        let (here, there) = os::pair()?;
        let (text, output) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        os::unblock(text.as_fd())?;
        let threads = options.threads.map(|threads| threads.to_string());
        let budget = threads.iter().flat_map(|t| THREAD_VARIABLES.iter().map(move |v| (v, t)));
        let child = Command::new(&options.command[0])
            .args(&options.command[1..])
            .envs(budget)
            .envs(&options.environment)
            .stdin(Stdio::from(there))
            .stderr(Stdio::from(output.try_clone()?))
            .stdout(Stdio::from(output))
            .spawn()?;
        let pid = Pid::from_child(&child);
        let mut wire = Wire::new(here);
        wire.outbox.push(&Message::welcome(engine));
        let (text, watch) = (Some(text), os::watch(pid)?);
        Ok(Self { pid, wire, text, watch, is_cut: false, is_rank: false, has_ended: false })
    }

    /// A rank of MPI: its end is seen at once if it is on this machine.
    pub fn of_rank(wire: Wire, pid: Pid, is_here: bool) -> Self {
        let watch = if is_here { os::watch(pid).ok().flatten() } else { None };
        Self { pid, wire, text: None, watch, is_cut: false, is_rank: true, has_ended: false }
    }

    /// Whether nobody tells of its end.
    pub fn is_unwatched(&self) -> bool {
        self.watch.is_none() && !self.is_rank
    }

    /// Ends a process that cannot be talked to.
    pub fn cut(&mut self) {
        self.is_cut = true;
        if self.is_rank {
            let _ = rustix::net::shutdown(self.wire.fd(), rustix::net::Shutdown::Both);
            return;
        }
        let _ = kill_process(self.pid, Signal::KILL);
    }

    /// What it printed; none if there is nothing now.
    pub fn read_text(&mut self) -> Option<Vec<u8>> {
        let mut text = vec![0; TEXT_BYTES];
        match rustix::io::read(self.text.as_ref()?, &mut text) {
            Ok(0) => self.text = None,
            Ok(count) => {
                text.truncate(count);
                return Some(text);
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(_) => self.text = None,
        }
        None
    }
}
