//! Submit what is missing of a job: an array over its shards, and a merge that waits for it.

use super::super::exit::{Done, Exit, Failure, print};
use super::super::job::Job;
use super::super::prepared::Prepared;
use super::folder::{Folder, missing, partials};
use super::queue;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use windfall::files::replace;
use windfall::{Error, Result, ShardSet};

#[derive(Args, Debug)]
pub(in super::super) struct Submit {
    /// The job: TOML, or JSON if it ends in .json
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// Submit to Slurm, by its command sbatch
    #[arg(long, required = true)]
    slurm: bool,
    /// The folder for partials, logs and the answer, which every node must see; if it holds a
    /// submission of this job, only what is missing is submitted  [default: FILE with the ending
    /// .slurm]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Tasks of the array, each with its share of the shards
    #[arg(long, value_name = "N", default_value_t = 16)]
    tasks: u64,
    /// CPUs of each task
    #[arg(long, value_name = "N", default_value_t = 1)]
    cpus: u64,
    /// An option for sbatch, such as --sbatch=--time=10:00 or --sbatch=--partition=long; may be
    /// given several times
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
}

impl Submit {
    pub(in super::super) fn obey(&self) -> Done {
        let folder = self.dir.clone().unwrap_or_else(|| self.path.with_extension("slurm"));
        let mut job = Job::from_file(&self.path)?;
        let before = Folder::open(&folder).ok();
        if let Some(before) = &before {
            let waiting = before.states()?.len();
            if waiting > 0 {
                let expected = "left alone while its tasks wait or run";
                let error = Error::invalid("dir", folder.display(), expected);
                let hint = format!("`windfall cancel {}` ends them", folder.display());
                return Err(error.hint(hint).into());
            }
            job.spec.seed = job.spec.seed.or(before.job()?.spec.seed);
        }
        let prepared = Prepared::new(&job, false)?;
        make(&folder)?;
        let archive = partials(&folder)?;
        if !archive.is_empty() && !archive.holds(prepared.framing()?.job()) {
            let error = Error::invalid("dir", folder.display(), "empty, or that of this job");
            return Err(error.hint("another job, or other data, has used it").into());
        }
        let (missing, all) = missing(&prepared, &archive)?;
        let pieces = missing.cut(self.tasks);
        fits(pieces.len() as u64)?;
        job.write(&folder.join("job.toml"), prepared.spec()?.seed).map_err(Failure::writing)?;
        if missing.is_empty() {
            print(&format!("all {all} shards are there: windfall fetch {}\n", folder.display()))?;
            return Ok(Exit::Done);
        }
        let jobs = self.send(&folder, &pieces).map_err(Failure::running)?;
        let [array, merge] = &jobs;
        let (count, tasks, dir) = (missing.len(), pieces.len(), folder.display().to_string());
        let text = format!(
            "submitted {count} of {all} shards in {tasks} tasks: array {array}, merge {merge}\n\
             windfall status {dir}\nwindfall fetch {dir} --wait\n"
        );
        Folder { path: folder, jobs }.write(&missing).map_err(Failure::writing)?;
        print(&text)?;
        Ok(Exit::Done)
    }

    /// Writes the scripts and submits them.
    fn send(&self, folder: &Path, pieces: &[ShardSet]) -> Result<[String; 2]> {
        let failed = |error: std::io::Error| Error::io(folder.display(), error);
        let folder = folder.canonicalize().map_err(failed)?;
        let command = std::env::current_exe().map_err(failed)?;
        let write = |name: &str, text: &str| {
            replace(&folder.join(name), |file| file.write_all(text.as_bytes()))
        };
        let lines: Vec<String> = pieces.iter().map(ShardSet::to_string).collect();
        write("pieces", &(lines.join("\n") + "\n"))?;
        let head = format!(
            "#!/bin/bash\n# Written by windfall submit.\nset -euo pipefail\ncd {}\n",
            quoted(&folder)
        );
        let run = quoted(&command);
        let number = "$SLURM_ARRAY_JOB_ID-$SLURM_ARRAY_TASK_ID";
        write(
            "shards.sh",
            &format!(
                "{head}shards=$(sed -n \"$((SLURM_ARRAY_TASK_ID + 1))p\" pieces)\n\
                 exec {run} shard job.toml \"$shards\" --out \"partials/{number}.partials\"\n"
            ),
        )?;
        write(
            "merge.sh",
            &format!(
                "{head}{run} merge job.toml partials/*.partials --json --quiet > .answer.part\n\
                 mv .answer.part answer.json\n"
            ),
        )?;
        // What is there belongs to fewer shards.
        drop(std::fs::remove_file(folder.join("answer.json")));
        let path = |name: &str| folder.join(name).display().to_string();
        let both = |name: &str, log: &str| {
            let mut arguments = self.sbatch.clone();
            arguments.push(format!("--job-name=windfall-{name}"));
            arguments.push(format!("--cpus-per-task={}", self.cpus));
            arguments.push("--ntasks=1".into());
            arguments.push(format!("--output={}", path(&format!("logs/{log}"))));
            arguments
        };
        let mut shards = both("shards", "%A-%a");
        shards.extend([format!("--array=0-{}", pieces.len() - 1), path("shards.sh")]);
        let array = queue::submit(&shards)?;
        let mut merge = both("merge", "%j");
        merge.extend([format!("--dependency=afterany:{array}"), path("merge.sh")]);
        match queue::submit(&merge) {
            Ok(merge) => Ok([array, merge]),
            Err(error) => {
                // Nobody would know of the array. The first error is the one to tell.
                drop(queue::cancel(&[&array]));
                Err(error)
            }
        }
    }
}

/// Refuses an array of more tasks than Slurm takes.
fn fits(tasks: u64) -> Result<()> {
    let Some(most) = queue::tasks_max().filter(|&most| tasks > most) else { return Ok(()) };
    let expected = format!("at most {most}, the MaxArraySize of this Slurm");
    let hint = "give fewer --tasks, each with more shards; `scontrol show config` shows the limit";
    Err(Error::invalid("tasks", tasks, &expected).hint(hint))
}

/// Makes the folder with its parts.
fn make(folder: &Path) -> Result<()> {
    ["partials", "logs"].iter().try_for_each(|part| {
        let part = folder.join(part);
        std::fs::create_dir_all(&part).map_err(|error| Error::io(part.display(), error))
    })
}

/// A path for a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}
