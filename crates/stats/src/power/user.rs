//! A caller's own simulation: it draws data, tests them and returns the p-value.

use super::ready::Point;
use windfall_core::{Result, Stream};

/// Data and test written outside this crate, called on several threads at once.
///
/// A closure `Fn(Point, &mut Stream) -> f64` is one.
pub trait UserTest: Send + Sync {
    /// The p-value of one simulation at `point`, which draws from `stream` alone; NaN where the
    /// data allow no test. Every point of a curve is given the same draws.
    ///
    /// # Errors
    /// Whatever the caller's code reports; the run stops.
    fn p_value(&self, point: Point, stream: &mut Stream) -> Result<f64>;

    /// Whether a call takes microseconds rather than milliseconds.
    fn is_cheap(&self) -> bool {
        true
    }
}

impl<F: Fn(Point, &mut Stream) -> f64 + Send + Sync> UserTest for F {
    fn p_value(&self, point: Point, stream: &mut Stream) -> Result<f64> {
        Ok(self(point, stream))
    }
}
