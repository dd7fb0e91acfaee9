//! Test statistics that are no formula of sums: functions of the arrangement.

use super::ranks::dense_ranks;
use std::fmt::Debug;
use windfall_core::{Error, Result};
use windfall_lanes::dot;

/// Room that functions work in, kept between permutations.
#[derive(Debug, Default)]
pub(crate) struct Room {
    codes: Vec<u32>,
    merged: Vec<u32>,
    numbers: Vec<f64>,
}

/// A function of the arrangement: of which row each position shows.
pub(crate) trait Direct: Debug + Send + Sync {
    /// Its value.
    fn value(&self, arrangement: &[u32], room: &mut Room) -> f64;
}

/// The energy distance of samples, from their distribution functions along the sorted values.
///
/// Twice the integral of the squared difference of two distribution functions is `2E|X - Y| -
/// E|X - X'| - E|Y - Y'|`; the distance of two samples is its root. Of more samples it is weighted
/// by `n_a n_b / 2n` and summed over the pairs. Sources: G. Székely, M. Rizzo, "Energy statistics"
/// (2013); M. Rizzo, G. Székely, "DISCO analysis" (2010).
#[derive(Debug)]
pub(crate) struct Energy {
    /// Rows by value.
    order: Vec<u32>,
    /// From each value to the next.
    gaps: Vec<f64>,
    /// The label of each position.
    codes: Vec<u32>,
    /// One over the size of each sample.
    shares: Vec<f64>,
    weights: Vec<f64>,
}

impl Energy {
    /// Of `values` in samples of these `sizes`, by the code of each row.
    pub fn new(values: &[f64], codes: &[u32], sizes: &[usize]) -> Self {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        let value = |row: u32| values[row as usize];
        order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
        let gaps = order.windows(2).map(|pair| value(pair[1]) - value(pair[0])).collect();
        let total = values.len() as f64;
        let weights = match sizes {
            [_, _] => vec![1.0],
            sizes => pairs(sizes.len())
                .map(|(a, b)| sizes[a] as f64 * sizes[b] as f64 / (2.0 * total))
                .collect(),
        };
        let shares = sizes.iter().map(|&size| 1.0 / size as f64).collect();
        Self { order, gaps, codes: codes.to_vec(), shares, weights }
    }
}

/// The pairs of `0..count`.
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |a| (a + 1..count).map(move |b| (a, b)))
}

impl Direct for Energy {
    fn value(&self, arrangement: &[u32], room: &mut Room) -> f64 {
        let Room { codes, numbers, .. } = room;
        codes.resize(arrangement.len(), 0);
        for (&row, &code) in arrangement.iter().zip(&self.codes) {
            codes[row as usize] = code;
        }
        if let [one, other] = *self.shares {
            // The difference of the two distribution functions, walked along.
            let (steps, mut difference, mut square) = ([one, -other], 0.0f64, 0.0f64);
            for (&row, gap) in self.order.iter().zip(&self.gaps) {
                difference += steps[codes[row as usize] as usize & 1];
                square = (difference * difference).mul_add(*gap, square);
            }
            return (2.0 * square).sqrt();
        }
        numbers.clear();
        numbers.resize(self.shares.len(), 0.0);
        let mut total = 0.0;
        for (&row, gap) in self.order.iter().zip(&self.gaps) {
            let code = codes[row as usize] as usize;
            numbers[code] += self.shares[code];
            for ((a, b), weight) in pairs(numbers.len()).zip(&self.weights) {
                let difference = numbers[a] - numbers[b];
                total += 2.0 * weight * difference * difference * gap;
            }
        }
        total
    }
}

/// Kendall's tau-b: concordant less discordant pairs, over the root of the pairs untied in each.
///
/// Source: W. Knight, "A computer method for calculating Kendall's tau with ungrouped data",
/// Journal of the American Statistical Association 61 (1966): discordant pairs are the exchanges
/// of a merge sort.
#[derive(Debug)]
pub(crate) struct Kendall {
    /// Dense ranks of the moving column.
    moving: Vec<u32>,
    /// Positions by the still column, in runs of equal values.
    still: Vec<Vec<u32>>,
    /// Pairs untied in the moving column, less those tied in the still one.
    untied: f64,
    scale: f64,
}

impl Kendall {
    /// Of the column that moves and the one that stays.
    pub fn new(moving: &[f64], still: &[f64]) -> Self {
        let pairs = |n: f64| n * (n - 1.0) / 2.0;
        let tied = |ranks: &[u32]| {
            let mut counts = vec![0.0; ranks.len()];
            ranks.iter().for_each(|&rank| counts[rank as usize] += 1.0);
            counts.into_iter().map(pairs).sum::<f64>()
        };
        let (moving, still) = (dense_ranks(moving), dense_ranks(still));
        let all = pairs(moving.len() as f64);
        let (x, y) = (all - tied(&moving), all - tied(&still));
        let mut runs = vec![Vec::new(); still.iter().max().map_or(0, |&rank| rank as usize + 1)];
        still.iter().enumerate().for_each(|(row, &rank)| runs[rank as usize].push(row as u32));
        let (untied, scale) = (x + y - all, 1.0 / (x.sqrt() * y.sqrt()));
        Self { moving, still: runs, untied, scale }
    }
}

