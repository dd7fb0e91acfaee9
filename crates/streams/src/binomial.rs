//! Binomial counts: inversion for small means, transformed rejection (BTRS) for large ones.
//!
//! Source of BTRS: W. Hörmann, "The generation of binomial random variates", Journal of
//! Statistical Computation and Simulation 46, 1993.

use crate::distribution::Distribution;
use crate::error::{ParameterError, probability};
use crate::saddle::{INVERSES, Probability};
use crate::stream::Stream;
use windfall_lanes::scalar_math::{exp, log1p};

/// From this mean on rejection is used (its constants hold from 10 on).
const REJECTION_FROM: f64 = 10.0;
/// Above 2^53 an `f64` has gaps.
const TRIALS_MAX: u64 = 1 << 53;

/// The binomial distribution: how many of `n` trials succeed, each with probability `p`.
///
/// About 10 ns a draw and 2 ns for each time the rarer outcome is expected; 30 ns if that is 10
/// times or more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Binomial {
    trials: u64,
    /// True where failures are counted, because they are rarer.
    flipped: bool,
    /// Probability of what is counted, at most 1/2.
    p: f64,
    method: Method,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Method {
    /// Add up probabilities from 0 on; the first one and p / q are held.
    Inversion { none: f64, odds: f64 },
    /// Names as in the source; `mode` is the logarithm of the largest probability.
    Rejection { a: f64, b: f64, alpha: f64, quick: f64, mode: f64 },
}

impl Binomial {
    /// Makes the distribution ready.
    ///
    /// # Errors
    /// If `p` is not a probability or `n` exceeds 2^53.
    pub fn new(n: u64, p: f64) -> Result<Self, ParameterError> {
        if n > TRIALS_MAX {
            return Err(ParameterError::new(("binomial", "n"), n, "a whole number up to 2^53"));
        }
        Ok(Self::ready(n, probability(("binomial", "p"), p)?))
    }

    /// Makes the distribution ready for parameters known to be right.
    pub(crate) fn ready(trials: u64, success: f64) -> Self {
        let flipped = success > 0.5;
        let p = if flipped { 1.0 - success } else { success };
        let n = trials as f64;
        let method = if n * p < REJECTION_FROM {
            Method::Inversion { none: exp(n * log1p(-p)), odds: p / (1.0 - p) }
        } else {
            let spread = (n * p * (1.0 - p)).sqrt();
            let b = 1.15 + 2.53 * spread;
            Method::Rejection {
                a: -0.0873 + 0.0248 * b + 0.01 * p,
                b,
                alpha: (2.83 + 5.1 / b) * spread,
                quick: 0.92 - 4.2 / b,
                mode: Probability::binomial(((n + 1.0) * p).floor(), n, p).ln(),
            }
        };
        Self { trials, flipped, p, method }
    }

    fn invert(&self, none: f64, odds: f64, mut u: f64) -> f64 {
        // The table ends where a mean below 10 has a chance of 1e-90 left.
        let last = self.trials.min(INVERSES.len() as u64 - 1) as usize;
        let mut left = self.trials as f64 * odds;
        let mut probability = none;
        let mut k = 0;
        while u >= probability && k < last {
            u -= probability;
            k += 1;
            probability *= left * INVERSES[k];
            left -= odds;
        }
        k as f64
    }

    /// Counts the rarer outcome.
    fn rarer(&self, stream: &mut Stream) -> f64 {
        let (a, b, alpha, quick, mode) = match self.method {
            Method::Inversion { none, odds } => return self.invert(none, odds, stream.uniform()),
            Method::Rejection { a, b, alpha, quick, mode } => (a, b, alpha, quick, mode),
        };
        let n = self.trials as f64;
        let centre = n * self.p + 0.5;
        loop {
            let u = stream.open_uniform() - 0.5;
            let v = stream.open_uniform();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + centre).floor();
            if us >= 0.07 && v <= quick {
                return k;
            }
            if !(0.0..=n).contains(&k) {
                continue;
            }
            let height = v * alpha / (a / (us * us) + b);
            if Probability::binomial(k, n, self.p).covers(height, mode) {
                return k;
            }
        }
    }
}

impl Distribution for Binomial {
    type Value = u64;

    fn draw(&self, stream: &mut Stream) -> u64 {
        let count = self.rarer(stream) as u64;
        if self.flipped { self.trials - count } else { count }
    }
}

impl Stream {
    /// Returns one draw of [`Binomial`].
    ///
    /// # Errors
    /// Those of [`Binomial::new`].
    pub fn binomial(&mut self, n: u64, p: f64) -> Result<u64, ParameterError> {
        Ok(Binomial::new(n, p)?.draw(self))
    }
}
