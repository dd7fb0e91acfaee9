//! Other Unix: threads by process and count, sleep in short naps, descriptors of this process only.

use super::Sleep;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::Pid;
use std::io::Result;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// The longest nap, in seconds: there is no portable way to be woken by another process.
const NAP_S: f64 = 0.0005;

/// The calling thread: its process in the low half, a count of threads in the high half.
pub fn thread() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    COUNT.fetch_add(1, Ordering::Relaxed) << 32 | u64::from(std::process::id())
}

/// The process itself.
pub fn process(pid: u32) -> Option<u64> {
    Some(u64::from(pid))
}

/// Whether the thread's process still runs; the end of a single thread is not noticed here.
pub fn is_alive(thread: u64) -> bool {
    let pid = Pid::from_raw(thread as u32 as i32);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(Errno::SRCH))
}

/// Sleeps for at most `seconds` while the word is `expected`.
pub fn sleep(word: &AtomicU32, expected: u32, seconds: f64) -> Sleep {
    let mut left = seconds;
    while word.load(Ordering::Acquire) == expected {
        if left <= 0.0 {
            return Sleep::Over;
        }
        std::thread::sleep(Duration::from_secs_f64(left.min(NAP_S)));
        left -= NAP_S;
    }
    Sleep::Woken
}

/// Whoever sleeps wakes by itself.
pub fn wake(_: &AtomicU32, _: u32) {}

/// Only the descriptors of this process can be opened by their number.
pub fn open_elsewhere(pid: u32, fd: i32) -> Result<OwnedFd> {
    if pid != std::process::id() {
        return Err(Errno::NOTSUP.into());
    }
    Ok(rustix::fs::open(
        format!("/dev/fd/{fd}"),
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_differ_and_live_as_long_as_their_process() {
        let (one, other) = (thread(), thread());
        assert!(one != other && is_alive(one) && is_alive(process(one as u32).unwrap()));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let child_thread = process(child.id()).unwrap();
        assert!(is_alive(child_thread));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_alive(child_thread));
    }

    #[test]
    fn a_nap_ends_by_time_or_by_the_word() {
        let word = AtomicU32::new(1);
        assert_eq!(sleep(&word, 1, 0.001), Sleep::Over);
        assert_eq!(sleep(&word, 0, 60.0), Sleep::Woken);
    }
}
