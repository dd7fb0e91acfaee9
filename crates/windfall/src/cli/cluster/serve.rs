//! The controller itself, in a session of its own; and an engine that runs jobs without Python.

use super::super::exit::{Done, Exit};
use clap::Args;
use windfall::cluster;
use windfall::{Error, REGISTRY, Result};

/// Run a controller in this process; `start` does so in the background
#[derive(Args, Debug)]
pub(in super::super) struct Serve {
    name: String,
    /// The options of the controller, as JSON
    options: String,
}

impl Serve {
    pub(in super::super) fn obey(&self) -> Done {
        let options: Result<cluster::Options> = serde_json::from_str(&self.options)
            .map_err(|error| Error::invalid("options", &self.options, &error.to_string()));
        cluster::os::detach();
        cluster::serve(&self.name, options?)?;
        Ok(Exit::Done)
    }
}

/// Be an engine that runs Windfall's own jobs; a controller starts it
#[derive(Args, Debug)]
pub(in super::super) struct Engine {}

impl Engine {
    pub(in super::super) fn obey(&self) -> Done {
        cluster::jobs::serve_jobs(&REGISTRY)?;
        Ok(Exit::Done)
    }
}
