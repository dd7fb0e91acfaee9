//! Embarrassingly parallel statistics done right: the same bytes on any mapping, and every answer
//! with its Monte Carlo error.
//!
//! Two ways in. A *closure* of your own runs on every core with [`replicate`], [`map`] or
//! [`map_seeded`]; task `i` draws from its own stream, so the results are the same on any machine.
//! A *problem* that Windfall knows is asked with [`pi`], [`integrate`] or [`bootstrap`], or
//! read from a job file, and yields an [`Answer`] with its errors.
//!
//! ```
//! use windfall::prelude::*;
//!
//! // How long is the longest run of heads in 100 tosses, on average?
//! let runs = windfall::replicate(10_000, 42, |rng| {
//!     let (mut run, mut longest) = (0, 0);
//!     for _ in 0..100 {
//!         run = if rng.uniform() < 0.5 { run + 1 } else { 0 };
//!         longest = longest.max(run);
//!     }
//!     f64::from(longest)
//! })?;
//! let mut moments = Moments::default();
//! runs.iter().for_each(|&run| moments.push(run));
//! assert!((moments.mean() - 5.99).abs() < 5.0 * moments.mcse());
//! # Ok::<(), windfall::Error>(())
//! ```
//!
//! What decides where things run is in [`machine`], what reads and writes tables in [`files`],
//! pictures are drawn by [`plot`], what a run has done is kept by a [`checkpoint`]. The same
//! answers come from the `windfall` command.

// The command is written against the library as any other program is.
#[cfg(feature = "command")]
extern crate self as windfall;

pub mod checkpoint;
#[cfg(feature = "command")]
pub mod cli;
pub mod files;
pub mod machine;
pub mod plan;
pub mod plot;
mod problems;
pub mod readable;
mod replicate;
mod request;

pub use problems::{
    bootstrap, fit_many, integrate, jackknife, mixture, permutation_test, pi, power, sample,
    sample_size, simulate,
};
pub use replicate::{map, map_seeded, replicate};
pub use request::{Request, solve, solve_problem};
pub use windfall_cluster as cluster;
pub use windfall_core::{
    Answer, Build, Cancel, Capabilities, Carries, Column, Control, DataNote, Draws, Error,
    ErrorKind, Executor, Interval, JobSpec, Labels, Moments, Numbers, Observer, Outcome, Problem,
    Progress, Quantity, Result, Seed, Serial, Shard, ShardSet, Shards, Shuffled, Sink, Source,
    Stopwatch, Stream, Streams, Table, Tasks, Threads, UnderWay, VALUES, Verification, Version,
    Work, Yield, collect, nearest, now_us, partials, read_options, remote, verify,
};
pub use windfall_stats::{self as stats, REGISTRY};

/// What most programs need: `use windfall::prelude::*`.
pub mod prelude {
    pub use crate::{Answer, Moments, Request, Result, Seed, Stream, Table};
}
