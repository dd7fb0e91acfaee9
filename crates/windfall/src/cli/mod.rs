//! The command: each problem's flags become a job, and every job goes the same way.
//!
//! ```text
//! problems/     flags of each problem; serialised, they are its options in a job file
//! flags.rs      flags that every run has, and how numbers and bounds are written
//! place.rs      where jobs run: on threads, on engines, or wherever another command says
//! job.rs        a job with the folder its data lies in: from flags, from a file, to a file
//! solve.rs      the one way: build, run, measure, print, write, draw
//! table.rs      the answer as a table for people;  record.rs  what may differ from run to run
//! progress.rs   the bar                            interrupt.rs  Ctrl-C
//! plan/         will parallel pay, and on what?
//! verify.rs     the same bytes on any mapping?     replay.rs  one task again
//! prepared.rs   a job made ready to run            checkpoint.rs  a folder to go on from
//! shard.rs      partials into files                merge.rs      and out of them
//! slurm/        submit, fetch, cancel: shards as an array of a batch system
//! cluster/      start, status, stop, top: engines for interactive work
//! exit.rs       exit codes and how errors are said
//! ```

mod checkpoint;
mod cluster;
mod exit;
mod flags;
mod interrupt;
mod job;
mod merge;
mod place;
mod plan;
mod prepared;
mod problems;
mod progress;
mod record;
mod replay;
mod shard;
mod slurm;
mod solve;
mod table;
mod verify;

pub use interrupt::ignore as ignore_interrupts;
pub use place::Place;

use clap::{Args, Parser, Subcommand};
use std::process::ExitCode;
use windfall::{Error, machine};

/// Embarrassingly parallel statistics: the same bytes on any number of workers, and every answer
/// with its Monte Carlo error.
#[derive(Debug, Parser)]
#[command(name = "windfall", version, after_long_help = AFTER, disable_help_subcommand = true)]
#[command(max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
Exit codes:
  0    done
  1    failed while running, or the output could not be written
  2    wrong usage or bad input; nothing was run
  3    verify found a difference
  4    interrupted: the estimate so far was printed, marked incomplete
  130  interrupted before anything could be estimated, or a second time (143 by SIGTERM)

Ctrl-C (or SIGTERM) stops the run and prints the estimate so far; a second one ends at once.

Environment:
  WINDFALL_WORKERS  number of worker threads, unless --workers says it
  WINDFALL_ISA      scalar, neon, avx2 or avx512: lower the instruction set; values do not change";

/// What makes one job and runs it.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "one command line is read once")]
enum Job {
    /// Estimate pi from random points of a square
    Pi(solve::Solve<problems::Pi>),
    /// Integrate a formula over a box
    Integrate(solve::Solve<problems::Integrate>),
    /// Bootstrap statistics of a table: bias, standard error and interval by resampling rows
    Bootstrap(solve::Draw<problems::Bootstrap>),
    /// Jackknife statistics of a table: bias and standard error by leaving rows out
    Jackknife(solve::Solve<problems::Jackknife>),
    /// Draw from a posterior by many Markov chains, and tell whether they mixed
    Sample(solve::Draw<problems::Sample>),
    /// Fit a mixture of normal distributions: weights, means and covariances
    Mixture(solve::Draw<problems::Mixture>),
    /// Test by permutation: how often rearranged data are as extreme as a table
    Permutation(solve::Draw<problems::Permutation>),
    /// Run a simulation study: bias, standard errors, coverage and power of methods
    Simulate(solve::Keep<problems::Simulate>),
    /// Fit the same regression to each group of rows of a table
    Fit(solve::Tabulate<problems::Fit>),
    /// Power of a test by simulation, at one sample size or along a curve
    Power(solve::Draw<problems::Power>),
    /// Smallest sample size with which a test has a given power
    SampleSize(solve::Draw<problems::SampleSize>),
    /// Run a job file
    Run(solve::Draw<problems::File>),
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "one command line is read once")]
enum Command {
    #[command(flatten)]
    Job(Job),
    /// Run a job file on several mappings and compare the answers byte by byte
    Verify(verify::Verify),
    /// Predict how long a job file takes on each mapping, and which one to take
    Plan(plan::Plan),
    /// Run one task of a job file again, here and alone
    Replay(replay::Replay),
    /// Run some shards of a job file and write their partials, for `windfall merge`
    Shard(shard::Shard),
    /// Make the answer of a job file from partials that were written elsewhere
    Merge(merge::Merge),
    /// Submit a job file to a batch system: its shards, and a merge that waits for them
    Submit(slurm::Submit),
    /// The answer of what was submitted
    Fetch(slurm::Fetch),
    /// Take what was submitted out of the queue
    Cancel(slurm::Cancel),
    /// Start a cluster of Python engines for interactive work
    Start(cluster::Start),
    /// Show the clusters that run, or how far a submission is
    Status(cluster::Status),
    /// Stop a cluster
    Stop(cluster::Stop),
    /// Watch a cluster: engines, tasks, rates, memory
    Top(cluster::Top),
    #[command(hide = true)]
    Serve(cluster::Serve),
    #[command(hide = true)]
    Engine(cluster::Engine),
}

