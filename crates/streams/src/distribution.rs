//! What every distribution with parameters can do once it is made ready.

use crate::stream::Stream;

/// A distribution whose parameters were checked and whose constants were computed, once.
///
/// ```
/// use windfall_streams::{Distribution, Poisson, Seed, Streams};
/// let mut stream = Streams::new(Seed::from(1_u64), "calls").task(0);
/// let calls = Poisson::new(4.5)?;
/// let mut hours = [0; 24];
/// calls.fill(&mut stream, &mut hours);
/// assert!((50..170).contains(&hours.iter().sum::<u64>()));
/// # Ok::<(), windfall_streams::ParameterError>(())
/// ```
pub trait Distribution {
    /// What one draw is.
    type Value;

    /// Returns the next draw. The number of words it takes may depend on what they are.
    fn draw(&self, stream: &mut Stream) -> Self::Value;

    /// Fills `out` with draws, the same as [`Distribution::draw`] for each.
    fn fill(&self, stream: &mut Stream, out: &mut [Self::Value]) {
        out.fill_with(|| self.draw(stream));
    }
}
