//! Square matrices as wide as a model: Cholesky factors and inverses of triangles.

/// A square matrix, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Square {
    data: Vec<f64>,
    size: usize,
}

impl Square {
    /// The zero matrix of this size.
    pub fn zero(size: usize) -> Self {
        Self { data: vec![0.0; size * size], size }
    }

    /// Makes it a zero matrix of this size; keeps the memory it has.
    pub fn reset(&mut self, size: usize) {
        self.size = size;
        self.data.clear();
        self.data.resize(size * size, 0.0);
    }

    /// The number of rows.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The number in row `i`, column `j`.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.data[i * self.size + j]
    }

    /// Writes it.
    pub fn set(&mut self, i: usize, j: usize, value: f64) {
        self.data[i * self.size + j] = value;
    }

    /// Adds to it.
    pub fn add(&mut self, i: usize, j: usize, value: f64) {
        self.data[i * self.size + j] += value;
    }

    /// Row `i`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.size..][..self.size]
    }

    /// Makes every number `value`.
    pub fn fill(&mut self, value: f64) {
        self.data.fill(value);
    }

    /// Copies the lower triangle over the upper one.
    pub fn mirror(&mut self) {
        for i in 0..self.size {
            for j in 0..i {
                self.data[j * self.size + i] = self.data[i * self.size + j];
            }
        }
    }

    /// `A x`.
    pub fn times(&self, x: &[f64], out: &mut [f64]) {
        for (i, out) in out.iter_mut().enumerate().take(self.size) {
            *out = self.row(i).iter().zip(x).map(|(a, x)| a * x).sum();
        }
    }

    /// `Aᵀ x`.
    pub fn transposed_times(&self, x: &[f64], out: &mut [f64]) {
        out[..self.size].fill(0.0);
        for (i, x) in x.iter().enumerate().take(self.size) {
            for (out, a) in out.iter_mut().zip(self.row(i)) {
                *out += a * x;
            }
        }
    }
}

/// Turns the lower triangle of a positive definite matrix into its Cholesky factor L.
///
/// False, with the factor unfinished, if a pivot is not above `least`.
pub(crate) fn cholesky(a: &mut Square, least: f64) -> bool {
    let n = a.size;
    for j in 0..n {
        let mut pivot = a.at(j, j);
        for k in 0..j {
            pivot -= a.at(j, k) * a.at(j, k);
        }
        if pivot.is_nan() || pivot <= least {
            return false;
        }
        let root = pivot.sqrt();
        a.set(j, j, root);
        let inverse = 1.0 / root;
        for i in j + 1..n {
            let mut sum = a.at(i, j);
            for k in 0..j {
                sum -= a.at(i, k) * a.at(j, k);
            }
            a.set(i, j, sum * inverse);
        }
    }
    true
}

/// Fills `out` with the upper triangle `L⁻ᵀ` of the lower triangle of `l`, so that
/// `out outᵀ = (L Lᵀ)⁻¹`.
pub(crate) fn upper_inverse(l: &Square, out: &mut Square) {
    let n = l.size;
    out.reset(n);
    for j in 0..n {
        let inverse = 1.0 / l.at(j, j);
        // Row j of L⁻¹ is column j of its transpose.
        for k in 0..j {
            let mut sum = 0.0;
            for i in k..j {
                sum -= l.at(j, i) * out.at(k, i);
            }
            out.set(k, j, sum * inverse);
        }
        out.set(j, j, inverse);
    }
}

/// Fills `out` with the inverse of the upper triangle of `r`.
pub(crate) fn inverse_of_upper(r: &Square, out: &mut Square) {
    let n = r.size;
    out.reset(n);
    for j in 0..n {
        let inverse = 1.0 / r.at(j, j);
        for i in 0..j {
            let mut sum = 0.0;
            for k in i..j {
                sum -= out.at(i, k) * r.at(k, j);
            }
            out.set(i, j, sum * inverse);
        }
        out.set(j, j, inverse);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_and_its_inverse_undo_each_other() {
        let rows = [[4.0, 2.0, -2.0], [2.0, 10.0, 2.0], [-2.0, 2.0, 6.0]];
        let mut a = Square::zero(3);
        (0..3).for_each(|i| (0..3).for_each(|j| a.set(i, j, rows[i][j])));
        let (mut l, mut t) = (a.clone(), Square::default());
        assert!(cholesky(&mut l, 0.0));
        upper_inverse(&l, &mut t);
        for i in 0..3 {
            for j in 0..3 {
                let inverse: f64 = (0..3).map(|k| t.at(i, k) * t.at(j, k)).sum();
                let product: f64 = (0..3)
                    .map(|m| a.at(j, m) * (0..3).map(|k| t.at(m, k) * t.at(i, k)).sum::<f64>())
                    .sum();
                assert!((product - f64::from(i == j)).abs() < 1e-14, "{inverse}");
            }
        }
        let mut upper = Square::zero(3);
        (0..3).for_each(|i| (0..=i).for_each(|j| upper.set(j, i, l.at(i, j))));
        let mut again = Square::default();
        inverse_of_upper(&upper, &mut again);
        assert!((0..3).all(|i| (i..3).all(|j| (again.at(i, j) - t.at(i, j)).abs() < 1e-15)));
    }

    #[test]
    fn a_singular_matrix_has_no_factor() {
        let mut a = Square::zero(2);
        a.fill(1.0);
        assert!(!cholesky(&mut a, 1e-14));
        a.fill(f64::NAN);
        assert!(!cholesky(&mut a, 0.0));
    }
}
