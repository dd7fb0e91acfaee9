//! Ranks as normal scores, and quantiles of sorted values.

use windfall_lanes::{LANES, Simd, Task, dispatch, math};

/// Values in ascending order, each with its place.
pub(super) type Order = Vec<(f64, u32)>;

/// Sorts values.
pub(super) fn order_of(values: &[f64]) -> Order {
    let places = values.iter().enumerate();
    let mut order: Order = places.map(|(place, &value)| (value, place as u32)).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    order
}

/// The order of the distances from `centre`, merged from both sides without another sort.
pub(super) fn folded(order: &[(f64, u32)], centre: f64) -> Order {
    let mut high = order.partition_point(|(value, _)| *value < centre);
    let mut low = high;
    let mut folded = Order::with_capacity(order.len());
    while folded.len() < order.len() {
        let below = low.checked_sub(1).map(|at| ((order[at].0 - centre).abs(), order[at].1));
        let above = order.get(high).map(|&(value, place)| ((value - centre).abs(), place));
        match (below, above) {
            (Some(below), Some(above)) if below.0 < above.0 => {
                folded.push(below);
                low -= 1;
            }
            (_, Some(above)) => {
                folded.push(above);
                high += 1;
            }
            (Some(below), None) => {
                folded.push(below);
                low -= 1;
            }
            (None, None) => break,
        }
    }
    folded
}

/// The normal scores of ranks: `Φ^-1((r - 3/8)/(N + 1/4))`, ties at their mean rank.
pub(super) fn normal_scores(order: &[(f64, u32)]) -> Vec<f64> {
    let size = order.len();
    let mut scores = vec![0.0; size];
    let mut start = 0;
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let rank = start as f64 + 0.5 * (tied.len() as f64 + 1.0);
        let share = (rank - 0.375) / (size as f64 + 0.25);
        tied.iter().for_each(|&(_, place)| scores[place as usize] = share);
        start += tied.len();
    }
    dispatch(Quantiles(&mut scores));
    scores
}

/// Turns probabilities into normal quantiles.
struct Quantiles<'a>(&'a mut [f64]);

impl Task for Quantiles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for part in self.0.chunks_mut(LANES) {
            let quantiles = math::normal_quantile(simd, simd.load_head(part, 0.5));
            simd.store_head(quantiles, part);
        }
    }
}

/// The quantile of sorted values by linear interpolation between neighbours.
pub(super) fn quantile_of(sorted: &[f64], level: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * level;
    let (low, share) = (place as usize, place - place.floor());
    let value = sorted[low];
    if share > 0.0 { share.mul_add(sorted[low + 1] - value, value) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_mean_rank() {
        let scores = normal_scores(&order_of(&[3.0, 1.0, 3.0, 2.0]));
        assert_eq!(scores[0], scores[2]);
        assert!(scores[1] < scores[3] && scores[3] < scores[0]);
    }

    #[test]
    fn folding_gives_the_order_of_distances() {
        let values = [5.0, -1.0, 2.0, 2.5, 9.0, 2.0, 0.0, 4.0];
        for centre in [-3.0, 2.0, 2.25, 3.1, 20.0] {
            let distances: Vec<f64> =
                values.iter().map(|value: &f64| (value - centre).abs()).collect();
            let found = folded(&order_of(&values), centre);
            let expected = order_of(&distances);
            assert!(found.iter().zip(&expected).all(|(a, b)| a.0 == b.0));
            assert!(found.iter().all(|(value, place)| distances[*place as usize] == *value));
        }
    }
}
