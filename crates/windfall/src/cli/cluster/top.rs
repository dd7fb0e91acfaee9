//! Watches a cluster: engines, tasks, rates, memory, as they change.

use super::super::exit::{Done, Exit, print};
use super::super::interrupt;
use super::Which;
use super::state::{State, table};
use super::status::look;
use clap::Args;
use std::io::{IsTerminal, stdout};
use std::time::Duration;
use windfall::Stopwatch;
use windfall::readable::count;

/// Clears a terminal and goes to its first line.
const CLEAR: &str = "\x1b[H\x1b[2J";
/// How long to sleep at a time, so that Ctrl-C is obeyed at once.
const NAP: Duration = Duration::from_millis(50);

#[derive(Args, Debug)]
pub(in super::super) struct Top {
    #[command(flatten)]
    which: Which,
    /// How often to look
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    every: f64,
    /// Stop after so many looks
    #[arg(long, value_name = "COUNT")]
    looks: Option<u64>,
}

impl Top {
    pub(in super::super) fn obey(&self) -> Done {
        let cancel = interrupt::listen()?;
        let mut before = look(&self.which.name)?;
        let mut watch = Stopwatch::start();
        let mut looks = 0;
        loop {
            while watch.elapsed_s() < self.every && !cancel.is_stopped() {
                std::thread::sleep(NAP);
            }
            if cancel.is_stopped() {
                return Ok(Exit::Done);
            }
            let now = look(&self.which.name)?;
            let seconds = watch.elapsed_s();
            watch = Stopwatch::start();
            let clear = if stdout().is_terminal() { CLEAR } else { "" };
            print(&format!("{clear}{}\n{}\n", table(&now), rates(&before, &now, seconds)))?;
            before = now;
            looks += 1;
            if self.looks.is_some_and(|most| looks >= most) {
                return Ok(Exit::Done);
            }
        }
    }
}

/// Tasks a second, and the share of time that the engines worked.
fn rates(before: &State, now: &State, seconds: f64) -> String {
    let rate = now.done.saturating_sub(before.done) as f64 / seconds;
    let busy = now.engines.iter().filter_map(|engine| {
        let old = before.engines.iter().find(|old| old.pid == engine.pid)?;
        Some(engine.usage?.cpu_s - old.usage?.cpu_s)
    });
    let cores = busy.sum::<f64>() / seconds;
    format!("{} tasks/s, engines on {cores:.1} cores", count(rate.round() as u64))
}
