//! Take a submission out of the queue; what it has done stays.

use super::super::exit::{Done, Exit, Failure, print};
use super::folder::Folder;
use super::queue;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(in super::super) struct Cancel {
    /// The folder of the submission
    #[arg(value_name = "DIR")]
    path: PathBuf,
}

impl Cancel {
    pub(in super::super) fn obey(&self) -> Done {
        let folder = Folder::open(&self.path)?;
        let waiting = folder.states()?.len();
        if waiting > 0 {
            queue::cancel(&[&folder.jobs[0], &folder.jobs[1]]).map_err(Failure::running)?;
        }
        print(&format!(
            "{waiting} tasks cancelled; what is done stays in {}\n",
            self.path.display()
        ))?;
        Ok(Exit::Done)
    }
}
