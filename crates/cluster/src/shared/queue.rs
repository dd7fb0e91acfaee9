//! A queue of items as bytes, in a ring, for any number of threads that put and get.
//!
//! The ring is between `head` and `tail`, two counts of bytes that only grow. An item is there when
//! `tail` has moved past it, and gone when `head` has: one store each. So one killed while it puts
//! has put nothing, one killed while it gets has taken nothing, and what was put is never lost.

use super::board::Wait;
use super::graph::{Needs, Waits, Want};
use super::lock::{Guard, Raw};
use super::memory::Memory;
use super::object::{BODY, Kind, Object};
use super::party::Party;
use super::waiting::{End, Patience, Waiting};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use windfall_core::{Error, Result};

const HEAD: usize = BODY + 8;
const TAIL: usize = BODY + 9;
const ITEMS: usize = BODY + 10;
const CLOSED: usize = BODY + 11;
const ITEMS_MAX: usize = BODY + 12;
const CROWD: usize = BODY + 13;
const PUTS: usize = BODY + 16;
const GETTERS: usize = BODY + 17;
const TAKES: usize = BODY + 24;
const PUTTERS: usize = BODY + 25;
pub(super) const USERS: usize = BODY + 32;
/// Processes that are known to have a queue open; with more, deadlocks over it are not looked for.
const USERS_MAX: usize = 32;
/// Words up to the end of what the graph needs.
pub(super) const WORDS: usize = USERS + 3 * USERS_MAX;
/// Where the ring begins, in bytes.
const START_BYTES: usize = 4096;
/// Bytes of an item's length, which stands before it.
const LENGTH_BYTES: u64 = 8;

/// How much fits into a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSize {
    /// The most items; none has no such limit.
    pub items: Option<u64>,
    /// The most bytes, each item with eight more and filled up to a multiple of eight.
    pub bytes: u64,
}

/// Why an item was not put or got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The wait ended.
    Ended(End),
    /// The queue is closed, and empty if an item was asked for.
    Closed,
    /// The item is larger than the queue: its bytes, and the most there can be.
    TooLarge(u64, u64),
}

impl From<End> for Refused {
    fn from(end: End) -> Self {
        Self::Ended(end)
    }
}

/// Items in the order in which they were put.
#[derive(Debug)]
pub struct Queue {
    object: Object,
    user: Party,
}

impl Queue {
    /// A new one, empty.
    ///
    /// # Errors
    /// If the size is nothing, the name is too long or there is no memory.
    pub fn new(name: Option<&str>, size: QueueSize) -> Result<Self> {
        if size.bytes < 64 || size.bytes > 1 << 40 {
            return Err(Error::invalid("bytes_max", size.bytes, "between 64 and 2^40"));
        }
        let bytes = size.bytes.next_multiple_of(8);
        let words = (START_BYTES + bytes as usize) / 8 - BODY;
        let object = Object::create(Kind::Queue, name, bytes, words)?;
        object.memory().word(ITEMS_MAX).store(size.items.unwrap_or(u64::MAX), Relaxed);
        Ok(Self::of(object))
    }

    /// The one that a reference leads to.
    pub fn of(object: Object) -> Self {
        let queue = Self { object, user: Party::my_process() };
        queue.enrol(&queue.user);
        queue
    }

    /// To be called in the child of a fork: its process has the queue too.
    pub fn inherit(&self) {
        self.object.note_inherited();
        self.enrol(&Party::my_process());
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.object
    }

    fn memory(&self) -> &Memory {
        self.object.memory()
    }

    fn word(&self, index: usize) -> u64 {
        self.memory().word(index).load(Acquire)
    }

    fn enrol(&self, user: &Party) {
        let free = |place: &usize| {
            let word = self.memory().word(*place);
            let old = word.load(Relaxed);
            let is_free = old == 0 || !crate::os::is_alive(old);
            is_free && word.compare_exchange(old, user.thread, Acquire, Relaxed).is_ok()
        };
        match (0..USERS_MAX).map(|user| USERS + 3 * user).find(free) {
            Some(place) => user.store(self.memory(), place),
            None => self.memory().word(CROWD).store(1, Relaxed),
        }
    }

