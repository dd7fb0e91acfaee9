//! The law of a quantile of a resample, so that one costs the same whatever the sample's size.
//!
//! The k-th smallest of n draws from sorted data is a row whose chance is known exactly (see
//! `cells.rs`); about ten times sqrt(n) rows have a chance worth the name. An alias table of
//! them turns 64 random bits into that row. A quantile between two order statistics needs the
//! next one too: the table also tells whether it is the same row, and if not, how far on it lies
//! is the least of n - k uniform draws from the rows after it.

use super::alias::{quantise, table};
use super::cells::{Cells, FindCells};
use windfall_core::{Error, Result};
use windfall_lanes::math::{expm1, log};
use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::{Stream, open_uniform52};

/// The low bits of a table entry hold the other outcome, the high 40 the own outcome's share.
const OTHER_BITS: i32 = 24;
const CAPACITY: u64 = 1 << (64 - OTHER_BITS);

/// The law of a quantile, or of an order statistic, of a plain resample of `n` rows.
///
/// The law of the rows is exact to 2^-40 in total variation; the distance to the next row is
/// drawn by inversion in double precision.
///
/// ```
/// use windfall_stats::resample::OrderLaw;
/// use windfall_streams::{Seed, Streams};
///
/// let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
/// let median = OrderLaw::quantile(5, 0.5)?;
/// let mut stream = Streams::new(Seed::from(1_u64), "example").task(0);
/// let mut medians = [0.0; 1000];
/// median.draw(&mut stream, &sorted, &mut medians);
/// let middle = medians.iter().filter(|&&x| x == 4.0).count();
/// let (_, chance) = median.rows().nth(2).expect("five rows"); // 0.36512
/// assert!((middle as f64 / 1000.0 - chance).abs() < 0.1);
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OrderLaw {
    n: usize,
    k: usize,
    /// How far the quantile lies from the k-th order statistic towards the next.
    fraction: f64,
    cells: Cells,
    /// A power of two of buckets; an outcome is a row, or for a pair twice a row (less `first`)
    /// and 1 more if the next order statistic is a later row.
    entries: Vec<u64>,
}

impl OrderLaw {
    /// The law of the `k`-th smallest (from 1) of `n` draws.
    ///
    /// # Cost
    /// About 60 ns for each of some 10 sqrt(n) rows, for `k` near n / 2: 20 us for a thousand rows,
    /// 0.7 ms for a million.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] unless `1 <= k <= n < 2^32`.
    pub fn order(n: usize, k: usize) -> Result<Self> {
        Self::new(n, k, 0.0)
    }

