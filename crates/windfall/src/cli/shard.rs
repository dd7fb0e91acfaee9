//! Run some shards of a job and write their partials: the seam for everything that runs commands.

use super::exit::{Done, Exit, Failure, print};
use super::interrupt;
use super::job::Job;
use super::prepared::Prepared;
use clap::Args;
use std::io::{self, BufRead, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use windfall::machine::{self, Workers};
use windfall::partials::{Archive, Framing, Journal, to_line};
use windfall::{
    Cancel, Error, Executor, JobSpec, Problem, Result, ShardSet, Shards, Sink, Threads, Work, Yield,
};

/// The time between two times that a file of partials is forced to the disk.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
pub(super) struct Shard {
    /// The job: TOML, or JSON if it ends in .json; it must name its seed
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// Which shards, such as 0..64 (the end is left out) or 3,7..9; or - to read them from
    /// standard input, one or more a line, and write a line of text for each as it is done
    #[arg(value_name = "SHARDS", default_value = "..", hide_default_value = true)]
    shards: String,
    /// Print how many shards the job has and run none
    #[arg(long)]
    count: bool,
    /// Append each partial to this file as soon as it is done; shards that are there already do
    /// not run again
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a line of text for each: the shard, a tab, the partial in base64
    #[arg(long, conflicts_with = "out")]
    text: bool,
    /// Worker threads [default: what affinity, cgroup quota and Slurm grant]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    workers: Option<String>,
}

impl Shard {
    pub(super) fn obey(&self) -> Done {
        let workers = match &self.workers {
            Some(text) => Workers::asked(text, "--workers"),
            None => machine::workers(),
        }?;
        let job = Job::from_file(&self.path)?;
        if job.spec.seed.is_none() {
            let error = Error::invalid("seed", "missing", "one seed for all shards");
            return Err(error.hint("write a line such as seed = 1 in the job file").into());
        }
        let prepared = Prepared::new(&job, false)?;
        let count = prepared.problem.shards().count();
        if self.count {
            print(&format!("{count}\n"))?;
            return Ok(Exit::Done);
        }
        let lines = self.shards == "-";
        let asked = match self.shards.as_str() {
            "-" => ShardSet::default(),
            ".." => ShardSet::from(0..count),
            text => asked(text, count)?,
        };
        if lines && self.out.is_some() {
            let error = Error::invalid("out", "a file", "left out where shards come as lines");
            return Err(error.hint("redirect standard output").into());
        }
        let text = self.text || lines;
        if !text && self.out.is_none() && io::stdout().is_terminal() {
            let error = Error::invalid("out", "a terminal", "a file, for partials are bytes");
            return Err(error.hint("give --out FILE, or --text for lines").into());
        }
        let cancel = interrupt::listen()?;
        let runner = Runner { prepared: &prepared, workers: workers.count, cancel: &cancel, text };
        match &self.out {
            None if lines => runner.run_lines(count)?,
            None => runner.print(&asked).map_err(Failure::writing)?,
            Some(path) => runner.append(&asked, path)?,
        }
        Ok(if cancel.is_stopped() { Exit::Interrupted } else { Exit::Done })
    }
}

/// What runs shards here and writes their partials.
struct Runner<'a> {
    prepared: &'a Prepared,
    workers: usize,
    cancel: &'a Cancel,
    text: bool,
}

