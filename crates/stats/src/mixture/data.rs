//! The columns that a mixture is fitted to, shared with the table, and their overall moments.

use super::model::{Covariance, Densities, Model};
use super::round::{Expect, Totals};
use super::update::Sums;
use windfall_core::{
    Column, Control, DataNote, Error, ErrorKind, Job, Numbers, Result, Seed, Serial, Streams,
    Table, run,
};

/// The most rows: row numbers are 32 bits wide.
const ROWS_MAX: usize = u32::MAX as usize;

/// Columns of finite numbers, not copied, with their means and covariances.
#[derive(Clone, Debug)]
pub(super) struct Data {
    /// The columns' names.
    pub names: Vec<String>,
    /// The columns.
    pub columns: Vec<Numbers>,
    /// The mean of each column.
    pub means: Vec<f64>,
    /// The covariances of all rows, `d` by `d`, over the number of rows.
    pub overall: Vec<f64>,
    /// What the answer says of the data.
    pub note: DataNote,
}

impl Data {
    /// The columns called `names` of `table`, or all that hold numbers.
    ///
    /// # Errors
    /// [`ErrorKind::TooFew`] for no column or no row, [`ErrorKind::NotFinite`] for a variance out
    /// of range, and the errors of [`Table::numbers`].
    pub fn new(table: &Table, names: Option<&[String]>) -> Result<Self> {
        let numeric = |(name, column): (&str, &Column)| {
            matches!(column, Column::Numbers(_)).then(|| name.to_owned())
        };
        let names: Vec<String> = match names {
            Some(names) => names.to_vec(),
            None => table.columns().filter_map(numeric).collect(),
        };
        if names.is_empty() {
            return Err(Error::too_few("columns of numbers", 0, 1));
        }
        for (place, name) in names.iter().enumerate() {
            if names[..place].contains(name) {
                return Err(Error::invalid("columns", name, "named once"));
            }
        }
        let rows = table.rows();
        if rows == 0 {
            return Err(Error::too_few("rows", 0, 1));
        }
        if rows > ROWS_MAX {
            return Err(Error::invalid("rows", rows, "fewer than 2^32"));
        }
        let mut columns = Vec::with_capacity(names.len());
        for name in &names {
            table.numbers(name)?;
            if let Column::Numbers(numbers) = table.column(name)? {
                columns.push(numbers.clone());
            }
        }
        let note = DataNote { rows: rows as u64, hash: table.hash() };
        let mut data = Self { names, columns, means: Vec::new(), overall: Vec::new(), note };
        data.measure()?;
        Ok(data)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns[0].as_slice().len()
    }

    /// The columns as slices.
    pub fn slices(&self) -> Vec<&[f64]> {
        self.columns.iter().map(Numbers::as_slice).collect()
    }

    /// The variance of each column.
    pub fn variances(&self) -> Vec<f64> {
        let d = self.columns.len();
        (0..d).map(|a| self.overall[a * d + a]).collect()
    }

    /// Checks that something can be fitted.
    ///
    /// # Errors
    /// [`ErrorKind::TooFew`] for fewer than two rows, [`ErrorKind::Invalid`] for a column that
    /// does not vary.
    pub fn check_variation(&self) -> Result<()> {
        if self.rows() < 2 {
            return Err(Error::too_few("rows", self.rows() as u64, 2));
        }
        for (name, column) in self.names.iter().zip(self.slices()) {
            if column.iter().all(|&value| value == column[0]) {
                let error = Error::invalid("columns", name, "one whose values differ");
                return Err(error.hint("leave it out: name the other columns in `columns`"));
            }
        }
        Ok(())
    }

    /// The means and covariances, by two passes: the second about the mean that the first found,
    /// so that no digits are lost however far the data lie from zero.
    fn measure(&mut self) -> Result<()> {
        let (slices, d) = (self.slices(), self.columns.len());
        let (mut identity, mut overall) = (vec![0.0; d * d], Vec::new());
        (0..d).for_each(|a| identity[a * d + a] = 1.0);
        let covariance = Covariance::Full;
        let means = slices.iter().map(|column| column[0]).collect();
        let mut model =
            Model { covariance, weights: vec![1.0], means, covariances: identity.clone() };
        for _ in 0..2 {
            let densities = Densities::new(&model).into_iter().collect();
            let kernel = Expect { columns: &slices, densities };
            // Nothing is drawn: any streams will do.
            let job = Job::new(&kernel, Streams::new(Seed(0), "moments"));
            let Totals(totals) = run(&job, &Serial, &Control::default())?.partial;
            for sums in Sums::of(&totals, 1, d) {
                for (mean, first) in model.means.iter_mut().zip(sums.firsts) {
                    *mean += first / sums.count;
                }
                overall = sums.scatter().iter().map(|value| value / sums.count).collect();
            }
        }
        for (a, name) in self.names.iter().enumerate() {
            let variance: f64 = overall[a * d + a];
            if !variance.is_finite() {
                let what = format!("the variance of column `{name}`");
                let error = ErrorKind::NotFinite { what, row: 0, value: variance };
                return Err(Error::new(error).hint("scale the column first"));
            }
        }
        (self.means, self.overall) = (model.means, overall);
        Ok(())
    }
}
