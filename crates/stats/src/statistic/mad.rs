//! The median absolute deviation from the median (MAD), not scaled.
//!
//! Deviations to the left and to the right of the median are each sorted already. Where the median
//! of both lies is found by bisection over cumulated masses; merging the two sides all the way
//! would cost a branch that cannot be foreseen for every row.

use super::Scratch;
use super::frame::{Frame, Values};
use super::part::{Masses, Part, Sorted};
use windfall_core::Result;

#[derive(Debug)]
struct Mad {
    sorted: Sorted,
}

/// `mad(x)`.
pub(crate) fn mad(frame: &Frame<'_>, columns: &[Values], _: &[f64]) -> Result<Box<dyn Part>> {
    Ok(Box::new(Mad { sorted: Sorted::new(frame, &columns[0]) }))
}

impl Part for Mad {
    fn evaluate(&self, weights: &[f64], scratch: &mut Scratch) -> f64 {
        let (values, masses) =
            (&self.sorted.values, self.sorted.masses(weights, &mut scratch.room));
        let median = masses.quantile(values, 0.5);
        Deviations { values, masses, median }.middle()
    }

    fn sorted(&self) -> &Sorted {
        &self.sorted
    }
}

/// Sorted values seen from their median: two sorted runs of deviations.
struct Deviations<'a> {
    values: &'a [f64],
    masses: Masses<'a>,
    median: f64,
}

impl Deviations<'_> {
    /// The median of the deviations.
    fn middle(&self) -> f64 {
        let centre = self.values.partition_point(|&value| value < self.median);
        let (low, high) = self.masses.stretch(0.5);
        let (mut left, mut right) = self.split(centre, low);
        let mut before = self.mass(left, right);
        let mut total = 0.0;
        while before < high && (left > 0 || right < self.values.len()) {
            let on_the_left = left.checked_sub(1).map(|at| self.median - self.values[at]);
            let on_the_right = self.values.get(right).map(|value| value - self.median);
            let (deviation, place) = match (on_the_left, on_the_right) {
                (Some(a), Some(b)) if a > b => (b, right),
                (Some(a), _) => (a, left - 1),
                (None, b) => (b.unwrap_or(0.0), right),
            };
            if place < left {
                left -= 1
            } else {
                right += 1
            }
            let after = before + self.masses.each[place];
            total += (after.min(high) - f64::max(before, low)).max(0.0) * deviation;
            before = after;
        }
        total / (high - low)
    }

    /// The places round `centre` that hold the smallest deviations, of mass `low` at most: from
    /// the first of the pair up to but without the second.
    fn split(&self, centre: usize, low: f64) -> (usize, usize) {
        let (values, median) = (self.values, self.median);
        // A deviation on the left comes before an equal one on the right.
        let left = partition(centre, |at| {
            let reach = median - values[at];
            let right = values.partition_point(|&value| value - median < reach).max(centre);
            self.mass(at, right) > low
        });
        let right = centre
            + partition(values.len() - centre, |step| {
                let reach = values[centre + step] - median;
                let left = values[..centre].partition_point(|&value| median - value > reach);
                self.mass(left, centre + step + 1) <= low
            });
        (left, right)
    }

    /// The mass from place `first` up to but without `end`.
    fn mass(&self, first: usize, end: usize) -> f64 {
        self.masses.before(end) - self.masses.before(first)
    }
}

/// The first of `0..count` for which `holds` is false, `holds` being true up to there.
fn partition(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}
