//! Multinomial counts: how often each of `n` units is drawn in `n` draws with replacement.
//!
//! Drawing the counts in the order of memory beats drawing indices: no gather, no scatter. Let
//! each count be Poisson with mean `1 - m / sqrt(n)` and T their sum, m being 1.6 to 3.2. Given T,
//! the counts are multinomial with T draws, whatever T is; so if T > n (5 to 0.1 in 100) start
//! again, else add `n - T` uniform draws: the counts are exactly multinomial with n draws. Source:
//! M. B. Brown, J. Bromberg, "An efficient two-stage procedure for generating random variates from
//! the multinomial distribution", The American Statistician 38(3), 1984.
//!
//! A count comes from one random byte where that can tell it: a table of 256 places gives each of
//! the counts 0 to 4 the whole places that its probability fills. The two to four places left over
//! stand for what is missing of each count; who draws one of them gets a new word of 32 bits for an
//! alias table of the rest. The margin m is chosen to leave few places over. The law of one count
//! is within 2^-36 of the Poisson law in total variation. Counts stay exchangeable and sum to n, so
//! every mean of a weighted sum is exact, and its variance is off by less than 2^-28 of itself.

use super::alias::{quantise, table};
use super::bytes::{ByteCounts, STEP};
use crate::law::normal;
use std::ops::RangeInclusive;
use windfall_lanes::scalar_math::exp;
use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::{Below, Lanes, Stream};

/// From this many units on, counts are drawn by way of Poisson; below, unit by unit.
pub(super) const POISSON_UNITS: usize = 64;
/// Standard deviations that the mean of T may lie below n, in tenths.
const MARGINS: RangeInclusive<u32> = 16..=32;
/// The least of them where a new start is a long way back.
const MARGIN_MANY: u32 = 20;
/// Counts that the tables know; a Poisson count of mean 1 is beyond once in 10^13.
const BUCKETS: usize = 16;
/// The counts that a byte can tell: 0 to this.
const COMMON: usize = 4;
/// Random bits are worth this much in each bucket.
const CAPACITY: u64 = 1 << 28;
/// Counts that a byte could not tell, drawn at a time.
const OPENS: usize = 16;
/// Counts drawn at a time, at most.
pub(super) const CHUNK: usize = 1024;

/// The law of the counts of some units, as many draws as units.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    units: usize,
    poisson: Box<PoissonTable>,
}

/// The Poisson law as places for a byte and an alias table for the rest.
#[derive(Clone, Debug)]
struct PoissonTable {
    /// A byte, read as a signed number, is a count of how many of these it is above, …
    steps: [i8; COMMON],
    /// … or, above this one, stands for the rest.
    last: i8,
    /// A word names its bucket by its low four bits, whose own number it yields if what is above
    /// them is below the share. A bucket's low eight bits are its other number, the share is above.
    rest: [u64; BUCKETS],
}

impl PoissonTable {
    fn new(mean: f64) -> Self {
        let mut masses = masses(mean);
        let (mut places, mut steps) = (0, [0; COMMON]);
        for (count, mass) in masses.iter_mut().enumerate().take(COMMON + 1) {
            if count > 0 {
                steps[count - 1] = signed(places - 1);
            }
            let whole = (*mass * 256.0).floor();
            places += whole as i32;
            *mass -= whole / 256.0;
        }
        let buckets = table(quantise(&masses, BUCKETS, CAPACITY), CAPACITY);
        let rest = std::array::from_fn(|i| buckets[i].share << 8 | buckets[i].other as u64);
        Self { steps, last: signed(places - 1), rest }
    }

    /// What a word makes of the rest.
    #[inline(always)]
    fn of_rest(&self, word: u32) -> u8 {
        let place = word as usize % BUCKETS;
        let bucket = self.rest[place];
        let is_own = u64::from(word >> 4) < bucket >> 8;
        std::hint::select_unpredictable(is_own, place as u8, bucket as u8)
    }
}

/// The Poisson law.
fn masses(mean: f64) -> [f64; BUCKETS] {
    let mut masses = [exp(-mean); BUCKETS];
    for count in 1..BUCKETS {
        masses[count] = masses[count - 1] * mean / count as f64;
    }
    masses
}

/// The mean of a count: that of least cost, which is part of what a seed means.
///
/// A wide margin is paid for in draws to top up, a narrow one in new starts; where the mean lies
/// decides how many places are left over. The weights are nanoseconds with AVX2, where several
/// columns of few units are topped up count by count and others by looking into them.
fn mean_for(units: usize) -> f64 {
    let (open_ns, draw_ns) = if units <= CHUNK { (4.0, 0.6) } else { (8.5, 1.1) };
    let root = (units.max(POISSON_UNITS) as f64).sqrt();
    let cost = |margin: f64| {
        let whole = |mass: &f64| (mass * 256.0).floor() / 256.0;
        let open = 1.0 - masses(1.0 - margin / root)[..=COMMON].iter().map(whole).sum::<f64>();
        open_ns * open + draw_ns * margin / root + 0.3 * normal::cdf(-margin)
    };
    let least = if units <= CHUNK { *MARGINS.start() } else { MARGIN_MANY };
    let margins = (least..=*MARGINS.end()).map(|tenths| f64::from(tenths) / 10.0);
    let costs = margins.map(|margin| (cost(margin), margin));
    let (_, margin) = costs.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there are margins");
    1.0 - margin / root
}

