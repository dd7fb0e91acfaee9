//! Multinomial counts: one binomial for each category, given what the earlier ones took.

use crate::binomial::Binomial;
use crate::distribution::Distribution;
use crate::error::ParameterError;
use crate::stream::Stream;

/// The multinomial distribution: how `n` trials fall into categories of given weights.
///
/// About 45 to 100 ns a category: the set-up of a binomial and a draw.
///
/// ```
/// use windfall_streams::{Distribution, Multinomial, Seed, Streams};
/// let mut stream = Streams::new(Seed::from(1_u64), "votes").task(0);
/// let counts = Multinomial::new(1000, &[1.0, 0.0, 3.0])?.draw(&mut stream);
/// assert_eq!(counts.iter().sum::<u64>(), 1000);
/// assert_eq!(counts[1], 0);
/// # Ok::<(), windfall_streams::ParameterError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Multinomial {
    trials: u64,
    /// Chance of each category among itself and those after it.
    shares: Vec<f64>,
}

impl Multinomial {
    /// Makes the distribution ready; `weights` need not add up to 1.
    ///
    /// # Errors
    /// If `n` exceeds 2^53, a weight is negative or not a number, or their sum is not a finite
    /// number above 0 (as when there are none).
    pub fn new(n: u64, weights: &[f64]) -> Result<Self, ParameterError> {
        Binomial::new(n, 0.0).map_err(|e| ParameterError { distribution: "multinomial", ..e })?;
        if let Some(wrong) = weights.iter().find(|&&weight| weight.is_nan() || weight < 0.0) {
            let what = ("multinomial", "a weight");
            return Err(ParameterError::new(what, wrong, "numbers from 0 on"));
        }
        let mut rest = 0.0;
        let mut shares = weights.to_vec();
        for share in shares.iter_mut().rev().filter(|share| **share > 0.0) {
            rest += *share;
            *share /= rest;
        }
        crate::error::positive(("multinomial", "the sum of weights"), rest)?;
        Ok(Self { trials: n, shares })
    }

    /// Writes one draw to `counts`, a number for each weight.
    ///
    /// # Panics
    /// If `counts` has another length than the weights had.
    pub fn draw_into(&self, stream: &mut Stream, counts: &mut [u64]) {
        assert_eq!(counts.len(), self.shares.len(), "one count for each weight");
        let mut left = self.trials;
        for (count, &share) in counts.iter_mut().zip(&self.shares) {
            *count = match share {
                _ if left == 0 || share == 0.0 => 0,
                1.0 => left,
                _ => Binomial::ready(left, share).draw(stream),
            };
            left -= *count;
        }
    }
}

impl Distribution for Multinomial {
    type Value = Vec<u64>;

    fn draw(&self, stream: &mut Stream) -> Vec<u64> {
        let mut counts = vec![0; self.shares.len()];
        self.draw_into(stream, &mut counts);
        counts
    }
}
