//! From formulas or a function to a statistic bound to the columns of a table.

use super::bound::{Anew, Bound, Formulas, Inner, Shows, Slot, Target, User};
use super::catalogue::{Build, Make, Serves, TESTS, TestStatistic};
use super::design::{Design, Kind};
use super::linear::Linear;
use super::options::PermutationOptions;
use super::orders::in_every_order;
use crate::statistic::{
    CATALOGUE, Counts, Frame, Moves, Side, Statistic, UserStatistic, Values, read,
};
use windfall_core::{Column, Error, Labels, Numbers, Result, Table};
use windfall_expr::{Aggregate, Statistic as Formula, Vocabulary};

/// The data as a design sees them.
enum Moved {
    /// The column of labels, and they.
    Labels(String, Labels),
    /// Each row in every order of these columns' values; of one column, with either sign.
    Orders(u32),
    /// The columns that move together.
    Columns(Vec<String>),
    /// The columns that move each by itself.
    Apart(Vec<String>),
}

/// A table about to be permuted.
pub(super) struct Binder {
    /// The pool: the table, or every row once for each order.
    pool: Table,
    rows: usize,
    moved: Moved,
}

impl Binder {
    /// Reads what the options say is permuted.
    pub fn new(table: &Table, options: &PermutationOptions) -> Result<Self> {
        let rows = table.rows();
        if let Some(name) = &options.groups {
            let labels = table.labels(name)?;
            if labels.names().len() < 2 {
                return Err(Error::too_few("groups", labels.names().len() as u64, 2));
            }
            let moved = Moved::Labels(name.clone(), labels);
            return Ok(Self { pool: table.clone(), rows, moved });
        }
        if let Some(samples) = &options.samples {
            let (pool, orders) = in_every_order(table, samples.texts())?;
            return Ok(Self { pool, rows, moved: Moved::Orders(orders) });
        }
        let columns = options.permute.as_ref().map_or(&[][..], |columns| columns.texts());
        if columns.is_empty() {
            return Err(Error::too_few("columns to permute", 0, 1));
        }
        columns.iter().try_for_each(|name| table.numbers(name).map(drop))?;
        // Of a single column the two are the same, and together is faster.
        let moved = match options.separately && columns.len() > 1 {
            true => Moved::Apart(columns.to_vec()),
            false => Moved::Columns(columns.to_vec()),
        };
        Ok(Self { pool: table.clone(), rows, moved })
    }

    /// What is rearranged, within `strata`.
    pub fn design(&self, strata: Option<&[u32]>) -> Design {
        let kind = match &self.moved {
            Moved::Apart(columns) => return Design::apart(columns.len(), self.rows, strata),
            Moved::Labels(_, labels) => Kind::Labels(labels.codes().to_vec(), labels.names().len()),
            Moved::Orders(orders) => Kind::Orders(*orders),
            Moved::Columns(_) => Kind::Pairings,
        };
        Design::new(kind, self.rows, strata)
    }