    /// The law of the quantile at `probability`: a straight line between the order statistics
    /// around place `1 + (n - 1) probability` (type 7 of Hyndman and Fan; NumPy's default).
    ///
    /// # Cost
    /// As [`OrderLaw::order`].
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] unless `1 <= n < 2^32` and the probability is in
    /// [0, 1].
    pub fn quantile(n: usize, probability: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&probability) {
            return Err(Error::invalid("probability", probability, "a number from 0 to 1"));
        }
        let place = n.saturating_sub(1) as f64 * probability;
        Self::new(n, 1 + place as usize, place.fract())
    }

    fn new(n: usize, k: usize, fraction: f64) -> Result<Self> {
        if n == 0 {
            return Err(Error::too_few("rows", 0, 1));
        }
        if u32::try_from(n).is_err() {
            return Err(Error::invalid("rows", n, "below 2^32"));
        }
        if k < 1 || k > n {
            return Err(Error::invalid("order", k, &format!("a whole number from 1 to {n}")));
        }
        let cells = dispatch(FindCells { n, k });
        let outcomes: Vec<f64> = if fraction > 0.0 {
            cells.masses.as_flattened().to_vec()
        } else {
            cells.masses.iter().map(|[same, later]| same + later).collect()
        };
        let buckets = outcomes.len().next_power_of_two();
        let table = table(quantise(&outcomes, buckets, CAPACITY), CAPACITY);
        let entry = |bucket: &super::alias::Bucket| {
            bucket.share.min(CAPACITY - 1) << OTHER_BITS | bucket.other as u64
        };
        let entries = table.iter().map(entry).collect();
        Ok(Self { n, k, fraction, cells, entries })
    }

    /// The rows of sorted data (from 0) that the lower order statistic may be, with the exact
    /// chance of each; rows that it is less often than 2^-63 of the likeliest are left out.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (usize, f64)> {
        let chance = |(i, [same, later]): (usize, &[f64; 2])| (self.cells.first + i, same + later);
        self.cells.masses.iter().enumerate().map(chance)
    }

    /// The value of the statistic for `sorted` data, not resampled.
    ///
    /// # Panics
    /// If `sorted` does not hold `n` values.
    pub fn of(&self, sorted: &[f64]) -> f64 {
        assert_eq!(sorted.len(), self.n, "a value for each row");
        let (low, high) = (sorted[self.k - 1], sorted[self.k.min(self.n - 1)]);
        self.fraction.mul_add(high - low, low)
    }

    /// Fills `out` with the statistic's values for as many resamples of `sorted` data.
    ///
    /// # Cost
    /// Whatever `n`, about 0.6 ns each for one order statistic and 4 ns between two; one word of
    /// the stream, or two between two order statistics, starting at a word of lane 0.
    ///
    /// # Panics
    /// If `sorted` does not hold `n` values.
    pub fn draw(&self, stream: &mut Stream, sorted: &[f64], out: &mut [f64]) {
        assert_eq!(sorted.len(), self.n, "a value for each row");
        dispatch(Draw { law: self, stream, sorted, out });
    }
}

struct Draw<'a> {
    law: &'a OrderLaw,
    stream: &'a mut Stream,
    sorted: &'a [f64],
    out: &'a mut [f64],
}

impl Task for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { law, stream, sorted, out } = self;
        let mut lanes = stream.lanes(simd);
        let first = simd.splat_u(law.cells.first as u64);
        for out in out.chunks_mut(8) {
            let outcome = law.outcome(simd, lanes.next(simd));
            let values = if law.fraction > 0.0 {
                let row = simd.add_u(first, simd.shr::<1>(outcome));
                let later = simd.and(outcome, simd.splat_u(1));
                let next = law.next_row(simd, row, later, lanes.next(simd));
                let low = simd.gather32(sorted, row);
                let high = simd.gather32(sorted, next);
                simd.fma(simd.splat(law.fraction), simd.sub(high, low), low)
            } else {
                simd.gather32(sorted, simd.add_u(first, outcome))
            };
            simd.store_head(values, out);
        }
        stream.resume(simd, lanes);
    }
}

impl OrderLaw {
    /// What the alias table gives for random words.
    #[inline(always)]
    fn outcome<S: Simd>(&self, simd: S, words: S::U) -> S::U {
        let bucket = simd.and(words, simd.splat_u(self.entries.len() as u64 - 1));
        let other_mask = simd.splat_u((1 << OTHER_BITS) - 1);
        let entry = simd.gather_u(&self.entries, bucket);
        // The share is compared with the high 40 bits of the word; ones below them never win.
        let own = simd.lt_u(simd.or(words, other_mask), entry);
        simd.select_u(own, bucket, simd.and(entry, other_mask))
    }

    /// The row of the next order statistic: `row` itself where `later` is 0; where it is 1, the
    /// least of `n - k` uniform draws from the `n - 1 - row` rows after it.
    #[inline(always)]
    fn next_row<S: Simd>(&self, simd: S, row: S::U, later: S::U, words: S::U) -> S::U {
        let rows_after = simd.sub(simd.splat((self.n - 1) as f64), simd.u52_to_f64(row));
        let exponent = simd.splat(1.0 / (self.n - self.k) as f64);
        let power = simd.mul(log(simd, open_uniform52(simd, words)), exponent);
        let least = simd.neg(expm1(simd, power));
        let between = simd.f64_to_i64(simd.floor(simd.mul(rows_after, least)));
        let step = simd.add_u(between, simd.splat_u(1));
        simd.add_u(row, simd.and(step, simd.sub_u(simd.splat_u(0), later)))
    }
}
