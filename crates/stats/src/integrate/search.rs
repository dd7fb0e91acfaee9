//! What a search is: rounds of tasks, each round a job that the rounds before it have shaped.
//!
//! The tasks of all rounds are numbered through, so that each has a name of its own.
//! What a round has learnt is merged in the fixed tree like every partial; it is the same on every
//! mapping, and so is the next round.

use super::block::{Block, Target};
use super::estimate::Estimate;
use super::plan::{Plan, Solved, Work};
use std::cell::Cell;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use windfall_core::{
    Cancel, Control, Error, ErrorKind, Executor, Job, Kernel, Moments, Observer, Partial, Progress,
    Result, Serial, Shard, Shards, Stopwatch, Streams, run_bytes, run_range,
};

/// A way to place the points of an integral that learns from round to round.
pub(crate) trait Search: Send + Sync {
    /// What is known between two rounds.
    type State: Clone + Send + Sync;
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

    /// What tasks of the next round need of what is known.
    fn pack(&self, state: &Self::State) -> Vec<u8>;

    /// Reads what `pack` wrote: enough to run tasks of that round, not to learn from it.
    fn unpack(&self, bytes: &[u8]) -> Result<Self::State>;

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

    fn learnt(&self) -> Option<Vec<u8>> {
        let is_first = self.search.round(self.state).is_none_or(|round| round.start == 0);
        (!is_first).then(|| self.search.pack(self.state))
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
pub(crate) struct BySearch<S: Search> {
    search: S,
    /// What came along with the shards of one round.
    given: Option<S::State>,
    /// The last state that a shard here has needed: most often the next one needs it too.
    reached: Mutex<Option<Arc<S::State>>>,
}

impl<S: Search> BySearch<S> {
    pub fn new(search: S) -> Self {
        Self { search, given: None, reached: Mutex::new(None) }
    }

    /// Whether `shard` belongs to the round after `state`, or where else it is; none if there is
    /// no such round.
    fn place(&self, state: &S::State, shard: Shard) -> Option<Ordering> {
        let (range, shards) = (self.search.round(state)?, self.search.shards());
        Some(match shard.first {
            first if first < shards.get(range.start).first => Ordering::Less,
            first if first < shards.get(range.end).first => Ordering::Equal,
            _ => Ordering::Greater,
        })
    }

    /// What is known before the round of `shard`; rounds are run again for it only if they are not
    /// those that the last shard has needed.
    fn before(&self, work: &Work<'_>, shard: Shard) -> Result<Arc<S::State>> {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || Arc::new(self.search.start());
        let mut state = reached.take().unwrap_or_else(start);
        loop {
            match self.place(&state, shard) {
                Some(Ordering::Equal) => return Ok(Arc::clone(reached.insert(state))),
                Some(Ordering::Less) => state = start(),
                Some(Ordering::Greater) => {
                    let range = self.search.round(&state).expect("it has a place");
                    let kernel = self.round(&state, work);
                    let job = self.job(&kernel, work);
                    let partial = run_range(&job, &Serial, &Control::default(), range)?.partial;
                    state = Arc::new(self.search.learn(Arc::unwrap_or_clone(state), partial));
                }
                None => {
                    let expected = "in a round that the run reaches";
                    return Err(Error::invalid("task", shard.first, expected));
                }
            }
        }
    }

    fn round<'s>(&'s self, state: &'s S::State, work: &Work<'s>) -> Round<'s, S> {
        Round { search: &self.search, state, target: work.target }
    }

    fn job<'s>(&self, kernel: &'s Round<'s, S>, work: &Work<'s>) -> Job<'s, Round<'s, S>> {
        Job { kernel, streams: work.streams.clone(), spec: work.spec }
    }
}

impl<S: Search> Plan for BySearch<S> {
    fn shards(&self) -> Shards {
        self.search.shards()
    }

    fn take(&mut self, learnt: &[u8]) -> Result<()> {
        self.given = Some(self.search.unpack(learnt)?);
        Ok(())
    }

    /// The tasks of a shard depend on what the rounds before its own have found.
    fn run_shard(&self, work: &Work<'_>, shard: Shard) -> Result<Vec<u8>> {
        let is_next = |state: &&S::State| self.place(state, shard) == Some(Ordering::Equal);
        if let Some(state) = self.given.as_ref().filter(is_next) {
            return run_bytes(&self.job(&self.round(state, work), work), shard);
        }
        let state = self.before(work, shard)?;
        run_bytes(&self.job(&self.round(&state, work), work), shard)
    }

    fn solve(&self, work: &Work<'_>, on: &dyn Executor, control: &Control<'_>) -> Result<Solved> {
        let (search, goal) = (&self.search, work.goal);
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
