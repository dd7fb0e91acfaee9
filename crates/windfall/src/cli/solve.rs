//! The one way that every job goes: build, run, measure, print, write, draw.

use super::exit::{Done, Exit, Failure, print};
use super::flags::{Common, OfDistribution, OfJob, OfReplicates, OfTable};
use super::interrupt;
use super::job::Job;
use super::place::Place;
use super::prepared::Prepared;
use super::problems::Flags;
use super::progress;
use super::record::{Record, Speedup};
use super::table::table;
use clap::Args;
use serde_json::Value;
use std::path::Path;
use windfall::files;
use windfall::{
    Answer, Cancel, Control, ErrorKind, Executor, Problem, Result, Stopwatch, Threads, plot,
};

/// A problem's flags with those that every job has.
#[derive(Args, Debug)]
pub(super) struct Solve<F: Args> {
    #[command(flatten)]
    flags: F,
    #[command(flatten)]
    of_job: OfJob,
    #[command(flatten)]
    common: Common,
}

impl<F: Args + Flags> Solve<F> {
    pub(super) fn obey(&self, place: Option<&dyn Place>) -> Done {
        solve(self.flags.job()?, &Outputs::default(), &self.of_job, (&self.common, place))
    }
}

/// The same for jobs that can keep a distribution.
#[derive(Args, Debug)]
pub(super) struct Draw<F: Args> {
    #[command(flatten)]
    flags: F,
    #[command(flatten)]
    of_distribution: OfDistribution,
    #[command(flatten)]
    of_job: OfJob,
    #[command(flatten)]
    common: Common,
}

impl<F: Args + Flags> Draw<F> {
    pub(super) fn obey(&self, place: Option<&dyn Place>) -> Done {
        let outputs = Outputs::of(&self.of_distribution);
        solve(self.flags.job()?, &outputs, &self.of_job, (&self.common, place))
    }
}

/// The same for jobs that answer with a table and can keep the replicates behind it.
#[derive(Args, Debug)]
pub(super) struct Keep<F: Args> {
    #[command(flatten)]
    flags: F,
    #[command(flatten)]
    of_replicates: OfReplicates,
    #[command(flatten)]
    of_job: OfJob,
    #[command(flatten)]
    common: Common,
}

impl<F: Args + Flags> Keep<F> {
    pub(super) fn obey(&self, place: Option<&dyn Place>) -> Done {
        let OfReplicates { out, plot, keep } = &self.of_replicates;
        let (out, plot, keep) = (out.as_deref(), plot.as_deref(), keep.as_deref());
        let outputs = Outputs { out, plot, keep, distribution: keep.is_some() };
        solve(self.flags.job()?, &outputs, &self.of_job, (&self.common, place))
    }
}

/// The same for jobs whose answer is a table.
#[derive(Args, Debug)]
pub(super) struct Tabulate<F: Args> {
    #[command(flatten)]
    flags: F,
    #[command(flatten)]
    of_table: OfTable,
    #[command(flatten)]
    of_job: OfJob,
    #[command(flatten)]
    common: Common,
}

impl<F: Args + Flags> Tabulate<F> {
    pub(super) fn obey(&self, place: Option<&dyn Place>) -> Done {
        let OfTable { out, plot } = &self.of_table;
        let (out, plot) = (out.as_deref(), plot.as_deref());
        let outputs = Outputs { out, plot, ..Outputs::default() };
        solve(self.flags.job()?, &outputs, &self.of_job, (&self.common, place))
    }
}

/// Where results go.
#[derive(Debug, Default)]
pub(super) struct Outputs<'a> {
    /// The rows of the answer.
    out: Option<&'a Path>,
    /// Its picture.
    plot: Option<&'a Path>,
    /// What stands behind it, replicate by replicate.
    keep: Option<&'a Path>,
    /// Whether the distribution is kept for one of them.
    pub distribution: bool,
}

impl<'a> Outputs<'a> {
    /// Where the distribution goes.
    pub(super) fn of(of_distribution: &'a OfDistribution) -> Self {
        let OfDistribution { out, plot } = of_distribution;
        let (out, plot) = (out.as_deref(), plot.as_deref());
        Self { out, plot, keep: None, distribution: out.is_some() || plot.is_some() }
    }

