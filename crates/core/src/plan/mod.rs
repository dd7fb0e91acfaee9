//! Will parallel pay, and on what? A pilot, a model of each mapping, and a table that says so.
//!
//! ```text
//! pilot.rs     runs some shards of a problem and measures them: a Profile
//! probe.rs     the executor that the pilot runs on
//! profile.rs   what a pilot found, round by round
//! submitted.rs the same where the main job goes out whole
//! mapping.rs   what each mapping costs, as data
//! schedule.rs  when the last worker is done
//! model.rs     the time of a profile on a mapping, and where it breaks even
//! table.rs     the plan: all predictions, which one to take, and why
//! history.rs   predicted against actual, and the error of it
//! calibrate.rs what threads cost here
//! ```
//!
//! The time of a job on a mapping of `w` workers is
//!
//! ```text
//! build + prepare + start + open + share + Σ over rounds ( round + w·worker + makespan ) + finish
//! ```
//!
//! where the makespan is that of giving each worker that is free the next order, an order costs
//! its shards (as the pilot found them, slowed down as it found them with all cores at work) and
//! what the mapping takes for an order and a shard, and partials are merged one after the other.
//! A table is shared once; what rounds have found, before each round that needs it.
//! All but the shards is what Amdahl (1967) calls serial.
//!
//! Everything here is numbers in and a table out. It reads no environment, and no clock but
//! [`crate::Stopwatch`], in the pilot.

mod calibrate;
mod history;
mod mapping;
mod model;
mod pilot;
mod probe;
mod profile;
mod schedule;
mod submitted;
mod table;

pub use calibrate::{calibrate_threads, median};
pub use history::{Errors, Pair};
pub use mapping::{Costs, DEFAULTS, Default, Mapping};
pub use model::{Prediction, predict};
pub use pilot::{Limits, pilot};
pub use profile::{Extent, Profile, Round};
pub use schedule::makespan;
pub use table::{Granularity, Plan};
