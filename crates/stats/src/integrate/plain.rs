//! Plain Monte Carlo: independent uniform points, the error from their spread.

use super::block::{Block, TILE, add_moments};
use super::rule::{Estimate, Rule, Size};
use windfall_core::{Moments, Result, Rounds, Shards, Streams};
use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::{Stream, open_uniform52};

/// `n` points, in tasks of [`Size::task_points`].
///
/// Coordinate `j` of point `i` of tile `t` is word `(t · d + j) · 512 + i` of the task's stream,
/// as [`Stream::open_uniform`] reads it. The last tile is drawn whole and used in part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain(
    /// How much of it there is.
    pub Size,
);

impl Rule for Plain {
    type Partial = Moments;

    fn shards(&self) -> Shards {
        let points = self.0.task_points();
        Shards::new(self.0.n.div_ceil(points), self.0.shard_points() / points)
    }

    fn rounds(&self) -> Rounds {
        Rounds::default()
    }

    fn run_task(
        &self,
        task: u64,
        streams: &Streams,
        block: &mut Block<'_>,
        partial: &mut Moments,
    ) -> Result<()> {
        let mut stream = streams.task(task);
        let size = self.0;
        let mut left = size.task_points().min(size.n - task * size.task_points()) as usize;
        while left > 0 {
            let points = left.min(block.points_max());
            for tile in 0..points.div_ceil(TILE) {
                for (affine, column) in block.axes() {
                    let column = &mut column[tile * TILE / 8..][..TILE / 8];
                    dispatch(Scatter { stream: &mut stream, affine, column });
                }
            }
            *partial = add_moments(*partial, block.evaluate(points, task)?);
            left -= points;
        }
        Ok(())
    }

    fn estimate(&self, partial: &Moments, _complete: bool) -> Estimate {
        Estimate { moments: *partial, points: partial.count(), freedom: None }
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
