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
//! plain.rs         the statistic of data seen once, without binding
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
mod gini;
mod leave_out;
mod mad;
mod moments;
mod parse;
mod part;
mod plain;
mod quantile;
mod spearman;
mod trimmed_mean;
mod user;

pub use catalogue::{Aggregate, CATALOGUE};
pub(crate) use finish::Finish;
pub(crate) use frame::{Counts, Frame, Moves, Side, Values};
pub(crate) use leave_out::Room;
use moments::Term;
pub(crate) use parse::{read, vocabulary};
pub(crate) use part::{OrderStatistic, Part};
pub(crate) use plain::{Plain, PlainRoom};
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
    /// The sum of each over all rows.
    pub totals: Vec<f64>,
    /// What each of them is made of.
    pub terms: Vec<Term>,
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

    /// The order of rows that would spare the first part its look-ups, if they stand in another.
    pub fn order(&self) -> Option<&[u32]> {
        self.parts.first().and_then(|part| part.order())
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

/// What a job evaluates: formulas, or a user's function.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// Formulas.
    Formula(&'a Statistic),
    /// A user's function.
    User(&'a Gathered),
}

impl Target<'_> {
    /// The number of quantities.
    pub fn quantities(&self) -> usize {
        match self {
            Self::Formula(statistic) => statistic.quantities(),
            Self::User(gathered) => gathered.names().len(),
        }
    }
}

/// Room that parts work in, kept between resamples.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    room: part::Room,
    /// One rank for each row.
    ranks: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_core::{Streams, Table};

    /// Every aggregate, of a table with ties.
    const TEXTS: [&str; 17] = [
        "mean(x)",
        "sum(x)",
        "var(x)",
        "sd(x, 0)",
        "covariance(x, y)",
        "correlation(x, y)",
        "slope(y, x)",
        "ratio(x, y)",
        "difference(x, y)",
        "median(x)",
        "quantile(y, 0.9)",
        "quantile(x, 0)",
        "trimmed_mean(x, 0.15)",
        "mad(x)",
        "mad(y)",
        "spearman(x, y)",
        "median(x)*sd(y) + mean(log(y))",
    ];

    fn bind(texts: &[&str], table: &Table, sorts: bool) -> Statistic {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        let mut frame = Frame::new(table, None, None, Counts::Varying).unwrap();
        let statistic = Statistic::parse(&texts, &frame).unwrap();
        let Some(order) = statistic.order().filter(|_| sorts) else { return statistic };
        frame.reorder(order.to_vec());
        Statistic::parse(&texts, &frame).unwrap()
    }

    /// The quantities under weights.
    fn under(statistic: &Statistic, weights: &[f64]) -> Vec<f64> {
        let mut inputs = vec![0.0; statistic.inputs()];
        statistic.inputs_from_weights(weights, &mut Scratch::default(), &mut inputs);
        let mut out = vec![0.0; statistic.quantities()];
        statistic.finish.evaluate(&inputs, &mut out, &mut Workspace::new());
        out
    }

    /// Counts that stand for rows drawn give what those rows give, laid out one by one.
    #[test]
    fn a_statistic_of_counts_is_that_of_the_rows_drawn() {
        let mut stream = Streams::new(7u64.into(), "counts").task(0);
        for rows in [5usize, 40, 300] {
            let mut column = |most: u64| -> Vec<f64> {
                (0..rows).map(|_| 1.0 + stream.below(most) as f64 / 4.0).collect()
            };
            let (x, y) = (column(60), column(9));
            let table = Table::from_numbers([("x", x.clone()), ("y", y.clone())]).unwrap();
            let mut drawn = vec![0u32; rows];
            stream.fill_below(rows as u32, &mut drawn);
            let mut counts = vec![0.0; rows];
            drawn.iter().for_each(|&row| counts[row as usize] += 1.0);
            let pick = |column: &[f64]| drawn.iter().map(|&row| column[row as usize]).collect();
            let laid_out = Table::from_numbers([("x", pick(&x)), ("y", pick(&y))]).unwrap();
            for texts in [&TEXTS[..], &["coefficients(y, x, x^2)"][..]] {
                let found = under(&bind(texts, &table, false), &counts);
                let expected = under(&bind(texts, &laid_out, false), &vec![1.0; rows]);
                for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let gap = (found - expected).abs();
                    let both_nan = found.is_nan() && expected.is_nan();
                    assert!(both_nan || gap <= 1e-9 * (1.0 + expected.abs()), "{place} {rows}");
                }
            }
        }
    }

    /// Showing rows in another order changes nothing but rounding.
    #[test]
    fn the_order_of_rows_does_not_matter() {
        let x: Vec<f64> = (0..97u32).map(|i| f64::from(i * 37 % 89)).collect();
        let y: Vec<f64> = (0..97u32).map(|i| 1.0 + f64::from(i * 53 % 41)).collect();
        let table = Table::from_numbers([("y", y), ("x", x)]).unwrap();
        for text in TEXTS {
            let (plain, sorted) = (bind(&[text], &table, false), bind(&[text], &table, true));
            let (plain, sorted) = (plain.estimates()[0], sorted.estimates()[0]);
            assert!((plain - sorted).abs() <= 1e-12 * (1.0 + plain.abs()), "{text}");
        }
    }

    /// Real weights that are all alike are no weights.
    #[test]
    fn equal_real_weights_leave_the_statistic_alone() {
        let x: Vec<f64> = (0..53u32).map(|i| f64::from(i * 37 % 89)).collect();
        let table = Table::from_numbers([("x", x.clone()), ("y", x)]).unwrap();
        for text in ["median(x)", "quantile(x, 0.3)", "trimmed_mean(x, 0.1)", "mad(x)", "var(x)"] {
            let of = |counts| {
                let frame = Frame::new(&table, None, None, counts).unwrap();
                Statistic::parse(&[text.to_owned()], &frame).unwrap().estimates()[0]
            };
            let (counted, real) = (of(Counts::Fixed), of(Counts::Real));
            assert!((counted - real).abs() <= 1e-12 * counted.abs(), "{text} {counted} {real}");
        }
    }
}
