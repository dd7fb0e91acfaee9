//! The `windfall-mpi` command: the jobs of `windfall`, on the ranks of MPI.

use clap::Parser;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use windfall::cli::{self, JobLine, Place};
use windfall::machine::{self, Workers};
use windfall::{Error, Executor, REGISTRY, Result, Source};
use windfall_mpi::{Late, Ranks, Schedule, World};

/// The jobs of `windfall` on the ranks of MPI: the same flags, the same bytes.
///
/// Start it with the launcher of the MPI that it was built with, one rank a core:
/// mpirun -n 4 windfall-mpi run job.toml
#[derive(Debug, Parser)]
#[command(name = "windfall-mpi", version, disable_help_subcommand = true, max_term_width = 100)]
struct Line {
    /// Who runs which shards: `dynamic` hands them out as ranks come free, `static` cuts them
    /// beforehand, `auto` chooses
    #[arg(long, global = true, value_name = "HOW", help_heading = "Running")]
    #[arg(default_value_t = Schedule::Auto)]
    schedule: Schedule,
    #[command(flatten)]
    job: JobLine,
}

/// The ranks as a place for jobs.
struct OnRanks<'w> {
    world: &'w World,
    schedule: Schedule,
}

impl Place for OnRanks<'_> {
    fn executor<'a>(&'a self, source: &'a (dyn Source + Sync)) -> Box<dyn Executor + 'a> {
        Box::new(Ranks::new(self.world, &REGISTRY, source, self.schedule))
    }

    fn workers(&self) -> Workers {
        let ranks = if self.world.ranks() == 1 { "rank" } else { "ranks" };
        let source = format!("{ranks} of {}", self.world.library());
        Workers { count: self.world.ranks(), source }
    }
}

/// What a rank that panics ends all ranks with, as a process that panics does.
const PANICKED: u8 = 101;

fn main() -> ExitCode {
    let world = match World::join() {
        Ok(world) => world,
        Err(error) => return cli::say(error),
    };
    // All ranks see what follows; one is enough to say so.
    if let Some(launch) = machine::launch().filter(|launch| launch.ranks != world.ranks()) {
        return if launch.rank == 0 { cli::say(mismatch(&launch, &world)) } else { 2.into() };
    }
    if let Err(error) = world.check_versions() {
        return if world.rank() == 0 { cli::say(error) } else { 2.into() };
    }
    // A rank that ended alone would leave the others waiting.
    let done = catch_unwind(AssertUnwindSafe(|| match world.rank() {
        0 => Ok(lead(&world)),
        _ => serve(&world),
    }));
    match done {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            cli::say(error);
            world.abort(1)
        }
        Err(_) => world.abort(PANICKED),
    }
}

fn lead(world: &World) -> ExitCode {
    let code = match cli::read::<Line>() {
        Ok(Line { schedule, job }) => job.obey(&OnRanks { world, schedule }),
        Err(code) => code,
    };
    match world.late() {
        None => world.dismiss(),
        // The codes of `windfall --help`.
        Some(Late::Failed) => world.abort(1),
        Some(Late::Stopped) => world.abort(4),
    }
    code
}

fn serve(world: &World) -> Result<ExitCode> {
    // Rank 0 hears of Ctrl-C as well, and stops all.
    cli::ignore_interrupts()?;
    machine::limit_isa()?;
    world.serve(&REGISTRY)?;
    Ok(ExitCode::SUCCESS)
}

fn mismatch(launch: &machine::Launch, world: &World) -> Error {
    let (library, ranks) = (world.library(), world.ranks());
    let expected = format!("{ranks}, the number of ranks that {library} sees");
    Error::invalid(&launch.variable, launch.ranks, &expected).hint(format!(
        "this binary was built with {library}: start it with that mpirun, or under Slurm with \
         srun --mpi=pmix (Open MPI) or --mpi=pmi2 (MPICH)"
    ))
}
