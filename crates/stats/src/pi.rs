//! Estimate pi from the points of a square that fall inside its circle.
//!
//! The least problem there is, and so the measure of what the machinery costs: a word, two
//! multiplications and a comparison a point, all in registers.

use crate::law::normal;
use serde::{Deserialize, Serialize};
use serde_json::Map;
use windfall_core::wire::{Reader, put_u64};
use windfall_core::{
    Answer, Cancel, Control, Draws, Entry, Error, Executor, Interval, Job, JobSpec, Kernel,
    Moments, Partial, Problem, Quantity, Result, Seed, Shard, Shards, Streams, read_options, run,
    run_bytes,
};
use windfall_lanes::{LANES, Simd, Task, dispatch};

/// Points of a task: some 40 µs of work on a fast core.
const POINTS_PER_TASK: u64 = 1 << 16;
/// Tasks of a shard, unless that gave more than `SHARDS_MAX`.
const TASKS_PER_SHARD: u64 = 16;
/// Shards of a job at most: beyond 10^12 points they grow instead.
const SHARDS_MAX: u64 = 1 << 20;
/// The most points there can be: weeks of work, and the tasks still have exact counts.
const N_MAX: u64 = 1_000_000_000_000_000;

/// What a job file may say about pi.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PiOptions {
    /// The number of points, 1 to 10^15; 10^8 by default.
    pub n: u64,
}

impl Default for PiOptions {
    fn default() -> Self {
        Self { n: 100_000_000 }
    }
}

/// The row of the registry.
pub(crate) const ENTRY: Entry = Entry {
    name: "pi",
    about: "the fraction of random points of a square inside its circle, times four",
    build: |spec, _| {
        spec.without_data()?;
        Ok(Box::new(Pi::new(read_options(&spec.options)?, spec.seed_or_fresh()?)?))
    },
};

/// Four times the fraction of `n` uniform points of the square [-1, 1)² with x² + y² < 1.
///
/// A point is one word of its task's stream: the low half is x, the high half y, each a signed
/// number of 32 bits over 2^31. Points lie on a lattice, whose share inside the circle is no longer
/// pi / 4: four times the share is pi less 4.3·10^-14 (counted exactly by `derive/pi_lattice.py`),
/// a millionth of the Monte Carlo error of the most points that there can be.
///
/// # Cost
/// About half a nanosecond a point with AVX2.
///
/// # Examples
/// ```
/// use windfall_core::{Control, Problem, Serial};
/// use windfall_stats::pi::{Pi, PiOptions};
///
/// let pi = Pi::new(PiOptions { n: 1_000_000 }, 1u64.into())?;
/// let answer = pi.solve(&Serial, &Control::default())?;
/// let pi = &answer.quantities[0];
/// assert!((pi.estimate - std::f64::consts::PI).abs() < 4.0 * pi.mcse);
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pi {
    spec: JobSpec,
    seed: Seed,
    kernel: Points,
}

impl Pi {
    /// A job of `options.n` points.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::TooFew`] if `n` is 0,
    /// [`windfall_core::ErrorKind::Invalid`] if it is above 10^15.
    pub fn new(options: PiOptions, seed: Seed) -> Result<Self> {
        let n = options.n;
        if n == 0 {
            return Err(Error::too_few("points (`n`)", 0, 1));
        }
        if n > N_MAX {
            return Err(Error::invalid("n", n, "at most 10^15"));
        }
        let mut spec = JobSpec::new("pi");
        spec.seed = Some(seed);
        spec.options = Map::from_iter([("n".to_owned(), n.into())]);
        Ok(Self { spec, seed, kernel: Points { n } })
    }

    fn job(&self) -> Job<'_, Points> {
        let streams = Streams::new(self.seed, "pi");
        Job { kernel: &self.kernel, streams, spec: Some(&self.spec) }
    }
}

impl Problem for Pi {
    fn spec(&self) -> Option<&JobSpec> {
        Some(&self.spec)
    }

    fn shards(&self) -> Shards {
        self.kernel.shards()
    }

