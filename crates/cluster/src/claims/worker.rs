//! An engine's side of the index: take an item, say that it is done, say that it was reported.

use super::{
    Claims, HEAD, HELD_MAX, Range, SLOT_BEGAN_NS, SLOT_BUSY_NS, SLOT_CURRENT, SLOT_DONE, SLOT_HELD,
    SLOT_HELD_COUNT, SLOT_INTENT, SLOT_RANGE, WORD_RETURNED, WORD_RETURNED_COUNT,
};
use std::hint::spin_loop;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};

/// A chunk is at most this many times as large as the engine's last one: one cheap item does not
/// prove that all are.
const GROWTH_MAX: u64 = 8;
/// How many looks an engine without work spends on a claim that another has under way.
const LOOKS_MAX: usize = 1_000;

/// The owner of one slot.
pub struct Worker<'a> {
    claims: Claims<'a>,
    slot: &'a [AtomicU64],
    number: usize,
    /// By the slot's whole life.
    done: u64,
    busy_ns: u64,
    /// Where these stood at the last claim.
    done_then: u64,
    busy_then_ns: u64,
    /// Nanoseconds an item, by the last chunk.
    mean_ns: Option<u64>,
    chunk: u64,
    /// Ranges held, and the last of them, which grows with each item.
    held: usize,
    last: Range,
    came_back: bool,
}

impl<'a> Worker<'a> {
    pub(super) fn start(claims: Claims<'a>, number: usize) -> Self {
        let slot = claims.slot(number);
        for word in [SLOT_CURRENT, SLOT_INTENT, SLOT_HELD_COUNT] {
            slot[word].store(0, Relaxed);
        }
        let (done, busy_ns) = (slot[SLOT_DONE].load(Relaxed), slot[SLOT_BUSY_NS].load(Relaxed));
        Self {
            claims,
            slot,
            number,
            done,
            busy_ns,
            done_then: done,
            busy_then_ns: busy_ns,
            mean_ns: None,
            chunk: 1,
            held: 0,
            last: Range::default(),
            came_back: false,
        }
    }

    /// The next position to do; `None` when there is no more to claim or the map was stopped.
    #[inline]
    pub fn take(&mut self) -> Option<u32> {
        loop {
            if self.claims.is_stopped() {
                break;
            }
            let word = self.slot[SLOT_RANGE].load(Acquire);
            let range = Range::unpack(word);
            if range.is_empty() {
                if self.claim() {
                    continue;
                }
                break;
            }
            let before = (self.held, self.last);
            self.hold(range.low);
            let rest = Range::new(range.low + 1, range.high).pack();
            let took = self.slot[SLOT_RANGE].compare_exchange(word, rest, SeqCst, Relaxed).is_ok();
            if took {
                self.slot[SLOT_CURRENT].store(u64::from(range.low) + 1, Release);
                return Some(range.low);
            }
            // A thief was here; it may have taken this very item.
            self.release_to(before);
        }
        self.slot[SLOT_CURRENT].store(0, Release);
        None
    }

    /// Notes the time at which the item taken last begins, for those who watch deadlines.
    #[inline]
    pub fn began(&self, now_ns: u64) {
        self.slot[SLOT_BEGAN_NS].store(now_ns, Relaxed);
    }

    /// The item taken last is done and took as long.
    #[inline]
    pub fn did(&mut self, took_ns: u64) {
        self.done += 1;
        self.busy_ns += took_ns;
        self.slot[SLOT_DONE].store(self.done, Relaxed);
        self.slot[SLOT_BUSY_NS].store(self.busy_ns, Relaxed);
    }

    /// Whether what is held should be reported before another item is taken: its list is full.
    #[inline]
    pub fn must_report(&self) -> bool {
        self.held >= HELD_MAX - 1
    }

    /// Whether the item taken last came back from an engine that died, which may be its doing;
    /// asked once. What is held besides had better be reported before it runs.
    #[inline]
    pub fn came_back(&mut self) -> bool {
        std::mem::take(&mut self.came_back)
    }

    /// All that was done has been handed to whoever will deliver it even if this engine dies;
    /// `current`, if any, is taken and not done.
    pub fn reported(&mut self, current: Option<u32>) {
        self.release_to((0, Range::default()));
        if let Some(position) = current {
            self.hold(position);
        }
    }

