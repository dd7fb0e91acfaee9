//! Waits for descriptors: awake for a moment where the last answer came at once, asleep otherwise.
//!
//! To wake a core that sleeps takes some tens of microseconds, as long as a short task and its way
//! there and back. Whoever has just been answered so soon looks again and again before it sleeps,
//! and lets others run between two looks.

use rustix::event::{PollFd, Timespec, poll};
use std::sync::atomic::{AtomicBool, Ordering};
use windfall_core::Stopwatch;

/// How long to stay awake, in microseconds.
const AWAKE_US: u64 = 50;
/// The longest wait after which the next one may be as short, in microseconds: it includes what
/// waking up has taken.
const SOON_US: u64 = 150;

/// Whoever waits, and whether it was answered soon.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Whether the last wait in which it slept was a short one.
    is_brisk: AtomicBool,
}

impl Watch {
    /// Waits until one of `fds` is ready, at most so many microseconds; says how many are.
    ///
    /// # Errors
    /// What `poll` reports: [`rustix::io::Errno::INTR`] after a signal that came while it slept.
    pub fn poll(&self, fds: &mut [PollFd<'_>], limit_us: Option<u64>) -> rustix::io::Result<usize> {
        let stopwatch = Stopwatch::start();
        let waited_us = || stopwatch.elapsed_ns() / 1000;
        if self.is_brisk.load(Ordering::Relaxed) {
            let awake_us = limit_us.map_or(AWAKE_US, |limit| limit.min(AWAKE_US));
            while waited_us() < awake_us {
                let ready = poll(fds, Some(&timespec(0)))?;
                if ready > 0 {
                    return Ok(ready);
                }
                std::thread::yield_now();
            }
        }
        let ready = poll(fds, limit_us.map(timespec).as_ref());
        self.is_brisk.store(waited_us() < SOON_US, Ordering::Relaxed);
        ready
    }
}

fn timespec(us: u64) -> Timespec {
    Timespec { tv_sec: (us / 1_000_000) as i64, tv_nsec: (us % 1_000_000 * 1000) as i64 }
}
