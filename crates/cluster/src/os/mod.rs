//! What the operating system is asked for: Linux by its best means, other Unix by portable ones.
//!
//! On Linux nothing has a name in the file system: a cluster is found by an abstract socket name
//! and memory lies behind descriptors, so that nothing is left behind even if every process is
//! killed at once. Elsewhere a socket lies in a directory of mode 0700.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(not(target_os = "linux"), test))]
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "compiled for its tests"))]
mod portable;

#[cfg(target_os = "linux")]
mod threads;
#[cfg(any(not(target_os = "linux"), test))]
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "compiled for its tests"))]
mod threads_portable;

#[cfg(target_os = "linux")]
pub use linux::*;
#[cfg(not(target_os = "linux"))]
pub use portable::*;
#[cfg(target_os = "linux")]
pub use threads::*;
#[cfg(not(target_os = "linux"))]
pub use threads_portable::*;

use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::io::Result;

/// How a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// Somebody woke this thread, or the word was no longer as expected.
    Woken,
    /// The time was up.
    Over,
    /// A signal came.
    Signal,
}

/// How a process ended and what it had taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// Its exit status, if it ended by itself.
    pub exit: Option<i32>,
    /// The most memory it had at any time, in bytes; none where the system does not say.
    pub peak_bytes: Option<u64>,
}

/// What a process takes now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Memory in use, in bytes.
    pub rss_bytes: u64,
    /// Processor time so far, in seconds.
    pub cpu_s: f64,
}

/// Asks a process to end, which it may take its time for.
pub fn terminate(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

/// Takes as many descriptors as the system grants: segments under way need one each.
pub fn raise_limits() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let granted = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: granted.maximum, ..granted });
}

/// Leaves the terminal's session, so that neither Ctrl-C nor its end reaches this process.
pub fn detach() {
    // It fails only for the leader of a session, which has none to leave.
    let _ = rustix::process::setsid();
}

/// Two ends of a stream between a controller and an engine, closed in programs they start.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let kind = (AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC);
    Ok(rustix::net::socketpair(kind.0, kind.1, kind.2, None)?)
}

/// Makes reads and writes return at once.
pub fn unblock(fd: BorrowedFd<'_>) -> Result<()> {
    Ok(rustix::io::ioctl_fionbio(fd, true)?)
}

/// Takes a connection; only one of the same user is let in.
pub fn accept(listener: BorrowedFd<'_>) -> Result<OwnedFd> {
    let fd = rustix::net::accept(listener)?;
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    if is_same_user(rustix::fd::AsFd::as_fd(&fd))? {
        return Ok(fd);
    }
    Err(rustix::io::Errno::ACCESS.into())
}

/// A file on disk without a name; what is in it goes when the last descriptor does.
pub fn unnamed_file() -> Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let mode = Mode::RUSR | Mode::WUSR;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut last = rustix::io::Errno::EXIST;
    for attempt in 0..1000u32 {
        let path = format!("/var/tmp/windfall-{}-{attempt}", std::process::id());
        match rustix::fs::open(&path, flags, mode) {
            Ok(fd) => {
                rustix::fs::unlink(&path)?;
                return Ok(fd);
            }
            Err(error) => last = error,
        }
        if last != rustix::io::Errno::EXIST {
            break;
        }
    }
    Err(last.into())
}
