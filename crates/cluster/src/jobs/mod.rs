//! Windfall's own jobs on engines: an executor here, and there what runs the shards.
//!
//! A task is a set of shards: the job as text, which shards, and a segment with the
//! tables that the job reads, which every engine maps and nobody copies. Its result is the bytes of
//! each shard's partial. An engine keeps the last few problems that it has built.

mod engines;
mod tables;
mod worker;

pub use engines::Engines;
pub use worker::{Worker, serve_jobs};

use crate::message::Name;
use serde::{Deserialize, Serialize};

/// The function that runs shards, which every engine knows.
pub const JOBS: Name = *b"windfall's jobs\0";

/// What one task asks for.
#[derive(Debug, Deserialize, Serialize)]
struct Order {
    /// The job, as JSON.
    job: String,
    /// Its shards, as [`windfall_core::ShardSet`] writes them.
    shards: String,
    /// Under which name an engine may keep the tables; none if the job reads none.
    tables: Option<String>,
}

/// Why a shard failed.
#[derive(Debug, Deserialize, Serialize)]
struct Failure {
    /// Its index.
    shard: u64,
    /// The tasks at fault.
    tasks: (u64, u64),
    /// The seed of the job; empty if no task is at fault.
    seed: String,
    message: String,
    trace: Option<String>,
}
