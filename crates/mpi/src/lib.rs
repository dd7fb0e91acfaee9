//! Jobs on the ranks of MPI: rank 0 leads, the others serve, nobody has to be told apart by users.
//!
//! ```text
//! rank 0      Problem::solve(&Ranks, …): merges, rounds, progress; one thread runs shards as well
//! rank 1..    World::serve: hears of a job, runs the shards that it gets, sends their partials
//! ```
//!
//! * [`World`] is MPI, started and checked; [`Ranks`] is the executor on rank 0;
//! * [`Schedule`] says who runs which shards: handed out as ranks come free, or cut beforehand;
//! * a job and its tables are broadcast once; orders and replies are messages between two ranks.
//!
//! Nobody waits busily: who waits looks, rests, and looks again, so that more ranks than cores
//! cost little and rank 0 keeps ticking.

mod board;
mod dynamic;
mod fixed;
mod ranks;
mod schedule;
mod serve;
mod talk;
mod world;

pub use ranks::Ranks;
pub use schedule::Schedule;
pub use world::{Late, World};
