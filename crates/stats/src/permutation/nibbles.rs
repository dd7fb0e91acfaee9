//! Sums of a column over sixty-four subsets at a time, in whole numbers.
//!
//! The rows are cut into fours. A table holds the sum of every one of a four's sixteen subsets, so
//! that four bits look up what four additions would find. Sixteen bytes are looked up by one
//! instruction: the values are made whole numbers of 53 bits, and their sums cut into digits of
//! five bits, each in a table of its own; eight fours are added up before a digit outgrows a byte.
//! Such a sum does not depend on the order of the rows. The rounding of a row is at most 2^-53
//! times the largest one, less than that of a sum in floating point.

use windfall_lanes::Simd;

/// Subsets drawn together: one to a byte.
pub(crate) const ABREAST: usize = 64;
/// Bits of a digit.
const DIGIT: u32 = 5;
/// Digits of the sum of four numbers of 53 bits.
const DIGITS: usize = 11;
/// The digits of the lower part of a sum, and its bits.
const LOW_DIGITS: usize = 6;
const LOW_BITS: u32 = DIGIT * LOW_DIGITS as u32;
/// Fours that are added up in a byte.
const FOURS: usize = 8;
/// Rows that these are.
const ROWS: usize = 4 * FOURS;
/// Words of eight rows that these are.
pub(crate) const WORDS: usize = ROWS / 8;
/// So many bytes can be added up in 16 bits.
const BYTES_MAX: usize = 256;
/// A byte's low half, in each byte.
const LOW_HALVES: u64 = 0x0f0f_0f0f_0f0f_0f0f;
/// Each other byte.
const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
/// How many bits are set in four.
const SET: [u8; 16] = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4];

/// For each digit, the tables of eight fours.
type Tables = [[[u8; 16]; FOURS]; DIGITS];

/// A column as tables.
#[derive(Debug)]
pub(crate) struct Column {
    tables: Vec<Tables>,
    /// What the sums of the tables are too large by, in two parts.
    bias: [i64; 2],
    /// What a whole number stands for.
    unit: f64,
}

impl Column {
    /// The tables of `values`.
    pub fn new(values: &[f64]) -> Self {
        let largest = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        // The largest is below 2^53 units, and a unit is at least the least number.
        let exponent = ((largest.to_bits() >> 52) as i64 - 1023 - 52).max(-1074);
        let unit = match exponent {
            ..-1022 => f64::from_bits(1 << (exponent + 1074)),
            _ => f64::from_bits(((exponent + 1023) as u64) << 52),
        };
        let whole = |value: &f64| (value / unit).round_ties_even() as i64;
        let mut column = Self { tables: Vec::new(), bias: [0; 2], unit };
        for rows in values.chunks(ROWS) {
            let mut tables = [[[0; 16]; FOURS]; DIGITS];
            for (place, four) in rows.chunks(4).enumerate() {
                let four: Vec<i64> = four.iter().map(whole).collect();
                let below: i64 = four.iter().filter(|value| **value < 0).sum();
                column.bias[0] += below & ((1 << LOW_BITS) - 1);
                column.bias[1] += below >> LOW_BITS;
                for subset in 0..16 {
                    let chosen = four.iter().enumerate().filter(|(row, _)| subset >> row & 1 == 1);
                    let sum = chosen.map(|(_, value)| value).sum::<i64>() - below;
                    for (digit, tables) in tables.iter_mut().enumerate() {
                        tables[place][subset] = (sum >> (DIGIT * digit as u32) & 31) as u8;
                    }
                }
            }
            column.tables.push(tables);
        }
        column
    }

    /// The sums over sixty-four subsets: bit `b` of byte `r` of `bits[w]` says whether row
    /// `8w + b` is in subset `r`. There are [`WORDS`] words for every table.
    #[inline(always)]
    pub fn sums<S: Simd>(&self, simd: S, bits: &[[u64; 8]]) -> [f64; ABREAST] {
        let mut parts = self.bias.map(|bias| [bias; ABREAST]);
        let words = bits.chunks(WORDS * BYTES_MAX);
        for (tables, words) in self.tables.chunks(BYTES_MAX).zip(words) {
            let mut digits = [Bytes::new(simd); DIGITS];
            let (words, _) = words.as_chunks::<WORDS>();
            for (tables, words) in tables.iter().zip(words) {
                let mut fours = [simd.splat_u(0); FOURS];
                for (word, four) in words.iter().zip(fours.as_chunks_mut::<2>().0) {
                    *four = halves(simd, simd.load_u(word));
                }
                for (digit, tables) in digits.iter_mut().zip(tables) {
                    let mut sum = simd.splat_u(0);
                    for (table, &four) in tables.iter().zip(&fours) {
                        // No byte overflows, so that 64 bits are added as well as eight.
                        sum = simd.add_u(sum, simd.lookup8(table, four));
                    }
                    digit.add(simd, sum);
                }
            }
            for (place, digit) in digits.iter().enumerate() {
                let (part, place) = (place / LOW_DIGITS, place % LOW_DIGITS);
                let found = digit.unpack(simd);
                let sums = parts[part].iter_mut().zip(found);
                sums.for_each(|(sum, found)| *sum += i64::from(found) << (DIGIT * place as u32));
            }
        }
        let [low, high] = parts;
        let shift = f64::from(1u32 << LOW_BITS);
        std::array::from_fn(|r| (high[r] as f64).mul_add(shift, low[r] as f64) * self.unit)
    }
}