/// A place among 256 as the signed byte that stands there.
fn signed(place: i32) -> i8 {
    (place - 128) as i8
}

/// Draws Poisson counts, a byte each.
pub(super) struct PoissonBytes<'a, S: Simd> {
    table: &'a PoissonTable,
    steps: [S::U; COMMON],
    last: S::U,
    /// The places of the counts of a chunk that a byte could not tell.
    open: [u16; CHUNK + OPENS],
}

impl<S: Simd> PoissonBytes<'_, S> {
    /// Fills `bytes`, whole steps, with independent counts.
    #[inline(always)]
    pub fn draw(&mut self, simd: S, lanes: &mut Lanes<S>, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(CHUNK) {
            let opens = self.draw_common(simd, lanes, chunk);
            self.draw_rest(simd, lanes, chunk, opens);
        }
    }

    /// Draws a byte for each count and returns how many are still open.
    #[inline(always)]
    fn draw_common(&mut self, simd: S, lanes: &mut Lanes<S>, chunk: &mut [u8]) -> usize {
        let mut opens = 0;
        let (steps, _) = chunk.as_chunks_mut::<8>().0.as_chunks_mut::<{ STEP / 8 }>();
        for (place, bytes) in steps.iter_mut().enumerate() {
            let words = lanes.next(simd);
            let mut counts = simd.splat_u(0);
            for step in self.steps {
                counts = simd.count_above8(counts, words, step);
            }
            *bytes = simd.to_array_u(counts).map(u64::to_le_bytes);
            let mut open = simd.above8_bits(words, self.last);
            let found = open.count_ones() as usize;
            let first = (STEP * place) as u16;
            // Mostly 0 to 3, which no branch could guess: write three and count what holds.
            let slots = &mut self.open[opens..];
            let (three, more) =
                slots.split_first_chunk_mut::<3>().expect("there is room for three");
            for slot in three {
                *slot = first + open.trailing_zeros() as u16;
                open &= open.wrapping_sub(1);
            }
            if found > 3 {
                for slot in &mut more[..found - 3] {
                    *slot = first + open.trailing_zeros() as u16;
                    open &= open.wrapping_sub(1);
                }
            }
            opens += found;
        }
        opens
    }

    #[inline(always)]
    fn draw_rest(&mut self, simd: S, lanes: &mut Lanes<S>, chunk: &mut [u8], opens: usize) {
        let mut words = [0; 16];
        for open in self.open[..opens].chunks(16) {
            simd.store32(lanes.next(simd), &mut words);
            for (&place, &word) in open.iter().zip(&words) {
                chunk[usize::from(place)] = self.table.of_rest(word);
            }
        }
    }
}

impl Counts {
    /// The law for `units` units.
    pub fn new(units: usize) -> Self {
        Self { units, poisson: Box::new(PoissonTable::new(mean_for(units))) }
    }

    /// The number of units, and of draws.
    pub fn units(&self) -> usize {
        self.units
    }

    /// The Poisson stage, ready to draw.
    #[inline(always)]
    pub fn poisson<S: Simd>(&self, simd: S) -> PoissonBytes<'_, S> {
        let byte = |value: i8| simd.splat_u(u64::from(value as u8) * 0x0101_0101_0101_0101);
        let [a, b, c, d] = self.poisson.steps;
        PoissonBytes {
            table: &self.poisson,
            steps: [byte(a), byte(b), byte(c), byte(d)],
            last: byte(self.poisson.last),
            open: [0; CHUNK + OPENS],
        }
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
            let mut poisson = counts.poisson(simd);
            let mut bytes = ByteCounts::<CHUNK>::new();
            drawn = loop {
                let mut sum = 0;
                for out in out.chunks_mut(CHUNK) {
                    poisson.draw(simd, &mut lanes, bytes.steps_mut(0, out.len()));
                    sum += bytes.sum(simd, 0, out.len());
                    bytes.write(simd, 0, out);
                }
                if sum <= units {
                    break sum;
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

    /// What the tables say, read back as probabilities.
    fn law(table: &PoissonTable) -> [f64; BUCKETS] {
        let mut law = [0.0; BUCKETS];
        let mut first = i32::from(i8::MIN);
        for (count, step) in table.steps.into_iter().chain([table.last]).enumerate() {
            law[count] = f64::from(i32::from(step) + 1 - first) / 256.0;
            first = i32::from(step) + 1;
        }
        let open = f64::from(i32::from(i8::MAX) + 1 - first) / 256.0;
        for (i, bucket) in table.rest.iter().enumerate() {
            let share = (bucket >> 8) as f64 / CAPACITY as f64 / BUCKETS as f64;
            law[i] += open * share;
            law[*bucket as usize % 256] += open * (1.0 / BUCKETS as f64 - share);
        }
        law
    }

    #[test]
    fn the_table_is_near_the_poisson_law() {
        for units in [64, 100, 1000, 1_000_000] {
            let mean = mean_for(units);
            let mut mass = (-mean).exp();
            let (mut distance, mut square) = (0.0, 0.0);
            for (count, found) in law(&PoissonTable::new(mean)).into_iter().enumerate() {
                distance += (found - mass).abs() / 2.0;
                square += found * (count * count) as f64;
                mass *= mean / (count + 1) as f64;
            }
            assert!((square - mean - mean * mean).abs() < 2_f64.powi(-28), "{units}: {square}");
            assert!(distance < 2_f64.powi(-36), "{units}: {distance}");
        }
    }
}
