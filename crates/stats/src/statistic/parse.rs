//! From the texts of formulas to a statistic bound to its data; all mistakes reported at once.

use super::catalogue::{Aggregate, CATALOGUE, Make};
use super::coefficients::Coefficients;
use super::frame::{Frame, Values};
use super::moments::{Moments, Variable};
use super::part::Part;
use super::{Finish, Statistic};
use windfall_core::{Error, ErrorKind, Result};
use windfall_expr::{Expr, Names, Slot, Statistic as Formula, Vocabulary};

/// The words of a formula of the aggregates of the catalogue over the columns `names`.
pub(crate) fn vocabulary(names: &Names) -> Vocabulary {
    let words = CATALOGUE
        .iter()
        .map(|row| windfall_expr::Aggregate::new(row.name, row.arguments).optional(row.optional));
    Vocabulary::new(names.clone()).with(words)
}

/// Reads the formulas `texts`.
///
/// # Errors
/// [`ErrorKind::Expression`] with every mistake of every text.
pub(crate) fn read(texts: &[String], vocabulary: &Vocabulary) -> Result<Vec<Formula>> {
    let (mut formulas, mut reports) = (Vec::new(), Vec::new());
    for text in texts {
        match Formula::parse(text, vocabulary) {
            Ok(formula) => formulas.push(formula),
            Err(problems) => reports.push(problems.to_string()),
        }
    }
    match reports.is_empty() {
        true => Ok(formulas),
        false => Err(Error::new(ErrorKind::Expression { report: reports.join("\n") })),
    }
}

impl Statistic {
    /// Reads `texts` and binds them to the columns of `frame`.
    ///
    /// # Errors
    /// Those of [`read`] and of [`Statistic::bind`].
    pub fn parse(texts: &[String], frame: &Frame<'_>) -> Result<Self> {
        Self::bind(&read(texts, &vocabulary(frame.names()))?, frame)
    }

    /// Binds formulas that were read over the columns of `frame` to their values.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a constant out of range; the errors of columns as
    /// [`windfall_core::Table::numbers`].
    pub fn bind(formulas: &[Formula], frame: &Frame<'_>) -> Result<Self> {
        if let Some(row) = formulas.iter().flat_map(Formula::slots).map(row_of).find(is_whole) {
            return coefficients(row, formulas, frame);
        }
        bind(formulas, frame)
    }
}

/// The row of the catalogue that a slot calls.
fn row_of(slot: &Slot) -> &'static Aggregate {
    let row = CATALOGUE.iter().find(|row| row.name == slot.aggregate);
    row.expect("the vocabulary was made from the catalogue")
}

fn is_whole(row: &&'static Aggregate) -> bool {
    matches!(row.make, Make::Coefficients)
}

/// A statistic that is nothing but the coefficients of one regression.
fn coefficients(row: &Aggregate, formulas: &[Formula], frame: &Frame<'_>) -> Result<Statistic> {
    let [formula] = formulas else {
        return Err(Error::invalid("statistic", row.name, "alone, not one of several"));
    };
    let Some(slot) = formula.as_slot() else {
        let text = formula.outer().text();
        return Err(Error::invalid("statistic", text, &format!("`{}` alone", row.name))
            .hint("for one slope within a formula there is `slope(y, x)`"));
    };
    let columns = values(slot, frame)?;
    let mut moments = Moments::new(frame);
    let coefficients = Coefficients::new(&columns, &mut moments, frame)?;
    let (sums, terms) = moments.into_sums();
    Ok(Statistic {
        names: coefficients.names().to_vec(),
        totals: sums.iter().map(|column| windfall_lanes::sum(column)).collect(),
        sums,
        terms,
        parts: Vec::new(),
        finish: Finish::Coefficients(coefficients),
        rows: frame.rows(),
    })
}

/// Binds the aggregates of formulas to their columns.
fn bind(formulas: &[Formula], frame: &Frame<'_>) -> Result<Statistic> {
    let mut moments = Moments::new(frame);
    let mut parts: Vec<(&Slot, Box<dyn Part>)> = Vec::new();
    let mut texts = Vec::new();
    for slot in formulas.iter().flat_map(Formula::slots) {
        texts.push(match &row_of(slot).make {
            Make::Moments(write) | Make::Unpaired(write) => {
                let columns = values(slot, frame)?;
                let variables: Vec<Variable> =
                    columns.iter().map(|column| moments.variable(column)).collect();
                write(&mut moments, &variables, &slot.numbers)
            }
            Make::Part(make) => {
                let known = parts.iter().position(|(old, _)| is_same(old, slot));
                let place = known.map_or_else(
                    || {
                        let part = make(frame, &values(slot, frame)?, &slot.numbers)?;
                        parts.push((slot, part));
                        Ok::<usize, Error>(parts.len() - 1)
                    },
                    Ok,
                )?;
                format!("p{place}")
            }
            Make::Coefficients => unreachable!("coefficients were bound apart"),
        });
    }
    let names = moments.names(parts.len());
    let aggregates = texts.iter().map(|text| own(text, &names)).collect::<Result<_>>()?;
    let mut first = 0;
    let quantity = |formula: &Formula| {
        let slots = first..first + formula.slots().len();
        first = slots.end;
        (formula.outer().clone(), slots)
    };
    let quantities = formulas.iter().map(quantity).collect();
    let (sums, terms) = moments.into_sums();
    Ok(Statistic {
        names: formulas.iter().map(|formula| formula.outer().text().to_owned()).collect(),
        totals: sums.iter().map(|column| windfall_lanes::sum(column)).collect(),
        sums,
        terms,
        parts: parts.into_iter().map(|(_, part)| part).collect(),
        finish: Finish::Formulas { aggregates, quantities },
        rows: frame.rows(),
    })
}

/// The columns of a slot; those of an aggregate that pairs them must stand for the same rows.
fn values(slot: &Slot, frame: &Frame<'_>) -> Result<Vec<Values>> {
    let columns: Vec<Values> =
        slot.columns.iter().map(|expr| frame.values(expr)).collect::<Result<_>>()?;
    let apart = columns.iter().find(|column| column.selection != columns[0].selection);
    match apart {
        Some(other) if !matches!(row_of(slot).make, Make::Unpaired(_)) => {
            let expected = format!("a column of the same rows as `{}`", columns[0].text);
            Err(Error::invalid(&slot.aggregate, &other.text, &expected)
                .hint("rows of different labels are not paired"))
        }
        _ => Ok(columns),
    }
}

/// Whether two slots compute the same.
fn is_same(a: &Slot, b: &Slot) -> bool {
    let mut columns = a.columns.iter().zip(&b.columns);
    a.aggregate == b.aggregate
        && a.numbers == b.numbers
        && columns.all(|(a, b)| a.program() == b.program())
}

/// Reads a formula that this crate wrote.
pub(crate) fn own(text: &str, names: &Names) -> Result<Expr> {
    Expr::parse(text, names)
        .map_err(|problems| Error::new(ErrorKind::Expression { report: problems.to_string() }))
}
