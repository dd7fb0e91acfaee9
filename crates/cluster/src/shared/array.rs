//! A shared array: bytes that users see as numbers, rows of their own for workers, atomic sums.

use super::number::{self, Number, Overflow};
use super::object::{BODY, Kind, Object};
use super::party::Party;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use windfall_core::{Error, Result};

/// The most rows that can be claimed by workers.
pub const SLOTS_MAX: usize = 4096;
/// Where the array begins, in bytes: at a page, after the table of who has which row.
const START_BYTES: usize = 8 * BODY + 8 * SLOTS_MAX + 4096 - 8 * BODY;

/// Bytes in shared memory, all zero at first.
#[derive(Debug)]
pub struct Array(Object);

impl Array {
    /// A new one of `nbytes`, of which workers can claim `rows` rows.
    ///
    /// # Errors
    /// If the name is too long or there is no memory.
    pub fn new(name: Option<&str>, nbytes: usize, rows: usize) -> Result<Self> {
        let words = nbytes.div_ceil(8).saturating_add(START_BYTES / 8 - BODY);
        Object::create(Kind::Array, name, rows.min(SLOTS_MAX) as u64, words).map(Self)
    }

    /// The one that a reference leads to.
    pub fn of(object: Object) -> Self {
        Self(object)
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// Its first byte, at the beginning of a page.
    pub fn start(&self) -> *mut u8 {
        self.0.memory().start().wrapping_add(START_BYTES)
    }

    /// Its size in bytes, to the next multiple of eight.
    pub fn nbytes(&self) -> usize {
        self.0.memory().nbytes() - START_BYTES
    }

    /// Adds `x` to number `index` of an array of 64-bit numbers; returns the old number.
    ///
    /// # Errors
    /// If the sum does not fit.
    ///
    /// # Panics
    /// If the array is shorter.
    #[inline]
    pub fn add<T: Number>(&self, index: usize, x: T) -> Result<T, Overflow> {
        number::add(self.0.memory().word(START_BYTES / 8 + index), x)
    }

    /// The row of the calling thread: the same at each call, and of no other thread. The row of a
    /// thread that has ended stays its own, with what it wrote.
    ///
    /// # Errors
    /// If all rows are taken.
    pub fn slot(&self) -> Result<usize> {
        let (me, rows) = (Party::me().thread, self.0.size());
        let claim = |row: &usize| {
            let word = self.0.memory().word(BODY + row);
            let owner = match word.load(Acquire) {
                0 => word.compare_exchange(0, me, AcqRel, Acquire).err().unwrap_or(me),
                owner => owner,
            };
            owner == me
        };
        (0..rows as usize).find(claim).ok_or_else(|| {
            let expected = format!("at most {rows}: each row has its worker");
            Error::invalid("workers", format!("{} and one more", rows), &expected)
                .hint("make the first dimension at least the number of workers")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_worker_has_a_row_of_its_own() {
        let array = Array::new(None, 3 * 8, 3).unwrap();
        let first = array.slot().unwrap();
        assert_eq!(array.slot().unwrap(), first);
        // One after the other: a thread's row stays its own when it has ended.
        let other = || std::thread::scope(|scope| scope.spawn(|| array.slot()).join().unwrap());
        assert_eq!((first, other().unwrap(), other().unwrap()), (0, 1, 2));
        assert!(other().unwrap_err().to_string().contains("hint: make the first dimension"));
    }

    #[test]
    fn numbers_are_added_where_they_lie() {
        let array = Array::new(None, 24, 3).unwrap();
        assert_eq!((array.add(2, 1.5), array.add(2, 1.0)), (Ok(0.0), Ok(1.5)));
        assert_eq!((array.nbytes(), array.start() as usize % 4096), (24, 0));
        assert!(std::panic::catch_unwind(|| array.add(3, 1.0)).is_err());
    }
}
