//! Did the chains mix, and how far off are their averages? Diagnostics of Vehtari et al. (2021).
//!
//! ```text
//! rank.rs       ranks as normal scores, order statistics
//! effective.rs  effective sample sizes from autocovariances
//! energy.rs     E-BFMI
//! ```
//!
//! All follow A. Vehtari, A. Gelman, D. Simpson, B. Carpenter, P.-C. Bürkner, "Rank-normalization,
//! folding, and localization: an improved R-hat", Bayesian Analysis 16(2), 2021, as ArviZ and the
//! R package posterior compute them; where the two differ the function says whom it follows.
//!
//! Chains are slices of one length, in the order of their draws. What needs more draws than there
//! are (four a chain) or meets one that is not finite is NaN.
//!
//! Walkers of one ensemble depend on each other, so that the ensemble is the chain: its walkers'
//! draws are one sample of the law in R-hat, and effective sizes follow from the series of the
//! walkers' mean (Goodman and Weare 2010, section 3): as many independent draws as would give that
//! mean's error.

mod effective;
mod energy;
mod rank;

pub use energy::e_bfmi;

use crate::law::beta;
use effective::effective;
use rank::{Order, folded, normal_scores, order_of, quantile_of};
use windfall_lanes::{dot, sum};

/// The fewest draws of a chain that can be split and still have a spread.
const DRAWS_MIN: usize = 4;

/// Everything that is told of one quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diagnosis {
    /// The mean of all draws.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
    /// Their median.
    pub median: f64,
    /// Rank-normalised split R-hat, the larger of bulk and tail: see [`Chains::r_hat`].
    pub r_hat: f64,
    /// Effective sample size of the bulk.
    pub ess_bulk: f64,
    /// Effective sample size of the tails.
    pub ess_tail: f64,
    /// Monte Carlo standard error of the mean.
    pub mcse_mean: f64,
    /// Monte Carlo standard error of the standard deviation.
    pub mcse_sd: f64,
    /// Monte Carlo standard error of the median.
    pub mcse_median: f64,
}

/// The draws of one quantity, chain by chain, with what all diagnostics need of them.
///
/// # Cost
/// One sort of all draws when made. An effective sample size costs a pass over the draws for
/// each lag until the autocorrelation is gone, two more sorts for the bulk and for R-hat.
///
/// # Examples
/// ```
/// use windfall_stats::sample::diagnose::Chains;
/// // Two chains that never meet.
/// let (low, high) = ([0.0, 1.0, 0.5, 0.2, 0.7, 0.9], [5.0, 6.0, 5.5, 5.2, 5.7, 5.9]);
/// let chains = Chains::new(&[&low, &high]);
/// assert!(chains.r_hat() > 1.5);
/// assert_eq!(chains.quantile(0.0), 0.0);
/// ```
#[derive(Clone, Debug)]
pub struct Chains<'a> {
    chains: Vec<&'a [f64]>,
    walkers: usize,
    draws: usize,
    mean: f64,
    /// `Σ (draw - mean)²`.
    squares: f64,
    sorted: Vec<f64>,
    /// Both halves of each chain, one after the other; of an odd number of draws the middle one
    /// is left out. The walkers of an ensemble stay together.
    split: Vec<f64>,
    /// The order of the split draws.
    order: Order,
    finite: bool,
}

