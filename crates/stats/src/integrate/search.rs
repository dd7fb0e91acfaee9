//! What a search is: rounds of tasks, each round a job that the rounds before it have shaped.
//!
//! The tasks of all rounds are numbered through, so that each has a name of its own.
//! What a round has learnt is merged in the fixed tree like every partial; it is the same on every
//! mapping, and so is the next round.

use super::block::{Block, Target};
use super::estimate::Estimate;
use super::plan::{Plan, Solved, Work};
use std::cell::Cell;
use std::ops::Range;
use windfall_core::{
    Cancel, Control, Error, ErrorKind, Executor, Job, Kernel, Moments, Observer, Partial, Progress,
    Result, Serial, Shard, Shards, Stopwatch, Streams, run_bytes, run_range,
};

/// A way to place the points of an integral that learns from round to round.
pub(crate) trait Search: Send + Sync {
    /// What is known between two rounds.
    type State: Send + Sync;
    /// What a task yields.
    type Partial: Partial;

    /// The cut of the tasks of all rounds into shards.
    fn shards(&self) -> Shards;

    /// What is known before the first round.
    fn start(&self) -> Self::State;

    /// The shards of the next round; none if there is nothing left to do.
    fn round(&self, state: &Self::State) -> Option<Range<u64>>;

    /// Runs a task of the next round and adds what it yields to `partial`.
    fn run_task(
        &self,
        state: &Self::State,
        call: &mut Call<'_, '_>,
        partial: &mut Self::Partial,
    ) -> Result<()>;

    /// What is known after the next round has yielded `partial`.
    fn learn(&self, state: Self::State, partial: Self::Partial) -> Self::State;

    /// What the points give so far; none while they give nothing.
    fn estimate(&self, state: &Self::State) -> Option<Estimate>;

    /// Whether a run with a tolerance may stop here.
    fn may_stop(&self, state: &Self::State) -> bool;
}

/// A task, where it draws from and the memory it works in.
pub(crate) struct Call<'c, 'b> {
    pub task: u64,
    pub streams: &'c Streams,
    pub block: &'c mut Block<'b>,
}

/// The kernel of one round.
struct Round<'a, S: Search> {
    search: &'a S,
    state: &'a S::State,
    target: Target<'a>,
}

impl<S: Search> Kernel for Round<'_, S> {
    type Partial = S::Partial;

    fn shards(&self) -> Shards {
        self.search.shards()
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<S::Partial> {
        let mut block = Block::new(self.target);
        let mut partial = S::Partial::empty();
        for task in shard.tasks() {
            if cancel.is_stopped() {
                break;
            }
            let mut call = Call { task, streams, block: &mut block };
            self.search.run_task(self.state, &mut call, &mut partial)?;
        }
        Ok(partial)
    }
}

/// The least time between two looks that rounds themselves give an observer: a round may be too
/// short for a look within.
const TICK_S: f64 = 0.05;

/// Shows the rounds as one run, with what those that are over have found.
struct Whole<'a> {
    observer: &'a dyn Observer,
    clock: Stopwatch,
    last_s: Cell<f64>,
    found: Cell<Option<Moments>>,
}

impl<'a> Whole<'a> {
    fn new(observer: &'a dyn Observer) -> Self {
        let clock = Stopwatch::start();
        Self { observer, clock, last_s: Cell::new(0.0), found: Cell::new(None) }
    }

    /// Takes down what the rounds so far have found, and shows it if it is time.
    fn found(&self, settled: Option<Estimate>, (tasks, tasks_max): (u64, u64)) {
        let first = settled.filter(|settled| settled.joint.width() > 0);
        self.found.set(first.map(|first| first.joint.moments(0)));
        if self.clock.elapsed_s() - self.last_s.get() >= TICK_S {
            let (moments, elapsed_s, under_way) = (None, 0.0, Vec::new());
            self.tick(&Progress { tasks, tasks_max, moments, elapsed_s, under_way });
        }
    }
}

impl Observer for Whole<'_> {
    fn tick(&self, progress: &Progress) {
        let (moments, elapsed_s) = (self.found.get(), self.clock.elapsed_s());
        self.last_s.set(elapsed_s);
        self.observer.tick(&Progress { moments, elapsed_s, ..progress.clone() });
    }
}

/// The plan of a method that is a search.
pub(crate) struct BySearch<S>(pub S);

impl<S: Search> BySearch<S> {
    fn round<'s>(&'s self, state: &'s S::State, work: &Work<'s>) -> Round<'s, S> {
        Round { search: &self.0, state, target: work.target }
    }

    fn job<'s>(&self, kernel: &'s Round<'s, S>, work: &Work<'s>) -> Job<'s, Round<'s, S>> {
        Job { kernel, streams: work.streams.clone(), spec: work.spec }
    }
}

impl<S: Search> Plan for BySearch<S> {
    fn shards(&self) -> Shards {
        self.0.shards()
    }

    /// Runs the rounds before that of the shard first, as its tasks depend on them.
    fn run_shard(&self, work: &Work<'_>, shard: Shard) -> Result<Vec<u8>> {
        let mut state = self.0.start();
        let shards = self.0.shards();
        while let Some(range) = self.0.round(&state) {
            let kernel = self.round(&state, work);
            let job = self.job(&kernel, work);
            let tasks = shards.get(range.start).first..shards.get(range.end).first;
            if tasks.contains(&shard.first) {
                return run_bytes(&job, shard);
            }
            let outcome = run_range(&job, &Serial, &Control::default(), range)?;
            state = self.0.learn(state, outcome.partial);
        }
        let expected = "in a round that the run reaches";
        Err(Error::invalid("task", shard.first, expected))
    }

    fn solve(&self, work: &Work<'_>, on: &dyn Executor, control: &Control<'_>) -> Result<Solved> {
        let (search, goal) = (&self.0, work.goal);
        let (mut state, mut complete) = (search.start(), true);
        let whole = control.observer.map(Whole::new);
        let observer = whole.as_ref().map(|whole| whole as &dyn Observer);
        let control = &Control { cancel: control.cancel.clone(), observer };
        while let Some(range) = search.round(&state) {
            let (kernel, end) = (self.round(&state, work), range.end);
            let outcome = match run_range(&self.job(&kernel, work), on, control, range) {
                Err(error) if *error.kind() != ErrorKind::Interrupted => return Err(error),
                outcome => outcome.ok().filter(|outcome| outcome.complete),
            };
            let Some(outcome) = outcome else {
                complete = false;
                break;
            };
            state = search.learn(state, outcome.partial);
            if let Some(whole) = &whole {
                let (shards, settled) = (search.shards(), search.estimate(&state));
                let tasks = (shards.get(end).first, shards.tasks());
                whole.found(settled.map(|found| goal.settle(found)), tasks);
            }
            let found = search.estimate(&state).filter(|_| search.may_stop(&state));
            if found.is_some_and(|found| goal.is_met(found)) {
                break;
            }
        }
        let Some(estimate) = search.estimate(&state) else {
            return Err(Error::new(ErrorKind::Interrupted));
        };
        Ok(Solved { estimate: goal.settle(estimate), complete })
    }
}
