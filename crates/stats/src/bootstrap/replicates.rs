//! The partial of a bootstrap: the values of every resample, in task order.
//!
//! Quantiles need them all, so merging is concatenation, which is exactly associative.

use windfall_core::wire::{Reader, put_f64s, put_u64};
use windfall_core::{Error, Moments, Partial, Result};

/// Values that a watcher looks at.
const GLANCE: usize = 4_096;

/// Columns of equal length: the replicates of each quantity, then whatever the method needs.
///
/// # Shapes
/// `columns[q][r]` is quantity `q` of resample `r`. No columns at all is the neutral element.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replicates {
    columns: Vec<Vec<f64>>,
}

impl Replicates {
    /// `count` empty columns with room for `capacity` resamples each.
    pub fn with_capacity(count: usize, capacity: usize) -> Self {
        Self { columns: (0..count).map(|_| Vec::with_capacity(capacity)).collect() }
    }

    /// The columns.
    pub fn columns(&self) -> &[Vec<f64>] {
        &self.columns
    }

    /// The columns, by value.
    pub fn into_columns(self) -> Vec<Vec<f64>> {
        self.columns
    }

    /// The columns, to append to; all by the same number of values.
    pub fn columns_mut(&mut self) -> &mut [Vec<f64>] {
        &mut self.columns
    }

    /// The number of resamples.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// The moments of the first quantity for those who watch: of some of its values, counted for
    /// all, where there are so many that looking at each would hold up the run.
    pub(crate) fn glance(&self) -> Moments {
        let values = self.columns.first().map_or(&[][..], Vec::as_slice);
        let mut some = Moments::default();
        for value in values.iter().step_by(values.len() / GLANCE + 1).filter(|x| x.is_finite()) {
            some.push(*value);
        }
        let scale = values.len() as f64 / some.count().max(1) as f64;
        Moments::new(values.len() as u64, some.mean(), some.squares() * scale)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Partial for Replicates {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, later: Self) -> Self {
        if self.columns.is_empty() {
            return later;
        }
        for (column, more) in self.columns.iter_mut().zip(later.columns) {
            column.extend_from_slice(&more);
        }
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.columns.len() as u64);
        self.columns.iter().for_each(|column| put_f64s(out, column));
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let count = reader.u64()?;
        if count > (bytes.len() / 8) as u64 {
            return Err(Error::wire(format!("they promise {count} columns and end before")));
        }
        let columns = (0..count).map(|_| reader.f64s()).collect::<Result<Vec<_>>>()?;
        reader.finish()?;
        match columns.windows(2).all(|pair| pair[0].len() == pair[1].len()) {
            true => Ok(Self { columns }),
            false => Err(Error::wire("the columns of replicates differ in length")),
        }
    }
}
