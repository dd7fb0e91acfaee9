//! The trimmed mean: the mean without a share of the mass at either end.
//!
//! Of `n` rows `floor(n·share)` are cut at either end, as in `scipy.stats.trim_mean` and R's
//! `mean(trim =)`. Under case weights or real weights the mass cut is `floor(n·share)/n` of the
//! total, with `n` rows.

use super::Scratch;
use super::frame::{Frame, Values};
use super::part::{Part, Sorted};
use windfall_core::{Error, Result};

#[derive(Debug)]
struct TrimmedMean {
    sorted: Sorted,
    share: f64,
    /// The sum of the values before each place, and of all.
    sums: Vec<f64>,
}

/// `trimmed_mean(x, share)`.
pub(crate) fn trimmed_mean(
    frame: &Frame<'_>,
    columns: &[Values],
    numbers: &[f64],
) -> Result<Box<dyn Part>> {
    let share = numbers[0];
    if !(0.0..0.5).contains(&share) {
        return Err(Error::invalid("trimmed_mean", share, "a share from 0 to below 0.5"));
    }
    let sorted = Sorted::new(frame, &columns[0]);
    let mut sums = vec![0.0];
    sums.extend(sorted.values.iter().scan(0.0, |sum, value| {
        *sum += value;
        Some(*sum)
    }));
    Ok(Box::new(TrimmedMean { sorted, share, sums }))
}

impl Part for TrimmedMean {
    fn evaluate(&self, weights: &[f64], scratch: &mut Scratch) -> f64 {
        let masses = self.sorted.masses(weights, &mut scratch.room);
        let rows = self.sorted.count(weights);
        let cut = masses.total * (rows * self.share).floor() / rows;
        masses.mean_between(&self.sorted.values, cut, masses.total - cut)
    }

    fn without(&self, row: usize) -> Option<f64> {
        if !self.sorted.is_counted() {
            return None;
        }
        let (values, left_out) = (&self.sorted.values, self.sorted.place(row));
        let rows = values.len() - usize::from(left_out < values.len());
        let cut = (rows as f64 * self.share).floor() as usize;
        let before = |place: usize| match place <= left_out {
            true => self.sums[place],
            false => self.sums[place + 1] - values[left_out],
        };
        Some((before(rows - cut) - before(cut)) / (rows - 2 * cut) as f64)
    }

    fn sorted(&self) -> &Sorted {
        &self.sorted
    }
}
