//! Tell the parser which words a formula may use: columns, and aggregates that turn columns into
//! numbers.
//!
//! The crate knows the elementary functions and nothing of statistics. Whoever computes `mean` or
//! `correlation` lists those names here with the shape of their arguments, and gets back which of
//! them a formula calls, on what.

use crate::names::Names;

/// One argument of an [`Aggregate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// An expression over columns, such as `log(x)`.
    Column,
    /// A constant, such as the `0.9` of `quantile(x, 0.9)`.
    Number,
}

/// A function from whole columns to one number: its name and the shape of its arguments.
///
/// ```
/// use windfall_expr::{Aggregate, Argument::{Column, Number}};
///
/// let mean = Aggregate::new("mean", &[Column]);
/// let quantile = Aggregate::new("quantile", &[Column, Number]);
/// let variance = Aggregate::new("var", &[Column, Number]).optional(1); // var(x) or var(x, 1)
/// # let _ = (mean, quantile, variance);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    pub(crate) name: String,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) required: usize,
}

impl Aggregate {
    /// An aggregate that takes exactly `arguments`.
    pub fn new(name: &str, arguments: &[Argument]) -> Aggregate {
        Aggregate {
            name: name.to_owned(),
            arguments: arguments.to_vec(),
            required: arguments.len(),
        }
    }

    /// The same aggregate, of which the last `count` arguments may be left out.
    pub fn optional(mut self, count: usize) -> Aggregate {
        self.required = self.arguments.len().saturating_sub(count);
        self
    }

    /// The word that calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is called, for a hint.
    pub(crate) fn usage(&self) -> String {
        let word = |index: usize| {
            let word = match self.arguments[index] {
                Argument::Column => "column",
                Argument::Number => "number",
            };
            if index < self.required { word.to_owned() } else { format!("[{word}]") }
        };
        let arguments: Vec<String> = (0..self.arguments.len()).map(word).collect();
        format!("`{}({})`", self.name, arguments.join(", "))
    }

    /// Whether it can be called with `count` arguments.
    pub(crate) fn takes(&self, count: usize) -> bool {
        (self.required..=self.arguments.len()).contains(&count)
    }
}

/// The words a formula may use beside the elementary functions.
///
/// An aggregate may bear the name of a function: `max(x)` is the aggregate and `max(a, b)` the
/// function, told apart by the number of arguments. Two aggregates of one name are not looked for:
/// the first that takes the arguments is meant.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    pub(crate) names: Names,
    pub(crate) aggregates: Vec<Aggregate>,
    constants: Vec<(String, f64)>,
}

impl Vocabulary {
    /// Columns only.
    pub fn new(names: Names) -> Vocabulary {
        Vocabulary { names, aggregates: Vec::new(), constants: Vec::new() }
    }

    /// The same words and `aggregates` too.
    pub fn with(mut self, aggregates: impl IntoIterator<Item = Aggregate>) -> Vocabulary {
        self.aggregates.extend(aggregates);
        self
    }

    /// The same words and names that stand for one number each; columns of the same name come
    /// first.
    pub fn with_constants<'a>(
        mut self,
        constants: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Vocabulary {
        self.constants.extend(constants.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self
    }

    /// The number that `name` stands for.
    pub(crate) fn constant(&self, name: &str) -> Option<f64> {
        self.constants.iter().find(|(known, _)| known == name).map(|&(_, value)| value)
    }

    /// The columns.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The aggregate that `name` means with `count` arguments.
    pub(crate) fn aggregate(&self, name: &str, count: usize) -> Option<usize> {
        self.aggregates.iter().position(|each| each.name == name && each.takes(count))
    }

    /// An aggregate called `name`, whatever its arguments.
    pub(crate) fn aggregate_named(&self, name: &str) -> Option<&Aggregate> {
        self.aggregates.iter().find(|each| each.name == name)
    }
}
