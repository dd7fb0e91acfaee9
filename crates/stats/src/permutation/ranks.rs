//! Ranks with ties at their middle.

/// The ranks of `values`, from 1; equal values share the mean of theirs.
pub(crate) fn midranks(values: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    each_tie(values, |rows, first| {
        let rank = first as f64 + (rows.len() as f64 + 1.0) / 2.0;
        rows.iter().for_each(|&row| ranks[row as usize] = rank);
    });
    ranks
}

/// Dense ranks from 0: the place of each value among the distinct ones.
pub(crate) fn dense_ranks(values: &[f64]) -> Vec<u32> {
    let (mut ranks, mut next) = (vec![0; values.len()], 0);
    each_tie(values, |rows, _| {
        rows.iter().for_each(|&row| ranks[row as usize] = next);
        next += 1;
    });
    ranks
}

/// `1 - Σ(t³ - t)/(n³ - n)` over ties of `t` values: the share of the variance of ranks that
/// ties leave.
pub(crate) fn tie_correction(values: &[f64]) -> f64 {
    let cube = |t: f64| t * t * t - t;
    let mut ties = 0.0;
    each_tie(values, |rows, _| ties += cube(rows.len() as f64));
    1.0 - ties / cube(values.len() as f64)
}

/// Calls `each` with the rows of each distinct value, ascending, and how many rows come before.
fn each_tie(values: &[f64], mut each: impl FnMut(&[u32], usize)) {
    let mut rows: Vec<u32> = (0..values.len() as u32).collect();
    let value = |row: &u32| values[*row as usize];
    rows.sort_by(|a, b| value(a).total_cmp(&value(b)));
    let mut first = 0;
    // By value, not by bits: 0 and -0 are a tie.
    for tie in rows.chunk_by(|a, b| value(a) == value(b)) {
        each(tie, first);
        first += tie.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_middle_of_their_ranks() {
        let values = [3.0, 1.0, 3.0, 0.0, -0.0, 3.0];
        assert_eq!(midranks(&values), [5.0, 3.0, 5.0, 1.5, 1.5, 5.0]);
        assert_eq!(dense_ranks(&values), [2, 1, 2, 0, 0, 2]);
        assert_eq!(tie_correction(&values), 1.0 - 30.0 / 210.0);
    }
}
