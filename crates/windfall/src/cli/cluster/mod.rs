//! `start`, `status`, `stop`, `top`: a cluster of engines from the shell.
//!
//! `start` runs this program again as the controller (`serve`, which no help shows) in a session of
//! its own; everything else asks a running controller, as any client does.

mod ask;
mod launched;
mod serve;
mod start;
mod state;
mod status;
mod stop;
mod top;

pub(super) use serve::{Engine, Serve};
pub(super) use start::{NewEngines, Start};
pub(super) use status::Status;
pub(super) use stop::Stop;
pub(super) use top::Top;

use clap::Args;

/// Which cluster is meant.
#[derive(Args, Debug)]
struct Which {
    /// The cluster's name
    #[arg(long, value_name = "NAME", default_value = "default")]
    name: String,
}
