//! Read a regression model such as `y ~ x + group*log(z)` and lay out its design matrix.
//!
//! The language is that of R and of Python's patsy: `+` joins terms, `:` multiplies them, `a*b` is
//! `a + b + a:b`, `a/b` is `a + a:b`, `(a + b)^2` all products of two, `-` takes away, `0` or `- 1`
//! leave the intercept out, `.` stands for every other column. Arithmetic goes within `I(…)` or a
//! function, in the language of expressions ([`windfall_expr::Expr`]). Text columns, and numbers
//! within `C(…)` or `factor(…)`, are factors with treatment coding: their first level in sorted
//! order is the reference, or that of `C(g, "reference")`. `offset(…)` adds a column whose
//! coefficient is 1. Columns are named as R names them.
//!
//! Sources: J. M. Chambers, T. J. Hastie, "Statistical Models in S" (1992), chapter 2; the coding
//! of factors in interactions follows R's `model.matrix`.
//!
//! ```text
//! scan.rs   text into words     terms.rs   words into terms     design.rs   terms into columns
//! ```

mod design;
mod scan;
mod terms;

pub use design::{COLUMNS_MAX, Design};

use std::ops::Range;
use terms::{Reader, Term};
use windfall_core::{Error, ErrorKind, Result, Table};
use windfall_expr::{Expr, ProblemKind, Problems};

/// The longest text of a model, in bytes.
const LENGTH_BYTES_MAX: usize = 64 * 1024;

/// One value a row: a column or an expression over columns.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    /// The column of this name.
    Column(String),
    /// An expression over all columns of the table, in their order.
    Expression(Box<Expr>),
}

/// A factor of a model.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    /// How its columns are named, before the level.
    label: String,
    column: String,
    /// The reference level asked for, and where.
    reference: Option<(String, Range<usize>)>,
}

impl Factor {
    fn new(label: &str, column: &str) -> Self {
        Self { label: label.into(), column: column.into(), reference: None }
    }
}

/// What terms are products of.
#[derive(Clone, Debug)]
pub(crate) enum Variable {
    /// One value a row.
    Values {
        /// Its name.
        label: String,
        /// Its values.
        operand: Operand,
    },
    /// A level a row.
    Factor(Factor),
}

impl Variable {
    fn label(&self) -> &str {
        match self {
            Self::Values { label, .. } => label,
            Self::Factor(factor) => &factor.label,
        }
    }
}

/// A model that has been read and checked against the columns of a table.
///
/// # Examples
/// ```
/// use windfall_core::{Column, Labels, Numbers, Table};
/// use windfall_stats::formula::Formula;
///
/// let table = Table::new(vec![
///     ("y".into(), Column::Numbers(Numbers::from(vec![1.0, 2.0, 4.0]))),
///     ("x".into(), Column::Numbers(Numbers::from(vec![1.0, 2.0, 3.0]))),
///     ("g".into(), Column::Labels(Labels::new(["b", "a", "b"]))),
/// ])?;
/// let design = Formula::parse("log(y) ~ x + g", &table, &[])?.design(&table)?;
/// assert_eq!(design.names, ["(Intercept)", "x", "gb"]);
/// assert_eq!(design.columns[2].as_slice(), [1.0, 0.0, 1.0]);
///
/// let error = Formula::parse("y ~ z + log(u)", &table, &[]).unwrap_err().to_string();
/// assert!(error.contains("unknown column `z` at column 5"));
/// assert!(error.contains("unknown variable `u` at column 13"));
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Formula {
    text: String,
    response: Operand,
    response_label: String,
    variables: Vec<Variable>,
    terms: Vec<Term>,
    intercept: bool,
    offsets: Vec<Operand>,
}

impl Formula {
    /// Reads the model `text` over the columns of `table`; `.` leaves out the response and the
    /// columns `except`.
    ///
    /// # Errors
    /// [`ErrorKind::Expression`] with every mistake, its place and the nearest column.
    pub fn parse(text: &str, table: &Table, except: &[String]) -> Result<Self> {
        let mut problems = Problems::new(text);
        let read = read(text, table, except, &mut problems);
        let report =
            |problems: Problems| Error::new(ErrorKind::Expression { report: problems.to_string() });
        problems.into_result().map_err(report)?;
        read.ok_or_else(|| Error::invalid("formula", text, "a model such as `y ~ x1 + x2`"))
    }

    /// The text, as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The response as it was written.
    pub fn response(&self) -> &str {
        &self.response_label
    }
}

fn read(text: &str, table: &Table, except: &[String], problems: &mut Problems) -> Option<Formula> {
    if text.len() > LENGTH_BYTES_MAX {
        let message = format!("the model has more than {LENGTH_BYTES_MAX} bytes");
        problems.add(ProblemKind::TooLong, 0..0, message, None);
        return None;
    }
    let Some(tilde) = tilde(text) else {
        let hint = "write the response, `~` and the terms, as in `y ~ x1 + x2`".to_owned();
        problems.add(ProblemKind::Around, 0..text.len(), "a model without `~`", Some(hint));
        return None;
    };
    let response_label = scan::tidy(&text[..tilde]);
    let mut left_out = except.to_vec();
    left_out.push(response_label.trim_matches(['`', '"']).to_owned());
    let mut reader = Reader::new(text, table, &left_out, problems);
    let response = reader.operand(0..tilde, "the response");
    let (terms, intercept) = reader.terms(tilde + 1..text.len());
    let (variables, offsets) = (reader.variables, reader.offsets);
    let response = response?;
    let text = text.to_owned();
    Some(Formula { text, response, response_label, variables, terms, intercept, offsets })
}

/// Where `~` stands, outside quotes.
fn tilde(text: &str) -> Option<usize> {
    let mut quote = None;
    text.char_indices().find_map(|(at, c)| {
        match (quote, c) {
            (Some(mark), _) if mark == c => quote = None,
            (Some(_), _) => {}
            (None, '`' | '"' | '\'') => quote = Some(c),
            (None, '~') => return Some(at),
            _ => {}
        }
        None
    })
}
