//! The trimmed mean: the mean without a share of the mass at either end.
//!
//! Of `n` rows `floor(n·share)` are cut at either end, as in `scipy.stats.trim_mean` and R's
//! `mean(trim =)`. Under case weights or real weights the mass cut is `floor(n·share)/n` of the
//! total, with `n` rows.

use super::Scratch;
use super::frame::{Frame, Values};
use super::part::{Part, Sorted, mean_between};
use windfall_core::{Error, Result};

#[derive(Debug)]
struct TrimmedMean {
    sorted: Sorted,
    share: f64,
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
    Ok(Box::new(TrimmedMean { sorted: Sorted::new(frame, &columns[0]), share }))
}

impl Part for TrimmedMean {
    fn evaluate(&self, weights: &[f64], scratch: &mut Scratch) -> f64 {
        let (total, _) = self.sorted.masses(weights, &mut scratch.first);
        let rows = self.sorted.count(weights);
        let cut = total * (rows * self.share).floor() / rows;
        mean_between(&self.sorted.values, &scratch.first, cut, total - cut)
    }
}
