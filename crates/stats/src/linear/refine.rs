//! Least squares to the last digits: residuals in twice the precision, corrections by a basis.
//!
//! One step solves the augmented system `r + X b = y, Xᵀ r = 0` for what is left of it. Source:
//! Å. Björck, "Iterative refinement of linear least squares solutions I", BIT 7 (1967). It
//! recovers full accuracy unless the columns are dependent to half the digits.

use super::{Columns, Square};
use windfall_lanes::{LANES, Simd, Task, dispatch};

/// Steps; each gains as many digits as the basis has.
const STEPS: usize = 3;

/// Improves the coefficients `b` of `y` on the columns of `x`, where `z = x t` is orthonormal, and
/// leaves the residuals in `r`.
pub(crate) fn refine(
    x: &Columns,
    y: &[f64],
    basis: (&Columns, &Square),
    b: &mut [f64],
    r: &mut [f64],
) {
    let (z, t) = basis;
    let count = x.count();
    let mut f = vec![0.0; r.len()];
    let (mut g, mut h, mut d) = (vec![0.0; count], vec![0.0; count], vec![0.0; count]);
    let mut step = vec![0.0; count];
    r.fill(0.0);
    dispatch(Left { x, y, b, r, f: &mut f });
    r.copy_from_slice(&f);
    for _ in 0..STEPS {
        dispatch(Left { x, y, b, r, f: &mut f });
        for (at, g) in g.iter_mut().enumerate() {
            *g = -dot_twice(x.padded(at), r);
        }
        t.transposed_times(&g, &mut h);
        for (at, d) in d.iter_mut().enumerate() {
            *d = super::dot(z.padded(at), &f) - h[at];
        }
        t.times(&d, &mut step);
        b.iter_mut().zip(&step).for_each(|(b, step)| *b += step);
        for (at, d) in d.iter().enumerate() {
            super::add_scaled(-d, z.padded(at), &mut f);
        }
        r.iter_mut().zip(&f).for_each(|(r, f)| *r += f);
    }
}

/// `y - r - X b`, each row summed in twice the precision.
struct Left<'a> {
    x: &'a Columns,
    y: &'a [f64],
    b: &'a [f64],
    r: &'a [f64],
    f: &'a mut [f64],
}

impl Task for Left<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (y, r) = (self.y.as_chunks::<LANES>().0, self.r.as_chunks::<LANES>().0);
        for (at, f) in self.f.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let mut sum = (simd.load(&y[at]), simd.splat(0.0));
            sum = add_twice(simd, sum, simd.neg(simd.load(&r[at])));
            for (column, &b) in self.b.iter().enumerate() {
                let x = simd.load(&self.x.padded(column).as_chunks::<LANES>().0[at]);
                sum = subtract_product(simd, sum, x, simd.splat(b));
            }
            simd.store(simd.add(sum.0, sum.1), f);
        }
    }
}

/// `Σ xᵢ yᵢ` in twice the precision, rounded at the end.
fn dot_twice(x: &[f64], y: &[f64]) -> f64 {
    dispatch(DotTwice(x, y))
}

struct DotTwice<'a>(&'a [f64], &'a [f64]);

impl Task for DotTwice<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let mut sum = (simd.splat(0.0), simd.splat(0.0));
        let (x, y) = (self.0.as_chunks::<LANES>().0, self.1.as_chunks::<LANES>().0);
        for (x, y) in x.iter().zip(y) {
            sum = subtract_product(simd, sum, simd.load(x), simd.neg(simd.load(y)));
        }
        let (high, low) = (simd.to_array(sum.0), simd.to_array(sum.1));
        let (mut total, mut rest) = (0.0, 0.0);
        for (high, low) in high.into_iter().zip(low) {
            let next: f64 = total + high;
            let back = next - total;
            rest += (total - (next - back)) + (high - back) + low;
            total = next;
        }
        total + rest
    }
}

/// `sum - a b`, the sum as a pair of high and low parts.
#[inline(always)]
fn subtract_product<S: Simd>(simd: S, sum: (S::F, S::F), a: S::F, b: S::F) -> (S::F, S::F) {
    let product = simd.mul(a, b);
    // The product's rounding error, exactly.
    let lost = simd.fnma(a, b, product);
    let (high, low) = add_twice(simd, sum, simd.neg(product));
    (high, simd.add(low, lost))
}

/// A pair plus a number, with what rounding loses kept in the low part (Knuth).
#[inline(always)]
fn add_twice<S: Simd>(simd: S, sum: (S::F, S::F), x: S::F) -> (S::F, S::F) {
    let high = simd.add(sum.0, x);
    let back = simd.sub(high, sum.0);
    let lost = simd.add(simd.sub(sum.0, simd.sub(high, back)), simd.sub(x, back));
    (high, simd.add(sum.1, lost))
}
