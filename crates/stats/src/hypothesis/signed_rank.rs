//! Wilcoxon's signed-rank test: whether differences lie evenly about 0.
//!
//! Source: F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1, 1945.

use super::{Alternative, TestResult};

/// The number of differences up to which the exact law is used, if none is 0 and none are tied.
pub const EXACT_MAX: usize = 50;

/// Whether `differences` lie symmetrically about 0: `scipy.stats.wilcoxon`. The statistic is the
/// sum of the ranks of the positive ones (SciPy shows the smaller of the two sums if two-sided).
///
/// Zeros are left out. Exact for at most 50 differences without zeros and ties, else normal with
/// a correction for ties and none for continuity, as in SciPy.
pub fn signed_rank(differences: &[f64], alternative: Alternative) -> TestResult {
    let mut kept: Vec<f64> = differences.iter().copied().filter(|&x| x != 0.0).collect();
    let found = rank(&mut kept);
    let whole = kept.len() == differences.len();
    let p_value = if whole && found.ties == 0.0 && kept.len() <= EXACT_MAX {
        let law = law(kept.len());
        let at = found.sum as usize;
        let tail = |masses: &[f64]| masses.iter().sum::<f64>();
        alternative.of_tails(tail(&law[..=at]), tail(&law[at..]))
    } else {
        alternative.of_normal(standardised(found, kept.len())).p_value
    };
    TestResult { statistic: found.sum, p_value }
}

/// What ranking yields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// The sum of the ranks of positive values.
    pub sum: f64,
    /// The sum of t³ - t over runs of t tied magnitudes.
    pub ties: f64,
}

/// Sorts values other than 0 by magnitude and adds up the ranks of the positive ones.
pub fn rank(values: &mut [f64]) -> Ranked {
    values.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let (mut first, mut sum, mut ties) = (0, 0.0, 0.0);
    while first < values.len() {
        let magnitude = values[first].abs();
        let run = values[first..].iter().take_while(|x| x.abs() == magnitude).count();
        let positive = values[first..first + run].iter().filter(|&&x| x > 0.0).count();
        let t = run as f64;
        sum += positive as f64 * (first as f64 + 0.5 * (t + 1.0));
        ties += t * t * t - t;
        first += run;
    }
    Ranked { sum, ties }
}

/// The sum as a standard normal value.
pub fn standardised(found: Ranked, n: usize) -> f64 {
    let n = n as f64;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - found.ties / 48.0;
    (found.sum - n * (n + 1.0) / 4.0) / variance.sqrt()
}

/// The probability of each sum of ranks, 0 to n (n + 1) / 2: each rank counts or not, evenly.
pub fn law(n: usize) -> Vec<f64> {
    let mut masses = vec![1.0];
    for rank in 1..=n {
        let mut next = vec![0.0; masses.len() + rank];
        for (sum, &mass) in masses.iter().enumerate() {
            next[sum] += 0.5 * mass;
            next[sum + rank] += 0.5 * mass;
        }
        masses = next;
    }
    masses
}
