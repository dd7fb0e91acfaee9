//! Tests that see of each sample only its size, mean and spread: decided for eight simulations
//! at once, against a critical value that is worked out once.

use crate::hypothesis::Alternative;
use crate::law::{f, student};
use windfall_core::Moments;
use windfall_lanes::{Simd, Task, dispatch};

/// The most samples of a test.
pub(crate) const SAMPLES_MAX: usize = 32;

/// A test of moments, ready to decide.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    kind: Kind,
    /// The size of each sample.
    sizes: Vec<f64>,
    /// The value that the statistic must pass.
    critical: f64,
    alpha: f64,
    side: Alternative,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// t of one sample against a mean.
    One { null: f64 },
    /// t of two samples with the pooled variance.
    Pooled,
    /// Welch's t: `critical` is that of the most degrees of freedom there can be, and this one
    /// that of the fewest; between them the law of the very data decides.
    Welch { surely: f64 },
    /// Two one-sided tests.
    Equivalence { margin: f64 },
    /// One-way F.
    Anova,
}

/// Sizes, level and side of a test.
pub(crate) struct Level<'a> {
    pub sizes: &'a [usize],
    pub alpha: f64,
    pub side: Alternative,
}

/// The value that Student's t passes with probability `alpha`.
pub(crate) fn critical_t(freedom: f64, alpha: f64, side: Alternative) -> f64 {
    let tail = if side == Alternative::TwoSided { 0.5 * alpha } else { alpha };
    -student::quantile(freedom, tail)
}

impl Rule {
    fn new(level: &Level<'_>, kind: Kind, critical: f64) -> Self {
        let sizes = level.sizes.iter().map(|&size| size as f64).collect();
        Self { kind, sizes, critical, alpha: level.alpha, side: level.side }
    }

    pub fn one(level: &Level<'_>, null: f64) -> Self {
        let freedom = level.sizes[0] as f64 - 1.0;
        Self::new(level, Kind::One { null }, critical_t(freedom, level.alpha, level.side))
    }

    pub fn pooled(level: &Level<'_>) -> Self {
        let freedom = (level.sizes[0] + level.sizes[1]) as f64 - 2.0;
        Self::new(level, Kind::Pooled, critical_t(freedom, level.alpha, level.side))
    }

    pub fn welch(level: &Level<'_>) -> Self {
        let critical = |freedom: usize| critical_t(freedom as f64, level.alpha, level.side);
        let (m, n) = (level.sizes[0], level.sizes[1]);
        let surely = critical(m.min(n) - 1);
        Self::new(level, Kind::Welch { surely }, critical(m + n - 2))
    }

    pub fn equivalence(level: &Level<'_>, margin: f64) -> Self {
        let freedom = (level.sizes[0] + level.sizes[1]) as f64 - 2.0;
        let critical = critical_t(freedom, level.alpha, Alternative::Greater);
        Self::new(level, Kind::Equivalence { margin }, critical)
    }

    pub fn anova(level: &Level<'_>) -> Self {
        let all: usize = level.sizes.iter().sum();
        let (between, within) = (level.sizes.len() as f64 - 1.0, (all - level.sizes.len()) as f64);
        Self::new(level, Kind::Anova, f::quantile(between, within, 1.0 - level.alpha))
    }

    /// Which of eight simulations the test rejects; `means` and `squares` hold one entry a sample.
    #[inline(always)]
    pub fn decide<S: Simd>(&self, simd: S, means: &[S::F], squares: &[S::F]) -> S::M {
        let critical = simd.splat(self.critical);
        match self.kind {
            Kind::One { null } => {
                let n = self.sizes[0];
                let error = simd.mul(squares[0], simd.splat(1.0 / (n * (n - 1.0))));
                let gap = simd.sub(means[0], simd.splat(null));
                self.passes(simd, gap, simd.mul(critical, simd.sqrt(error)))
            }
            Kind::Pooled => {
                let error = self.pooled_error(simd, squares);
                self.passes(simd, simd.sub(means[0], means[1]), simd.mul(critical, error))
            }
            Kind::Welch { surely } => {
                let gap = simd.sub(means[0], means[1]);
                let (m, n) = (self.sizes[0], self.sizes[1]);
                let first = simd.mul(squares[0], simd.splat(1.0 / (m * (m - 1.0))));
                let second = simd.mul(squares[1], simd.splat(1.0 / (n * (n - 1.0))));
                let error = simd.sqrt(simd.add(first, second));
                let sure = self.passes(simd, gap, simd.mul(simd.splat(surely), error));
                let maybe = self.passes(simd, gap, simd.mul(critical, error));
                let open = simd.mask_and(maybe, simd.mask_not(sure));
                if !simd.mask_any(open) {
                    return sure;
                }
                let parts = [gap, first, second].map(|lanes| simd.to_array(lanes));
                let bits = self.welch_each(simd.mask_bits(open), &parts);
                simd.mask_or(sure, simd.mask_from_bits(bits))
            }
            Kind::Equivalence { margin } => {
                let gap = simd.abs(simd.sub(means[0], means[1]));
                let error = self.pooled_error(simd, squares);
                simd.lt(simd.mul(critical, error), simd.sub(simd.splat(margin), gap))
            }
            Kind::Anova => self.anova_passes(simd, means, squares),
        }
    }

    /// Where `gap` lies beyond `reach` on the side of the alternative.
    #[inline(always)]
    fn passes<S: Simd>(&self, simd: S, gap: S::F, reach: S::F) -> S::M {
        match self.side {
            Alternative::TwoSided => simd.lt(reach, simd.abs(gap)),
            Alternative::Less => simd.lt(reach, simd.neg(gap)),
            Alternative::Greater => simd.lt(reach, gap),
        }
    }

