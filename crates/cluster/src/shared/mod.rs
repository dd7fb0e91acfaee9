//! Memory that processes share, without races: numbers, arrays, locks, queues, barriers.
//!
//! Each object is one segment without a name, so that nothing is left behind however processes end.
//! It goes to other processes by a fork, or by a [`Reference`] that is opened through the process
//! that has it. Whoever waits sleeps on a word of it; a holder that dies frees its locks, a member
//! that dies breaks its barriers, and threads that wait for one another are told so.
//!
//! * [`Value`], [`Counter`], [`Array`]: numbers that are changed by single instructions;
//! * [`Lock`], [`Queue`], [`Barrier`]: what is waited for;
//! * [`Party`]: the thread that holds, waits or takes part.

mod array;
mod barrier;
mod board;
mod graph;
#[cfg(test)]
mod graph_tests;
mod lock;
mod memory;
mod number;
mod object;
mod party;
mod queue;
mod value;
mod waiting;

pub use array::{Array, SLOTS_MAX};
pub use barrier::{Barrier, Broken, MEMBERS_MAX, Unmet};
pub use lock::{Lock, Reentry, Try};
pub use number::{Number, Overflow};
pub use object::{Identity, Kind, NAME_BYTES_MAX, Object, Reference};
pub use party::{Party, forked, forks, set_engine};
pub use queue::{Queue, QueueSize, Refused};
pub use value::{Counter, Value};
pub use waiting::{End, Patience, QUEUE_GRACE_S, SLEEPS_S};
