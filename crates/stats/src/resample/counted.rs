//! Sums by multinomial counts: a pass over the columns in the order of memory.
//!
//! A block of counts is drawn and multiplied with each column while all of it lies in the nearest
//! cache; a few resamples share a pass, so that long columns are read from memory once for them
//! all. Then each resample is topped up by looking into the columns, as `counts.rs` explains.

use super::bytes::ByteCounts;
use super::column::{Column, PADDING};
use super::counts::{CHUNK, Counts};
use windfall_lanes::{Simd, Task};
use windfall_streams::{Below, Lanes, Stream};

/// Rows drawn and summed at a time, at most.
const BLOCK: usize = CHUNK;
/// Values of a block: its counts and its rows of each column stay in the nearest cache.
const BLOCK_VALUES: usize = 4096;
/// Resamples that pass over a block together at most, while it is in the cache.
const TOGETHER_MAX: usize = 16;
/// From this many units on, a column comes from beyond the second-level cache.
const FAR_UNITS: usize = 1 << 17;
/// Draws that are topped up at a time: their numbers first, so that many looks into a column that
/// lies far away are under way at once.
const LOOKS: usize = 512;

/// How many resamples pass over columns of so many units together: the more, the less a column
/// that lies far away is read.
pub(super) fn together(units: usize) -> usize {
    if units < FAR_UNITS { TOGETHER_MAX / 2 } else { TOGETHER_MAX }
}

/// Counts of a block, on a cache line's edge.
#[repr(align(64))]
pub(super) struct Weights(pub [f64; BLOCK]);

impl Weights {
    /// All zero.
    pub fn new() -> Self {
        Self([0.0; BLOCK])
    }
}

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
    let mut bytes = ByteCounts::<BLOCK>::new();
    let mut weights = Weights::new();
    let step = block_rows(columns.len());
    sums.fill([0.0; 8]);
    drawn.fill(0);
    for start in (0..counts.units()).step_by(step) {
        let rows = step.min(counts.units() - start);
        let padded = rows.next_multiple_of(PADDING);
        let weights = &mut weights.0[..padded];
        weights[rows..].fill(0.0);
        for (drawn, sums) in drawn.iter_mut().zip(sums.chunks_exact_mut(columns.len())) {
            poisson.draw(simd, lanes, bytes.steps_mut(0, rows));
            *drawn += bytes.sum(simd, 0, rows);
            if let ([sum], [column]) = (&mut *sums, columns) {
                // A single column has its counts from where they are drawn.
                let more = bytes.dot(simd, 0, &column.padded()[start..start + padded]);
                simd.store(simd.add(simd.load(sum), more), sum);
                continue;
            }
            bytes.write(simd, 0, &mut weights[..rows]);
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
    let mut numbers = [0; LOOKS + 16];
    while draws > 0 {
        let len = draws.min(LOOKS);
        let mut filled = 0;
        while filled < len {
            let (found, dropped) = below.sixteen(simd, lanes.next(simd));
            let block = numbers[filled..].first_chunk_mut().expect("there is room for sixteen");
            simd.store32(found, block);
            filled += keep(block, dropped);
        }
        for (sum, column) in sums.iter_mut().zip(columns) {
            look_up(column.values(), &numbers[..len], sum);
        }
        draws -= len;
    }
}

/// Moves the numbers whose bit is not set to the front and returns how many they are.
#[inline(always)]
fn keep(numbers: &mut [u32; 16], dropped: u32) -> usize {
    if dropped == 0 {
        return numbers.len();
    }
    let mut kept = 0;
    for place in (0..numbers.len()).filter(|place| dropped >> place & 1 == 0) {
        numbers[kept] = numbers[place];
        kept += 1;
    }
    kept
}

/// Adds the values of these rows, two a lane in turn.
#[inline(always)]
fn look_up(values: &[f64], rows: &[u32], sums: &mut [f64; 8]) {
    let (sixteens, rest) = rows.as_chunks::<16>();
    for rows in sixteens {
        for (sum, [first, second]) in sums.iter_mut().zip(rows.as_chunks().0) {
            *sum += values[*first as usize];
            *sum += values[*second as usize];
        }
    }
    for (place, &row) in rest.iter().enumerate() {
        sums[place / 2] += values[row as usize];
    }
}

/// The product of two slices of whole paddings in eight lanes; rows modulo 32 are summed apart.
#[inline(always)]
pub(super) fn dot<S: Simd>(simd: S, weights: &[f64], column: &[f64]) -> S::F {
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
