//! What a statistic is: sums over rows and parts of its own kind, and a formula over both.
//!
//! A formula such as `correlation(log(x), y) - median(z)` is parsed into *aggregates*, each a
//! function from whole columns to one number, and an outer expression over them. Aggregates are of
//! two kinds:
//!
//! - *moments* (mean, variance, correlation, …) become expressions over means of products of
//!   centred columns. All of them together need one vector of sums over the rows;
//! - *parts* (quantile, trimmed mean, MAD, Spearman) are evaluated from the weights of the rows.
//!
//! What is left is one program for each quantity, over the sums and the values of the parts. It is
//! the same whether those come from the data, from a resample or from all rows but one.
//!
//! ```text
//! frame.rs         names and values of the columns a formula may use
//! catalogue.rs     the table of aggregates: one row each
//! parse.rs         from texts and a frame to a statistic
//! moments.rs       products of columns, and the formulas of the moment aggregates over them
//! part.rs          the trait of parts, and sorted columns to walk along
//! quantile.rs trimmed_mean.rs mad.rs spearman.rs    one part each
//! coefficients.rs  a regression from its sums
//! finish.rs        from sums and parts to quantities, in blocks
//! leave_out.rs     the statistic without one unit
//! user.rs          statistics that callers write
//! ```
//!
//! # Weights
//! A resample gives row `i` a weight `c_i`: how often it was drawn or, in the Bayesian bootstrap,
//! a real number. A column of case weights `w` goes with its rows, so that row `i` counts with mass
//! `c_i·w_i` in every mean. Divisors such as `n - 1` count rows, whatever their case weights; an
//! aggregate is therefore the same for all multiples of `w`.

mod catalogue;
mod coefficients;
mod finish;
mod frame;
mod leave_out;
mod mad;
mod moments;
mod parse;
mod part;
mod quantile;
mod spearman;
mod trimmed_mean;
mod user;

pub use catalogue::{Aggregate, CATALOGUE};
pub(crate) use finish::Finish;
pub(crate) use frame::{Counts, Frame};
pub(crate) use leave_out::Room;
pub(crate) use part::{OrderStatistic, Part};
pub(crate) use user::Gathered;
pub use user::{Columns, Resamples, UserStatistic};

use windfall_expr::Workspace;

/// A statistic bound to its data.
#[derive(Debug)]
pub(crate) struct Statistic {
    /// The names of the quantities.
    pub names: Vec<String>,
    /// The columns whose sums it needs, one value a row.
    pub sums: Vec<Vec<f64>>,
    /// The parts that it needs beside.
    pub parts: Vec<Box<dyn Part>>,
    /// From sums and parts to quantities.
    pub finish: Finish,
    /// Rows of the data.
    pub rows: usize,
}

impl Statistic {
    /// The number of quantities.
    pub fn quantities(&self) -> usize {
        self.names.len()
    }

    /// The number of inputs of the finishing program: sums, then parts.
    pub fn inputs(&self) -> usize {
        self.sums.len() + self.parts.len()
    }

    /// Writes sums and parts under these weights of the rows to `out`.
    ///
    /// # Cost
    /// `O(rows)` for each input.
    pub fn inputs_from_weights(&self, weights: &[f64], scratch: &mut Scratch, out: &mut [f64]) {
        let (sums, parts) = out.split_at_mut(self.sums.len());
        for (sum, column) in sums.iter_mut().zip(&self.sums) {
            *sum = windfall_lanes::dot(weights, column);
        }
        for (value, part) in parts.iter_mut().zip(&self.parts) {
            *value = part.evaluate(weights, scratch);
        }
    }

    /// The quantities of the data themselves.
    pub fn estimates(&self) -> Vec<f64> {
        let mut inputs = vec![0.0; self.inputs()];
        self.inputs_from_weights(&vec![1.0; self.rows], &mut Scratch::default(), &mut inputs);
        let mut out = vec![0.0; self.quantities()];
        self.finish.evaluate(&inputs, &mut out, &mut Workspace::new());
        out
    }
}

/// Room that parts work in, kept between resamples.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// One number for each row or place.
    pub first: Vec<f64>,
    /// The same again.
    pub second: Vec<f64>,
}
