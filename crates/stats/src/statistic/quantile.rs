//! Quantiles, the median among them, under counts, case weights and real weights.
//!
//! One definition serves all: the mean of the weighted quantile function over the levels
//! `((m - 1)p/m, ((m - 1)p + 1)/m)`, where `m` is the effective number of rows. For rows of equal
//! mass this is linear interpolation between order statistics, type 7 of Hyndman and Fan (1996)
//! and NumPy's default. Source: A. Akinshin, "Weighted quantile estimators", arXiv:2304.07265.

use super::Scratch;
use super::frame::{Frame, Values};
use super::part::{OrderStatistic, Part, Sorted};
use windfall_core::{Error, Result};

#[derive(Debug)]
struct Quantile {
    sorted: Sorted,
    level: f64,
}

/// `median(x)`.
pub(crate) fn median(frame: &Frame<'_>, columns: &[Values], _: &[f64]) -> Result<Box<dyn Part>> {
    quantile(frame, columns, &[0.5])
}

/// `quantile(x, level)`.
pub(crate) fn quantile(
    frame: &Frame<'_>,
    columns: &[Values],
    numbers: &[f64],
) -> Result<Box<dyn Part>> {
    let level = numbers[0];
    if !(0.0..=1.0).contains(&level) {
        return Err(Error::invalid("quantile", level, "a level from 0 to 1"));
    }
    let sorted = Sorted::new(frame, &columns[0]);
    Ok(Box::new(Quantile { sorted, level }))
}

impl Part for Quantile {
    fn evaluate(&self, weights: &[f64], scratch: &mut Scratch) -> f64 {
        self.sorted.masses(weights, &mut scratch.room).quantile(&self.sorted.values, self.level)
    }

    fn without(&self, row: usize) -> Option<f64> {
        if !self.sorted.is_counted() {
            return None;
        }
        let values = &self.sorted.values;
        let left_out = self.sorted.place(row);
        let rows = values.len() - usize::from(left_out < values.len());
        let place = (rows as f64 - 1.0) * self.level;
        let value = |rank: usize| values[rank + usize::from(rank >= left_out)];
        let (low, share) = (place as usize, place - place.floor());
        let low_value = value(low);
        Some(if share > 0.0 { low_value + share * (value(low + 1) - low_value) } else { low_value })
    }

    fn sorted(&self) -> &Sorted {
        &self.sorted
    }

    fn order_statistic(&self) -> Option<OrderStatistic<'_>> {
        let (sorted, selection) = (self.sorted.values.as_slice(), self.sorted.selection);
        let order = OrderStatistic { sorted, level: self.level, selection };
        self.sorted.is_counted().then_some(order)
    }
}
