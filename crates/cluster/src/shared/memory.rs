//! Atomic views on the bytes of a segment: the one place that follows pointers into it.

use crate::os;
use crate::segment::Mapping;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Bytes that other processes read and write at the same time.
#[derive(Debug)]
pub struct Memory(Mapping);

/// A word of 64 bits on which threads can sleep: the system compares its low half.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    word: &'a AtomicU64,
    low: &'a AtomicU32,
}

impl Memory {
    /// Views of a mapping that is shared.
    pub fn new(mapping: Mapping) -> Self {
        Self(mapping)
    }

    /// The first byte.
    pub fn start(&self) -> *mut u8 {
        self.0.start().as_ptr()
    }

    /// Its size in bytes.
    pub fn nbytes(&self) -> usize {
        self.0.nbytes()
    }

    /// The word number `index`.
    ///
    /// # Panics
    /// If it lies outside.
    #[inline]
    pub fn word(&self, index: usize) -> &AtomicU64 {
        let at = self.inside(index * 8, 8);
        // SAFETY: the eight bytes lie inside the mapping, which lives as long as `self`; mappings
        // begin at a page, so a multiple of eight is aligned; all processes use atomics here.
        unsafe { AtomicU64::from_ptr(at.cast()) }
    }

    /// The word number `index`, to sleep on.
    ///
    /// # Panics
    /// If it lies outside.
    pub fn sleeping_word(&self, index: usize) -> Word<'_> {
        let low = index * 8 + if cfg!(target_endian = "big") { 4 } else { 0 };
        let at = self.inside(low, 4);
        // SAFETY: as above; the half is only handed to the system, which reads it, so that no
        // program mixes accesses of two sizes.
        let low = unsafe { AtomicU32::from_ptr(at.cast()) };
        Word { word: self.word(index), low }
    }

    /// Copies `bytes` to `at`. The caller holds the lock that keeps others from there.
    ///
    /// # Panics
    /// If they do not fit.
    pub fn write(&self, at: usize, bytes: &[u8]) {
        let to = self.inside(at, bytes.len());
        // SAFETY: the range lies inside the mapping and the source outside of it; nobody else is
        // there, since the lock is held.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) }
    }

    /// Copies bytes from `at`. The caller holds the lock that keeps others from there.
    ///
    /// # Panics
    /// If so many do not lie there.
    pub fn read(&self, at: usize, into: &mut [u8]) {
        let from = self.inside(at, into.len());
        // SAFETY: as above, the other way round.
        unsafe { std::ptr::copy_nonoverlapping(from, into.as_mut_ptr(), into.len()) }
    }

    #[inline]
    fn inside(&self, at: usize, nbytes: usize) -> *mut u8 {
        assert!(at <= self.0.nbytes() && nbytes <= self.0.nbytes() - at, "outside the segment");
        // SAFETY: the offset lies inside the mapping, by the line above.
        unsafe { self.0.start().as_ptr().add(at) }
    }
}

impl std::ops::Deref for Word<'_> {
    type Target = AtomicU64;

    fn deref(&self) -> &AtomicU64 {
        self.word
    }
}

impl Word<'_> {
    /// Sleeps for at most `seconds` while the low half is that of `expected`.
    pub fn sleep(self, expected: u64, seconds: f64) -> os::Sleep {
        os::sleep(self.low, expected as u32, seconds)
    }

    /// Wakes one of those who sleep.
    pub fn wake_one(self) {
        os::wake(self.low, 1);
    }

    /// Wakes all who sleep.
    pub fn wake_all(self) {
        os::wake(self.low, u32::MAX);
    }
}
