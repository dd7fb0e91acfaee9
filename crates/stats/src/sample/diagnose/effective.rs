//! Effective sample size: how many independent draws would tell as much.

use windfall_lanes::scalar_math::log10;
use windfall_lanes::{dot, sum};

/// The effective sample size of the mean of chains of `length` draws, at least two, that lie one
/// after the other; each `walkers` of them are one ensemble.
///
/// `N/τ`, where `τ` sums the autocorrelations of all chains together as long as sums of two
/// neighbours stay above 0 (Geyer's initial positive sequence), made monotone. Chains that
/// disagree count: their autocorrelations are relative to the variance of all. At most
/// `N log10 N`. Autocovariances are computed lag by lag, as far as they are needed.
pub(super) fn effective(draws: &[f64], length: usize, walkers: usize) -> f64 {
    if draws.iter().all(|draw| *draw == draws[0]) {
        return draws.len() as f64;
    }
    if walkers == 1 {
        return Series::new(draws, length).effective().0;
    }
    let means: Vec<f64> = draws
        .chunks_exact(walkers * length)
        .flat_map(|ensemble| {
            (0..length).map(move |draw| {
                ensemble.iter().skip(draw).step_by(length).sum::<f64>() / walkers as f64
            })
        })
        .collect();
    // The error of the walkers' mean, in independent draws of one walker.
    let (size, variance) = Series::new(&means, length).effective();
    size * Series::new(draws, length).variance() / variance
}

/// Chains less their means.
struct Series {
    away: Vec<Vec<f64>>,
    means: Vec<f64>,
    length: usize,
}

impl Series {
    fn new(draws: &[f64], length: usize) -> Self {
        let chains = draws.chunks_exact(length);
        let means: Vec<f64> = chains.clone().map(|chain| sum(chain) / length as f64).collect();
        let less = |(chain, mean): (&[f64], &f64)| chain.iter().map(|draw| draw - mean).collect();
        Self { away: chains.zip(&means).map(less).collect(), means, length }
    }

    /// The mean over chains of the autocovariance at `lag`, with divisor `length`.
    fn covariance(&self, lag: usize) -> f64 {
        let of = |away: &Vec<f64>| dot(&away[..self.length - lag], &away[lag..]);
        self.away.iter().map(of).sum::<f64>() / (self.length * self.away.len()) as f64
    }

    /// The variance of the law: that within chains and that of their means.
    fn variance(&self) -> f64 {
        let m = self.means.len() as f64;
        let centre = sum(&self.means) / m;
        let between: f64 = self.means.iter().map(|mean| (mean - centre) * (mean - centre)).sum();
        if self.means.len() > 1 {
            self.covariance(0) + between / (m - 1.0)
        } else {
            self.covariance(0)
        }
    }

    /// The effective sample size, and the variance that it refers to.
    fn effective(&self) -> (f64, f64) {
        let n = self.length;
        let total = (n * self.away.len()) as f64;
        let within = self.covariance(0) * n as f64 / (n as f64 - 1.0);
        let all = self.variance();
        let correlation = |lag: usize| 1.0 - (within - self.covariance(lag)) / all;
        let mut rho = vec![1.0, correlation(1)];
        let (mut even, mut odd) = (rho[0], rho[1]);
        let mut lag = 1;
        while lag + 3 < n && even + odd > 0.0 {
            (even, odd) = (correlation(lag + 1), correlation(lag + 2));
            let kept = even + odd >= 0.0;
            rho.extend(if kept { [even, odd] } else { [0.0; 2] });
            lag += 2;
        }
        // One past the last lag of the sequence; the one there counts if it is above 0.
        let end = lag - 1;
        if even > 0.0 {
            rho[end] = even;
        }
        let mut pair = 1;
        while pair + 3 <= end {
            let before = rho[pair - 1] + rho[pair];
            if rho[pair + 1] + rho[pair + 2] > before {
                rho[pair + 1] = before / 2.0;
                rho[pair + 2] = before / 2.0;
            }
            pair += 2;
        }
        let time = 2.0 * rho[..end].iter().sum::<f64>() - 1.0 + rho[end];
        (total / time.max(1.0 / log10(total)), all)
    }
}
