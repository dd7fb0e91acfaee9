//! Blocks: runs of consecutive rows, for rows whose neighbours resemble one another.
//!
//! Sources: H. R. Künsch, "The jackknife and the bootstrap for general stationary observations",
//! Annals of Statistics 17(3), 1989 (moving); D. N. Politis, J. P. Romano, "A circular
//! block-resampling procedure for stationary data", 1992; and "The stationary bootstrap", Journal
//! of the American Statistical Association 89(428), 1994.

use std::fmt;
use windfall_core::{Error, Result};
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

    /// Hands out blocks that together hold `rows` rows: `(first row, length)`, where a block that
    /// passes the last row goes on with row 0.
    pub(super) fn draw(
        &self,
        stream: &mut Stream,
        rows: usize,
        mut each: impl FnMut(usize, usize),
    ) {
        let whole = self.length as usize;
        let starts = match self.kind {
            BlockKind::Moving => rows - whole + 1,
            _ => rows,
        };
        let mut left = rows;
        while left > 0 {
            let first = stream.below(starts as u64) as usize;
            let length = match self.kind {
                BlockKind::Stationary => geometric(stream, self.length, left),
                _ => whole.min(left),
            };
            each(first, length);
            left -= length;
        }
    }
}

/// A geometric length of the given mean, at least 1, cut at `most`.
///
/// After each row the block ends with probability `1 / mean`, exact to 2^-53; the expected cost
/// is a word a row, so a resample costs at most one word for each of its rows.
fn geometric(stream: &mut Stream, mean: f64, most: usize) -> usize {
    let end = 1.0 / mean;
    let mut length = 1;
    while length < most && stream.uniform() >= end {
        length += 1;
    }
    length
}
