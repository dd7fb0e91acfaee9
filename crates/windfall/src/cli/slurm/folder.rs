//! The folder of a submission: what was asked, what is there, what is missing.

use super::super::job::Job;
use super::super::prepared::Prepared;
use super::queue;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use windfall::files::replace;
use windfall::partials::{Archive, Framing};
use windfall::{Error, Result, ShardSet};

/// A folder with a submission in it.
pub(super) struct Folder {
    pub path: PathBuf,
    /// The numbers of the array and of the merge.
    pub jobs: [String; 2],
}

impl Folder {
    /// The submission in `path`.
    ///
    /// # Errors
    /// [`windfall::ErrorKind::Io`] if there is none.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = path.join("submission.json");
        let text = std::fs::read_to_string(&file).map_err(|error| {
            let error = Error::io(file.display(), error);
            error.hint("give the folder that `windfall submit` has named")
        })?;
        let broken = || Error::io(file.display(), "is no submission");
        let value: Value = serde_json::from_str(&text).map_err(|_| broken())?;
        let job = |key: &str| value[key].as_str().map(str::to_owned).ok_or_else(broken);
        Ok(Self { path: path.to_owned(), jobs: [job("array")?, job("merge")?] })
    }

    /// Writes down what was submitted.
    pub(super) fn write(&self, shards: &ShardSet) -> Result<()> {
        let [array, merge] = &self.jobs;
        let text = json!({ "array": array, "merge": merge, "shards": shards.to_string() });
        let write = |file: &mut std::fs::File| writeln!(file, "{text}");
        replace(&self.path.join("submission.json"), write)
    }

    /// The states of its tasks that wait or run.
    pub(super) fn states(&self) -> Result<Vec<String>> {
        queue::states(&[&self.jobs[0], &self.jobs[1]])
    }

    /// The job as it was submitted.
    pub(super) fn job(&self) -> Result<Job> {
        Job::from_file(&self.path.join("job.toml"))
    }
}

/// The partials in the folder at `path`.
///
/// # Errors
/// [`windfall::ErrorKind::Io`] if a file is damaged.
pub(super) fn partials(path: &Path) -> Result<Archive> {
    let folder = path.join("partials");
    let failed = |error: std::io::Error| Error::io(folder.display(), error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.extension().is_some_and(|ending| ending == "partials") {
            files.push(file);
        }
    }
    files.sort();
    let mut archive = Archive::default();
    files.iter().try_for_each(|file| archive.add_file(file))?;
    archive.settle()?;
    Ok(archive)
}

/// The shards of the job that are not among the partials, and how many it has.
pub(super) fn missing(prepared: &Prepared, archive: &Archive) -> Result<(ShardSet, u64)> {
    let framing: Framing = prepared.framing()?;
    let all = prepared.problem.shards().count();
    Ok((ShardSet::from(0..all).without(&archive.shards(&framing)), all))
}
