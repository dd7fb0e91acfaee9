//! Factor small symmetric matrices, in one fixed order of operations.
//!
//! Matrices are dense, `d` by `d`, row after row. Only the lower triangle of a symmetric one is
//! read. Source: Golub & Van Loan, *Matrix Computations* (4th ed.), algorithms 4.2.1 and 3.1.1.

/// The lower triangular `L` with `L L' = a`; none unless every pivot is above zero.
///
/// # Cost
/// `d^3 / 3` multiply-adds.
pub(crate) fn cholesky(a: &[f64], d: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0_f64; d * d];
    for row in 0..d {
        for column in 0..=row {
            let mut rest = a[row * d + column];
            for k in 0..column {
                rest = (-l[row * d + k]).mul_add(l[column * d + k], rest);
            }
            if column < row {
                l[row * d + column] = rest / l[column * d + column];
            } else if rest > 0.0 && rest.is_finite() {
                l[row * d + row] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(l)
}

/// The inverse of a lower triangular matrix.
pub(crate) fn inverse_lower(l: &[f64], d: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; d * d];
    for column in 0..d {
        inverse[column * d + column] = 1.0 / l[column * d + column];
        for row in column + 1..d {
            let mut sum = 0.0;
            for k in column..row {
                sum = l[row * d + k].mul_add(inverse[k * d + column], sum);
            }
            inverse[row * d + column] = -sum / l[row * d + row];
        }
    }
    inverse
}

/// The inverse of `a` from the inverse of its factor: `(L^-1)' L^-1`, both triangles.
pub(crate) fn inverse(inverse_factor: &[f64], d: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; d * d];
    for row in 0..d {
        for column in 0..=row {
            let mut sum = 0.0;
            for k in row..d {
                sum = inverse_factor[k * d + row].mul_add(inverse_factor[k * d + column], sum);
            }
            inverse[row * d + column] = sum;
            inverse[column * d + row] = sum;
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity() {
        let a = [4.0, 2.0, 0.6, 2.0, 5.0, 1.5, 0.6, 1.5, 3.0];
        let factor = cholesky(&a, 3).unwrap();
        let inverse = inverse(&inverse_lower(&factor, 3), 3);
        for row in 0..3 {
            for column in 0..3 {
                let product: f64 = (0..3).map(|k| a[row * 3 + k] * inverse[k * 3 + column]).sum();
                let expected = if row == column { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-14, "{product} at {row}, {column}");
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_has_no_factor() {
        for a in [[1.0, 2.0, 2.0, 1.0], [0.0, 0.0, 0.0, 1.0], [f64::NAN, 0.0, 0.0, 1.0]] {
            assert_eq!(cholesky(&a, 2), None);
        }
    }
}
