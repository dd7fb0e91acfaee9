//! The executor whose workers are the ranks of MPI; it runs on rank 0.

use crate::talk::{END, Header, Pause, broadcast, post};
use crate::world::State;
use crate::{Schedule, World, dynamic, fixed};
use mpi::Rank;
use std::sync::{Arc, Mutex, PoisonError};
use windfall_core::remote::{Order, Packer};
use windfall_core::{
    Capabilities, Carries, Executor, JobSpec, Registry, Result, Sink, Source, Work,
};

/// Runs the shards of written-down jobs on all ranks, this one included.
pub struct Ranks<'a> {
    world: &'a World,
    schedule: Schedule,
    packer: Packer<'a, Arc<Mutex<Vec<u8>>>>,
}

impl<'a> Ranks<'a> {
    /// All ranks of `world`, for jobs of `registry` whose data `source` finds.
    pub fn new(
        world: &'a World,
        registry: &'a Registry,
        source: &'a (dyn Source + Sync),
        schedule: Schedule,
    ) -> Self {
        Self { world, schedule, packer: Packer::new(registry, source) }
    }

    /// Tells all ranks of a job, with its tables if they are new.
    fn announce(
        &self,
        (kind, state): (u64, &mut State),
        work: &dyn Work,
        spec: &JobSpec,
        tick: &mut dyn FnMut(),
    ) -> Result<()> {
        let parcel = self.packer.of((work, spec), |packed| Ok(Arc::new(Mutex::new(packed))))?;
        let (tables, packed) = parcel.map(|parcel| (parcel.name, parcel.body)).unzip();
        let is_new = tables.is_some() && tables != state.sent;
        // MPI asks for the right to write even where it only reads.
        let mut packed = packed.as_ref().filter(|_| is_new).map(|packed| {
            state.sent.clone_from(&tables);
            packed.lock().unwrap_or_else(PoisonError::into_inner)
        });
        let packed: &mut [u8] = packed.as_mut().map_or(&mut [], |packed| packed);
        let mut order =
            Order { job: spec.to_json(), shards: work.shards().clone(), tables }.to_bytes();
        state.run += 1;
        let sizes = (order.len() as u64, packed.len() as u64);
        let header = Header { kind, run: state.run, order: sizes.0, tables: sizes.1 };
        let comm = self.world.comm();
        let mut pause = Pause::default();
        for bytes in [&mut header.to_bytes()[..], &mut order[..], packed] {
            broadcast(&comm, bytes, || {
                tick();
                pause.rest();
            });
        }
        Ok(())
    }
}

impl Executor for Ranks<'_> {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "mpi".into(), workers: self.world.ranks(), carries: Carries::Specs }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        let spec = work.written(&self.capabilities().name)?;
        if work.cancel().is_stopped() || work.shards().is_empty() {
            return Ok(());
        }
        let is_static = self.schedule.is_static(work, self.world.ranks() as u64);
        let kind = if is_static { Header::STATIC } else { Header::DYNAMIC };
        let mut state = self.world.state();
        if self.world.ranks() > 1 {
            self.announce((kind, &mut state), work, spec, tick)?;
        }
        let run = if is_static { fixed::lead } else { dynamic::lead };
        let done = run(self.world, &mut state, (work, sink), tick);
        tick();
        done
    }
}

/// Tells all other ranks that a run is over.
pub(crate) fn end(world: &World, run: u64) {
    let comm = world.comm();
    for rank in 1..world.ranks() {
        post(&comm, rank as Rank, END, run, "");
    }
}
