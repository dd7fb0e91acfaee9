//! Points in hypercubes: each gets as many as its spread deserves, at least two.

use super::super::grid::Grid;
use windfall_core::wire::{Reader, put_f64, put_f64s, put_u64};
use windfall_core::{Error, Result};
use windfall_lanes::{Simd, Task, dispatch};

/// Points that every hypercube gets.
pub(crate) const LEAST: u64 = 2;
/// No hypercube gets more than this share of the points: it is one worker's work.
const MOST: f64 = 1.0 / 32.0;

/// How many points each hypercube gets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Allocation {
    /// Points by the place of the hypercube among the visits; none for as many to each.
    spreads: Option<Vec<f64>>,
    even: u64,
    scale: f64,
    most: u64,
}

impl Allocation {
    /// The same number to each of `cubes`, `n` in all.
    pub fn even(n: u64, cubes: u64) -> Self {
        Self { spreads: None, even: (n / cubes).max(LEAST), scale: 0.0, most: u64::MAX }
    }

    /// At most `n` points: two to each, the rest in proportion to `spreads`.
    pub fn by(spreads: Vec<f64>, n: u64) -> Self {
        let total = windfall_lanes::sum(&spreads);
        if !(total > 0.0 && total.is_finite()) {
            return Self::even(n, spreads.len() as u64);
        }
        let adapted = n.saturating_sub(LEAST * spreads.len() as u64);
        let most = ((n as f64 * MOST) as u64).max(8 * LEAST);
        Self { spreads: Some(spreads), even: 0, scale: adapted as f64 / total, most }
    }

    /// Appends all of it to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_f64s(out, self.spreads.as_deref().unwrap_or_default());
        put_u64(out, self.even);
        put_f64(out, self.scale);
        put_u64(out, self.most);
    }

    /// Reads back the allocation to so many hypercubes.
    pub fn decode(reader: &mut Reader<'_>, cubes: u64) -> Result<Self> {
        let spreads = reader.f64s()?;
        if !spreads.is_empty() && spreads.len() as u64 != cubes {
            return Err(Error::wire(format!("{} spreads of {cubes} hypercubes", spreads.len())));
        }
        let spreads = (!spreads.is_empty()).then_some(spreads);
        let (even, scale, most) = (reader.u64()?, reader.f64()?, reader.u64()?);
        Ok(Self { spreads, even, scale, most })
    }

    /// The points of the hypercube that is visited at `place`.
    pub fn points(&self, place: u64) -> u64 {
        match &self.spreads {
            None => self.even,
            Some(spreads) => (LEAST + (self.scale * spreads[place as usize]) as u64).min(self.most),
        }
    }
}

/// What the spreads of `from`'s cells say of those of another grid: each of its cells takes that of
/// the cell its centre lies in. Both in the order of visits.
pub(crate) fn carried(spreads: &[f64], from: &Grid, to: &Grid) -> Vec<f64> {
    let mut by_number = vec![0.0; spreads.len()];
    for (cell, spread) in from.cells_from(0).zip(spreads) {
        by_number[cell as usize] = *spread;
    }
    let numbers = containing(from, to);
    let spread = |cell: u64| by_number[numbers[cell as usize] as usize];
    to.cells_from(0).map(spread).take(to.cells() as usize).collect()
}

/// For each cell of `to`, by number, the number of the cell of `from` that its centre lies in.
fn containing(from: &Grid, to: &Grid) -> Vec<u64> {
    let mut numbers = vec![0];
    let mut step = 1;
    for (&old, &new) in from.counts().iter().zip(to.counts()) {
        // The first axis is the fastest: each further one repeats all before it.
        let before = numbers.len();
        let digits = (0..new).map(|digit| (2 * digit + 1) * old / (2 * new) * step);
        numbers = digits.flat_map(|add| numbers[..before].iter().map(move |n| n + add)).collect();
        step *= old;
    }
    numbers
}

/// Variances of weighted values become what points are in proportion to: the standard deviation to
/// the power of 3/4, damped as in Lepage (2021), section 3.
pub(crate) fn damp(variances: &mut [f64]) {
    dispatch(Damp(variances));
}

struct Damp<'a>(&'a mut [f64]);

impl Task for Damp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for chunk in self.0.chunks_mut(8) {
            let quarter = simd.sqrt(simd.sqrt(simd.load_head(chunk, 0.0)));
            simd.store_head(simd.mul(quarter, simd.sqrt(quarter)), chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_follow_the_spread_and_stay_within_n() {
        let spreads: Vec<f64> = (0..1000).map(|i| if i % 10 == 0 { 9.0 } else { 1.0 }).collect();
        let allocation = Allocation::by(spreads, 100_000);
        let points: Vec<u64> = (0..1000).map(|place| allocation.points(place)).collect();
        let total: u64 = points.iter().sum();
        assert!((99_000..=100_000).contains(&total), "{total}");
        assert!(points[0] > 8 * points[1] && points[1] >= LEAST);
        assert_eq!(Allocation::by(vec![0.0; 10], 100), Allocation::even(100, 10));
        assert_eq!(Allocation::by(vec![0.0, 1.0, 0.0], 6400).points(1), 200);
    }

    #[test]
    fn a_finer_grid_takes_the_spread_of_the_cell_around_it() {
        let (from, to) = (Grid::new(6, 2), Grid::new(20, 2));
        assert_eq!((from.counts(), to.counts()), (&[3, 2][..], &[5, 4][..]));
        let by_number = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let spreads: Vec<f64> =
            from.cells_from(0).take(6).map(|cell| by_number[cell as usize]).collect();
        let found = carried(&spreads, &from, &to);
        for (cell, found) in to.cells_from(0).zip(found) {
            let centre = [(cell % 5) as f64 / 5.0 + 0.1, (cell / 5) as f64 / 4.0 + 0.125];
            let number = (centre[0] * 3.0) as usize + 3 * (centre[1] * 2.0) as usize;
            assert_eq!(found, by_number[number], "{cell}");
        }
        assert_eq!(carried(&spreads, &from, &from), spreads);
    }

    #[test]
    fn the_damped_spread_is_the_power_of_three_quarters() {
        let mut variances: Vec<f64> = (0..13).map(f64::from).collect();
        damp(&mut variances);
        for (variance, spread) in (0..13).zip(variances) {
            assert!((spread - f64::from(variance).powf(0.375)).abs() < 1e-14);
        }
    }
}
