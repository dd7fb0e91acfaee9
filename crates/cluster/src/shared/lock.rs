//! A lock that is free again when its holder dies.
//!
//! One word tells it all: the holder's thread, number and start, or zero; one bit says that others
//! sleep. To take it is one compare-and-exchange, so that a holder killed at any moment is either
//! known or never was one. Whoever waits looks every 50 ms whether the holder lives.

use super::board::Wait;
use super::graph::{Needs, Want};
use super::memory::Memory;
use super::object::{BODY, Kind, Object};
use super::party::Party;
use super::waiting::{End, Patience, Waiting};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use windfall_core::{Error, Result};

const HOLDER: usize = BODY;
const DEPTH: usize = BODY + 3;
const FORMER: usize = BODY + 4;
/// Words up to the end of a lock.
pub(super) const WORDS: usize = BODY + 8;
/// The bit of the holder's word that says that others sleep.
const SLEEPERS: u64 = 1 << 31;
/// How long a thread waits for one that is at a queue or barrier, whatever its time limit.
const MOMENT_S: f64 = 0.1;

/// A lock's words in an object of any kind: queues and barriers have one too.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a>(pub &'a Object);

impl<'a> Raw<'a> {
    fn memory(&self) -> &'a Memory {
        self.0.memory()
    }

    /// Takes it if it is free.
    #[inline]
    fn take(&self, me: &Party, sleepers: u64) -> bool {
        let word = self.memory().word(HOLDER);
        let taken = word.compare_exchange(0, me.thread | sleepers, Acquire, Relaxed).is_ok();
        if taken {
            self.sign(me);
        }
        taken
    }

    #[inline]
    fn sign(&self, me: &Party) {
        self.memory().word(HOLDER + 1).store(me.process, Relaxed);
        self.memory().word(HOLDER + 2).store(me.engine, Relaxed);
    }

    /// Takes it from a holder that is dead, and returns who that was.
    fn inherit(&self, me: &Party) -> Option<Party> {
        let old = self.memory().word(HOLDER).load(Acquire);
        let former = Party { thread: old & !SLEEPERS, ..Party::load(self.memory(), HOLDER) };
        if former.thread == 0 || former.is_alive() {
            return None;
        }
        let word = self.memory().word(HOLDER);
        word.compare_exchange(old, me.thread | SLEEPERS, Acquire, Relaxed).ok()?;
        self.sign(me);
        Some(former)
    }

    /// Takes it, if need be from a dead holder, who is returned.
    pub fn acquire(&self, waiting: &mut Waiting<'_, '_>) -> Result<Option<Party>, End> {
        let me = Party::me();
        let mut sleepers = 0;
        let word = self.memory().sleeping_word(HOLDER);
        loop {
            if self.take(&me, sleepers) {
                return Ok(None);
            }
            if waiting.is_late()
                && let Some(former) = self.inherit(&me)
            {
                return Ok(Some(former));
            }
            let old = word.load(Relaxed);
            if old == 0 {
                continue;
            }
            let marked = old | SLEEPERS;
            if old == marked || word.compare_exchange(old, marked, Relaxed, Relaxed).is_ok() {
                // Others may sleep beside this thread: whoever was woken wakes the next.
                sleepers = SLEEPERS;
                waiting.sleep(word, marked)?;
            }
        }
    }

    /// Takes it for a moment, as queues and barriers do. Whoever has it gives it back soon, so that
    /// even a thread that is not to wait waits for that.
    pub fn hold(self, patience: &mut Patience<'_>) -> Result<Guard<'a>, End> {
        if let Some(guard) = self.try_hold() {
            return Ok(guard);
        }
        let timeout_s = patience.timeout_s.map(|limit| limit.max(MOMENT_S));
        let patience = &mut Patience::new(timeout_s, &mut *patience.look);
        let former = self.acquire(&mut Waiting::short(patience))?;
        Ok(Guard { raw: self, former })
    }

    /// Takes it for a moment if it is free.
    pub fn try_hold(self) -> Option<Guard<'a>> {
        self.take(&Party::me(), 0).then(|| Guard { raw: self, former: None })
    }

    /// Gives it back.
    #[inline]
    fn release(&self) {
        if self.memory().word(HOLDER).swap(0, AcqRel) & SLEEPERS != 0 {
            self.memory().sleeping_word(HOLDER).wake_one();
        }
    }
}

/// A lock that is held until this is dropped.
pub(super) struct Guard<'a> {
    raw: Raw<'a>,
    /// The holder that died with the lock in its hand, if one did.
    pub former: Option<Party>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.raw.release();
    }
}

