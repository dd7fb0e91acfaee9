//! Reduce the columns of a regression to a triangle by Householder reflections.
//!
//! The last column is the response: its last entry is, in magnitude, the root of the residual sum
//! of squares, and `|y - Xb|² = |Rb - c|² + r²` for any `b`. Source: G. H. Golub, C. F. Van Loan,
//! *Matrix Computations*, 2013, section 5.2.

use windfall_lanes::{dot, sum};

/// The upper triangle of `columns`, overwritten: column `j` of it has `j + 1` entries, fewer if
/// there are fewer rows.
///
/// # Cost
/// `2 n p²` operations, once.
pub(super) fn triangle(columns: &mut [Vec<f64>]) -> Vec<Vec<f64>> {
    let rows = columns.first().map_or(0, Vec::len);
    for pivot in 0..columns.len().min(rows) {
        let (done, rest) = columns.split_at_mut(pivot + 1);
        let column = &mut done[pivot][pivot..];
        let squares: Vec<f64> = column.iter().map(|x| x * x).collect();
        let norm = sum(&squares).sqrt();
        if norm == 0.0 {
            continue;
        }
        // The mirror that takes the column to ∓norm on the first axis.
        let diagonal = -norm.copysign(column[0]);
        column[0] -= diagonal;
        let scale = (norm * (norm + (column[0] + diagonal).abs())).recip();
        for other in rest {
            let other = &mut other[pivot..];
            let along = dot(column, other) * scale;
            for (value, mirror) in other.iter_mut().zip(&*column) {
                *value -= along * mirror;
            }
        }
        column[0] = diagonal;
    }
    let take = |(place, column): (usize, &Vec<f64>)| column[..rows.min(place + 1)].to_vec();
    columns.iter().enumerate().map(take).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_columns_are_kept() {
        let columns: Vec<Vec<f64>> =
            (0..4).map(|j| (0..9).map(|i| ((i * j + 3 * i) as f64).sin()).collect()).collect();
        let triangle = triangle(&mut columns.clone());
        for i in 0..4 {
            for j in 0..=i {
                let product = dot(&columns[i], &columns[j]);
                let kept: f64 = triangle[j].iter().zip(&triangle[i]).map(|(a, b)| a * b).sum();
                assert!((product - kept).abs() < 1e-14 * 9.0, "{i} {j}");
            }
        }
    }
}
