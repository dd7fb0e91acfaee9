//! E-BFMI: does a fresh momentum change the energy as much as the law spreads it?

/// The energy Bayesian fraction of missing information of one chain: the mean squared change of
/// energy over its variance. Below 0.3 the chain explores the tails too slowly.
///
/// Source: M. Betancourt, "Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte
/// Carlo", arXiv:1604.00695.
///
/// # Examples
/// ```
/// use windfall_stats::sample::diagnose::e_bfmi;
/// assert_eq!(e_bfmi(&[1.0, 2.0, 1.0, 2.0]), 3.0);
/// assert!(e_bfmi(&[1.0]).is_nan());
/// ```
pub fn e_bfmi(energy: &[f64]) -> f64 {
    let count = energy.len() as f64;
    let mean = energy.iter().sum::<f64>() / count;
    let spread: f64 = energy.iter().map(|e| (e - mean) * (e - mean)).sum();
    let changes = energy.windows(2).map(|pair| (pair[1] - pair[0]) * (pair[1] - pair[0]));
    (changes.sum::<f64>() / (count - 1.0)) / (spread / (count - 1.0))
}
