//! The median absolute deviation from the median (MAD), not scaled.
//!
//! Deviations to the left and right of the median are each sorted already; merging the two takes
//! one pass.

use super::Scratch;
use super::frame::{Frame, Values};
use super::part::{Part, Sorted};
use super::quantile::of_masses;
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
        let values = &self.sorted.values;
        let sizes = self.sorted.masses(weights, &mut scratch.first);
        let median = of_masses(values, &scratch.first, 0.5, sizes);
        let Scratch { first: masses, second } = scratch;
        second.clear();
        second.resize(2 * values.len(), 0.0);
        let (deviations, their_masses) = second.split_at_mut(values.len());
        let mut right = values.partition_point(|&value| value < median);
        let mut left = right;
        for (deviation, mass) in deviations.iter_mut().zip(their_masses) {
            let on_the_left = left.checked_sub(1).map(|at| median - values[at]);
            let on_the_right = values.get(right).map(|value| value - median);
            let from = match (on_the_left, on_the_right) {
                (Some(a), Some(b)) if a <= b => left - 1,
                (Some(_), None) => left - 1,
                _ => right,
            };
            *deviation = (values[from] - median).abs();
            *mass = masses[from];
            if from < left { left -= 1 } else { right += 1 }
        }
        let (deviations, masses) = second.split_at(values.len());
        of_masses(deviations, masses, 0.5, sizes)
    }
}
