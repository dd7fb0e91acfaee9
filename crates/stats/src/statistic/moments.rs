//! Moments: products of centred columns, and aggregates as formulas over their means.
//!
//! Columns are centred at their mean before they are multiplied, so that a variance is the small
//! difference of small numbers even when the data lie far from zero.

use super::frame::{Counts, Frame, Moves, Side, Values};
use windfall_expr::Names;

/// The place of a centred column in [`Moments`].
pub(crate) type Variable = usize;

/// A variance this small against its second moment is a rounding error, not a spread.
const ROUNDING: f64 = 1e-13;

/// The columns whose sums a statistic needs, collected while its formulas are written.
#[derive(Debug)]
pub(crate) struct Moments<'a> {
    frame: &'a Frame<'a>,
    variables: Vec<Centred>,
    keys: Vec<Key>,
    sums: Vec<Vec<f64>>,
}

#[derive(Debug)]
struct Centred {
    values: Vec<f64>,
    centre: f64,
    selection: Option<u32>,
    side: Side,
}

/// What a column of sums is made of, for those who rearrange rows.
#[derive(Debug)]
pub(crate) struct Term {
    /// The label whose rows are summed; none means all.
    pub selection: Option<u32>,
    /// In a pairing, the product of the columns that stay and of those that move; none where a
    /// factor is an expression of both. Empty products are left empty.
    pub factors: Option<[Vec<f64>; 2]>,
}

/// What a column of sums is: a product of variables, by the mass of the rows or by their count.
#[derive(Debug, PartialEq)]
struct Key {
    factors: Vec<Variable>,
    selection: Option<u32>,
    massed: bool,
}

impl<'a> Moments<'a> {
    /// No columns yet.
    pub fn new(frame: &'a Frame<'a>) -> Self {
        Self { frame, variables: Vec::new(), keys: Vec::new(), sums: Vec::new() }
    }

    /// The names of the inputs of a finishing formula: the sums so far, then `parts` parts.
    pub fn names(&self, parts: usize) -> Names {
        let sums = (0..self.sums.len()).map(|place| format!("s{place}"));
        Names::columns(sums.chain((0..parts).map(|place| format!("p{place}"))))
    }

    /// The columns, one value a row, and what they are made of.
    pub fn into_sums(self) -> (Vec<Vec<f64>>, Vec<Term>) {
        let terms = self.keys.iter().map(|key| self.term(key)).collect();
        (self.sums, terms)
    }

    fn term(&self, key: &Key) -> Term {
        let selection = key.selection;
        let pairs = matches!(self.frame.moves(), Moves::Columns(_));
        let is_mixed = |&v: &Variable| self.variables[v].side == Side::Mixed;
        if !pairs || key.factors.iter().any(is_mixed) {
            return Term { selection, factors: None };
        }
        let product = |side: Side| {
            let mut factors =
                key.factors.iter().map(|&v| &self.variables[v]).filter(|one| one.side == side);
            let first = factors.next().map_or_else(Vec::new, |one| one.values.clone());
            factors.fold(first, |product, one| {
                product.iter().zip(&one.values).map(|(a, b)| a * b).collect()
            })
        };
        Term { selection, factors: Some([product(Side::Still), product(Side::Moving)]) }
    }

    /// Centres a column, once.
    pub fn variable(&mut self, column: &Values) -> Variable {
        let (mut mass, mut total) = (0.0, 0.0);
        for row in self.frame.selected(column.selection) {
            let weight = self.frame.weights().map_or(1.0, |weights| weights[row]);
            mass += weight;
            total += weight * column.values[row];
        }
        let centre = if mass > 0.0 { total / mass } else { 0.0 };
        let mut values = vec![0.0; self.frame.rows()];
        for row in self.frame.selected(column.selection) {
            values[row] = column.values[row] - centre;
        }
        let known = self.variables.iter().position(|old| {
            (old.selection, old.side) == (column.selection, column.side)
                && old.centre == centre
                && old.values == values
        });
        known.unwrap_or_else(|| {
            let Values { selection, side, .. } = *column;
            self.variables.push(Centred { values, centre, selection, side });
            self.variables.len() - 1
        })
    }

    /// The mean that was subtracted from a variable, as text.
    pub fn centre(&self, variable: Variable) -> String {
        number(self.variables[variable].centre)
    }

    /// The mean of a product of variables of one selection, as text.
    pub fn mean(&mut self, factors: &[Variable]) -> String {
        let selection = self.variables[factors[0]].selection;
        let sum = self.sum(Key { factors: factors.to_vec(), selection, massed: true });
        format!("({sum}/{})", self.mass(selection))
    }

    /// The mass of a variable's rows, as text.
    pub fn mass_of(&mut self, variable: Variable) -> String {
        self.mass(self.variables[variable].selection)
    }

