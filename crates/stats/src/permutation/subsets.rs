//! Sums over random subsets, sixteen subsets abreast: two groups, and random signs.
//!
//! The rows are cut into fours. For each four a table holds the sum of every one of its sixteen
//! subsets, so that four random bits look up what four additions would find. Fair bits are a
//! uniform subset given how many of them are set: to get one of fixed size, bits at random places
//! are flipped until the number is right, only as many as are missing.

use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::{Below, Lanes, Stream};

/// Subsets drawn together: one to a word of 32 bits.
const ABREAST: usize = 16;
/// Random places drawn at a time.
const PLACES: usize = 64;
/// The most words that are combined to bits that are less often set.
const LEVELS_MAX: u32 = 5;

/// The sums over the sixteen subsets of four rows: low and high halves of their bits.
#[derive(Clone, Debug)]
struct Four {
    low: [u32; 16],
    high: [u32; 16],
}

impl Four {
    fn new(values: &[f64]) -> Self {
        let mut four = Self { low: [0; 16], high: [0; 16] };
        for subset in 0..16 {
            let chosen = values.iter().enumerate().filter(|(place, _)| subset >> place & 1 == 1);
            let bits = chosen.fold(0.0, |sum, (_, value)| sum + value).to_bits();
            (four.low[subset], four.high[subset]) = (bits as u32, (bits >> 32) as u32);
        }
        four
    }
}

/// Sums of columns over random subsets of their rows.
#[derive(Debug)]
pub(crate) struct Subsets {
    rows: usize,
    /// Tables, column by column.
    columns: Vec<Vec<Four>>,
    /// The size of every subset; none if each row is in or out by a fair coin.
    size: Option<u32>,
    /// Bits are set with probability `share / 2^levels`.
    levels: u32,
    share: u32,
}

impl Subsets {
    /// Sums over subsets of `size` rows or, without a size, of as many as come.
    ///
    /// # Cost
    /// As much memory as 32 numbers for every four rows and column.
    pub fn new(columns: &[&[f64]], size: Option<usize>) -> Self {
        let rows = columns[0].len();
        let (levels, share) = size.map_or((1, 1), |size| bits_for(rows as f64, size as f64));
        let tables = |column: &&[f64]| column.chunks(4).map(Four::new).collect();
        Self {
            rows,
            columns: columns.iter().map(tables).collect(),
            size: size.map(|size| size as u32),
            levels,
            share,
        }
    }

    /// Draws `count` subsets and writes the sum of column `k` over subset `r` to
    /// `out[k * count + r]`.
    ///
    /// # Cost
    /// Of 1,000 rows and 500 chosen: at most 0.3 µs a subset with AVX2, for one column.
    pub fn draw(&self, stream: &mut Stream, count: usize, out: &mut [f64]) {
        dispatch(Draw { subsets: self, stream, count, out });
    }
}

/// How often bits shall be set: as `share` of `2^levels`, by the least work for subsets of `size`.
///
/// A word more for each level is held against the expected number of flips. The answer need not be
/// the best, but it is part of what a seed means.
fn bits_for(rows: f64, size: f64) -> (u32, u32) {
    let mut best = (f64::INFINITY, 1, 1);
    for levels in 1..=LEVELS_MAX {
        for share in (1..1u32 << levels).step_by(2) {
            let p = f64::from(share) / f64::from(1u32 << levels);
            let spread = 0.8 * (rows * p * (1.0 - p)).sqrt();
            let gap = rows * p - size;
            // Rows to take out, and to put in; places at which either is possible.
            let out = 0.5 * (spread + gap.abs() + gap).max(0.0);
            let into = 0.5 * (spread + gap.abs() - gap).max(0.0);
            let tries = out / p + into / (1.0 - p);
            let cost = 3.0 * tries + 0.06 * rows * f64::from(levels);
            if cost < best.0 {
                best = (cost, levels, share);
            }
        }
    }
    (best.1, best.2)
}

struct Draw<'a> {
    subsets: &'a Subsets,
    stream: &'a mut Stream,
    count: usize,
    out: &'a mut [f64],
}

