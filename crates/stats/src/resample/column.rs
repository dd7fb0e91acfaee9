//! A column laid out for the lanes: on a cache line's edge, padded with zeros.

use std::fmt;

/// Columns are padded to a multiple of this many values.
pub(super) const PADDING: usize = 32;
/// Values of a cache line.
const LINE: usize = 8;

/// Numbers of which the first lies where a cache line begins, zeros after the last.
///
/// Vectors that straddle two lines cost twice as much to read.
pub(super) struct Column {
    values: Vec<f64>,
    start: usize,
    len: usize,
}

impl Column {
    /// The numbers.
    #[inline(always)]
    pub fn values(&self) -> &[f64] {
        &self.values[self.start..self.start + self.len]
    }

    /// The numbers and the zeros after them, a whole number of paddings.
    #[inline(always)]
    pub fn padded(&self) -> &[f64] {
        &self.values[self.start..self.start + self.len.next_multiple_of(PADDING)]
    }
}

impl FromIterator<f64> for Column {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        let numbers = numbers.into_iter();
        let mut values = Vec::with_capacity(numbers.size_hint().0.next_multiple_of(PADDING) + LINE);
        values.extend(numbers);
        let len = values.len();
        values.resize(len.next_multiple_of(PADDING) + LINE, 0.0);
        let start = values.as_ptr().align_offset(LINE * size_of::<f64>()).min(LINE);
        values.copy_within(..len, start);
        values[..start].fill(0.0);
        Self { values, start, len }
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Column({} values)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_and_padded() {
        for len in [1, 31, 32, 33, 100] {
            let column: Column = (1..=len).map(f64::from).collect();
            assert_eq!(column.values().as_ptr().align_offset(64), 0);
            assert_eq!(column.values(), (1..=len).map(f64::from).collect::<Vec<_>>());
            assert_eq!(column.padded().len() % PADDING, 0);
            assert!(column.padded()[len as usize..].iter().all(|&x| x == 0.0));
        }
    }
}
