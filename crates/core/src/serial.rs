//! The serial executors: the reference that runs shards in order, and one that shuffles them.

use crate::executor::{Capabilities, Carries, Executor, Sink, Work};
use crate::{Result, Seed, Streams};

/// Runs every shard on the calling thread, in order: the reference for all other executors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Serial;

impl Executor for Serial {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "serial".into(), workers: 1, carries: Carries::Closures }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        run_in(work.shards().iter(), "serial", work, sink, tick)
    }
}

/// Runs every shard on the calling thread in an order shuffled by a seed: what `verify` uses to
/// show that the order of arrival does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shuffled(
    /// The seed of the shuffle.
    pub Seed,
);

impl Executor for Shuffled {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "shuffled".into(), workers: 1, carries: Carries::Closures }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        let mut stream = Streams::new(self.0, "shuffled").task(0);
        let mut order: Vec<u64> = work.shards().iter().collect();
        for last in (1..order.len()).rev() {
            order.swap(last, stream.below(last as u64 + 1) as usize);
        }
        run_in(order, "shuffled", work, sink, tick)
    }
}

fn run_in(
    order: impl IntoIterator<Item = u64>,
    worker: &str,
    work: &dyn Work,
    sink: &dyn Sink,
    tick: &mut dyn FnMut(),
) -> Result<()> {
    for shard in order {
        if work.cancel().is_stopped() {
            break;
        }
        sink.put(shard, work.run_shard(shard, worker)?)?;
        tick();
    }
    Ok(())
}
