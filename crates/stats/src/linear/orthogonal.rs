//! An orthonormal basis of columns, with a check of rank.
//!
//! Gram–Schmidt with every projection taken twice keeps the basis orthogonal to working precision
//! whatever the columns are (L. Giraud, J. Langou, M. Rozložník, "The loss of orthogonality in
//! the Gram-Schmidt orthogonalization process", 2005), so the factors are as good as Householder's;
//! and it needs nothing but sums and multiples of whole columns. Columns are taken in the order of
//! what is left of them, so a column that others determine comes last.

use super::{Columns, Square, add_scaled, dot, inverse_of_upper};

/// Makes the columns of `x` orthonormal in place and fills `t` with the matrix for which the new
/// columns are the old ones times `t`.
///
/// # Errors
/// The place of the first column of which less than `least` of its length is left, as the others
/// determine it.
///
/// # Cost
/// `4 n p²` operations.
pub(crate) fn orthonormal(x: &mut Columns, least: &[f64], t: &mut Square) -> Result<(), usize> {
    let count = x.count();
    let mut order: Vec<usize> = (0..count).collect();
    let lengths: Vec<f64> = (0..count).map(|at| length(x.padded(at))).collect();
    if let Some(zero) = lengths.iter().position(|&length| length.is_nan() || length <= 0.0) {
        return Err(zero);
    }
    for (at, length) in lengths.iter().enumerate() {
        x.padded_mut(at).iter_mut().for_each(|value| *value /= length);
    }
    let mut r = Square::zero(count);
    for k in 0..count {
        // All columns still to come are already free of those before, so the longest is the
        // least determined; of equal ones the first.
        let left: Vec<f64> = (k..count).map(|at| length(x.padded(at))).collect();
        let longest =
            (1..left.len()).fold(0, |best, at| if left[at] > left[best] { at } else { best });
        x.swap(k, k + longest);
        order.swap(k, k + longest);
        r.swap_columns(k, k + longest, k);
        for before in 0..k {
            let (q, column) = x.two(before, k);
            let again = dot(q, column);
            add_scaled(-again, q, column);
            r.add(before, k, again);
        }
        let rest = length(x.padded(k));
        if rest.is_nan() || rest <= least[order[k]] {
            return Err(order[k]);
        }
        x.padded_mut(k).iter_mut().for_each(|value| *value /= rest);
        r.set(k, k, rest);
        for later in k + 1..count {
            let (q, column) = x.two(k, later);
            let share = dot(q, column);
            add_scaled(-share, q, column);
            r.set(k, later, share);
        }
    }
    let mut inverse = Square::default();
    inverse_of_upper(&r, &mut inverse);
    t.reset(count);
    for (i, &row) in order.iter().enumerate() {
        for j in i..count {
            t.set(row, j, inverse.at(i, j) / lengths[row]);
        }
    }
    Ok(())
}

fn length(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

impl Square {
    /// Exchanges the first `rows` numbers of two columns.
    fn swap_columns(&mut self, a: usize, b: usize, rows: usize) {
        for i in 0..rows {
            let (left, right) = (self.at(i, a), self.at(i, b));
            self.set(i, a, right);
            self.set(i, b, left);
        }
    }
}
