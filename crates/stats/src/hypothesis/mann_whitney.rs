//! The rank-sum test of Wilcoxon, Mann and Whitney: which of two samples tends to be larger.
//!
//! Source: H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is
//! stochastically larger than the other", Annals of Mathematical Statistics 18, 1947.

use super::{Alternative, TestResult};

/// The size of the smaller sample up to which the exact law is used, if there are no ties.
pub const EXACT_MAX: usize = 8;
/// The most pairs for which the exact law is worked out: some 10 ms.
const PAIRS_MAX: usize = 8_000;

/// Whether `x` tends to be larger than `y`: `scipy.stats.mannwhitneyu`. The statistic is U, the
/// number of pairs in which `x` is larger, ties half.
///
/// Exact if a sample has at most 8 values and there are no ties, else normal with corrections for
/// ties and continuity.
pub fn rank_sum(x: &[f64], y: &[f64], alternative: Alternative) -> TestResult {
    let (mut x, mut y) = (x.to_vec(), y.to_vec());
    let found = count(&mut x, &mut y);
    let p_value = if found.ties == 0.0 && has_exact_law(x.len(), y.len()) {
        let law = law(x.len(), y.len());
        let at = found.u as usize;
        let tail = |masses: &[f64]| masses.iter().sum::<f64>();
        alternative.of_tails(tail(&law[..=at]), tail(&law[at..]))
    } else {
        let z = standardised(found, x.len(), y.len(), alternative);
        alternative.of_normal(z).p_value.min(1.0)
    };
    TestResult { statistic: found.u, p_value }
}

/// What the comparison of two samples yields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// Pairs in which the first is larger, ties half.
    pub u: f64,
    /// The sum of t³ - t over runs of t tied values.
    pub ties: f64,
}

/// Sorts both samples and compares all their values.
pub fn count(x: &mut [f64], y: &mut [f64]) -> Count {
    x.sort_unstable_by(f64::total_cmp);
    y.sort_unstable_by(f64::total_cmp);
    let (mut i, mut j, mut u, mut ties) = (0, 0, 0.0, 0.0);
    while i < x.len() {
        let value = x[i];
        while j < y.len() && y[j] < value {
            let run = y[j..].iter().take_while(|&&other| other == y[j]).count();
            ties += cube_less_one(run);
            j += run;
        }
        let mine = x[i..].iter().take_while(|&&other| other == value).count();
        let theirs = y[j..].iter().take_while(|&&other| other == value).count();
        u += mine as f64 * (j as f64 + 0.5 * theirs as f64);
        ties += cube_less_one(mine + theirs);
        i += mine;
        j += theirs;
    }
    while j < y.len() {
        let run = y[j..].iter().take_while(|&&other| other == y[j]).count();
        ties += cube_less_one(run);
        j += run;
    }
    Count { u, ties }
}

fn cube_less_one(run: usize) -> f64 {
    let run = run as f64;
    run * run * run - run
}

/// Whether samples of these sizes are tested by the exact law.
pub fn has_exact_law(m: usize, n: usize) -> bool {
    m.min(n) <= EXACT_MAX && m * n <= PAIRS_MAX
}

/// U as a standard normal value, moved by half a pair towards its mean.
pub fn standardised(found: Count, m: usize, n: usize, alternative: Alternative) -> f64 {
    let (m, n) = (m as f64, n as f64);
    let all = m + n;
    let spread = (m * n / 12.0 * ((all + 1.0) - found.ties / (all * (all - 1.0)))).sqrt();
    let off = found.u - 0.5 * m * n;
    let moved = match alternative {
        Alternative::TwoSided => (off.abs() - 0.5).copysign(off),
        Alternative::Less => off + 0.5,
        Alternative::Greater => off - 0.5,
    };
    // Two values half a pair from the middle: as near to the null hypothesis as can be.
    if alternative == Alternative::TwoSided && off.abs() < 0.5 { 0.0 } else { moved / spread }
}

/// The probability of each value of U, 0 to `m n`, under the null hypothesis without ties.
///
/// By the recurrence of Mann and Whitney: the largest value belongs to the first sample, and
/// beats all of the second, with probability m / (m + n). Costs (m n)² / 2 steps.
pub fn law(m: usize, n: usize) -> Vec<f64> {
    // Row i holds the law for i values of the first sample and as many of the second as yet.
    let mut rows = vec![vec![1.0]; m + 1];
    for j in 1..=n {
        for i in 1..=m {
            let share = i as f64 / (i + j) as f64;
            let mut next = vec![0.0; i * j + 1];
            for (u, &mass) in rows[i - 1].iter().enumerate() {
                next[u + j] += share * mass;
            }
            for (u, &mass) in rows[i].iter().enumerate() {
                next[u] += (1.0 - share) * mass;
            }
            rows[i] = next;
        }
    }
    rows.pop().unwrap_or_default()
}