    fn strike_off(&self, user: &Party) {
        for place in (0..USERS_MAX).map(|user| USERS + 3 * user) {
            let word = self.memory().word(place);
            if word.compare_exchange(user.thread, 0, Release, Relaxed).is_ok() {
                return;
            }
        }
    }

    /// Items in it just now.
    pub fn len(&self) -> u64 {
        self.word(ITEMS)
    }

    /// Whether there are none just now.
    pub fn is_empty(&self) -> bool {
        self.word(HEAD) == self.word(TAIL)
    }

    /// How much fits into it.
    pub fn size(&self) -> QueueSize {
        let items = self.word(ITEMS_MAX);
        QueueSize { items: (items != u64::MAX).then_some(items), bytes: self.object.size() }
    }

    /// Whether nothing more can be put.
    pub fn is_closed(&self) -> bool {
        self.word(CLOSED) != 0
    }

    /// Lets nothing more be put; what is in it can still be got.
    ///
    /// # Errors
    /// If the wait for those who are at it just now is to stop.
    pub fn close(&self, patience: &mut Patience<'_>) -> Result<(), End> {
        let _guard = self.hold(patience)?;
        self.memory().word(CLOSED).store(1, Release);
        self.call_all();
        Ok(())
    }

    /// Takes the lock; if its holder has died, what that one left half done is made good.
    fn hold(&self, patience: &mut Patience<'_>) -> Result<Guard<'_>, End> {
        let guard = Raw(&self.object).hold(patience)?;
        if guard.former.is_some() {
            let (mut at, mut items) = (self.word(HEAD), 0);
            while at < self.word(TAIL) {
                at += room(self.length(at));
                items += 1;
            }
            self.memory().word(ITEMS).store(items, Relaxed);
            self.call_all();
        }
        Ok(guard)
    }

    fn call_all(&self) {
        for index in [PUTS, TAKES] {
            let word = self.memory().sleeping_word(index);
            word.fetch_add(1, Release);
            word.wake_all();
        }
    }

    /// Wakes one of those who sleep on `index`, if any do; their number stands next to it.
    fn call_one(&self, index: usize) {
        let word = self.memory().sleeping_word(index);
        word.fetch_add(1, Release);
        if self.word(index + 1) > 0 {
            word.wake_one();
        }
    }

    /// Puts an item at the end, and waits while there is no room.
    ///
    /// # Errors
    /// If it is closed, the item is too large, or the wait ended.
    pub fn put(&self, item: &[u8], patience: &mut Patience<'_>) -> Result<(), Refused> {
        let need = room(item.len() as u64);
        if need > self.object.size() {
            let most = self.object.size() - LENGTH_BYTES;
            return Err(Refused::TooLarge(item.len() as u64, most));
        }
        self.attempt(PUTTERS, (Want::Put, need), patience, || self.put_now(item))
    }

    /// Puts an item if that needs no waiting; says whether it did.
    pub fn try_put(&self, item: &[u8]) -> bool {
        let fits = room(item.len() as u64) <= self.object.size();
        let guard = fits.then(|| Raw(&self.object).try_hold()).flatten();
        guard.is_some_and(|_guard| matches!(self.put_now(item), Ok(Some(()))))
    }

    /// Puts an item if there is room. The lock is held.
    fn put_now(&self, item: &[u8]) -> Result<Option<()>, Refused> {
        if self.is_closed() {
            return Err(Refused::Closed);
        }
        let (head, tail) = (self.word(HEAD), self.word(TAIL));
        let need = room(item.len() as u64);
        if tail + need - head > self.object.size() || self.len() >= self.word(ITEMS_MAX) {
            return Ok(None);
        }
        self.write(tail, &(item.len() as u64).to_ne_bytes());
        self.write(tail + LENGTH_BYTES, item);
        self.memory().word(TAIL).store(tail + need, Release);
        self.memory().word(ITEMS).fetch_add(1, Relaxed);
        self.call_one(PUTS);
        Ok(Some(()))
    }

    /// Takes the first item, and waits while there is none.
    ///
    /// # Errors
    /// If it is closed and empty, or the wait ended.
    pub fn get(&self, patience: &mut Patience<'_>) -> Result<Vec<u8>, Refused> {
        self.attempt(GETTERS, (Want::Get, 0), patience, || self.get_now())
    }

    /// Takes the first item if that needs no waiting.
    pub fn try_get(&self) -> Option<Vec<u8>> {
        let _guard = Raw(&self.object).try_hold()?;
        self.get_now().ok().flatten()
    }

    /// Takes the first item if there is one. The lock is held.
    fn get_now(&self) -> Result<Option<Vec<u8>>, Refused> {
        let head = self.word(HEAD);
        if head == self.word(TAIL) {
            return if self.is_closed() { Err(Refused::Closed) } else { Ok(None) };
        }
        let length = self.length(head);
        let mut item = vec![0; length as usize];
        self.read(head + LENGTH_BYTES, &mut item);
        self.memory().word(HEAD).store(head + room(length), Release);
        self.memory().word(ITEMS).fetch_sub(1, Relaxed);
        self.call_one(TAKES);
        Ok(Some(item))
    }

    /// Tries under the lock until `work` gives something, and sleeps in between.
    fn attempt<T>(
        &self,
        sleepers: usize,
        (want, ticket): (Want, u64),
        patience: &mut Patience<'_>,
        work: impl Fn() -> Result<Option<T>, Refused>,
    ) -> Result<T, Refused> {
        let word = self.memory().sleeping_word(sleepers - 1);
        let first = {
            let _guard = self.hold(patience)?;
            work()?
        };
        if let Some(done) = first {
            return Ok(done);
        }
        let count = self.memory().word(sleepers);
        count.fetch_add(1, Relaxed);
        let mut waiting = Waiting::new(patience, &self.object, want, ticket);
        let outcome = loop {
            // Read under the lock: whoever changes the queue after that changes the word too.
            let seen = match self.hold_while(&mut waiting) {
                Ok(_guard) => match work() {
                    Ok(Some(done)) => break Ok(done),
                    Ok(None) => word.load(Acquire),
                    Err(refused) => break Err(refused),
                },
                Err(end) => break Err(end.into()),
            };
            if let Err(end) = waiting.sleep(word, seen) {
                break Err(end.into());
            }
        };
        count.fetch_sub(1, Relaxed);
        outcome
    }

    /// Takes the lock in the midst of a longer wait.
    fn hold_while(&self, waiting: &mut Waiting<'_, '_>) -> Result<Guard<'_>, End> {
        self.hold(&mut waiting.rest())
    }

