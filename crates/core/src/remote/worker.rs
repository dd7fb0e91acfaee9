//! What runs shards elsewhere: builds the problem once, runs them, hands back bytes.

use super::reply::{append, write_failure};
use super::{Given, Order};
use crate::{Build, JobSpec, Problem, Result};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Problems that are kept, so that the next shards need not build them again.
const PROBLEMS_MAX: usize = 4;

/// Runs the shards of orders, on several threads at once if it is asked to.
pub struct Worker {
    build: &'static dyn Build,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Problem by problem: name of what it reads, job, problem.
    problems: VecDeque<(Option<String>, String, Arc<dyn Problem>)>,
    /// The last tables and code.
    given: Option<(String, Arc<Given>)>,
}

impl Worker {
    /// A worker that knows the problems that `build` can make.
    pub fn new(build: &'static dyn Build) -> Self {
        Self { build, kept: Mutex::default() }
    }

    /// Does what the bytes of an [`Order`] ask for, and returns a reply for
    /// [`super::deliver`]. `given` is asked for the tables and code of that name if they are not
    /// kept.
    ///
    /// # Errors
    /// The bytes of the first failure, for [`super::read_failure`].
    pub fn run(
        &self,
        order: &[u8],
        given: impl FnOnce(&str) -> Result<Given>,
    ) -> Result<Vec<u8>, Vec<u8>> {
        let order = Order::from_bytes(order).map_err(|error| write_failure(0, &error))?;
        self.obey(&order, given)
    }

    /// As [`Worker::run`], for an order that has been read.
    ///
    /// # Errors
    /// As [`Worker::run`].
    pub fn obey(
        &self,
        order: &Order,
        given: impl FnOnce(&str) -> Result<Given>,
    ) -> Result<Vec<u8>, Vec<u8>> {
        let mut shard = order.shards.get(0).unwrap_or(0);
        self.run_shards(order, given, &mut shard).map_err(|error| write_failure(shard, &error))
    }

    fn run_shards(
        &self,
        order: &Order,
        given: impl FnOnce(&str) -> Result<Given>,
        shard: &mut u64,
    ) -> Result<Vec<u8>> {
        let problem = self.problem(order, given)?;
        let mut reply = Vec::new();
        for index in order.shards.iter() {
            *shard = index;
            append(&mut reply, index, &problem.run_shard(problem.shards().get(index))?);
        }
        Ok(reply)
    }

    /// The problem of an order, built if it is not kept.
    fn problem(
        &self,
        order: &Order,
        given: impl FnOnce(&str) -> Result<Given>,
    ) -> Result<Arc<dyn Problem>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(name, job, _): &&(Option<String>, String, _)| {
            *name == order.tables && *job == order.job
        };
        if let Some((.., problem)) = kept.problems.iter().find(is_it) {
            return Ok(Arc::clone(problem));
        }
        let given = match &order.tables {
            Some(name) => kept.given(name, given)?,
            None => Arc::default(),
        };
        let spec = JobSpec::from_json(&order.job)?;
        let problem: Arc<dyn Problem> = Arc::from(self.build.build(&spec, &*given)?);
        kept.problems.truncate(PROBLEMS_MAX - 1);
        let this = (order.tables.clone(), order.job.clone(), Arc::clone(&problem));
        kept.problems.push_front(this);
        Ok(problem)
    }
}

impl Kept {
    fn given(
        &mut self,
        name: &str,
        fresh: impl FnOnce(&str) -> Result<Given>,
    ) -> Result<Arc<Given>> {
        if let Some((_, given)) = self.given.as_ref().filter(|(kept, _)| kept == name) {
            return Ok(Arc::clone(given));
        }
        let given = Arc::new(fresh(name)?);
        self.given = Some((name.to_owned(), Arc::clone(&given)));
        Ok(given)
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}
