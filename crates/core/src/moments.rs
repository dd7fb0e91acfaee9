//! Count, mean and spread of a run of values, mergeable: the partial of every plain average.

use crate::wire::{Reader, put_f64, put_u64};
use crate::{Partial, Result};

/// Count, mean and sum of squared deviations.
///
/// Values are added by Welford's update and runs are merged by the pairwise formula of Chan,
/// Golub and LeVeque (1983), so that no precision is lost to a large mean.
///
/// ```
/// use windfall_core::Moments;
/// let mut moments = Moments::default();
/// for x in [1.0, 2.0, 3.0, 4.0] {
///     moments.push(x);
/// }
/// assert_eq!(moments.mean(), 2.5);
/// assert_eq!(moments.variance(), 5.0 / 3.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// The moments of `count` values with this mean and this sum of squared deviations from it.
    pub fn new(count: u64, mean: f64, squares: f64) -> Self {
        Self { count, mean, squares }
    }

    /// Adds one value.
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares = before.mul_add(value - self.mean, self.squares);
    }

    /// The number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; 0 without values.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The sum of squared deviations from the mean.
    pub fn squares(&self) -> f64 {
        self.squares
    }

    /// The sample variance, with divisor `count - 1`; NaN for fewer than two values.
    pub fn variance(&self) -> f64 {
        if self.count < 2 { f64::NAN } else { self.squares / (self.count - 1) as f64 }
    }

    /// The Monte Carlo standard error of the mean: `sqrt(variance / count)`.
    pub fn mcse(&self) -> f64 {
        (self.variance() / self.count as f64).sqrt()
    }

    /// The moments of the same values times `factor`.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { mean: self.mean * factor, squares: self.squares * (factor * factor), ..self }
    }
}

impl Partial for Moments {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(self, later: Self) -> Self {
        if self.count == 0 {
            return later;
        }
        if later.count == 0 {
            return self;
        }
        let (a, b) = (self.count as f64, later.count as f64);
        let gap = later.mean - self.mean;
        let share = b / (a + b);
        Self {
            count: self.count + later.count,
            mean: gap.mul_add(share, self.mean),
            squares: (gap * gap).mul_add(a * share, self.squares + later.squares),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.count);
        put_f64(out, self.mean);
        put_f64(out, self.squares);
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let moments = Self { count: reader.u64()?, mean: reader.f64()?, squares: reader.f64()? };
        reader.finish().map(|()| moments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|&x| moments.push(x));
        moments
    }

    /// NIST StRD NumAcc4: 10000000.2 once, then 500 times .1 and .3 above ten million.
    #[test]
    fn a_large_mean_costs_no_precision() {
        let mut values = vec![10000000.2];
        (0..500).for_each(|_| values.extend([10000000.1, 10000000.3]));
        for moments in [of(&values), of(&values[..400]).merge(of(&values[400..]))] {
            assert!((moments.mean() - 10000000.2).abs() < 1e-8);
            assert!((moments.variance().sqrt() - 0.1).abs() < 1e-8);
        }
    }

    #[test]
    fn it_travels_and_has_a_neutral_element() {
        let moments = of(&[1.0, 5.5, -3.25]);
        let mut bytes = Vec::new();
        moments.encode(&mut bytes);
        assert_eq!(Moments::decode(&bytes).unwrap(), moments);
        assert!(Moments::decode(&bytes[1..]).is_err());
        assert_eq!(Moments::empty().merge(moments), moments);
        assert_eq!(moments.merge(Moments::empty()), moments);
    }
}
