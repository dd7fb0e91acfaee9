//! Sums by multinomial counts: a pass over the columns in the order of memory.
//!
//! A block of counts is drawn and multiplied with each column while all of it lies in the nearest
//! cache; a few resamples share a pass, so that long columns are read from memory once for them
//! all. Then each resample is topped up by gathers, as `counts.rs` explains.

use super::column::{Column, PADDING};
use super::counts::Counts;
use windfall_lanes::{Simd, Task};
use windfall_streams::{Below, Lanes, Stream};

/// Rows drawn and summed at a time, at most.
const BLOCK: usize = 1024;
/// Values of a block: its counts and its rows of each column stay in the nearest cache.
const BLOCK_VALUES: usize = 4096;
/// Resamples that pass over a block together at most, while it is in the cache.
const TOGETHER_MAX: usize = 16;
/// From this many units on, a column comes from beyond the second-level cache.
const FAR_UNITS: usize = 1 << 17;

/// How many resamples pass over columns of so many units together: the more, the less a column
/// that lies far away is read.
pub(crate) fn together(units: usize) -> usize {
    if units < FAR_UNITS { TOGETHER_MAX / 2 } else { TOGETHER_MAX }
}

/// Counts of a block, on a cache line's edge.
#[repr(align(64))]
struct Aligned([f64; BLOCK]);

/// The rows of a block of so many columns.
#[inline(always)]
fn block_rows(columns: usize) -> usize {
    (BLOCK_VALUES / (columns + 1)).clamp(128, BLOCK) / PADDING * PADDING
}

/// Sums by multinomial counts, blocks of rows outside and a few resamples inside.
pub(super) struct Counted<'a> {
    pub columns: &'a [Column],
    pub counts: &'a Counts,
    pub stream: &'a mut Stream,
    pub resamples: usize,
    /// Sum of column `k` over resample `r` at `k * resamples + r`.
    pub out: &'a mut [f64],
}

impl Task for Counted<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { columns, counts, stream, resamples, out } = self;
        let units = counts.units();
        let mut lanes = stream.lanes(simd);
        // Partial sums of a column over a resample, eight lanes: `sums[resample][column]`.
        let mut sums = vec![[0.0; 8]; columns.len() * TOGETHER_MAX];
        let step = together(units);
        for first in (0..resamples).step_by(step) {
            let together = step.min(resamples - first);
            let mut drawn = [0; TOGETHER_MAX];
            let sums = &mut sums[..columns.len() * together];
            poisson_sums(simd, &mut lanes, (columns, counts), sums, &mut drawn[..together]);
            for (g, sums) in sums.chunks_exact_mut(columns.len()).enumerate() {
                let drawn = &mut drawn[g..=g];
                while drawn[0] > units {
                    poisson_sums(simd, &mut lanes, (columns, counts), sums, drawn);
                }
                top_up(simd, &mut lanes, columns, units - drawn[0], sums);
                for (k, sum) in sums.iter().enumerate() {
                    out[k * resamples + first + g] += simd.sum_lanes(simd.load(sum));
                }
            }
        }
        stream.resume(simd, lanes);
    }
}

/// The Poisson stage of as many resamples as `drawn` has room for: their sums and totals.
#[inline(always)]
fn poisson_sums<S: Simd>(
    simd: S,
    lanes: &mut Lanes<S>,
    (columns, counts): (&[Column], &Counts),
    sums: &mut [[f64; 8]],
    drawn: &mut [usize],
) {
    let mut poisson = counts.poisson(simd);
    let mut weights = Aligned([0.0; BLOCK]);
    let step = block_rows(columns.len());
    sums.fill([0.0; 8]);
    drawn.fill(0);
    for start in (0..counts.units()).step_by(step) {
        let rows = step.min(counts.units() - start);
        let padded = rows.next_multiple_of(PADDING);
        let weights = &mut weights.0[..padded];
        weights[rows..].fill(0.0);
        for (drawn, sums) in drawn.iter_mut().zip(sums.chunks_exact_mut(columns.len())) {
            if let ([sum], [column]) = (&mut *sums, columns) {
                // A single column has its counts from where they are drawn.
                *drawn += poisson.draw(simd, lanes, rows);
                let more = poisson.dot(simd, &column.padded()[start..start + padded]);
                simd.store(simd.add(simd.load(sum), more), sum);
                continue;
            }
            *drawn += poisson.fill(simd, lanes, &mut weights[..rows]);
            for (sum, column) in sums.iter_mut().zip(columns) {
                let more = dot(simd, weights, &column.padded()[start..start + padded]);
                simd.store(simd.add(simd.load(sum), more), sum);
            }
        }
    }
}

/// Adds `draws` uniform draws to the sums of each column.
#[inline(always)]
fn top_up<S: Simd>(
    simd: S,
    lanes: &mut Lanes<S>,
    columns: &[Column],
    mut draws: usize,
    sums: &mut [[f64; 8]],
) {
    let below = Below::new(simd, columns[0].values().len() as u32);
    while draws > 0 {
        let (low, dropped) = below.sixteen(simd, lanes.next(simd));
        let high = simd.shr::<32>(low);
        if dropped == 0 && draws >= 16 {
            draws -= 16;
            for (sum, column) in sums.iter_mut().zip(columns) {
                let first = simd.gather32(column.values(), low);
                let total = simd.add(simd.load(sum), first);
                simd.store(simd.add(total, simd.gather32(column.values(), high)), sum);
            }
            continue;
        }
        let kept = first_bits(!dropped & 0xffff, draws);
        draws -= kept.count_ones() as usize;
        let (keep_low, keep_high) = (even_bits(kept), even_bits(kept >> 1));
        let masks = [simd.mask_from_bits(keep_low), simd.mask_from_bits(keep_high)];
        for (sum, column) in sums.iter_mut().zip(columns) {
            let mut total = simd.load(sum);
            for (index, mask) in [low, high].into_iter().zip(masks) {
                let found = simd.gather32(column.values(), index);
                total = simd.add(total, simd.select(mask, found, simd.splat(0.0)));
            }
            simd.store(total, sum);
        }
    }
}

/// The lowest `count` of the bits that are set.
#[inline(always)]
fn first_bits(bits: u32, count: usize) -> u32 {
    if count >= 16 {
        return bits;
    }
    let mut first = bits & ((1 << count) - 1);
    let mut rest = bits ^ first;
    while (first.count_ones() as usize) < count && rest != 0 {
        first |= rest & rest.wrapping_neg();
        rest &= rest - 1;
    }
    first
}

/// Bits 0, 2, … 14 side by side.
#[inline(always)]
fn even_bits(x: u32) -> u8 {
    let x = x & 0x5555;
    let x = (x | x >> 1) & 0x3333;
    let x = (x | x >> 2) & 0x0f0f;
    (x | x >> 4) as u8
}

/// The product of two slices of whole paddings in eight lanes; rows modulo 32 are summed apart.
#[inline(always)]
fn dot<S: Simd>(simd: S, weights: &[f64], column: &[f64]) -> S::F {
    let mut sums = [simd.splat(0.0); 4];
    let (weights, _) = weights.as_chunks::<PADDING>();
    let (values, _) = column.as_chunks::<PADDING>();
    for (weights, values) in weights.iter().zip(values) {
        let (weights, values) = (weights.as_chunks::<8>().0, values.as_chunks::<8>().0);
        for ((sum, weights), values) in sums.iter_mut().zip(weights).zip(values) {
            *sum = simd.fma(simd.load(weights), simd.load(values), *sum);
        }
    }
    simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]))
}
