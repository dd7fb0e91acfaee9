//! A task of cubature: evaluate a group of regions by the pair of rules.

use super::rules::{Pair, fourth_differences};
use crate::integrate::block::Block;
use windfall_core::wire::{Reader, put_f64s};
use windfall_core::{Partial, Result};

/// A box in the unit cube: the lower end and the width of each axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Region(pub Vec<(f64, f64)>);

impl Region {
    /// The whole unit cube.
    pub fn whole(dimensions: usize) -> Self {
        Self(vec![(0.0, 1.0); dimensions])
    }

    /// The two halves along an axis.
    pub fn halves(&self, axis: usize) -> [Self; 2] {
        let (mut lower, mut upper) = (self.clone(), self.clone());
        let (low, width) = self.0[axis];
        lower.0[axis] = (low, 0.5 * width);
        upper.0[axis] = (low + 0.5 * width, 0.5 * width);
        [lower, upper]
    }

    /// The share of the unit cube.
    pub fn volume(&self) -> f64 {
        self.0.iter().map(|(_, width)| width).product()
    }
}

/// What regions yield, in their order: for each the integrals, the errors, and where to cut.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Judged(pub Vec<f64>);

impl Judged {
    /// The numbers of one region with so many integrals.
    pub fn width(outputs: usize) -> usize {
        2 * outputs + 1
    }
}

impl Partial for Judged {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, mut later: Self) -> Self {
        self.0.append(&mut later.0);
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_f64s(out, &self.0);
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let judged = Self(reader.f64s()?);
        reader.finish().map(|()| judged)
    }
}

/// The points of all regions, one region after the other, in blocks.
pub(crate) fn judge(
    pair: &Pair,
    regions: &[Region],
    task: u64,
    block: &mut Block<'_>,
    judged: &mut Judged,
) -> Result<()> {
    let (points, outputs) = (pair.points(), block.outputs());
    // Only the points along the axes are looked at again.
    let along = points.min(1 + 4 * pair.offsets.len());
    let mut sums = Sums::new(outputs, along);
    let total = points * regions.len();
    for start in (0..total).step_by(block.points_max()) {
        let end = total.min(start + block.points_max());
        fill(pair, regions, start..end, block);
        let values = block.evaluate(end - start, task)?;
        let mut from = start;
        while from < end {
            let (region, first) = (from / points, from % points);
            let to = end.min((region + 1) * points);
            for (output, values) in values.chunks_exact(end - start).enumerate() {
                sums.add(output, pair, first, &values[from - start..to - start]);
            }
            if to == (region + 1) * points {
                sums.close(&regions[region], judged);
            }
            from = to;
        }
    }
    Ok(())
}

/// Writes the coordinates of a run of points.
fn fill(pair: &Pair, regions: &[Region], range: std::ops::Range<usize>, block: &mut Block<'_>) {
    const LEAST: f64 = f64::EPSILON / 2.0;
    let points = pair.points();
    for (axis, ((low, width), column)) in block.axes().enumerate() {
        let column = column.as_flattened_mut();
        let (least, most) = (low.min(low + width), low.max(low + width));
        let mut from = range.start;
        while from < range.end {
            let region = from / points;
            let to = range.end.min((region + 1) * points);
            let (start, length) = regions[region].0[axis];
            let (centre, half) = (start + 0.5 * length, 0.5 * length);
            let offsets = &pair.offsets[axis][from % points..][..to - from];
            let column = &mut column[from - range.start..to - range.start];
            for (x, offset) in column.iter_mut().zip(offsets) {
                let u = (centre + half * offset).clamp(LEAST, 1.0 - LEAST);
                *x = (low + width * u).clamp(least, most);
            }
            from = to;
        }
    }
}

/// The sums of one region so far, for each integral.
struct Sums {
    good: Vec<f64>,
    poor: Vec<f64>,
    /// The values at the first points of the pair, integral by integral.
    first: Vec<Vec<f64>>,
    along: usize,
}

impl Sums {
    fn new(outputs: usize, along: usize) -> Self {
        let zeros = vec![0.0; outputs];
        Self { good: zeros.clone(), poor: zeros, first: vec![Vec::new(); outputs], along }
    }

    /// Adds the values at the pair's points from `first` on.
    fn add(&mut self, output: usize, pair: &Pair, first: usize, values: &[f64]) {
        let (mut good, mut poor) = (self.good[output], self.poor[output]);
        let weights = pair.good[first..].iter().zip(&pair.poor[first..]);
        for (value, (better, worse)) in values.iter().zip(weights) {
            good += better * value;
            poor += worse * value;
        }
        (self.good[output], self.poor[output]) = (good, poor);
        let kept = self.along.saturating_sub(first).min(values.len());
        self.first[output].extend(&values[..kept]);
    }

    /// Appends what the region yields, and starts afresh.
    fn close(&mut self, region: &Region, judged: &mut Judged) {
        let volume = region.volume();
        judged.0.extend(self.good.iter().map(|good| volume * good));
        let rules = self.good.iter().zip(&self.poor);
        judged.0.extend(
            rules.map(|(good, poor)| volume * ((good - poor).abs() + f64::EPSILON * good.abs())),
        );
        let dimensions = region.0.len();
        let mut roughness = vec![0.0; dimensions];
        for values in &mut self.first {
            for (sum, rough) in roughness.iter_mut().zip(fourth_differences(dimensions, values)) {
                *sum += rough;
            }
            values.clear();
        }
        judged.0.push(axis_to_cut(region, &roughness) as f64);
        self.good.fill(0.0);
        self.poor.fill(0.0);
    }
}

/// The roughest axis; among those that are nearly as rough the widest.
fn axis_to_cut(region: &Region, roughness: &[f64]) -> usize {
    let most = roughness.iter().copied().fold(0.0, f64::max);
    let mut best = 0;
    let mut width = -1.0;
    for (axis, &rough) in roughness.iter().enumerate() {
        // Differences of rounding alone say nothing.
        if rough >= most * (1.0 - 1e-6) && region.0[axis].1 > width {
            (best, width) = (axis, region.0[axis].1);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_fill_the_region() {
        let region = Region(vec![(0.25, 0.5), (0.0, 1.0)]);
        let [lower, upper] = region.halves(0);
        assert_eq!(lower.0, [(0.25, 0.25), (0.0, 1.0)]);
        assert_eq!(upper.0, [(0.5, 0.25), (0.0, 1.0)]);
        assert_eq!(lower.volume() + upper.volume(), region.volume());
    }

    #[test]
    fn the_roughest_axis_is_cut_and_the_widest_among_equals() {
        let region = Region(vec![(0.0, 0.25), (0.0, 0.5), (0.0, 0.5)]);
        assert_eq!(axis_to_cut(&region, &[3.0, 1.0, 1.0]), 0);
        assert_eq!(axis_to_cut(&region, &[1.0, 1.0, 1.0]), 1);
        assert_eq!(axis_to_cut(&region, &[0.0, 0.0, 1.0]), 2);
    }
}
