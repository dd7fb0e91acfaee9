//! Let the caller watch a run: how far it is, what it estimates so far, and a way to stop it.

use crate::{Cancel, Moments};
use std::fmt;

/// How far a run is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Tasks done.
    pub tasks: u64,
    /// Tasks in all; with a tolerance, the most there can be.
    pub tasks_max: u64,
    /// The values so far whose mean is the estimate, if the problem has such.
    pub moments: Option<Moments>,
    /// Seconds since the run began.
    pub elapsed_s: f64,
    /// The tasks under way, in task order, if the problem tells them apart.
    pub under_way: Vec<UnderWay>,
}

impl Progress {
    /// The share of the work that is done, from 0 to 1; a task under way counts by its own share.
    pub fn share(&self) -> f64 {
        let begun: f64 = self.under_way.iter().map(UnderWay::share).sum();
        ((self.tasks as f64 + begun) / self.tasks_max.max(1) as f64).clamp(0.0, 1.0)
    }
}

/// How far one task is that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// The task.
    pub task: u64,
    /// Steps done.
    pub steps: u64,
    /// Steps in all.
    pub steps_max: u64,
    /// What there is to say of it, such as `warm-up, 3 divergences`.
    pub text: String,
}

impl UnderWay {
    /// The share of its steps that is done, from 0 to 1.
    pub fn share(&self) -> f64 {
        self.steps.min(self.steps_max) as f64 / self.steps_max.max(1) as f64
    }
}

/// Looks at a run now and then.
pub trait Observer {
    /// Called on the thread that called `run`, between two of its shards or while other threads
    /// run long ones, at most every 50 ms.
    fn tick(&self, progress: &Progress);
}

/// What a caller hands to a run: a flag to stop it and, if it likes, an observer.
#[derive(Clone, Default)]
pub struct Control<'a> {
    /// The flag that asks the run to stop.
    pub cancel: Cancel,
    /// Who watches.
    pub observer: Option<&'a dyn Observer>,
}

impl<'a> Control<'a> {
    /// A control with this observer and a flag that nobody has stopped.
    pub fn watched(observer: &'a dyn Observer) -> Self {
        Self { cancel: Cancel::default(), observer: Some(observer) }
    }
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("cancel", &self.cancel)
            .field("watched", &self.observer.is_some())
            .finish()
    }
}
