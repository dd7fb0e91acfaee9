//! Linux threads: who one is, whether one lives, and how one sleeps on a word of shared memory.

use super::Sleep;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};
use std::io::Result;
use std::sync::atomic::AtomicU32;

/// The calling thread: its number in the low half, when it started in the high half.
///
/// Numbers are given again after a while, the pair is not.
pub fn thread() -> u64 {
    let number = rustix::thread::gettid().as_raw_nonzero().get() as u32;
    identity(number).unwrap_or_else(|| u64::from(number))
}

/// The first thread of a process.
pub fn process(pid: u32) -> Option<u64> {
    identity(pid)
}

/// Whether that thread still runs.
pub fn is_alive(thread: u64) -> bool {
    identity(thread as u32) == Some(thread)
}

/// The identity of the thread that now has this number; none if it has ended.
fn identity(number: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the state is the third field, the start the
    // twenty-second.
    let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X" | "x");
    let ticks: u64 = fields.nth(18)?.parse().ok()?;
    (!ended).then(|| ticks << 32 | u64::from(number))
}

/// Sleeps for at most `seconds` while the word is `expected`.
pub fn sleep(word: &AtomicU32, expected: u32, seconds: f64) -> Sleep {
    let time = Timespec { tv_sec: seconds as i64, tv_nsec: (seconds.fract() * 1e9) as _ };
    match futex::wait(word, Flags::empty(), expected, Some(&time)) {
        Err(Errno::TIMEDOUT) => Sleep::Over,
        Err(Errno::INTR) => Sleep::Signal,
        _ => Sleep::Woken,
    }
}

/// Wakes at most `count` of those who sleep on the word, in whatever process.
pub fn wake(word: &AtomicU32, count: u32) {
    let _ = futex::wake(word, Flags::empty(), count.min(i32::MAX as u32));
}

/// Opens what another process of this user has open under the number `fd`.
pub fn open_elsewhere(pid: u32, fd: i32) -> Result<OwnedFd> {
    let path = format!("/proc/{pid}/fd/{fd}");
    Ok(rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_lives_until_it_ends() {
        let (me, other) = (thread(), std::thread::spawn(thread).join().unwrap());
        assert!(is_alive(me) && me != other);
        while is_alive(other) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_zombie_is_dead() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other = process(child.id()).unwrap();
        assert!(is_alive(other));
        child.kill().unwrap();
        while is_alive(other) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