    fn grows_by(&self) -> Option<&'static str> {
        Some("n")
    }

    fn run_shard(&self, shard: Shard) -> Result<Vec<u8>> {
        run_bytes(&self.job(), shard)
    }

    fn solve(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let outcome = run(&self.job(), on, control)?;
        let moments = outcome.partial.moments();
        let (estimate, mcse) = (moments.mean(), moments.mcse());
        let interval = Interval::around(estimate, mcse, normal::quantile(0.975), 0.95, "normal");
        let mut notes = Vec::new();
        if moments.squares() == 0.0 {
            notes.push("all points fell on one side: the error cannot be told".to_owned());
        }
        let quantity = Quantity { interval: Some(interval), ..Quantity::new("pi", estimate, mcse) };
        let draws = Draws { name: "n", count: outcome.partial.points };
        Ok(Answer {
            quantities: vec![quantity],
            complete: outcome.complete,
            notes,
            ..Answer::new("pi", "plain", draws, self.seed)
        })
    }
}

/// The kernel: tasks of `POINTS_PER_TASK` points, the last one perhaps shorter.
#[derive(Clone, Debug)]
struct Points {
    n: u64,
}

impl Kernel for Points {
    type Partial = Hits;

    fn shards(&self) -> Shards {
        let tasks = self.n.div_ceil(POINTS_PER_TASK);
        Shards::new(tasks, TASKS_PER_SHARD.max(tasks.div_ceil(SHARDS_MAX)))
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<Hits> {
        let mut hits = Hits::empty();
        for task in shard.tasks() {
            if cancel.is_stopped() {
                break;
            }
            let points = POINTS_PER_TASK.min(self.n - task * POINTS_PER_TASK);
            let inside = dispatch(CountInside { streams, task, points });
            hits = hits.merge(Hits { points, inside });
        }
        Ok(hits)
    }

    fn moments(&self, hits: &Hits) -> Option<Moments> {
        Some(hits.moments())
    }
}

/// Points, and how many of them were inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hits {
    points: u64,
    inside: u64,
}

impl Hits {
    /// The moments of the values 4 (inside) and 0 (outside).
    fn moments(&self) -> Moments {
        let (points, inside) = (self.points as f64, self.inside as f64);
        let share = inside / points.max(1.0);
        Moments::new(self.points, 4.0 * share, 16.0 * inside * (1.0 - share))
    }
}

impl Partial for Hits {
    fn empty() -> Self {
        Self { points: 0, inside: 0 }
    }

    fn merge(self, later: Self) -> Self {
        Self { points: self.points + later.points, inside: self.inside + later.inside }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.points);
        put_u64(out, self.inside);
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let hits = Self { points: reader.u64()?, inside: reader.u64()? };
        reader.finish().map(|()| hits)
    }
}

/// Counts the first `points` points of a task that are inside.
struct CountInside<'a> {
    streams: &'a Streams,
    task: u64,
    points: u64,
}

impl Task for CountInside<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let mut lanes = self.streams.lanes(simd, self.task);
        let mut outside = simd.splat_u(0);
        for _ in 0..self.points / LANES as u64 {
            outside = simd.add_u(outside, eight_outside(simd, lanes.next(simd)));
        }
        let last = simd.to_array_u(eight_outside(simd, lanes.next(simd)));
        let rest = &last[..(self.points % LANES as u64) as usize];
        self.points - simd.to_array_u(outside).iter().chain(rest).sum::<u64>()
    }
}

/// For each of eight points, one a word, 1 if it is not inside and 0 if it is.
#[inline(always)]
fn eight_outside<S: Simd>(simd: S, words: S::U) -> S::U {
    let square = simd.add_u(simd.square_lo32(words), simd.square_lo32(simd.swap_halves(words)));
    // Not inside: the difference is negative. It cannot overflow, the square is at most 2^63.
    simd.shr::<63>(simd.sub_u(simd.splat_u(RADIUS_SQUARE - 1), square))
}

/// The square of the circle's radius, 2^31 steps of the lattice.
const RADIUS_SQUARE: u64 = 1 << 62;