/// A command line that makes one job, read by the commands of other places than this machine.
#[derive(Args, Debug)]
pub struct JobLine {
    #[command(subcommand)]
    job: Job,
}

impl JobLine {
    /// Runs the job at `place`, prints its answer and says how it went.
    pub fn obey(&self, place: &dyn Place) -> ExitCode {
        end(limited(|| self.job.obey(Some(place))))
    }
}

/// Reads the command line of this process, or says why it cannot and returns the exit code.
///
/// # Errors
/// The code of wrong usage; that of success if the line asked for help or the version.
pub fn read<C: Parser>() -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        // Help and version too come as errors, each with its own code.
        let code = u8::try_from(error.exit_code()).unwrap_or(2);
        if error.print().is_ok() { code.into() } else { ExitCode::FAILURE }
    })
}

/// Reads the command line, obeys it and says how it went.
pub fn main() -> ExitCode {
    match read::<Cli>() {
        Ok(cli) => end(limited(|| obey(cli.command))),
        Err(code) => code,
    }
}

/// Says `error` on standard error and returns its exit code.
pub fn say(error: Error) -> ExitCode {
    exit::Failure::from(error).say()
}

/// Obeys with the instruction set that was asked for.
fn limited(obey: impl FnOnce() -> exit::Done) -> exit::Done {
    machine::limit_isa().map_err(exit::Failure::from).and_then(|()| obey())
}

fn end(done: exit::Done) -> ExitCode {
    match done {
        Ok(exit) => exit.code(),
        Err(failure) => failure.say(),
    }
}

impl Job {
    fn obey(&self, place: Option<&dyn Place>) -> exit::Done {
        match self {
            Self::Pi(solve) => solve.obey(place),
            Self::Integrate(solve) => solve.obey(place),
            Self::Bootstrap(draw) => draw.obey(place),
            Self::Jackknife(solve) => solve.obey(place),
            Self::Sample(draw) => draw.obey(place),
            Self::Mixture(draw) => draw.obey(place),
            Self::Permutation(draw) => draw.obey(place),
            Self::Simulate(keep) => keep.obey(place),
            Self::Fit(tabulate) => tabulate.obey(place),
            Self::Power(draw) => draw.obey(place),
            Self::SampleSize(draw) => draw.obey(place),
            Self::Run(draw) => draw.obey(place),
        }
    }
}

fn obey(command: Command) -> exit::Done {
    match command {
        Command::Job(job) => job.obey(None),
        Command::Verify(verify) => verify.obey(),
        Command::Plan(plan) => plan.obey(),
        Command::Replay(replay) => replay.obey(),
        Command::Shard(shard) => shard.obey(),
        Command::Merge(merge) => merge.obey(),
        Command::Submit(submit) => submit.obey(),
        Command::Fetch(fetch) => fetch.obey(),
        Command::Cancel(cancel) => cancel.obey(),
        Command::Start(start) => start.obey(),
        Command::Status(status) => status.obey(),
        Command::Stop(stop) => stop.obey(),
        Command::Top(top) => top.obey(),
        Command::Serve(serve) => serve.obey(),
        Command::Engine(engine) => engine.obey(),
    }
}