impl Task for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { subsets, stream, count, out } = self;
        let mut lanes = stream.lanes(simd);
        let mut bits = vec![[0; ABREAST]; subsets.rows.div_ceil(32)];
        let mut places = Places::new(simd, subsets.rows as u32);
        for first in (0..count).step_by(ABREAST) {
            fill(simd, &mut lanes, subsets, &mut bits);
            if let Some(size) = subsets.size {
                (0..ABREAST)
                    .for_each(|r| settle(simd, &mut lanes, &mut places, (size, r), &mut bits));
            }
            let kept = ABREAST.min(count - first);
            for (k, column) in subsets.columns.iter().enumerate() {
                let sums = sum(simd, column, &bits);
                out[k * count + first..][..kept].copy_from_slice(&sums[..kept]);
            }
        }
        stream.resume(simd, lanes);
    }
}

/// Draws a bit for every row and subset.
#[inline(always)]
fn fill<S: Simd>(simd: S, lanes: &mut Lanes<S>, subsets: &Subsets, bits: &mut [[u32; ABREAST]]) {
    for word in bits.iter_mut() {
        let mut set = lanes.next(simd);
        // From the last binary digit of the share to the first: or for 1, and for 0.
        for level in 1..subsets.levels {
            let next = lanes.next(simd);
            let digit = subsets.share >> level & 1 == 1;
            set = if digit { simd.or(set, next) } else { simd.and(set, next) };
        }
        simd.store32(set, word);
    }
    if let (Some(last), rest @ 1..) = (bits.last_mut(), subsets.rows % 32) {
        last.iter_mut().for_each(|word| *word &= (1 << rest) - 1);
    }
}

/// Flips bits of subset `r` at random places until `size` are set.
#[inline(always)]
fn settle<S: Simd>(
    simd: S,
    lanes: &mut Lanes<S>,
    places: &mut Places<S>,
    (size, r): (u32, usize),
    bits: &mut [[u32; ABREAST]],
) {
    let set: u32 = bits.iter().map(|word| word[r].count_ones()).sum();
    // The kind of bit to flip: set ones if there are too many.
    let kind = u32::from(set > size);
    let mut left = set.abs_diff(size);
    while left > 0 {
        let place = places.next(simd, lanes);
        let word = &mut bits[place as usize / 32][r];
        let hit = !(*word >> (place % 32) ^ kind) & 1;
        *word ^= hit << (place % 32);
        left -= hit;
    }
}

/// The sums of a column over sixteen subsets.
#[inline(always)]
fn sum<S: Simd>(simd: S, column: &[Four], bits: &[[u32; ABREAST]]) -> [f64; ABREAST] {
    let (mut even, mut odd) = (simd.splat(0.0), simd.splat(0.0));
    for (word, fours) in bits.iter().zip(column.chunks(8)) {
        let mut word = simd.load32(word);
        for Four { low, high } in fours {
            let low = simd.permute32(simd.load32(low), word);
            let high = simd.permute32(simd.load32(high), word);
            let first = simd.blend_halves(low, simd.swap_halves(high));
            let second = simd.blend_halves(simd.swap_halves(low), high);
            even = simd.add(even, simd.from_bits(first));
            odd = simd.add(odd, simd.from_bits(second));
            word = simd.shr32::<4>(word);
        }
    }
    let (even, odd) = (simd.to_array(even), simd.to_array(odd));
    std::array::from_fn(|r| if r % 2 == 0 { even[r / 2] } else { odd[r / 2] })
}

/// Random places among the rows, drawn ahead.
struct Places<S: Simd> {
    below: Below<S>,
    drawn: [u32; PLACES],
    next: usize,
    end: usize,
}

impl<S: Simd> Places<S> {
    #[inline(always)]
    fn new(simd: S, rows: u32) -> Self {
        Self { below: Below::new(simd, rows), drawn: [0; PLACES], next: 0, end: 0 }
    }

