//! Count, means and co-moments of several values taken at the same points, mergeable.
//!
//! One value is the common case: its numbers are then, bit for bit, those of [`Moments`].

use super::block::TILE;
use windfall_core::wire::{Reader, put_f64s, put_u64};
use windfall_core::{Error, Moments, Partial, Result};
use windfall_lanes::{Simd, Task, dispatch};

/// The count, the means, and the sums of products of deviations from them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Joint {
    count: u64,
    means: Vec<f64>,
    /// Row by row up to the diagonal: that of `i` and `j <= i` stands at `i (i + 1) / 2 + j`.
    products: Vec<f64>,
}

/// Numbers in the lower triangle of a matrix with this many rows.
pub(crate) fn triangle(rows: usize) -> usize {
    rows * (rows + 1) / 2
}

/// Where the entry of `i` and `j` stands in a triangle.
pub(crate) fn place(i: usize, j: usize) -> usize {
    let (row, column) = if i < j { (j, i) } else { (i, j) };
    triangle(row) + column
}

impl Joint {
    /// Of `count` points, with these means and this triangle of sums of products.
    pub fn new(count: u64, means: Vec<f64>, products: Vec<f64>) -> Self {
        Self { count, means, products }
    }

    /// As if plain values had given these means with this covariance of the means.
    pub fn of_means(count: u64, means: Vec<f64>, mut covariance: Vec<f64>) -> Self {
        let factor = count as f64 * count.saturating_sub(1) as f64;
        covariance.iter_mut().for_each(|entry| *entry *= factor);
        Self::new(count, means, covariance)
    }

    /// The number of points.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many values each point has; 0 before the first point.
    pub fn width(&self) -> usize {
        self.means.len()
    }

    /// The mean of each value.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The moments of one value alone.
    pub fn moments(&self, value: usize) -> Moments {
        match self.means.get(value) {
            Some(&mean) => Moments::new(self.count, mean, self.products[place(value, value)]),
            None => Moments::default(),
        }
    }

    /// The covariance of the means of two values; NaN for fewer than two points.
    pub fn covariance(&self, i: usize, j: usize) -> f64 {
        match self.count {
            0 | 1 => f64::NAN,
            count => self.products[place(i, j)] / (count - 1) as f64 / count as f64,
        }
    }

    /// The same values times `factor`.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.means.iter_mut().for_each(|mean| *mean *= factor);
        self.products.iter_mut().for_each(|product| *product *= factor * factor);
        self
    }

    /// The same with other sums of products.
    #[must_use]
    pub fn with_products(self, products: Vec<f64>) -> Self {
        Self { products, ..self }
    }

    /// Adds the values of one more point.
    pub fn push(&mut self, values: &[f64]) {
        let point = Self::new(1, values.to_vec(), vec![0.0; triangle(values.len())]);
        self.add(&point);
    }

    /// Adds points, after those that are there.
    pub fn add(&mut self, later: &Self) {
        if self.count == 0 {
            self.clone_from(later);
            return;
        }
        if later.count == 0 {
            return;
        }
        let (a, b) = (self.count as f64, later.count as f64);
        let share = b / (a + b);
        let mut entry = 0;
        for i in 0..self.means.len() {
            let gap = later.means[i] - self.means[i];
            for j in 0..=i {
                let other = later.means[j] - self.means[j];
                let sum = self.products[entry] + later.products[entry];
                self.products[entry] = (gap * other).mul_add(a * share, sum);
                entry += 1;
            }
        }
        // The gaps above are those of the means before they move.
        for (mean, later) in self.means.iter_mut().zip(&later.means) {
            *mean = (later - *mean).mul_add(share, *mean);
        }
        self.count += later.count;
    }

    /// Adds the values of a run of points, `points` of each, tile by tile, in a fixed order.
    pub fn add_values(&mut self, values: &[f64], points: usize) {
        if points == values.len() {
            let own = self.moments(0);
            let all = values.chunks(TILE).fold(own, |before, tile| before.merge(spread(tile)));
            self.count = all.count();
            (self.means, self.products) = (vec![all.mean()], vec![all.squares()]);
            return;
        }
        for start in (0..points).step_by(TILE) {
            let end = points.min(start + TILE);
            let tiles: Vec<&[f64]> =
                values.chunks_exact(points).map(|one| &one[start..end]).collect();
            self.add(&tile(&tiles));
        }
    }
}

/// The joint moments of at most [`TILE`] points.
fn tile(values: &[&[f64]]) -> Joint {
    let own: Vec<Moments> = values.iter().map(|one| spread(one)).collect();
    let mut products = Vec::with_capacity(triangle(values.len()));
    for (i, one) in values.iter().enumerate() {
        for (j, other) in values[..i].iter().enumerate() {
            let centres = (own[i].mean(), own[j].mean());
            products.push(dispatch(Product { one, other, centres }));
        }
        products.push(own[i].squares());
    }
    Joint::new(values[0].len() as u64, own.iter().map(Moments::mean).collect(), products)
}

impl Partial for Joint {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, later: Self) -> Self {
        self.add(&later);
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.count);
        put_f64s(out, &self.means);
        put_f64s(out, &self.products);
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let joint = Self::read(&mut reader)?;
        reader.finish().map(|()| joint)
    }
}

