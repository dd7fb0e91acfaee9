//! Columns of generated data, written as `x = normal(mean, sd)` or as a formula of what is there.
//!
//! A formula may use the factors of the condition, `rows`, the number of the `row` from 0, and the
//! columns that come before its own.

use super::conditions::Condition;
use super::laws::{LAWS, Law, Parameter, Range};
use windfall_core::{Error, ErrorKind, Result, Stream};
use windfall_expr::{Expr, Names, Vocabulary, Workspace};

/// The column that numbers the rows.
const ROW: &str = "row";
/// The most rows of a data set.
const ROWS_MAX: f64 = 100_000_000.0;

/// How the data of a condition are made.
#[derive(Debug)]
pub(crate) struct Recipe {
    rows: usize,
    columns: Vec<Made>,
    vocabulary: Vocabulary,
}

/// One column.
#[derive(Debug)]
struct Made {
    name: String,
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    /// A formula of the columns before.
    Formula(Expr),
    /// Draws of a law.
    Draws { law: &'static Law, parameters: Vec<Setting>, value: Option<Expr> },
}

/// A parameter of a law.
#[derive(Debug)]
enum Setting {
    One(f64),
    Each(Expr),
}

/// Data, and room to make them in.
#[derive(Debug, Default)]
pub(crate) struct Data {
    /// The rows' numbers, then the columns.
    pub columns: Vec<Vec<f64>>,
    parameters: Vec<Vec<f64>>,
    draws: Vec<f64>,
    workspace: Workspace,
}

impl Data {
    /// The columns as slices, the rows' numbers first.
    pub fn slices(&self) -> Vec<&[f64]> {
        self.columns.iter().map(Vec::as_slice).collect()
    }
}

/// The number of rows that `text` asks for under a condition; the factor `n` without a text.
pub(crate) fn rows(text: Option<&str>, condition: &Condition<'_>) -> Result<usize> {
    let text = match text {
        Some(text) => text,
        None if condition.numbers().any(|(name, _)| name == "n") => "n",
        None => {
            return Err(Error::invalid("rows", "missing", "the number of rows of a data set")
                .hint("give a factor `n`, or `rows`"));
        }
    };
    let found = constant("rows", text, condition)?;
    if found.fract() != 0.0 || !(1.0..=ROWS_MAX).contains(&found) {
        return Err(Error::invalid("rows", found, "a whole number from 1 to 10^8"));
    }
    Ok(found as usize)
}

/// The number that `text` is under a condition.
pub(crate) fn constant(what: &str, text: &str, condition: &Condition<'_>) -> Result<f64> {
    let words = Vocabulary::new(Names::columns(Vec::<String>::new()));
    let value = parse(text, &words.with_constants(condition.numbers()))?
        .evaluate_one(&[], &mut Workspace::new());
    if value.is_finite() {
        return Ok(value);
    }
    Err(Error::invalid(what, value, &format!("finite under `{}`", condition.key())))
}

/// Reads a formula.
fn parse(text: &str, vocabulary: &Vocabulary) -> Result<Expr> {
    Expr::parse_with(text, vocabulary).map_err(|problems| {
        let error = Error::new(ErrorKind::Expression { report: problems.to_string() });
        let is_law = |law: &Law| text.contains(&format!("{}(", law.name));
        match LAWS.iter().find(|law| is_law(law)) {
            Some(law) => error.hint(format!(
                "a draw has a column of its own: write `z = {}(…)`, then use `z`",
                law.name
            )),
            None => error,
        }
    })
}

impl Recipe {
    /// Reads the columns of a condition.
    ///
    /// # Errors
    /// [`ErrorKind::Expression`] for a formula with a mistake, [`ErrorKind::Invalid`] for a column
    /// without a name and for a parameter out of its range.
    pub fn new(texts: &[String], rows: usize, condition: &Condition<'_>) -> Result<Self> {
        if texts.is_empty() {
            return Err(
                Error::too_few("generated columns", 0, 1).hint("write such as `x = normal(0, 1)`")
            );
        }
        let mut columns: Vec<Made> = Vec::new();
        let words = |columns: &[Made]| {
            let own = columns.iter().map(|column| column.name.as_str());
            Vocabulary::new(Names::columns(std::iter::once(ROW).chain(own)))
                .with_constants(condition.numbers())
                .with_constants([("rows", rows as f64)])
        };
        for text in texts {
            let (name, rule) = assignment(text).ok_or_else(|| {
                Error::invalid("generate", text, "a column with a name")
                    .hint("write such as `x = normal(0, 1)`")
            })?;
            let is_taken = columns.iter().any(|column| column.name == name)
                || condition.numbers().any(|(factor, _)| factor == name)
                || [ROW, "rows"].contains(&name);
            if is_taken {
                return Err(Error::invalid("generate", name, "a name that nothing else has"));
            }
            let rule = Rule::new(rule, &words(&columns))?;
            columns.push(Made { name: name.to_owned(), rule });
        }
        let vocabulary = words(&columns);
        Ok(Self { rows, columns, vocabulary })
    }

