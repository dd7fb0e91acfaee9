//! One pass of Newton's method over the rows: information, gradient and likelihood, in lanes.

use super::Family;
use super::sample::Sample;
use crate::linear::{Columns, Pair, Square, cross_rows};
use windfall_lanes::{LANES, Simd, Task, dispatch, math};

/// Rows of a block: with ten columns some 20 KB.
const BLOCK: usize = 256;

/// What a pass reads and writes. Everything that goes with rows is padded to whole lanes.
pub(super) struct Pass<'a> {
    /// The terms, then the response.
    pub x: &'a Columns,
    /// The coefficients.
    pub b: &'a [f64],
    /// Added to the linear predictor; may be empty.
    pub offset: &'a [f64],
    /// Weights of the rows; may be empty.
    pub prior: &'a [f64],
    /// Room for a block of weighted terms.
    pub weighted: &'a mut Columns,
    /// Zero at first; gets the information in its lower triangle, the gradient in its last row.
    pub information: &'a mut Square,
    /// Response less mean, times weight.
    pub residuals: &'a mut [f64],
    /// The weights in the information.
    pub weights: &'a mut [f64],
    /// Whether the likelihood is wanted.
    pub wanted: bool,
}

impl<'a> Pass<'a> {
    /// With the logit link.
    pub fn logistic(self) -> Linked<'a, true> {
        Linked(self)
    }

    /// With the log link.
    pub fn poisson(self) -> Linked<'a, false> {
        Linked(self)
    }
}

/// A pass with its link: logit or log.
pub(super) struct Linked<'a, const LOGIT: bool>(Pass<'a>);

impl<const LOGIT: bool> Task for Linked<'_, LOGIT> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let Pass { x, b, offset, prior, weighted, information, residuals, weights, wanted } =
            self.0;
        let terms = b.len();
        let stride = x.padded(0).len();
        weighted.reset(terms + 1, BLOCK.min(stride));
        let mut likelihood = 0.0;
        let mut start = 0;
        while start < stride {
            let rows = start..(start + BLOCK).min(stride);
            let eta = &mut residuals[rows.clone()];
            predict_rows(simd, x, b, (start, offset), eta);
            let mut sum = simd.splat(0.0);
            let y = &x.padded(terms)[rows.clone()];
            let chunks = eta.as_chunks_mut::<LANES>().0.iter_mut();
            let others = weights[rows.clone()].as_chunks_mut::<LANES>().0.iter_mut();
            let zipped = chunks.zip(others).zip(y.as_chunks::<LANES>().0).enumerate();
            for (at, ((eta, weight), y)) in zipped {
                let (place, y) = (start + at * LANES, simd.load(y));
                let predictor = simd.load(eta);
                let (mean, mut w, t) = link::<S, LOGIT>(simd, predictor);
                let mut residual = simd.sub(y, mean);
                if !prior.is_empty() {
                    let prior = simd.load_head(&prior[place..], 0.0);
                    w = simd.mul(w, prior);
                    residual = simd.mul(residual, prior);
                }
                if wanted {
                    let own = log_likelihood::<S, LOGIT>(simd, (predictor, mean, t), y);
                    sum = simd.add(sum, live(simd, own, prior, (place, x.rows())));
                }
                simd.store(residual, eta);
                simd.store(w, weight);
            }
            likelihood += simd.sum_lanes(sum);
            weigh(simd, (x, start), &weights[rows.clone()], weighted, terms);
            weighted.padded_mut(terms)[..rows.len()].copy_from_slice(&residuals[rows.clone()]);
            let pair = Pair { left: weighted, right: x, shift: start };
            cross_rows(simd, pair, rows.clone(), information);
            start = rows.end;
        }
        likelihood
    }
}

/// The linear predictor of each row of `out`, the first of which is row `start`.
#[inline(always)]
fn predict_rows<S: Simd>(
    simd: S,
    x: &Columns,
    b: &[f64],
    (start, offset): (usize, &[f64]),
    out: &mut [f64],
) {
    let rows = start..start + out.len();
    match offset.is_empty() {
        true => out.fill(0.0),
        false => out.copy_from_slice(&offset[rows.clone()]),
    }
    let out = out.as_chunks_mut::<LANES>().0;
    let mut at = 0;
    // Two columns at a time, to load and store the sums half as often.
    while at + 1 < b.len() {
        let (b0, b1) = (simd.splat(b[at]), simd.splat(b[at + 1]));
        let x0 = x.padded(at)[rows.clone()].as_chunks::<LANES>().0;
        let x1 = x.padded(at + 1)[rows.clone()].as_chunks::<LANES>().0;
        for ((out, x0), x1) in out.iter_mut().zip(x0).zip(x1) {
            let sum = simd.fma(b0, simd.load(x0), simd.load(out));
            simd.store(simd.fma(b1, simd.load(x1), sum), out);
        }
        at += 2;
    }
    if at < b.len() {
        let (b, column) = (simd.splat(b[at]), x.padded(at)[rows].as_chunks::<LANES>().0);
        for (out, x) in out.iter_mut().zip(column) {
            simd.store(simd.fma(b, simd.load(x), simd.load(out)), out);
        }
    }
}

