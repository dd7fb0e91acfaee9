//! Turn replicates into an interval, and say how far off each end may be by simulation alone.
//!
//! # Conventions
//! Quantiles of the replicates are of type 7 (NumPy's default). With `tail` the probability beyond
//! an end (`(1 - level)/2`, or `1 - level` for one end) and `q` the quantile function:
//!
//! | method | low | high |
//! |---|---|---|
//! | percentile | `q(tail)` | `q(1 - tail)` |
//! | basic | `2t - q(1 - tail)` | `2t - q(tail)` |
//! | normal | `2t - mean - z·sd` | `2t - mean + z·sd` |
//! | bca | `q` at the adjusted level of `tail` | of `1 - tail` |
//! | studentised | `t - se·q(1 - tail)` of the t statistics | `t - se·q(tail)` |
//!
//! BCa (Efron 1987): the adjusted level of `a` is `Φ(z0 + s/(1 - acceleration·s))` where
//! `s = z0 + Φ⁻¹(a)`, and `Φ(z0)` is the share of replicates below the estimate, ties counting one
//! half, as in SciPy (R's `boot` and `arch` count replicates strictly below).
//!
//! # Monte Carlo errors
//! An estimated quantile `q̂(a)` of `B` replicates has variance `a(1 - a)/(B f²)`, `f` being their
//! density at the quantile, estimated here from the order statistics two standard errors of the
//! level away on either side. BCa adds the error of the share `p` below the estimate, which moves
//! the level by `g = da'/dp` and is correlated with the empirical distribution at the end:
//! `[a'(1 - a') + g² p(1 - p) - 2g(min(a', p) - a'p)]/(B f²)`. The normal interval's ends are a
//! mean and a standard deviation of replicates; their joint variance uses the third and fourth
//! moments.

use super::options::{Alternative, Method};
use super::quantiles::Quantiles;
use crate::law::normal;
use windfall_core::Interval;

/// The interval that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// How to make it.
    pub method: Method,
    /// Confidence level.
    pub level: f64,
    /// Which ends it has.
    pub alternative: Alternative,
}

impl Request {
    /// The probability beyond an end.
    fn tail(&self) -> f64 {
        match self.alternative {
            Alternative::TwoSided => (1.0 - self.level) / 2.0,
            Alternative::Less | Alternative::Greater => 1.0 - self.level,
        }
    }
}

/// The replicates of one quantity with their moments; those that are NaN are counted and left out.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The statistic of the data.
    pub estimate: f64,
    /// The mean of the replicates.
    pub mean: f64,
    /// Their standard deviation, with divisor `count - 1`.
    pub sd: f64,
    /// Replicates that are no number.
    pub undefined: usize,
    /// The replicates that are.
    values: Vec<f64>,
    third: f64,
    fourth: f64,
}

impl Sample {
    /// Takes the replicates of a quantity whose value on the data is `estimate`.
    pub fn new(estimate: f64, replicates: &[f64]) -> Self {
        let mut values = replicates.to_vec();
        values.retain(|value| !value.is_nan());
        let count = values.len() as f64;
        let [first, ..] = sums(&values, |value| [value - estimate, 0.0, 0.0]);
        let mean = estimate + first / count;
        let [second, third, fourth] = sums(&values, |value| {
            let square = square(value - mean);
            [square, square * (value - mean), square * square]
        })
        .map(|sum| sum / count);
        let sd = (second * count / (count - 1.0)).sqrt();
        let undefined = replicates.len() - values.len();
        Self { estimate, mean, sd, undefined, values, third, fourth }
    }

    /// The number of replicates that are numbers.
    fn count(&self) -> f64 {
        self.values.len() as f64
    }

    /// The Monte Carlo error of the mean of the replicates.
    pub fn mean_mcse(&self) -> f64 {
        self.sd / self.count().sqrt()
    }

    /// The Monte Carlo error of their standard deviation; 0 if they do not vary.
    pub fn sd_mcse(&self) -> f64 {
        if self.sd == 0.0 {
            return 0.0;
        }
        let variance = (self.fourth - square(square(self.sd))).max(0.0);
        (variance / self.count()).sqrt() / (2.0 * self.sd)
    }

    /// The share of replicates below the estimate, ties counting one half.
    ///
    /// Replicates within 1e-12 standard deviations are ties: sums of the same values in another
    /// order.
    fn share_below(&self) -> f64 {
        let (below, above) = (self.estimate - 1e-12 * self.sd, self.estimate + 1e-12 * self.sd);
        let twice = |value: &f64| u64::from(*value < below) + u64::from(*value <= above);
        self.values.iter().map(twice).sum::<u64>() as f64 / (2.0 * self.count())
    }
}

/// What a method needs beside the replicates.
#[derive(Clone, Copy, Debug)]
pub enum Aid<'a> {
    /// Nothing.
    None,
    /// BCa: the acceleration.
    Acceleration(f64),
    /// Studentised: the replicates' t statistics, the standard error of the estimate and the
    /// Monte Carlo error of that.
    Studentised(&'a [f64], f64, f64),
}

/// One end: its value and its Monte Carlo error.
type End = (f64, f64);

