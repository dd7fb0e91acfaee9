//! A statistic bound to its data: from arrangements to values.

use super::design::{Design, Kind};
use super::direct::{self, Direct};
use super::linear::Linear;
use crate::statistic::{Counts, Frame, Moves, Resamples, Scratch, Statistic, UserStatistic};
use std::fmt;
use std::ops::Range;
use windfall_core::{Column, Numbers, Result, Table};
use windfall_expr::{Expr, Workspace};

/// Where the value of a slot comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    /// A formula of aggregates, by its place.
    Formula(usize),
    /// A function, by its place.
    Direct(usize),
}

/// What is evaluated on each arrangement.
#[derive(Debug)]
pub(crate) struct Bound {
    pub names: Vec<String>,
    pub target: Target,
}

/// Formulas, or a user's function.
#[derive(Debug)]
pub(crate) enum Target {
    /// Formulas of slots.
    Formulas(Box<Formulas>),
    /// A user's function.
    User(User),
}

/// Formulas of slots.
#[derive(Debug)]
pub(crate) struct Formulas {
    pub inner: Option<Inner>,
    pub directs: Vec<Box<dyn Direct>>,
    pub slots: Vec<Slot>,
    /// Each quantity as an expression over a run of the slots.
    pub quantities: Vec<(Expr, Range<usize>)>,
}

/// The formulas of aggregates among the slots.
#[derive(Debug)]
pub(crate) enum Inner {
    /// From sums and parts of the arranged rows.
    Sums(Box<Statistic>, Linear),
    /// From a table that is arranged, and bound to, anew.
    Anew(Anew),
}

/// Formulas of expressions over columns that move and columns that stay.
#[derive(Debug)]
pub(crate) struct Anew {
    pub texts: Vec<String>,
    pub table: Table,
    pub moving: Vec<String>,
    /// Whether the columns move each by itself, their places one below the other.
    pub is_apart: bool,
}

impl Anew {
    fn values(&self, arrangement: &[u32]) -> Result<Vec<f64>> {
        let columns = self.table.columns().map(|(name, column)| {
            let place = self.moving.iter().position(|moving| moving == name);
            let column = match (column, place) {
                (Column::Numbers(numbers), Some(place)) => {
                    let place = if self.is_apart { place } else { 0 };
                    let shown = arranged(numbers.as_slice(), arrangement, place);
                    Column::Numbers(Numbers::from(shown.collect::<Vec<f64>>()))
                }
                (other, _) => other.clone(),
            };
            (name.to_owned(), column)
        });
        let table = Table::new(columns.collect())?;
        let frame = Frame::new(&table, None, None, Counts::Varying)?;
        let moves = match self.is_apart {
            true => Moves::Nothing,
            false => Moves::Columns(self.moving.clone()),
        };
        Ok(Statistic::parse(&self.texts, &frame.moving(moves))?.estimates())
    }
}

/// The values of a column as they are arranged, where it stands at `place` of columns one below the
/// other.
fn arranged<'a>(
    values: &'a [f64],
    arrangement: &'a [u32],
    place: usize,
) -> impl Iterator<Item = f64> + 'a {
    let start = place * values.len();
    let own = &arrangement[start..start + values.len()];
    own.iter().map(move |&row| values[row as usize - start])
}

/// Room that a shard works in.
#[derive(Debug, Default)]
pub(crate) struct Room {
    scratch: Scratch,
    direct: direct::Room,
    workspace: Workspace,
    weights: Vec<f64>,
    terms: Vec<f64>,
    inputs: Vec<f64>,
    inner: Vec<f64>,
    slots: Vec<f64>,
    columns: Vec<Vec<f64>>,
}

/// Empties `list` and fills it with so many zeros.
fn zeros(list: &mut Vec<f64>, count: usize) -> &mut [f64] {
    list.clear();
    list.resize(count, 0.0);
    list
}

impl Bound {
    /// The number of quantities.
    pub fn quantities(&self) -> usize {
        self.names.len()
    }

    /// The sums that alone decide the statistic, if there are such.
    pub fn linear(&self) -> Option<&Linear> {
        match &self.target {
            Target::Formulas(formulas) => match &formulas.inner {
                Some(Inner::Sums(statistic, linear))
                    if statistic.parts.is_empty() && formulas.directs.is_empty() =>
                {
                    Some(linear)
                }
                _ => None,
            },
            Target::User(_) => None,
        }
    }

    /// How many arrangements it likes to see at once, at least 1.
    pub fn batch(&self) -> usize {
        match &self.target {
            Target::Formulas(_) => 64,
            Target::User(user) => user.statistic.batch().max(1),
        }
    }

    /// Writes quantity `q` of arrangement `r` to `out[q * count + r]`, from the terms of
    /// [`Bound::linear`].
    pub fn values_from_terms(&self, terms: &[f64], count: usize, room: &mut Room, out: &mut [f64]) {
        let Target::Formulas(formulas) = &self.target else { return };
        let Some(Inner::Sums(statistic, linear)) = &formulas.inner else { return };
        linear.inputs(terms, count, zeros(&mut room.inputs, statistic.inputs() * count));
        formulas.finish(statistic, count, room, out);
    }

    /// Writes the quantities of arrangements that lie one after the other, quantity by quantity.
    ///
    /// # Errors
    /// What a user's function reports.
    pub fn values(
        &self,
        design: &Design,
        arrangements: &[u32],
        room: &mut Room,
        out: &mut [f64],
    ) -> Result<()> {
        match &self.target {
            Target::Formulas(formulas) => formulas.values(design, arrangements, room, out),
            Target::User(user) => user.values(design, arrangements, room, out),
        }
    }
}