    #[inline(always)]
    fn next(&mut self, simd: S, lanes: &mut Lanes<S>) -> u32 {
        if self.next == self.end {
            self.refill(simd, lanes);
        }
        let place = self.drawn[self.next % PLACES];
        self.next += 1;
        place
    }

    #[inline(always)]
    fn refill(&mut self, simd: S, lanes: &mut Lanes<S>) {
        (self.next, self.end) = (0, 0);
        while self.end + 16 <= PLACES {
            let (found, dropped) = self.below.sixteen(simd, lanes.next(simd));
            let mut numbers = [0; 16];
            simd.store32(found, &mut numbers);
            if dropped == 0 {
                self.drawn[self.end..self.end + 16].copy_from_slice(&numbers);
                self.end += 16;
                continue;
            }
            for (_, number) in numbers.iter().enumerate().filter(|(i, _)| dropped >> i & 1 == 0) {
                self.drawn[self.end] = *number;
                self.end += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_core::Streams;

    /// Sums over subsets of powers of two tell the subsets: each must have the size asked for and
    /// come as often as the others. The chi-square has mean k - 1: beyond six standard deviations
    /// by chance less than once in a million.
    #[test]
    fn each_subset_of_the_size_is_as_likely() {
        for (rows, size, count) in [(9, 4, 126), (8, 2, 28), (11, 10, 11), (5, 1, 5)] {
            let values: Vec<f64> = (0..rows).map(|row| f64::from(1u32 << row)).collect();
            let subsets = Subsets::new(&[&values, &vec![1.0; rows as usize]], Some(size));
            let mut stream = Streams::new(6u64.into(), "subsets").task(0);
            let draws = 100_000;
            let mut out = vec![0.0; 2 * draws];
            subsets.draw(&mut stream, draws, &mut out);
            assert!(out[draws..].iter().all(|&sum| sum == size as f64));
            let mut cells = vec![0.0f64; 1 << rows];
            out[..draws].iter().for_each(|&sum| cells[sum as usize] += 1.0);
            let expected = draws as f64 / f64::from(count);
            let met = cells.iter().filter(|&&cell| cell > 0.0);
            let square: f64 = met.clone().map(|x| (x - expected).powi(2) / expected).sum();
            assert_eq!(met.count(), count as usize);
            let freedom = f64::from(count) - 1.0;
            assert!(square < freedom + 6.0 * (2.0 * freedom).sqrt(), "{rows} {size}: {square}");
        }
    }

    /// The mean and variance of a sum over 300 of 1,000 rows, by those of a sample without
    /// replacement, and of a fair choice: within five standard errors.
    #[test]
    fn sums_over_many_rows_have_the_law_of_a_sample() {
        let values: Vec<f64> = (0..1000).map(|row| (f64::from(row) * 0.7).sin()).collect();
        let mean = values.iter().sum::<f64>() / 1000.0;
        let spread = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 999.0;
        let square: f64 = values.iter().map(|x| x * x).sum();
        let cases = [
            (Some(300), 300.0 * mean, 300.0 * 0.7 * spread),
            (Some(500), 500.0 * mean, 500.0 * 0.5 * spread),
            (None, 500.0 * mean, 0.25 * square),
        ];
        for (size, expected, variance) in cases {
            let subsets = Subsets::new(&[&values], size);
            let mut stream = Streams::new(8u64.into(), "subsets").task(1);
            let mut out = vec![0.0; 50_000];
            subsets.draw(&mut stream, 50_000, &mut out);
            let n = out.len() as f64;
            let found = out.iter().sum::<f64>() / n;
            assert!((found - expected).abs() < 5.0 * (variance / n).sqrt(), "{size:?}");
            let found = out.iter().map(|x| (x - found).powi(2)).sum::<f64>() / (n - 1.0);
            assert!((found / variance - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{size:?}");
        }
    }

    #[test]
    fn bits_are_rarer_for_smaller_subsets() {
        assert_eq!(bits_for(1000.0, 500.0), (1, 1));
        let (levels, share) = bits_for(1000.0, 250.0);
        assert_eq!(f64::from(share) / f64::from(1u32 << levels), 0.25);
    }
}
