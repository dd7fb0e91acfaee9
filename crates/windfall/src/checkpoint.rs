//! A folder that a run keeps its finished shards in, so that it can be cut off and go on.
//!
//! ```text
//! job.json   the job that began it, its seed included, the hash of its data, the name of its
//!            code, the version
//! partials   the journal: a file of partials, which `windfall merge` reads too
//! ```
//!
//! The folder is the same whoever writes it: a job that can be written down may be begun in Python
//! and finished in the shell.

use crate::files::replace;
use crate::partials::{Archive, Basis, Journal, Keep, canonical};
use crate::remote::Tables;
use crate::{Error, Executor, JobSpec, Problem, Result, Seed, Table};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::io::{ErrorKind as Io, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An open checkpoint. Only one process has it open.
///
/// ```
/// use std::time::Duration;
/// use windfall::checkpoint::Checkpoint;
/// use windfall::{Control, Request, Threads};
/// # let folder = std::env::temp_dir().join(format!("windfall-doc-{}", std::process::id()));
/// let run = |n: u64| {
///     let (threads, pi) = (Threads::new(2), Request::new("pi").set("n", n).seed(1_u64).build()?);
///     let kept = Checkpoint::open(&folder, Duration::from_secs(1))?;
///     let answer = pi.solve(&kept.keep(&threads, pi.as_ref(), "")?, &Control::default())?;
///     Ok::<_, windfall::Error>((answer.draws.count, kept.used()))
/// };
/// assert_eq!(run(3_000_000)?, (3_000_000, 0));
/// let (draws, used) = run(9_000_000)?;
/// assert!(draws == 9_000_000 && used > 0, "the shards that were there did not run again");
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), windfall::Error>(())
/// ```
#[derive(Debug)]
pub struct Checkpoint {
    folder: PathBuf,
    archive: Archive,
    journal: Journal,
    /// What began it, if it is not new.
    begun: Option<Map<String, Value>>,
    damaged: bool,
    code: Option<Code>,
}

/// The name of code that is a part of a job.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Code {
    /// Equal digests mean the same code, in whatever process.
    pub digest: String,
    /// The language and version within which that is so, such as `CPython 3.12`.
    pub language: String,
}

impl Checkpoint {
    /// Opens the checkpoint in `folder`, or begins one; it is forced to the disk every `interval`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] if another process has it open, or it cannot be read or written.
    pub fn open(folder: &Path, interval: Duration) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder.display(), error))?;
        let (journal, archive, damaged) = Journal::open(&folder.join("partials"), interval)?;
        let (begun, damaged) = (begun(folder)?, damaged > 0);
        Ok(Self { folder: folder.to_owned(), archive, journal, begun, damaged, code: None })
    }

    /// The same for a job that has this code as a part.
    #[must_use]
    pub fn with_code(self, code: Option<Code>) -> Self {
        Self { code, ..self }
    }

    /// The seed of the run that began the checkpoint in `folder`, if there is one: for a job that
    /// names no seed. Nothing is written.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] if it cannot be read.
    pub fn seed_in(folder: &Path) -> Result<Option<Seed>> {
        let Some(Value::Object(job)) = begun(folder)?.and_then(|mut begun| begun.remove("job"))
        else {
            return Ok(None);
        };
        Ok(JobSpec::from_json(&Value::Object(job).to_string())?.seed)
    }

    /// What there is to say of damage that was found.
    pub fn damage(&self) -> Option<String> {
        let (journal, whole) = (self.folder.join("partials"), self.archive.len());
        self.damaged.then(|| {
            let journal = journal.display();
            format!(
                "some bytes of `{journal}` are damaged; {whole} partials are whole, the others \
                 run again"
            )
        })
    }

    /// How many partials were used so far in place of a run.
    pub fn used(&self) -> u64 {
        self.archive.used()
    }

    /// The executor that runs on `on` what of `problem` is not kept here already, and keeps it.
    /// `data` is the [content] of the tables that the problem has read.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] with the first key that differs if this belongs to another
    /// job, and if the job cannot be written down.
    pub fn keep<'a>(
        &'a self,
        on: &'a dyn Executor,
        problem: &dyn Problem,
        data: &'a str,
    ) -> Result<Keep<'a>> {
        self.claim(problem, data)?;
        let code = self.code.as_ref().map(|code| code.digest.as_str());
        let basis = Basis { data, code, grows_by: problem.grows_by() };
        Ok(Keep { on, archive: &self.archive, journal: Some(&self.journal), basis })
    }

    /// Checks that this belongs to the job, or writes down that it does from now on.
    fn claim(&self, problem: &dyn Problem, data: &str) -> Result<()> {
        let spec = problem
            .spec()
            .ok_or_else(|| Error::invalid("job", "a closure", "a job that can be written down"))?;
        let mut ours = json!({
            "job": spec.to_map(),
            "data": data,
            "version": env!("CARGO_PKG_VERSION"),
        });
        if let Some(code) = &self.code {
            ours["function"] = json!(code);
        }
        let Some(begun) = &self.begun else {
            let text = format!("{ours}\n");
            return replace(&self.folder.join("job.json"), |file| file.write_all(text.as_bytes()));
        };
        let (ours, begun) = (canonical(ours), canonical(Value::Object(begun.clone())));
        let free = ["data", "distribution", problem.grows_by().unwrap_or_default()];
        let begun_job = begun["job"].as_object().cloned().unwrap_or_default();
        let names = spec.to_map();
        let keys = names.keys().chain(begun_job.keys());
        for key in keys.filter(|key| !free.contains(&key.as_str())) {
            self.compare(key, &ours["job"][key], &begun["job"][key])?;
        }
        let rest = ["data", "version", "function"];
        rest.iter().try_for_each(|key| self.compare(key, &ours[*key], &begun[*key]))
    }

    /// Refuses a value that differs from what began this.
    fn compare(&self, key: &str, ours: &Value, begun: &Value) -> Result<()> {
        if ours == begun {
            return Ok(());
        }
        let (mut pair, mut hint) = ([ours, begun].map(show), SAME);
        if let ("function", Some(here), Some(there)) = (key, code(ours), code(begun)) {
            (pair, hint) = match here.language == there.language {
                true => ([here.digest, there.digest], SAME_CODE),
                false => ([here.language, there.language], SAME_LANGUAGE),
            };
        }
        let expected = format!("{}, as in `{}`", pair[1], self.folder.display());
        Err(Error::invalid(key, &pair[0], &expected).hint(hint))
    }
}

const SAME: &str = "go on with the same job and data, or in another folder";
const SAME_CODE: &str = "the function, or something that it reads, is another than it was: go on \
                         with the same code, or in another folder";
const SAME_LANGUAGE: &str = "code is named by what its language makes of it: go on with the same \
                             version, or in another folder";

/// The content hash of the tables that a job reads, wherever they lie; empty if it reads none.
pub fn content(tables: &Tables) -> String {
    tables.values().map(Table::hash).collect::<Vec<_>>().join(",")
}

/// What began the checkpoint in `folder`, if there is one.
fn begun(folder: &Path) -> Result<Option<Map<String, Value>>> {
    let path = folder.join("job.json");
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            Error::io(path.display(), error).hint("remove the folder to begin anew")
        }),
        Err(error) if error.kind() == Io::NotFound => Ok(None),
        Err(error) => Err(Error::io(path.display(), error)),
    }
}

fn code(value: &Value) -> Option<Code> {
    serde_json::from_value(value.clone()).ok()
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "left out".to_owned(),
        value => value.to_string(),
    }
}
