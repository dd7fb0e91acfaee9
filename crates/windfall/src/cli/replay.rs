//! Run one task of a job again, here and alone: the way to look at a failure closely.

use super::exit::{Done, Exit, print};
use super::job::Job;
use super::prepared::Prepared;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use windfall::readable::duration;
use windfall::{Error, Seed, Shard, Stopwatch};

#[derive(Args, Debug)]
pub(super) struct Replay {
    /// The job: TOML, or JSON if it ends in .json
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// The number of the task, from 0, as the error message told it
    #[arg(value_name = "TASK")]
    task: u64,
    /// The seed, if the job names none, as the error message told it
    #[arg(long, value_name = "SEED")]
    seed: Option<Seed>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(super) fn obey(&self) -> Done {
        let mut job = Job::from_file(&self.path)?;
        job.spec.seed = self.seed.or(job.spec.seed);
        if job.spec.seed.is_none() {
            let error = Error::invalid("seed", "missing", "the seed of the run to look at again");
            return Err(error.hint("give it with --seed").into());
        }
        let problem = Prepared::new(&job, false)?.problem;
        let tasks = problem.shards().tasks();
        if self.task >= tasks {
            let expected = format!("below {tasks}, the number of tasks of the job");
            return Err(Error::invalid("task", self.task, &expected).into());
        }
        let watch = Stopwatch::start();
        let bytes = problem.run_shard(Shard::only(self.task))?;
        let seconds = watch.elapsed_s();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = if self.json {
            let run = json!({ "seconds": seconds, "version": env!("CARGO_PKG_VERSION") });
            let problem = &job.spec.problem;
            let object =
                json!({ "problem": problem, "task": self.task, "partial": hex, "run": run });
            format!("{object}\n")
        } else {
            let (size, spent) = (bytes.len(), duration(seconds));
            format!("task {} is done: a partial of {size} bytes in {spent}\n{hex}\n", self.task)
        };
        print(&text)?;
        Ok(Exit::Done)
    }
}
