//! What a run of hypercubes yields: sums of means and variances, spreads, lessons for the map.

use super::strata::damp;
use crate::integrate::joint::{place, triangle};
use windfall_core::wire::{Reader, put_f64s, put_u64};
use windfall_core::{Partial, Result};

/// The sums over hypercubes, and what the next iteration learns from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Harvest {
    /// Points evaluated.
    pub points: u64,
    /// Of each value the sum of the hypercubes' means.
    pub means: Vec<f64>,
    /// The sum of the covariances of these means, a triangle.
    pub covariance: Vec<f64>,
    /// The damped spreads of the hypercubes in the order of visits, in pieces.
    pub spreads: Vec<Vec<f64>>,
    /// For each axis and bin: the sum of squares and the number of points, each in shares of the
    /// points of its hypercube; empty without learning.
    pub lessons: Vec<[f64; 2]>,
}

impl Harvest {
    /// Makes room for values of so many outputs and lessons for so many bins.
    pub fn prepare(&mut self, outputs: usize, bins: usize) {
        self.means.resize(outputs, 0.0);
        self.covariance.resize(triangle(outputs), 0.0);
        self.lessons.resize(bins, [0.0; 2]);
    }

    /// Adds the hypercubes of a task, whose variances still have to be damped.
    pub fn add_spreads(&mut self, mut variances: Vec<f64>) {
        damp(&mut variances);
        match self.spreads.last_mut() {
            Some(piece) => piece.append(&mut variances),
            None => self.spreads.push(variances),
        }
    }
}

impl Partial for Harvest {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, mut later: Self) -> Self {
        let bins = self.lessons.len().max(later.lessons.len());
        self.prepare(self.means.len().max(later.means.len()), bins);
        self.points += later.points;
        let add = |mine: &mut Vec<f64>, others: &[f64]| {
            mine.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        };
        add(&mut self.means, &later.means);
        add(&mut self.covariance, &later.covariance);
        for (mine, others) in self.lessons.iter_mut().zip(&later.lessons) {
            *mine = [mine[0] + others[0], mine[1] + others[1]];
        }
        self.spreads.append(&mut later.spreads);
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.points);
        put_f64s(out, &self.means);
        put_f64s(out, &self.covariance);
        put_f64s(out, &self.spreads.concat());
        put_f64s(out, self.lessons.as_flattened());
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let harvest = Self {
            points: reader.u64()?,
            means: reader.f64s()?,
            covariance: reader.f64s()?,
            spreads: vec![reader.f64s()?],
            lessons: reader.f64s()?.as_chunks().0.to_vec(),
        };
        reader.finish().map(|()| harvest)
    }
}

/// Takes the values of a hypercube's points one after the other, over several blocks if need be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// The first point's values, from which deviations are taken.
    shift: Vec<f64>,
    sums: Vec<f64>,
    products: Vec<f64>,
    points: u64,
}

impl Tally {
    /// A tally of so many values a point.
    pub fn new(outputs: usize) -> Self {
        let products = vec![0.0; triangle(outputs)];
        Self { shift: vec![0.0; outputs], sums: vec![0.0; outputs], products, points: 0 }
    }

    /// Adds the points of `range` among the `weighted` values of a block of `stride` points.
    pub fn add(&mut self, weighted: &[f64], stride: usize, range: std::ops::Range<usize>) {
        if self.points == 0 {
            for (output, shift) in self.shift.iter_mut().enumerate() {
                *shift = weighted[output * stride + range.start];
            }
        }
        self.points += range.len() as u64;
        if let ([shift], [sum], [product]) =
            (&self.shift[..], &mut self.sums[..], &mut self.products[..])
        {
            let (mut total, mut squares) = (*sum, *product);
            for value in &weighted[range] {
                let gap = value - shift;
                total += gap;
                squares += gap * gap;
            }
            (*sum, *product) = (total, squares);
            return;
        }
        for point in range {
            let gap = |output: usize| weighted[output * stride + point] - self.shift[output];
            for i in 0..self.shift.len() {
                self.sums[i] += gap(i);
                for j in 0..=i {
                    self.products[place(i, j)] += gap(i) * gap(j);
                }
            }
        }
    }

    /// Adds the hypercube to the harvest and starts afresh; returns the variance of its first
    /// value.
    pub fn close(&mut self, harvest: &mut Harvest) -> f64 {
        let n = self.points as f64;
        // One division a hypercube: there are a million of them.
        let scale = 1.0 / (n * (n - 1.0));
        let (share, freedom) = ((n - 1.0) * scale, n * scale);
        let first = self.products[0] - self.sums[0] * (self.sums[0] * share);
        for i in 0..self.shift.len() {
            let mean = self.sums[i] * share;
            harvest.means[i] += self.shift[i] + mean;
            for j in 0..=i {
                let entry = place(i, j);
                let product = self.products[entry] - self.sums[j] * mean;
                let product = if i == j { product.max(0.0) } else { product };
                harvest.covariance[entry] += product * scale;
            }
        }
        self.sums.fill(0.0);
        self.products.fill(0.0);
        self.points = 0;
        first.max(0.0) * freedom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hypercube_may_be_cut_anywhere() {
        let weighted: Vec<f64> = (0..40).map(|i| f64::from(i * i % 17)).collect();
        let of = |cut: usize| {
            let (mut tally, mut harvest) = (Tally::new(2), Harvest::default());
            harvest.prepare(2, 0);
            tally.add(&weighted, 20, 0..cut);
            tally.add(&weighted, 20, cut..20);
            let variance = tally.close(&mut harvest);
            (harvest, variance)
        };
        let (harvest, variance) = of(7);
        assert_eq!(of(13), (harvest.clone(), variance));
        let mean = weighted[..20].iter().sum::<f64>() / 20.0;
        let squares: f64 = weighted[..20].iter().map(|x| (x - mean) * (x - mean)).sum();
        assert!((harvest.means[0] - mean).abs() < 1e-14);
        assert!((variance - squares / 19.0).abs() < 1e-12);
        assert!((harvest.covariance[0] - squares / 19.0 / 20.0).abs() < 1e-13);
    }

    #[test]
    fn it_travels_and_keeps_the_order_of_hypercubes() {
        let mut one = Harvest { points: 3, ..Default::default() };
        one.prepare(1, 2);
        one.add_spreads(vec![1.0, 16.0]);
        let mut two = one.clone();
        two.add_spreads(vec![0.0]);
        let merged = Harvest::empty().merge(one).merge(two);
        assert_eq!(merged.spreads.concat().len(), 5);
        assert_eq!(merged.spreads.concat()[4], 0.0);
        let (mut bytes, mut again) = (Vec::new(), Vec::new());
        merged.encode(&mut bytes);
        Harvest::decode(&bytes).unwrap().encode(&mut again);
        assert_eq!(bytes, again);
        assert!(Harvest::decode(&bytes[..bytes.len() - 8]).is_err());
    }
}
