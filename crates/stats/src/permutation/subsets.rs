//! Sums over random subsets, sixty-four subsets abreast: two groups, and random signs.
//!
//! Fair bits are a uniform subset given how many of them are set: to get one of fixed size, bits
//! at random places are flipped until the number is right, only as many as are missing.

use super::nibbles::{self, ABREAST, Column, WORDS};
use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::{Below, Lanes, Stream};

/// Random places drawn at a time.
const PLACES: usize = 64;
/// The most words that are combined to bits that are less often set.
const LEVELS_MAX: u32 = 5;

/// Sums of columns over random subsets of their rows.
#[derive(Debug)]
pub(crate) struct Subsets {
    rows: usize,
    columns: Vec<Column>,
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
    /// As much memory as 22 numbers for every four rows and column.
    pub fn new(columns: &[&[f64]], size: Option<usize>) -> Self {
        let rows = columns[0].len();
        let (levels, share) = size.map_or((1, 1), |size| bits_for(rows as f64, size as f64));
        Self {
            rows,
            columns: columns.iter().map(|column| Column::new(column)).collect(),
            size: size.map(|size| size as u32),
            levels,
            share,
        }
    }

    /// Draws `count` subsets and writes the sum of column `k` over subset `r` to
    /// `out[k * count + r]`.
    ///
    /// # Cost
    /// Of 1,000 rows and 500 chosen: at most 0.2 µs a subset with AVX2, for one column.
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
        let words = subsets.rows.div_ceil(8);
        let mut bits = vec![[0; 8]; words.next_multiple_of(WORDS)];
        let mut places = Places::new(simd, subsets.rows as u32);
        for first in (0..count).step_by(ABREAST) {
            fill(simd, &mut lanes, subsets, &mut bits[..words]);
            if let Some(size) = subsets.size {
                let counts = nibbles::counts(simd, &bits);
                for (r, &set) in counts.iter().enumerate() {
                    // The kind of bit to flip: set ones if there are too many.
                    let flips = (u64::from(set > size), set.abs_diff(size));
                    settle(simd, &mut lanes, &mut places, (r, flips), &mut bits);
                }
            }
            let kept = ABREAST.min(count - first);
            for (k, column) in subsets.columns.iter().enumerate() {
                let sums = column.sums(simd, &bits);
                out[k * count + first..][..kept].copy_from_slice(&sums[..kept]);
            }
        }
        stream.resume(simd, lanes);
    }
}

/// Draws a bit for every row and subset.
#[inline(always)]
fn fill<S: Simd>(simd: S, lanes: &mut Lanes<S>, subsets: &Subsets, bits: &mut [[u64; 8]]) {
    for word in bits.iter_mut() {
        let mut set = lanes.next(simd);
        // From the last binary digit of the share to the first: or for 1, and for 0.
        for level in 1..subsets.levels {
            let next = lanes.next(simd);
            let digit = subsets.share >> level & 1 == 1;
            set = if digit { simd.or(set, next) } else { simd.and(set, next) };
        }
        simd.store_u(set, word);
    }
    if let (Some(last), rest @ 1..) = (bits.last_mut(), subsets.rows % 8) {
        last.iter_mut().for_each(|word| *word &= 0x0101_0101_0101_0101 * ((1 << rest) - 1));
    }
}

/// Flips bits of one kind of subset `r` at random places, as many as are `left` to flip.
#[inline(always)]
fn settle<S: Simd>(
    simd: S,
    lanes: &mut Lanes<S>,
    places: &mut Places<S>,
    (r, (kind, mut left)): (usize, (u64, u32)),
    bits: &mut [[u64; 8]],
) {
    let (bits, lane, byte) = (bits.as_flattened_mut(), r / 8, 8 * (r as u32 % 8));
    while left > 0 {
        let mut tried = 0;
        for &place in &places.drawn[places.next..places.end] {
            let (word, at) = (&mut bits[place as usize / 8 * 8 + lane], byte + place % 8);
            let hit = !(*word >> at ^ kind) & 1;
            *word ^= hit << at;
            left -= hit as u32;
            tried += 1;
            if left == 0 {
                break;
            }
        }
        places.next += tried;
        if left > 0 {
            places.refill(simd, lanes);
        }
    }
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
