//! Linear forms: the sums that a statistic needs, as functions of the arrangement.
//!
//! Every aggregate of moments rests on sums over positions `Σ still(p) · moving(arrangement(p))`.
//! Where labels move, `still` is 1 under one label and 0 elsewhere; where related samples are
//! exchanged it is 1; where a column is permuted it is the product of the columns that stay. Sums
//! that no arrangement changes are computed once.

use super::design::{Design, Kind};
use crate::statistic::Statistic;

/// The factor of a term that stays at its position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Still {
    /// One everywhere.
    Ones,
    /// One under this label.
    Label(u32),
    /// A number for each position.
    Factor(Vec<f64>),
}

/// One sum over the positions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    /// The column that moves.
    pub column: usize,
    /// What it is multiplied by.
    pub still: Still,
}

/// Where a sum of the statistic comes from.
#[derive(Clone, Debug, PartialEq)]
enum Input {
    /// The same under every arrangement.
    Constant(f64),
    /// A term.
    Term(usize),
    /// What these terms leave of a total: the sum under the last label.
    Rest(f64, Vec<usize>),
}

/// The sums of a statistic.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    /// The columns that move, over the pool.
    pub columns: Vec<Vec<f64>>,
    /// The terms to be computed for each arrangement.
    pub terms: Vec<Term>,
    /// Positions under each label.
    members: Vec<Vec<u32>>,
    inputs: Vec<Input>,
}

impl Linear {
    /// The sums of `statistic`; none if one is a sum over an expression of columns that move and
    /// columns that stay.
    pub fn new(statistic: &Statistic, design: &Design) -> Option<Self> {
        let members = match &design.kind {
            Kind::Labels(codes, labels) => (0..*labels as u32)
                .map(|label| (0..codes.len() as u32).filter(move |&p| codes[p as usize] == label))
                .map(Iterator::collect)
                .collect(),
            _ => Vec::new(),
        };
        let mut linear =
            Self { columns: Vec::new(), terms: Vec::new(), members, inputs: Vec::new() };
        for (column, term) in statistic.sums.iter().zip(&statistic.terms) {
            let input = match (&design.kind, term.selection, &term.factors) {
                (Kind::Labels(..), Some(label), _) => linear.under_label(column, label),
                (Kind::Labels(..), None, _) => Input::Constant(windfall_lanes::sum(column)),
                (Kind::Orders(_), ..) => linear.exchanged(column, design.rows()),
                (Kind::Pairings, _, Some(factors)) => linear.paired(column, factors),
                (Kind::Pairings, _, None) => return None,
            };
            linear.inputs.push(input);
        }
        linear.spare_the_largest();
        Some(linear)
    }

    /// Nothing but these terms, for the tests of what draws them.
    #[cfg(test)]
    pub fn of(columns: Vec<Vec<f64>>, terms: Vec<Term>) -> Self {
        Self { columns, terms, members: Vec::new(), inputs: Vec::new() }
    }

    /// Whether an arrangement changes any sum.
    pub fn moves(&self) -> bool {
        !self.terms.is_empty()
    }

    /// The positions under a label.
    pub fn members(&self, label: u32) -> &[u32] {
        &self.members[label as usize]
    }

    fn under_label(&mut self, column: &[f64], label: u32) -> Input {
        match column.iter().all(|x| *x == column[0]) {
            true => Input::Constant(column[0] * self.members[label as usize].len() as f64),
            false => self.term(column, Still::Label(label)),
        }
    }

    fn exchanged(&mut self, column: &[f64], rows: usize) -> Input {
        let (first, others) = column.split_at(rows);
        match others.chunks_exact(rows).all(|other| other == first) {
            true => Input::Constant(windfall_lanes::sum(first)),
            false => self.term(column, Still::Ones),
        }
    }

