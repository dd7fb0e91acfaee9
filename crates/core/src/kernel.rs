//! The two traits that matter: a kernel runs a shard, a partial merges and travels.

use crate::{Cancel, Moments, Result, Shard, Shards, UnderWay};
use windfall_streams::Streams;

/// One shard in, one partial out. No input or output, no clock, no state between shards.
pub trait Kernel: Sync {
    /// What one shard yields.
    type Partial: Partial;

    /// The cut of the tasks into shards; the same on every call.
    fn shards(&self) -> Shards;

    /// Runs the tasks of `shard`; task `i` draws from `streams.task(i)` and from nothing else.
    ///
    /// A long shard asks `cancel` now and then and returns what it likes when told to stop:
    /// the partial of a stopped shard is thrown away, unless [`Kernel::keeps_stopped`].
    ///
    /// # Errors
    /// Whatever its tasks report; the run stops and names the shard.
    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<Self::Partial>;

    /// The values so far whose mean is the estimate, for those who watch; none by default.
    fn moments(&self, _partial: &Self::Partial) -> Option<Moments> {
        None
    }

    /// Whether the partial of a shard that was told to stop is worth keeping: it holds what its
    /// tasks did until then, as those of a Markov chain do. The run counts such a shard's tasks as
    /// not done and is incomplete.
    fn keeps_stopped(&self) -> bool {
        false
    }

    /// What earlier rounds have found, as bytes, if the shards of this one need it: whoever runs
    /// them elsewhere is [given](crate::Source::learnt) it and need not run those rounds again.
    fn learnt(&self) -> Option<Vec<u8>> {
        None
    }

    /// Whether one shard may take seconds: an executor then keeps the calling thread free to tick.
    fn has_long_shards(&self) -> bool {
        false
    }

    /// The tasks under way, for those who watch; none by default. Such gauges are the one thing
    /// that a kernel may write to beside its partial, and no result may read them.
    fn under_way(&self) -> Vec<UnderWay> {
        Vec::new()
    }
}

/// A monoid that can travel.
///
/// `empty` is neutral, `merge` is associative up to rounding, and `decode` undoes `encode`
/// exactly. The conformance suite has a law test for each.
pub trait Partial: Send + Sized + 'static {
    /// The partial of no tasks.
    fn empty() -> Self;

    /// This partial followed by one of later tasks.
    #[must_use]
    fn merge(self, later: Self) -> Self;

    /// Appends the partial to `out`, little-endian.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads back what `encode` wrote.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Wire`] if the bytes are not those of such a partial.
    fn decode(bytes: &[u8]) -> Result<Self>;
}
