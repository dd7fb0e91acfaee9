//! One shared number: a value that is changed in one step, a counter whose numbers are claimed.

use super::number::{self, Number, Overflow};
use super::object::{BODY, Kind, Object};
use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use windfall_core::Result;

/// One number of 64 bits; whoever uses it must use the type whose [`Value::code`] it has.
#[derive(Debug)]
pub struct Value(Object);

impl Value {
    /// A new one.
    ///
    /// # Errors
    /// If the name is too long or there is no memory.
    pub fn new<T: Number>(name: Option<&str>, initial: T) -> Result<Self> {
        let value = Self(Object::create(Kind::Value, name, T::CODE, 8)?);
        value.set(initial);
        Ok(value)
    }

    /// The one that a reference leads to.
    pub fn of(object: Object) -> Self {
        Self(object)
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.0
    }

    #[inline]
    fn word(&self) -> &AtomicU64 {
        self.0.memory().word(BODY)
    }

    /// The [`Number::CODE`] of its type.
    pub fn code(&self) -> u64 {
        self.0.size()
    }

    /// The number.
    #[inline]
    pub fn get<T: Number>(&self) -> T {
        number::get(self.word())
    }

    /// Writes another number, whatever was there.
    #[inline]
    pub fn set<T: Number>(&self, new: T) {
        number::set(self.word(), new);
    }

    /// Writes another number and returns the old one.
    #[inline]
    pub fn swap<T: Number>(&self, new: T) -> T {
        number::swap(self.word(), new)
    }

    /// Adds `x` and returns the old number.
    ///
    /// # Errors
    /// If the sum does not fit; the number is as it was.
    #[inline]
    pub fn add<T: Number>(&self, x: T) -> Result<T, Overflow> {
        number::add(self.word(), x)
    }

    /// Subtracts `x` and returns the old number.
    ///
    /// # Errors
    /// If the difference does not fit; the number is as it was.
    pub fn subtract<T: Number>(&self, x: T) -> Result<T, Overflow> {
        number::update(self.word(), |old: T| old.minus(x)).map_err(|_| Overflow)
    }

    /// Writes `x` if it is larger, and returns the old number. NaN is not larger than anything.
    pub fn max<T: Number>(&self, x: T) -> T {
        number::update(self.word(), |old: T| (x > old).then_some(x)).unwrap_or_else(|old| old)
    }

    /// Writes `x` if it is smaller, and returns the old number. NaN is not smaller than anything.
    pub fn min<T: Number>(&self, x: T) -> T {
        number::update(self.word(), |old: T| (x < old).then_some(x)).unwrap_or_else(|old| old)
    }

    /// Writes `new` if the number equals `expected`; says whether it did.
    pub fn compare_exchange<T: Number>(&self, expected: T, new: T) -> bool {
        number::update(self.word(), |old: T| (old == expected).then_some(new)).is_ok()
    }
}

/// Consecutive numbers, each of which is claimed once.
#[derive(Debug)]
pub struct Counter(Object);

impl Counter {
    /// A new one that counts from `start` and stops before `stop`.
    ///
    /// # Errors
    /// If the name is too long or there is no memory.
    pub fn new(name: Option<&str>, numbers: Range<u64>) -> Result<Self> {
        let counter = Self(Object::create(Kind::Counter, name, numbers.end, 8)?);
        number::set(counter.word(), numbers.start);
        Ok(counter)
    }

    /// The one that a reference leads to.
    pub fn of(object: Object) -> Self {
        Self(object)
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.0
    }

    #[inline]
    fn word(&self) -> &AtomicU64 {
        self.0.memory().word(BODY)
    }

    /// The next number to be claimed.
    pub fn next(&self) -> u64 {
        self.word().load(Acquire)
    }

    /// The number it stops before.
    pub fn stop(&self) -> u64 {
        self.0.size()
    }

    /// Claims the next `count` numbers, or as many as are left.
    #[inline]
    pub fn claim(&self, count: u64) -> Range<u64> {
        let stop = self.stop();
        let step = |next: u64| (next < stop).then(|| next.saturating_add(count).min(stop));
        match self.word().fetch_update(AcqRel, Acquire, step) {
            Ok(first) => first..first.saturating_add(count).min(stop),
            Err(_) => stop..stop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sum_is_lost_among_threads() {
        let (whole, half) = (Value::new(None, 0i64).unwrap(), Value::new(None, 0.0).unwrap());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        whole.add(1i64).unwrap();
                        half.add(0.5).unwrap();
                    }
                });
            }
        });
        assert_eq!((whole.get::<i64>(), half.get::<f64>()), (40_000, 20_000.0));
    }

    #[test]
    fn the_largest_and_the_expected_are_kept() {
        let value = Value::new(Some("best"), 1.0).unwrap();
        assert_eq!((value.max(3.0), value.max(2.0), value.max(f64::NAN)), (1.0, 3.0, 3.0));
        assert_eq!((value.min(0.5), value.get::<f64>()), (3.0, 0.5));
        assert!(!value.compare_exchange(1.0, 2.0) && value.compare_exchange(0.5, 2.0));
        assert_eq!(value.swap(7.0), 2.0);
        assert_eq!(value.object().name(), "value `best`");
    }

    #[test]
    fn every_number_is_claimed_once() {
        let counter = Counter::new(None, 5..1000).unwrap();
        let claim = || std::iter::from_fn(|| counter.claim(7).next()).count();
        let claimed: usize = std::thread::scope(|scope| {
            let threads = [(); 3].map(|()| scope.spawn(claim));
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(claimed, 995usize.div_ceil(7));
        assert_eq!((counter.next(), counter.claim(1)), (1000, 1000..1000));
    }

    #[test]
    fn an_object_is_opened_by_its_reference_and_by_no_other() {
        let value = Value::new(None, 4u64).unwrap();
        let reference = value.object().reference();
        let again = Value::of(Object::open(Kind::Value, &reference).unwrap());
        again.add(1u64).unwrap();
        assert_eq!(value.get::<u64>(), 5);
        assert!(Object::open(Kind::Lock, &reference).is_err());
        let other = super::super::Reference { identity: [1, 1], ..reference };
        let error = Object::open(Kind::Value, &other).unwrap_err();
        assert!(error.to_string().contains("the process has closed it since"), "{error}");
    }
}
