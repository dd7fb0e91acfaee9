//! Will parallel pay, and on what? A table of predictions; then, if asked, what came true.
//!
//! ```text
//! actual.rs      run the job on a mapping and time it     calibrate.rs  measure what mappings cost
//! text.rs        the plan as people read it
//! ```

mod actual;
mod calibrate;
mod text;

use super::exit::{Done, Exit, Failure, print};
use super::interrupt;
use super::job::Job;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use windfall::machine::{self, Workers};
use windfall::plan::{self, Calibration, Errors, Here, Limits, Pair, Prediction, State};
use windfall::{Cancel, Control, Error, Result};

#[derive(Args, Debug)]
pub(super) struct Plan {
    /// The job: TOML, or JSON if it ends in .json
    #[arg(value_name = "FILE", required_unless_present_any = ["calibrate", "history"])]
    path: Option<PathBuf>,
    /// Then run the job on every mapping that exists here and has no queue, or on those of this
    /// name, or on the one that is `recommended`; print predicted and actual times and keep them
    #[arg(
        long,
        value_name = "WHICH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all",
        requires = "path"
    )]
    run: Option<String>,
    /// Measure what threads, engines and ranks of MPI cost here, and keep it for later plans
    #[arg(long)]
    calibrate: bool,
    /// Show how far earlier predictions were off
    #[arg(long, conflicts_with_all = ["path", "calibrate", "run"])]
    history: bool,
    /// Workers of this machine [default: what affinity, cgroup quota and Slurm grant]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    workers: Option<String>,
    /// Workers that engines elsewhere (MPI, Slurm, …) would have [default: as many as here]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    elsewhere: Option<String>,
    /// How long the pilot may run shards
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::SECONDS)]
    pilot: f64,
    /// Where calibration and history are kept [default: windfall in $XDG_STATE_HOME or
    /// ~/.local/state]
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Print one JSON object; all that may differ from run to run lies under its key `run`
    #[arg(long)]
    json: bool,
}

impl Plan {
    pub(super) fn obey(&self) -> Done {
        if !(self.pilot > 0.0 && self.pilot <= PILOT_MAX_S) {
            let expected = format!("a number of seconds above 0 and at most {PILOT_MAX_S}");
            return Err(Error::invalid("--pilot", self.pilot, &expected).into());
        }
        let workers = match &self.workers {
            Some(text) => Workers::asked(text, "--workers")?,
            None => machine::workers()?,
        };
        let elsewhere = self.elsewhere.as_ref().map(|text| Workers::asked(text, "--elsewhere"));
        let elsewhere = elsewhere.transpose()?.map_or(workers.count, |workers| workers.count);
        if self.history {
            return self.show_history();
        }
        let job = self.path.as_deref().map(Job::from_file).transpose()?;
        let cancel = interrupt::listen()?;
        let calibration = match self.calibrate {
            true => {
                let state = State::new(self.state.as_deref())?;
                Some(state.calibrate(calibrate::measure(workers.count, &cancel)?)?)
            }
            false => None,
        };
        let Some(job) = job else { return self.tell_calibration(calibration) };
        let (kept, errors) = self.kept()?;
        let calibration = calibration.or(kept).unwrap_or_default();
        let (pilot_s, workers) = (self.pilot, workers.count);
        let here = Here { workers, elsewhere, pilot_s, calibration, errors, given: None };
        self.tell(&job, &here, &cancel)
    }

    /// What was kept, if the user has a folder to keep it in.
    fn kept(&self) -> Result<(Option<Calibration>, Errors)> {
        match State::new(self.state.as_deref()) {
            Ok(state) => Ok((state.calibration()?, state.errors()?)),
            Err(_) => Ok((None, Errors::default())),
        }
    }

    fn tell(&self, job: &Job, here: &Here, cancel: &Cancel) -> Done {
        let control = Control { cancel: cancel.clone(), observer: None };
        let plan = plan::of_job(&job.spec, &job.folder, here, &control)?;
        let chosen = match &self.run {
            None => Vec::new(),
            Some(which) => self.chosen(which, &plan)?,
        };
        let mut object = plan::to_json(&plan);
        if !self.json {
            let path = self.path.as_deref().unwrap_or_else(|| "".as_ref());
            print(&text::plan(path, &plan, here))?;
        }
        if self.run.is_some() {
            let state = State::new(self.state.as_deref())?;
            let pairs = self.run_each(job, &chosen, cancel)?;
            plan::keep(&state, &pairs).map_err(Failure::writing)?;
            let kept = state.history_path();
            if !self.json {
                print(&text::pairs(&pairs, &kept))?;
            }
            object["run"]["runs"] = pairs.iter().map(pair).collect();
            object["run"]["history"] = kept.display().to_string().into();
        }
        if self.json {
            print(&format!("{}\n", Value::Object(object)))?;
        }
        Ok(Exit::Done)
    }

    /// The predictions of the mappings to run.
    fn chosen(&self, which: &str, plan: &plan::Plan) -> Result<Vec<Prediction>> {
        let here = || plan.predictions.iter().filter(|one| one.mapping.missing.is_none());
        let chosen: Vec<Prediction> = match which {
            "all" => here().filter(|one| one.mapping.name != "slurm").cloned().collect(),
            "recommended" => vec![plan.recommendation().clone()],
            name => here().filter(|one| one.mapping.name == name).cloned().collect(),
        };
        if chosen.is_empty() {
            let mut known = vec!["all", "recommended"];
            known.extend(here().map(|one| one.mapping.name.as_str()));
            known.dedup();
            return Err(Error::unknown("mapping", which, &known));
        }
        Ok(chosen)
    }

    fn run_each(&self, job: &Job, chosen: &[Prediction], cancel: &Cancel) -> Result<Vec<Pair>> {
        let path = self.path.as_deref().unwrap_or_else(|| "".as_ref());
        let name = path.display().to_string();
        let each = chosen.iter().map(|predicted| {
            let actual_s = actual::seconds(&predicted.mapping, (job, path), cancel)?;
            Ok(Pair::new(&name, predicted, actual_s))
        });
        each.collect()
    }

    fn tell_calibration(&self, calibration: Option<Calibration>) -> Done {
        let path = State::new(self.state.as_deref())?.calibration_path();
        let calibration = calibration.unwrap_or_default();
        print(&match self.json {
            true => format!("{}\n", json!({ "run": { "calibration": calibration, "path": path } })),
            false => text::calibration(&calibration, &path),
        })?;
        Ok(Exit::Done)
    }

    fn show_history(&self) -> Done {
        let state = State::new(self.state.as_deref())?;
        let (errors, path) = (state.errors()?, state.history_path());
        let rows = errors.rows().map(|(mapping, pairs, error, inside)| {
            json!({
                "mapping": mapping, "pairs": pairs,
                "median_absolute_error": error, "inside_interval": inside,
            })
        });
        print(&match self.json {
            true => {
                let rows: Vec<Value> = rows.collect();
                format!("{}\n", json!({ "run": { "mappings": rows, "path": path } }))
            }
            false => text::history(&errors, &path),
        })?;
        Ok(Exit::Done)
    }
}

/// A pilot of more than an hour is a slip of the pen.
const PILOT_MAX_S: f64 = 3600.0;

fn pair(pair: &Pair) -> Value {
    json!({
        "mapping": pair.mapping, "workers": pair.workers, "predicted_s": pair.predicted_s,
        "low_s": pair.low_s, "high_s": pair.high_s, "actual_s": pair.actual_s,
        "error": pair.error(),
    })
}
