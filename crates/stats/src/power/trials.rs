//! The kernel: simulations of every point of a curve, by the fastest way that the test allows.

use super::counts::{Count, Counts};
use super::lanes::Plan;
use super::law::Base;
use super::ready::{Decision, Drawn, Point, Ready};
use super::{data, user::UserTest};
use windfall_core::{Cancel, Error, Kernel, Moments, Result, Shard, Shards, Streams};
use windfall_lanes::LANES;

/// Draws of a shard, about: half a millisecond.
const DRAWS_PER_SHARD: u64 = 1 << 18;
/// Draws that a simulation costs beyond its own.
const DRAWS_EXTRA: u64 = 32;
/// Shards of a job at most; beyond, they grow.
const SHARDS_MAX: u64 = 1 << 16;
/// Values that one simulation may hold in memory: 1.6 GB of them, twice.
const VALUES_MAX: u64 = 100_000_000;

/// Simulations of some points.
pub(crate) struct Trials<'a> {
    way: Way<'a>,
    simulations: u64,
}

/// How they are run.
enum Way<'a> {
    /// Eight at a time, a task.
    Lanes(Vec<Ready>, Drawn),
    /// One a task.
    Data(Vec<Ready>),
    /// One a task, by the caller's code, at this level.
    User(&'a dyn UserTest, Vec<Point>, f64),
}

impl<'a> Trials<'a> {
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
        let most = points.iter().map(draws).max().unwrap_or(0);
        if most > VALUES_MAX {
            let expected = format!("at most {VALUES_MAX} values in a simulation, for memory");
            return Err(Error::invalid("n", most, &expected));
        }
        Ok(Self { way: Way::Data(points), simulations })
    }

    /// Simulations by the caller's code.
    pub fn by_user(
        test: &'a dyn UserTest,
        points: Vec<Point>,
        alpha: f64,
        simulations: u64,
    ) -> Self {
        Self { way: Way::User(test, points, alpha), simulations }
    }

    /// Whether summaries are drawn in place of values.
    pub fn drawn(&self) -> Drawn {
        match &self.way {
            Way::Lanes(_, drawn) => *drawn,
            Way::Data(points) => points.first().map_or(Drawn::Values, |point| point.drawn),
            Way::User(..) => Drawn::Values,
        }
    }
}

/// Values that one simulation of a point draws.
fn draws(point: &Ready) -> u64 {
    point.sources.iter().map(|source| source.size as u64).sum()
}

impl Kernel for Trials<'_> {
    type Partial = Counts;

    fn shards(&self) -> Shards {
        let (tasks, cost) = match &self.way {
            Way::Lanes(points, drawn) => {
                let cost = match drawn {
                    Drawn::Values => points.iter().map(draws).max().unwrap_or(0),
                    Drawn::Summaries => points.iter().map(|point| point.sources.len() as u64).sum(),
                };
                let eights = self.simulations.div_ceil(LANES as u64);
                (eights, LANES as u64 * (cost + points.len() as u64))
            }
            Way::Data(points) => {
                (self.simulations, points.iter().map(|point| 8 * draws(point) + DRAWS_EXTRA).sum())
            }
            Way::User(test, points, _) => {
                let cost = if test.is_cheap() { 1 << 10 } else { 1 << 14 };
                (self.simulations, points.len() as u64 * cost)
            }
        };
        let per_shard = (DRAWS_PER_SHARD / (cost + DRAWS_EXTRA)).max(1);
        Shards::new(tasks, per_shard.max(tasks.div_ceil(SHARDS_MAX)))
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<Counts> {
        match &self.way {
            Way::Lanes(points, drawn) => {
                Ok(Plan::new(points, *drawn, self.simulations).run(shard, streams, cancel))
            }
            Way::Data(points) => Ok(data::run(points, shard, streams, cancel)),
            Way::User(test, points, alpha) => {
                let mut counts = Counts::of(points.len());
                for task in shard.tasks() {
                    if cancel.is_stopped() {
                        break;
                    }
                    let start = streams.task(task);
                    for (point, count) in points.iter().zip(&mut counts.points) {
                        let p = test.p_value(*point, &mut start.clone())?;
                        *count = add(*count, p, *alpha);
                    }
                    counts.simulations += 1;
                }
                Ok(counts)
            }
        }
    }

    fn moments(&self, partial: &Counts) -> Option<Moments> {
        partial.moments()
    }
}

/// One more p-value.
fn add(count: Count, p: f64, alpha: f64) -> Count {
    Count {
        rejected: count.rejected + u64::from(p <= alpha),
        undefined: count.undefined + u64::from(p.is_nan()),
    }
}
