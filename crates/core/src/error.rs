//! One error type for the whole house: a kind with the offending value, and a hint with the remedy.

use crate::ShardSet;
use std::fmt;

/// The result of anything in Windfall that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with the values at fault, so that a program can match on it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is less of something than the work needs.
    TooFew {
        /// What there is too little of, such as `rows`.
        what: String,
        /// How much there is.
        got: u64,
        /// How much is needed.
        need: u64,
    },
    /// A number that must be finite is not.
    NotFinite {
        /// What it belongs to, such as a column's name.
        what: String,
        /// The first place at fault, counted from zero.
        row: u64,
        /// The value found there.
        value: f64,
    },
    /// A value is outside what is allowed.
    Invalid {
        /// The option or argument.
        what: String,
        /// The value given, as text.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// A name is not one of those known.
    Unknown {
        /// What was looked up: `key`, `column`, `problem`.
        what: String,
        /// The name given.
        name: String,
        /// The nearest known name, where one is near.
        nearest: Option<String>,
        /// All known names.
        known: Vec<String>,
    },
    /// A formula cannot be read; all its errors, with their positions.
    Expression {
        /// The report, one paragraph an error.
        report: String,
    },
    /// A task failed or panicked.
    Task {
        /// The tasks of the shard it happened in: first and one past the last.
        tasks: (u64, u64),
        /// The seed of the job.
        seed: String,
        /// The worker that ran it.
        worker: String,
        /// The message of the failure.
        message: String,
        /// Where it happened, if known: a place in the source or a remote trace.
        trace: Option<String>,
    },
    /// The executor cannot do what the job asks.
    Unsupported {
        /// The executor's name.
        executor: String,
        /// What was asked.
        what: String,
    },
    /// The run was interrupted before anything could be estimated.
    Interrupted,
    /// Partials of some shards are not there.
    Missing {
        /// Which shards.
        shards: ShardSet,
        /// How many the job has.
        all: u64,
    },
    /// Bytes that came from elsewhere cannot be read.
    Wire {
        /// What is wrong with them.
        what: String,
    },
    /// A file cannot be read or written.
    Io {
        /// The path as the user gave it.
        path: String,
        /// The system's or the reader's message.
        message: String,
    },
}

/// An [`ErrorKind`] with an optional hint.
///
/// The text starts in lower case, shows the offending value in backticks, and ends with a line
/// `hint: …` where a remedy is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    kind: Box<ErrorKind>,
    hint: Option<String>,
}

impl Error {
    /// An error of this kind, without a hint.
    pub fn new(kind: ErrorKind) -> Self {
        Self { kind: Box::new(kind), hint: None }
    }

    /// The value `value` of `what` is not allowed; `expected` says what is.
    pub fn invalid(what: &str, value: impl fmt::Display, expected: &str) -> Self {
        Self::new(ErrorKind::Invalid {
            what: what.into(),
            value: value.to_string(),
            expected: expected.into(),
        })
    }

    /// There are `got` of `what` where at least `need` are needed.
    pub fn too_few(what: &str, got: u64, need: u64) -> Self {
        Self::new(ErrorKind::TooFew { what: what.into(), got, need })
    }

    /// The name `name` of a `what` is unknown; the nearest of `known` is named.
    pub fn unknown(what: &str, name: &str, known: &[&str]) -> Self {
        Self::new(ErrorKind::Unknown {
            what: what.into(),
            name: name.into(),
            nearest: crate::options::nearest(name, known.iter().copied()).map(str::to_owned),
            known: known.iter().map(|&k| k.to_owned()).collect(),
        })
    }

    /// Reports what a task says of its own failure; [`crate::run`] fills in where it happened.
    pub fn task(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Task {
            tasks: (0, 0),
            seed: String::new(),
            worker: String::new(),
            message: message.into(),
            trace: None,
        })
    }

    /// The file at `path` cannot be read or written.
    pub fn io(path: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Io { path: path.to_string(), message: message.to_string() })
    }

    /// Bytes from elsewhere cannot be read.
    pub fn wire(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Wire { what: what.into() })
    }

    /// The same error with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The remedy, where one is known.
    pub fn remedy(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The same error with the address of the shard it happened in, if it is a task's.
    #[must_use]
    pub(crate) fn at(mut self, at: (u64, u64), in_seed: &str, on_worker: &str) -> Self {
        if let ErrorKind::Task { tasks, seed, worker, .. } = self.kind.as_mut()
            && seed.is_empty()
        {
            *tasks = at;
            in_seed.clone_into(seed);
            on_worker.clone_into(worker);
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { what, got, need } => {
                write!(f, "too few {what}: `{got}`, at least {need} are needed")
            }
            Self::NotFinite { what, row, value } => {
                write!(f, "{what} holds `{value}` in row {row} (counted from 0)")
            }
            Self::Invalid { what, value, expected } => {
                write!(f, "`{what}` is `{value}`; it must be {expected}")
            }
            Self::Unknown { what, name, nearest, known } => match nearest {
                Some(nearest) => write!(f, "unknown {what} `{name}`; did you mean `{nearest}`?"),
                None => write!(f, "unknown {what} `{name}`; known are: {}", known.join(", ")),
            },
            Self::Expression { report } => f.write_str(report),
            Self::Task { tasks: (first, end), seed, worker, message, trace } => {
                if seed.is_empty() {
                    return f.write_str(message);
                }
                match end - first {
                    1 => write!(f, "task {first} failed")?,
                    _ => write!(f, "a task of {first}..{end} failed")?,
                }
                write!(f, " (seed {seed}, {worker}): {message}")?;
                trace.as_ref().map_or(Ok(()), |trace| write!(f, "\n{trace}"))
            }
            Self::Unsupported { executor, what } => {
                write!(f, "executor `{executor}` cannot {what}")
            }
            Self::Interrupted => f.write_str("interrupted before the first shard was done"),
            Self::Missing { shards, all } => {
                let (count, noun) = (shards.len(), if *all == 1 { "shard" } else { "shards" });
                write!(f, "{count} of the job's {all} {noun} are missing: {shards}")
            }
            Self::Wire { what } => write!(f, "unreadable bytes: {what}"),
            Self::Io { path, message } => write!(f, "`{path}`: {message}"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_the_value_and_the_remedy() {
        let error = Error::invalid("resamples", 0, "at least 1").hint("leave it out for 9999");
        assert_eq!(
            error.to_string(),
            "`resamples` is `0`; it must be at least 1\nhint: leave it out for 9999"
        );
        let error = Error::unknown("key", "resampels", &["resamples", "seed"]);
        assert_eq!(error.to_string(), "unknown key `resampels`; did you mean `resamples`?");
    }

    #[test]
    fn a_task_error_keeps_its_first_address() {
        let error = Error::task("no").at((3, 4), "7", "thread 0").at((0, 9), "8", "thread 1");
        assert_eq!(error.to_string(), "task 3 failed (seed 7, thread 0): no");
    }
}
