//! A problem: a job that knows its answer; and the registry that makes one from a job file.

use crate::{Answer, Control, Error, Executor, JobSpec, Result, Shard, Shards, Table};
use std::sync::Arc;

/// A problem with its options and data, checked and ready to run.
pub trait Problem: Send + Sync {
    /// The job as a value, seed included; none for closures, which stay in this process.
    fn spec(&self) -> Option<&JobSpec>;

    /// The cut of the main job into shards.
    fn shards(&self) -> Shards;

    /// Runs one shard of the main job and returns its partial as bytes: the seam for everything
    /// that leaves the process, and for running one task again.
    ///
    /// # Errors
    /// What the tasks report, with the shard's address.
    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>>;

    /// The option that only adds tasks at the end of the main job and changes none of those that
    /// are there: a longer job can then use what a shorter one did. None by default.
    fn grows_by(&self) -> Option<&'static str> {
        None
    }

    /// Whether the answer is a table by nature, which can be written and drawn as it is.
    fn is_tabular(&self) -> bool {
        false
    }

    /// Whether what it finds decides how much it runs: with a tolerance, or round by round until
    /// there is nothing left to learn. How long it takes is then known at its end.
    fn is_search(&self) -> bool {
        false
    }

    /// Runs the whole on `on`, merges, and makes the answer.
    ///
    /// # Errors
    /// As [`crate::run`].
    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer>;
}

/// Finds the data that a job file names.
pub trait Source {
    /// The table at `path`, as the job file writes it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] if it cannot be read.
    fn table(&self, path: &str) -> Result<Table>;

    /// The bytes of the code that is a part of the job, if it [has](JobSpec::has_code) any.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] if there is none here, as in a file.
    fn code(&self) -> Result<Arc<[u8]>> {
        Err(no_code())
    }

    /// What the rounds before the one whose shards are wanted have found, where it came along
    /// with them ([`crate::Kernel::learnt`]); without it they are run again.
    fn learnt(&self) -> Option<Arc<[u8]>> {
        None
    }
}

/// A job with code, where there can be none.
fn no_code() -> Error {
    Error::invalid("code", "true", "left out: no job file holds a function, and none runs here")
        .hint("run it from the program that has the function, or on engines that can load it")
}

/// Makes problems of jobs: the registry, or what beside it can make those with code.
pub trait Build: Sync {
    /// Makes the problem that `spec` describes, of the data and code that `source` has.
    ///
    /// # Errors
    /// As [`Registry::build`].
    fn build(&self, spec: &JobSpec, source: &dyn Source) -> Result<Box<dyn Problem>>;
}

/// One row of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The problem's name in job files and on the command line.
    pub name: &'static str,
    /// One sentence on what it does.
    pub about: &'static str,
    /// Checks the options, reads the data and makes the problem.
    pub build: fn(&JobSpec, &dyn Source) -> Result<Box<dyn Problem>>,
}

/// The table of known problems.
#[derive(Clone, Copy, Debug)]
pub struct Registry(
    /// Its rows.
    pub &'static [Entry],
);

impl Registry {
    /// Makes the problem that `spec` describes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unknown`] for a problem or a key that does not exist, and whatever the
    /// problem's own checks find, all before any work starts.
    pub fn build(&self, spec: &JobSpec, source: &dyn Source) -> Result<Box<dyn Problem>> {
        if spec.has_code {
            return Err(no_code());
        }
        match self.0.iter().find(|entry| entry.name == spec.problem) {
            Some(entry) => (entry.build)(spec, source),
            None => {
                let names: Vec<&str> = self.0.iter().map(|entry| entry.name).collect();
                Err(Error::unknown("problem", &spec.problem, &names))
            }
        }
    }
}

impl Build for Registry {
    fn build(&self, spec: &JobSpec, source: &dyn Source) -> Result<Box<dyn Problem>> {
        Self::build(self, spec, source)
    }
}
