//! Blocks: runs of consecutive rows, for rows whose neighbours resemble one another.
//!
//! Sources: H. R. Künsch, "The jackknife and the bootstrap for general stationary observations",
//! Annals of Statistics 17(3), 1989 (moving); D. N. Politis, J. P. Romano, "A circular
//! block-resampling procedure for stationary data", 1992; and "The stationary bootstrap", Journal
//! of the American Statistical Association 89(428), 1994.

use std::fmt;
use std::ops::Range;
use windfall_core::{Error, Result};
use windfall_lanes::math::log1p;
use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::Stream;

/// How a block is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// Whole blocks within the rows: rows near the ends are drawn less often.
    Moving,
    /// Blocks that run on from the last row to the first: each row is as likely.
    Circular,
    /// As circular, of geometric length: the resampled series is stationary.
    Stationary,
}

impl fmt::Display for BlockKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Moving => "moving",
            Self::Circular => "circular",
            Self::Stationary => "stationary",
        })
    }
}

/// Blocks of a kind and a length.
///
/// Blocks are drawn until there are as many rows as at first; the last one is cut short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blocks {
    /// How a block is drawn.
    pub kind: BlockKind,
    /// Rows of a block: a whole number from 1 to the number of rows. For stationary blocks the
    /// mean, any number from 1.
    pub length: f64,
}

impl Blocks {
    /// Refuses a length that does not suit `rows` rows.
    pub(super) fn check(&self, rows: usize) -> Result<()> {
        let length = self.length;
        let suits = match self.kind {
            BlockKind::Stationary => length >= 1.0 && length.is_finite(),
            _ => length >= 1.0 && length <= rows as f64 && length.fract() == 0.0,
        };
        if suits {
            return Ok(());
        }
        let expected = match self.kind {
            BlockKind::Stationary => "a number from 1, the mean length".to_owned(),
            _ => format!("a whole number from 1 to {rows}, the rows that blocks are drawn from"),
        };
        Err(Error::invalid("block_length", length, &expected))
    }

    /// Hands out runs of rows that together hold `rows` rows, in order; a block that passes the
    /// last row makes two runs, the second from row 0.
    pub(super) fn draw(
        &self,
        stream: &mut Stream,
        rows: usize,
        mut each: impl FnMut(Range<usize>),
    ) {
        let whole = self.length as usize;
        let starts = match self.kind {
            BlockKind::Moving => rows - whole + 1,
            _ => rows,
        };
        let mut draws = BlockDraws::new(starts as u32, self);
        let mut left = rows;
        while left > 0 {
            let (first, length) = draws.next(stream);
            let length = length.min(left);
            let end = first + length;
            each(first..end.min(rows));
            if end > rows {
                each(0..end - rows);
            }
            left -= length;
        }
    }
}

/// First rows and lengths of blocks, drawn a few at a time.
///
/// A geometric length is the whole part of an exponential number of a fitting scale, plus 1.
struct BlockDraws {
    bound: u32,
    whole: usize,
    /// What an exponential number is multiplied by; none for blocks of one length.
    scale: Option<f64>,
    first: [u32; 16],
    exponentials: [f64; 16],
    used: usize,
}

impl BlockDraws {
    fn new(bound: u32, blocks: &Blocks) -> Self {
        let whole = blocks.length as usize;
        // After each row a block ends with probability 1 / length.
        let scale = (blocks.kind == BlockKind::Stationary)
            .then(|| -1.0 / dispatch(Log1p(-1.0 / blocks.length)));
        Self { bound, whole, scale, first: [0; 16], exponentials: [0.0; 16], used: 16 }
    }

    fn next(&mut self, stream: &mut Stream) -> (usize, usize) {
        if self.used == self.first.len() {
            stream.fill_below(self.bound, &mut self.first);
            if self.scale.is_some() {
                stream.fill_exponential(&mut self.exponentials);
            }
            self.used = 0;
        }
        let i = self.used;
        self.used += 1;
        let geometric = |scale: f64| 1 + (self.exponentials[i] * scale) as usize;
        (self.first[i] as usize, self.scale.map_or(self.whole, geometric))
    }
}

/// `log(1 + x)`, by our own function: the platform's differs from machine to machine.
struct Log1p(f64);

impl Task for Log1p {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        simd.to_array(log1p(simd, simd.splat(self.0)))[0]
    }
}