impl Runner<'_> {
    fn run(&self, shards: &ShardSet, sink: &dyn Sink) -> Result<()> {
        let problem = self.prepared.problem.as_ref();
        let work = Part { problem, shards, cancel: self.cancel };
        Threads::new(self.workers).run(&work, sink, &mut || {})
    }

    /// Writes the partials to standard output.
    fn print(&self, shards: &ShardSet) -> Result<()> {
        let out = BufWriter::with_capacity(1 << 16, io::stdout());
        let framing = self.prepared.framing()?;
        let sink = Printed { framing, text: self.text, out: Mutex::new(out) };
        self.run(shards, &sink)?;
        let mut out = sink.out.into_inner().unwrap_or_else(PoisonError::into_inner);
        out.flush().map_err(|error| Error::io("the partials", error))
    }

    /// Appends to the file at `path` those of `shards` that it lacks.
    fn append(&self, shards: &ShardSet, path: &Path) -> Result<(), Failure> {
        let framing = self.prepared.framing()?;
        if path.exists() {
            Archive::default().add_file(path)?;
        }
        let (journal, archive, _) = Journal::open(path, INTERVAL)?;
        let is_ours = archive.holds(framing.job()) && archive.unasked().is_none();
        if !is_ours && !archive.is_empty() {
            let error =
                Error::invalid("out", path.display(), "new, or a file of this job's partials");
            return Err(error.hint("another job, or other data, has written it").into());
        }
        let missing = shards.without(&archive.shards(&framing));
        let sink = Appended { framing, journal: &journal };
        journal.during(|| self.run(&missing, &sink)).map_err(Failure::writing)
    }

    /// Answers each line of standard input with the lines of its shards, as soon as it is read.
    fn run_lines(&self, count: u64) -> Result<(), Failure> {
        for line in io::stdin().lock().lines() {
            let line = line.map_err(|error| Error::io("standard input", error))?;
            // Hadoop puts a key and a tab before what it has read.
            let text = line.rsplit('\t').next().unwrap_or_default().trim();
            if !text.is_empty() && !self.cancel.is_stopped() {
                self.print(&asked(text, count)?).map_err(Failure::writing)?;
            }
        }
        Ok(())
    }
}

/// Some shards of a problem, as work whose partials are bytes.
struct Part<'a> {
    problem: &'a dyn Problem,
    shards: &'a ShardSet,
    cancel: &'a Cancel,
}

impl Work for Part<'_> {
    fn shards(&self) -> &ShardSet {
        self.shards
    }
    fn cut(&self) -> Shards {
        self.problem.shards()
    }
    fn run_shard(&self, shard: u64, _: &str) -> Result<Yield> {
        self.problem.run_shard(self.cut().get(shard)).map(Yield::Bytes)
    }
    fn to_bytes(&self, partial: &Yield) -> Result<Vec<u8>> {
        match partial {
            Yield::Bytes(bytes) => Ok(bytes.clone()),
            Yield::Here(_) => Err(Error::wire("they are another job's partial")),
        }
    }
    fn spec(&self) -> Option<&JobSpec> {
        self.problem.spec()
    }
    fn cancel(&self) -> &Cancel {
        self.cancel
    }
}

/// Prints partials as they come.
struct Printed<W> {
    framing: Framing,
    text: bool,
    out: Mutex<W>,
}

impl<W: Write + Send> Sink for Printed<W> {
    fn put(&self, shard: u64, partial: Yield) -> Result<()> {
        let Yield::Bytes(partial) = partial else { return Ok(()) };
        let frame = self.framing.frame(shard);
        let bytes = match self.text {
            true => (to_line(&frame, &partial) + "\n").into_bytes(),
            false => {
                let mut bytes = Vec::new();
                frame.write(&partial, &mut bytes);
                bytes
            }
        };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&bytes).map_err(|error| Error::io("the partials", error))
    }
}

/// Appends partials to a file as they come, so that none is lost with those after it.
struct Appended<'a> {
    framing: Framing,
    journal: &'a Journal,
}

impl Sink for Appended<'_> {
    fn put(&self, shard: u64, partial: Yield) -> Result<()> {
        let Yield::Bytes(partial) = partial else { return Ok(()) };
        self.journal.append(&self.framing.frame(shard), &partial)
    }
}

/// The shards that `text` asks for, none beyond those of the job.
fn asked(text: &str, count: u64) -> Result<ShardSet> {
    let asked: ShardSet = text.parse()?;
    if asked.end() > count {
        let expected = format!("below {count}, the number of shards of the job");
        return Err(Error::invalid("shard", asked.end() - 1, &expected));
    }
    Ok(asked)
}
