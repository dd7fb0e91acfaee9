//! The columns a formula may use: their names, their values, and which rows they stand for.
//!
//! With independent samples in one table, `x.label` is column `x` within the rows of that label.

use windfall_core::{Column, Error, ErrorKind, Labels, Result, Table};
use windfall_expr::{Expr, Names, Workspace};

/// What a resample's weights are and how much of them is fixed beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// Whole numbers whose total, for the table and for each label, is the number of rows.
    Fixed,
    /// Whole numbers of varying total.
    Varying,
    /// Real numbers.
    Real,
}

/// What a permutation moves; nothing for statistics of the rows as they stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Moves {
    /// Nothing.
    #[default]
    Nothing,
    /// The labels: any row may come to stand under any of them.
    Labels,
    /// These columns, against the others.
    Columns(Vec<String>),
}

/// On which side of a pairing the columns of an expression stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// All stay.
    Still,
    /// All move, together.
    Moving,
    /// Some move and some stay.
    Mixed,
}

/// A table as formulas see it.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    table: &'a Table,
    names: Names,
    /// For each name the column it means and the label it is confined to.
    meanings: Vec<(String, Option<u32>)>,
    groups: Option<Labels>,
    weights: Option<Vec<f64>>,
    counts: Counts,
    /// The order in which rows are shown; none means as they stand.
    order: Option<Vec<u32>>,
    moves: Moves,
}

/// The values of an expression over columns, zero in the rows that it does not stand for.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    /// One value a row.
    pub values: Vec<f64>,
    /// The label whose rows they stand for; none means all rows.
    pub selection: Option<u32>,
    /// The expression.
    pub text: String,
    /// Whether its columns move in a pairing.
    pub side: Side,
}

impl<'a> Frame<'a> {
    /// Names the columns of `table`, within each label too if there are `groups`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if a weight is negative or all are zero.
    pub fn new(
        table: &'a Table,
        groups: Option<&str>,
        weights: Option<&str>,
        counts: Counts,
    ) -> Result<Self> {
        let groups = groups.map(|name| table.labels(name)).transpose()?;
        let mut meanings: Vec<(String, Option<u32>)> =
            table.names().map(|name| (name.to_owned(), None)).collect();
        let mut names: Vec<String> = table.names().map(str::to_owned).collect();
        for (code, label) in groups.iter().flat_map(|labels| labels.names()).enumerate() {
            for column in table.names() {
                if matches!(table.column(column)?, Column::Numbers(_)) {
                    names.push(format!("{column}.{label}"));
                    meanings.push((column.to_owned(), Some(code as u32)));
                }
            }
        }
        let weights = weights.map(|name| case_weights(table, name)).transpose()?;
        let names = Names::columns(names);
        let (order, moves) = (None, Moves::Nothing);
        Ok(Self { table, names, meanings, groups, weights, counts, order, moves })
    }

    /// The same frame, in which a permutation `moves` something: values stand in every row, for
    /// any of them may be shown. Needs [`Counts::Varying`].
    pub fn moving(mut self, moves: Moves) -> Self {
        self.moves = moves;
        self
    }

    /// What a permutation moves.
    pub fn moves(&self) -> &Moves {
        &self.moves
    }

    /// Shows the rows in another order, which for rows that are alike in law changes nothing but
    /// the time to walk along a column that is then sorted. Not for a frame with labels.
    pub fn reorder(&mut self, order: Vec<u32>) {
        if let Some(weights) = &mut self.weights {
            *weights = order.iter().map(|&row| weights[row as usize]).collect();
        }
        self.order = Some(order);
    }

    /// The names that formulas may use.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// The case weights.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// What a resample's weights are.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// For each row the code of its label, if there are labels.
    pub fn codes(&self) -> Option<&[u32]> {
        self.groups.as_ref().map(Labels::codes)
    }

    /// Whether `row` is among those a selection stands for.
    pub fn holds(&self, selection: Option<u32>, row: usize) -> bool {
        match (selection, &self.groups) {
            _ if self.moves == Moves::Labels => true,
            (Some(code), Some(groups)) => groups.codes()[row] == code,
            _ => true,
        }
    }

    /// The rows a selection stands for.
    pub fn selected(&self, selection: Option<u32>) -> impl Iterator<Item = usize> {
        (0..self.rows()).filter(move |&row| self.holds(selection, row))
    }

    /// The number of rows a selection stands for.
    pub fn count(&self, selection: Option<u32>) -> usize {
        self.selected(selection).count()
    }

    /// The column or part of a column called `name`.
    ///
    /// # Errors
    /// As [`Table::numbers`].
    pub fn named(&self, name: &str) -> Result<Values> {
        match self.names.find(name) {
            None => {
                let known: Vec<String> =
                    (0..self.names.len()).map(|index| self.names.name(index)).collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                Err(Error::unknown("column", name, &known))
            }
            Some(index) => {
                let (column, selection) = &self.meanings[index];
                let values = self.table.numbers(column)?.to_vec();
                let side = self.side(&[index]);
                Ok(Values { values, selection: *selection, text: name.to_owned(), side })
            }
        }
    }

    /// The values of an expression over columns.
    ///
    /// # Errors
    /// As [`Table::numbers`] for every column used; [`ErrorKind::Invalid`] if it mixes rows of two
    /// labels; [`ErrorKind::NotFinite`] with the first row where the expression has no value.
    pub fn values(&self, expr: &Expr) -> Result<Values> {
        let text = expr.text().to_owned();
        let used = expr.program().columns_used();
        let mut selection = None;
        for &index in &used {
            let own = self.meanings[index].1;
            if own.is_some() && selection.is_some() && own != selection {
                return Err(Error::invalid("statistic", text, "within one label at a time")
                    .hint("rows of different labels are not paired; aggregate each apart"));
            }
            selection = selection.or(own);
        }
        let mut columns: Vec<&[f64]> = vec![&[]; self.names.len()];
        for &index in &used {
            columns[index] = self.table.numbers(&self.meanings[index].0)?;
        }
        let mut values = vec![0.0; self.rows()];
        expr.evaluate(&columns, &mut values, &mut Workspace::new());
        for (row, value) in values.iter_mut().enumerate() {
            if !self.holds(selection, row) {
                *value = 0.0;
            } else if !value.is_finite() {
                let (what, row) = (format!("`{text}`"), row as u64);
                let kind = ErrorKind::NotFinite { what, row, value: *value };
                return Err(Error::new(kind).hint("leave such rows out, or guard with `if(…)`"));
            }
        }
        if let Some(order) = &self.order {
            values = order.iter().map(|&row| values[row as usize]).collect();
        }
        let side = self.side(&used);
        Ok(Values { values, selection, text, side })
    }

    /// On which side the columns with these indices stand.
    fn side(&self, used: &[usize]) -> Side {
        let Moves::Columns(moving) = &self.moves else { return Side::Still };
        let moves = |index: &usize| moving.contains(&self.meanings[*index].0);
        match used.iter().filter(|&index| moves(index)).count() {
            0 => Side::Still,
            some if some == used.len() => Side::Moving,
            _ => Side::Mixed,
        }
    }
}

fn case_weights(table: &Table, name: &str) -> Result<Vec<f64>> {
    let weights = table.numbers(name)?.to_vec();
    if let Some(row) = weights.iter().position(|&weight| weight < 0.0) {
        let value = format!("{} in row {row}", weights[row]);
        return Err(Error::invalid(name, value, "a column of weights, none negative"));
    }
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(Error::invalid(name, "zero in every row", "a column of weights"));
    }
    Ok(weights)
}
