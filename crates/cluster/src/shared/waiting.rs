//! How a thread waits: a short spin, then sleeps of growing length with a look around after each.

use super::board::{Entry, Processes, Wait};
use super::graph::{Deadlock, Want, deadlock};
use super::memory::Word;
use super::object::Object;
use super::party::Party;
use crate::os::Sleep;
use windfall_core::Stopwatch;

/// How often a word is looked at before the thread sleeps: about a microsecond.
pub const SPINS: u32 = 100;
/// How long a thread sleeps before it looks whether whoever it waits for lives, in seconds; the
/// last one goes on. So a death is noticed within 50 ms.
pub const SLEEPS_S: [f64; 4] = [0.005, 0.01, 0.02, 0.05];
/// How long a queue must have been waited for until a deadlock is looked for, in seconds: it may
/// be on its way to a process that has not yet opened it.
pub const QUEUE_GRACE_S: f64 = 1.0;

/// Why a wait ended without what it was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The time was up.
    TimedOut,
    /// Whoever looks asked to stop.
    Stopped,
    /// It could never have ended; who waits for whom.
    Deadlock(String),
}

/// How long one is ready to wait, and what is done meanwhile.
pub struct Patience<'a> {
    /// The time limit in seconds; none waits as long as it makes sense.
    pub timeout_s: Option<f64>,
    /// Called every 50 ms or after a signal. It gives the number of threads of this process that
    /// could do anything, the caller included, or none to stop waiting.
    pub look: &'a mut dyn FnMut() -> Option<u32>,
}

impl<'a> Patience<'a> {
    /// Waits for at most `timeout_s` and is called `look` meanwhile.
    pub fn new(timeout_s: Option<f64>, look: &'a mut dyn FnMut() -> Option<u32>) -> Self {
        Self { timeout_s, look }
    }
}

/// One wait, which may consist of many sleeps.
pub struct Waiting<'a, 'b> {
    patience: &'a mut Patience<'b>,
    watch: Stopwatch,
    wait: Option<Wait>,
    entry: Option<Entry>,
    seen: Option<Deadlock>,
    looked_s: f64,
    sleeps: usize,
    is_late: bool,
}

impl<'a, 'b> Waiting<'a, 'b> {
    /// A wait that cannot be part of a deadlock: whoever is waited for is not waiting itself.
    pub fn short(patience: &'a mut Patience<'b>) -> Self {
        let watch = Stopwatch::start();
        let (wait, entry, seen) = (None, None, None);
        Self { patience, watch, wait, entry, seen, looked_s: 0.0, sleeps: 0, is_late: false }
    }

    /// A wait for `object`; `ticket` is the round of a barrier or the bytes for a queue.
    pub fn new(patience: &'a mut Patience<'b>, object: &Object, want: Want, ticket: u64) -> Self {
        let (party, identity, fd) = (Party::me(), object.identity(), object.fd());
        let wait = Wait { party, number: 0, identity, fd, want, ticket };
        Self { wait: Some(wait), ..Self::short(patience) }
    }

    /// Whether the last sleep went by in full: time to look whether others live.
    pub fn is_late(&self) -> bool {
        self.is_late
    }

    /// What is left of the patience, for a short wait in the midst of this one.
    pub fn rest(&mut self) -> Patience<'_> {
        let elapsed_s = self.watch.elapsed_s();
        let timeout_s = self.patience.timeout_s.map(|limit| (limit - elapsed_s).max(0.0));
        Patience { timeout_s, look: &mut *self.patience.look }
    }

    /// Sleeps while the word is `expected`, but not for long: the caller looks and comes again.
    ///
    /// # Errors
    /// If the time is up, the wait is to stop, or it would never end.
    pub fn sleep(&mut self, word: Word<'_>, expected: u64) -> Result<(), End> {
        if self.sleeps == 0 {
            for _ in 0..SPINS {
                if word.load(std::sync::atomic::Ordering::Acquire) != expected {
                    return Ok(());
                }
                std::hint::spin_loop();
            }
        }
        let elapsed_s = self.watch.elapsed_s();
        let left_s = self.patience.timeout_s.map_or(f64::INFINITY, |limit| limit - elapsed_s);
        if left_s <= 0.0 {
            return Err(End::TimedOut);
        }
        let step_s = SLEEPS_S[self.sleeps.min(SLEEPS_S.len() - 1)];
        let slept = word.sleep(expected, step_s.min(left_s));
        self.is_late = slept == Sleep::Over;
        self.sleeps += usize::from(self.is_late);
        let now_s = self.watch.elapsed_s();
        if slept == Sleep::Woken && now_s - self.looked_s < SLEEPS_S[SLEEPS_S.len() - 1] {
            return Ok(());
        }
        self.looked_s = now_s;
        let threads = (self.patience.look)().ok_or(End::Stopped)?;
        if self.is_late { self.look_for_deadlock(threads, now_s) } else { Ok(()) }
    }

    /// Believes in a deadlock when it has been seen twice, and is its victim or waits on.
    fn look_for_deadlock(&mut self, threads: u32, now_s: f64) -> Result<(), End> {
        let Some(wait) = self.wait.filter(|_| self.patience.timeout_s.is_none()) else {
            return Ok(());
        };
        match &self.entry {
            Some(entry) => entry.note_threads(threads),
            None => self.entry = Entry::new(wait, threads),
        }
        let Some(entry) = &self.entry else { return Ok(()) };
        if matches!(wait.want, Want::Get | Want::Put) && now_s < QUEUE_GRACE_S {
            return Ok(());
        }
        let found = deadlock(&Processes, entry.wait());
        if let (Some(now), Some(before)) = (&found, &self.seen)
            && now.waits == before.waits
            && now.victim == wait.party.thread
        {
            return Err(End::Deadlock(now.story.clone()));
        }
        self.seen = found;
        Ok(())
    }
}
