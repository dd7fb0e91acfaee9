//! Multinomial counts: how often each of `n` units is drawn in `n` draws with replacement.
//!
//! Drawing the counts in the order of memory beats drawing indices: no gather, no scatter. Let
//! each count be Poisson with mean `1 - 2.5 / sqrt(n)` and T their sum. Given T, the counts are
//! multinomial with T draws, whatever T is; so if T > n (6 in 1000) start again, else add `n - T`
//! uniform draws: the counts are exactly multinomial with n draws. Source: M. B. Brown,
//! J. Bromberg, "An efficient two-stage procedure for generating random variates from the
//! multinomial distribution", The American Statistician 38(3), 1984.
//!
//! A count comes from 32 random bits and an alias table of sixteen buckets that stays in a
//! register. Probabilities are multiples of 2^-32; the law of one count is within 2^-29 of the
//! Poisson law in total variation. Counts stay exchangeable and sum to n, so every mean of a
//! weighted sum is exact, and its variance is off by less than 2^-22 of itself.

use super::alias::{quantise, table};
use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::{Below, Lanes, Stream};

/// From this many units on, counts are drawn by way of Poisson; below, unit by unit.
pub(super) const POISSON_UNITS: usize = 64;
/// Standard deviations between the mean of T and n: fewer top-ups against fewer new starts.
const MARGIN: f64 = 2.5;
/// Counts that the table knows; a Poisson count of mean 1 is beyond once in 10^13.
const BUCKETS: usize = 16;
/// Random bits are worth this much in each bucket.
const CAPACITY: u64 = 1 << 28;

/// The law of the counts of some units, as many draws as units.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    units: usize,
    poisson: PoissonTable,
}

/// The alias table of the Poisson law, word by word as the lanes look it up.
///
/// A word of 32 random bits names its bucket by its low four bits; it yields the bucket's own
/// count if it is below the threshold. A count is kept as the high half of itself as `f64`,
/// whose low half is zero for so small a number.
#[derive(Clone, Debug)]
struct PoissonTable {
    thresholds: [u32; BUCKETS],
    other: [u32; BUCKETS],
}

impl PoissonTable {
    fn new(mean: f64) -> Self {
        let mut masses = [1.0; BUCKETS];
        for count in 1..BUCKETS {
            masses[count] = masses[count - 1] * mean / count as f64;
        }
        let buckets = table(quantise(&masses, BUCKETS, CAPACITY), CAPACITY);
        let mut own = Self { thresholds: [0; BUCKETS], other: [0; BUCKETS] };
        for (i, bucket) in buckets.iter().enumerate() {
            // A full bucket's other outcome is its own, so any threshold will do: 2^32 wraps.
            own.thresholds[i] = (bucket.share << 4) as u32;
            own.other[i] = high_half(bucket.other);
        }
        own
    }
}

/// The high half of a small count as `f64`.
fn high_half(count: usize) -> u32 {
    ((count as f64).to_bits() >> 32) as u32
}

/// The table in registers.
#[derive(Clone, Copy)]
struct Lookup<S: Simd> {
    thresholds: S::U,
    own: S::U,
    other: S::U,
}

impl<S: Simd> Lookup<S> {
    #[inline(always)]
    fn new(simd: S, table: &PoissonTable) -> Self {
        Self {
            thresholds: simd.load32(&table.thresholds),
            own: simd.load32(&std::array::from_fn(high_half)),
            other: simd.load32(&table.other),
        }
    }

    /// Sixteen Poisson counts of eight words: those of the low halves, then of the high halves.
    #[inline(always)]
    fn sixteen(&self, simd: S, words: S::U) -> [S::F; 2] {
        let keep = simd.lt32(words, simd.permute32(self.thresholds, words));
        let own = simd.permute32(self.own, words);
        let other = simd.permute32(self.other, words);
        let halves = simd.select32(keep, own, other);
        let low = simd.shl::<32>(halves);
        let high = simd.blend_halves(simd.splat_u(0), halves);
        [simd.from_bits(low), simd.from_bits(high)]
    }
}

/// Draws Poisson counts block by block; the fused form for engines that sum as they draw.
#[derive(Clone, Copy)]
pub(super) struct PoissonBlocks<S: Simd> {
    lookup: Lookup<S>,
}

