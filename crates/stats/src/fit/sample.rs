//! The rows of one group, gathered into padded columns, and what is wrong with them.

use super::Missing;
use crate::linear::Columns;
use std::ops::Range;
use windfall_core::Numbers;
use windfall_lanes::{LANES, Simd, Task, dispatch};

/// The values of the terms but the intercept.
#[derive(Clone, Debug)]
pub(super) enum Predictors {
    /// One after the other.
    Columns(Vec<Numbers>),
    /// Row by row, this many a row.
    Rows(Numbers, usize),
}

impl Predictors {
    pub fn count(&self) -> usize {
        match self {
            Self::Columns(columns) => columns.len(),
            Self::Rows(_, count) => *count,
        }
    }
}

/// All rows of all groups.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub x: Predictors,
    /// Whether there is a term of ones before the others.
    pub intercept: bool,
    pub y: Numbers,
    pub offset: Option<Numbers>,
    pub weights: Option<Numbers>,
    pub clusters: Option<Vec<u32>>,
    /// The rows in order of their groups; none if they stand so.
    pub order: Option<Vec<u32>>,
    /// Where each group begins in that order, and the end of the last.
    pub edges: Vec<usize>,
}

impl Data {
    pub fn groups(&self) -> usize {
        self.edges.len() - 1
    }

    /// The places of the rows of `group`, in order of their groups.
    pub fn rows(&self, group: u64) -> Range<usize> {
        self.edges[group as usize]..self.edges[group as usize + 1]
    }

    /// The number of coefficients.
    pub fn terms(&self) -> usize {
        self.x.count() + usize::from(self.intercept)
    }
}

/// Why a group has no fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A value is missing.
    Missing,
    /// A value is infinite, or too large to be squared.
    NotFinite,
    /// Fewer rows than coefficients.
    TooFew,
    /// The term at this place is a combination of the others.
    Singular(usize),
    /// A response outside what the family allows.
    Response,
    /// A combination of terms tells the responses apart: some coefficient is infinite.
    Separated,
    /// The iterations were not enough.
    NotConverged,
    /// All rows are of one cluster.
    OneCluster,
}

/// The rows of one group.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// The terms, then the response.
    pub x: Columns,
    pub offset: Vec<f64>,
    pub weights: Vec<f64>,
    pub clusters: Vec<u32>,
}

impl Sample {
    /// The number of terms; the response is the column after them.
    pub fn terms(&self) -> usize {
        self.x.count() - 1
    }

    /// Gathers the rows of `group`, with a column of ones for the intercept if `ones` is true.
    pub fn load(&mut self, data: &Data, group: usize, ones: bool) {
        let Range { start: first, end } = data.rows(group as u64);
        let order = data.order.as_ref().map(|order| &order[first..end]);
        let (rows, count) = (end - first, data.x.count());
        let before = usize::from(ones);
        self.x.reshape(before + count + 1, rows);
        if ones {
            self.x.column_mut(0).fill(1.0);
        }
        let take = |from: &[f64], to: &mut [f64]| match order {
            None => to.copy_from_slice(&from[first..end]),
            Some(order) => {
                to.iter_mut().zip(order).for_each(|(to, &row)| *to = from[row as usize]);
            }
        };
        match &data.x {
            Predictors::Columns(columns) => {
                for (at, column) in columns.iter().enumerate() {
                    take(column.as_slice(), self.x.column_mut(before + at));
                }
            }
            Predictors::Rows(x, _) if order.is_none() && (1..=WIDTH_MAX).contains(&count) => {
                let (rows, ahead) = x.as_slice()[first * count..].split_at(rows * count);
                let ahead = [ahead, &data.y.as_slice()[end..]];
                dispatch(Turn { rows, width: count, ahead, first: before, to: &mut self.x });
            }
            Predictors::Rows(x, _) => {
                let x = x.as_slice();
                for at in 0..count {
                    let to = self.x.column_mut(before + at);
                    match order {
                        None => {
                            let rows = x[first * count..end * count].chunks_exact(count);
                            to.iter_mut().zip(rows).for_each(|(to, row)| *to = row[at]);
                        }
                        Some(order) => to
                            .iter_mut()
                            .zip(order)
                            .for_each(|(to, &row)| *to = x[row as usize * count + at]),
                    }
                }
            }
        }
        take(data.y.as_slice(), self.x.column_mut(before + count));
        for (from, to) in [(&data.offset, &mut self.offset), (&data.weights, &mut self.weights)] {
            to.clear();
            if let Some(from) = from {
                to.resize(rows, 0.0);
                take(from.as_slice(), to);
            }
        }
        self.clusters.clear();
        if let Some(codes) = &data.clusters {
            match order {
                None => self.clusters.extend_from_slice(&codes[first..end]),
                Some(order) => self.clusters.extend(order.iter().map(|&row| codes[row as usize])),
            }
        }
    }