impl Joint {
    /// Reads what [`Partial::encode`] wrote, with more after it.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let (count, means, products) = (reader.u64()?, reader.f64s()?, reader.f64s()?);
        if products.len() != triangle(means.len()) {
            let wrong = format!("{} products of {} values", products.len(), means.len());
            return Err(Error::wire(wrong));
        }
        Ok(Self { count, means, products })
    }
}

/// The moments of at most [`TILE`] values.
///
/// One pass over deviations from the first value: since that is one of the values, its square is
/// within the sum of squares sought, and at most a factor of [`TILE`] in precision is lost. Equal
/// values have a spread of exactly zero.
pub(crate) fn spread(values: &[f64]) -> Moments {
    dispatch(Spread { values, shift: values[0] })
}

struct Spread<'a> {
    values: &'a [f64],
    shift: f64,
}

impl Task for Spread<'_> {
    type Output = Moments;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Moments {
        let shift = simd.splat(self.shift);
        let mut sums = [simd.splat(0.0); 4];
        let mut squares = sums;
        let (fours, rest) = self.values.as_chunks::<32>();
        for four in fours {
            for (k, vector) in four.as_chunks::<8>().0.iter().enumerate() {
                let gap = simd.sub(simd.load(vector), shift);
                sums[k] = simd.add(sums[k], gap);
                squares[k] = simd.fma(gap, gap, squares[k]);
            }
        }
        for vector in rest.chunks(8) {
            // Lanes beyond the end hold the shift, whose deviation is zero.
            let gap = simd.sub(simd.load_head(vector, self.shift), shift);
            sums[0] = simd.add(sums[0], gap);
            squares[0] = simd.fma(gap, gap, squares[0]);
        }
        let sum = fold(simd, sums);
        let count = self.values.len() as f64;
        let within = fold(simd, squares) - sum * (sum / count);
        Moments::new(self.values.len() as u64, self.shift + sum / count, within.max(0.0))
    }
}

#[inline(always)]
fn fold<S: Simd>(simd: S, parts: [S::F; 4]) -> f64 {
    let [a, b, c, d] = parts;
    simd.sum_lanes(simd.add(simd.add(a, b), simd.add(c, d)))
}

/// The sum of the products of deviations from the two means.
struct Product<'a> {
    one: &'a [f64],
    other: &'a [f64],
    centres: (f64, f64),
}

impl Task for Product<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let centres = (simd.splat(self.centres.0), simd.splat(self.centres.1));
        let mut sum = simd.splat(0.0);
        for (one, other) in self.one.chunks(8).zip(self.other.chunks(8)) {
            let one = simd.sub(simd.load_head(one, self.centres.0), centres.0);
            let other = simd.sub(simd.load_head(other, self.centres.1), centres.1);
            sum = simd.fma(one, other, sum);
        }
        simd.sum_lanes(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_values() {
        for count in [1, 2, 7, 8, 31, 32, 33, 511, 512, 1500] {
            let values: Vec<f64> = (0..count).map(|i| 1e9 + (i * i % 17) as f64).collect();
            let mut expected = Moments::default();
            values.iter().for_each(|&x| expected.push(x));
            let mut joint = Joint::default();
            joint.add_values(&values, values.len());
            let found = joint.moments(0);
            assert_eq!(found.count(), expected.count());
            assert!((found.mean() - expected.mean()).abs() < 1e-6);
            assert!((found.squares() - expected.squares()).abs() <= 1e-5 * expected.squares());
        }
    }

    #[test]
    fn equal_values_have_no_spread() {
        let mut joint = Joint::default();
        joint.add_values(&[0.1; 77], 77);
        assert_eq!((joint.moments(0).mean(), joint.moments(0).squares()), (0.1, 0.0));
    }

    /// Against the definition, and however the points are cut.
    #[test]
    fn products_are_those_of_the_values() {
        let points = 1300;
        let of = |i: usize| [(i % 13) as f64, (i * i % 29) as f64, 5.0 - (i % 7) as f64];
        let column = |k: usize| (0..points).map(move |i| of(i)[k]);
        let values: Vec<f64> = (0..3).flat_map(column).collect();
        let mut joint = Joint::default();
        joint.add_values(&values, points);
        let mut pushed = Joint::default();
        (0..points).for_each(|i| pushed.push(&of(i)));
        for i in 0..3 {
            assert_eq!(joint.moments(i), {
                let mut alone = Joint::default();
                alone.add_values(&values[i * points..][..points], points);
                alone.moments(0)
            });
            for j in 0..3 {
                let mean = |k: usize| column(k).sum::<f64>() / points as f64;
                let product = column(i).zip(column(j)).map(|(x, y)| (x - mean(i)) * (y - mean(j)));
                let expected = product.sum::<f64>() / (points * (points - 1)) as f64;
                for found in [joint.covariance(i, j), pushed.covariance(i, j)] {
                    assert!((found - expected).abs() < 1e-12, "{i} {j}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn it_travels() {
        let joint = Joint::new(4, vec![1.0, 2.0], vec![0.5, 0.25, 0.75]);
        let mut bytes = Vec::new();
        joint.encode(&mut bytes);
        assert_eq!(Joint::decode(&bytes).unwrap(), joint);
        assert!(Joint::decode(&bytes[..bytes.len() - 8]).is_err());
        assert_eq!(Joint::empty().merge(joint.clone()).merge(Joint::empty()), joint);
    }
}
