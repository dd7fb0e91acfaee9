//! Spearman's correlation: Pearson's of the ranks, ties at their mid-rank.
//!
//! The rank of a value is the mass below it plus half the mass at it; for counts that is the
//! mid-rank less one half, which no correlation sees.

use super::Scratch;
use super::frame::{Frame, Values};
use super::part::{Masses, Part, Sorted};
use windfall_core::Result;

#[derive(Debug)]
struct Spearman {
    x: Ranked,
    y: Ranked,
}

/// A sorted column that knows whether two of its values are equal.
#[derive(Debug)]
struct Ranked {
    sorted: Sorted,
    has_ties: bool,
}

/// `spearman(x, y)`.
pub(crate) fn spearman(frame: &Frame<'_>, columns: &[Values], _: &[f64]) -> Result<Box<dyn Part>> {
    let [x, y] = [&columns[0], &columns[1]].map(|column| {
        let sorted = Sorted::new(frame, column);
        let has_ties = sorted.values.windows(2).any(|pair| pair[0] == pair[1]);
        Ranked { sorted, has_ties }
    });
    Ok(Box::new(Spearman { x, y }))
}

impl Part for Spearman {
    fn evaluate(&self, weights: &[f64], scratch: &mut Scratch) -> f64 {
        let Scratch { room, ranks } = scratch;
        ranks.clear();
        ranks.resize(weights.len(), 0.0);
        let masses = self.x.sorted.masses(weights, room);
        self.x.each_rank(&masses, |row, rank, _| ranks[row] = rank);
        let masses = self.y.sorted.masses(weights, room);
        let total = masses.total;
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        self.y.each_rank(&masses, |row, rank, mass| {
            let (other, heavy) = (ranks[row], mass * rank);
            xx += mass * other * other;
            yy += heavy * rank;
            xy += heavy * other;
        });
        // All of the mass on one value: no rank differs from the mean but by rounding.
        let least = 1e-13 * total * total * total;
        if xx <= least || yy <= least {
            return f64::NAN;
        }
        (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0)
    }

    fn sorted(&self) -> &Sorted {
        &self.x.sorted
    }
}

impl Ranked {
    /// Calls `each` with every row, its rank less the mean rank, and its mass.
    fn each_rank(&self, masses: &Masses<'_>, mut each: impl FnMut(usize, f64, f64)) {
        let (values, rows, masses_of) = (&self.sorted.values, &self.sorted.rows, masses.each);
        let row = |place: usize| rows.as_ref().map_or(place, |rows| rows[place] as usize);
        let (mut below, mut first) = (-0.5 * masses.total, 0);
        while first < values.len() {
            let (mut end, mut tied) = (first + 1, masses_of[first]);
            while self.has_ties && end < values.len() && values[end] == values[first] {
                tied += masses_of[end];
                end += 1;
            }
            let rank = below + 0.5 * tied;
            (first..end).for_each(|place| each(row(place), rank, masses_of[place]));
            (below, first) = (below + tied, end);
        }
    }
}
