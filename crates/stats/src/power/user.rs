//! A caller's own test: a whole simulation, or a function of samples that the laws draw.

use super::counts::Counts;
use super::ready::{Point, Source};
use super::trials::add;
use crate::statistic::{Resamples, UserStatistic};
use windfall_core::{Cancel, Error, Result, Shard, Stream, Streams};

/// Data and test written outside this crate, called on several threads at once.
///
/// A closure `Fn(Point, &mut Stream) -> f64` is one.
pub trait UserTest: Send + Sync {
    /// The p-value of one simulation at `point`, which draws from `stream` alone; NaN where the
    /// data allow no test. Every point of a curve is given the same draws.
    ///
    /// # Errors
    /// Whatever the caller's code reports; the run stops.
    fn p_value(&self, point: Point, stream: &mut Stream) -> Result<f64>;

    /// Whether a call takes microseconds rather than milliseconds.
    fn is_cheap(&self) -> bool {
        true
    }
}

impl<F: Fn(Point, &mut Stream) -> f64 + Send + Sync> UserTest for F {
    fn p_value(&self, point: Point, stream: &mut Stream) -> Result<f64> {
        Ok(self(point, stream))
    }
}

/// Runs the simulations of `shard`, one a task, by code that draws its own data.
pub(super) fn run(
    test: &dyn UserTest,
    (points, alpha): (&[Point], f64),
    shard: Shard,
    (streams, cancel): (&Streams, &Cancel),
) -> Result<Counts> {
    let mut counts = Counts::of(points.len());
    for task in shard.tasks() {
        if cancel.is_stopped() {
            break;
        }
        let start = streams.task(task);
        for (point, count) in points.iter().zip(&mut counts.points) {
            let p = checked(test.p_value(*point, &mut start.clone())?)?;
            *count = add(*count, p, alpha);
        }
        counts.simulations += 1;
    }
    Ok(counts)
}

/// Runs the simulations of `shard`, one a task, by a function of samples, in batches as it likes.
///
/// The draws are those that a test of the catalogue sees which looks at every value: source `s` of
/// task `i` has the stream `i · sources + s`.
pub(super) fn run_on_samples(
    test: &dyn UserStatistic,
    (points, alpha): (&[Vec<Source>], f64),
    shard: Shard,
    (streams, cancel): (&Streams, &Cancel),
) -> Result<Counts> {
    let mut counts = Counts::of(points.len());
    let mut blocks = vec![Vec::new(); points.first().map_or(0, Vec::len)];
    let mut p_values = Vec::new();
    let tasks: Vec<u64> = shard.tasks().collect();
    for batch in tasks.chunks(test.batch().max(1)) {
        if cancel.is_stopped() {
            break;
        }
        for (sources, count) in points.iter().zip(&mut counts.points) {
            for (place, (source, block)) in sources.iter().zip(&mut blocks).enumerate() {
                block.resize(batch.len() * source.size, 0.0);
                for (&task, sample) in batch.iter().zip(block.chunks_exact_mut(source.size)) {
                    let stream = task * sources.len() as u64 + place as u64;
                    source.draw(&mut streams.task(stream), sample);
                }
            }
            p_values.clear();
            p_values.resize(batch.len(), f64::NAN);
            test.evaluate(&Resamples::new(batch.len(), &blocks), &mut p_values)?;
            for &p in &p_values {
                *count = add(*count, checked(p)?, alpha);
            }
        }
        counts.simulations += batch.len() as u64;
    }
    Ok(counts)
}

/// How far above 1 the rounding of a p-value may carry it.
const ROUNDING: f64 = 1e-9;

/// A p-value, or NaN where there is none.
fn checked(p: f64) -> Result<f64> {
    if p.is_nan() || (0.0..=1.0 + ROUNDING).contains(&p) {
        return Ok(p);
    }
    let message = format!("the test returned `{p}`, which is no p-value: it must lie from 0 to 1");
    Err(Error::task(message).hint("NaN says that the data allow no test"))
}
