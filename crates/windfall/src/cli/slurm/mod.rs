//! Jobs on Slurm: an array over shards, a merge that waits for it, and a folder that knows of both.
//!
//! ```text
//! job.toml          the job, its seed included; its data seen from here
//! submission.json   the array and the merge that were submitted last
//! pieces            the shards of each task of the array, one line each
//! partials/         what the tasks have written; what is not there is missing
//! logs/             what they have said
//! answer.json       the answer, once the merge has run
//! ```
//!
//! The folder is the whole state: submitting again submits what is missing and nothing else.

mod cancel;
mod fetch;
mod folder;
mod queue;
mod status;
mod submit;

pub(super) use cancel::Cancel;
pub(super) use fetch::Fetch;
pub(super) use status::show;
pub(super) use submit::Submit;
