//! What a shard of simulations yields: how often each point's test rejected.

use windfall_core::wire::{Reader, put_u64};
use windfall_core::{Moments, Partial, Result};

/// Simulations, and at each point of the curve how many of them the test rejected and how many
/// did not allow it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub simulations: u64,
    pub points: Vec<Count>,
}

/// The counts of one point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub rejected: u64,
    pub undefined: u64,
}

impl Counts {
    /// No simulations yet, of `points` points.
    pub fn of(points: usize) -> Self {
        Self { simulations: 0, points: vec![Count::default(); points] }
    }

    /// The moments of the values 1 (rejected) and 0 of the first point.
    pub fn moments(&self) -> Option<Moments> {
        let rejected = self.points.first()?.rejected as f64;
        let share = rejected / (self.simulations as f64).max(1.0);
        Some(Moments::new(self.simulations, share, rejected * (1.0 - share)))
    }
}

impl Partial for Counts {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, later: Self) -> Self {
        if self.points.is_empty() {
            return later;
        }
        self.simulations += later.simulations;
        for (count, later) in self.points.iter_mut().zip(&later.points) {
            count.rejected += later.rejected;
            count.undefined += later.undefined;
        }
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.simulations);
        put_u64(out, self.points.len() as u64);
        for count in &self.points {
            put_u64(out, count.rejected);
            put_u64(out, count.undefined);
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let mut counts = Self { simulations: reader.u64()?, points: Vec::new() };
        for _ in 0..reader.u64()? {
            counts.points.push(Count { rejected: reader.u64()?, undefined: reader.u64()? });
        }
        reader.finish().map(|()| counts)
    }
}