impl Formulas {
    fn values(
        &self,
        design: &Design,
        arrangements: &[u32],
        room: &mut Room,
        out: &mut [f64],
    ) -> Result<()> {
        let (rows, count) = (design.rows(), out.len() / self.quantities.len());
        let each = || arrangements.chunks_exact(rows).enumerate();
        zeros(&mut room.slots, self.slots.len() * count);
        for (slot, place) in self.slots.iter().enumerate() {
            let Slot::Direct(direct) = place else { continue };
            for (r, arrangement) in each() {
                let value = self.directs[*direct].value(arrangement, &mut room.direct);
                room.slots[slot * count + r] = value;
            }
        }
        match &self.inner {
            None => self.outer(count, room, out),
            Some(Inner::Anew(anew)) => {
                zeros(&mut room.inner, anew.texts.len() * count);
                for (r, arrangement) in each() {
                    for (k, value) in anew.values(arrangement)?.into_iter().enumerate() {
                        room.inner[k * count + r] = value;
                    }
                }
                self.outer(count, room, out);
            }
            Some(Inner::Sums(statistic, linear)) => {
                let terms = zeros(&mut room.terms, linear.terms.len() * count);
                for (r, arrangement) in each() {
                    linear.terms_of(arrangement, (r, count), terms);
                }
                let inputs = zeros(&mut room.inputs, statistic.inputs() * count);
                linear.inputs(terms, count, inputs);
                if !statistic.parts.is_empty() {
                    let parts = &mut inputs[statistic.sums.len() * count..];
                    for (r, arrangement) in each() {
                        let (scratch, weights) = (&mut room.scratch, &mut room.weights);
                        let pool = statistic.rows;
                        for (part, out) in statistic.parts.iter().zip(parts.chunks_exact_mut(count))
                        {
                            weigh(design, arrangement, part.selection(), zeros(weights, pool));
                            out[r] = part.evaluate(weights, scratch);
                        }
                    }
                }
                self.finish(statistic, count, room, out);
            }
        }
        Ok(())
    }

    /// From sums and parts to quantities.
    fn finish(&self, statistic: &Statistic, count: usize, room: &mut Room, out: &mut [f64]) {
        let inner = zeros(&mut room.inner, statistic.quantities() * count);
        statistic.finish.evaluate(&room.inputs, inner, &mut room.workspace);
        if room.slots.len() != self.slots.len() * count {
            zeros(&mut room.slots, self.slots.len() * count);
        }
        self.outer(count, room, out);
    }

    /// From the formulas among the slots to quantities.
    fn outer(&self, count: usize, room: &mut Room, out: &mut [f64]) {
        for (slot, values) in self.slots.iter().zip(room.slots.chunks_exact_mut(count)) {
            if let Slot::Formula(place) = slot {
                values.copy_from_slice(&room.inner[place * count..][..count]);
            }
        }
        let slots: Vec<&[f64]> = room.slots.chunks_exact(count).collect();
        for ((expr, run), out) in self.quantities.iter().zip(out.chunks_exact_mut(count)) {
            expr.evaluate(&slots[run.clone()], out, &mut room.workspace);
        }
    }
}

/// Gives the rows of the pool that are shown, under a label if one is told, the weight 1.
fn weigh(design: &Design, arrangement: &[u32], label: Option<u32>, weights: &mut [f64]) {
    match (&design.kind, label) {
        (Kind::Labels(codes, _), Some(label)) => {
            for (&row, &code) in arrangement.iter().zip(codes) {
                weights[row as usize] = if code == label { 1.0 } else { 0.0 };
            }
        }
        _ => arrangement.iter().for_each(|&row| weights[row as usize] = 1.0),
    }
}

/// Which values of a column a user's function is given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shows {
    /// At each position, the row shown there.
    Arranged,
    /// The same, at the positions under a label.
    Label(u32),
    /// The column as it stands.
    Still,
    /// As it is arranged by itself, its place among those that are.
    Apart(usize),
}

/// A user's function with its columns, over the pool.
pub(crate) struct User {
    pub statistic: Box<dyn UserStatistic>,
    pub columns: Vec<(Vec<f64>, Shows)>,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("columns", &self.columns.len()).finish_non_exhaustive()
    }
}

impl User {
    fn values(
        &self,
        design: &Design,
        arrangements: &[u32],
        room: &mut Room,
        out: &mut [f64],
    ) -> Result<()> {
        let rows = design.rows();
        let gathered = &mut room.columns;
        gathered.resize(self.columns.len(), Vec::new());
        for ((values, shows), out) in self.columns.iter().zip(gathered.iter_mut()) {
            out.clear();
            for arrangement in arrangements.chunks_exact(rows) {
                let shown = || arrangement.iter().map(|&row| values[row as usize]);
                match (shows, &design.kind) {
                    (Shows::Still, _) => out.extend_from_slice(&values[..rows.min(values.len())]),
                    (Shows::Apart(place), _) => {
                        out.extend(arranged(values, arrangement, *place));
                    }
                    (Shows::Label(label), Kind::Labels(codes, _)) => {
                        let under = shown().zip(codes).filter(|(_, code)| *code == label);
                        out.extend(under.map(|(value, _)| value));
                    }
                    _ => out.extend(shown()),
                }
            }
        }
        let count = arrangements.len() / rows;
        self.statistic.evaluate(&Resamples::new(count, gathered), out)
    }
}