    fn paired(&mut self, column: &[f64], [still, moving]: &[Vec<f64>; 2]) -> Input {
        let constant = |side: &[f64]| side.iter().all(|x| *x == side[0]);
        if still.is_empty() || moving.is_empty() || constant(still) || constant(moving) {
            return Input::Constant(windfall_lanes::sum(column));
        }
        self.term(moving, Still::Factor(still.clone()))
    }

    fn term(&mut self, column: &[f64], still: Still) -> Input {
        let known = self.columns.iter().position(|old| old == column);
        let column = known.unwrap_or_else(|| {
            self.columns.push(column.to_vec());
            self.columns.len() - 1
        });
        let term = Term { column, still };
        Input::Term(self.terms.iter().position(|old| *old == term).unwrap_or_else(|| {
            self.terms.push(term);
            self.terms.len() - 1
        }))
    }

    /// Takes the sums under the largest group as what the other groups leave of the total, if the
    /// others are summed anyway or there is but one other.
    fn spare_the_largest(&mut self) {
        let labels = self.members.len() as u32;
        let size = |label: &u32| self.members[*label as usize].len();
        let Some(largest) = (0..labels).max_by_key(size) else { return };
        let others: Vec<u32> = (0..labels).filter(|&label| label != largest).collect();
        for column in 0..self.columns.len() {
            let of = |label| Term { column, still: Still::Label(label) };
            let find = |terms: &[Term], label| terms.iter().position(|term| *term == of(label));
            let Some(spared) = find(&self.terms, largest) else { continue };
            if labels > 2 && others.iter().any(|&label| find(&self.terms, label).is_none()) {
                continue;
            }
            if labels == 2 && find(&self.terms, others[0]).is_none() {
                self.terms.push(of(others[0]));
            }
            let rest: Vec<usize> =
                others.iter().filter_map(|&label| find(&self.terms, label)).collect();
            let total = windfall_lanes::sum(&self.columns[column]);
            self.terms.remove(spared);
            let after = |term: usize| term - usize::from(term > spared);
            for input in &mut self.inputs {
                *input = match input {
                    Input::Term(term) if *term == spared => {
                        Input::Rest(total, rest.iter().map(|&term| after(term)).collect())
                    }
                    Input::Term(term) => Input::Term(after(*term)),
                    Input::Rest(total, terms) => {
                        Input::Rest(*total, terms.iter().map(|&term| after(term)).collect())
                    }
                    Input::Constant(value) => Input::Constant(*value),
                };
            }
        }
    }

    /// Writes the terms of one arrangement: term `t` to `out[t * count + place]`.
    pub fn terms_of(&self, arrangement: &[u32], (place, count): (usize, usize), out: &mut [f64]) {
        for (term, out) in self.terms.iter().zip(out.chunks_exact_mut(count)) {
            let column = &self.columns[term.column];
            let shown = |&position: &u32| column[arrangement[position as usize] as usize];
            out[place] = match &term.still {
                Still::Ones => arrangement.iter().map(|&row| column[row as usize]).sum(),
                Still::Label(label) => self.members[*label as usize].iter().map(shown).sum(),
                Still::Factor(factor) => arrangement
                    .iter()
                    .zip(factor)
                    .fold(0.0, |sum, (&row, factor)| column[row as usize].mul_add(*factor, sum)),
            };
        }
    }

    /// Writes the sums of `count` arrangements, one sum after the other, from their terms.
    pub fn inputs(&self, terms: &[f64], count: usize, out: &mut [f64]) {
        let term = |term: usize| &terms[term * count..][..count];
        for (input, out) in self.inputs.iter().zip(out.chunks_exact_mut(count)) {
            match input {
                Input::Constant(value) => out.fill(*value),
                Input::Term(place) => out.copy_from_slice(term(*place)),
                Input::Rest(total, places) => {
                    out.fill(*total);
                    for &place in places {
                        out.iter_mut().zip(term(place)).for_each(|(out, term)| *out -= term);
                    }
                }
            }
        }
    }
}
