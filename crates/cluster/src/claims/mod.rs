//! The shared index of one map: engines claim items from it without asking anyone.
//!
//! It lies in memory that all engines of the map have mapped. Positions `0..items` are handed out
//! in three ways: a guided chunk from the front of what nobody has yet; what came back from an
//! engine that died; and, when there is neither, the far half of the largest range that another
//! engine has not begun. An engine takes one position at a time from its own range, so a chunk can
//! be split until its last item. Everything is a single compare-and-swap on a word that holds a
//! whole range: lock-free, and nobody waits for an engine that died in the middle.
//!
//! What an engine holds (taken and not yet reported) is written down *before* it is taken. When
//! the engine dies, [`Claims::lost`] tells what must be done again; it may name an item twice, and
//! never leaves one out.
//!
//! ```
//! use std::sync::atomic::AtomicU64;
//! use windfall_cluster::claims::{Chunks, Claims};
//! let words: Vec<AtomicU64> = (0..Claims::words(2)).map(|_| AtomicU64::new(0)).collect();
//! let claims = Claims::create(&words, 10, 2, Chunks::default());
//! let (mut one, mut other) = (claims.worker(0), claims.worker(1));
//! let mut seen = vec![];
//! while let Some(item) = one.take() {
//!     one.did(1_000);
//!     seen.push(item);
//!     if let Some(item) = other.take() {
//!         other.did(1_000);
//!         seen.push(item);
//!     }
//! }
//! seen.sort();
//! assert_eq!(seen, (0..10).collect::<Vec<_>>());
//! ```

mod range;
#[cfg(test)]
mod tests;
mod worker;

pub use range::Range;
pub use worker::Worker;

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};

/// Most items of one map: a range's ends are 32 bits each.
pub const ITEMS_MAX: u64 = u32::MAX as u64;
/// Ranges that can wait to be done again; more are kept by whoever puts them back.
pub const RETURNED_MAX: usize = 64;
/// Separate ranges that an engine can hold before it must report.
pub const HELD_MAX: usize = 24;

/// Tells a region that holds an index from one that does not.
const MARK: u64 = 0x7769_6e64_6d61_7031;
/// Words of a cache line.
const LINE: usize = 8;

// The head: a line that nobody writes after the start, one for the front, one for rare words.
const WORD_MARK: usize = 0;
const WORD_ITEMS: usize = 1;
const WORD_SLOTS: usize = 2;
const WORD_CHUNK_NS: usize = 3;
const WORD_CHUNK_ITEMS: usize = 4;
const WORD_NEXT: usize = LINE;
const WORD_STOP: usize = 2 * LINE;
const WORD_RETURNED_COUNT: usize = 2 * LINE + 1;
const WORD_RETURNED: usize = 3 * LINE;
const HEAD: usize = WORD_RETURNED + RETURNED_MAX;

// A slot: a line that thieves write too, a line of the owner's, and what the owner holds.
const SLOT_RANGE: usize = 0;
const SLOT_CURRENT: usize = LINE;
const SLOT_BEGAN_NS: usize = LINE + 1;
const SLOT_DONE: usize = LINE + 2;
const SLOT_BUSY_NS: usize = LINE + 3;
const SLOT_INTENT: usize = LINE + 4;
const SLOT_HELD_COUNT: usize = LINE + 5;
const SLOT_HELD: usize = 2 * LINE;
const SLOT: usize = SLOT_HELD + HELD_MAX;

/// How large a claim from the front is.
#[derive(Clone, Copy, Debug)]
pub struct Chunks {
    /// A chunk should last about as long, in nanoseconds, by what items have cost so far.
    pub target_ns: u64,
    /// Items of a chunk, whatever they cost; 0: as measured.
    pub items: u64,
}

impl Default for Chunks {
    /// Two milliseconds: a claim costs a tenth of a microsecond, and a range can be split anyway.
    fn default() -> Self {
        Self { target_ns: 2_000_000, items: 0 }
    }
}

/// The index of one map, seen by anyone who has its memory.
#[derive(Clone, Copy)]
pub struct Claims<'a> {
    words: &'a [AtomicU64],
    items: u64,
    slots: usize,
    chunks: Chunks,
}

/// What one engine is doing, for progress, deadlines and post-mortems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The position it is at.
    pub current: Option<u32>,
    /// When it began that, in nanoseconds of the clock that the engine uses.
    pub began_ns: u64,
    /// Items it has done.
    pub done: u64,
    /// Nanoseconds that they took.
    pub busy_ns: u64,
    /// What it has claimed and not begun.
    pub ahead: Range,
}

impl<'a> Claims<'a> {
    /// Words of memory that an index for as many engines takes.
    pub const fn words(slots: usize) -> usize {
        HEAD + slots * SLOT
    }

