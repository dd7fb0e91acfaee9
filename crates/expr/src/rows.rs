//! Pack columns into blocks, and sum what a program makes of each row in a fixed order.

use crate::evaluate::Code;
use crate::frame::{BLOCK_POINTS, BLOCK_VECTORS, Columns, Frame, Splat, Vector};
use crate::schedule::Source;
use windfall_lanes::{Simd, Task, dispatch};

/// The columns that a [`Total`](crate::Total) sums over, packed for it: what does not depend on
/// parameters is computed already.
///
/// # Cost
/// 8 bytes a row and column, rounded up to whole blocks of 256 rows.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// For each block, for each column, [`BLOCK_VECTORS`] vectors.
    vectors: Vec<Vector>,
    columns: usize,
    rows: usize,
}

impl Rows {
    /// Packs columns, each as long as there are rows.
    pub(crate) fn pack(columns: &[Vec<f64>], rows: usize) -> Self {
        let blocks = rows.div_ceil(BLOCK_POINTS);
        let mut vectors = Vec::with_capacity(blocks * columns.len() * BLOCK_VECTORS);
        for block in 0..blocks {
            let start = block * BLOCK_POINTS;
            for column in columns {
                let points = &column[start..rows.min(start + BLOCK_POINTS)];
                let mut packed = [[points[0]; 8]; BLOCK_VECTORS];
                packed.as_flattened_mut()[..points.len()].copy_from_slice(points);
                vectors.extend_from_slice(&packed);
            }
        }
        Self { vectors, columns: columns.len(), rows }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

/// What is summed over rows: a value, or the product of two.
pub(crate) type Term = (Source, Option<Source>);

/// A program over rows and the sums of what it makes.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    pub code: Code,
    pub terms: Vec<Term>,
}

impl Sums {
    /// Adds up the terms over all rows, eight sums each.
    pub fn run(
        &self,
        rows: &Rows,
        uniforms: &[Splat],
        blocks: &mut [Vector],
        totals: &mut [Vector],
    ) {
        totals.fill([0.0; 8]);
        let size = rows.columns * BLOCK_VECTORS;
        for block in 0..rows.rows.div_ceil(BLOCK_POINTS) {
            let points = BLOCK_POINTS.min(rows.rows - block * BLOCK_POINTS);
            let mut frame = Frame {
                columns: Columns::Packed(&rows.vectors[block * size..(block + 1) * size]),
                uniforms,
                constants: self.code.constants(),
                blocks,
                stride: BLOCK_VECTORS,
                vectors: points.div_ceil(8),
                result: &mut [],
            };
            self.code.run(&mut frame);
            dispatch(Add { frame: &frame, terms: &self.terms, points, totals });
        }
    }
}

/// Adds the terms of one block to their totals.
struct Add<'a, 'f> {
    frame: &'a Frame<'f>,
    terms: &'a [Term],
    points: usize,
    totals: &'a mut [Vector],
}

impl Task for Add<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (&(a, b), total) in self.terms.iter().zip(&mut *self.totals) {
            let sum = match b {
                None => sum(simd, self.frame, self.points, [a], |simd, [a], sum| simd.add(a, sum)),
                Some(b) => sum(simd, self.frame, self.points, [a, b], |simd, [a, b], sum| {
                    simd.fma(a, b, sum)
                }),
            };
            simd.store(simd.add(simd.load(total), sum), total);
        }
    }
}

/// Four sums side by side, vector `i` to sum `i % 4`, then folded; lanes past the points add 0.
#[inline(always)]
fn sum<S: Simd, const N: usize>(
    simd: S,
    frame: &Frame<'_>,
    points: usize,
    sources: [Source; N],
    add: impl Fn(S, [S::F; N], S::F) -> S::F,
) -> S::F {
    let mut sums = [simd.splat(0.0); 4];
    let whole = points / 8;
    let mut at = 0;
    while at + 4 <= whole {
        let read = sources.map(|source| frame.read::<4>(source, at));
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum = add(simd, read.map(|vectors| simd.load(&vectors[i])), *sum);
        }
        at += 4;
    }
    for (i, sum) in sums.iter_mut().enumerate() {
        if at + i <= whole && 8 * (at + i) < points {
            let read = sources.map(|source| simd.load(&frame.read::<1>(source, at + i)[0]));
            let more = add(simd, read, *sum);
            let lanes = points - 8 * (at + i);
            let bits = if lanes < 8 { (1u8 << lanes) - 1 } else { 0xff };
            *sum = simd.select(simd.mask_from_bits(bits), more, *sum);
        }
    }
    simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]))
}
