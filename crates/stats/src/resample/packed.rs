//! Resamples of few units: the counts of eight lie side by side in the nearest cache.
//!
//! A resample of a thousand units takes some 60 draws to top up, as `counts.rs` explains: numbers
//! of 16 bits, drawn for eight resamples at once. A single column is looked up in, eight draws at a
//! time; for several columns the draws are added to the counts, which are all at hand until then.
//! Then each column is read once for each resample.

use super::bytes::{ByteCounts, STEP};
use super::column::Column;
use super::counted::{Weights, dot};
use super::counts::{CHUNK, Counts, PoissonBytes};
use windfall_lanes::{Simd, Task};
use windfall_streams::{Lanes, Stream};

/// Up to this many units, resamples lie side by side.
pub(super) const PACKED_UNITS: usize = CHUNK;
/// Resamples that lie side by side.
const TOGETHER: usize = 8;
/// Where a resample is drawn anew.
const AGAIN: usize = TOGETHER * PACKED_UNITS;
/// Counts of the resamples, of one more, and a step past the last.
const ROOM: usize = AGAIN + PACKED_UNITS + STEP;
/// Numbers drawn at a time.
const NUMBERS: usize = 32;

/// Adds sums over resamples of as many draws as there are units.
pub(super) struct Packed<'a> {
    pub columns: &'a [Column],
    pub counts: &'a Counts,
    pub stream: &'a mut Stream,
    pub resamples: usize,
    /// Sum of column `k` over resample `r` at `k * resamples + r`.
    pub out: &'a mut [f64],
}

impl Task for Packed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { columns, counts, stream, resamples, out } = self;
        let units = counts.units();
        let mut lanes = stream.lanes(simd);
        let mut poisson = counts.poisson(simd);
        let mut counts = ByteCounts::new();
        let mut numbers = Vec::new();
        let mut weights = (columns.len() > 1).then(|| Box::new(Weights::new()));
        for first in (0..resamples).step_by(TOGETHER) {
            let together = TOGETHER.min(resamples - first);
            let missing = &mut [0; TOGETHER][..together];
            draw(simd, &mut lanes, &mut poisson, (&mut counts, units), missing);
            fill_below(simd, &mut lanes, &mut numbers, units as u16, missing.iter().sum());
            let mut numbers = numbers.as_flattened();
            for (g, r) in (first..first + together).enumerate() {
                let these = numbers;
                numbers = &these[missing[g]..];
                let Some(weights) = &mut weights else {
                    let sum = counts.dot(simd, g * units, columns[0].padded());
                    let sum = look_up(simd, columns[0].values(), these, missing[g], sum);
                    out[r] += simd.sum_lanes(sum);
                    continue;
                };
                counts.add::<PACKED_UNITS>(g * units, &these[..missing[g]]);
                counts.write(simd, g * units, &mut weights.0[..units]);
                for (k, column) in columns.iter().enumerate() {
                    let values = column.padded();
                    let sum = dot(simd, &weights.0[..values.len()], values);
                    out[k * resamples + r] += simd.sum_lanes(sum);
                }
            }
        }
        stream.resume(simd, lanes);
    }
}

/// Draws the counts of `missing.len()` resamples of `units` units, one after another.
#[inline(always)]
fn draw<S: Simd>(
    simd: S,
    lanes: &mut Lanes<S>,
    poisson: &mut PoissonBytes<'_, S>,
    (counts, units): (&mut ByteCounts<ROOM>, usize),
    missing: &mut [usize],
) {
    poisson.draw(simd, lanes, counts.steps_mut(0, missing.len() * units));
    for (g, missing) in missing.iter_mut().enumerate() {
        let mut drawn = counts.sum(simd, g * units, units);
        while drawn > units {
            poisson.draw(simd, lanes, counts.steps_mut(AGAIN, units));
            drawn = counts.sum(simd, AGAIN, units);
            counts.copy(AGAIN, g * units, units);
        }
        *missing = units - drawn;
    }
}

/// Draws as many numbers below a bound, each as likely, and at least eight past them: all of a
/// block anew where one of them would come too often.
#[inline(always)]
fn fill_below<S: Simd>(
    simd: S,
    lanes: &mut Lanes<S>,
    numbers: &mut Vec<[u16; NUMBERS]>,
    bound: u16,
    count: usize,
) {
    let blocks = count.div_ceil(NUMBERS);
    if numbers.len() <= blocks {
        numbers.resize(blocks + 1, [0; NUMBERS]);
    }
    let bounds = simd.splat_u(four(bound));
    let surplus = simd.splat_u(four(bound.wrapping_neg() % bound));
    for block in &mut numbers[..blocks] {
        loop {
            let words = lanes.next(simd);
            let unequal = simd.sub_down16(surplus, simd.mul_lo16(words, bounds));
            if simd.mask_all(simd.eq_u(unequal, simd.splat_u(0))) {
                let numbers = simd.to_array_u(simd.mul_hi16(words, bounds));
                for (out, word) in block.as_chunks_mut::<4>().0.iter_mut().zip(numbers) {
                    *out = std::array::from_fn(|at| (word >> (16 * at)) as u16);
                }
                break;
            }
        }
    }
}

/// Adds the values of the first `count` of these rows, eight at a time; seven more can be read.
#[inline(always)]
fn look_up<S: Simd>(simd: S, values: &[f64], rows: &[u16], count: usize, sum: S::F) -> S::F {
    let mut sum = sum;
    for start in (0..count).step_by(8) {
        let eight: &[u16; 8] = rows[start..].first_chunk().expect("seven rows more can be read");
        let found = simd.gather32(values, simd.load_u(&eight.map(u64::from)));
        let counted =
            simd.mask_from_bits((0xff_u32 >> 8_usize.saturating_sub(count - start)) as u8);
        sum = simd.add(sum, simd.select(counted, found, simd.splat(0.0)));
    }
    sum
}

/// A number four times in a word.
fn four(number: u16) -> u64 {
    u64::from(number) * 0x0001_0001_0001_0001
}
