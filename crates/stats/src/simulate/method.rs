//! Methods written as formulas: an estimate and, after semicolons, what is said beside it.
//!
//! ```text
//! mean(x)                                     a method of the textbook: t interval and test
//! centre = trimmed_mean(x, 0.1)               the same with a label
//! cv = sd(x)/mean(x); interval = bca          a bootstrap interval
//! cv = sd(x)/mean(x); se = …; interval = t    a standard error, t of rows - 1
//! d = mean(x); p = 2*normal_cdf(-abs(…)); truth = mu; null = 0
//! ```

use super::conditions::Condition;
use super::procedure::{Estimate, Outcome};
use super::recipe::{Recipe, assignment, constant};
use super::textbook::{Quantiles, Sample, TEXTBOOK, Textbook};
use crate::bootstrap::{Bootstrap, BootstrapOptions, Formulas, Method as Interval};
use crate::statistic::{Plain, PlainRoom};
use windfall_core::{Control, Error, Problem, Result, Seed, Serial, Stream, Table};
use windfall_expr::{Statistic as Formula, Vocabulary};

/// Resamples of a bootstrap within a replicate.
const RESAMPLES: u64 = 999;

/// A method under one condition.
#[derive(Debug)]
pub(crate) struct Method {
    label: String,
    finds: Finds,
    error: Option<Plain>,
    reach: Option<Reach>,
    p_value: Option<Plain>,
    truth: f64,
    null: f64,
    level: f64,
    /// The names of the generated columns, for a bootstrap.
    names: Vec<String>,
}

/// How the estimate is found.
#[derive(Debug)]
enum Finds {
    Textbook { textbook: &'static Textbook, formula: Formula },
    Formula(Plain),
}

/// How the interval is made.
#[derive(Debug)]
enum Reach {
    /// None, not even a normal one from the standard error.
    None,
    Normal,
    /// Degrees of freedom.
    Student(Plain),
    Bootstrap {
        options: BootstrapOptions,
    },
}

/// Room that methods work in.
#[derive(Debug, Default)]
pub(crate) struct Room {
    plain: PlainRoom,
    quantiles: Quantiles,
}

const KEYS: [&str; 6] = ["se", "interval", "p", "truth", "null", "resamples"];

impl Method {
    /// Reads a method.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Expression`] for a formula with a mistake,
    /// [`windfall_core::ErrorKind::Unknown`] for a key or an interval that does not exist.
    pub fn new(
        text: &str,
        recipe: &Recipe,
        condition: &Condition<'_>,
        (truth, null): (f64, f64),
        level: f64,
    ) -> Result<Self> {
        let mut parts = text.split(';').map(str::trim);
        let main = parts.next().unwrap_or_default();
        let (label, main) = labelled(main).unwrap_or((main, main));
        let words = recipe.vocabulary();
        let (label, names) = (label.to_owned(), recipe.names().map(str::to_owned).collect());
        let finds = Finds::new(main, words)?;
        let (error, reach, p_value) = (None, None, None);
        let mut method = Self { label, finds, error, reach, p_value, truth, null, level, names };
        let mut resamples = RESAMPLES;
        for part in parts.filter(|part| !part.is_empty()) {
            let Some((key, value)) = assignment(part) else {
                return Err(Error::invalid("method", part, "`key = value` after a semicolon"));
            };
            match key {
                "se" => method.error = Some(Plain::parse(value, words)?),
                "p" => method.p_value = Some(Plain::parse(value, words)?),
                "interval" => method.reach = Some(Reach::new(value, main, words)?),
                "truth" => method.truth = constant("truth", value, condition)?,
                "null" => method.null = constant("null", value, condition)?,
                "resamples" => resamples = constant("resamples", value, condition)? as u64,
                _ => return Err(Error::unknown("key of a method", key, &KEYS)),
            }
        }
        method.check(recipe.rows())?;
        if let Some(Reach::Bootstrap { options }) = &mut method.reach {
            (options.resamples, options.level) = (resamples, level);
            method.try_bootstrap()?;
        }
        Ok(method)
    }

    /// The name that the results give it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What it estimates, NaN if unknown.
    pub fn truth(&self) -> f64 {
        self.truth
    }

    /// What its test takes as the null hypothesis.
    pub fn null(&self) -> f64 {
        self.null
    }

    /// What it finds in the data.
    pub fn find(&self, columns: &[&[f64]], stream: &mut Stream, room: &mut Room) -> Outcome {
        let mut found = match &self.finds {
            Finds::Textbook { textbook, formula } => {
                let slot = &formula.slots()[0];
                let quantiles = &mut room.quantiles;
                room.plain.with_columns(slot, columns, |columns| {
                    let (numbers, null, level) = (&slot.numbers[..], self.null, self.level);
                    (textbook.find)(Sample { columns, numbers, null, level, quantiles })
                })
            }
            Finds::Formula(plain) => Estimate::new(plain.evaluate(columns, &mut room.plain)),
        };
        if !found.estimate.is_finite() {
            return Err(format!("`{}` has no value: it is `{}`", self.label, found.estimate));
        }
        if let Some(error) = &self.error {
            found.standard_error = error.evaluate(columns, &mut room.plain);
        }
        match &self.reach {
            None => {}
            // An interval without an end to either side would cover always; the mark of one that
            // is not told is a lower end alone.
            Some(Reach::None) => (found.low, found.high) = (f64::NEG_INFINITY, f64::NAN),
            Some(Reach::Normal) => {
                let reach = room.quantiles.normal(self.level) * found.standard_error;
                found = found.interval(found.estimate - reach, found.estimate + reach);
            }
            Some(Reach::Student(freedom)) => {
                let freedom = freedom.evaluate(columns, &mut room.plain);
                let reach = room.quantiles.student(freedom, self.level) * found.standard_error;
                found = found.interval(found.estimate - reach, found.estimate + reach);
            }
            Some(Reach::Bootstrap { options }) => {
                let interval = self.bootstrap(options, columns, stream);
                let (error, low, high) = interval.map_err(|error| error.to_string())?;
                found = found.interval(low, high);
                if found.standard_error.is_nan() {
                    found.standard_error = error;
                }
            }
        }
        if let Some(p_value) = &self.p_value {
            found.p_value = p_value.evaluate(columns, &mut room.plain);
        }
        Ok(found)
    }

