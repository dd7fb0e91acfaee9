//! Other Unix: a socket in a directory of mode 0700, memory in a file without a name.

use super::{End, Usage};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use rustix::process::{Pid, WaitOptions};
use std::io::Result;
use std::path::PathBuf;

/// The directory of this user's sockets.
fn directory() -> PathBuf {
    PathBuf::from(format!("/tmp/windfall-{}", rustix::process::getuid().as_raw()))
}

/// The directory, made if need be, and refused unless it is this user's and no one else's.
fn private_directory() -> Result<PathBuf> {
    let path = directory();
    match rustix::fs::mkdir(&path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let found = rustix::fs::lstat(&path)?;
    let is_private = found.st_mode & 0o77 == 0;
    if found.st_uid == rustix::process::getuid().as_raw() && is_private {
        return Ok(path);
    }
    Err(Errno::ACCESS.into())
}

fn socket() -> Result<OwnedFd> {
    let fd = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    Ok(fd)
}

/// Nobody says which pages were written to.
pub fn is_unwritten(_: usize, _: usize) -> bool {
    false
}

/// Listens under the cluster's name; a socket that nobody listens to any more is replaced.
pub fn listen(name: &str) -> Result<OwnedFd> {
    let path = private_directory()?.join(name);
    if connect(name).is_ok() {
        return Err(Errno::ADDRINUSE.into());
    }
    let _ = std::fs::remove_file(&path);
    let listener = socket()?;
    rustix::net::bind(&listener, &SocketAddrUnix::new(&path)?)?;
    rustix::net::listen(&listener, 64)?;
    Ok(listener)
}

/// Connects to the cluster of that name.
pub fn connect(name: &str) -> Result<OwnedFd> {
    let fd = socket()?;
    rustix::net::connect(&fd, &SocketAddrUnix::new(private_directory()?.join(name))?)?;
    Ok(fd)
}

/// The directory lets no other user in.
pub fn is_same_user(_: BorrowedFd<'_>) -> Result<bool> {
    private_directory().map(|_| true)
}

/// No system but Linux says it alike.
pub fn listener(_: BorrowedFd<'_>) -> Result<Option<u32>> {
    Ok(None)
}

/// The names of this user's clusters.
pub fn clusters() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory()) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| connect(name).is_ok()).collect();
    names.sort_unstable();
    names
}

/// Memory of so many bytes behind a descriptor: a file whose name is taken away at once.
pub fn memory(nbytes: u64) -> Result<OwnedFd> {
    let fd = super::unnamed_file()?;
    rustix::fs::ftruncate(&fd, nbytes)?;
    Ok(fd)
}

/// There are no seals here: whoever makes a segment writes to it once and no more.
pub fn seal(_: BorrowedFd<'_>) -> Result<()> {
    Ok(())
}

/// Segments are written once, by the rule above.
pub fn is_sealed(_: BorrowedFd<'_>) -> bool {
    true
}

/// There is no such wish here: an engine ends when its socket does. False if the parent is dead.
pub fn die_with_parent(parent: u32) -> Result<bool> {
    let now = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    Ok(now == parent as i32)
}

/// There is no such descriptor here: the end of the socket tells.
pub(crate) fn watch(_: Pid) -> Result<Option<OwnedFd>> {
    Ok(None)
}

/// How a child ended; none while it runs.
pub(crate) fn reap(pid: Pid) -> Option<End> {
    match rustix::process::waitpid(Some(pid), WaitOptions::NOHANG) {
        Ok(None) => None,
        Ok(Some((_, status))) => Some(End {
            signal: status.terminating_signal(),
            exit: status.exit_status(),
            peak_bytes: None,
        }),
        Err(_) => Some(End::default()),
    }
}

/// What a process takes is not asked for here.
pub fn usage(_: u32) -> Option<Usage> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_found_by_its_name_and_only_once() {
        let name = format!("test-{}", std::process::id());
        let listener = listen(&name).unwrap();
        assert_eq!(listen(&name).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
        assert!(clusters().contains(&name));
        let _client = connect(&name).unwrap();
        drop(listener);
        // A process that another test has just forked may have it open until it runs its program.
        let is_gone = |_| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            connect(&name).is_err()
        };
        assert!((0..1000).any(is_gone));
        drop(listen(&name).unwrap());
        std::fs::remove_file(directory().join(&name)).unwrap();
    }

    #[test]
    fn memory_has_its_size_and_no_name() {
        let fd = memory(1 << 20).unwrap();
        let found = rustix::fs::fstat(&fd).unwrap();
        assert_eq!((found.st_size, found.st_nlink), (1 << 20, 0));
    }
}
