//! An executor that leaves the process in all but name: it sees only the job as text and bytes.

use windfall_core::{Capabilities, Error, Executor, JobSpec, Result, Sink, Source, Work, Yield};
use windfall_stats::REGISTRY;

/// Writes the job down, reads it back, runs each shard through `Problem::run_shard` and delivers
/// bytes: what every executor on another machine does, without the other machine.
pub struct Wire<S>(
    /// Where the job finds its data.
    pub S,
);

impl<S: Source + Sync> Executor for Wire<S> {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "wire".into(), workers: 1, closures: false }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        let spec = work.spec().ok_or_else(|| Error::wire("a job without a spec"))?;
        let spec = JobSpec::from_json(&spec.to_json())?;
        let problem = REGISTRY.build(&spec, &self.0)?;
        for index in work.shards().iter() {
            if work.cancel().is_stopped() {
                break;
            }
            let shard = problem.shards().get(index);
            sink.put(index, Yield::Bytes(problem.run_shard(shard)?))?;
            tick();
        }
        Ok(())
    }
}
