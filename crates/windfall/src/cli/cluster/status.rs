//! The clusters that run, or one of them.

use super::super::exit::{Done, Exit, print};
use super::ask::Asker;
use super::state::{State, table};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use windfall::Result;

#[derive(Args, Debug)]
pub(in super::super) struct Status {
    /// The folder of what was submitted to a batch system, to see how far that is
    #[arg(value_name = "DIR", conflicts_with = "name")]
    submission: Option<PathBuf>,
    /// The cluster's name  [default: every cluster of yours]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Print one JSON object a cluster
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(in super::super) fn obey(&self) -> Done {
        if let Some(folder) = &self.submission {
            return super::super::slurm::show(folder, self.json);
        }
        let names = match &self.name {
            Some(name) => vec![name.clone()],
            None => windfall::cluster::os::clusters(),
        };
        let states = names.iter().map(|name| look(name)).collect::<Result<Vec<State>>>()?;
        let text: Vec<String> = match self.json {
            true => states.iter().map(|state| format!("{}\n", state.object())).collect(),
            false if states.is_empty() => vec!["no cluster runs\n".into()],
            false => states.iter().map(table).collect(),
        };
        print(&text.join(if self.json { "" } else { "\n" }))?;
        Ok(Exit::Done)
    }
}

/// The state of a cluster now.
pub(super) fn look(name: &str) -> Result<State> {
    let answer: Value = Asker::new(name)?.ask(&json!({ "do": "status" }))?;
    Ok(State::of(name, answer))
}
