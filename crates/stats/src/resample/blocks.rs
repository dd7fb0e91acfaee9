//! Blocks: runs of consecutive rows, for rows whose neighbours resemble one another.
//!
//! Sources: H. R. Künsch, "The jackknife and the bootstrap for general stationary observations",
//! Annals of Statistics 17(3), 1989 (moving); D. N. Politis, J. P. Romano, "A circular
//! block-resampling procedure for stationary data", 1992; and "The stationary bootstrap", Journal
//! of the American Statistical Association 89(428), 1994.

use std::fmt;
use windfall_core::{Error, Result};
use windfall_streams::Stream;

/// First rows drawn at once, a whole number of steps of the lanes.
const AT_ONCE: usize = 16;

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

    /// Calls `each` with the rows of one resample of `rows` rows, in order.
    pub(super) fn draw(&self, stream: &mut Stream, rows: usize, mut each: impl FnMut(usize)) {
        if self.kind == BlockKind::Stationary {
            return self.walk(stream, rows, each);
        }
        let length = self.length as usize;
        let starts = match self.kind {
            BlockKind::Moving => rows - length + 1,
            _ => rows,
        };
        let mut left = rows;
        let mut firsts = [0; AT_ONCE];
        while left > 0 {
            stream.fill_below(starts as u32, &mut firsts);
            for first in firsts {
                let length = length.min(left);
                let till_end = length.min(rows - first as usize);
                (first as usize..first as usize + till_end).for_each(&mut each);
                (0..length - till_end).for_each(&mut each);
                left -= length;
            }
        }
    }

    /// Stationary blocks row by row: after each row a block ends with probability `1 / length`,
    /// exact to 2^-53 of itself, so that lengths are geometric.
    fn walk(&self, stream: &mut Stream, rows: usize, mut each: impl FnMut(usize)) {
        let ends_below = (2_f64.powi(64) / self.length) as u64;
        let mut row = stream.below(rows as u64) as u32;
        let (mut words, mut firsts) = ([0; AT_ONCE], [0; AT_ONCE]);
        for done in (0..rows).step_by(AT_ONCE) {
            stream.fill_u64(&mut words);
            stream.fill_below(rows as u32, &mut firsts);
            for (&word, &first) in words.iter().zip(&firsts).take(rows - done) {
                each(row as usize);
                let next = if row as usize + 1 == rows { 0 } else { row + 1 };
                row = std::hint::select_unpredictable(word < ends_below, first, next);
            }
        }
    }
}
