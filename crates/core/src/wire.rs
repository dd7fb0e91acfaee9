//! The bytes of partials: little-endian words, written and read in the same order.

use crate::{Error, Result};

/// Appends a word.
pub fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a number, all bits kept.
pub fn put_f64(out: &mut Vec<u8>, value: f64) {
    put_u64(out, value.to_bits());
}

/// Appends a count and that many numbers.
pub fn put_f64s(out: &mut Vec<u8>, values: &[f64]) {
    put_u64(out, values.len() as u64);
    out.reserve(8 * values.len());
    for &value in values {
        put_f64(out, value);
    }
}

/// Reads words in the order in which they were put.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next word.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Wire`] if fewer than eight bytes are left.
    pub fn u64(&mut self) -> Result<u64> {
        let Some((word, rest)) = self.rest.split_first_chunk() else {
            return Err(Error::wire("they end in the middle of a partial"));
        };
        self.rest = rest;
        Ok(u64::from_le_bytes(*word))
    }

    /// The next number.
    ///
    /// # Errors
    /// As [`Reader::u64`].
    pub fn f64(&mut self) -> Result<f64> {
        self.u64().map(f64::from_bits)
    }

    /// The next counted run of numbers.
    ///
    /// # Errors
    /// As [`Reader::u64`]; a count larger than the bytes left is refused before any allocation.
    pub fn f64s(&mut self) -> Result<Vec<f64>> {
        let count = self.u64()?;
        if count > (self.rest.len() / 8) as u64 {
            return Err(Error::wire(format!("they promise {count} numbers and end before")));
        }
        (0..count).map(|_| self.f64()).collect()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Wire`] if bytes are left.
    pub fn finish(self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(Error::wire(format!("{left} bytes are left after the partial"))),
        }
    }
}
