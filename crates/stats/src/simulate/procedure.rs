//! What a study does with a replicate: make data, analyse them, say what each method found.

use super::conditions::Condition;
use super::records::Records;
use std::fmt::Display;
use windfall_core::{Cancel, Result, Stream, Streams};

/// What one method found in one replicate; NaN for what it does not tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate; a method that yields none has failed.
    pub estimate: f64,
    /// Its standard error, as the method states it.
    pub standard_error: f64,
    /// Lower end of its interval; may be infinite.
    pub low: f64,
    /// Upper end of its interval; may be infinite.
    pub high: f64,
    /// The p-value of its test.
    pub p_value: f64,
    /// The truth of this replicate, where it differs from replicate to replicate.
    pub truth: f64,
}

/// The numbers of an [`Estimate`].
pub(crate) const FIELDS: usize = 6;

impl Estimate {
    /// An estimate and nothing else.
    pub fn new(estimate: f64) -> Self {
        let nan = f64::NAN;
        Self { estimate, standard_error: nan, low: nan, high: nan, p_value: nan, truth: nan }
    }

    /// The same with a standard error.
    #[must_use]
    pub fn standard_error(self, standard_error: f64) -> Self {
        Self { standard_error, ..self }
    }

    /// The same with an interval.
    #[must_use]
    pub fn interval(self, low: f64, high: f64) -> Self {
        Self { low, high, ..self }
    }

    /// The same with a p-value.
    #[must_use]
    pub fn p_value(self, p_value: f64) -> Self {
        Self { p_value, ..self }
    }

    /// The same with the truth of this replicate.
    #[must_use]
    pub fn truth(self, truth: f64) -> Self {
        Self { truth, ..self }
    }

    /// The numbers, in the order of the fields.
    pub(crate) fn numbers(self) -> [f64; FIELDS] {
        let Self { estimate, standard_error, low, high, p_value, truth } = self;
        [estimate, standard_error, low, high, p_value, truth]
    }
}

/// What a method of a replicate comes to: an estimate, or why there is none.
pub type Outcome = std::result::Result<Estimate, String>;

/// What methods may return: an estimate, a plain number, or a `Result` of either.
pub trait IntoOutcome {
    /// The outcome that it stands for.
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for Estimate {
    fn into_outcome(self) -> Outcome {
        Ok(self)
    }
}

impl IntoOutcome for f64 {
    fn into_outcome(self) -> Outcome {
        Ok(Estimate::new(self))
    }
}

impl<T: IntoOutcome, E: Display> IntoOutcome for std::result::Result<T, E> {
    fn into_outcome(self) -> Outcome {
        self.map_err(|error| error.to_string()).and_then(T::into_outcome)
    }
}

/// One task of a study: a replicate of a condition.
#[derive(Clone, Copy, Debug)]
pub struct Replicate<'a> {
    /// The condition.
    pub condition: Condition<'a>,
    /// The replicate's number within its condition, from 0.
    pub number: u64,
    pub(crate) task: u64,
    pub(crate) streams: &'a Streams,
}

impl Replicate<'_> {
    /// The replicate's stream, at its first word.
    pub fn stream(&self) -> Stream {
        self.streams.task(self.number)
    }
}

/// What a study does with its replicates.
pub trait Procedure: Send + Sync {
    /// Runs some replicates, each from its own stream, and puts what each yields into `results`;
    /// stops early if `results` says so.
    ///
    /// # Errors
    /// For what must end the whole run; a replicate that fails is put as failed.
    fn run(&self, replicates: &[Replicate<'_>], results: &mut Results<'_>) -> Result<()>;
}

/// Where a procedure puts what its replicates yield.
#[derive(Debug)]
pub struct Results<'a> {
    pub(crate) records: &'a mut Records,
    pub(crate) methods: usize,
    pub(crate) cancel: &'a Cancel,
}

impl Results<'_> {
    /// Whether the run was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.cancel.is_stopped()
    }

    /// The number of methods.
    pub fn methods(&self) -> usize {
        self.methods
    }

    /// Takes the outcome of each method of a replicate.
    ///
    /// # Panics
    /// If there is not one outcome a method.
    pub fn put(
        &mut self,
        replicate: &Replicate<'_>,
        outcomes: impl ExactSizeIterator<Item = Outcome>,
    ) {
        assert_eq!(outcomes.len(), self.methods, "outcomes of a replicate");
        self.records.begin(replicate.task);
        for (method, outcome) in outcomes.enumerate() {
            match outcome {
                Ok(found) if found.estimate.is_finite() => self.records.push(found),
                Ok(found) => {
                    let error = format!("the estimate is `{}`", found.estimate);
                    self.records.fail(replicate.task, method, error);
                }
                Err(error) => self.records.fail(replicate.task, method, error),
            }
        }
    }

    /// Takes a replicate that yields no data to analyse: every method has failed.
    pub fn fail(&mut self, replicate: &Replicate<'_>, error: &str) {
        self.put(replicate, (0..self.methods).map(|_| Err(error.to_owned())));
    }
}