/// Makes the interval, and for BCa says what `z0` was.
///
/// An interval that is not defined (no replicates, or for BCa all of them alike or on one side of
/// the estimate) has NaN for ends.
pub fn interval(request: &Request, sample: &Sample, aid: Aid<'_>) -> (Interval, Option<f64>) {
    let tail = request.tail();
    let (mut z0, undefined) = (None, [(f64::NAN, f64::NAN); 2]);
    let [low, high] = match (request.method, aid) {
        _ if sample.values.is_empty() => undefined,
        (Method::Bca, Aid::Acceleration(acceleration)) => {
            let bca = Bca { share: sample.share_below(), acceleration };
            z0 = Some(normal::quantile(bca.share));
            bca.ends(sample, tail).unwrap_or(undefined)
        }
        (Method::Normal, _) => normal_ends(sample, tail),
        (Method::Studentised, Aid::Studentised(t, se, se_mcse)) => {
            let mut t = t.to_vec();
            t.retain(|value| !value.is_nan());
            if t.is_empty() {
                undefined
            } else {
                let [low, high] = quantile_ends(t, [Level::plain(tail), Level::plain(1.0 - tail)]);
                let end = |(q, mcse): End| {
                    (sample.estimate - se * q, (square(se * mcse) + square(q * se_mcse)).sqrt())
                };
                [end(high), end(low)]
            }
        }
        (method, _) => {
            let levels = [Level::plain(tail), Level::plain(1.0 - tail)];
            let [low, high] = quantile_ends(sample.values.clone(), levels);
            let mirror = |(q, mcse): End| (2.0 * sample.estimate - q, mcse);
            if method == Method::Basic { [mirror(high), mirror(low)] } else { [low, high] }
        }
    };
    let low = if request.alternative == Alternative::Less { (f64::NEG_INFINITY, 0.0) } else { low };
    let high =
        if request.alternative == Alternative::Greater { (f64::INFINITY, 0.0) } else { high };
    let interval = Interval {
        low: low.0,
        high: high.0,
        level: request.level,
        method: request.method.name().into(),
        low_mcse: low.1,
        high_mcse: high.1,
    };
    (interval, z0)
}

/// A level at which a quantile is read, and `B` times the variance of the gap between the level
/// and the empirical distribution at its quantile.
#[derive(Clone, Copy, Debug)]
struct Level {
    level: f64,
    variance: f64,
}

impl Level {
    /// A level that is fixed beforehand.
    fn plain(level: f64) -> Self {
        Self { level, variance: level * (1.0 - level) }
    }
}

/// The quantiles at two levels with their Monte Carlo errors.
fn quantile_ends(values: Vec<f64>, levels: [Level; 2]) -> [End; 2] {
    let count = values.len() as f64;
    let window = levels.map(|Level { level, .. }| {
        let step = (2.0 * (level * (1.0 - level) / count).sqrt()).max(1.0 / count);
        [(level - step).max(0.0), (level + step).min(1.0)]
    });
    let mut quantiles = Quantiles::new(values);
    let [[a, b], [c, d]] = window;
    quantiles.prepare(&[a, b, c, d, levels[0].level, levels[1].level]);
    [0, 1].map(|end| {
        let [below, above] = window[end];
        let slope = (quantiles.at(above) - quantiles.at(below)) / (above - below);
        (quantiles.at(levels[end].level), slope * (levels[end].variance / count).sqrt())
    })
}

fn normal_ends(sample: &Sample, tail: f64) -> [End; 2] {
    let z = -normal::quantile(tail);
    let centre = 2.0 * sample.estimate - sample.mean;
    let cross =
        if sample.sd > 0.0 { sample.third / (2.0 * sample.sd * sample.count()) } else { 0.0 };
    [-1.0, 1.0].map(|side| {
        let own = square(sample.mean_mcse()) + square(z * sample.sd_mcse());
        let variance = own - side * 2.0 * z * cross;
        (centre + side * z * sample.sd, variance.max(0.0).sqrt())
    })
}

/// The bias correction and acceleration of Efron (1987).
#[derive(Clone, Copy, Debug)]
struct Bca {
    share: f64,
    acceleration: f64,
}

impl Bca {
    /// Both ends; none where the adjusted levels are not defined.
    fn ends(self, sample: &Sample, tail: f64) -> Option<[End; 2]> {
        if sample.sd == 0.0 {
            return None;
        }
        let levels = [self.level(tail)?, self.level(1.0 - tail)?];
        Some(quantile_ends(sample.values.clone(), levels))
    }

    fn level(self, level: f64) -> Option<Level> {
        let z0 = normal::quantile(self.share);
        let s = z0 + normal::quantile(level);
        let stretch = 1.0 - self.acceleration * s;
        let adjusted = normal::cdf(z0 + s / stretch);
        if !z0.is_finite() || adjusted.is_nan() || stretch <= 0.0 {
            return None;
        }
        let slope = normal::pdf(z0 + s / stretch) * (1.0 + 1.0 / (stretch * stretch));
        let (a, p, g) = (adjusted, self.share, slope / normal::pdf(z0));
        let together = a.min(p) - a * p;
        let variance = a * (1.0 - a) + g * g * p * (1.0 - p) - 2.0 * g * together;
        Some(Level { level: adjusted, variance: variance.max(0.0) })
    }
}

fn square(x: f64) -> f64 {
    x * x
}

/// The sums of three functions of `values`, each in eight fixed lanes.
fn sums(values: &[f64], f: impl Fn(f64) -> [f64; 3]) -> [f64; 3] {
    let mut lanes = [[0.0; 8]; 3];
    let mut add = |lane: usize, value: f64| {
        for (lanes, term) in lanes.iter_mut().zip(f(value)) {
            lanes[lane] += term;
        }
    };
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        eight.iter().enumerate().for_each(|(lane, &value)| add(lane, value));
    }
    rest.iter().enumerate().for_each(|(lane, &value)| add(lane, value));
    lanes.map(|lanes| lanes.iter().sum())
}