    /// What a formula over the data may mention.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Makes one data set.
    ///
    /// # Errors
    /// A sentence on a parameter that is out of its range in some row.
    pub fn make(&self, stream: &mut Stream, data: &mut Data) -> Result<(), String> {
        data.columns.resize_with(self.columns.len() + 1, Vec::new);
        if data.columns[0].len() != self.rows {
            data.columns[0] = (0..self.rows).map(|row| row as f64).collect();
        }
        for (place, column) in self.columns.iter().enumerate() {
            let (before, rest) = data.columns.split_at_mut(place + 1);
            let before: Vec<&[f64]> = before.iter().map(Vec::as_slice).collect();
            let out = &mut rest[0];
            out.resize(self.rows, 0.0);
            match &column.rule {
                Rule::Formula(expr) => expr.evaluate(&before, out, &mut data.workspace),
                Rule::Draws { law, parameters, value } => {
                    let room = (&mut data.parameters, &mut data.draws, &mut data.workspace);
                    draw(law, parameters, value.as_ref(), (&before, stream), room, out)
                        .map_err(|error| format!("column `{}`: {error}", column.name))?;
                }
            }
        }
        Ok(())
    }
}

/// Draws a column.
fn draw(
    law: &Law,
    settings: &[Setting],
    value: Option<&Expr>,
    (before, stream): (&[&[f64]], &mut Stream),
    (columns, draws, workspace): (&mut Vec<Vec<f64>>, &mut Vec<f64>, &mut Workspace),
    out: &mut [f64],
) -> Result<(), String> {
    columns.resize_with(settings.len(), Vec::new);
    for ((setting, column), &(name, range)) in
        settings.iter().zip(columns.iter_mut()).zip(law.parameters)
    {
        let Setting::Each(expr) = setting else { continue };
        column.resize(out.len(), 0.0);
        expr.evaluate(before, column, workspace);
        if let Some(row) = column.iter().position(|&value| !range.holds(value)) {
            let (value, told) = (column[row], range.told());
            return Err(format!("`{name}` of {} is `{value}` in row {row}, not {told}", law.name));
        }
    }
    let parameters: Vec<Parameter<'_>> = settings
        .iter()
        .zip(columns.iter())
        .map(|(setting, column)| match setting {
            Setting::One(value) => Parameter::One(*value),
            Setting::Each(_) => Parameter::Each(column),
        })
        .collect();
    let Some(value) = value else {
        return law.base.draw(&parameters, stream, out).map_err(|error| error.to_string());
    };
    draws.resize(out.len(), 0.0);
    law.base.draw(&parameters, stream, draws).map_err(|error| error.to_string())?;
    let mut inputs: Vec<&[f64]> = vec![draws];
    inputs.extend(parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Each(values) => Some(*values),
        Parameter::One(_) => None,
    }));
    value.evaluate(&inputs, out, workspace);
    Ok(())
}

impl Rule {
    fn new(text: &str, words: &Vocabulary) -> Result<Self> {
        let Some((law, arguments)) = law_of(text) else {
            return Ok(Self::Formula(parse(text, words)?));
        };
        let wanted: Vec<&str> = law.parameters.iter().map(|(name, _)| *name).collect();
        if arguments.len() != wanted.len() {
            let expected = format!("`{}({})`", law.name, wanted.join(", "));
            return Err(Error::invalid("generate", text, &expected));
        }
        let mut parameters = Vec::new();
        for (argument, &(name, range)) in arguments.iter().zip(law.parameters) {
            parameters.push(Setting::new(argument, words, (law, name, range))?);
        }
        let value = match law.value {
            "" => None,
            text => {
                let pairs = || wanted.iter().zip(&parameters);
                let varying = pairs().filter(|(_, setting)| matches!(setting, Setting::Each(_)));
                let names = std::iter::once("z").chain(varying.map(|(name, _)| *name));
                let fixed = pairs().filter_map(|(name, setting)| match setting {
                    Setting::One(value) => Some((*name, *value)),
                    Setting::Each(_) => None,
                });
                let words = Vocabulary::new(Names::columns(names)).with_constants(fixed);
                Some(parse(text, &words)?)
            }
        };
        Ok(Self::Draws { law, parameters, value })
    }
}

impl Setting {
    fn new(
        text: &str,
        words: &Vocabulary,
        (law, name, range): (&Law, &str, Range),
    ) -> Result<Self> {
        let expr = parse(text, words)?;
        if !expr.program().columns_used().is_empty() {
            return Ok(Self::Each(expr));
        }
        let value = expr.evaluate_one(&vec![0.0; words.names().len()], &mut Workspace::new());
        if range.holds(value) {
            return Ok(Self::One(value));
        }
        Err(Error::invalid(&format!("`{name}` of {}", law.name), value, range.told()))
    }
}

/// Splits `name = rest`; none if the text does not begin so.
pub(crate) fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim();
    let is_name = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_name && !rest.starts_with('=')).then_some((name, rest.trim()))
}

/// The law that `text` calls, if it is one call of a law and nothing else, with its arguments.
fn law_of(text: &str) -> Option<(&'static Law, Vec<&str>)> {
    let (name, rest) = text.split_once('(')?;
    let law = LAWS.iter().find(|law| law.name == name.trim())?;
    let inside = rest.trim_end().strip_suffix(')')?;
    let (mut depth, mut start, mut arguments) = (0i32, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    arguments.push(&inside[start..]);
    (depth == 0).then_some((law, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_of_a_law_is_told_from_a_formula() {
        let names = |text| law_of(text).map(|(law, arguments)| (law.name, arguments.len()));
        assert_eq!(names("normal(0, max(1, 2))"), Some(("normal", 2)));
        assert_eq!(names("t(3)"), Some(("t", 1)));
        for text in ["normal(0, 1) + 1", "1 + normal(0, 1)", "x", "(t(3))", "exp(2)", "t(3) + t(3)"]
        {
            assert_eq!(names(text), None, "{text}");
        }
    }

    #[test]
    fn an_assignment_is_no_comparison() {
        assert_eq!(assignment("x = y == 1"), Some(("x", "y == 1")));
        assert_eq!(assignment("x == 1"), None);
        assert_eq!(assignment("mean(x) == 1"), None);
        assert_eq!(assignment("mean(x)"), None);
    }
}
