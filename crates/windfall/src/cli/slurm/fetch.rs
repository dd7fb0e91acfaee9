//! The answer of a submission.

use super::super::exit::Done;
use super::super::flags::{Common, OfDistribution};
use super::super::interrupt;
use super::super::merge::merge;
use super::folder::{Folder, partials};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;
use windfall::{Error, ErrorKind};

/// How often the queue is asked.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
pub(in super::super) struct Fetch {
    /// The folder of the submission
    #[arg(value_name = "DIR")]
    path: PathBuf,
    /// Wait until nothing of it waits or runs any more
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    of_distribution: OfDistribution,
    #[command(flatten)]
    common: Common,
}

impl Fetch {
    pub(in super::super) fn obey(&self) -> Done {
        let folder = Folder::open(&self.path)?;
        let cancel = interrupt::listen()?;
        loop {
            let waiting = folder.states()?.len();
            if waiting == 0 {
                break;
            }
            if !self.wait {
                let value = format!("with {waiting} tasks that wait or run");
                let error = Error::invalid("dir", value, "a submission that has ended");
                return Err(error.hint("give --wait to wait for them").into());
            }
            std::thread::sleep(LOOK);
            if cancel.is_stopped() {
                return Err(Error::new(ErrorKind::Interrupted).into());
            }
        }
        let archive = partials(&self.path)?;
        let hint =
            format!("submit them again: windfall submit … --slurm --dir {}", self.path.display());
        merge(&folder.job()?, &archive, (&self.of_distribution, &self.common), (cancel, hint))
    }
}