/// What a thread that waits for a lock needs, as read from the lock's words.
pub(super) fn needs(words: &[u64], wait: &Wait) -> Needs {
    let Some(&[holder, process, engine]) = words.get(HOLDER..HOLDER + 3) else {
        return Needs::Open;
    };
    let thread = holder & !SLEEPERS;
    if thread == 0 || thread == wait.party.thread {
        return Needs::Open;
    }
    Needs::All(vec![Party::of([thread, process, engine])])
}

/// A lock for the threads of any processes.
#[derive(Debug)]
pub struct Lock(Object);

/// Whether the thread that holds a lock may take it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reentry {
    /// No: it would wait for itself, which is an error.
    Refused,
    /// Yes: it gives it back as often.
    Counted,
}

/// How taking a lock without waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// It is taken; perhaps from this holder, who is dead.
    Taken(Option<Party>),
    /// Another thread has it.
    Held,
    /// This thread has it, and may not take it again.
    Mine,
}

impl Lock {
    /// A new one, free.
    ///
    /// # Errors
    /// If the name is too long or there is no memory.
    pub fn new(name: Option<&str>, reentry: Reentry) -> Result<Self> {
        Object::create(Kind::Lock, name, reentry as u64, WORDS - BODY).map(Self)
    }

    /// The one that a reference leads to.
    pub fn of(object: Object) -> Self {
        Self(object)
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// Whether the thread that holds it may take it again.
    pub fn reentry(&self) -> Reentry {
        if self.0.size() == 0 { Reentry::Refused } else { Reentry::Counted }
    }

    /// Takes it if that needs no waiting.
    ///
    /// # Cost
    /// 10 ns if it is free, 20 us if another has it: whether that one lives is looked up.
    #[inline]
    pub fn try_acquire(&self) -> Try {
        let me = Party::me();
        if Raw(&self.0).take(&me, 0) {
            self.note_former(None);
            return Try::Taken(None);
        }
        self.try_again(&me)
    }

    fn try_again(&self, me: &Party) -> Try {
        if self.is_mine() {
            if self.reentry() == Reentry::Refused {
                return Try::Mine;
            }
            self.0.memory().word(DEPTH).fetch_add(1, Relaxed);
            return Try::Taken(None);
        }
        match Raw(&self.0).inherit(me) {
            Some(former) => {
                self.note_former(Some(former));
                Try::Taken(Some(former))
            }
            None => Try::Held,
        }
    }

    /// Takes it, and waits if another has it; returns the holder that died with it, if one did.
    /// The caller has tried [`Lock::try_acquire`] before.
    ///
    /// # Errors
    /// If the time is up, the wait is to stop, or it would never end.
    pub fn acquire(&self, patience: &mut Patience<'_>) -> Result<Option<Party>, End> {
        let mut waiting = Waiting::new(patience, &self.0, Want::Hold, 0);
        let former = Raw(&self.0).acquire(&mut waiting)?;
        self.note_former(former);
        Ok(former)
    }

    #[inline]
    fn note_former(&self, former: Option<Party>) {
        let memory = self.0.memory();
        match former {
            None => memory.word(FORMER).store(0, Relaxed),
            Some(former) => {
                memory.word(DEPTH).store(0, Relaxed);
                former.store(memory, FORMER);
            }
        }
    }

    /// Gives it back.
    ///
    /// # Errors
    /// If the calling thread does not hold it.
    #[inline]
    pub fn release(&self) -> Result<()> {
        if !self.is_mine() {
            return Err(self.not_mine());
        }
        let depth = self.0.memory().word(DEPTH);
        match depth.load(Relaxed) {
            0 => Raw(&self.0).release(),
            times => depth.store(times - 1, Relaxed),
        }
        Ok(())
    }

    #[cold]
    fn not_mine(&self) -> Error {
        let holder = self.holder().map_or("nobody".into(), |party| party.to_string());
        Error::invalid("release", self.0.name(), &format!("held by this thread; {holder} holds it"))
            .hint("the thread that takes a lock gives it back; `with lock:` does both")
    }

    /// Whether the calling thread holds it.
    #[inline]
    pub fn is_mine(&self) -> bool {
        self.0.memory().word(HOLDER).load(Relaxed) & !SLEEPERS == Party::me().thread
    }

    /// Who holds it; nobody if it is free or its holder is dead.
    pub fn holder(&self) -> Option<Party> {
        let party = Party::load(self.0.memory(), HOLDER);
        let party = Party { thread: party.thread & !SLEEPERS, ..party };
        (party.thread != 0 && party.is_alive()).then_some(party)
    }

    /// The holder before the present one, if it died with the lock in its hand.
    pub fn former(&self) -> Option<Party> {
        let party = Party::load(self.0.memory(), FORMER);
        (party.thread != 0).then_some(party)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::thread::{scope, spawn};

    fn acquire(lock: &Lock, timeout_s: Option<f64>) -> Result<Option<Party>, End> {
        match lock.try_acquire() {
            Try::Taken(former) => Ok(former),
            Try::Mine => Err(End::Deadlock("itself".into())),
            Try::Held => lock.acquire(&mut Patience::new(timeout_s, &mut || Some(1))),
        }
    }

    #[test]
    fn one_at_a_time() {
        let lock = Lock::new(None, Reentry::Refused).unwrap();
        let count = super::super::Value::new(None, 0u64).unwrap();
        scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5_000 {
                        acquire(&lock, None).unwrap();
                        count.set(count.get::<u64>() + 1);
                        lock.release().unwrap();
                    }
                });
            }
        });
        assert_eq!((count.get::<u64>(), lock.holder()), (20_000, None));
    }

    #[test]
    fn only_the_holder_gives_back() {
        let lock = Lock::new(Some("l"), Reentry::Refused).unwrap();
        assert!(lock.release().unwrap_err().to_string().contains("nobody holds it"));
        acquire(&lock, None).unwrap();
        assert_eq!(lock.try_acquire(), Try::Mine);
        let other = || scope(|scope| scope.spawn(|| lock.release()).join().unwrap());
        assert!(other().unwrap_err().to_string().contains("`lock `l``"));
        let late = || scope(|scope| scope.spawn(|| acquire(&lock, Some(0.01))).join().unwrap());
        assert_eq!(late(), Err(End::TimedOut));
        lock.release().unwrap();
    }

    #[test]
    fn a_counted_lock_is_given_back_as_often() {
        let lock = Lock::new(None, Reentry::Counted).unwrap();
        (0..3).for_each(|_| assert_eq!(lock.try_acquire(), Try::Taken(None)));
        (0..3).for_each(|_| lock.release().unwrap());
        assert!(lock.release().is_err());
    }

    #[test]
    fn a_lock_is_free_when_its_holder_has_died() {
        let lock = std::sync::Arc::new(Lock::new(None, Reentry::Refused).unwrap());
        let other = lock.clone();
        let dead = spawn(move || {
            acquire(&other, None).unwrap();
            Party::me()
        });
        let dead = dead.join().unwrap();
        assert_eq!(acquire(&lock, Some(5.0)), Ok(Some(dead)));
        assert_eq!((lock.former(), lock.holder()), (Some(dead), Some(Party::me())));
        lock.release().unwrap();
        assert_eq!((acquire(&lock, None), lock.former()), (Ok(None), None));
    }

    #[test]
    fn whoever_looks_can_stop_the_wait() {
        let lock = Lock::new(None, Reentry::Refused).unwrap();
        acquire(&lock, None).unwrap();
        scope(|scope| {
            scope.spawn(|| {
                let looks = Cell::new(0);
                let mut look = || {
                    looks.set(looks.get() + 1);
                    (looks.get() < 3).then_some(1)
                };
                assert_eq!(lock.acquire(&mut Patience::new(None, &mut look)), Err(End::Stopped));
                assert_eq!(looks.get(), 3);
            });
        });
        lock.release().unwrap();
    }

    #[test]
    fn of_two_that_wait_for_one_another_one_is_told() {
        let locks = ["a", "b"].map(|name| Lock::new(Some(name), Reentry::Refused).unwrap());
        let both = super::super::Barrier::new(None, 2).unwrap();
        let run = |first: usize| {
            acquire(&locks[first], None).unwrap();
            both.wait(&mut Patience::new(None, &mut || Some(2))).unwrap();
            let second = acquire(&locks[1 - first], None);
            if second.is_ok() {
                locks[1 - first].release().unwrap();
            }
            locks[first].release().unwrap();
            second
        };
        let run = &run;
        let ends = scope(|scope| {
            let threads = [0, 1].map(|first| scope.spawn(move || run(first)));
            threads.map(|thread| thread.join().unwrap())
        });
        let told: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
        let [End::Deadlock(story)] = &told[..] else { panic!("{told:?}") };
        assert!(story.contains("waits for lock `a`, which process"), "{story}");
    }
}
