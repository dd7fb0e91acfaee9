//! Columns of numbers, padded with zeros to whole lanes.

use windfall_lanes::{LANES, Simd, Task, dispatch};

/// Columns one after the other, each `stride` long: `rows` numbers, then zeros.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    data: Vec<f64>,
    rows: usize,
    stride: usize,
    count: usize,
}

impl Columns {
    /// Makes room for `count` columns of `rows` numbers, all zero; keeps the memory it has.
    pub fn reset(&mut self, count: usize, rows: usize) {
        (self.rows, self.count) = (rows, count);
        self.stride = rows.next_multiple_of(LANES);
        self.data.clear();
        self.data.resize(count * self.stride, 0.0);
    }

    /// Makes room for `count` columns of `rows` numbers that are all to be written; what they hold
    /// until then is anything, but their padding is zero.
    pub fn reshape(&mut self, count: usize, rows: usize) {
        (self.rows, self.count) = (rows, count);
        self.stride = rows.next_multiple_of(LANES);
        self.data.resize(count * self.stride, 0.0);
        if self.stride > rows {
            for column in self.data.chunks_exact_mut(self.stride) {
                column[rows..].fill(0.0);
            }
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Column `at` with its padding.
    pub fn padded(&self, at: usize) -> &[f64] {
        &self.data[at * self.stride..][..self.stride]
    }

    /// Column `at` with its padding, which must stay zero.
    pub fn padded_mut(&mut self, at: usize) -> &mut [f64] {
        &mut self.data[at * self.stride..][..self.stride]
    }

    /// Column `at`.
    pub fn column(&self, at: usize) -> &[f64] {
        &self.padded(at)[..self.rows]
    }

    /// Column `at`.
    pub fn column_mut(&mut self, at: usize) -> &mut [f64] {
        let rows = self.rows;
        &mut self.padded_mut(at)[..rows]
    }

    /// Two different columns, the second to be changed.
    pub fn two(&mut self, read: usize, write: usize) -> (&[f64], &mut [f64]) {
        let stride = self.stride;
        let (low, high) = self.data.split_at_mut(read.max(write) * stride);
        if read < write {
            (&low[read * stride..][..stride], &mut high[..stride])
        } else {
            (&high[..stride], &mut low[write * stride..][..stride])
        }
    }

    /// Exchanges two columns.
    pub fn swap(&mut self, a: usize, b: usize) {
        if a != b {
            let stride = self.stride;
            let (low, high) = self.data.split_at_mut(a.max(b) * stride);
            low[a.min(b) * stride..][..stride].swap_with_slice(&mut high[..stride]);
        }
    }

    /// Makes these columns those of `x` times the square matrix `t`, whose row `i` belongs to
    /// column `i` of `x`.
    pub fn product(&mut self, x: &Columns, t: &super::Square) {
        let size = t.size();
        self.reset(size, x.rows);
        for to in 0..size {
            for from in 0..size {
                let factor = t.at(from, to);
                if factor != 0.0 {
                    add_scaled(factor, x.padded(from), self.padded_mut(to));
                }
            }
        }
    }
}

/// `Σ xᵢ` of padded columns, two levels deep so that errors do not grow with the rows.
pub(crate) fn total(x: &[f64]) -> f64 {
    windfall_lanes::sum(x)
}

/// `Σ xᵢ yᵢ` of padded columns.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    windfall_lanes::dot(x, y)
}

/// `y += factor x` over padded columns.
pub(crate) fn add_scaled(factor: f64, x: &[f64], y: &mut [f64]) {
    dispatch(AddScaled(factor, x, y));
}

struct AddScaled<'a>(f64, &'a [f64], &'a mut [f64]);

impl Task for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let factor = simd.splat(self.0);
        let (x, y) = (self.1.as_chunks::<LANES>().0, self.2.as_chunks_mut::<LANES>().0);
        for (x, y) in x.iter().zip(y) {
            simd.store(simd.fma(factor, simd.load(x), simd.load(y)), y);
        }
    }
}