/// How many bits of each of sixty-four subsets are set.
#[inline(always)]
pub(crate) fn counts<S: Simd>(simd: S, bits: &[[u64; 8]]) -> [u32; ABREAST] {
    let mut counts = [0; ABREAST];
    for words in bits.chunks(16 * BYTES_MAX) {
        let mut bytes = Bytes::new(simd);
        for words in words.chunks(16) {
            let mut sum = simd.splat_u(0);
            for word in words {
                let [low, high] = halves(simd, simd.load_u(word));
                sum = simd.add_u(sum, simd.lookup8(&SET, low));
                sum = simd.add_u(sum, simd.lookup8(&SET, high));
            }
            bytes.add(simd, sum);
        }
        let found = bytes.unpack(simd);
        counts.iter_mut().zip(found).for_each(|(count, found)| *count += u32::from(found));
    }
    counts
}

/// The low and the high half of each byte.
#[inline(always)]
fn halves<S: Simd>(simd: S, word: S::U) -> [S::U; 2] {
    let low = simd.splat_u(LOW_HALVES);
    [simd.and(word, low), simd.and(simd.shr::<4>(word), low)]
}

/// Sums of bytes, in 16 bits each: of the even ones, and of the odd ones.
#[derive(Clone, Copy)]
struct Bytes<S: Simd>([S::U; 2]);

impl<S: Simd> Bytes<S> {
    #[inline(always)]
    fn new(simd: S) -> Self {
        Self([simd.splat_u(0); 2])
    }

    #[inline(always)]
    fn add(&mut self, simd: S, bytes: S::U) {
        let even = simd.splat_u(EVEN);
        self.0[0] = simd.add_u(self.0[0], simd.and(bytes, even));
        self.0[1] = simd.add_u(self.0[1], simd.and(simd.shr::<8>(bytes), even));
    }

    #[inline(always)]
    fn unpack(&self, simd: S) -> [u16; ABREAST] {
        let sums = [simd.to_array_u(self.0[0]), simd.to_array_u(self.0[1])];
        std::array::from_fn(|r| (sums[r % 2][r / 8] >> (16 * (r % 8 / 2))) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_lanes::{Task, dispatch};

    struct Sums<'a>(&'a Column, &'a [[u64; 8]]);
    impl Task for Sums<'_> {
        type Output = ([f64; ABREAST], [u32; ABREAST]);
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            (self.0.sums(simd, self.1), counts(simd, self.1))
        }
    }

    /// Whole numbers of 48 bits and either sign, in more rows than 16 bits hold the digits of:
    /// sums and counts are exact.
    #[test]
    fn sums_and_counts_are_those_of_the_rows() {
        for rows in [1, 7, 33, 20_001] {
            let word = |at: u64| at.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
            let values: Vec<i64> = (0..rows).map(|row| (word(row) as i64) >> 16).collect();
            let words = (rows as usize).div_ceil(ROWS) * WORDS;
            let bits: Vec<[u64; 8]> = (0..words as u64)
                .map(|at| {
                    let rest = (rows.saturating_sub(8 * at)).min(8);
                    let mask = 0x0101_0101_0101_0101 * ((1u64 << rest) - 1);
                    std::array::from_fn(|lane| word(8 * at + lane as u64 + 77) & mask)
                })
                .collect();
            let column = Column::new(&values.iter().map(|&value| value as f64).collect::<Vec<_>>());
            let (sums, counts) = dispatch(Sums(&column, &bits));
            for r in 0..ABREAST {
                let is_in = |row: usize| bits[row / 8][r / 8] >> (8 * (r % 8) + row % 8) & 1 == 1;
                let chosen = || values.iter().enumerate().filter(|(row, _)| is_in(*row));
                let exact: i128 = chosen().map(|(_, &value)| i128::from(value)).sum();
                assert_eq!((sums[r], counts[r] as usize), (exact as f64, chosen().count()));
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_are_kept() {
        for scale in [5e-324, 1e-300, 1.0, 8e307] {
            let column = Column::new(&[scale, -scale, 0.5 * scale]);
            let all = [[0x0101_0101_0101_0101; 8], [0; 8], [0; 8], [0; 8]];
            assert_eq!(dispatch(Sums(&column, &all)).0[9], scale);
        }
        assert_eq!(dispatch(Sums(&Column::new(&[0.0]), &[[!0; 8]; 4])).0[0], 0.0);
    }
}
