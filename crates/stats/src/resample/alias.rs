//! Alias tables in whole numbers: a discrete law becomes equal buckets of at most two outcomes.
//!
//! A draw then costs one comparison whatever the law. Probabilities are whole multiples of a
//! fixed quantum, so every machine builds the same table and reads it the same way. Source:
//! A. J. Walker, ACM Transactions on Mathematical Software 3(3), 1977; built as in M. D. Vose,
//! IEEE Transactions on Software Engineering 17(9), 1991.

/// One bucket: its own outcome for shares below `share`, another outcome from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// How much of the bucket's capacity is its own outcome's.
    pub share: u64,
    /// The outcome of the rest; its own number if there is no rest.
    pub other: usize,
}

/// Rounds probabilities to `buckets` whole weights that sum to `buckets * capacity`.
///
/// `masses` need not sum to 1, only be non-negative and not all zero; the sum must be at most
/// 2^62. Each weight is rounded to the nearest and the largest one takes what is left over, so
/// the total-variation distance to the law is at most `masses.len() / (2 * buckets * capacity)`.
pub(super) fn quantise(masses: &[f64], buckets: usize, capacity: u64) -> Vec<u64> {
    let whole = buckets as u64 * capacity;
    let scale = whole as f64 / masses.iter().sum::<f64>();
    let mut weights: Vec<u64> = masses.iter().map(|mass| (mass * scale).round() as u64).collect();
    let largest = (0..weights.len()).max_by_key(|&i| (weights[i], usize::MAX - i)).unwrap_or(0);
    let others = weights.iter().sum::<u64>() - weights[largest];
    weights[largest] = whole - others;
    weights.resize(buckets, 0);
    weights
}

/// Builds the table of weights that sum to their number times `capacity`.
pub(super) fn table(mut weights: Vec<u64>, capacity: u64) -> Vec<Bucket> {
    let mut table: Vec<Bucket> =
        (0..weights.len()).map(|i| Bucket { share: capacity, other: i }).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) =
        (0..weights.len()).partition(|&i| weights[i] < capacity);
    while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
        table[poor] = Bucket { share: weights[poor], other: rich };
        weights[rich] -= capacity - weights[poor];
        if weights[rich] < capacity {
            large.pop();
            small.push(rich);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_each_weight_exactly() {
        let masses: Vec<f64> = (0..11).map(|i| (-0.7 * f64::from(i)).exp()).collect();
        for (buckets, capacity) in [(16, 1 << 28), (64, 1 << 54)] {
            let weights = quantise(&masses, buckets, capacity);
            assert_eq!(weights.iter().sum::<u64>(), buckets as u64 * capacity);
            let mut held = vec![0; buckets];
            for (i, bucket) in table(weights.clone(), capacity).into_iter().enumerate() {
                assert!(bucket.share <= capacity);
                held[i] += bucket.share;
                held[bucket.other] += capacity - bucket.share;
            }
            assert_eq!(held, weights);
            let total: f64 = masses.iter().sum();
            let whole = (buckets as u64 * capacity) as f64;
            for (weight, mass) in weights.iter().zip(&masses) {
                let error = (*weight as f64 / whole - mass / total).abs();
                assert!(error <= 12.0 / whole + 1e-15, "{error}");
            }
        }
    }

    #[test]
    fn a_certain_outcome_fills_every_bucket() {
        let table = table(quantise(&[0.0, 1.0], 4, 100), 100);
        assert!(table.iter().enumerate().all(|(i, b)| if i == 1 {
            b.share == 100 || b.other == 1
        } else {
            b.share == 0 && b.other == 1
        }));
    }
}
