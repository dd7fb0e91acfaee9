//! A folder that a run keeps its finished shards in, so that it can be cut off and go on.
//!
//! ```text
//! job.json   the job that began it, its seed included, the hash of its data, the version
//! partials   the journal: a file of partials, which `windfall merge` reads too
//! ```

use super::job::Job;
use super::prepared::Prepared;
use clap::Args;
use serde_json::{Map, Value, json};
use std::io::{ErrorKind as Io, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use windfall::files::replace;
use windfall::partials::{Archive, Journal, Keep};
use windfall::{Error, Executor, JobSpec, Result};

/// The flags of a checkpoint.
#[derive(Args, Clone, Debug)]
pub(super) struct OfCheckpoint {
    /// Keep finished shards in this folder, and go on from those that it holds: after a crash, or
    /// with more draws
    #[arg(long, value_name = "DIR", help_heading = "Running")]
    checkpoint: Option<PathBuf>,
    /// Seconds between two times that the checkpoint is forced to the disk
    #[arg(long, value_name = "S", help_heading = "Running", default_value_t = 1.0)]
    #[arg(requires = "checkpoint", value_parser = seconds)]
    checkpoint_interval_s: f64,
}

impl OfCheckpoint {
    /// The checkpoint that is asked for.
    pub(super) fn open(&self) -> Result<Option<Checkpoint>> {
        let interval = Duration::from_secs_f64(self.checkpoint_interval_s);
        self.checkpoint.as_deref().map(|folder| Checkpoint::open(folder, interval)).transpose()
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds from 0.001 to 86400".into()),
    }
}

/// An open checkpoint.
pub(super) struct Checkpoint {
    folder: PathBuf,
    archive: Archive,
    journal: Journal,
    /// What began it, if it is not new.
    begun: Option<Map<String, Value>>,
}

impl Checkpoint {
    /// Opens the checkpoint in `folder`, or begins one; it is forced to the disk every `interval`.
    fn open(folder: &Path, interval: Duration) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder.display(), error))?;
        let (journal, archive, damaged) = Journal::open(&folder.join("partials"), interval)?;
        if damaged > 0 {
            let whole = archive.len();
            say(&format!(
                "note: some bytes of `{}` are damaged; {whole} partials are whole, the others run \
                 again",
                folder.join("partials").display()
            ));
        }
        let path = folder.join("job.json");
        let begun = match std::fs::read(&path) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|error| {
                Error::io(path.display(), error).hint("remove the folder to begin anew")
            })?),
            Err(error) if error.kind() == Io::NotFound => None,
            Err(error) => return Err(Error::io(path.display(), error)),
        };
        Ok(Self { folder: folder.to_owned(), archive, journal, begun })
    }

    /// Gives a job without a seed that of the run which began this.
    pub(super) fn seed(&self, job: &mut Job) -> Result<()> {
        if let Some(Value::Object(begun)) = self.begun.as_ref().and_then(|begun| begun.get("job")) {
            let begun = JobSpec::from_json(&Value::Object(begun.clone()).to_string())?;
            job.spec.seed = job.spec.seed.or(begun.seed);
        }
        Ok(())
    }

    /// Checks that this belongs to the job, or writes down that it does from now on.
    ///
    /// # Errors
    /// [`windfall::ErrorKind::Invalid`] with the first key that differs.
    pub(super) fn claim(&self, prepared: &Prepared) -> Result<()> {
        let spec = prepared.spec()?;
        let ours = json!({
            "job": spec.to_map(),
            "data": prepared.data,
            "version": env!("CARGO_PKG_VERSION"),
        });
        let Some(begun) = &self.begun else {
            let text = format!("{ours}\n");
            return replace(&self.folder.join("job.json"), |file| file.write_all(text.as_bytes()));
        };
        let free = ["data", "distribution", prepared.problem.grows_by().unwrap_or_default()];
        let names = spec.to_map();
        let begun_job = begun.get("job").and_then(Value::as_object);
        let keys = names.keys().chain(begun_job.into_iter().flat_map(Map::keys));
        let keys = keys.filter(|key| !free.contains(&key.as_str()));
        let job = keys
            .map(|key| (key.as_str(), &ours["job"][key], begun_job.and_then(|job| job.get(key))));
        let rest = ["data", "version"].map(|key| (key, &ours[key], begun.get(key)));
        let null = Value::Null;
        for (key, ours, begun) in job.chain(rest) {
            let begun = begun.unwrap_or(&null);
            if ours != begun {
                let show = |value: &Value| match value {
                    Value::Null => "left out".to_owned(),
                    value => value.to_string(),
                };
                let expected = format!("{}, as in `{}`", show(begun), self.folder.display());
                let error = Error::invalid(key, show(ours), &expected);
                return Err(error.hint("go on with the same job and data, or in another folder"));
            }
        }
        Ok(())
    }

    /// The executor that runs on `on` what is not kept here already, and keeps it.
    pub(super) fn before<'a>(&'a self, on: &'a dyn Executor, prepared: &'a Prepared) -> Keep<'a> {
        prepared.keep(on, &self.archive, Some(&self.journal))
    }
}

/// Says `text` on standard error.
fn say(text: &str) {
    // There is nowhere left to say that standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}
