//! Beta numbers: the share of one gamma in the sum of two, kept in logarithms.
//!
//! A gamma of tiny shape underflows although its share is a sound number; its logarithm does
//! not, so the two are compared before they are numbers (L. Devroye, "Non-uniform random variate
//! generation", 1986, chapter IX.3.5).

use crate::distribution::Distribution;
use crate::error::{ParameterError, positive};
use crate::gamma::Core;
use crate::stream::Stream;
use windfall_lanes::scalar_math::exp;

/// The beta distribution with density proportional to `x^(a - 1) (1 - x)^(b - 1)`.
///
/// Mean `a / (a + b)`. About 20 ns a draw, 45 ns if `a` or `b` is below 1. For tiny `a` and `b`
/// the draws become 0 and 1, with chances `b / (a + b)` and `a / (a + b)`, as they should.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beta {
    cores: [Core; 2],
    /// The smaller of `a`, `b` and 1, and it over `a` and over `b`.
    least: f64,
    weights: [f64; 2],
}

impl Beta {
    /// Makes the distribution ready.
    ///
    /// # Errors
    /// If `a` or `b` is not a finite number above 0.
    pub fn new(a: f64, b: f64) -> Result<Self, ParameterError> {
        let shapes = [positive(("beta", "a"), a)?, positive(("beta", "b"), b)?];
        let least = a.min(b).min(1.0);
        Ok(Self { cores: shapes.map(Core::new), least, weights: shapes.map(|s| least / s) })
    }
}

impl Distribution for Beta {
    type Value = f64;

    fn draw(&self, stream: &mut Stream) -> f64 {
        let large = self.cores.map(|core| core.large(stream));
        let mut ratio = large[1] / large[0];
        if self.least < 1.0 {
            let powers = self.cores.map(|core| core.log_power(stream));
            // Divided by the least shape last, so that no infinity meets another.
            let gap = powers[1] * self.weights[1] - powers[0] * self.weights[0];
            ratio *= exp(gap / self.least);
        }
        1.0 / (1.0 + ratio)
    }
}

impl Stream {
    /// Returns one draw of [`Beta`].
    ///
    /// # Errors
    /// Those of [`Beta::new`].
    pub fn beta(&mut self, a: f64, b: f64) -> Result<f64, ParameterError> {
        Ok(Beta::new(a, b)?.draw(self))
    }
}
