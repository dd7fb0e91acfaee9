//! Plain Monte Carlo: independent uniform points, the error from their spread.

use super::block::{Block, TILE};
use super::estimate::Estimate;
use super::joint::Joint;
use super::plan::{Plan, Setting};
use super::rule::{ByRule, Rule, Size};
use windfall_core::{Result, Rounds, Shards, Streams};
use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::{Stream, open_uniform52};

/// `n` points, in tasks of [`Size::task_points`].
///
/// Coordinate `j` of point `i` of tile `t` is word `(t · d + j) · 512 + i` of the task's stream,
/// as [`Stream::open_uniform`] reads it. The last tile is drawn whole and used in part. The mirror
/// image of an antithetic point has 1 less each of its uniform numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain(
    /// How much of it there is.
    pub Size,
);

impl Plain {
    /// The row's maker.
    pub fn plan(setting: &Setting<'_>) -> Result<Box<dyn Plan>> {
        Ok(Box::new(ByRule(Self(setting.size))))
    }
}

impl Rule for Plain {
    type Partial = Joint;

    fn shards(&self) -> Shards {
        let points = self.0.task_points();
        Shards::new(self.0.n.div_ceil(points), self.0.shard_points() / points)
    }

    fn grows_by(&self) -> Option<&'static str> {
        self.0.has_full_tasks().then_some("n")
    }

    fn rounds(&self) -> Rounds {
        Rounds::default()
    }

    fn run_task(
        &self,
        task: u64,
        streams: &Streams,
        block: &mut Block<'_>,
        partial: &mut Joint,
    ) -> Result<()> {
        let mut stream = streams.task(task);
        let size = self.0;
        let mut left = size.task_points().min(size.n - task * size.task_points()) as usize;
        while left > 0 {
            let points = left.min(block.points_max());
            let start = stream.clone();
            let values = block.evaluate_sides(points, task, |block, side| {
                stream.clone_from(&start);
                for tile in 0..points.div_ceil(TILE) {
                    for (affine, column) in block.axes_on(side) {
                        let column = &mut column[tile * TILE / 8..][..TILE / 8];
                        dispatch(Scatter { stream: &mut stream, affine, column });
                    }
                }
            })?;
            partial.add_values(values, points);
            left -= points;
        }
        Ok(())
    }

    fn estimate(&self, partial: &Joint, _complete: bool) -> Estimate {
        Estimate { joint: partial.clone(), points: partial.count(), ..Default::default() }
    }

    fn note(&self, _points: u64) -> Option<String> {
        None
    }
}

/// Fills a column with `low + width · u`. With u in (0, 1) of 52 bits no point falls outside,
/// however the sum rounds.
pub(crate) struct Scatter<'a> {
    pub stream: &'a mut Stream,
    pub affine: (f64, f64),
    pub column: &'a mut [[f64; 8]],
}

impl Task for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (low, width) = (simd.splat(self.affine.0), simd.splat(self.affine.1));
        let mut lanes = self.stream.lanes(simd);
        for x in self.column {
            let u = open_uniform52(simd, lanes.next(simd));
            simd.store(simd.fma(width, u, low), x);
        }
        self.stream.resume(simd, lanes);
    }
}
