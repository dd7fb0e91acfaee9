//! The bar on standard error: how far the run is, the estimate converging, the time left.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use windfall::readable::{duration, with_error};
use windfall::{Observer, Progress, Stopwatch};

/// Runs shorter than this show no bar: it would only flicker.
const FIRST_S: f64 = 0.3;
/// The least time between two drawings.
const STEP_S: f64 = 0.1;
/// Cells of the bar.
const CELLS: usize = 24;

/// A line that is drawn over itself.
pub(super) struct Bar {
    watch: Stopwatch,
    next_s: Cell<f64>,
    drawn: Cell<bool>,
}

impl Bar {
    /// A bar, unless nobody would see it: `wanted` is false or standard error is no terminal.
    pub(super) fn new(wanted: bool) -> Option<Self> {
        let bar =
            Self { watch: Stopwatch::start(), next_s: Cell::new(FIRST_S), drawn: Cell::new(false) };
        (wanted && io::stderr().is_terminal()).then_some(bar)
    }
}

impl Observer for Bar {
    fn tick(&self, progress: &Progress) {
        let elapsed_s = self.watch.elapsed_s();
        if elapsed_s >= self.next_s.get() {
            self.next_s.set(elapsed_s + STEP_S);
            self.drawn.set(true);
            let line = line(progress, elapsed_s);
            // A bar that cannot be drawn is no reason to stop.
            let _ = write!(io::stderr(), "\r\x1b[2K{line}");
        }
    }
}

impl Drop for Bar {
    /// Leaves the line as it was before.
    fn drop(&mut self) {
        if self.drawn.get() {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}

/// The bar as text, at most some 75 columns.
fn line(progress: &Progress, elapsed_s: f64) -> String {
    let share = (progress.tasks as f64 / progress.tasks_max.max(1) as f64).clamp(0.0, 1.0);
    let full = (share * CELLS as f64) as usize;
    let cells = "█".repeat(full) + &"░".repeat(CELLS - full);
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
        let progress = Progress { tasks: 25, tasks_max: 100, moments, elapsed_s: 2.0 };
        let expected = " 25 % ██████░░░░░░░░░░░░░░░░░░  2.712 ± 0.016  2.00 s, 6.00 s left";
        assert_eq!(line(&progress, 2.0), expected);
    }
}
