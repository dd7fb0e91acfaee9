//! Parts: aggregates that are evaluated from the weights of the rows, over sorted columns.
//!
//! What a walk along a sorted column needs is where the mass reaches some level. Masses are
//! therefore summed in strides, at the speed of the lanes; a walk passes over strides and looks
//! at single places only at its ends.

use super::Scratch;
use super::frame::{Counts, Frame, Values};
use std::fmt::Debug;
use windfall_lanes::{Simd, Task, dispatch, dot, sum};

/// The places of a stride.
const STRIDE: usize = 64;

/// Room for the masses of a column.
#[derive(Debug, Default)]
pub(crate) struct Room {
    each: Vec<f64>,
    before: Vec<f64>,
}

/// An aggregate with its columns, ready to be evaluated under any weights.
pub(crate) trait Part: Debug + Send + Sync {
    /// The value when row `i` has weight `weights[i]`.
    ///
    /// # Cost
    /// `O(rows)`.
    fn evaluate(&self, weights: &[f64], scratch: &mut Scratch) -> f64;

    /// The value without one row, where that takes constant time.
    fn without(&self, _row: usize) -> Option<f64> {
        None
    }

    /// The sorted column that it walks along, the first if there are several.
    fn sorted(&self) -> &Sorted;

    /// The order of rows in which that column is sorted, if they stand in another.
    fn order(&self) -> Option<&[u32]> {
        self.sorted().rows.as_deref()
    }

    /// The label whose rows it looks at; none means all.
    fn selection(&self) -> Option<u32> {
        self.sorted().selection
    }

    /// The quantile of equally heavy rows that it is, if it is one.
    fn order_statistic(&self) -> Option<OrderStatistic<'_>> {
        None
    }
}

/// A quantile of rows of equal mass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderStatistic<'a> {
    /// The rows' values in ascending order.
    pub sorted: &'a [f64],
    /// Its level.
    pub level: f64,
    /// The label whose rows they are; none means all.
    pub selection: Option<u32>,
}

/// A column in ascending order, with the rows that its values came from.
#[derive(Debug)]
pub(crate) struct Sorted {
    /// The values, ascending.
    pub values: Vec<f64>,
    /// The row of each; none if rows stand in that order.
    pub rows: Option<Vec<u32>>,
    /// The label whose rows they are.
    pub selection: Option<u32>,
    /// The place of each row among the values; none if rows stand in that order.
    places: Option<Vec<u32>>,
    case_weights: Option<Vec<f64>>,
    counts: Counts,
}

impl Sorted {
    /// Sorts the rows that `column` stands for.
    pub fn new(frame: &Frame<'_>, column: &Values) -> Self {
        let mut rows: Vec<u32> = frame.selected(column.selection).map(|row| row as u32).collect();
        let value = |row: &u32| column.values[*row as usize];
        rows.sort_by(|a, b| value(a).total_cmp(&value(b)));
        let case = |weights: &[f64]| rows.iter().map(|&row| weights[row as usize]).collect();
        let (values, case_weights) = (rows.iter().map(value).collect(), frame.weights().map(case));
        let stands = rows.is_sorted() && rows.len() == frame.rows();
        let places = (!stands).then(|| {
            let mut places = vec![u32::MAX; frame.rows()];
            rows.iter().enumerate().for_each(|(place, &row)| places[row as usize] = place as u32);
            places
        });
        let (selection, counts) = (column.selection, frame.counts());
        Self { values, rows: (!stands).then_some(rows), selection, places, case_weights, counts }
    }

    /// The place of a row among the values; beyond the last for a row that is not among them.
    pub fn place(&self, row: usize) -> usize {
        self.places.as_ref().map_or(row, |places| places[row] as usize)
    }

    /// Whether a quantile of a resample is an order statistic of equally heavy rows.
    pub fn is_counted(&self) -> bool {
        self.case_weights.is_none() && self.counts != Counts::Real
    }

    /// The masses of the values, in their order; `room` is where they are gathered if need be.
    pub fn masses<'m>(&self, weights: &'m [f64], room: &'m mut Room) -> Masses<'m> {
        let real = self.counts == Counts::Real;
        let Room { each, before } = room;
        if let (None, None) = (&self.rows, &self.case_weights) {
            let square = real.then(|| dot(weights, weights));
            return Masses::new(weights, before, square);
        }
        each.clear();
        match &self.rows {
            None => each.extend_from_slice(weights),
            Some(rows) => each.extend(rows.iter().map(|&row| weights[row as usize])),
        }
        let Some(case) = &self.case_weights else {
            let square = real.then(|| dot(each, each));
            return Masses::new(each, before, square);
        };
        let mut square = 0.0;
        for (mass, case) in each.iter_mut().zip(case) {
            *mass *= case;
            square += *mass * if real { *mass } else { *case };
        }
        Masses::new(each, before, Some(square))
    }

    /// The number of rows that these weights hold, in whatever mass.
    pub fn count(&self, weights: &[f64]) -> f64 {
        match (self.counts, &self.rows) {
            (Counts::Fixed | Counts::Real, _) => self.values.len() as f64,
            (Counts::Varying, None) => sum(weights),
            (Counts::Varying, Some(rows)) => rows.iter().map(|&row| weights[row as usize]).sum(),
        }
    }
}