/// Mean, weight, and `exp(-|η|)` where the link is the logit.
#[inline(always)]
fn link<S: Simd, const LOGIT: bool>(simd: S, eta: S::F) -> (S::F, S::F, S::F) {
    if LOGIT {
        let one = simd.splat(1.0);
        let t = math::exp(simd, simd.neg(simd.abs(eta)));
        let inverse = simd.div(one, simd.add(one, t));
        let small = simd.mul(t, inverse);
        let mean = simd.select(simd.lt(eta, simd.splat(0.0)), small, inverse);
        (mean, simd.mul(small, inverse), t)
    } else {
        let mean = math::exp(simd, eta);
        (mean, mean, mean)
    }
}

/// `y η - log(1 + e^η)`, or `y η - e^η`.
#[inline(always)]
fn log_likelihood<S: Simd, const LOGIT: bool>(
    simd: S,
    (eta, mean, t): (S::F, S::F, S::F),
    y: S::F,
) -> S::F {
    let loss =
        if LOGIT { simd.add(simd.max(eta, simd.splat(0.0)), math::log1p(simd, t)) } else { mean };
    simd.sub(simd.mul(y, eta), loss)
}

/// `own` times its weight, zero past the last row.
#[inline(always)]
fn live<S: Simd>(simd: S, own: S::F, prior: &[f64], (place, rows): (usize, usize)) -> S::F {
    if !prior.is_empty() {
        return simd.mul(own, simd.load_head(&prior[place..], 0.0));
    }
    if place + LANES <= rows {
        return own;
    }
    let mask = simd.mask_from_bits((1u8 << (rows - place)) - 1);
    simd.select(mask, own, simd.splat(0.0))
}

/// The terms of a block times the weights of its rows.
#[inline(always)]
fn weigh<S: Simd>(
    simd: S,
    (x, start): (&Columns, usize),
    weights: &[f64],
    out: &mut Columns,
    terms: usize,
) {
    for at in 0..terms {
        let column = x.padded(at)[start..start + weights.len()].as_chunks::<LANES>().0;
        let out = out.padded_mut(at).as_chunks_mut::<LANES>().0.iter_mut();
        for ((out, x), w) in out.zip(column).zip(weights.as_chunks::<LANES>().0) {
            simd.store(simd.mul(simd.load(x), simd.load(w)), out);
        }
    }
}

/// `X b` into `out`, padded.
pub(super) fn predict(x: &Columns, b: &[f64], out: &mut [f64]) {
    dispatch(Predict { x, b, out });
}

struct Predict<'a> {
    x: &'a Columns,
    b: &'a [f64],
    out: &'a mut [f64],
}

impl Task for Predict<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        predict_rows(simd, self.x, self.b, (0, &[]), self.out);
    }
}

/// What a likelihood has beside the part that depends on the coefficients.
#[derive(Clone, Copy, Debug)]
pub(super) struct Constants {
    /// The likelihood, less its constant, of means equal to the responses.
    pub saturated: f64,
    /// The constant.
    pub constant: f64,
}

/// The constants of a sample, whose weights and offsets are padded.
pub(super) fn constants(sample: &Sample, family: Family) -> Constants {
    let y = sample.x.column(sample.terms());
    let logistic = family == Family::Logistic;
    if logistic && sample.weights.is_empty() && y.iter().all(|&y| y == 0.0 || y == 1.0) {
        return Constants { saturated: 0.0, constant: 0.0 };
    }
    let (saturated, constant) = dispatch(SumConstants { sample, logistic });
    Constants { saturated, constant }
}

struct SumConstants<'a> {
    sample: &'a Sample,
    logistic: bool,
}

impl Task for SumConstants<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> (f64, f64) {
        let (zero, one) = (simd.splat(0.0), simd.splat(1.0));
        let (x, prior) = (&self.sample.x, &self.sample.weights);
        let (mut saturated, mut constant) = (zero, zero);
        for (at, y) in x.padded(self.sample.terms()).as_chunks::<LANES>().0.iter().enumerate() {
            let (y, place) = (simd.load(y), at * LANES);
            let weight = match prior.is_empty() {
                true => one,
                false => simd.load_head(&prior[place..], 0.0),
            };
            let (top, ways) = if self.logistic {
                let rest = simd.sub(one, y);
                let all = math::lgamma(simd, simd.add(weight, one));
                let up = math::lgamma(simd, simd.fma(weight, y, one));
                let down = math::lgamma(simd, simd.fma(weight, rest, one));
                let top = simd.add(entropy(simd, y), entropy(simd, rest));
                (top, simd.sub(all, simd.add(up, down)))
            } else {
                let ways = simd.neg(math::lgamma(simd, simd.add(y, one)));
                (simd.sub(entropy(simd, y), y), simd.mul(weight, ways))
            };
            let mask = match place + LANES <= x.rows() {
                true => simd.eq(one, one),
                false => simd.mask_from_bits((1u8 << (x.rows() - place)) - 1),
            };
            saturated = simd.add(saturated, simd.select(mask, simd.mul(weight, top), zero));
            constant = simd.add(constant, simd.select(mask, ways, zero));
        }
        // Shares without weights have no number of ways.
        let counted = !self.logistic || !prior.is_empty();
        let constant = if counted { simd.sum_lanes(constant) } else { 0.0 };
        (simd.sum_lanes(saturated), constant)
    }
}

/// `y log y`, which is 0 at 0.
#[inline(always)]
fn entropy<S: Simd>(simd: S, y: S::F) -> S::F {
    let zero = simd.splat(0.0);
    simd.select(simd.eq(y, zero), zero, simd.mul(y, math::log(simd, y)))
}
