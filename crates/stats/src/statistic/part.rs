//! Parts: aggregates that are evaluated from the weights of the rows, over sorted columns.

use super::Scratch;
use super::frame::{Counts, Frame, Values};
use std::fmt::Debug;
use windfall_lanes::{dot, sum};

/// Mass is summed this many places at a time when a walk passes over it.
const STRIDE: usize = 64;

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
        Self {
            values: rows.iter().map(value).collect(),
            case_weights: frame.weights().map(case),
            rows: if rows.is_sorted() && rows.len() == frame.rows() { None } else { Some(rows) },
            selection: column.selection,
            counts: frame.counts(),
        }
    }

    /// Whether a quantile of a resample is an order statistic of equally heavy rows.
    pub fn is_counted(&self) -> bool {
        self.case_weights.is_none() && self.counts != Counts::Real
    }

    /// Writes the masses of the values, in their order, to `masses`; returns the total and the
    /// effective number of rows.
    ///
    /// The effective number is that of Kish (1965), `(Σ c·w)²/Σ c·w²` for counts `c` and
    /// `(Σ g·w)²/Σ (g·w)²` for real weights `g`: the number of rows when all are equally heavy.
    pub fn masses(&self, weights: &[f64], masses: &mut Vec<f64>) -> (f64, f64) {
        masses.clear();
        match &self.rows {
            None => masses.extend_from_slice(weights),
            Some(rows) => masses.extend(rows.iter().map(|&row| weights[row as usize])),
        }
        let Some(case) = &self.case_weights else {
            let total = sum(masses);
            let square = if self.counts == Counts::Real { dot(masses, masses) } else { total };
            return (total, total * total / square);
        };
        let mut square = 0.0;
        for (mass, case) in masses.iter_mut().zip(case) {
            let count = *mass;
            *mass = count * case;
            square += *mass * if self.counts == Counts::Real { *mass } else { *case };
        }
        let total = sum(masses);
        (total, total * total / square)
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

/// The mean of `values` over the mass between `low` and `high`, the masses being laid end to end.
///
/// Quantiles are such means over a short stretch, trimmed means over a long one.
///
/// # Cost
/// Time proportional to the places before `high`; those wholly inside or before the stretch pass
/// in strides.
pub(crate) fn mean_between(values: &[f64], masses: &[f64], low: f64, high: f64) -> f64 {
    let (mut before, mut total, mut place) = (0.0, 0.0, 0);
    while place < values.len() {
        if place.is_multiple_of(STRIDE) && place + STRIDE <= values.len() {
            let stride = place..place + STRIDE;
            let after = before + sum(&masses[stride.clone()]);
            let (passed, inside) = (after <= low, before >= low && after <= high);
            if inside {
                total += dot(&values[stride.clone()], &masses[stride.clone()]);
            }
            if passed || inside {
                (before, place) = (after, place + STRIDE);
                continue;
            }
        }
        let after = before + masses[place];
        let overlap = after.min(high) - f64::max(before, low);
        if overlap > 0.0 {
            total += overlap * values[place];
        }
        if after >= high {
            break;
        }
        (before, place) = (after, place + 1);
    }
    total / (high - low)
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
        for (low, high) in [(0, 450), (3, 4), (100, 101), (17, 333), (448, 450)] {
            let expected = laid_out[low..high].iter().sum::<f64>() / (high - low) as f64;
            let found = mean_between(&values, &counts, low as f64, high as f64);
            assert!((found - expected).abs() < 1e-12, "{low}..{high}: {found} {expected}");
        }
    }
}