impl<S: Simd> PoissonBlocks<S> {
    /// Fills `out`, a multiple of 16 long, with independent Poisson counts for the first `rows`
    /// places, zeros up to the next multiple of 16, and returns their sum.
    #[inline(always)]
    pub fn fill(&self, simd: S, lanes: &mut Lanes<S>, out: &mut [f64], rows: usize) -> f64 {
        let zero = simd.splat(0.0);
        let mut totals = [zero; 2];
        let (blocks, _) = out.as_chunks_mut::<16>();
        let (blocks, rest) = blocks.split_at_mut(rows / 16);
        for block in blocks {
            let counts = self.lookup.sixteen(simd, lanes.next(simd));
            store_sixteen(simd, counts, &mut totals, block);
        }
        if let (Some(block), 1..) = (rest.first_mut(), rows % 16) {
            let keep = (1_u32 << (rows % 16)) - 1;
            let [low, high] = self.lookup.sixteen(simd, lanes.next(simd));
            let low = simd.select(simd.mask_from_bits(keep as u8), low, zero);
            let high = simd.select(simd.mask_from_bits((keep >> 8) as u8), high, zero);
            store_sixteen(simd, [low, high], &mut totals, block);
        }
        simd.sum_lanes(simd.add(totals[0], totals[1]))
    }
}

/// Writes sixteen counts and adds them to the totals.
#[inline(always)]
fn store_sixteen<S: Simd>(simd: S, counts: [S::F; 2], totals: &mut [S::F; 2], out: &mut [f64; 16]) {
    let (halves, _) = out.as_chunks_mut::<8>();
    for ((half, count), total) in halves.iter_mut().zip(counts).zip(totals) {
        simd.store(count, half);
        *total = simd.add(*total, count);
    }
}

impl Counts {
    /// The law for `units` units.
    pub fn new(units: usize) -> Self {
        let mean = 1.0 - MARGIN / (units.max(POISSON_UNITS) as f64).sqrt();
        Self { units, poisson: PoissonTable::new(mean) }
    }

    /// The number of units, and of draws.
    pub fn units(&self) -> usize {
        self.units
    }

    /// The Poisson stage in registers.
    #[inline(always)]
    pub fn poisson<S: Simd>(&self, simd: S) -> PoissonBlocks<S> {
        PoissonBlocks { lookup: Lookup::new(simd, &self.poisson) }
    }

    /// Fills `out`, one for each unit, with the counts of one resample.
    pub fn draw(&self, stream: &mut Stream, out: &mut [f64]) {
        dispatch(Draw { counts: self, stream, out });
    }
}

struct Draw<'a> {
    counts: &'a Counts,
    stream: &'a mut Stream,
    out: &'a mut [f64],
}

impl Task for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { counts, stream, out } = self;
        let mut lanes = stream.lanes(simd);
        let units = counts.units;
        let mut drawn = 0;
        if units < POISSON_UNITS {
            out.fill(0.0);
        } else {
            let poisson = counts.poisson(simd);
            drawn = loop {
                let whole = units / 16 * 16;
                let (head, tail) = out.split_at_mut(whole);
                let mut last = [0.0; 16];
                let sum = poisson.fill(simd, &mut lanes, head, whole)
                    + poisson.fill(simd, &mut lanes, &mut last, tail.len());
                tail.copy_from_slice(&last[..tail.len()]);
                if sum <= units as f64 {
                    break sum as usize;
                }
            };
        }
        let below = Below::new(simd, units as u32);
        let mut numbers = [0; 16];
        while drawn < units {
            let (found, dropped) = below.sixteen(simd, lanes.next(simd));
            simd.store32(found, &mut numbers);
            let kept = (0..16).filter(|i| dropped >> i & 1 == 0).take(units - drawn);
            drawn += kept.map(|i| out[numbers[i] as usize] += 1.0).count();
        }
        stream.resume(simd, lanes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the lanes look up, read back as probabilities.
    fn law(table: &PoissonTable) -> [f64; BUCKETS] {
        let mut law = [0.0; BUCKETS];
        for i in 0..BUCKETS {
            let share = f64::from(table.thresholds[i]) / 2_f64.powi(36);
            let other = f64::from_bits(u64::from(table.other[i]) << 32);
            law[i] += share;
            law[other as usize] += 1.0 / 16.0 - share;
        }
        law
    }

    #[test]
    fn the_table_is_near_the_poisson_law() {
        for units in [64, 100, 1000, 1_000_000] {
            let mean = 1.0 - MARGIN / f64::from(units).sqrt();
            let mut mass = (-mean).exp();
            let (mut distance, mut square) = (0.0, 0.0);
            for (count, found) in law(&PoissonTable::new(mean)).into_iter().enumerate() {
                distance += (found - mass).abs() / 2.0;
                square += found * (count * count) as f64;
                mass *= mean / (count + 1) as f64;
            }
            assert!((square - mean - mean * mean).abs() < 2_f64.powi(-23), "{units}: {square}");
            assert!(distance < 2_f64.powi(-29), "{units}: {distance}");
        }
    }
}
