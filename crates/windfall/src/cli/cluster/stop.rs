//! Ends a cluster and waits until it is gone.

use super::super::exit::{Done, Exit, print};
use super::Which;
use super::ask::Asker;
use clap::Args;
use serde_json::json;

#[derive(Args, Debug)]
pub(in super::super) struct Stop {
    #[command(flatten)]
    which: Which,
    /// End every cluster of yours
    #[arg(long, conflicts_with = "name")]
    all: bool,
}

impl Stop {
    pub(in super::super) fn obey(&self) -> Done {
        let names = match self.all {
            true => windfall::cluster::os::clusters(),
            false => vec![self.which.name.clone()],
        };
        for name in &names {
            let asker = Asker::new(name)?;
            asker.ask(&json!({ "do": "stop" }))?;
            asker.wait_for_end()?;
            print(&format!("cluster {name} is stopped\n"))?;
        }
        if names.is_empty() {
            print("no cluster runs\n")?;
        }
        Ok(Exit::Done)
    }
}
