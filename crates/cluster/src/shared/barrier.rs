//! A meeting of a number of threads, which ends at once when one of them dies.
//!
//! Its members are those who met last, or have joined, so that it is known who is missing, and a
//! death is noticed by those who wait. A thread that comes and is none takes the place of one that
//! is missing; it shows that the members change: those who have met and ended are missed no longer.
//! A round ends by one store; whatever a thread that is killed leaves half written, the next reader
//! counts anew.

use super::board::Wait;
use super::graph::{Needs, Want};
use super::lock::{Guard, Raw};
use super::memory::Memory;
use super::object::{BODY, Kind, Object};
use super::party::Party;
use super::waiting::{End, Patience, Waiting};
use std::fmt;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use windfall_core::{Error, Result};

/// The most members.
pub const MEMBERS_MAX: u64 = 4096;

const ROUND: usize = BODY + 8;
const BROKEN: usize = BODY + 9;
const CULPRIT: usize = BODY + 10;
/// The number of the last round that was ended by making the barrier as new, plus one.
const RESET: usize = BODY + 13;
const MEMBERS: usize = BODY + 16;
/// Words of a member: the party, and the number of the last round it has come to, plus one.
const MEMBER: usize = 4;

/// Words up to the end of a barrier of `parties`.
pub(super) fn words(parties: u64) -> usize {
    MEMBERS + MEMBER * parties.min(MEMBERS_MAX) as usize
}

/// Why a barrier is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// This member died.
    Died(Party),
    /// This one waited no longer: its time was up, or it was interrupted.
    Left(Party),
    /// This one broke it.
    Aborted(Party),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Died(party) => write!(f, "{party} has ended"),
            Self::Left(party) => write!(f, "{party} waits no longer"),
            Self::Aborted(party) => write!(f, "{party} has broken it"),
        }
    }
}

/// Why a round did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// The barrier is broken.
    Broken(Broken),
    /// The caller's wait ended, which broke the barrier.
    Ended(End),
}

/// A meeting of a number of threads.
#[derive(Debug)]
pub struct Barrier(Object);

impl Barrier {
    /// A new one for `parties` threads.
    ///
    /// # Errors
    /// If there are none or too many of them, the name is too long or there is no memory.
    pub fn new(name: Option<&str>, parties: u64) -> Result<Self> {
        if !(1..=MEMBERS_MAX).contains(&parties) {
            return Err(Error::invalid("parties", parties, "between 1 and 4096"));
        }
        Object::create(Kind::Barrier, name, parties, words(parties) - BODY).map(Self)
    }

    /// The one that a reference leads to.
    pub fn of(object: Object) -> Self {
        Self(object)
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// How many threads meet.
    pub fn parties(&self) -> u64 {
        self.0.size()
    }

    /// How many have come to the present round.
    pub fn waiting(&self) -> usize {
        let round = self.memory().word(ROUND).load(Acquire);
        self.members().filter(|&place| self.has_come(place, round)).count()
    }

    /// Why it is broken, if it is.
    pub fn broken(&self) -> Option<Broken> {
        let party = || Party::load(self.memory(), CULPRIT);
        match self.memory().word(BROKEN).load(Acquire) {
            0 => None,
            1 => Some(Broken::Died(party())),
            2 => Some(Broken::Left(party())),
            _ => Some(Broken::Aborted(party())),
        }
    }

    fn memory(&self) -> &Memory {
        self.0.memory()
    }

    fn members(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.parties() as usize).map(|number| MEMBERS + MEMBER * number)
    }

    fn has_come(&self, place: usize, round: u64) -> bool {
        self.memory().word(place + 3).load(Relaxed) == round + 1
    }

