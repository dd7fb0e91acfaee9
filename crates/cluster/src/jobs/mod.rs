//! Windfall's own jobs on engines: an executor here, and there what runs the shards.
//!
//! A task is an order for shards (`windfall_core::remote`) with a segment that holds the tables
//! that the job reads, which every engine maps and nobody copies.

mod engines;
mod worker;

pub use engines::Engines;
pub use worker::{run_order, serve_jobs};

use crate::message::Name;

/// The function that runs shards, which every engine knows.
pub const JOBS: Name = *b"windfall's jobs\0";