impl<'a> Chains<'a> {
    /// The draws of these chains; longer ones are cut to the length of the shortest.
    pub fn new(chains: &[&'a [f64]]) -> Self {
        Self::of_ensembles(chains, 1)
    }

    /// The same where each `walkers` consecutive slices are the walkers of one ensemble.
    ///
    /// # Panics
    /// If the number of slices is no multiple of `walkers`.
    pub fn of_ensembles(chains: &[&'a [f64]], walkers: usize) -> Self {
        assert!(chains.len().is_multiple_of(walkers), "whole ensembles");
        let draws = chains.iter().map(|chain| chain.len()).min().unwrap_or(0);
        let chains: Vec<&[f64]> = chains.iter().map(|chain| &chain[..draws]).collect();
        let split = split(&chains, draws / 2, walkers);
        let order = order_of(&split);
        // With an even number of draws the split chains are all draws.
        let sorted = match draws.is_multiple_of(2) {
            true => order.iter().map(|(draw, _)| *draw).collect(),
            false => {
                let mut all = chains.concat();
                all.sort_unstable_by(f64::total_cmp);
                all
            }
        };
        let finite = sorted.iter().all(|draw| draw.is_finite());
        let mut made =
            Self { chains, walkers, draws, mean: 0.0, squares: 0.0, sorted, split, order, finite };
        made.mean = made.sum_of(|draw| draw) / made.size();
        let mean = made.mean;
        made.squares = made.sum_of(|draw| (draw - mean) * (draw - mean));
        made
    }

    /// Everything at once.
    pub fn diagnosis(&self) -> Diagnosis {
        let r_hat = self.r_hat_and_scores();
        Diagnosis {
            mean: self.mean,
            sd: self.sd(),
            median: self.quantile(0.5),
            r_hat: r_hat.0,
            ess_bulk: self.effective(&r_hat.1),
            ess_tail: self.ess_tail(),
            mcse_mean: self.mcse_mean(),
            mcse_sd: self.mcse_sd(),
            mcse_median: self.mcse_quantile(0.5),
        }
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard deviation, with divisor `draws - 1`.
    pub fn sd(&self) -> f64 {
        (self.squares / (self.size() - 1.0)).sqrt()
    }

    /// The quantile of level `level`, by linear interpolation (type 7 of Hyndman and Fan).
    pub fn quantile(&self, level: f64) -> f64 {
        if self.sorted.is_empty() { f64::NAN } else { quantile_of(&self.sorted, level) }
    }

    /// R-hat of split chains: the larger of that of the normal scores and that of the scores of
    /// distances from the median, which sees chains that differ in spread. Near 1 if the chains
    /// agree; above 1.01 they do not yet.
    pub fn r_hat(&self) -> f64 {
        self.r_hat_and_scores().0
    }

    /// R-hat of split chains without ranks (Gelman et al., Bayesian Data Analysis 3, 11.4).
    pub fn r_hat_split(&self) -> f64 {
        if self.usable() { self.r_hat_of(&self.split) } else { f64::NAN }
    }

    fn r_hat_and_scores(&self) -> (f64, Vec<f64>) {
        if !self.usable() {
            return (f64::NAN, Vec::new());
        }
        let scores = normal_scores(&self.order);
        let last = self.order.len() - 1;
        let median = 0.5 * (self.order[last / 2].0 + self.order[last.div_ceil(2)].0);
        let distances = normal_scores(&folded(&self.order, median));
        let (bulk, tail) = (self.r_hat_of(&scores), self.r_hat_of(&distances));
        (if tail > bulk { tail } else { bulk }, scores)
    }

    /// Effective sample size of the normal scores: for the mean and other bulk summaries.
    pub fn ess_bulk(&self) -> f64 {
        if !self.usable() {
            return f64::NAN;
        }
        self.effective(&normal_scores(&self.order))
    }

    /// Effective sample size of the tails: the smaller of those for the 5 % and 95 % quantiles.
    pub fn ess_tail(&self) -> f64 {
        let (low, high) = (self.ess_quantile(0.05), self.ess_quantile(0.95));
        if high < low { high } else { low }
    }

    /// Effective sample size for the mean.
    pub fn ess_mean(&self) -> f64 {
        if self.usable() { self.effective(&self.split) } else { f64::NAN }
    }

    /// Effective sample size for the quantile of level `level`.
    pub fn ess_quantile(&self, level: f64) -> f64 {
        if !self.usable() {
            return f64::NAN;
        }
        let cut = self.quantile(level);
        self.ess_of(|draw| f64::from(u8::from(draw <= cut)))
    }

    /// Effective sample size of a function of the draws.
    fn ess_of(&self, function: impl Fn(f64) -> f64) -> f64 {
        let mapped: Vec<f64> = self.split.iter().map(|&draw| function(draw)).collect();
        self.effective(&mapped)
    }

    /// Monte Carlo standard error of the mean: `sd / sqrt(ess)`.
    pub fn mcse_mean(&self) -> f64 {
        self.sd() / self.ess_mean().sqrt()
    }

    /// Monte Carlo standard error of the standard deviation, from the spread of squared
    /// deviations, as posterior computes it: right for any law, not only the normal.
    pub fn mcse_sd(&self) -> f64 {
        if !self.usable() {
            return f64::NAN;
        }
        let square = |draw: f64| (draw - self.mean) * (draw - self.mean);
        let ess = self.ess_of(square);
        let variance = self.squares / self.size();
        let fourth = self.sum_of(|draw| square(draw) * square(draw)) / self.size();
        ((fourth - variance * variance) / ess / variance / 4.0).sqrt()
    }

    /// Monte Carlo standard error of the quantile of level `level`: half the distance between the
    /// order statistics at the 16 % and 84 % points of the beta law of its rank, were there as
    /// many independent draws as are effective.
    pub fn mcse_quantile(&self, level: f64) -> f64 {
        let ess = self.ess_quantile(level);
        if !ess.is_finite() {
            return f64::NAN;
        }
        // Normal probabilities of one standard error either side.
        let sides = [0.158_655_253_931_457_05, 0.841_344_746_068_542_9];
        let [low, high] =
            sides.map(|p| beta::quantile(ess * level + 1.0, ess * (1.0 - level) + 1.0, p));
        let last = self.sorted.len() - 1;
        let place = |share: f64| share * self.size() - 1.0;
        let low = place(low).max(0.0).floor() as usize;
        let high = place(high).min(last as f64).ceil().max(0.0) as usize;
        0.5 * (self.sorted[high.min(last)] - self.sorted[low.min(last)])
    }

    /// The sum of a function of the draws, chain by chain.
    fn sum_of(&self, function: impl Fn(f64) -> f64) -> f64 {
        let of =
            |chain: &&[f64]| sum(&chain.iter().map(|&draw| function(draw)).collect::<Vec<_>>());
        sum(&self.chains.iter().map(of).collect::<Vec<_>>())
    }

    fn size(&self) -> f64 {
        self.sorted.len() as f64
    }

    fn usable(&self) -> bool {
        self.finite && self.draws >= DRAWS_MIN
    }

    /// The effective sample size of split chains.
    fn effective(&self, split: &[f64]) -> f64 {
        effective(split, self.draws / 2, self.walkers)
    }

    /// The root of the variance of all split chains over that within them.
    fn r_hat_of(&self, split: &[f64]) -> f64 {
        let length = self.draws / 2 * self.walkers;
        let chains = split.chunks_exact(length);
        let (m, n) = (chains.len() as f64, length as f64);
        let (means, squares): (Vec<f64>, Vec<f64>) = chains.map(moments).unzip();
        let between = n * moments(&means).1 / (m - 1.0);
        let within = sum(&squares) / (m * (n - 1.0));
        ((between / within + n - 1.0) / n).sqrt()
    }
}

/// Both halves of each chain, `half` draws each; those of an ensemble's walkers together.
fn split(chains: &[&[f64]], half: usize, walkers: usize) -> Vec<f64> {
    let mut split = Vec::with_capacity(2 * half * chains.len());
    for ensemble in chains.chunks(walkers) {
        ensemble.iter().for_each(|walker| split.extend_from_slice(&walker[..half]));
        let late = |walker: &&[f64]| split.extend_from_slice(&walker[walker.len() - half..]);
        ensemble.iter().for_each(late);
    }
    split
}

/// Mean and sum of squared deviations.
fn moments(chain: &[f64]) -> (f64, f64) {
    let mean = sum(chain) / chain.len() as f64;
    let away: Vec<f64> = chain.iter().map(|draw| draw - mean).collect();
    (mean, dot(&away, &away))
}
