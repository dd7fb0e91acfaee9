//! What runs shards elsewhere: builds the problem once, runs them, hands back bytes.

use super::reply::{append, write_failure};
use super::{Given, Held, Order, Tables, unpack};
use crate::{JobSpec, Problem, Registry, Result};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// Problems that are kept, so that the next shards need not build them again.
const PROBLEMS_MAX: usize = 4;

/// Runs the shards of orders.
pub struct Worker {
    registry: &'static Registry,
    /// The tables, problem by problem: name of the tables, job, problem.
    problems: VecDeque<(Option<String>, String, Arc<dyn Problem>)>,
    /// The last tables.
    tables: Option<(String, Arc<Tables>)>,
}

impl Worker {
    /// A worker that knows the problems of `registry`.
    pub fn new(registry: &'static Registry) -> Self {
        Self { registry, problems: VecDeque::new(), tables: None }
    }

    /// Does what the bytes of an [`Order`] ask for, and returns a reply for
    /// [`super::deliver`]. `tables` is asked for the tables of that name if they are not kept.
    ///
    /// # Errors
    /// The bytes of the first failure, for [`super::read_failure`].
    pub fn run(
        &mut self,
        order: &[u8],
        tables: impl FnOnce(&str) -> Result<Held>,
    ) -> Result<Vec<u8>, Vec<u8>> {
        let order = Order::from_bytes(order).map_err(|error| write_failure(0, &error))?;
        self.obey(&order, tables)
    }

    /// As [`Worker::run`], for an order that has been read.
    ///
    /// # Errors
    /// As [`Worker::run`].
    pub fn obey(
        &mut self,
        order: &Order,
        tables: impl FnOnce(&str) -> Result<Held>,
    ) -> Result<Vec<u8>, Vec<u8>> {
        let mut shard = order.shards.get(0).unwrap_or(0);
        self.run_shards(order, tables, &mut shard).map_err(|error| write_failure(shard, &error))
    }

    fn run_shards(
        &mut self,
        order: &Order,
        tables: impl FnOnce(&str) -> Result<Held>,
        shard: &mut u64,
    ) -> Result<Vec<u8>> {
        let problem = self.problem(order, tables)?;
        let mut reply = Vec::new();
        for index in order.shards.iter() {
            *shard = index;
            append(&mut reply, index, &problem.run_shard(problem.shards().get(index))?);
        }
        Ok(reply)
    }

    /// The problem of an order, built if it is not kept.
    fn problem(
        &mut self,
        order: &Order,
        tables: impl FnOnce(&str) -> Result<Held>,
    ) -> Result<Arc<dyn Problem>> {
        let is_it = |(tables, job, _): &&(Option<String>, String, _)| {
            *tables == order.tables && *job == order.job
        };
        if let Some((.., problem)) = self.problems.iter().find(is_it) {
            return Ok(Arc::clone(problem));
        }
        let tables = match &order.tables {
            Some(name) => self.tables(name, tables)?,
            None => Arc::default(),
        };
        let spec = JobSpec::from_json(&order.job)?;
        let problem: Arc<dyn Problem> = Arc::from(self.registry.build(&spec, &Given(tables))?);
        self.problems.truncate(PROBLEMS_MAX - 1);
        let kept = (order.tables.clone(), order.job.clone(), Arc::clone(&problem));
        self.problems.push_front(kept);
        Ok(problem)
    }

    fn tables(
        &mut self,
        name: &str,
        held: impl FnOnce(&str) -> Result<Held>,
    ) -> Result<Arc<Tables>> {
        if let Some((_, tables)) = self.tables.as_ref().filter(|(kept, _)| kept == name) {
            return Ok(Arc::clone(tables));
        }
        let tables = Arc::new(unpack(&held(name)?)?);
        self.tables = Some((name.to_owned(), Arc::clone(&tables)));
        Ok(tables)
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("problems", &self.problems.len()).finish_non_exhaustive()
    }
}
