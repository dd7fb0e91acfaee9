//! Leave the process: an order for shards goes out, bytes of partials come back.
//!
//! ```text
//! here                                             there
//! Packer   the tables that the job reads  ──────>  tables, kept by name
//! Order    the job as text, which shards  ──────>  Worker: builds the problem once, runs them
//! deliver  into the sink                  <──────  the bytes of each shard's partial
//! read_failure                            <──────  or why one failed
//! ```
//!
//! An executor over processes, ranks or another engine says only where and when: how bytes travel
//! and who gets which order. The same bytes may go through a socket, a segment or a file.

mod order;
mod packer;
mod reply;
mod sources;
mod tables;
mod worker;

pub use order::Order;
pub use packer::{Packer, Parcel};
pub use reply::{deliver, read_failure, write_failure};
pub use sources::{Given, Noting};
pub use tables::{Held, Tables, pack, unpack};
pub use worker::Worker;
