//! A task is a chain: it starts, warms up and draws, from its own stream and nothing else.

use super::chains::{Chain, Chains};
use super::ensemble::Ensemble;
use super::metropolis::Metropolis;
use super::model::{Model, Room};
use super::nuts::{Nuts, Source};
use super::options::{Mover, Plan};
use super::tempering::Tempering;
use super::walk::Walk;
use super::{ensemble, metropolis, nuts, tempering};
use std::sync::atomic::{AtomicU64, Ordering};
use windfall_core::{Cancel, Kernel, Result, Shard, Shards, Stream, Streams, UnderWay};

/// The names of what a sampler puts beside each draw.
pub(super) fn beside(mover: &Mover) -> &'static [&'static str] {
    match mover {
        Mover::Nuts(_) => nuts::BESIDE,
        Mover::Metropolis(_) => metropolis::BESIDE,
        Mover::Ensemble(_) => ensemble::BESIDE,
        Mover::Tempering(_) => tempering::BESIDE,
    }
}

/// The chains of a run.
pub(super) struct Sampling<'a> {
    model: &'a dyn Model,
    plan: &'a Plan,
    gauges: Vec<Gauge>,
}

/// How far a chain is, for those who watch; a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Gauge {
    steps: AtomicU64,
    divergences: AtomicU64,
}

impl<'a> Sampling<'a> {
    pub fn new(model: &'a dyn Model, plan: &'a Plan) -> Self {
        let gauges = (0..plan.chains).map(|_| Gauge::default()).collect();
        Self { model, plan, gauges }
    }

    /// Runs one chain until its end or until it is told to stop.
    fn chain(&self, task: u64, stream: &mut Stream, cancel: &Cancel) -> Result<Chain> {
        let (plan, gauge) = (self.plan, &self.gauges[task as usize]);
        gauge.divergences.store(0, Ordering::Relaxed);
        let mut source = Source { model: self.model, room: &mut Room::default(), stream };
        let mut walk = self.begin(task, &mut source)?;
        let mut chain = Chain { task, ..Chain::default() };
        let beside = beside(&plan.mover).len();
        let width = beside + self.model.names().len();
        let mut columns = vec![Vec::new(); plan.walkers() * width];
        columns.iter_mut().for_each(|column| column.reserve_exact(plan.draws as usize));
        let mut quantities = vec![0.0; width - beside];
        for step in 0..plan.steps() {
            if cancel.is_stopped() {
                break;
            }
            gauge.steps.store(step + 1, Ordering::Relaxed);
            let warm = (step < plan.warmup).then_some(step);
            walk.step(warm, &mut source)?;
            if walk.diverged() {
                chain.warm_divergences += u64::from(warm.is_some());
                gauge.divergences.fetch_add(1, Ordering::Relaxed);
            }
            if warm.is_some() || !(step + 1 - plan.warmup).is_multiple_of(plan.thin) {
                continue;
            }
            for (walker, columns) in columns.chunks_exact_mut(width).enumerate() {
                let mut places = columns.iter_mut();
                walk.beside(walker, &mut |value| {
                    places.by_ref().take(1).for_each(|column| column.push(value));
                });
                let x = &walk.point(walker)[..self.model.dimensions()];
                self.model.report(x, &mut quantities, source.room)?;
                places.zip(&quantities).for_each(|(column, value)| column.push(*value));
            }
        }
        chain.evaluations = walk.evaluations();
        chain.tuned = walk.tuned();
        chain.columns = columns;
        Ok(chain)
    }

    fn begin(&self, task: u64, source: &mut Source<'_>) -> Result<Box<dyn Walk>> {
        let init = self.plan.init(task);
        Ok(match self.plan.mover {
            Mover::Nuts(tuning) => Box::new(Nuts::begin(tuning, init, source)?),
            Mover::Metropolis(rate) => Box::new(Metropolis::begin(rate, init, source)?),
            Mover::Ensemble(walkers) => Box::new(Ensemble::begin(walkers, init, source)?),
            Mover::Tempering(ladder) => Box::new(Tempering::begin(ladder, init, source)?),
        })
    }
}

impl Kernel for Sampling<'_> {
    type Partial = Chains;

    fn shards(&self) -> Shards {
        Shards::new(self.plan.chains, 1)
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<Chains> {
        let chain = |task| self.chain(task, &mut streams.task(task), cancel);
        Ok(Chains(shard.tasks().map(chain).collect::<Result<_>>()?))
    }

    fn keeps_stopped(&self) -> bool {
        true
    }

    fn has_long_shards(&self) -> bool {
        true
    }

    fn under_way(&self) -> Vec<UnderWay> {
        let steps_max = self.plan.steps();
        let told = self.gauges.iter().enumerate().map(|(task, gauge)| {
            let steps = gauge.steps.load(Ordering::Relaxed);
            let phase = if steps < self.plan.warmup { "warm-up" } else { "draws" };
            let text = match gauge.divergences.load(Ordering::Relaxed) {
                0 => phase.to_owned(),
                1 => format!("{phase}, 1 divergence"),
                several => format!("{phase}, {several} divergences"),
            };
            UnderWay { task: task as u64, steps, steps_max, text }
        });
        told.filter(|chain| (1..steps_max).contains(&chain.steps)).collect()
    }
}
