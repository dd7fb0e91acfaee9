//! A statistic of data that are seen once: read once, evaluated on any columns without binding.
//!
//! Binding a statistic pays where thousands of resamples follow. A simulation makes new data each
//! time; here the aggregates that people use most are computed straight from the rows, and all
//! others by binding.

use super::frame::{Counts, Frame};
use super::{CATALOGUE, Statistic};
use windfall_core::{Error, ErrorKind, Result, Table};
use windfall_expr::{Slot, Statistic as Formula, Vocabulary, Workspace};
use windfall_lanes::{dot, sum};

/// A formula of aggregates over columns, ready for data.
#[derive(Debug)]
pub(crate) struct Plain {
    formula: Formula,
}

/// Room that evaluations work in.
#[derive(Debug, Default)]
pub(crate) struct PlainRoom {
    columns: Vec<Vec<f64>>,
    slots: Vec<f64>,
    scratch: [Vec<f64>; 2],
    workspace: Workspace,
}

impl Plain {
    /// Reads a formula over the columns and constants of `words`.
    ///
    /// # Errors
    /// [`ErrorKind::Expression`] for a mistake, [`ErrorKind::Invalid`] for an aggregate that is no
    /// number or a constant out of range.
    pub fn parse(text: &str, words: &Vocabulary) -> Result<Self> {
        Self::new(Self::read(text, words)?)
    }

    /// Reads a formula, whose aggregates may be those of `words` too.
    ///
    /// # Errors
    /// [`ErrorKind::Expression`].
    pub fn read(text: &str, words: &Vocabulary) -> Result<Formula> {
        let known = CATALOGUE.iter().map(|row| {
            windfall_expr::Aggregate::new(row.name, row.arguments).optional(row.optional)
        });
        Formula::parse(text, &words.clone().with(known))
            .map_err(|problems| Error::new(ErrorKind::Expression { report: problems.to_string() }))
    }

    /// A formula that has been read.
    ///
    /// # Errors
    /// As [`Plain::parse`].
    pub fn new(formula: Formula) -> Result<Self> {
        for slot in formula.slots() {
            // Data of no meaning show what is wrong with the aggregate itself.
            let columns: Vec<Vec<f64>> = (0..slot.columns.len())
                .map(|place| (0..5).map(|row| ((row * (place + 2)) % 5) as f64).collect())
                .collect();
            let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let bound = bind(slot, &columns)?;
            if bound.quantities() != 1 {
                return Err(Error::invalid("statistic", &slot.aggregate, "one number"));
            }
        }
        Ok(Self { formula })
    }

    /// The value of these columns; NaN if it has none.
    ///
    /// # Cost
    /// A pass or two over the rows for each aggregate of moments, a sort for each quantile.
    pub fn evaluate(&self, columns: &[&[f64]], room: &mut PlainRoom) -> f64 {
        let mut values = std::mem::take(&mut room.slots);
        values.clear();
        for slot in self.formula.slots() {
            let mut scratch = std::mem::take(&mut room.scratch);
            let value = room.with_columns(slot, columns, |columns| {
                aggregate(slot, &columns, &mut scratch).unwrap_or_else(|| {
                    bind(slot, &columns).map_or(f64::NAN, |bound| bound.estimates()[0])
                })
            });
            room.scratch = scratch;
            values.push(value);
        }
        let value = self.formula.value(&values, &mut room.workspace);
        room.slots = values;
        value
    }
}

impl PlainRoom {
    /// Calls `then` with the columns that the arguments of `slot` are.
    pub fn with_columns<T>(
        &mut self,
        slot: &Slot,
        columns: &[&[f64]],
        then: impl FnOnce(Vec<&[f64]>) -> T,
    ) -> T {
        self.columns.resize_with(self.columns.len().max(slot.columns.len()), Vec::new);
        let rows = columns.first().map_or(0, |column| column.len());
        for (expr, own) in slot.columns.iter().zip(&mut self.columns) {
            if expr.program().as_column().is_none() {
                own.resize(rows, 0.0);
                expr.evaluate(columns, own, &mut self.workspace);
            }
        }
        let of = slot.columns.iter().zip(&self.columns);
        then(
            of.map(|(expr, own)| match expr.program().as_column() {
                Some(place) => columns[place],
                None => own,
            })
            .collect(),
        )
    }
}

/// A statistic that is one aggregate, bound to these columns.
fn bind(slot: &Slot, columns: &[&[f64]]) -> Result<Statistic> {
    let names: Vec<String> = (0..columns.len()).map(|place| format!("c{place}")).collect();
    let table = Table::from_numbers(
        names.iter().zip(columns).map(|(name, column)| (name.as_str(), column.to_vec())),
    )?;
    let frame = Frame::new(&table, None, None, Counts::Fixed)?;
    let numbers = slot.numbers.iter().map(|number| format!("{number:?}"));
    let arguments: Vec<String> = names.iter().cloned().chain(numbers).collect();
    Statistic::parse(&[format!("{}({})", slot.aggregate, arguments.join(", "))], &frame)
}

