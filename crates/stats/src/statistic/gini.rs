//! Gini's coefficient: how unequally a total is shared, from 0 (equally) to nearly 1 (one has all).
//!
//! Of sorted values `x_1 <= … <= x_n` with masses `m_i`, `M_i` the mass before `i`, it is
//! `Σ m_i x_i (2 M_i + m_i) / (Σ m_i · Σ m_i x_i) - 1`; with masses 1 that is the textbook's
//! `Σ (2i - n - 1) x_i / (n Σ x_i)`. Source: C. Gini (1912); the form of A. Sen, "On Economic
//! Inequality" (1973). The values must not be negative.

use super::Scratch;
use super::frame::{Frame, Values};
use super::part::{Part, Sorted};
use windfall_core::{Error, Result};

#[derive(Debug)]
struct Gini {
    sorted: Sorted,
}

/// `gini(x)`.
pub(crate) fn gini(frame: &Frame<'_>, columns: &[Values], _: &[f64]) -> Result<Box<dyn Part>> {
    let sorted = Sorted::new(frame, &columns[0]);
    match sorted.values.first() {
        Some(&least) if least < 0.0 => Err(Error::invalid("gini", least, "of values from 0 on")
            .hint("shares of a total make no sense with negative values")),
        _ => Ok(Box::new(Gini { sorted })),
    }
}

impl Part for Gini {
    fn evaluate(&self, weights: &[f64], scratch: &mut Scratch) -> f64 {
        let masses = self.sorted.masses(weights, &mut scratch.room);
        let (mut before, mut total, mut ranked) = (0.0, 0.0, 0.0);
        for (&value, &mass) in self.sorted.values.iter().zip(masses.each) {
            let part = mass * value;
            total += part;
            ranked += part * (2.0 * before + mass);
            before += mass;
        }
        ranked / (before * total) - 1.0
    }

    fn sorted(&self) -> &Sorted {
        &self.sorted
    }
}