    /// Looks for missing values, and leaves rows of weight zero out, and those with missing values
    /// if that is asked for.
    ///
    /// # Errors
    /// [`Failure::Missing`], [`Failure::NotFinite`].
    pub fn clean(&mut self, missing: Missing) -> Result<(), Failure> {
        let rows = self.x.rows();
        let mut keep = vec![true; rows];
        let mut infinite = false;
        let columns = (0..self.x.count()).map(|at| self.x.column(at));
        let others = [self.offset.as_slice(), &self.weights];
        for column in columns.chain(others.into_iter().filter(|column| !column.is_empty())) {
            for (keep, value) in keep.iter_mut().zip(column) {
                *keep &= !value.is_nan();
                infinite |= value.is_infinite();
            }
        }
        if missing == Missing::Fail && keep.contains(&false) {
            return Err(Failure::Missing);
        }
        if infinite {
            return Err(Failure::NotFinite);
        }
        for (keep, &weight) in keep.iter_mut().zip(&self.weights) {
            *keep &= weight != 0.0;
        }
        if keep.contains(&false) {
            self.retain(&keep);
        }
        Ok(())
    }

    fn retain(&mut self, keep: &[bool]) {
        let kept = keep.iter().filter(|&&keep| keep).count();
        let mut x = Columns::default();
        x.reset(self.x.count(), kept);
        for at in 0..x.count() {
            let from = self.x.column(at).iter().zip(keep).filter(|(_, keep)| **keep);
            x.column_mut(at).iter_mut().zip(from).for_each(|(to, (from, _))| *to = *from);
        }
        self.x = x;
        let mut flags = keep.iter();
        self.clusters.retain(|_| flags.next() == Some(&true));
        for list in [&mut self.offset, &mut self.weights] {
            let mut flags = keep.iter();
            list.retain(|_| flags.next() == Some(&true));
        }
    }
}

/// The longest rows that are turned into columns eight at a time.
const WIDTH_MAX: usize = 8;

/// Turns rows into columns.
struct Turn<'a> {
    rows: &'a [f64],
    width: usize,
    /// What comes after them and after their responses, which the next group wants.
    ahead: [&'a [f64]; 2],
    /// The column of the first number of a row.
    first: usize,
    to: &'a mut Columns,
}

impl Task for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.width {
            1 => turn::<S, 1>(simd, self),
            2 => turn::<S, 2>(simd, self),
            3 => turn::<S, 3>(simd, self),
            4 => turn::<S, 4>(simd, self),
            5 => turn::<S, 5>(simd, self),
            6 => turn::<S, 6>(simd, self),
            7 => turn::<S, 7>(simd, self),
            _ => turn::<S, WIDTH_MAX>(simd, self),
        }
    }
}

#[inline(always)]
fn turn<S: Simd, const WIDTH: usize>(simd: S, of: Turn<'_>) {
    let Turn { rows, ahead, first, to, .. } = of;
    let (eights, rest) = rows.as_chunks::<WIDTH>().0.as_chunks::<LANES>();
    for (block, rows) in eights.iter().enumerate() {
        #[expect(clippy::needless_range_loop, reason = "it runs across the rows")]
        for at in 0..WIDTH {
            let lanes = simd.load(&std::array::from_fn(|lane| rows[lane][at]));
            if let Some(out) = to.padded_mut(first + at)[block * LANES..].first_chunk_mut() {
                simd.store(lanes, out);
            }
            simd.expect(ahead[0], (block * WIDTH + at) * LANES);
        }
        simd.expect(ahead[1], block * LANES);
    }
    let start = eights.len() * LANES;
    for (row, numbers) in rest.iter().enumerate() {
        for (at, number) in numbers.iter().enumerate() {
            to.padded_mut(first + at)[start + row] = *number;
        }
    }
}
