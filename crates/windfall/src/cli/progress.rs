//! Progress on standard error: how far the run is, the estimate converging, the time left. On a
//! terminal a bar, and below it a line for each task under way that the problem tells apart; where
//! a launcher such as `mpirun` or `srun` collects what its ranks write, a line now and then.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use windfall::readable::{count, duration, with_error};
use windfall::{Observer, Progress, Stopwatch, UnderWay, machine};

/// Runs shorter than this show no bar: it would only flicker.
const FIRST_S: f64 = 0.3;
/// The least time between two drawings.
const STEP_S: f64 = 0.1;
/// When the first line of a log is due.
const LOG_FIRST_S: f64 = 2.0;
/// The most time between two lines of a log.
const LOG_STEP_S: f64 = 60.0;
/// Cells of the bar.
const CELLS: usize = 24;
/// Tasks under way that get a line of their own.
const LINES_MAX: usize = 16;

/// What shows the progress, if somebody would see it.
pub(super) fn shown() -> Option<Box<dyn Observer>> {
    if io::stderr().is_terminal() {
        return Some(Box::new(Bar::new()));
    }
    let leads = machine::launch().is_some_and(|launch| launch.rank == 0);
    leads.then(|| Box::new(Log::new()) as Box<dyn Observer>)
}

/// Lines that are drawn over themselves.
struct Bar {
    watch: Stopwatch,
    next_s: Cell<f64>,
    /// Lines drawn last time.
    drawn: Cell<usize>,
}

impl Bar {
    fn new() -> Self {
        Self { watch: Stopwatch::start(), next_s: Cell::new(FIRST_S), drawn: Cell::new(0) }
    }
}

impl Observer for Bar {
    fn tick(&self, progress: &Progress) {
        let elapsed_s = self.watch.elapsed_s();
        if elapsed_s >= self.next_s.get() {
            self.next_s.set(elapsed_s + STEP_S);
            let lines = lines(progress, elapsed_s);
            // A bar that cannot be drawn is no reason to stop.
            let _ = write!(io::stderr(), "{}{}", over(self.drawn.get()), lines.join("\n"));
            self.drawn.set(lines.len());
        }
    }
}

impl Drop for Bar {
    /// Leaves the terminal as it was before.
    fn drop(&mut self) {
        let _ = write!(io::stderr(), "{}", over(self.drawn.get()));
    }
}

/// Lines one below the other, each after twice the time of the one before.
struct Log {
    watch: Stopwatch,
    next_s: Cell<f64>,
}

impl Log {
    fn new() -> Self {
        Self { watch: Stopwatch::start(), next_s: Cell::new(LOG_FIRST_S) }
    }

    /// When the line after one at `elapsed_s` is due.
    fn next_s(elapsed_s: f64) -> f64 {
        elapsed_s + elapsed_s.min(LOG_STEP_S)
    }
}

impl Observer for Log {
    fn tick(&self, progress: &Progress) {
        let elapsed_s = self.watch.elapsed_s();
        if elapsed_s >= self.next_s.get() {
            self.next_s.set(Self::next_s(elapsed_s));
            let _ = writeln!(io::stderr(), "{}", line(progress, elapsed_s));
        }
    }
}

/// What takes the cursor back to the first of these lines and clears them.
fn over(lines: usize) -> String {
    match lines {
        0 => String::new(),
        1 => "\r\x1b[2K".into(),
        several => format!("\r\x1b[{}A\x1b[J", several - 1),
    }
}

/// The bar, and a line for each task under way.
fn lines(progress: &Progress, elapsed_s: f64) -> Vec<String> {
    let mut lines = vec![line(progress, elapsed_s)];
    for task in progress.under_way.iter().take(LINES_MAX) {
        let (bar, UnderWay { task, steps, steps_max, text }) = (cells(task.share()), task);
        lines.push(format!("{task:5} {bar}  {} / {}  {text}", count(*steps), count(*steps_max)));
    }
    if let more @ 1.. = progress.under_way.len().saturating_sub(LINES_MAX) {
        lines.push(format!("      … and {more} more"));
    }
    lines
}

fn cells(share: f64) -> String {
    let full = (share * CELLS as f64) as usize;
    "█".repeat(full) + &"░".repeat(CELLS - full)
}

/// The bar as text, at most some 75 columns.
fn line(progress: &Progress, elapsed_s: f64) -> String {
    let share = progress.share();
    let cells = cells(share);
    let estimate = progress.moments.map_or(String::new(), |moments| {
        let (mean, mcse) = with_error(moments.mean(), moments.mcse());
        format!("  {mean} ± {mcse}")
    });
    let left = elapsed_s * (1.0 - share) / share.max(1e-9);
    let (spent, left) = (duration(elapsed_s), duration(left));
    format!("{:3.0} % {cells}{estimate}  {spent}, {left} left", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall::Moments;

    #[test]
    fn the_line_shows_share_estimate_and_time_left() {
        let moments = Some(Moments::new(10_000, 2.71234, 27_000.0));
        let (elapsed_s, under_way) = (2.0, Vec::new());
        let progress = Progress { tasks: 25, tasks_max: 100, moments, elapsed_s, under_way };
        let expected = " 25 % ██████░░░░░░░░░░░░░░░░░░  2.712 ± 0.016  2.00 s, 6.00 s left";
        assert_eq!(lines(&progress, 2.0), [expected]);
    }

    #[test]
    fn a_log_has_a_line_soon_and_one_a_minute_later_on() {
        let lines = std::iter::successors(Some(LOG_FIRST_S), |at| Some(Log::next_s(*at)));
        let expected = [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 124.0, 184.0];
        assert_eq!(lines.take(8).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_task_under_way_has_a_line_and_counts_by_its_share() {
        let chain = |task, steps| UnderWay { task, steps, steps_max: 2000, text: "warm-up".into() };
        let under_way = vec![chain(0, 1500), chain(3, 500)];
        let (moments, elapsed_s) = (None, 2.0);
        let mut progress = Progress { tasks: 1, tasks_max: 4, moments, elapsed_s, under_way };
        let drawn = lines(&progress, 2.0);
        assert_eq!(drawn[0], " 50 % ████████████░░░░░░░░░░░░  2.00 s, 2.00 s left");
        assert_eq!(drawn[2], "    3 ██████░░░░░░░░░░░░░░░░░░  500 / 2,000  warm-up");
        progress.under_way = (0..40).map(|task| chain(task, 1)).collect();
        assert_eq!(lines(&progress, 2.0)[1 + LINES_MAX], "      … and 24 more");
    }
}
