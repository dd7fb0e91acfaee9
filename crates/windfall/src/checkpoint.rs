//! A folder that a run keeps its finished shards in, so that it can be cut off and go on.
//!
//! ```text
//! job.json   the job that began it, its seed included, the hash of its data, the name of its
//!            code, the version, a checksum of it all
//! partials   the journal: a file of partials, which `windfall merge` reads too
//! ```
//!
//! No partial is written before both names and `job.json` are on the disk. Where `job.json` is
//! lost all the same, each partial still has the identity of its job: the same job with the same
//! seed goes on, and any other is refused.
//!
//! The folder is the same whoever writes it: a job that can be written down may be begun in Python
//! and finished in the shell.

use crate::files::replace;
use crate::partials::{Archive, Basis, Identity, Journal, Keep, canonical, checksum, make_folder};
use crate::remote::Tables;
use crate::{Error, Executor, JobSpec, Problem, Result, Seed, Table, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fs::File;
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
    begun: Begun,
    damaged: bool,
    code: Option<Code>,
}

/// What began a checkpoint, or why that cannot be read.
type Begun = Result<Map<String, Value>, &'static str>;

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
        make_folder(folder).map_err(|error| Error::io(folder.display(), error))?;
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
    /// [`crate::ErrorKind::Io`] if it cannot be read, or is lost while partials are there.
    pub fn seed_in(folder: &Path) -> Result<Option<Seed>> {
        match begun(folder)? {
            Ok(begun) => Ok(JobSpec::from_json(&begun["job"].to_string())?.seed),
            Err(why) if std::fs::metadata(folder.join("partials")).is_ok_and(|it| it.len() > 0) => {
                Err(lost(folder, &format!("{why}, and it alone tells the seed of the partials")))
            }
            Err(_) => Ok(None),
        }
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
    /// job, and if the job cannot be written down; [`crate::ErrorKind::Io`] if it cannot be told
    /// which job this belongs to.
    pub fn keep<'a>(
        &'a self,
        on: &'a dyn Executor,
        problem: &dyn Problem,
        data: &'a str,
    ) -> Result<Keep<'a>> {
        let code = self.code.as_ref().map(|code| code.digest.as_str());
        let basis = Basis { data, code, grows_by: problem.grows_by() };
        self.claim(problem, basis)?;
        Ok(Keep { on, archive: &self.archive, journal: Some(&self.journal), basis })
    }

    /// Checks that this belongs to the job, or writes down that it does from now on.
    fn claim(&self, problem: &dyn Problem, basis: Basis<'_>) -> Result<()> {
        let spec = problem
            .spec()
            .ok_or_else(|| Error::invalid("job", "a closure", "a job that can be written down"))?;
        let mut ours = json!({
            "job": spec.to_map(),
            "data": basis.data,
            "version": Version::here().to_string(),
        });
        if let Some(code) = &self.code {
            ours["function"] = json!(code);
        }
        let begun = match &self.begun {
            Ok(begun) => begun,
            Err(why)
                if !self.archive.is_empty() && !self.archive.holds(Identity::new(spec, basis)) =>
            {
                let why = format!("{why}, and the partials are not of this job with this seed");
                return Err(lost(&self.folder, &why));
            }
            Err(_) => {
                let text = sealed(&ours);
                let write = |file: &mut File| file.write_all(text.as_bytes());
                return replace(&job_file(&self.folder), write);
            }
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

/// What began the checkpoint in `folder`.
fn begun(folder: &Path) -> Result<Begun> {
    let path = job_file(folder);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(unsealed(&bytes).ok_or("is damaged")),
        Err(error) if error.kind() == Io::NotFound => Ok(Err("is not there")),
        Err(error) => Err(Error::io(path.display(), error)),
    }
}

fn job_file(folder: &Path) -> PathBuf {
    folder.join("job.json")
}

/// The error for a checkpoint whose partials nothing tells the job of.
fn lost(folder: &Path, why: &str) -> Error {
    Error::io(job_file(folder).display(), why).hint(
        "give the job with the seed of the run that began it, which its answers tell, or go on in \
         another folder",
    )
}

/// What stands before the checksum of a text, and behind it.
const CHECK: [&str; 2] = [",\"check\":\"", "\"}\n"];

/// The text of an object with its checksum as the last value.
fn sealed(object: &Value) -> String {
    let text = object.to_string();
    let body = text.strip_suffix('}').unwrap_or(&text);
    [body, CHECK[0], &checksum(body.as_bytes()), CHECK[1]].concat()
}

/// The object in such a text; none if a single byte of it is another one.
fn unsealed(bytes: &[u8]) -> Option<Map<String, Value>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (body, check) = text.strip_suffix(CHECK[1])?.rsplit_once(CHECK[0])?;
    let is_whole = check == checksum(body.as_bytes());
    serde_json::from_str(&format!("{body}}}")).ok().filter(|_| is_whole)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Control, Request, Threads};

    /// A checkpoint in a folder of its own, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("windfall-checkpoint-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        /// Runs the job with this seed, or that of the folder: the answer's bytes and how many
        /// shards were there, or the error.
        fn run(&self, seed: Option<u64>) -> Result<(Vec<u8>, u64)> {
            let seed = match seed {
                Some(seed) => Some(Seed::from(seed)),
                None => Checkpoint::seed_in(&self.0)?,
            };
            let pi = Request::new("pi").set("n", 2_200_000_u64);
            let pi = seed.into_iter().fold(pi, Request::seed).build()?;
            let (threads, kept) = (Threads::new(2), Checkpoint::open(&self.0, INTERVAL)?);
            let on = kept.keep(&threads, pi.as_ref(), "")?;
            let answer = pi.solve(&on, &Control::default())?;
            Ok((answer.to_bytes(), kept.used()))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    const INTERVAL: Duration = Duration::from_millis(5);

    #[test]
    fn whatever_becomes_of_the_job_file_nothing_kept_is_lost_or_mistaken() {
        let scratch = Scratch::new("job");
        let (answer, _) = scratch.run(Some(8)).unwrap();
        let (file, partials) = (job_file(&scratch.0), scratch.0.join("partials"));
        let (whole, kept) = (std::fs::read(&file).unwrap(), std::fs::read(&partials).unwrap());
        let (same, all) = scratch.run(None).unwrap();
        assert!(same == answer && all > 2, "the folder lends its seed");
        let cuts = (0..whole.len()).map(|length| Some(whole[..length].to_vec()));
        let flips = (0..whole.len()).flat_map(|place| {
            [1, 0x55].map(|bits| {
                let mut bytes = whole.clone();
                bytes[place] ^= bits;
                Some(bytes)
            })
        });
        for bent in [None].into_iter().chain(cuts).chain(flips) {
            let bend = || match &bent {
                Some(bytes) => std::fs::write(&file, bytes).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            };
            let text = bent.as_deref().map(String::from_utf8_lossy);
            bend();
            for refused in [scratch.run(None), scratch.run(Some(9))] {
                let error = refused.unwrap_err().to_string();
                assert!(
                    error.contains("job.json") && error.contains("the seed of the run"),
                    "{error}"
                );
            }
            assert_eq!(std::fs::read(&partials).unwrap(), kept, "nothing is written: {text:?}");
            assert_eq!(scratch.run(Some(8)).unwrap(), (answer.clone(), all), "{text:?}");
            assert_eq!(std::fs::read(&file).unwrap(), whole, "it is written again");
        }
    }

    #[test]
    fn a_job_file_without_partials_is_begun_anew() {
        let scratch = Scratch::new("anew");
        scratch.run(Some(8)).unwrap();
        std::fs::write(scratch.0.join("partials"), "").unwrap();
        std::fs::write(job_file(&scratch.0), "").unwrap();
        assert_eq!(Checkpoint::seed_in(&scratch.0).unwrap(), None);
        assert_eq!(scratch.run(Some(9)).unwrap().1, 0);
        assert_eq!(Checkpoint::seed_in(&scratch.0).unwrap(), Some(Seed::from(9_u64)));
    }

    #[test]
    fn what_another_version_has_begun_is_refused_and_stays() {
        let scratch = Scratch::new("version");
        scratch.run(Some(8)).unwrap();
        let file = job_file(&scratch.0);
        let mut begun = unsealed(&std::fs::read(&file).unwrap()).unwrap();
        begun["version"] = json!("0.0.9 (values 7)");
        std::fs::write(&file, sealed(&Value::Object(begun))).unwrap();
        let error = scratch.run(Some(8)).unwrap_err().to_string();
        assert!(
            error.starts_with("`version` is ") && error.contains("0.0.9 (values 7)"),
            "{error}"
        );
        assert!(scratch.0.join("partials").metadata().unwrap().len() > 0, "they stay");
    }
}