    fn length(&self, at: u64) -> u64 {
        let mut length = [0; LENGTH_BYTES as usize];
        self.read(at, &mut length);
        u64::from_ne_bytes(length)
    }

    /// Writes at a count of bytes, round the end of the ring.
    fn write(&self, at: u64, bytes: &[u8]) {
        let at = (at % self.object.size()) as usize;
        let (first, second) = bytes.split_at(bytes.len().min(self.object.size() as usize - at));
        self.memory().write(START_BYTES + at, first);
        self.memory().write(START_BYTES, second);
    }

    /// Reads from a count of bytes, round the end of the ring.
    fn read(&self, at: u64, bytes: &mut [u8]) {
        let at = (at % self.object.size()) as usize;
        let middle = bytes.len().min(self.object.size() as usize - at);
        let (first, second) = bytes.split_at_mut(middle);
        self.memory().read(START_BYTES + at, first);
        self.memory().read(START_BYTES, second);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // A child of a fork strikes off its own name, not that of its parent.
        let user = Party::my_process();
        self.strike_off(&user);
    }
}

/// The bytes that an item of this length takes.
fn room(length: u64) -> u64 {
    LENGTH_BYTES + length.next_multiple_of(8)
}

/// What a thread that waits for a queue needs, as read from the queue's words.
pub(super) fn needs(words: &[u64], wait: &Wait, source: &dyn Waits) -> Needs {
    if words.len() < WORDS || words[CLOSED] != 0 || words[CROWD] != 0 {
        return Needs::Open;
    }
    let used = words[TAIL].saturating_sub(words[HEAD]);
    let size = words[super::object::SIZE];
    let is_met = match wait.want {
        Want::Get => used > 0,
        _ => used + wait.ticket <= size && words[ITEMS] < words[ITEMS_MAX],
    };
    if is_met {
        return Needs::Open;
    }
    let users = words[USERS..].chunks_exact(3).map(|user| Party::of([user[0], user[1], user[2]]));
    let users = users.filter(|user| user.thread != 0 && source.is_alive(user));
    Needs::Any(users.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::scope;

    fn queue(items: Option<u64>, bytes: u64) -> Queue {
        Queue::new(None, QueueSize { items, bytes }).unwrap()
    }

    fn put(queue: &Queue, item: &[u8], timeout_s: Option<f64>) -> Result<(), Refused> {
        queue.put(item, &mut Patience::new(timeout_s, &mut || Some(u32::MAX)))
    }

    fn get(queue: &Queue, timeout_s: Option<f64>) -> Result<Vec<u8>, Refused> {
        queue.get(&mut Patience::new(timeout_s, &mut || Some(u32::MAX)))
    }

    #[test]
    fn items_go_round_the_ring_in_order() {
        let queue = queue(None, 128);
        scope(|scope| {
            scope.spawn(|| {
                for number in 0..1000u32 {
                    put(&queue, &number.to_le_bytes().repeat(1 + number as usize % 20), None)
                        .unwrap();
                }
                queue.close(&mut Patience::new(None, &mut || Some(1))).unwrap();
            });
            for number in 0..1000u32 {
                let item = get(&queue, None).unwrap();
                assert_eq!(item, number.to_le_bytes().repeat(1 + number as usize % 20));
            }
            assert_eq!(get(&queue, None), Err(Refused::Closed));
        });
        assert_eq!((queue.len(), put(&queue, b"", None)), (0, Err(Refused::Closed)));
    }

    #[test]
    fn many_put_and_many_get_each_item_once() {
        let queue = queue(Some(10), 4096);
        let sums: u64 = scope(|threads| {
            let getters = [(); 3].map(|()| {
                threads.spawn(|| {
                    let mut sum = 0;
                    while let Ok(item) = get(&queue, None) {
                        sum += u64::from_le_bytes(item.try_into().unwrap());
                    }
                    sum
                })
            });
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        for number in 0..2000u64 {
                            put(&queue, &number.to_le_bytes(), None).unwrap();
                        }
                    });
                }
            });
            queue.close(&mut Patience::new(None, &mut || Some(1))).unwrap();
            getters.into_iter().map(|getter| getter.join().unwrap()).sum()
        });
        assert_eq!(sums, 3 * 1999 * 1000);
    }

    #[test]
    fn limits_hold() {
        let queue = queue(Some(2), 64);
        assert_eq!(put(&queue, &[0; 57], None), Err(Refused::TooLarge(57, 56)));
        put(&queue, b"one", None).unwrap();
        put(&queue, b"two", None).unwrap();
        let late = Err(Refused::Ended(End::TimedOut));
        assert_eq!((put(&queue, b"three", Some(0.01)), queue.len()), (late, 2));
        get(&queue, None).unwrap();
        assert_eq!(put(&queue, &[0; 48], Some(0.0)), Err(Refused::Ended(End::TimedOut)));
        assert_eq!(get(&queue, None).unwrap(), b"two");
        assert_eq!(get(&queue, Some(0.0)), Err(Refused::Ended(End::TimedOut)));
    }

    #[test]
    fn what_a_dead_holder_left_is_made_good() {
        let queue = queue(None, 256);
        for item in [&b"one"[..], b"two", b"three"] {
            put(&queue, item, None).unwrap();
        }
        let dead = std::thread::spawn(|| Party::me().thread).join().unwrap();
        while crate::os::is_alive(dead) {
            std::thread::yield_now();
        }
        // It had put its item but not counted it.
        queue.memory().word(ITEMS).store(2, Relaxed);
        queue.memory().word(BODY).store(dead, Relaxed);
        assert_eq!(get(&queue, Some(5.0)).unwrap(), b"one");
        assert_eq!(queue.len(), 2);
    }
}
