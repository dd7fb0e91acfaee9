//! What may differ from run to run: time, rate, workers, machine, version.

use serde_json::{Value, json};
use windfall::Answer;
use windfall::machine::{self, Workers};
use windfall::readable::{duration, rate, significant};

/// What a run cost and where it ran.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The executor's name.
    pub executor: String,
    pub workers: Workers,
    pub seconds: f64,
    /// The gain over one worker, if that was measured.
    pub speedup: Option<Speedup>,
}

/// Seconds of the same job on all workers and on one, each the least of the same number of runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speedup {
    pub seconds_on_all: f64,
    pub seconds_on_one: f64,
}

impl Speedup {
    fn ratio(self) -> f64 {
        self.seconds_on_one / self.seconds_on_all
    }
}

impl Record {
    fn per_second(&self, answer: &Answer) -> f64 {
        answer.draws.count as f64 / self.seconds.max(1e-9)
    }

    /// The value of the key `run`.
    pub(super) fn to_json(&self, answer: &Answer) -> Value {
        let mut run = json!({
            "seconds": self.seconds,
            "draws_per_second": self.per_second(answer),
            "executor": self.executor,
            "workers": self.workers.count,
            "workers_source": self.workers.source,
            "isa": machine::isa(),
            "host": machine::host(),
            "version": env!("CARGO_PKG_VERSION"),
        });
        if let Some(speedup) = self.speedup {
            run["speedup"] = json!({
                "ratio": speedup.ratio(),
                "seconds_on_all": speedup.seconds_on_all,
                "seconds_on_one": speedup.seconds_on_one,
            });
        }
        run
    }

    /// The lines of the table that tell the cost.
    pub(super) fn lines(&self, answer: &Answer) -> Vec<(String, String)> {
        let draws = if answer.draws.name == "n" { "draws" } else { answer.draws.name };
        let mut lines = vec![
            (
                "time".to_owned(),
                format!("{} ({} {draws}/s)", duration(self.seconds), rate(self.per_second(answer))),
            ),
            ("ran on".to_owned(), format!("{}, {}", self.workers, machine::isa())),
        ];
        if let Some(speedup) = self.speedup {
            let [all, one] = [speedup.seconds_on_all, speedup.seconds_on_one].map(duration);
            let ratio = significant(speedup.ratio(), 3);
            lines.push((
                "speed-up".to_owned(),
                format!("{ratio} ({one} on one worker, {all} here)"),
            ));
        }
        lines
    }
}
