//! Eight small resamples abreast: one to a lane, drawn index by index.
//!
//! Few units make counts costly (a resample has a fixed cost, and top-ups are a large part), but
//! their columns lie in the nearest cache, where a gather is cheap.

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
        let mut draws = [[0; 8]; ABREAST_UNITS];
        let draws = &mut draws[..units];
        for first in (0..resamples).step_by(8) {
            fill_draws(simd, &mut lanes, draws);
            for (k, column) in columns.iter().enumerate() {
                let sum = match column.padded().first_chunk::<16>() {
                    Some(table) if units <= 16 => sum(simd, draws, table),
                    _ => sum(simd, draws, column.values()),
                };
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

/// A column to look up in. (A trait, since a closure may be compiled without the lanes.)
trait Table {
    fn at<S: Simd>(&self, simd: S, index: S::U) -> S::F;
}

impl Table for [f64; 16] {
    #[inline(always)]
    fn at<S: Simd>(&self, simd: S, index: S::U) -> S::F {
        simd.lookup(self, index)
    }
}

impl Table for [f64] {
    #[inline(always)]
    fn at<S: Simd>(&self, simd: S, index: S::U) -> S::F {
        simd.gather32(self, index)
    }
}

/// Sums the values at `draws`, lane by lane.
#[inline(always)]
fn sum<S: Simd, T: Table + ?Sized>(simd: S, draws: &[[u64; 8]], table: &T) -> S::F {
    let mut sums = [simd.splat(0.0); 2];
    let (pairs, last) = draws.as_chunks::<2>();
    for pair in pairs {
        for (sum, draw) in sums.iter_mut().zip(pair) {
            *sum = simd.add(*sum, table.at(simd, simd.load_u(draw)));
        }
    }
    if let [last] = last {
        sums[0] = simd.add(sums[0], table.at(simd, simd.load_u(last)));
    }
    simd.add(sums[0], sums[1])
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