impl Direct for Kendall {
    fn value(&self, arrangement: &[u32], room: &mut Room) -> f64 {
        let Room { codes: ranks, merged, .. } = room;
        ranks.clear();
        let mut tied_in_both = 0;
        for run in &self.still {
            let start = ranks.len();
            let shown = |&position: &u32| self.moving[arrangement[position as usize] as usize];
            ranks.extend(run.iter().map(shown));
            // Within a run no pair counts: ascending, it has no exchange.
            ranks[start..].sort_unstable();
            for tie in ranks[start..].chunk_by(|a, b| a == b) {
                tied_in_both += tie.len() * (tie.len() - 1) / 2;
            }
        }
        merged.resize(ranks.len(), 0);
        let exchanges = exchanges(ranks, merged) as f64;
        (self.untied + tied_in_both as f64 - 2.0 * exchanges) * self.scale
    }
}

/// The pairs of `list` that stand the wrong way round; sorts it, with room in `merged`.
fn exchanges(list: &mut [u32], merged: &mut [u32]) -> u64 {
    const SHORT: usize = 16;
    if list.len() <= SHORT {
        let mut count = 0;
        for at in 1..list.len() {
            let (mut place, item) = (at, list[at]);
            while place > 0 && list[place - 1] > item {
                list[place] = list[place - 1];
                place -= 1;
            }
            list[place] = item;
            count += (at - place) as u64;
        }
        return count;
    }
    let middle = list.len() / 2;
    let mut count = exchanges(&mut list[..middle], merged) + exchanges(&mut list[middle..], merged);
    let (mut left, mut right) = (0, middle);
    for slot in &mut merged[..list.len()] {
        let takes_right = left == middle || (right < list.len() && list[right] < list[left]);
        if takes_right {
            *slot = list[right];
            right += 1;
            count += (middle - left) as u64;
        } else {
            *slot = list[left];
            left += 1;
        }
    }
    list.copy_from_slice(&merged[..list.len()]);
    count
}

/// The most rows of a distance correlation: two matrices of 200 MB.
const DISTANCE_ROWS_MAX: usize = 5_000;

/// The distance correlation: that of the doubly centred distances.
///
/// Source: G. Székely, M. Rizzo, N. Bakirov, "Measuring and testing dependence by correlation of
/// distances", Annals of Statistics 35 (2007), definitions 4 and 5.
#[derive(Debug)]
pub(crate) struct DistanceCorrelation {
    moving: Vec<f64>,
    still: Vec<f64>,
    /// One over the root of the product of both distance variances, times `n²`.
    scale: f64,
}

impl DistanceCorrelation {
    /// Of the column that moves and the one that stays.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for so many rows that distances would not fit.
    pub fn new(moving: &[f64], still: &[f64]) -> Result<Self> {
        let rows = moving.len();
        if rows > DISTANCE_ROWS_MAX {
            let expected = format!("at most {DISTANCE_ROWS_MAX} for a distance correlation");
            return Err(Error::invalid("rows", rows, &expected)
                .hint("each permutation takes a pass over all pairs of rows; take a sample"));
        }
        let (moving, still) = (centred_distances(moving), centred_distances(still));
        let scale = 1.0 / (dot(&moving, &moving).sqrt() * dot(&still, &still).sqrt());
        Ok(Self { moving, still, scale })
    }
}

/// The distances between values, each less the means of its row and column plus the mean of all.
fn centred_distances(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let rows = values.iter().map(|a| values.iter().map(|b| (a - b).abs()).collect::<Vec<_>>());
    let means: Vec<f64> = rows.clone().map(|row| windfall_lanes::sum(&row) / n as f64).collect();
    let mean = windfall_lanes::sum(&means) / n as f64;
    let centre = |(a, row): (usize, Vec<f64>)| {
        let means = &means;
        row.into_iter().zip(means).map(move |(d, b)| d - means[a] - b + mean).collect::<Vec<_>>()
    };
    rows.enumerate().flat_map(centre).collect()
}

impl Direct for DistanceCorrelation {
    fn value(&self, arrangement: &[u32], room: &mut Room) -> f64 {
        let n = arrangement.len();
        let numbers = &mut room.numbers;
        let mut total = 0.0;
        for (&row, still) in arrangement.iter().zip(self.still.chunks_exact(n)) {
            let moving = &self.moving[row as usize * n..][..n];
            numbers.clear();
            numbers.extend(arrangement.iter().map(|&column| moving[column as usize]));
            total += dot(numbers, still);
        }
        (total * self.scale).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_are_the_pairs_the_wrong_way_round() {
        for n in [0usize, 1, 2, 15, 16, 17, 40, 97] {
            let list: Vec<u32> = (0..n as u32).map(|i| i * 37 % 23).collect();
            let wrong = pairs(n).filter(|&(a, b)| list[a] > list[b]).count() as u64;
            let (mut sorted, mut room) = (list.clone(), vec![0; n]);
            assert_eq!(exchanges(&mut sorted, &mut room), wrong);
            assert!(sorted.is_sorted());
        }
    }
}
