//! The flags of each problem, one file each. Serialised they are its options in a job file: field
//! by field, what was not given left out. The problem checks them; here they are only named and
//! described.

mod bootstrap;
mod design;
mod fit;
mod integrate;
mod jackknife;
mod mixture;
mod pi;
mod sample;
mod simulate;

use super::flags::{bounds, number};
use super::job::Job;
use clap::Args;
use serde::{Serialize, Serializer};
use std::path::PathBuf;
use windfall::Result;

/// Flags that make a job.
pub(super) trait Flags {
    /// The job that they describe.
    fn job(&self) -> Result<Job>;
}

/// Names each of these flags' structs and gives it the job of its problem.
macro_rules! problems {
    ($($flags:ident from $file:ident is $name:literal;)*) => {
        $(pub(super) use $file::$flags;

        impl Flags for $flags {
            fn job(&self) -> Result<Job> {
                Ok(Job::from_flags($name, self))
            }
        })*
    };
}

pub(super) use sample::Sample;

problems! {
    Pi from pi is "pi";
    Integrate from integrate is "integrate";
    Bootstrap from bootstrap is "bootstrap";
    Jackknife from jackknife is "jackknife";
    Fit from fit is "fit";
    Mixture from mixture is "mixture";
    Simulate from simulate is "simulate";
}

/// A job file.
#[derive(Args, Debug)]
pub(super) struct File {
    /// The job: TOML, or JSON if it ends in .json
    #[arg(value_name = "FILE")]
    path: PathBuf,
}

impl Flags for File {
    fn job(&self) -> Result<Job> {
        Job::from_file(&self.path)
    }
}

/// One text as itself, several as a list.
pub(super) fn one_or_many<S: Serializer>(
    texts: &[String],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match texts {
        [one] => one.serialize(serializer),
        many => many.serialize(serializer),
    }
}
