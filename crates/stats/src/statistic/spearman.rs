//! Spearman's correlation: Pearson's of the ranks, ties at their mid-rank.
//!
//! The rank of a value is the mass below it plus half the mass at it; for counts that is the
//! mid-rank less one half, which no correlation sees.

use super::Scratch;
use super::frame::{Frame, Values};
use super::part::{Part, Sorted};
use windfall_core::Result;

#[derive(Debug)]
struct Spearman {
    x: Sorted,
    y: Sorted,
}

/// `spearman(x, y)`.
pub(crate) fn spearman(frame: &Frame<'_>, columns: &[Values], _: &[f64]) -> Result<Box<dyn Part>> {
    let [x, y] = [&columns[0], &columns[1]];
    Ok(Box::new(Spearman { x: Sorted::new(frame, x), y: Sorted::new(frame, y) }))
}

impl Part for Spearman {
    fn evaluate(&self, weights: &[f64], scratch: &mut Scratch) -> f64 {
        let Scratch { first: masses, second } = scratch;
        second.clear();
        second.resize(weights.len(), 0.0);
        let (total, _) = self.x.masses(weights, masses);
        centred_ranks(&self.x, masses, total, |row, rank, _| second[row] = rank);
        let (total, _) = self.y.masses(weights, masses);
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        centred_ranks(&self.y, masses, total, |row, rank, mass| {
            let other = second[row];
            xx += mass * other * other;
            yy += mass * rank * rank;
            xy += mass * other * rank;
        });
        // All of the mass on one value: no rank differs from the mean but by rounding.
        let least = 1e-13 * total * total * total;
        if xx <= least || yy <= least {
            return f64::NAN;
        }
        (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0)
    }
}

/// Calls `each` with every row, its rank less the mean rank, and its mass.
fn centred_ranks(
    sorted: &Sorted,
    masses: &[f64],
    total: f64,
    mut each: impl FnMut(usize, f64, f64),
) {
    let (values, mut below, mut first) = (&sorted.values, 0.0, 0);
    while first < values.len() {
        let mut end = first + 1;
        let mut tied = masses[first];
        while end < values.len() && values[end] == values[first] {
            tied += masses[end];
            end += 1;
        }
        let rank = below + 0.5 * tied - 0.5 * total;
        for (place, &mass) in masses.iter().enumerate().take(end).skip(first) {
            let row = sorted.rows.as_ref().map_or(place, |rows| rows[place] as usize);
            each(row, rank, mass);
        }
        (below, first) = (below + tied, end);
    }
}