/// The value of an aggregate straight from its rows, if that is known here.
fn aggregate(slot: &Slot, columns: &[&[f64]], scratch: &mut [Vec<f64>; 2]) -> Option<f64> {
    let x = *columns.first()?;
    let n = x.len() as f64;
    let freedom = n - slot.numbers.first().copied().unwrap_or(1.0);
    Some(match slot.aggregate.as_str() {
        "mean" => sum(x) / n,
        "sum" => sum(x),
        "var" => spread([x, x], scratch)[0] / freedom,
        "sd" => (spread([x, x], scratch)[0] / freedom).sqrt(),
        "covariance" => spread([x, columns[1]], scratch)[1] / freedom,
        "correlation" => {
            let [first, both, second] = spread([x, columns[1]], scratch);
            both / (first * second).sqrt()
        }
        "slope" => {
            let [_, both, second] = spread([x, columns[1]], scratch);
            both / second
        }
        "ratio" => sum(x) / n / (sum(columns[1]) / n),
        "difference" => sum(x) / n - sum(columns[1]) / n,
        "median" => quantile(x, 0.5, &mut scratch[0]),
        "quantile" => quantile(x, slot.numbers[0], &mut scratch[0]),
        _ => return None,
    })
}

/// Sums of squares and products of two columns about their means: xx, xy, yy.
fn spread(columns: [&[f64]; 2], scratch: &mut [Vec<f64>; 2]) -> [f64; 3] {
    for (column, centred) in columns.into_iter().zip(scratch.iter_mut()) {
        let mean = sum(column) / column.len() as f64;
        centred.clear();
        centred.extend(column.iter().map(|value| value - mean));
    }
    let [x, y] = scratch;
    if std::ptr::eq(columns[0], columns[1]) {
        return [dot(x, x); 3];
    }
    [dot(x, x), dot(x, y), dot(y, y)]
}

/// The quantile at `level` by linear interpolation between order statistics (type 7).
fn quantile(x: &[f64], level: f64, scratch: &mut Vec<f64>) -> f64 {
    scratch.clear();
    scratch.extend_from_slice(x);
    let at = (x.len() - 1) as f64 * level;
    let below = (at.floor() as usize).min(x.len() - 1);
    let (_, low, above) = scratch.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    match above.iter().copied().min_by(f64::total_cmp) {
        Some(high) if at > below as f64 => (at - below as f64).mul_add(high - low, low),
        _ => low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_expr::{Argument, Names};

    #[test]
    fn it_agrees_with_the_statistic_bound_to_the_same_data() {
        let x: Vec<f64> = (0..97u32).map(|i| f64::from(i * 37 % 89) / 7.0 + 3.0).collect();
        let y: Vec<f64> = (0..97u32).map(|i| 1.0 + f64::from(i * 53 % 41)).collect();
        let table = Table::from_numbers([("x", x.clone()), ("y", y.clone())]).unwrap();
        let frame = Frame::new(&table, None, None, Counts::Fixed).unwrap();
        let words = Vocabulary::new(Names::columns(["x", "y"]));
        let mut room = PlainRoom::default();
        let mut texts: Vec<String> = [
            "var(x, 0)",
            "sd(y, 0)",
            "covariance(x, y, 0)",
            "quantile(x, 0)",
            "quantile(x, 1)",
            "median(x)*sd(y) + mean(log(y))",
        ]
        .map(str::to_owned)
        .to_vec();
        for row in CATALOGUE.iter().filter(|row| row.name != "coefficients") {
            let mut columns = ["y", "x"].iter().cycle();
            let argument = |shape: &Argument| match shape {
                Argument::Column => (*columns.next().unwrap()).to_owned(),
                Argument::Number => "0.15".to_owned(),
            };
            let required = row.arguments.len() - row.optional;
            let arguments: Vec<String> = row.arguments[..required].iter().map(argument).collect();
            texts.push(format!("{}({})", row.name, arguments.join(", ")));
        }
        for text in &texts {
            let bound = Statistic::parse(&[text.to_owned()], &frame).unwrap().estimates()[0];
            let plain = Plain::parse(text, &words).unwrap().evaluate(&[&x, &y], &mut room);
            assert!((bound - plain).abs() <= 1e-12 * bound.abs(), "{text}: {bound} {plain}");
        }
        assert!(Plain::parse("coefficients(y, x)", &words).is_err());
        assert!(Plain::parse("quantile(x, 2)", &words).is_err());
    }
}