    /// The columns of `table` as formulas see them; `derived` ones move as they are told.
    fn frame<'t>(
        &self,
        table: &'t Table,
        derived: &[(String, Vec<f64>, Side)],
    ) -> Result<Frame<'t>> {
        let groups = match &self.moved {
            Moved::Labels(name, _) => Some(name.as_str()),
            _ => None,
        };
        let frame = Frame::new(table, groups, None, Counts::Varying)?;
        Ok(frame.moving(match &self.moved {
            Moved::Labels(..) => Moves::Labels,
            // Columns that move apart are arranged before a formula sees them.
            Moved::Orders(_) | Moved::Apart(_) => Moves::Nothing,
            Moved::Columns(columns) => {
                let moving = derived.iter().filter(|(.., side)| *side == Side::Moving);
                let names = moving.map(|(name, ..)| name).chain(columns);
                Moves::Columns(names.cloned().collect())
            }
        }))
    }

    /// Whether a test statistic is for this design; of labels, of as many as there are.
    fn serves(&self, test: &TestStatistic) -> bool {
        match (&self.moved, test.serves) {
            (Moved::Labels(_, labels), Serves::TwoGroups) => labels.names().len() == 2,
            (Moved::Labels(..), Serves::Groups)
            | (Moved::Orders(_), Serves::Samples)
            | (Moved::Columns(_), Serves::Pairings) => true,
            _ => false,
        }
    }

    /// Binds formulas; also says whether all are large whatever the departure.
    pub fn formulas(&self, texts: &[String], design: &Design) -> Result<(Bound, bool)> {
        let frame = self.frame(&self.pool, &[])?;
        let parsed = self.parse(texts, &frame)?;
        let (codes, labels) = match &self.moved {
            Moved::Labels(_, labels) => (labels.codes(), labels.names()),
            _ => (&[][..], &[][..]),
        };
        let taken = self.pool.names().map(str::to_owned).collect();
        let mut build = Build { codes, labels, rows: self.rows, taken, derived: Vec::new() };
        let (mut inner, mut directs, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        let (mut quantities, mut is_large) = (Vec::new(), true);
        for formula in &parsed {
            let first = slots.len();
            let whole = formula.as_slot().and_then(|slot| self.test(&slot.aggregate));
            is_large &= whole.is_some_and(|test| test.is_large_when_extreme);
            for slot in formula.slots() {
                let Some(test) = self.test(&slot.aggregate) else {
                    self.check_moves(slot)?;
                    inner.push(written(slot)?);
                    slots.push(Slot::Formula(inner.len() - 1));
                    continue;
                };
                let columns = self.columns_of(slot, test, &frame)?;
                slots.push(match &test.make {
                    Make::Formula(write) => {
                        inner.push(write(&mut build, &columns, &slot.numbers));
                        Slot::Formula(inner.len() - 1)
                    }
                    Make::Direct(make) => {
                        directs.push(make(&build, &columns)?);
                        Slot::Direct(directs.len() - 1)
                    }
                });
            }
            quantities.push((formula.outer().clone(), first..slots.len()));
        }
        let derived = build.derived;
        let inner = match inner.is_empty() {
            true => None,
            false => Some(self.inner(inner, &derived, design)?),
        };
        let still = match &inner {
            Some(Inner::Sums(statistic, linear)) => {
                let mut parts = statistic.parts.iter().map(|part| part.selection());
                !linear.moves() && parts.all(|label| self.is_still(label))
            }
            _ => false,
        };
        if directs.is_empty() && (inner.is_none() || still) {
            return Err(self.unmoved(&texts.join(", ")));
        }
        let target = Target::Formulas(Box::new(Formulas { inner, directs, slots, quantities }));
        Ok((Bound { names: texts.to_vec(), target }, is_large))
    }

    /// Reads formulas of aggregates and test statistics; all mistakes at once.
    fn parse(&self, texts: &[String], frame: &Frame<'_>) -> Result<Vec<Formula>> {
        let known = |name: &str| CATALOGUE.iter().any(|row| row.name == name);
        let tests = TESTS.iter().filter(|test| self.serves(test) || !known(test.name));
        let tests = tests.map(|test| (test.name, test.arguments, test.optional));
        let aggregates = CATALOGUE.iter().map(|row| (row.name, row.arguments, row.optional));
        let words = tests
            .chain(aggregates)
            .map(|(name, arguments, optional)| Aggregate::new(name, arguments).optional(optional));
        let vocabulary = Vocabulary::new(frame.names().clone()).with(words);
        read(texts, &vocabulary)
    }

    /// The test statistic that a word means here.
    fn test(&self, name: &str) -> Option<&'static TestStatistic> {
        let named = TESTS.iter().filter(|test| test.name == name);
        let mut known = named
            .filter(|test| self.serves(test) || !CATALOGUE.iter().any(|row| row.name == test.name));
        known.next()
    }

    /// The columns of a call of a test statistic.
    fn columns_of(
        &self,
        slot: &windfall_expr::Slot,
        test: &TestStatistic,
        frame: &Frame<'_>,
    ) -> Result<Vec<Values>> {
        if !self.serves(test) {
            let others = TESTS.iter().filter(|other| self.serves(other)).map(|other| other.name);
            let others: Vec<&str> = others.collect();
            let expected = format!("a statistic of this design: it is for {}", test.serves.told());
            let hint = match others.as_slice() {
                [] => "here there are formulas of aggregates, such as `correlation(x, y)`".into(),
                some => format!("here there are {}, and formulas of aggregates", some.join(", ")),
            };
            return Err(Error::invalid("statistic", test.name, &expected).hint(hint));
        }
        let columns: Vec<Values> =
            slot.columns.iter().map(|expr| frame.values(expr)).collect::<Result<_>>()?;
        if let Some(column) = columns.iter().find(|column| column.selection.is_some()) {
            let expected = "a column of all groups";
            return Err(Error::invalid(test.name, &column.text, expected).hint(format!(
                "`{}` tells the groups apart by itself: leave out the label",
                test.name
            )));
        }
        let sides: Vec<Side> = columns.iter().map(|column| column.side).collect();
        if let Moved::Columns(_) = self.moved
            && (sides.iter().all(|side| *side == sides[0]) || sides.contains(&Side::Mixed))
        {
            let told = columns.iter().map(|column| column.text.as_str()).collect::<Vec<_>>();
            return Err(self.unmoved(&format!("{}({})", test.name, told.join(", "))));
        }
        Ok(columns)
    }

    /// Binds the formulas of aggregates.
    fn inner(
        &self,
        texts: Vec<String>,
        derived: &[(String, Vec<f64>, Side)],
        design: &Design,
    ) -> Result<Inner> {
        let own = self.pool.columns().map(|(name, column)| (name.to_owned(), column.clone()));
        let more = derived.iter().map(|(name, values, _)| {
            (name.clone(), Column::Numbers(Numbers::from(values.clone())))
        });
        let table = Table::new(own.chain(more).collect())?;
        let frame = self.frame(&table, derived)?;
        let moving = match frame.moves() {
            Moves::Columns(columns) => columns.clone(),
            _ => Vec::new(),
        };
        let statistic = Statistic::parse(&texts, &frame)?;
        if let Moved::Apart(columns) = &self.moved {
            return Ok(Inner::Anew(Anew { texts, moving: columns.clone(), table, is_apart: true }));
        }
        let sums_suffice = moving.is_empty() || statistic.parts.is_empty();
        match Linear::new(&statistic, design).filter(|_| sums_suffice) {
            Some(linear) => Ok(Inner::Sums(Box::new(statistic), linear)),
            None => Ok(Inner::Anew(Anew { texts, table, moving, is_apart: false })),
        }
    }

    /// Where columns move apart, checks that an aggregate looks at two that do not stay together.
    fn check_moves(&self, slot: &windfall_expr::Slot) -> Result<()> {
        let Moved::Apart(columns) = &self.moved else { return Ok(()) };
        let side_of = |moving: Vec<String>| {
            let frame = Frame::new(&self.pool, None, None, Counts::Varying)?;
            let frame = frame.moving(Moves::Columns(moving));
            let sides = slot.columns.iter().map(|expr| Ok(frame.values(expr)?.side));
            sides.collect::<Result<Vec<Side>>>()
        };
        let is_seen = |column: &String| {
            Ok(side_of(vec![column.clone()])?.iter().any(|side| *side != Side::Still))
        };
        let seen: Vec<bool> = columns.iter().map(is_seen).collect::<Result<_>>()?;
        let moving = seen.iter().filter(|&&seen| seen).count();
        let looks_at_still = side_of(columns.clone())?.iter().any(|side| *side != Side::Moving);
        match moving {
            0 => Err(self.unmoved(&written(slot)?)),
            1 if !looks_at_still => Err(self.unmoved(&written(slot)?)),
            _ => Ok(()),
        }
    }

    /// Whether a part that looks at this label is the same under every arrangement.
    fn is_still(&self, label: Option<u32>) -> bool {
        matches!(self.moved, Moved::Labels(..)) && label.is_none()
    }

    /// No arrangement changes this statistic.
    fn unmoved(&self, text: &str) -> Error {
        let hint = match &self.moved {
            Moved::Labels(_, labels) => format!(
                "use a test statistic such as `mean_difference(x)`, or columns within groups such \
                 as `x.{}`",
                labels.names()[0]
            ),
            Moved::Orders(_) => {
                "it must tell the related samples apart, as `mean(a - b)` does".into()
            }
            Moved::Columns(columns) | Moved::Apart(columns) => format!(
                "it must pair `{}`, which is permuted, with a column that stays",
                columns.join("`, `")
            ),
        };
        Error::invalid("statistic", text, "one that permutations change").hint(hint)
    }

    /// Binds a user's function to the columns named, or to those that the design suggests.
    pub fn user(&self, statistic: Box<dyn UserStatistic>, columns: &[String]) -> Result<Bound> {
        let frame = self.frame(&self.pool, &[])?;
        let names = match columns {
            [] => self.columns_for_users(),
            columns => columns.to_vec(),
        };
        let shown = |name: &String| {
            let values = frame.named(name)?;
            let shows = match (values.selection, values.side) {
                (Some(label), _) => Shows::Label(label),
                (None, Side::Still) if self.has_pairs() => Shows::Still,
                _ => Shows::Arranged,
            };
            let apart = self.place_apart(name).map(Shows::Apart);
            Ok((values.values, apart.unwrap_or(shows)))
        };
        let columns = names.iter().map(shown).collect::<Result<_>>()?;
        let names = statistic.names();
        Ok(Bound { names, target: Target::User(User { statistic, columns }) })
    }

    /// The place of a column among those that move each by itself.
    fn place_apart(&self, name: &str) -> Option<usize> {
        match &self.moved {
            Moved::Apart(columns) => columns.iter().position(|column| column == name),
            _ => None,
        }
    }

    fn has_pairs(&self) -> bool {
        matches!(self.moved, Moved::Columns(_) | Moved::Apart(_))
    }

    fn columns_for_users(&self) -> Vec<String> {
        let is_numbers = |name: &&str| matches!(self.pool.column(name), Ok(Column::Numbers(_)));
        let numbers = || self.pool.names().filter(is_numbers);
        match &self.moved {
            Moved::Labels(groups, labels) => {
                let own = |label: &String| {
                    let columns = numbers().filter(|name| name != groups);
                    columns.map(|name| format!("{name}.{label}")).collect::<Vec<_>>()
                };
                labels.names().iter().flat_map(own).collect()
            }
            _ => numbers().map(str::to_owned).collect(),
        }
    }
}

/// A call of an aggregate, as text.
fn written(slot: &windfall_expr::Slot) -> Result<String> {
    if slot.aggregate == "coefficients" {
        return Err(Error::invalid("statistic", "coefficients", "one number")
            .hint("for one slope there is `slope(y, x)`"));
    }
    let columns = slot.columns.iter().map(|expr| expr.text().to_owned());
    let arguments: Vec<String> =
        columns.chain(slot.numbers.iter().map(|number| format!("({number:?})"))).collect();
    Ok(format!("{}({})", slot.aggregate, arguments.join(", ")))
}
