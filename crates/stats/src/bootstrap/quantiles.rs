//! Quantiles of the replicates without sorting them: select the few ranks that are needed.
//!
//! Sorting 10,000 replicates costs more than drawing them for a small sample; selecting a dozen
//! ranks costs a few passes.

/// Numbers of which some ranks stand in their sorted place.
#[derive(Clone, Debug)]
pub struct Quantiles {
    values: Vec<f64>,
}

impl Quantiles {
    /// Takes `values`, which hold no NaN.
    pub fn new(values: Vec<f64>) -> Self {
        Self { values }
    }

    /// Puts the ranks that the quantiles at `levels` need in their places.
    ///
    /// # Cost
    /// About `len · log2(levels)` steps.
    pub fn prepare(&mut self, levels: &[f64]) {
        let mut ranks: Vec<usize> = levels
            .iter()
            .flat_map(|&level| {
                let rank = self.position(level).0;
                [rank, rank + 1]
            })
            .filter(|&rank| rank < self.values.len())
            .collect();
        ranks.sort_unstable();
        ranks.dedup();
        select(&mut self.values, 0, &ranks);
    }

    /// The quantile at `level` by linear interpolation between order statistics (type 7 of
    /// Hyndman and Fan 1996, NumPy's default), for a level that was prepared.
    pub fn at(&self, level: f64) -> f64 {
        let (rank, share) = self.position(level);
        let low = self.values[rank];
        match self.values.get(rank + 1) {
            Some(high) if share > 0.0 => low + share * (high - low),
            _ => low,
        }
    }

    /// The rank below `level`, and how far it lies towards the next.
    fn position(&self, level: f64) -> (usize, f64) {
        let place = (self.values.len() - 1) as f64 * level.clamp(0.0, 1.0);
        (place as usize, place - place.floor())
    }
}

/// Puts each of the ascending `ranks` in its place; `values` starts at rank `first`.
fn select(values: &mut [f64], first: usize, ranks: &[usize]) {
    if ranks.is_empty() {
        return;
    }
    let middle = ranks.len() / 2;
    let place = ranks[middle] - first;
    let (below, _, above) = values.select_nth_unstable_by(place, f64::total_cmp);
    select(below, first, &ranks[..middle]);
    select(above, first + place + 1, &ranks[middle + 1..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selected_quantiles_are_those_of_the_sorted_values() {
        let values: Vec<f64> = (0..997u64).map(|i| (i * 7919 % 1009) as f64).collect();
        let mut sorted = values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let levels = [0.0, 0.001, 0.025, 0.25, 0.5, 0.500_01, 0.975, 0.999_9, 1.0];
        let mut quantiles = Quantiles::new(values);
        quantiles.prepare(&levels);
        for level in levels {
            let place = 996.0 * level;
            let (low, share) = (place as usize, place.fract());
            let high = sorted[(low + 1).min(996)];
            let expected = sorted[low] + share * (high - sorted[low]);
            assert_eq!(quantiles.at(level), expected, "{level}");
        }
    }
}
