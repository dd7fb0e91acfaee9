//! Interactive work on one machine: a controller, its engines, and whoever sends them tasks.
//!
//! ```text
//! client  --socket-->  controller  --socket-->  engine
//!         large data: memory whose descriptor is passed along, never copied through a socket
//! ```
//!
//! * [`controller`] decides: a pure state machine, tested without sockets and by simulation;
//! * [`serve`] gives it sockets, processes and a clock: one thread that polls;
//! * [`Link`] is the end of a client or an engine;
//! * [`claims`] is what the engines of one map share: who does which item;
//! * [`jobs`] are Windfall's own jobs on engines;
//! * [`message`] and [`wire`] are what is said and how; [`segment`] is memory by descriptor,
//!   [`mapped`] knows what lies in one already;
//! * [`shared`] is memory that engines and others change at the same time, without races;
//! * [`os`] is what the operating system is asked for.

pub mod claims;
mod codec;
pub mod controller;
pub mod jobs;
mod link;
pub mod mapped;
pub mod message;
pub mod os;
pub mod segment;
mod serve;
pub mod shared;
mod watch;
pub mod wire;

pub use link::{Link, Wait, connect, engine_link, own};
pub use segment::Segment;
pub use serve::{Options, THREAD_VARIABLES, serve};
