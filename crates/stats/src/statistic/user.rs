//! Statistics that callers write: a function of the gathered rows of a resample.

use super::frame::{Frame, Values};
use std::fmt;
use windfall_core::{Error, Result};

/// A statistic written outside this crate.
///
/// It sees the rows of resamples gathered into columns, a batch of resamples at a time, and is
/// called on several threads at once.
pub trait UserStatistic: Send + Sync {
    /// The names of its quantities.
    fn names(&self) -> Vec<String> {
        vec!["statistic".to_owned()]
    }

    /// How many resamples it likes to see at once. More than one pays where a call is dear, as
    /// into an interpreter; designs whose resamples differ in size always come one by one.
    fn batch(&self) -> usize {
        1
    }

    /// Writes quantity `q` of resample `r` to `out[q * resamples.count() + r]`; NaN where it has
    /// no value.
    ///
    /// # Errors
    /// Whatever the caller's code reports; the run stops.
    fn evaluate(&self, resamples: &Resamples<'_>, out: &mut [f64]) -> Result<()>;
}

impl<T: UserStatistic + ?Sized> UserStatistic for Box<T> {
    fn names(&self) -> Vec<String> {
        (**self).names()
    }

    fn batch(&self) -> usize {
        (**self).batch()
    }

    fn evaluate(&self, resamples: &Resamples<'_>, out: &mut [f64]) -> Result<()> {
        (**self).evaluate(resamples, out)
    }
}

/// A batch of resamples, gathered.
#[derive(Clone, Copy, Debug)]
pub struct Resamples<'a> {
    count: usize,
    columns: &'a [Vec<f64>],
}

impl<'a> Resamples<'a> {
    /// `count` resamples, each column of all of them one after the other.
    pub(crate) fn new(count: usize, columns: &'a [Vec<f64>]) -> Self {
        Self { count, columns }
    }

    /// The number of resamples.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Column `column` of all resamples, one after the other: `count × n`, row-major.
    pub fn block(&self, column: usize) -> &'a [f64] {
        &self.columns[column]
    }

    /// The columns of resample `resample`.
    pub fn of(&self, resample: usize) -> impl Iterator<Item = &'a [f64]> {
        let count = self.count;
        self.columns.iter().map(move |column| {
            let rows = column.len() / count;
            &column[resample * rows..(resample + 1) * rows]
        })
    }
}

/// A closure from the columns of one resample to a number.
///
/// ```
/// use windfall_stats::statistic::Columns;
/// let range = Columns(|columns: &[&[f64]]| {
///     let x = columns[0];
///     x.iter().copied().fold(f64::MIN, f64::max) - x.iter().copied().fold(f64::MAX, f64::min)
/// });
/// # let _: &dyn windfall_stats::statistic::UserStatistic = &range;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Columns<F>(
    /// The function.
    pub F,
);

impl<F: Fn(&[&[f64]]) -> f64 + Send + Sync> UserStatistic for Columns<F> {
    fn evaluate(&self, resamples: &Resamples<'_>, out: &mut [f64]) -> Result<()> {
        let mut columns: Vec<&[f64]> = Vec::with_capacity(resamples.columns());
        for (resample, out) in out.iter_mut().enumerate() {
            columns.clear();
            columns.extend(resamples.of(resample));
            *out = (self.0)(&columns);
        }
        Ok(())
    }
}

/// A user's statistic with the columns it is given.
pub(crate) struct Gathered {
    statistic: Box<dyn UserStatistic>,
    columns: Vec<Values>,
    /// For each row, the code of its label.
    codes: Option<Vec<u32>>,
}

impl fmt::Debug for Gathered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gathered").field("columns", &self.columns.len()).finish_non_exhaustive()
    }
}

impl Gathered {
    /// Gives `statistic` the columns called `names`.
    ///
    /// # Errors
    /// As [`windfall_core::Table::numbers`]; [`windfall_core::ErrorKind::Invalid`] with a column
    /// of weights, which rows cannot carry.
    pub fn new(
        statistic: Box<dyn UserStatistic>,
        names: &[String],
        frame: &Frame<'_>,
    ) -> Result<Self> {
        if frame.weights().is_some() {
            return Err(Error::invalid("weights", "a column", "left out with a user's function")
                .hint("hand the weights to the function as one more column"));
        }
        let columns = names.iter().map(|name| frame.named(name)).collect::<Result<Vec<_>>>()?;
        Ok(Self { statistic, columns, codes: frame.codes().map(<[u32]>::to_vec) })
    }

    /// The names of its quantities.
    pub fn names(&self) -> Vec<String> {
        self.statistic.names()
    }

    /// How many resamples it likes to see at once, at least 1.
    pub fn batch(&self) -> usize {
        self.statistic.batch().max(1)
    }

    /// Appends the rows of one resample to `columns`.
    pub fn gather(&self, rows: &[u32], columns: &mut [Vec<f64>]) {
        for (column, out) in self.columns.iter().zip(columns) {
            let values = &column.values;
            match (column.selection, &self.codes) {
                (Some(code), Some(codes)) => out.extend(
                    rows.iter()
                        .filter(|&&row| codes[row as usize] == code)
                        .map(|&row| values[row as usize]),
                ),
                _ => out.extend(rows.iter().map(|&row| values[row as usize])),
            }
        }
    }

    /// Columns to gather into.
    pub fn room(&self) -> Vec<Vec<f64>> {
        vec![Vec::new(); self.columns.len()]
    }

    /// Evaluates a batch and empties `columns`.
    ///
    /// # Errors
    /// What the statistic reports.
    pub fn evaluate(&self, columns: &mut [Vec<f64>], count: usize, out: &mut [f64]) -> Result<()> {
        self.statistic.evaluate(&Resamples { count, columns }, out)?;
        columns.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}