/// The masses of sorted values under the weights of a resample, laid end to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masses<'m> {
    /// One mass for each value.
    pub each: &'m [f64],
    /// The mass before each stride, and before the end.
    before: &'m [f64],
    /// Their sum.
    pub total: f64,
    /// The effective number of rows: that of Kish (1965), `(Σ c·w)²/Σ c·w²` for counts `c` of rows
    /// with case weights `w`, and `(Σ g·w)²/Σ (g·w)²` for real weights `g`. It is the number of
    /// rows when all are equally heavy.
    pub rows: f64,
}

impl<'m> Masses<'m> {
    /// Masses with their sum of squares in the sense above; none if they are plain counts.
    fn new(each: &'m [f64], before: &'m mut Vec<f64>, square: Option<f64>) -> Self {
        before.clear();
        before.resize(each.len().div_ceil(STRIDE) + 1, 0.0);
        dispatch(Strides { each, before });
        let total = before[before.len() - 1];
        Self { each, before, total, rows: square.map_or(total, |square| total * total / square) }
    }

    /// The stretch of mass that the quantile at `level` is the mean over; see `quantile.rs`.
    pub fn stretch(&self, level: f64) -> (f64, f64) {
        let step = self.total / self.rows;
        let low = (self.rows - 1.0) * level * step;
        (low, low + step)
    }

    /// The quantile at `level` of `values`.
    pub fn quantile(&self, values: &[f64], level: f64) -> f64 {
        let (low, high) = self.stretch(level);
        self.mean_between(values, low, high)
    }

    /// The mass before `place`.
    pub fn before(&self, place: usize) -> f64 {
        let stride = place / STRIDE;
        self.each[stride * STRIDE..place].iter().fold(self.before[stride], |sum, mass| sum + mass)
    }

    /// The mean of `values` over the mass between `low` and `high`.
    ///
    /// Quantiles are such means over a short stretch, trimmed means over a long one.
    pub fn mean_between(&self, values: &[f64], low: f64, high: f64) -> f64 {
        let last = self.before.len() - 1;
        // Strides wholly inside, and single places from there to either end.
        let first_inside = self.before.partition_point(|&before| before < low).min(last);
        let end_inside = self.before.partition_point(|&before| before <= high).max(1) - 1;
        let place = |stride: usize| (stride * STRIDE).min(values.len());
        if end_inside <= first_inside {
            let first = first_inside.saturating_sub(1);
            let end = (end_inside + 1).min(last);
            return self.sum_of_places(values, (low, high), place(first)..place(end))
                / (high - low);
        }
        let inside = place(first_inside)..place(end_inside);
        let head = place(first_inside.saturating_sub(1))..inside.start;
        let tail = inside.end..place((end_inside + 1).min(last));
        let total = dot(&values[inside.clone()], &self.each[inside])
            + self.sum_of_places(values, (low, high), head)
            + self.sum_of_places(values, (low, high), tail);
        total / (high - low)
    }

    /// The sum of `values` times their mass within a stretch, over places that begin a stride.
    fn sum_of_places(
        &self,
        values: &[f64],
        (low, high): (f64, f64),
        places: std::ops::Range<usize>,
    ) -> f64 {
        let mut before = self.before[places.start / STRIDE];
        let mut total = 0.0;
        for place in places {
            let after = before + self.each[place];
            total += (after.min(high) - f64::max(before, low)).max(0.0) * values[place];
            before = after;
        }
        total
    }
}

/// Writes the mass before each stride and before the end.
struct Strides<'a> {
    each: &'a [f64],
    before: &'a mut [f64],
}

impl Task for Strides<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut total = 0.0;
        for (stride, before) in self.each.chunks(STRIDE).zip(&mut self.before[1..]) {
            let mut sum = simd.splat(0.0);
            let (eights, rest) = stride.as_chunks::<8>();
            for eight in eights {
                sum = simd.add(sum, simd.load(eight));
            }
            if !rest.is_empty() {
                sum = simd.add(sum, simd.load_head(rest, 0.0));
            }
            total += simd.sum_lanes(sum);
            *before = total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_between_two_masses_is_that_of_the_rows_laid_out() {
        let values: Vec<f64> = (0..300).map(f64::from).collect();
        let counts: Vec<f64> = (0..300).map(|i| f64::from(i * 7 % 4)).collect();
        let laid_out: Vec<f64> = values
            .iter()
            .zip(&counts)
            .flat_map(|(&value, &count)| std::iter::repeat_n(value, count as usize))
            .collect();
        let mut before = Vec::new();
        let masses = Masses::new(&counts, &mut before, None);
        for (low, high) in [(0, 450), (3, 4), (100, 101), (17, 333), (448, 450), (449, 450), (0, 1)]
        {
            let expected = laid_out[low..high].iter().sum::<f64>() / (high - low) as f64;
            let found = masses.mean_between(&values, low as f64, high as f64);
            assert!((found - expected).abs() < 1e-12, "{low}..{high}: {found} {expected}");
        }
        for place in 0..=300 {
            assert_eq!(masses.before(place), counts[..place].iter().sum::<f64>());
        }
    }
}