    /// The number of a variable's rows, as text.
    pub fn count_of(&mut self, variable: Variable) -> String {
        let selection = self.variables[variable].selection;
        match self.frame.counts() {
            Counts::Varying => self.sum(Key { factors: vec![], selection, massed: false }),
            Counts::Fixed | Counts::Real => number(self.frame.count(selection) as f64),
        }
    }

    fn mass(&mut self, selection: Option<u32>) -> String {
        match (self.frame.weights(), self.frame.counts()) {
            (None, Counts::Fixed) => number(self.frame.count(selection) as f64),
            (weights, _) => {
                let massed = weights.is_some();
                self.sum(Key { factors: vec![], selection, massed })
            }
        }
    }

    /// The name of a column's sum; makes the column at its first use.
    fn sum(&mut self, mut key: Key) -> String {
        key.factors.sort_unstable();
        let place = self.keys.iter().position(|old| *old == key).unwrap_or_else(|| {
            let column = (0..self.frame.rows()).map(|row| {
                if !self.frame.holds(key.selection, row) {
                    return 0.0;
                }
                let weights = self.frame.weights().filter(|_| key.massed);
                let start = weights.map_or(1.0, |weights| weights[row]);
                key.factors.iter().fold(start, |p, &v| p * self.variables[v].values[row])
            });
            self.sums.push(column.collect());
            self.keys.push(key);
            self.sums.len() - 1
        });
        format!("s{place}")
    }
}

/// A number as formulas read it.
pub(crate) fn number(value: f64) -> String {
    if value < 0.0 { format!("({value:?})") } else { format!("{value:?}") }
}

/// `mean(x)`.
pub(crate) fn mean(moments: &mut Moments<'_>, columns: &[Variable], _: &[f64]) -> String {
    format!("({} + {})", moments.mean(&[columns[0]]), moments.centre(columns[0]))
}

/// `sum(x)`.
pub(crate) fn sum(moments: &mut Moments<'_>, columns: &[Variable], _: &[f64]) -> String {
    format!("({}*{})", moments.mass_of(columns[0]), mean(moments, columns, &[]))
}

/// The central second moment of two variables, rounding errors of a constant sample cleared.
fn central(moments: &mut Moments<'_>, x: Variable, y: Variable) -> String {
    let (mx, my, mxy) = (moments.mean(&[x]), moments.mean(&[y]), moments.mean(&[x, y]));
    if x != y {
        return format!("({mxy} - {mx}*{my})");
    }
    format!("if({mxy} - {mx}*{mx} > {ROUNDING:?}*{mxy}, {mxy} - {mx}*{mx}, 0)")
}

/// `n/(n - ddof)`, `ddof` being the last argument or 1.
fn divisor(moments: &mut Moments<'_>, x: Variable, numbers: &[f64]) -> String {
    let (n, ddof) = (moments.count_of(x), numbers.first().copied().unwrap_or(1.0));
    if ddof == 0.0 { "1".to_owned() } else { format!("({n}/({n} - {}))", number(ddof)) }
}

/// `var(x, ddof)`.
pub(crate) fn var(moments: &mut Moments<'_>, columns: &[Variable], numbers: &[f64]) -> String {
    covariance(moments, &[columns[0], columns[0]], numbers)
}

/// `sd(x, ddof)`.
pub(crate) fn sd(moments: &mut Moments<'_>, columns: &[Variable], numbers: &[f64]) -> String {
    format!("sqrt({})", var(moments, columns, numbers))
}

/// `covariance(x, y, ddof)`.
pub(crate) fn covariance(
    moments: &mut Moments<'_>,
    columns: &[Variable],
    numbers: &[f64],
) -> String {
    let spread = central(moments, columns[0], columns[1]);
    format!("({spread}*{})", divisor(moments, columns[0], numbers))
}

/// `correlation(x, y)`: not a number where a column is constant.
pub(crate) fn correlation(moments: &mut Moments<'_>, columns: &[Variable], _: &[f64]) -> String {
    let (x, y) = (columns[0], columns[1]);
    let (vx, vy, vxy) = (central(moments, x, x), central(moments, y, y), central(moments, x, y));
    // Rounding can carry a perfect correlation beyond 1.
    format!("max(-1, min(1, {vxy}/(sqrt({vx})*sqrt({vy}))))")
}

/// `slope(y, x)`.
pub(crate) fn slope(moments: &mut Moments<'_>, columns: &[Variable], _: &[f64]) -> String {
    let (y, x) = (columns[0], columns[1]);
    format!("({}/{})", central(moments, y, x), central(moments, x, x))
}

/// `ratio(x, u)`.
pub(crate) fn ratio(moments: &mut Moments<'_>, columns: &[Variable], _: &[f64]) -> String {
    format!("({}/{})", mean(moments, &columns[..1], &[]), mean(moments, &columns[1..], &[]))
}

/// `difference(x, y)`.
pub(crate) fn difference(moments: &mut Moments<'_>, columns: &[Variable], _: &[f64]) -> String {
    format!("({} - {})", mean(moments, &columns[..1], &[]), mean(moments, &columns[1..], &[]))
}
