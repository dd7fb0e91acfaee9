//! The laws that the units of a stratum are drawn by.

use super::blocks::Blocks;
use super::counts::Counts;
use windfall_core::{Error, Result};
use windfall_lanes::LANES;
use windfall_streams::Stream;

/// How a stratum's units are drawn, made ready for their number.
#[derive(Clone, Debug)]
pub(super) enum Law {
    /// Each unit as likely, as many draws as units.
    Multinomial(Counts),
    /// Flat Dirichlet weights. Source: D. B. Rubin, "The Bayesian bootstrap", Annals of
    /// Statistics 9(1), 1981.
    Dirichlet,
    /// Runs of consecutive units.
    Blocks(Blocks),
}

impl Law {
    /// Draws one resample: a weight for each unit, summing to their number.
    pub fn draw(&self, stream: &mut Stream, weights: &mut [f64]) {
        match self {
            Self::Multinomial(counts) => counts.draw(stream, weights),
            Self::Dirichlet => {
                // Whole steps of the lanes: numbers that are drawn singly cost ten times as much.
                let (whole, tail) = weights.split_at_mut(weights.len() / LANES * LANES);
                let mut last = [0.0; LANES];
                stream.align();
                stream.fill_exponential(whole);
                stream.fill_exponential(&mut last);
                tail.copy_from_slice(&last[..tail.len()]);
                let scale = weights.len() as f64 / windfall_lanes::sum(weights);
                weights.iter_mut().for_each(|weight| *weight *= scale);
            }
            Self::Blocks(blocks) => {
                weights.fill(0.0);
                blocks.draw(stream, weights.len(), |unit| weights[unit] += 1.0);
            }
        }
    }

    /// Draws one resample of `units` units as a list of them, in order; appends it to `drawn`.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for Dirichlet weights, which are no counts.
    pub fn draw_units(&self, stream: &mut Stream, units: u32, drawn: &mut Vec<u32>) -> Result<()> {
        match self {
            Self::Multinomial(_) => {
                let start = drawn.len();
                drawn.resize(start + units as usize, 0);
                stream.fill_below(units, &mut drawn[start..]);
            }
            Self::Dirichlet => {
                let error = Error::invalid("bayesian", true, "false where rows are drawn");
                return Err(error.hint("use a statistic that takes weights"));
            }
            Self::Blocks(blocks) => {
                blocks.draw(stream, units as usize, |unit| drawn.push(unit as u32));
            }
        }
        Ok(())
    }
}
