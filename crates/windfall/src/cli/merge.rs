//! Make the answer of a job from partials that were written elsewhere.

use super::exit::{Done, Failure};
use super::flags::{Common, OfDistribution};
use super::interrupt;
use super::job::Job;
use super::prepared::Prepared;
use super::record::Record;
use super::solve::{Outputs, finish, run};
use clap::Args;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use windfall::partials::{Archive, Keep, from_line};
use windfall::{Cancel, Capabilities, Error, ErrorKind, Executor, JobSpec, Result, Sink, Work};

#[derive(Args, Debug)]
pub(super) struct Merge {
    /// The job: TOML, or JSON if it ends in .json
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// Files that `windfall shard` or a checkpoint has written, bytes or lines, in any order;
    /// - reads standard input
    #[arg(value_name = "PARTIALS", required = true)]
    partials: Vec<PathBuf>,
    #[command(flatten)]
    of_distribution: OfDistribution,
    #[command(flatten)]
    common: Common,
}

impl Merge {
    pub(super) fn obey(&self) -> Done {
        let job = Job::from_file(&self.path)?;
        if job.spec.seed.is_none() {
            let error = Error::invalid("seed", "missing", "the seed of the partials");
            return Err(error.hint("merge with the job file that made them").into());
        }
        let mut archive = Archive::default();
        for path in &self.partials {
            add(&mut archive, path)?;
        }
        archive.settle()?;
        let hint = format!("windfall shard {} SHARDS --out FILE writes them", self.path.display());
        let cancel = interrupt::listen()?;
        merge(&job, &archive, (&self.of_distribution, &self.common), (cancel, hint))
    }
}

/// Merges the partials of `job`; `hint` says where missing shards come from.
pub(super) fn merge(
    job: &Job,
    archive: &Archive,
    (of_distribution, common): (&OfDistribution, &Common),
    (cancel, hint): (Cancel, String),
) -> Done {
    let outputs = Outputs::of(of_distribution);
    outputs.check()?;
    let (here, workers) = common.executor(None, &job.folder)?;
    let prepared = Prepared::new(job, outputs.distribution)?;
    if !archive.is_empty() && !archive.holds(prepared.framing()?.job()) {
        let error = Error::invalid("partials", "those of another job", "of the job that is merged");
        return Err(error.hint("the job file or its data changed since they were made").into());
    }
    let on = Complete { on: here.as_ref(), main: prepared.spec()?, hint };
    let on = Keep { on: &on, archive, journal: None, basis: prepared.basis() };
    let (answer, seconds) =
        run(prepared.problem.as_ref(), &on, &cancel, !common.quiet).map_err(Failure::running)?;
    if let Some(name) = archive.unasked() {
        let error = Error::io(name, "holds partials of another job beside those of this one");
        return Err(error.hint("merge each job's partials on their own").into());
    }
    let executor = on.capabilities().name;
    finish(&answer, &Record { executor, workers, seconds, speedup: None }, &outputs, common)
}

/// Adds the partials in the file at `path`, be they bytes or lines.
fn add(archive: &mut Archive, path: &Path) -> Result<()> {
    let name = path.display().to_string();
    let failed = |error: io::Error| Error::io(&name, error);
    let is_stdin = path.as_os_str() == "-";
    let mut input: Box<dyn BufRead> = match is_stdin {
        true => Box::new(io::stdin().lock()),
        false => Box::new(io::BufReader::new(std::fs::File::open(path).map_err(failed)?)),
    };
    // A line begins with a digit, a frame with a letter.
    let first = input.fill_buf().map_err(failed)?.first().copied();
    if first.is_some_and(|byte| byte.is_ascii_digit()) {
        let mut bytes = Vec::new();
        for (number, line) in (1..).zip(input.lines()) {
            let line = line.map_err(failed)?;
            if !line.trim().is_empty() {
                let frame = from_line(&line)
                    .map_err(|error| Error::io(&name, format!("line {number}: {error}")))?;
                bytes.extend(frame);
            }
        }
        return archive.add_bytes(&name, bytes);
    }
    if is_stdin {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(failed)?;
        return archive.add_bytes(&name, bytes);
    }
    archive.add_file(path)
}

/// The executor of a merge: what is missing of the main job is an error that names it; what
/// follows from the main job, such as later rounds, runs on `on`.
struct Complete<'a> {
    on: &'a dyn Executor,
    /// The main job.
    main: &'a JobSpec,
    /// How to ask for what is missing.
    hint: String,
}

impl Executor for Complete<'_> {
    fn capabilities(&self) -> Capabilities {
        self.on.capabilities()
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        if work.shards().is_empty() || work.spec() != Some(self.main) {
            return self.on.run(work, sink, tick);
        }
        let (shards, all) = (work.shards().clone(), work.cut().count());
        Err(Error::new(ErrorKind::Missing { shards, all }).hint(&self.hint))
    }
}
