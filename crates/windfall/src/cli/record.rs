//! What may differ from run to run: time, rate, workers, machine, version.

use serde_json::{Value, json};
use windfall::Answer;
use windfall::machine::{self, Workers};
use windfall::readable::{duration, rate, significant};

/// What a run cost and where it ran.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub workers: Workers,
    pub seconds: f64,
    /// Seconds of the same job on one worker, if that was measured.
    pub seconds_on_one: Option<f64>,
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
            "executor": "threads",
            "workers": self.workers.count,
            "workers_source": self.workers.source,
            "isa": windfall::machine::isa(),
            "host": machine::host(),
            "version": env!("CARGO_PKG_VERSION"),
        });
        if let Some(seconds) = self.seconds_on_one {
            run["seconds_on_one_worker"] = seconds.into();
            run["speedup"] = (seconds / self.seconds).into();
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
        if let Some(seconds) = self.seconds_on_one {
            let ratio = significant(seconds / self.seconds, 3);
            let told = format!("{ratio} times as fast as one worker ({})", duration(seconds));
            lines.push(("speed-up".to_owned(), told));
        }
        lines
    }
}