    /// Writes down that `position` is about to be taken.
    #[inline]
    fn hold(&mut self, position: u32) {
        if self.held > 0 && self.last.high == position {
            self.last.high = position + 1;
        } else if self.held < HELD_MAX {
            self.last = Range::new(position, position + 1);
            self.held += 1;
        } else {
            // No room: name more than is held rather than less.
            let (low, high) = (self.last.low.min(position), self.last.high.max(position + 1));
            self.last = Range::new(low, high);
        }
        self.slot[SLOT_HELD + self.held - 1].store(self.last.pack(), Release);
        self.slot[SLOT_HELD_COUNT].store(self.held as u64, Release);
    }

    fn release_to(&mut self, (held, last): (usize, Range)) {
        (self.held, self.last) = (held, last);
        if held > 0 {
            self.slot[SLOT_HELD + held - 1].store(last.pack(), Release);
        }
        self.slot[SLOT_HELD_COUNT].store(held as u64, Release);
    }

    /// Fills the own range, which is empty.
    #[cold]
    fn claim(&mut self) -> bool {
        self.learn();
        for _ in 0..LOOKS_MAX {
            let found = self.returned().or_else(|| self.front()).or_else(|| self.steal());
            if let Some(range) = found {
                // Thieves leave an empty range alone, so nobody else writes here.
                self.slot[SLOT_RANGE].store(range.pack(), Release);
                self.slot[SLOT_INTENT].store(0, Release);
                return true;
            }
            self.slot[SLOT_INTENT].store(0, Release);
            // What another is claiming can be stolen in a moment.
            let others = (0..self.claims.slots()).filter(|&other| other != self.number);
            if !others.map(|s| self.claims.slot(s)).any(|s| s[SLOT_INTENT].load(Acquire) != 0) {
                return false;
            }
            spin_loop();
        }
        false
    }

    fn learn(&mut self) {
        let items = self.done - self.done_then;
        self.mean_ns = match (self.busy_ns - self.busy_then_ns).checked_div(items) {
            None => self.mean_ns.or_else(|| self.claims.mean_ns()),
            measured => measured,
        };
        (self.done_then, self.busy_then_ns) = (self.done, self.busy_ns);
    }

    /// What came back from the dead.
    fn returned(&mut self) -> Option<Range> {
        let words = self.claims.words;
        if words[WORD_RETURNED_COUNT].load(Acquire) == 0 {
            return None;
        }
        for place in &words[WORD_RETURNED..HEAD] {
            let word = place.load(Acquire);
            if word == 0 {
                continue;
            }
            self.slot[SLOT_INTENT].store(word, SeqCst);
            if place.compare_exchange(word, 0, SeqCst, Relaxed).is_ok() {
                words[WORD_RETURNED_COUNT].fetch_sub(1, SeqCst);
                self.came_back = true;
                return Some(Range::unpack(word));
            }
        }
        None
    }

    /// A chunk of what nobody has yet.
    fn front(&mut self) -> Option<Range> {
        let front = self.claims.front();
        loop {
            let next = front.load(Acquire);
            let left = self.claims.items().saturating_sub(next);
            if left == 0 {
                return None;
            }
            let size = self.size(left);
            let range = Range::new(next as u32, (next + size) as u32);
            self.slot[SLOT_INTENT].store(range.pack(), SeqCst);
            if front.compare_exchange(next, next + size, SeqCst, Relaxed).is_ok() {
                self.chunk = size;
                return Some(range);
            }
        }
    }

    fn size(&self, left: u64) -> u64 {
        let chunks = self.claims.chunks;
        if chunks.items > 0 {
            return chunks.items.min(left);
        }
        let share = left / (2 * self.claims.slots() as u64);
        let by_cost = self.mean_ns.map_or(1, |mean_ns| chunks.target_ns / mean_ns.max(1));
        by_cost.min(self.chunk * GROWTH_MAX).min(share).max(1)
    }

    /// The far half of the largest range that another has not begun.
    fn steal(&mut self) -> Option<Range> {
        loop {
            let others = (0..self.claims.slots()).filter(|&other| other != self.number);
            let look = |other: usize| {
                let place = &self.claims.slot(other)[SLOT_RANGE];
                let word = place.load(Acquire);
                (Range::unpack(word).len(), place, word)
            };
            let (length, place, word) = others.map(look).max_by_key(|&(length, ..)| length)?;
            if length == 0 {
                return None;
            }
            let range = Range::unpack(word);
            let middle = range.low + length / 2;
            let (near, far) = (Range::new(range.low, middle), Range::new(middle, range.high));
            self.slot[SLOT_INTENT].store(far.pack(), SeqCst);
            if place.compare_exchange(word, near.pack(), SeqCst, Relaxed).is_ok() {
                return Some(far);
            }
        }
    }
}
