//! What a plan is: a method with its options, checked, ready to run on any integrand.

use super::block::Target;
use super::estimate::{Estimate, Goal};
use super::options::IntegrateOptions;
use super::rule::Size;
use windfall_core::{Control, Error, Executor, JobSpec, Result, Seed, Shard, Shards, Streams};

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'a> {
    pub size: Size,
    pub options: &'a IntegrateOptions,
    pub seed: Seed,
}

/// What a plan runs on.
pub(crate) struct Work<'a> {
    pub target: Target<'a>,
    pub goal: &'a Goal,
    pub streams: Streams,
    pub spec: Option<&'a JobSpec>,
}

/// What a plan finds: an estimate that the goal has settled.
pub(crate) struct Solved {
    pub estimate: Estimate,
    /// Whether all that was asked for was done.
    pub complete: bool,
}

/// A method, ready to run: either [`ByRule`](super::rule::ByRule), which places all points at
/// once, or [`BySearch`](super::search::BySearch), which learns from one round for the next.
pub(crate) trait Plan: Send + Sync {
    /// The cut of the tasks, those of all rounds, into shards.
    fn shards(&self) -> Shards;

    /// The option that only adds tasks at the end; none by default.
    fn grows_by(&self) -> Option<&'static str> {
        None
    }

    /// Takes what earlier rounds have found, so that their shards need not be run here again.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Wire`] if it is not what a plan such as this one has found.
    fn take(&mut self, _learnt: &[u8]) -> Result<()> {
        Err(Error::wire("a method that learns nothing was given what it has learnt"))
    }

    /// Runs one shard, here, after whatever it depends on.
    fn run_shard(&self, work: &Work<'_>, shard: Shard) -> Result<Vec<u8>>;

    /// Runs all.
    fn solve(&self, work: &Work<'_>, on: &dyn Executor, control: &Control<'_>) -> Result<Solved>;
}
