//! Eight small resamples abreast: one to a lane, drawn index by index, then counted.
//!
//! Few units make counts by the way of Poisson costly (a resample has a fixed cost, and top-ups
//! are a large part). Here each draw adds one to a count in the nearest cache, and each column is
//! then read once for the eight: no column is looked up in, however many there are.

use super::column::Column;
use windfall_lanes::{Simd, Task};
use windfall_streams::{Lanes, Stream};

/// Below this many units, resamples go abreast.
pub(super) const ABREAST_UNITS: usize = 160;

/// Adds sums over resamples of as many draws as there are units.
pub(super) struct Abreast<'a> {
    pub columns: &'a [Column],
    pub stream: &'a mut Stream,
    pub resamples: usize,
    /// Sum of column `k` over resample `r` at `k * resamples + r`.
    pub out: &'a mut [f64],
}

impl Task for Abreast<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { columns, stream, resamples, out } = self;
        let units = columns[0].values().len();
        let mut lanes = stream.lanes(simd);
        let (mut draws, mut counts) = ([[0; 8]; ABREAST_UNITS], [[0.0; 8]; ABREAST_UNITS]);
        let (draws, counts) = (&mut draws[..units], &mut counts[..units.next_multiple_of(4)]);
        for first in (0..resamples).step_by(8) {
            fill_draws(simd, &mut lanes, draws);
            counts.fill([0.0; 8]);
            for draw in &*draws {
                for (lane, &unit) in draw.iter().enumerate() {
                    counts[unit as usize][lane] += 1.0;
                }
            }
            for (k, column) in columns.iter().enumerate() {
                let sum = dot(simd, counts, column.padded());
                let out = &mut out[k * resamples..][first..resamples.min(first + 8)];
                if let Some(eight) = out.first_chunk_mut() {
                    simd.store(simd.add(simd.load(eight), sum), eight);
                } else {
                    let before = simd.load_head(out, 0.0);
                    simd.store_head(simd.add(before, sum), out);
                }
            }
        }
        stream.resume(simd, lanes);
    }
}

/// The sums of `values` by their counts, lane by lane; those of units modulo four apart.
#[inline(always)]
fn dot<S: Simd>(simd: S, counts: &[[f64; 8]], values: &[f64]) -> S::F {
    let mut sums = [simd.splat(0.0); 4];
    let (counts, values) = (counts.as_chunks::<4>().0, values.as_chunks::<4>().0);
    for (counts, values) in counts.iter().zip(values) {
        for (sum, (count, &value)) in sums.iter_mut().zip(counts.iter().zip(values)) {
            *sum = simd.fma(simd.load(count), simd.splat(value), *sum);
        }
    }
    simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]))
}

/// Fills `draws` with whole numbers below its length, each as likely, eight at a time.
///
/// The high halves of the lanes are left as they come. A lane whose 32 bits would favour some
/// numbers gets new ones (probability below `units / 2^32`), so the numbers are without bias.
#[inline(always)]
fn fill_draws<S: Simd>(simd: S, lanes: &mut Lanes<S>, draws: &mut [[u64; 8]]) {
    let bound = draws.len() as u32;
    let below = LaneBelow {
        bound: simd.splat_u(bound.into()),
        surplus: simd.splat_u((bound.wrapping_neg() % bound).into()),
    };
    for pair in draws.chunks_mut(2) {
        let words = lanes.next(simd);
        simd.store_u(below.one(simd, lanes, words), &mut pair[0]);
        if let Some(second) = pair.get_mut(1) {
            simd.store_u(below.one(simd, lanes, simd.shr::<32>(words)), second);
        }
    }
}

/// A bound made ready for one number a lane.
struct LaneBelow<S: Simd> {
    bound: S::U,
    surplus: S::U,
}

impl<S: Simd> LaneBelow<S> {
    /// One number a lane from the low halves of `words`, drawn anew where they will not do.
    #[inline(always)]
    fn one(&self, simd: S, lanes: &mut Lanes<S>, words: S::U) -> S::U {
        let low = simd.splat_u(0xffff_ffff);
        let mut product = simd.mul_lo32(words, self.bound);
        loop {
            let dropped = simd.lt_u(simd.and(product, low), self.surplus);
            if !simd.mask_any(dropped) {
                return simd.shr::<32>(product);
            }
            let again = simd.mul_lo32(lanes.next(simd), self.bound);
            product = simd.select_u(dropped, again, product);
        }
    }
}
