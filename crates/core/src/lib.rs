//! The seam everything in Windfall turns on: `run_shard(job, shard) -> partial`, merged in order.
//!
//! A *job* is a [`Kernel`] with tasks `0..n` and a seed. Task `i` draws only from its own stream;
//! a *shard* is a run of consecutive tasks whose edges the job fixes; what a shard yields is a
//! [`Partial`]; partials merge in shard order along one fixed binary tree. An [`Executor`] decides
//! only where and when shards run, so the answer is the same bytes on every mapping.
//!
//! ```
//! use windfall_core::{Control, Job, Kernel, Moments, Result, Serial, Shard, Shards, Threads, run};
//! use windfall_core::{Cancel, Streams, Seed};
//!
//! /// The mean of the square of a uniform draw: one third.
//! struct Square;
//!
//! impl Kernel for Square {
//!     type Partial = Moments;
//!     fn shards(&self) -> Shards {
//!         Shards::new(1000, 100)
//!     }
//!     fn run_shard(&self, shard: Shard, streams: &Streams, _: &Cancel) -> Result<Moments> {
//!         let mut moments = Moments::default();
//!         for task in shard.tasks() {
//!             let u = streams.task(task).uniform();
//!             moments.push(u * u);
//!         }
//!         Ok(moments)
//!     }
//! }
//!
//! let job = Job::new(&Square, Streams::new(Seed::from(1u64), "square"));
//! let alone = run(&job, &Serial, &Control::default())?;
//! let shared = run(&job, &Threads::new(3), &Control::default())?;
//! assert_eq!(alone.partial, shared.partial);
//! assert!((alone.partial.mean() - 1.0 / 3.0).abs() < 5.0 * alone.partial.mcse());
//! # Ok::<(), windfall_core::Error>(())
//! ```

mod answer;
mod cancel;
mod clock;
mod collect;
mod data;
mod error;
mod executor;
mod kernel;
mod merge;
mod moments;
mod options;
mod panics;
pub mod partials;
pub mod plan;
mod problem;
pub mod remote;
mod rounds;
mod run;
mod serial;
mod shard;
mod shard_set;
mod spec;
mod threads;
mod verify;
mod version;
mod watch;
pub mod wire;

pub use answer::{Answer, DataNote, Draws, Interval, Quantity};
pub use cancel::Cancel;
pub use clock::{Stopwatch, now_us};
pub use collect::{Tasks, collect};
pub use data::{Column, Labels, Numbers, Table};
pub use error::{Error, ErrorKind, Result};
pub use executor::{Capabilities, Carries, Executor, Sink, Work, Yield};
pub use kernel::{Kernel, Partial};
pub use merge::Tree;
pub use moments::Moments;
pub use options::{nearest, read_options};
pub use panics::{Caught, catch};
pub use problem::{Build, Entry, Problem, Registry, Source};
pub use rounds::{Rounds, run_rounds};
pub use run::{Job, Outcome, replay, run, run_bytes, run_range};
pub use serial::{Serial, Shuffled};
pub use shard::{Shard, Shards};
pub use shard_set::ShardSet;
pub use spec::JobSpec;
pub use threads::Threads;
pub use verify::{Verification, verify};
pub use version::{VALUES, Version};
pub use watch::{Control, Observer, Progress, UnderWay};
pub use windfall_streams::{Seed, Stream, Streams};
