//! The table of aggregates: the words that turn columns into one number, one row each.
//!
//! To add one, write its row and, if it is no expression over moments, a file with its part.

use super::frame::{Frame, Values};
use super::moments::{self, Moments, Variable};
use super::part::Part;
use super::{gini, mad, quantile, spearman, trimmed_mean};
use windfall_core::Result;
use windfall_expr::Argument::{self, Column, Number};

/// The most columns that `coefficients` takes: the response and this many less one predictors.
const COEFFICIENT_COLUMNS: [Argument; 17] = [Column; 17];

/// One aggregate: its name, its arguments and what it is.
#[derive(Debug)]
pub struct Aggregate {
    /// The word that calls it.
    pub name: &'static str,
    /// Its arguments: columns first, then constants.
    pub arguments: &'static [Argument],
    /// How many of the last arguments may be left out.
    pub optional: usize,
    /// What it is, in one sentence.
    pub about: &'static str,
    pub(crate) make: Make,
}

/// Writes an aggregate of these variables and constants as a formula over means of products.
type Write = fn(&mut Moments<'_>, &[Variable], &[f64]) -> String;
/// Makes an aggregate of these columns and constants.
type MakePart = fn(&Frame<'_>, &[Values], &[f64]) -> Result<Box<dyn Part>>;

/// How an aggregate becomes part of a statistic.
pub(crate) enum Make {
    /// As a formula over means of products.
    Moments(Write),
    /// The same, of columns that need not stand for the same rows.
    Unpaired(Write),
    /// As a part of its own.
    Part(MakePart),
    /// As the whole statistic: the coefficients of a regression.
    Coefficients,
}

impl std::fmt::Debug for Make {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Moments(_) => "Moments",
            Self::Unpaired(_) => "Unpaired",
            Self::Part(_) => "Part",
            Self::Coefficients => "Coefficients",
        })
    }
}

macro_rules! aggregates {
    ($($name:literal $arguments:expr, $optional:literal, $make:expr, $about:literal;)*) => {
        &[$(Aggregate {
            name: $name,
            arguments: $arguments,
            optional: $optional,
            about: $about,
            make: $make,
        }),*]
    };
}

/// Every aggregate.
pub static CATALOGUE: &[Aggregate] = aggregates! {
    "mean" &[Column], 0, Make::Moments(moments::mean), "the mean";
    "sum" &[Column], 0, Make::Moments(moments::sum), "the sum";
    "var" &[Column, Number], 1, Make::Moments(moments::var),
        "the variance; the second argument is subtracted from n in its divisor, 1 if left out";
    "sd" &[Column, Number], 1, Make::Moments(moments::sd),
        "the standard deviation; the second argument as in `var`";
    "covariance" &[Column, Column, Number], 1, Make::Moments(moments::covariance),
        "the covariance; the third argument as the second of `var`";
    "correlation" &[Column, Column], 0, Make::Moments(moments::correlation),
        "Pearson's correlation";
    "slope" &[Column, Column], 0, Make::Moments(moments::slope),
        "the slope of the regression of the first column on the second";
    "ratio" &[Column, Column], 0, Make::Unpaired(moments::ratio), "the ratio of the means";
    "difference" &[Column, Column], 0, Make::Unpaired(moments::difference),
        "the difference of the means";
    "coefficients" &COEFFICIENT_COLUMNS, 15, Make::Coefficients,
        "intercept and slopes of the regression of the first column on the others; \
         only as the whole statistic";
    "median" &[Column], 0, Make::Part(quantile::median), "the median";
    "quantile" &[Column, Number], 0, Make::Part(quantile::quantile),
        "the quantile at the level of the second argument, by linear interpolation (type 7)";
    "trimmed_mean" &[Column, Number], 0, Make::Part(trimmed_mean::trimmed_mean),
        "the mean without the share of the second argument at either end";
    "gini" &[Column], 0, Make::Part(gini::gini),
        "Gini's coefficient of inequality, of values from 0 on";
    "mad" &[Column], 0, Make::Part(mad::mad),
        "the median absolute deviation from the median, not scaled";
    "spearman" &[Column, Column], 0, Make::Part(spearman::spearman),
        "Spearman's rank correlation, ties at mid-ranks";
};
