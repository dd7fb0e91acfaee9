//! Plain Monte Carlo: independent uniform points, the error from their spread.

use super::block::{BLOCK, Block, moments};
use super::rule::{Estimate, Rule, points_per_shard};
use windfall_core::{Moments, Partial, Result, Rounds, Shards, Streams};
use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::{Stream, open_uniform52};

/// Points of a task: at least that many draws, so that reaching the stream costs nothing.
const POINTS_PER_TASK: u64 = 8 * BLOCK as u64;

/// `n` points, in tasks of `POINTS_PER_TASK`.
///
/// Coordinate `j` of point `i` of block `b` is word `(b · d + j) · 512 + i` of the task's stream,
/// as [`Stream::open_uniform`] reads it. The last block is drawn whole and used in part, so the
/// points of a smaller `n` are the first ones of a larger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain {
    pub n: u64,
    pub dimensions: usize,
}

impl Rule for Plain {
    type Partial = Moments;

    fn shards(&self) -> Shards {
        let tasks = points_per_shard(self.dimensions) / POINTS_PER_TASK;
        Shards::new(self.n.div_ceil(POINTS_PER_TASK), tasks)
    }

    fn rounds(&self) -> Rounds {
        Rounds::default()
    }

    fn run_task(&self, task: u64, streams: &Streams, block: &mut Block<'_>) -> Result<Moments> {
        let mut stream = streams.task(task);
        let mut merged = Moments::default();
        let mut left = POINTS_PER_TASK.min(self.n - task * POINTS_PER_TASK);
        while left > 0 {
            let points = left.min(BLOCK as u64);
            for (affine, column) in block.axes() {
                dispatch(Scatter { stream: &mut stream, affine, column });
            }
            merged = merged.merge(moments(block.evaluate(points as usize, task)?));
            left -= points;
        }
        Ok(merged)
    }

    fn estimate(&self, partial: &Moments, _complete: bool) -> Estimate {
        Estimate { moments: *partial, points: partial.count(), freedom: None }
    }

    fn note(&self) -> Option<String> {
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