    /// Checks the endings of the files, before any work is spent.
    pub(super) fn check(&self) -> Result<()> {
        self.out.map_or(Ok(()), files::check_ending)?;
        self.keep.map_or(Ok(()), files::check_ending)?;
        self.plot.map_or(Ok(()), plot::check_ending)
    }
}

fn solve(
    mut job: Job,
    outputs: &Outputs<'_>,
    of_job: &OfJob,
    (common, place): (&Common, Option<&dyn Place>),
) -> Done {
    outputs.check()?;
    let folder = job.folder.clone();
    let (here, workers) = common.executor(place, &folder)?;
    job.spec.seed = of_job.seed.or(job.spec.seed);
    let checkpoint = of_job.checkpoint.open(&mut job)?;
    let prepared = Prepared::new(&job, outputs.distribution)?;
    let problem = prepared.problem.as_ref();
    let keep = checkpoint.as_ref();
    let keep = keep.map(|kept| kept.keep(here.as_ref(), problem, &prepared.data)).transpose()?;
    if let Some(path) = &of_job.write_job {
        let seed = problem.spec().and_then(|spec| spec.seed);
        job.write(path, seed).map_err(Failure::writing)?;
    }
    let cancel = interrupt::listen()?;
    let on: &dyn Executor = keep.as_ref().map_or(here.as_ref(), |keep| keep);
    let (answer, seconds) = run(problem, on, &cancel, !common.quiet).map_err(Failure::running)?;
    let speedup = match of_job.speedup && answer.complete {
        true => measure(problem, here.as_ref(), &cancel)?,
        false => None,
    };
    let executor = on.capabilities().name;
    finish(&answer, &Record { executor, workers, seconds, speedup }, outputs, common)
}

/// Prints the answer and writes what else was asked for.
pub(super) fn finish(
    answer: &Answer,
    record: &Record,
    outputs: &Outputs<'_>,
    common: &Common,
) -> Done {
    print(&if common.json { json(answer, record) } else { table(answer, record) })?;
    write(answer, outputs).map_err(Failure::writing)?;
    Ok(if answer.complete { Exit::Done } else { Exit::Incomplete })
}

/// Solves the problem and measures how long that takes.
pub(super) fn run(
    problem: &dyn Problem,
    on: &dyn Executor,
    cancel: &Cancel,
    watched: bool,
) -> Result<(Answer, f64)> {
    let shown = watched.then(progress::shown).flatten();
    let control = Control { cancel: cancel.clone(), observer: shown.as_deref() };
    let watch = Stopwatch::start();
    let answer = problem.solve(on, &control)?;
    Ok((answer, watch.elapsed_s()))
}

/// Times the job on all workers and on one, in turn, so that neither gains from running second:
/// three times each, or once if that takes long. None if it was interrupted.
fn measure(problem: &dyn Problem, on: &dyn Executor, cancel: &Cancel) -> Result<Option<Speedup>> {
    const ENOUGH_S: f64 = 2.0;
    let mut least = [f64::INFINITY; 2];
    let watch = Stopwatch::start();
    for _ in 0..3 {
        for (least, on) in least.iter_mut().zip([on, &Threads::new(1)]) {
            let (answer, seconds) = match run(problem, on, cancel, false) {
                Err(error) if *error.kind() == ErrorKind::Interrupted => return Ok(None),
                run => run?,
            };
            if !answer.complete {
                return Ok(None);
            }
            *least = least.min(seconds);
        }
        if watch.elapsed_s() > ENOUGH_S {
            break;
        }
    }
    let [seconds_on_all, seconds_on_one] = least;
    Ok(Some(Speedup { seconds_on_all, seconds_on_one }))
}

/// The answer as one line of JSON, with what may differ from run to run under `run`.
fn json(answer: &Answer, record: &Record) -> String {
    let mut map = answer.to_json();
    map.insert("run".into(), record.to_json(answer));
    format!("{}\n", Value::Object(map))
}

/// Writes and draws, as asked.
fn write(answer: &Answer, outputs: &Outputs<'_>) -> Result<()> {
    if let (Some(path), Some(rows)) = (outputs.out, answer.rows()) {
        files::write(path, &rows)?;
    }
    if let (Some(path), Some(replicates)) = (outputs.keep, &answer.index) {
        files::write(path, replicates)?;
    }
    outputs.plot.map_or(Ok(()), |path| plot::plot(path, answer))
}
