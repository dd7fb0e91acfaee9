//! The kernel: simulations of every point of a curve, by the fastest way that the test allows.

use super::counts::{Count, Counts};
use super::data;
use super::lanes::Plan;
use super::law::Base;
use super::ready::{Decision, Drawn, Point, Ready, Source};
use super::user::{self, UserTest};
use crate::statistic::UserStatistic;
use std::sync::Arc;
use windfall_core::{Cancel, Error, Kernel, Moments, Result, Shard, Shards, Streams};
use windfall_lanes::LANES;

/// Draws of a shard, about: half a millisecond.
const DRAWS_PER_SHARD: u64 = 1 << 18;
/// Draws that a simulation costs beyond its own.
const DRAWS_EXTRA: u64 = 32;
/// Draws that a call of a caller's function may cost, where it is cheap and where it is not.
const USER_COST: [u64; 2] = [1 << 10, 1 << 14];
/// Shards of a job at most; beyond, they grow.
const SHARDS_MAX: u64 = 1 << 16;
/// Values that one simulation may hold in memory: 1.6 GB of them, twice.
const VALUES_MAX: u64 = 100_000_000;

/// Simulations of some points.
pub(crate) struct Trials {
    way: Way,
    simulations: u64,
}

/// How they are run.
enum Way {
    /// Eight at a time, a task.
    Lanes(Vec<Ready>, Drawn),
    /// One a task.
    Data(Vec<Ready>),
    /// One a task, by the caller's code, at this level.
    User(Arc<dyn UserTest>, Vec<Point>, f64),
    /// One a task, drawn from these sources and judged by the caller's code, at this level.
    Samples(Arc<dyn UserStatistic>, Vec<Vec<Source>>, f64),
}

impl Trials {
    /// Simulations of a test of the catalogue.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] if one would not fit in memory.
    pub fn new(points: Vec<Ready>, simulations: u64) -> Result<Self> {
        let drawn = points.first().map_or(Drawn::Values, |point| point.drawn);
        let by_lanes = points.iter().all(|point| {
            let normal = point.sources.iter().all(|source| source.law.base == Base::Normal);
            normal && matches!(point.decision, Decision::Moments(_))
        });
        if by_lanes {
            return Ok(Self { way: Way::Lanes(points, drawn), simulations });
        }
        check_memory(points.iter().map(|point| draws(&point.sources)))?;
        Ok(Self { way: Way::Data(points), simulations })
    }

    /// Simulations by the caller's code.
    pub fn by_user(
        test: Arc<dyn UserTest>,
        points: Vec<Point>,
        alpha: f64,
        simulations: u64,
    ) -> Self {
        Self { way: Way::User(test, points, alpha), simulations }
    }

    /// Simulations of data from the laws of `sources`, a list a point, judged by the caller's code.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] if one would not fit in memory.
    pub fn of_samples(
        test: Arc<dyn UserStatistic>,
        sources: Vec<Vec<Source>>,
        alpha: f64,
        simulations: u64,
    ) -> Result<Self> {
        let batch = test.batch().max(1) as u64;
        check_memory(sources.iter().map(|sources| batch * draws(sources)))?;
        Ok(Self { way: Way::Samples(test, sources, alpha), simulations })
    }

    /// Whether summaries are drawn in place of values.
    pub fn drawn(&self) -> Drawn {
        match &self.way {
            Way::Lanes(_, drawn) => *drawn,
            Way::Data(points) => points.first().map_or(Drawn::Values, |point| point.drawn),
            Way::User(..) | Way::Samples(..) => Drawn::Values,
        }
    }
}

/// Values that one simulation of a point draws.
fn draws(sources: &[Source]) -> u64 {
    sources.iter().map(|source| source.size as u64).sum()
}

/// Checks that the values drawn at once, for each point, fit in memory.
fn check_memory(values: impl Iterator<Item = u64>) -> Result<()> {
    match values.max() {
        Some(most) if most > VALUES_MAX => {
            let expected = format!("at most {VALUES_MAX} values in a simulation, for memory");
            Err(Error::invalid("n", most, &expected))
        }
        _ => Ok(()),
    }
}

impl Kernel for Trials {
    type Partial = Counts;

    fn shards(&self) -> Shards {
        let (tasks, cost) = match &self.way {
            Way::Lanes(points, drawn) => {
                let cost = match drawn {
                    Drawn::Values => {
                        points.iter().map(|point| draws(&point.sources)).max().unwrap_or(0)
                    }
                    Drawn::Summaries => points.iter().map(|point| point.sources.len() as u64).sum(),
                };
                let eights = self.simulations.div_ceil(LANES as u64);
                (eights, LANES as u64 * (cost + points.len() as u64))
            }
            Way::Data(points) => {
                let cost = points.iter().map(|point| 8 * draws(&point.sources) + DRAWS_EXTRA);
                (self.simulations, cost.sum())
            }
            Way::User(test, points, _) => {
                let cost = USER_COST[usize::from(!test.is_cheap())];
                (self.simulations, points.len() as u64 * cost)
            }
            Way::Samples(_, points, _) => {
                let cost = points.iter().map(|sources| 8 * draws(sources) + USER_COST[0]);
                (self.simulations, cost.sum())
            }
        };
        let batch = match &self.way {
            Way::Samples(test, ..) => test.batch().max(1) as u64,
            _ => 1,
        };
        let per_shard = (DRAWS_PER_SHARD / (cost + DRAWS_EXTRA)).div_ceil(batch).max(1) * batch;
        Shards::new(tasks, per_shard.max(tasks.div_ceil(SHARDS_MAX)))
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<Counts> {
        match &self.way {
            Way::Lanes(points, drawn) => {
                Ok(Plan::new(points, *drawn, self.simulations).run(shard, streams, cancel))
            }
            Way::Data(points) => Ok(data::run(points, shard, streams, cancel)),
            Way::User(test, points, alpha) => {
                user::run(test.as_ref(), (points, *alpha), shard, (streams, cancel))
            }
            Way::Samples(test, points, alpha) => {
                user::run_on_samples(test.as_ref(), (points, *alpha), shard, (streams, cancel))
            }
        }
    }

    fn moments(&self, partial: &Counts) -> Option<Moments> {
        partial.moments()
    }
}

/// One more p-value.
pub(super) fn add(count: Count, p: f64, alpha: f64) -> Count {
    Count {
        rejected: count.rejected + u64::from(p <= alpha),
        undefined: count.undefined + u64::from(p.is_nan()),
    }
}
