//! Run a job on several mappings and compare the answers byte by byte.

use super::exit::{Done, Exit, print};
use super::interrupt;
use super::job::Job;
use super::prepared::Prepared;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use windfall::readable::duration;
use windfall::{Control, Error, ErrorKind, Stopwatch, Verification, machine, verify};

#[derive(Args, Debug)]
pub(super) struct Verify {
    /// The job: TOML, or JSON if it ends in .json
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn obey(&self) -> Done {
        let job = Job::from_file(&self.path)?;
        let problem = Prepared::new(&job, false)?.problem;
        let control = Control { cancel: interrupt::listen()?, observer: None };
        let watch = Stopwatch::start();
        let rows = verify(problem.as_ref(), &control)?;
        if control.cancel.is_stopped() {
            // Incomplete answers differ for no fault of the job's.
            return Err(Error::new(ErrorKind::Interrupted).into());
        }
        let same = rows.iter().all(|row| row.same);
        let seconds = watch.elapsed_s();
        print(&if self.json { object(&job, &rows, seconds) } else { text(&rows, seconds) })?;
        Ok(if same { Exit::Done } else { Exit::Differs })
    }
}

fn text(rows: &[Verification], seconds: f64) -> String {
    let width = rows.iter().map(|row| row.mapping.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        let gap = " ".repeat(width - row.mapping.chars().count());
        let verdict = if row.same { "same" } else { "DIFFERS" };
        let hash = row.hash.get(..16).unwrap_or(&row.hash);
        text.push_str(&format!("  {}{gap}   {hash}…   {verdict}\n", row.mapping));
    }
    let verdict = match rows.iter().filter(|row| !row.same).count() {
        0 => format!("the same bytes on {} mappings", rows.len()),
        1 => "1 mapping DIFFERS from the first".to_owned(),
        several => format!("{several} mappings DIFFER from the first"),
    };
    format!("{text}\n{verdict} ({})\n", duration(seconds))
}

fn object(job: &Job, rows: &[Verification], seconds: f64) -> String {
    let mappings: Vec<Value> = rows
        .iter()
        .map(|row| json!({ "mapping": row.mapping, "hash": row.hash, "same": row.same }))
        .collect();
    let object = json!({
        "problem": job.spec.problem,
        "same": rows.iter().all(|row| row.same),
        "mappings": mappings,
        "run": {
            "seconds": seconds,
            "isa": machine::isa(),
            "host": machine::host(),
            "version": env!("CARGO_PKG_VERSION"),
        },
    });
    format!("{object}\n")
}