    fn hold(&self, patience: &mut Patience<'_>) -> Result<Guard<'_>, End> {
        Raw(&self.0).hold(patience)
    }

    /// Makes the calling thread a member before it comes to wait, so that its death is noticed.
    ///
    /// # Errors
    /// If the wait for those who are at it just now is to stop.
    pub fn join(&self, patience: &mut Patience<'_>) -> Result<(), End> {
        let _guard = self.hold(patience)?;
        self.place(&Party::me());
        Ok(())
    }

    /// The place of a thread among the members: its own, a free one, or that of one who is missing.
    /// The lock is held.
    fn place(&self, me: &Party) -> Option<usize> {
        let thread = |place: usize| self.memory().word(place).load(Relaxed);
        if let Some(place) = self.members().find(|&place| thread(place) == me.thread) {
            return Some(place);
        }
        let round = self.memory().word(ROUND).load(Relaxed);
        let missing: Vec<usize> =
            self.members().filter(|&place| !self.has_come(place, round)).collect();
        for &place in &missing {
            let has_met = self.memory().word(place + 3).load(Relaxed) > 0;
            if has_met && !Party::load(self.memory(), place).is_alive() {
                Party::default().store(self.memory(), place);
            }
        }
        let free = missing.iter().find(|&&place| thread(place) == 0);
        let place = free.or(missing.first()).copied()?;
        self.memory().word(place + 3).store(0, Relaxed);
        me.store(self.memory(), place);
        Some(place)
    }

    /// Waits until all have come; returns how many had come before, from 0 on.
    ///
    /// # Errors
    /// If the barrier is or gets broken; the caller's own time limit breaks it too.
    pub fn wait(&self, patience: &mut Patience<'_>) -> Result<usize, Unmet> {
        let me = Party::me();
        let (round, before) = match self.arrive(&me, patience)? {
            (_, before, true) => return Ok(before),
            (round, before, false) => (round, before),
        };
        let word = self.memory().sleeping_word(ROUND);
        let mut waiting = Waiting::new(patience, &self.0, Want::Meet, round);
        let ended = loop {
            // The round may have ended and a later one broken: what counts is this round.
            if word.load(Acquire) != round {
                return self.outcome(round, before);
            }
            if let Some(broken) = self.broken() {
                return Err(Unmet::Broken(broken));
            }
            if waiting.is_late()
                && let Some(dead) = self.dead_neighbour(&me, round)
            {
                self.end(round, Broken::Died(dead));
                continue;
            }
            if let Err(end) = waiting.sleep(word, round) {
                break end;
            }
        };
        drop(waiting);
        self.end(round, Broken::Left(me));
        match word.load(Acquire) == round {
            true => Err(Unmet::Ended(ended)),
            false => self.outcome(round, before),
        }
    }

    /// How a round that is over has ended.
    fn outcome(&self, round: u64, before: usize) -> Result<usize, Unmet> {
        if self.memory().word(RESET).load(Relaxed) == round + 1 {
            return Err(Unmet::Broken(Broken::Aborted(Party::load(self.memory(), CULPRIT))));
        }
        Ok(before)
    }

    /// Notes that the caller has come: the round, how many had before, whether that was all.
    fn arrive(&self, me: &Party, patience: &mut Patience<'_>) -> Result<(u64, usize, bool), Unmet> {
        let _guard = self.hold(patience).map_err(Unmet::Ended)?;
        if let Some(broken) = self.broken() {
            return Err(Unmet::Broken(broken));
        }
        let word = self.memory().sleeping_word(ROUND);
        let (round, before) = (word.load(Acquire), self.waiting());
        if let Some(place) = self.place(me) {
            self.memory().word(place + 3).store(round + 1, Relaxed);
        }
        let all = before + 1 >= self.parties() as usize;
        if all {
            // One that came and was killed before anybody waited with it would go unnoticed.
            if let Some(dead) = self.dead_member() {
                self.note_broken(Broken::Died(dead));
                word.wake_all();
                return Err(Unmet::Broken(Broken::Died(dead)));
            }
            word.store(round + 1, Release);
            word.wake_all();
        }
        Ok((round, before, all))
    }

    /// A dead member among those this one looks after: all that follow, round the circle, up to the
    /// next that has come. So each is looked after by one, and one that came and died by the one
    /// before; to look costs 10 us a member.
    fn dead_neighbour(&self, me: &Party, round: u64) -> Option<Party> {
        let places: Vec<usize> = self.members().collect();
        let load = |&place: &usize| Party::load(self.memory(), place);
        let mine = places.iter().position(|place| load(place).thread == me.thread)?;
        for place in places[mine + 1..].iter().chain(&places[..mine]) {
            let party = load(place);
            if party.thread != 0 && !party.is_alive() {
                return Some(party);
            }
            if self.has_come(*place, round) {
                return None;
            }
        }
        None
    }

    fn dead_member(&self) -> Option<Party> {
        let members = self.members().map(|place| Party::load(self.memory(), place));
        members.into_iter().find(|party| party.thread != 0 && !party.is_alive())
    }

    /// Breaks it, if `round` has not ended.
    fn end(&self, round: u64, why: Broken) {
        // A thread that goes does not wait for long for those who are at it.
        let mut look = || Some(u32::MAX);
        let _guard = self.hold(&mut Patience::new(None, &mut look));
        let word = self.memory().sleeping_word(ROUND);
        if word.load(Acquire) == round && self.broken().is_none() {
            self.note_broken(why);
            word.wake_all();
        }
    }

    fn note_broken(&self, why: Broken) {
        let (number, party) = match why {
            Broken::Died(party) => (1, party),
            Broken::Left(party) => (2, party),
            Broken::Aborted(party) => (3, party),
        };
        party.store(self.memory(), CULPRIT);
        self.memory().word(BROKEN).store(number, Release);
    }

    /// Breaks it: all who wait, and all who come, get an error.
    pub fn abort(&self) {
        self.end(self.memory().word(ROUND).load(Acquire), Broken::Aborted(Party::me()));
    }

    /// Makes it as new, without members; those who wait get an error.
    ///
    /// # Errors
    /// If the wait for those who are at it just now is to stop.
    pub fn reset(&self, patience: &mut Patience<'_>) -> Result<(), End> {
        let _guard = self.hold(patience)?;
        let word = self.memory().sleeping_word(ROUND);
        let round = word.load(Acquire);
        for place in self.members() {
            Party::default().store(self.memory(), place);
        }
        Party::me().store(self.memory(), CULPRIT);
        self.memory().word(RESET).store(round + 1, Relaxed);
        self.memory().word(BROKEN).store(0, Relaxed);
        word.store(round + 1, Release);
        word.wake_all();
        Ok(())
    }
}

/// What a thread that waits at a barrier needs, as read from the barrier's words.
pub(super) fn needs(words: &[u64], wait: &Wait) -> Needs {
    let read = |index: usize| words.get(index).copied();
    if read(ROUND) != Some(wait.ticket) || read(BROKEN) != Some(0) {
        return Needs::Open;
    }
    let mut missing = Vec::new();
    for member in words[MEMBERS..].chunks_exact(MEMBER) {
        let party = Party::of([member[0], member[1], member[2]]);
        if party.thread == 0 {
            return Needs::Open;
        }
        if member[3] != wait.ticket + 1 {
            missing.push(party);
        }
    }
    if missing.is_empty() { Needs::Open } else { Needs::All(missing) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::{scope, spawn};

    fn wait(barrier: &Barrier, timeout_s: Option<f64>) -> Result<usize, Unmet> {
        barrier.wait(&mut Patience::new(timeout_s, &mut || Some(u32::MAX)))
    }

    #[test]
    fn all_meet_in_every_round() {
        let barrier = Barrier::new(None, 3).unwrap();
        let rounds = || (0..200).map(|_| wait(&barrier, None).unwrap()).sum::<usize>();
        let sum: usize = scope(|scope| {
            let threads = [(); 3].map(|()| scope.spawn(rounds));
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((sum, barrier.waiting()), (200 * 3, 0));
    }

    #[test]
    fn a_member_that_dies_breaks_it_also_between_rounds() {
        let barrier = Barrier::new(None, 2).unwrap();
        scope(|scope| {
            scope.spawn(|| wait(&barrier, None).unwrap());
            wait(&barrier, None).unwrap();
        });
        let Err(Unmet::Broken(broken @ Broken::Died(dead))) = wait(&barrier, None) else {
            panic!("the other thread has ended");
        };
        assert_ne!(dead, Party::me());
        assert_eq!(wait(&barrier, None), Err(Unmet::Broken(broken)));
        barrier.reset(&mut Patience::new(None, &mut || Some(1))).unwrap();
        assert_eq!(barrier.broken(), None);
    }

    #[test]
    fn one_that_came_and_died_alone_is_missed() {
        let barrier = std::sync::Arc::new(Barrier::new(None, 2).unwrap());
        let other = barrier.clone();
        spawn(move || other.join(&mut Patience::new(None, &mut || Some(1))).unwrap());
        while barrier.dead_member().is_none() {
            std::thread::yield_now();
        }
        assert!(matches!(wait(&barrier, Some(5.0)), Err(Unmet::Broken(Broken::Died(_)))));
    }

    #[test]
    fn others_may_meet_in_later_rounds() {
        let barrier = Barrier::new(None, 2).unwrap();
        for _ in 0..3 {
            scope(|scope| {
                let first = scope.spawn(|| wait(&barrier, None));
                std::thread::sleep(std::time::Duration::from_millis(30));
                let second = scope.spawn(|| wait(&barrier, None));
                let met = (first.join().unwrap(), second.join().unwrap());
                assert_eq!(met, (Ok(0), Ok(1)));
            });
        }
    }

    #[test]
    fn a_time_limit_breaks_it_for_all() {
        let barrier = Barrier::new(Some("meeting"), 3).unwrap();
        scope(|scope| {
            let other = scope.spawn(|| wait(&barrier, None));
            assert_eq!(wait(&barrier, Some(0.02)), Err(Unmet::Ended(End::TimedOut)));
            let left = Broken::Left(Party::me());
            assert_eq!(other.join().unwrap(), Err(Unmet::Broken(left)));
        });
    }

    #[test]
    fn those_who_wait_while_it_is_made_new_get_an_error() {
        let barrier = Barrier::new(None, 2).unwrap();
        scope(|scope| {
            let other = scope.spawn(|| wait(&barrier, None));
            while barrier.waiting() == 0 {
                std::thread::yield_now();
            }
            barrier.reset(&mut Patience::new(None, &mut || Some(1))).unwrap();
            let met = other.join().unwrap();
            assert!(matches!(met, Err(Unmet::Broken(Broken::Aborted(_)))), "{met:?}");
        });
        assert_eq!((barrier.broken(), barrier.waiting()), (None, 0));
    }
}
