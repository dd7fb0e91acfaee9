//! The jobs of a fit: a round over the rows for several mixtures at once, and what it tells of
//! each row.
//!
//! A task is a block of rows, whatever is fitted to them; the sums of a mixture therefore have the
//! same bits whichever others share its rounds.

use super::model::Densities;
use super::pass::{Room, Sharing, SumUp, Tell};
use crate::bootstrap::Replicates;
use windfall_core::wire::{Reader, put_f64s};
use windfall_core::{
    Cancel, Control, Executor, Job, Kernel, Observer, Partial, Progress, Result, Shard, Shards,
    Stopwatch, Streams, run,
};
use windfall_lanes::dispatch;

/// Rows of a task.
const ROWS_PER_TASK: usize = 4096;

/// The cut of `rows` rows into blocks, each a task and a shard.
pub(super) fn cut(rows: usize) -> Shards {
    Shards::new(rows.div_ceil(ROWS_PER_TASK) as u64, 1)
}

/// The rows of a block.
pub(super) fn rows_of(block: u64, rows: usize) -> std::ops::Range<usize> {
    let edge = |block: u64| (block as usize * ROWS_PER_TASK).min(rows);
    edge(block)..edge(block + 1)
}

/// The sums of several mixtures over all rows, for the expectation step.
#[derive(Debug)]
pub(super) struct Expect<'a> {
    pub columns: &'a [&'a [f64]],
    pub densities: Vec<Densities>,
}

impl Kernel for Expect<'_> {
    type Partial = Totals;

    fn shards(&self) -> Shards {
        cut(self.columns[0].len())
    }

    fn run_shard(&self, shard: Shard, _: &Streams, cancel: &Cancel) -> Result<Totals> {
        let mut room = Room::default();
        let mut totals = vec![0.0; self.densities.iter().map(Densities::sums).sum()];
        for task in shard.tasks() {
            let mut rest = totals.as_mut_slice();
            for densities in &self.densities {
                if cancel.is_stopped() {
                    return Ok(Totals::empty());
                }
                let (out, later) = rest.split_at_mut(densities.sums());
                dispatch(SumUp {
                    columns: self.columns,
                    rows: rows_of(task, self.columns[0].len()),
                    densities,
                    sharing: Sharing::Soft,
                    room: &mut room,
                    out,
                });
                rest = later;
            }
        }
        Ok(Totals(totals))
    }
}

/// Sums, number by number; no numbers at all are the sums of no rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Totals(pub Vec<f64>);

impl Partial for Totals {
    fn empty() -> Self {
        Self(Vec::new())
    }

    fn merge(mut self, later: Self) -> Self {
        if self.0.is_empty() {
            return later;
        }
        self.0.iter_mut().zip(&later.0).for_each(|(sum, later)| *sum += later);
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_f64s(out, &self.0);
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let totals = Self(reader.f64s()?);
        reader.finish().map(|()| totals)
    }
}

/// The log density and the responsibilities of each row under one mixture.
#[derive(Debug)]
pub(super) struct Describe<'a> {
    pub columns: &'a [&'a [f64]],
    pub densities: Densities,
}

impl Kernel for Describe<'_> {
    type Partial = Replicates;

    fn shards(&self) -> Shards {
        cut(self.columns[0].len())
    }

    fn run_shard(&self, shard: Shard, _: &Streams, cancel: &Cancel) -> Result<Replicates> {
        let lists = 1 + self.densities.components.len();
        let mut told = Replicates::with_capacity(lists, ROWS_PER_TASK);
        let mut room = Room::default();
        for task in shard.tasks() {
            if cancel.is_stopped() {
                break;
            }
            dispatch(Tell {
                columns: self.columns,
                rows: rows_of(task, self.columns[0].len()),
                densities: &self.densities,
                room: &mut room,
                out: told.columns_mut(),
            });
        }
        Ok(told)
    }
}

/// Rounds that follow each other, each a run of its own.
#[derive(Debug)]
pub(super) struct Rounds {
    /// The most that there may be.
    pub most: u64,
    watch: Stopwatch,
}

impl Rounds {
    /// At most this many rounds, from now on.
    pub fn new(most: u64) -> Self {
        Self { most, watch: Stopwatch::start() }
    }

    /// The partial of all shards of `job` as round `round`; none if it was stopped before. Who
    /// watches sees how far all rounds are.
    ///
    /// # Errors
    /// As [`windfall_core::run`].
    pub fn run<K: Kernel>(
        &self,
        round: u64,
        job: &Job<'_, K>,
        on: &dyn Executor,
        control: &Control<'_>,
    ) -> Result<Option<K::Partial>> {
        let tasks = job.kernel.shards().tasks();
        let counted = control.observer.map(|observer| Counted {
            observer,
            before: round * tasks,
            tasks_max: self.most * tasks,
            watch: &self.watch,
        });
        let observer = counted.as_ref().map(|counted| counted as &dyn Observer);
        whole(job, on, &Control { cancel: control.cancel.clone(), observer })
    }
}

/// The partial of all of a job's shards; none if it was stopped before.
///
/// # Errors
/// As [`windfall_core::run`].
pub(super) fn whole<K: Kernel>(
    job: &Job<'_, K>,
    on: &dyn Executor,
    control: &Control<'_>,
) -> Result<Option<K::Partial>> {
    match run(job, on, control) {
        Err(_) if control.cancel.is_stopped() => Ok(None),
        outcome => outcome.map(|outcome| outcome.complete.then_some(outcome.partial)),
    }
}

/// An observer of all rounds.
struct Counted<'a> {
    observer: &'a dyn Observer,
    /// Tasks of the rounds before.
    before: u64,
    /// Tasks of all rounds that there may be.
    tasks_max: u64,
    watch: &'a Stopwatch,
}

impl Observer for Counted<'_> {
    fn tick(&self, progress: &Progress) {
        self.observer.tick(&Progress {
            tasks: self.before + progress.tasks,
            tasks_max: self.tasks_max,
            elapsed_s: self.watch.elapsed_s(),
            ..progress.clone()
        });
    }
}