    /// Lays a new index out in `words`, whatever they held.
    ///
    /// # Panics
    /// If there are fewer words than [`Claims::words`] says, or more than [`ITEMS_MAX`] items.
    pub fn create(words: &'a [AtomicU64], items: u64, slots: usize, chunks: Chunks) -> Self {
        assert!(items <= ITEMS_MAX, "{items} items");
        let words = &words[..Self::words(slots)];
        words.iter().for_each(|word| word.store(0, Relaxed));
        words[WORD_ITEMS].store(items, Relaxed);
        words[WORD_SLOTS].store(slots as u64, Relaxed);
        words[WORD_CHUNK_NS].store(chunks.target_ns, Relaxed);
        words[WORD_CHUNK_ITEMS].store(chunks.items, Relaxed);
        words[WORD_MARK].store(MARK, Release);
        Self { words, items, slots, chunks }
    }

    /// The index that somebody laid out in `words`; `None` if nobody did.
    pub fn open(words: &'a [AtomicU64]) -> Option<Self> {
        if words.len() < HEAD || words[WORD_MARK].load(Acquire) != MARK {
            return None;
        }
        let read = |place: usize| words[place].load(Relaxed);
        let slots = usize::try_from(read(WORD_SLOTS)).ok()?;
        let needed = slots.checked_mul(SLOT)?.checked_add(HEAD)?;
        let chunks = Chunks { target_ns: read(WORD_CHUNK_NS), items: read(WORD_CHUNK_ITEMS) };
        let items = read(WORD_ITEMS);
        (words.len() >= needed && items <= ITEMS_MAX).then(|| Self {
            words: &words[..needed],
            items,
            slots,
            chunks,
        })
    }

    /// Positions of the map.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Engines that can take part.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The side of the engine that owns a slot. One at a time: its forerunner is done or dead, and
    /// what that held has been asked for.
    pub fn worker(&self, slot: usize) -> Worker<'a> {
        Worker::start(*self, slot)
    }

    /// Lets no engine take another item.
    pub fn stop(&self) {
        self.words[WORD_STOP].store(1, Release);
    }

    /// Lets engines take items again after a stop.
    pub fn resume(&self) {
        self.words[WORD_STOP].store(0, Release);
    }

    /// Whether engines may take no more.
    pub fn is_stopped(&self) -> bool {
        self.words[WORD_STOP].load(Relaxed) != 0
    }

    /// Items done by all, those done twice counted twice.
    pub fn done(&self) -> u64 {
        (0..self.slots).map(|slot| self.slot(slot)[SLOT_DONE].load(Relaxed)).sum()
    }

    /// Nanoseconds that an item took on average, by what all have done so far.
    pub fn mean_ns(&self) -> Option<u64> {
        let busy: u64 = (0..self.slots).map(|s| self.slot(s)[SLOT_BUSY_NS].load(Relaxed)).sum();
        busy.checked_div(self.done())
    }

    /// What the engine of a slot is doing.
    pub fn seen(&self, slot: usize) -> Seen {
        let words = self.slot(slot);
        let current = words[SLOT_CURRENT].load(Acquire);
        Seen {
            current: current.checked_sub(1).map(|position| position as u32),
            began_ns: words[SLOT_BEGAN_NS].load(Relaxed),
            done: words[SLOT_DONE].load(Relaxed),
            busy_ns: words[SLOT_BUSY_NS].load(Relaxed),
            ahead: Range::unpack(words[SLOT_RANGE].load(Relaxed)),
        }
    }

    /// Takes from the slot of a dead engine all that it had claimed and may not have reported,
    /// in order and without overlaps.
    pub fn lost(&self, slot: usize) -> Vec<Range> {
        let words = self.slot(slot);
        let held = (words[SLOT_HELD_COUNT].swap(0, SeqCst) as usize).min(HELD_MAX);
        let mut lost = vec![
            Range::unpack(words[SLOT_RANGE].swap(0, SeqCst)),
            Range::unpack(words[SLOT_INTENT].swap(0, SeqCst)),
        ];
        lost.extend(words[SLOT_HELD..][..held].iter().map(|word| Range::unpack(word.load(SeqCst))));
        words[SLOT_CURRENT].store(0, Relaxed);
        Range::union(lost)
    }

    /// Lets the engines do `ranges` again; returns those for which there is no room now.
    pub fn put_back(&self, ranges: &[Range]) -> Vec<Range> {
        let mut room = self.words[WORD_RETURNED..HEAD].iter();
        let mut left = ranges.iter().filter(|range| !range.is_empty());
        for &range in left.by_ref() {
            let took = room.any(|w| w.compare_exchange(0, range.pack(), SeqCst, Relaxed).is_ok());
            if !took {
                return std::iter::once(range).chain(left.copied()).collect();
            }
            self.words[WORD_RETURNED_COUNT].fetch_add(1, SeqCst);
        }
        vec![]
    }

    /// Whether there is something that an engine without work could take.
    pub fn has_work(&self) -> bool {
        !self.is_stopped()
            && (self.front().load(Relaxed) < self.items
                || self.words[WORD_RETURNED..HEAD].iter().any(|word| word.load(Relaxed) != 0)
                || (0..self.slots).any(|slot| !self.seen(slot).ahead.is_empty()))
    }

    fn slot(&self, slot: usize) -> &'a [AtomicU64] {
        &self.words[HEAD + slot * SLOT..][..SLOT]
    }

    fn front(&self) -> &'a AtomicU64 {
        &self.words[WORD_NEXT]
    }
}
