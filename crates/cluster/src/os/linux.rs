//! Linux: abstract socket names, memfd, pidfd, parent-death signals, `wait4`.

use super::{End, Usage};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::{Pid, PidfdFlags, Signal};
use std::io::Result;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;

/// The abstract name of a user's cluster.
fn address(name: &str) -> Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new_abstract_name(format!("{}{name}", prefix()).as_bytes())?)
}

fn prefix() -> String {
    format!("windfall-{}-", rustix::process::getuid().as_raw())
}

fn socket() -> Result<OwnedFd> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    Ok(rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?)
}

/// Listens under the cluster's name; an error if somebody does already.
pub fn listen(name: &str) -> Result<OwnedFd> {
    let listener = socket()?;
    rustix::net::bind(&listener, &address(name)?)?;
    rustix::net::listen(&listener, 64)?;
    Ok(listener)
}

/// Connects to the cluster of that name, which must belong to the same user.
pub fn connect(name: &str) -> Result<OwnedFd> {
    let fd = socket()?;
    rustix::net::connect(&fd, &address(name)?)?;
    if is_same_user(fd.as_fd())? { Ok(fd) } else { Err(rustix::io::Errno::ACCESS.into()) }
}

/// Whether the process at the other end belongs to this user.
pub fn is_same_user(fd: BorrowedFd<'_>) -> Result<bool> {
    let peer = rustix::net::sockopt::socket_peercred(fd)?;
    Ok(peer.uid == rustix::process::getuid())
}

/// The process that listens at the other end; none if the system does not say.
pub fn listener(fd: BorrowedFd<'_>) -> Result<Option<u32>> {
    let peer = rustix::net::sockopt::socket_peercred(fd)?;
    Ok(u32::try_from(peer.pid.as_raw_nonzero().get()).ok())
}

/// The names of this user's clusters.
pub fn clusters() -> Vec<String> {
    let table = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let start = format!("@{}", prefix());
    // Only the line of the listening socket has the flag `00010000`.
    let listening = table.lines().filter(|line| line.split_whitespace().nth(3) == Some("00010000"));
    let names = listening.filter_map(|line| line.split_whitespace().nth(7)?.strip_prefix(&start));
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names
}

/// Memory of so many bytes behind a descriptor, with no name; its size is final.
pub fn memory(nbytes: u64) -> Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = rustix::fs::memfd_create("windfall", flags)?;
    rustix::fs::ftruncate(&fd, nbytes)?;
    rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW)?;
    Ok(fd)
}

/// Forbids writing for good; an error if the memory is mapped shared.
pub fn seal(fd: BorrowedFd<'_>) -> Result<()> {
    Ok(rustix::fs::fcntl_add_seals(fd, SealFlags::WRITE)?)
}

/// Whether nobody can write to it any more.
pub fn is_sealed(fd: BorrowedFd<'_>) -> bool {
    rustix::fs::fcntl_get_seals(fd).is_ok_and(|seals| seals.contains(SealFlags::WRITE))
}

/// Whether this process has written to none of these bytes, which a private mapping shows it.
pub fn is_unwritten(address: usize, nbytes: usize) -> bool {
    // Of each page the table says whether it is swapped (bit 62) or here (63), and if it is here
    // whether it is the segment's own (61): a page that was written to is a copy, which is not.
    const PAGES: usize = 8192;
    let page = rustix::param::page_size();
    let (first, end) = (address / page, (address + nbytes).div_ceil(page));
    let Ok(table) = std::fs::File::open("/proc/self/pagemap") else { return false };
    let mut words = vec![0u8; 8 * PAGES.min(end - first)];
    let is_shown = |word: &[u8]| {
        let word = word.try_into().map(u64::from_ne_bytes);
        word.is_ok_and(|word| matches!(word >> 61, 0b000 | 0b001 | 0b101))
    };
    (first..end).step_by(PAGES).all(|at| {
        let words = &mut words[..8 * PAGES.min(end - at)];
        table.read_exact_at(words, 8 * at as u64).is_ok() && words.chunks_exact(8).all(is_shown)
    })
}

/// Asks to be killed when the parent dies; false if it is dead already.
pub fn die_with_parent(parent: u32) -> Result<bool> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let now = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    Ok(now == parent as i32)
}

/// A descriptor that becomes readable when the process ends.
pub(crate) fn watch(pid: Pid) -> Result<Option<OwnedFd>> {
    Ok(Some(rustix::process::pidfd_open(pid, PidfdFlags::empty())?))
}

/// How a child ended; none while it runs.
pub(crate) fn reap(pid: Pid) -> Option<End> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to live variables of the types that `wait4` writes; a zeroed
    // `rusage` of integers is valid even if the call writes nothing.
    let (found, usage) = unsafe {
        let pid = pid.as_raw_nonzero().get();
        (libc::wait4(pid, &raw mut status, libc::WNOHANG, usage.as_mut_ptr()), usage.assume_init())
    };
    match found {
        0 => None,
        -1 => Some(End::default()),
        _ => Some(End {
            signal: libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status)),
            exit: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
            peak_bytes: u64::try_from(usage.ru_maxrss).ok().map(|kilobytes| kilobytes * 1024),
        }),
    }
}

/// What a process takes now; none if it is gone.
pub fn usage(pid: u32) -> Option<Usage> {
    let pages = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = pages.split_whitespace().nth(1)?.parse().ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, in brackets, may hold spaces; time is in hundredths of a second.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let user: f64 = fields.nth(11)?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    let rss_bytes = pages * rustix::param::page_size() as u64;
    Some(Usage { rss_bytes, cpu_s: (user + system) / 100.0 })
}