    /// The standard error of the difference of two means, by the pooled variance.
    #[inline(always)]
    fn pooled_error<S: Simd>(&self, simd: S, squares: &[S::F]) -> S::F {
        let (m, n) = (self.sizes[0], self.sizes[1]);
        let factor = (1.0 / m + 1.0 / n) / (m + n - 2.0);
        simd.sqrt(simd.mul(simd.add(squares[0], squares[1]), simd.splat(factor)))
    }

    #[inline(always)]
    fn anova_passes<S: Simd>(&self, simd: S, means: &[S::F], squares: &[S::F]) -> S::M {
        let all: f64 = self.sizes.iter().sum();
        let (mut total, mut within) = (simd.splat(0.0), simd.splat(0.0));
        for ((&size, &mean), &square) in self.sizes.iter().zip(means).zip(squares) {
            total = simd.fma(simd.splat(size), mean, total);
            within = simd.add(within, square);
        }
        let grand = simd.mul(total, simd.splat(1.0 / all));
        let mut between = simd.splat(0.0);
        for (&size, &mean) in self.sizes.iter().zip(means) {
            let gap = simd.sub(mean, grand);
            between = simd.fma(simd.mul(simd.splat(size), gap), gap, between);
        }
        let groups = self.sizes.len() as f64;
        let ratio = simd.splat(self.critical * (groups - 1.0) / (all - groups));
        simd.lt(simd.mul(ratio, within), between)
    }

    /// Welch's test of the lanes in `open`, each by its own degrees of freedom.
    #[cold]
    fn welch_each(&self, open: u8, [gap, first, second]: &[[f64; 8]; 3]) -> u8 {
        let (m, n) = (self.sizes[0], self.sizes[1]);
        let mut bits = 0;
        for lane in (0..8).filter(|lane| open >> lane & 1 == 1) {
            let (a, b) = (first[lane], second[lane]);
            let freedom = (a + b) * (a + b) / (a * a / (m - 1.0) + b * b / (n - 1.0));
            let t = gap[lane] / (a + b).sqrt();
            if self.side.of_student(t, freedom).p_value <= self.alpha {
                bits |= 1 << lane;
            }
        }
        bits
    }

    /// Whether the test rejects samples of these moments; none where no spread allows a test.
    pub fn rejects(&self, samples: &[Moments]) -> Option<bool> {
        if samples.iter().all(|sample| sample.squares() == 0.0) {
            return None;
        }
        Some(dispatch(One(self, samples)))
    }
}

/// One simulation in all lanes.
struct One<'a>(&'a Rule, &'a [Moments]);

impl Task for One<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let count = self.1.len();
        let zero = simd.splat(0.0);
        let (mut means, mut squares) = ([zero; SAMPLES_MAX], [zero; SAMPLES_MAX]);
        for (place, sample) in self.1.iter().enumerate() {
            means[place] = simd.splat(sample.mean());
            squares[place] = simd.splat(sample.squares());
        }
        let rejected = self.0.decide(simd, &means[..count], &squares[..count]);
        simd.mask_bits(rejected) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::{anova, equivalence, moments, t};
    use windfall_streams::{Seed, Streams};

    const ALPHA: f64 = 0.1;

    /// Each rule against the p-value of its test, on data that reject about every other time.
    #[test]
    fn a_rule_rejects_where_the_p_value_does() {
        let mut stream = Streams::new(Seed::from(5u64), "rule").task(0);
        let mut decisions = [[0; 2]; 5];
        for round in 0..2000 {
            let side = [Alternative::TwoSided, Alternative::Less, Alternative::Greater][round % 3];
            let mut sample = |size: usize, mean: f64, sd: f64| {
                (0..size).map(|_| sd.mul_add(stream.normal(), mean)).collect::<Vec<f64>>()
            };
            let toward = if side == Alternative::Less { -1.0 } else { 1.0 };
            let x = sample(4 + round % 5, 0.7 * toward, 1.0);
            let (y, z) = (sample(3 + round % 7, 0.0, 1.8), sample(6, 0.4, 1.0));
            let level = |sizes| Level { sizes, alpha: ALPHA, side };
            let both = [x.len(), y.len()];
            let pair = [moments(&x), moments(&y)];
            let margin = 2.0;
            let three = [x.len(), y.len(), z.len()];
            let found = [
                (Rule::one(&level(&[x.len()]), 0.1), &pair[..1], t::one_sample(&x, 0.1, side)),
                (Rule::pooled(&level(&both)), &pair[..], t::two_sample(&x, &y, side)),
                (Rule::welch(&level(&both)), &pair[..], t::welch(&x, &y, side)),
                (
                    Rule::equivalence(&level(&both), margin),
                    &pair[..],
                    equivalence::two_one_sided(&x, &y, -margin, margin),
                ),
                (
                    Rule::anova(&level(&three)),
                    &[pair[0], pair[1], moments(&z)][..],
                    anova::one_way(&[&x, &y, &z]),
                ),
            ];
            for (kind, (rule, samples, expected)) in found.iter().enumerate() {
                let expected = expected.p_value <= ALPHA;
                assert_eq!(rule.rejects(samples), Some(expected), "{rule:?} of {samples:?}");
                decisions[kind][usize::from(expected)] += 1;
            }
        }
        assert!(decisions.iter().flatten().all(|&count| count > 100), "{decisions:?}");
    }
}