    /// Refuses keys that lack what they need.
    fn check(&self, rows: usize) -> Result<()> {
        let told = self.error.is_some() || matches!(self.finds, Finds::Textbook { .. });
        match self.reach {
            Some(Reach::Normal | Reach::Student(_)) if !told => {
                Err(Error::invalid("interval", &self.label, "of a method with a standard error")
                    .hint("say it by `; se = …`, or let it be a bootstrap interval"))
            }
            Some(Reach::Bootstrap { .. }) if rows < 2 => {
                Err(Error::too_few("rows (`rows`)", rows as u64, 2))
            }
            _ => Ok(()),
        }
    }

    /// Standard error and interval of a bootstrap of the data.
    fn bootstrap(
        &self,
        options: &BootstrapOptions,
        columns: &[&[f64]],
        stream: &mut Stream,
    ) -> Result<(f64, f64, f64)> {
        let named = self.names.iter().zip(&columns[1..]);
        let table = Table::from_numbers(named.map(|(name, column)| (&name[..], column.to_vec())))?;
        let seed = Seed(u128::from(stream.next_u64()) | u128::from(stream.next_u64()) << 64);
        let answer = Bootstrap::new(&table, options.clone())?
            .with_seed(seed)
            .solve(&Serial, &Control::default())?;
        let quantity = &answer.quantities[0];
        let (low, high) =
            quantity.interval.as_ref().map_or((f64::NAN, f64::NAN), |ends| (ends.low, ends.high));
        Ok((quantity.standard_error.unwrap_or(f64::NAN), low, high))
    }

    /// Makes a bootstrap of arbitrary data ready, to see what is wrong with it.
    fn try_bootstrap(&self) -> Result<()> {
        let Some(Reach::Bootstrap { options }) = &self.reach else { return Ok(()) };
        let column = |place: usize| (0..5).map(move |row| 1.0 + ((row * (place + 2)) % 5) as f64);
        let named = self.names.iter().enumerate();
        let table = Table::from_numbers(
            named.map(|(place, name)| (name.as_str(), column(place).collect())),
        )?;
        Bootstrap::new(&table, options.clone()).map(drop)
    }
}

/// Splits `label = estimate`; a label may hold spaces, dots and hyphens.
fn labelled(text: &str) -> Option<(&str, &str)> {
    let (label, rest) = text.split_once('=')?;
    let label = label.trim();
    let is_label = |c: char| c.is_alphanumeric() || "_ .-".contains(c);
    let holds = !label.is_empty() && label.chars().all(is_label) && !rest.starts_with('=');
    holds.then_some((label, rest.trim()))
}

impl Finds {
    fn new(text: &str, words: &Vocabulary) -> Result<Self> {
        let own = TEXTBOOK.iter().map(|row| {
            windfall_expr::Aggregate::new(row.name, row.arguments).optional(row.optional)
        });
        let formula = Plain::read(text, &words.clone().with(own))?;
        let named = |name: &str| TEXTBOOK.iter().find(|row| row.name == name);
        if let Some(textbook) = formula.as_slot().and_then(|slot| named(&slot.aggregate)) {
            let slot = &formula.slots()[0];
            (textbook.check)(&slot.numbers)?;
            return Ok(Self::Textbook { textbook, formula });
        }
        let alone = formula
            .slots()
            .iter()
            .find(|slot| !crate::statistic::CATALOGUE.iter().any(|row| row.name == slot.aggregate));
        if let Some(slot) = alone {
            let expected =
                format!("`{}(…)` alone, which is a method and no number", slot.aggregate);
            return Err(Error::invalid("method", text, &expected));
        }
        Ok(Self::Formula(Plain::new(formula)?))
    }
}

impl Reach {
    fn new(text: &str, statistic: &str, words: &Vocabulary) -> Result<Self> {
        const KINDS: [&str; 7] =
            ["none", "normal", "t", "percentile", "basic", "bca", "studentised"];
        let bootstrap = |method| {
            let statistic = Formulas::from(statistic);
            let options =
                BootstrapOptions { statistic, method, distribution: false, ..Default::default() };
            Ok(Self::Bootstrap { options })
        };
        match text {
            "none" => Ok(Self::None),
            "normal" => Ok(Self::Normal),
            "t" => Ok(Self::Student(Plain::parse("rows - 1", words)?)),
            "percentile" => bootstrap(Interval::Percentile),
            "basic" => bootstrap(Interval::Basic),
            "bca" => bootstrap(Interval::Bca),
            "studentised" => bootstrap(Interval::Studentised),
            _ => match text.strip_prefix("t(").and_then(|rest| rest.strip_suffix(')')) {
                Some(freedom) => Ok(Self::Student(Plain::parse(freedom, words)?)),
                None => Err(Error::unknown("interval", text, &KINDS)),
            },
        }
    }
}
