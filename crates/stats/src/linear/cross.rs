//! All cross products of columns in one pass: two columns by two at a time, in registers.

use super::{Columns, Square};
use std::ops::Range;
use windfall_lanes::{LANES, Simd, Task, dispatch};

/// Rows summed in one go: errors grow with this number, then with that of the blocks.
const BLOCK: usize = 512;

/// Left and right factors of cross products: as many columns each, of the same rows.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    /// The left factors.
    pub left: &'a Columns,
    /// The right factors.
    pub right: &'a Columns,
    /// Row `i` on the right goes with row `i - shift` on the left.
    pub shift: usize,
}

/// Fills `out` with the symmetric matrix of `Σ xᵢⱼ xᵢₖ` over the first columns, as many as
/// it has rows.
pub(crate) fn cross(x: &Columns, out: &mut Square) {
    out.fill(0.0);
    dispatch(Cross(Pair { left: x, right: x, shift: 0 }, out));
    out.mirror();
}

struct Cross<'a>(Pair<'a>, &'a mut Square);

impl Task for Cross<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let stride = self.0.left.padded(0).len();
        let mut start = 0;
        while start < stride {
            let end = (start + BLOCK).min(stride);
            cross_rows(simd, self.0, start..end, self.1);
            start = end;
        }
    }
}

/// Adds the cross products over `rows`, whole lanes, to the lower triangle of `out`.
#[inline(always)]
pub(crate) fn cross_rows<S: Simd>(simd: S, of: Pair<'_>, rows: Range<usize>, out: &mut Square) {
    let size = out.size();
    let on_left = rows.start - of.shift..rows.end - of.shift;
    let mut i = 0;
    while i < size {
        let second = i + 1 < size;
        let a0 = &of.left.padded(i)[on_left.clone()];
        let a1 = &of.left.padded(if second { i + 1 } else { i })[on_left.clone()];
        let mut j = 0;
        while j <= i {
            let pair = j + 1 < size;
            let b0 = &of.right.padded(j)[rows.clone()];
            let b1 = &of.right.padded(if pair { j + 1 } else { j })[rows.clone()];
            let [s00, s01, s10, s11] = match j < i {
                true => tile(simd, [a0, a1], [b0, b1]),
                false => corner(simd, [a0, a1], [b0, b1]),
            };
            out.add(i, j, s00);
            if pair && j < i {
                out.add(i, j + 1, s01);
            }
            if second {
                out.add(i + 1, j, s10);
                if pair {
                    out.add(i + 1, j + 1, s11);
                }
            }
            j += 2;
        }
        i += 2;
    }
}

/// The four cross products of two columns with two.
#[inline(always)]
fn tile<S: Simd>(simd: S, a: [&[f64]; 2], b: [&[f64]; 2]) -> [f64; 4] {
    let zero = simd.splat(0.0);
    let (mut s00, mut s01, mut s10, mut s11) = (zero, zero, zero, zero);
    let [a0, a1] = a.map(|column| column.as_chunks::<LANES>().0);
    let [b0, b1] = b.map(|column| column.as_chunks::<LANES>().0);
    for (((a0, a1), b0), b1) in a0.iter().zip(a1).zip(b0).zip(b1) {
        let (x0, x1) = (simd.load(a0), simd.load(a1));
        let (y0, y1) = (simd.load(b0), simd.load(b1));
        s00 = simd.fma(x0, y0, s00);
        s01 = simd.fma(x0, y1, s01);
        s10 = simd.fma(x1, y0, s10);
        s11 = simd.fma(x1, y1, s11);
    }
    [s00, s01, s10, s11].map(|sum| simd.sum_lanes(sum))
}

/// [`tile`] on the diagonal, without the product above it, which is left 0.
#[inline(always)]
fn corner<S: Simd>(simd: S, a: [&[f64]; 2], b: [&[f64]; 2]) -> [f64; 4] {
    let zero = simd.splat(0.0);
    let (mut s00, mut s10, mut s11) = (zero, zero, zero);
    let [a0, a1] = a.map(|column| column.as_chunks::<LANES>().0);
    let [b0, b1] = b.map(|column| column.as_chunks::<LANES>().0);
    for (((a0, a1), b0), b1) in a0.iter().zip(a1).zip(b0).zip(b1) {
        let (x0, x1) = (simd.load(a0), simd.load(a1));
        let y0 = simd.load(b0);
        s00 = simd.fma(x0, y0, s00);
        s10 = simd.fma(x1, y0, s10);
        s11 = simd.fma(x1, simd.load(b1), s11);
    }
    [simd.sum_lanes(s00), 0.0, simd.sum_lanes(s10), simd.sum_lanes(s11)]
}
