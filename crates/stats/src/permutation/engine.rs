//! The ways to draw arrangements: whole, or only the sums that a statistic needs.
//!
//! | way | when | an arrangement costs |
//! |---|---|---|
//! | subsets | sums, two groups or random signs | a look-up for every four rows and column |
//! | shuffles | sums, any number of groups, strata, pairings | an exchange for every row needed |
//! | whole | all else: medians, distances, a user's function | a shuffle, and the function |
//!
//! All have the same law; tests hold them to it.

use super::bound::{Bound, Room};
use super::design::{Design, Kind};
use super::linear::{Linear, Still};
use super::shuffles::Shuffles;
use super::subsets::Subsets;
use windfall_core::{Result, Stream};

/// Below this share of the rows a group is cheaper to draw row by row than as a subset.
const SHARE_OF_SUBSETS: f64 = 0.125;

/// A way to draw arrangements.
#[derive(Debug)]
pub(crate) enum Engine {
    /// Sums over subsets, each to be added to a constant.
    Subsets(Subsets, Vec<f64>),
    /// Sums over orders.
    Shuffles(Shuffles),
    /// Whole arrangements.
    Whole,
}

impl Engine {
    /// The fastest way for a statistic.
    pub fn new(bound: &Bound, design: &Design) -> Self {
        let Some(linear) = bound.linear().filter(|linear| linear.moves()) else {
            return Self::Whole;
        };
        match &design.kind {
            Kind::Orders(2) => Self::signs(linear, design.rows()),
            Kind::Orders(_) => Self::Whole,
            Kind::Labels(_, 2) if design.strata() == 1 => Self::two_groups(linear, design),
            Kind::Labels(..) | Kind::Pairings => Self::Shuffles(Shuffles::new(linear, design)),
        }
    }

    fn two_groups(linear: &Linear, design: &Design) -> Self {
        let Still::Label(label) = linear.terms[0].still else {
            return Self::Shuffles(Shuffles::new(linear, design));
        };
        let size = linear.members(label).len();
        if (size as f64) < SHARE_OF_SUBSETS * design.rows() as f64 {
            return Self::Shuffles(Shuffles::new(linear, design));
        }
        let column = |place: usize| linear.columns[linear.terms[place].column].as_slice();
        let columns: Vec<&[f64]> = (0..linear.terms.len()).map(column).collect();
        let constants = vec![0.0; columns.len()];
        Self::Subsets(Subsets::new(&columns, Some(size)), constants)
    }

    /// A row shows its other order, or keeps its own.
    fn signs(linear: &Linear, rows: usize) -> Self {
        let change = |column: usize| -> Vec<f64> {
            let (first, second) = linear.columns[column].split_at(rows);
            first.iter().zip(second).map(|(first, second)| second - first).collect()
        };
        let columns = || linear.terms.iter().map(|term| term.column);
        let changes: Vec<Vec<f64>> = columns().map(change).collect();
        let changes: Vec<&[f64]> = changes.iter().map(Vec::as_slice).collect();
        let start = |column: usize| windfall_lanes::sum(&linear.columns[column][..rows]);
        Self::Subsets(Subsets::new(&changes, None), columns().map(start).collect())
    }

    /// About how long an arrangement takes, in nanoseconds.
    pub fn cost_ns(&self, design: &Design) -> f64 {
        let rows = design.rows() as f64;
        match self {
            Self::Subsets(_, constants) => 30.0 + rows * 0.06 * (1 + constants.len()) as f64,
            Self::Shuffles(shuffles) => 10.0 + shuffles.draws() as f64,
            Self::Whole => 50.0 + 5.0 * rows,
        }
    }

    /// Draws `count` arrangements and writes quantity `q` of arrangement `r` to
    /// `out[q * count + r]`.
    ///
    /// # Errors
    /// What a user's function reports.
    pub fn draw(
        &self,
        (bound, design): (&Bound, &Design),
        stream: &mut Stream,
        work: &mut Work,
        out: &mut [f64],
    ) -> Result<()> {
        let count = out.len() / bound.quantities();
        match self {
            Self::Whole => {
                let rows = design.rows();
                work.arrangements.resize(count * rows, 0);
                for arrangement in work.arrangements.chunks_exact_mut(rows) {
                    design.draw(stream, arrangement);
                }
                bound.values(design, &work.arrangements, &mut work.room, out)
            }
            Self::Subsets(subsets, constants) => {
                work.terms.resize(constants.len() * count, 0.0);
                subsets.draw(stream, count, &mut work.terms);
                for (terms, constant) in work.terms.chunks_exact_mut(count).zip(constants) {
                    terms.iter_mut().for_each(|term| *term += constant);
                }
                bound.values_from_terms(&work.terms, count, &mut work.room, out);
                Ok(())
            }
            Self::Shuffles(shuffles) => {
                let terms = bound.linear().map_or(0, |linear| linear.terms.len());
                work.terms.resize(terms * count, 0.0);
                shuffles.draw(stream, count, &mut work.terms);
                bound.values_from_terms(&work.terms, count, &mut work.room, out);
                Ok(())
            }
        }
    }
}

/// Room that a shard works in.
#[derive(Default)]
pub(crate) struct Work {
    pub room: Room,
    pub arrangements: Vec<u32>,
    terms: Vec<f64>,
}
