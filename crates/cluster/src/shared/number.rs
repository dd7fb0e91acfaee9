//! Numbers of 64 bits that are changed in one step, whoever else changes them.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

/// The result would not fit into the type; the number is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

/// A number that fits into a word.
pub trait Number: Copy + PartialEq + PartialOrd {
    /// Which type it is, as it stands in a value's header.
    const CODE: u64;
    /// Its bits.
    fn bits(self) -> u64;
    /// The number with these bits.
    fn of_bits(bits: u64) -> Self;
    /// The sum, unless it does not fit.
    fn plus(self, other: Self) -> Option<Self>;
    /// The difference, unless it does not fit.
    fn minus(self, other: Self) -> Option<Self>;
}

impl Number for i64 {
    const CODE: u64 = 1;
    fn bits(self) -> u64 {
        self as u64
    }
    fn of_bits(bits: u64) -> Self {
        bits as i64
    }
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }
    fn minus(self, other: Self) -> Option<Self> {
        self.checked_sub(other)
    }
}

impl Number for u64 {
    const CODE: u64 = 2;
    fn bits(self) -> u64 {
        self
    }
    fn of_bits(bits: u64) -> Self {
        bits
    }
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }
    fn minus(self, other: Self) -> Option<Self> {
        self.checked_sub(other)
    }
}

impl Number for f64 {
    const CODE: u64 = 3;
    fn bits(self) -> u64 {
        self.to_bits()
    }
    fn of_bits(bits: u64) -> Self {
        f64::from_bits(bits)
    }
    fn plus(self, other: Self) -> Option<Self> {
        Some(self + other)
    }
    fn minus(self, other: Self) -> Option<Self> {
        Some(self - other)
    }
}

impl Number for bool {
    const CODE: u64 = 4;
    fn bits(self) -> u64 {
        self.into()
    }
    fn of_bits(bits: u64) -> Self {
        bits != 0
    }
    fn plus(self, _: Self) -> Option<Self> {
        None
    }
    fn minus(self, _: Self) -> Option<Self> {
        None
    }
}

/// The number in `word`.
#[inline]
pub fn get<T: Number>(word: &AtomicU64) -> T {
    T::of_bits(word.load(Acquire))
}

/// Writes `new` and returns what was there.
#[inline]
pub fn swap<T: Number>(word: &AtomicU64, new: T) -> T {
    T::of_bits(word.swap(new.bits(), AcqRel))
}

/// Replaces the number by what `change` makes of it, in one step; returns the old one, in `Err` if
/// `change` gave none.
#[inline]
pub fn update<T: Number>(word: &AtomicU64, change: impl Fn(T) -> Option<T>) -> Result<T, T> {
    let step = |bits| change(T::of_bits(bits)).map(Number::bits);
    word.fetch_update(AcqRel, Acquire, step).map(T::of_bits).map_err(T::of_bits)
}

/// Adds `x` and returns the old number.
///
/// # Errors
/// If the sum does not fit.
#[inline]
pub fn add<T: Number>(word: &AtomicU64, x: T) -> Result<T, Overflow> {
    update(word, |old: T| old.plus(x)).map_err(|_| Overflow)
}

/// Writes `new`, without looking at what was there.
#[inline]
pub fn set<T: Number>(word: &AtomicU64, new: T) {
    word.store(new.bits(), Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_whole_or_refused() {
        let word = AtomicU64::new(i64::MAX.bits());
        assert_eq!(add(&word, 1i64), Err(Overflow));
        assert_eq!(add(&word, -1i64), Ok(i64::MAX));
        assert_eq!(get::<i64>(&word), i64::MAX - 1);
        set(&word, 0.5);
        assert_eq!(add(&word, 0.25), Ok(0.5));
        assert_eq!(get::<f64>(&word), 0.75);
        set(&word, true);
        assert_eq!(add(&word, true), Err(Overflow));
    }
}
