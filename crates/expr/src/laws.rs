//! Make log densities of the usual laws from operations, so that a model reads like one.
//!
//! Each is the full logarithm of the density or probability, constants included, with the
//! parameters in the order of Stan (Functions Reference, "Continuous Distributions"). A form in
//! the logit or the logarithm of the mean is the numerically sound one. Outside the support the
//! value is whatever the formula gives, mostly NaN; what is integer is not checked.

use crate::builder::Builder;
use crate::program::{Binary, Fused, Unary, ValueId};
use std::f64::consts::{LN_2, PI};

/// `log(2 pi)/2`.
const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_8;
/// `log(pi)`.
const LOG_PI: f64 = 1.144_729_885_849_400_2;

/// Arithmetic on values under construction, short to read.
struct Make<'a>(&'a mut Builder);

impl Make<'_> {
    fn number(&mut self, value: f64) -> ValueId {
        self.0.constant(value)
    }
    fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.0.binary(Binary::Add, a, b)
    }
    fn sub(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.0.binary(Binary::Sub, a, b)
    }
    fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.0.binary(Binary::Mul, a, b)
    }
    fn div(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.0.binary(Binary::Div, a, b)
    }
    fn inverse(&mut self, a: ValueId) -> ValueId {
        let one = self.number(1.0);
        self.div(one, a)
    }
    fn less_one(&mut self, a: ValueId) -> ValueId {
        let one = self.number(1.0);
        self.sub(a, one)
    }
    fn plus_one(&mut self, a: ValueId) -> ValueId {
        let one = self.number(1.0);
        self.add(a, one)
    }
    /// `a·b + c`.
    fn fma(&mut self, a: ValueId, b: ValueId, c: ValueId) -> ValueId {
        self.0.fused(Fused::MulAdd, [a, b, c])
    }
    /// `c - a·b`.
    fn fnma(&mut self, a: ValueId, b: ValueId, c: ValueId) -> ValueId {
        self.0.fused(Fused::NegMulAdd, [a, b, c])
    }
    fn of(&mut self, kind: Unary, a: ValueId) -> ValueId {
        self.0.unary(kind, a)
    }
    fn log(&mut self, a: ValueId) -> ValueId {
        self.of(Unary::Log, a)
    }
    fn lgamma(&mut self, a: ValueId) -> ValueId {
        self.of(Unary::Lgamma, a)
    }
    /// `log(1 - a)`.
    fn log1m(&mut self, a: ValueId) -> ValueId {
        let minus = self.of(Unary::Negative, a);
        self.of(Unary::Log1p, minus)
    }
    /// `log(1 + e^a)`: `max(a, 0) + log1p(e^-|a|)`.
    fn log1p_exp(&mut self, a: ValueId) -> ValueId {
        let zero = self.number(0.0);
        let positive = self.0.binary(Binary::Less, zero, a);
        let minus = self.of(Unary::Negative, a);
        let below = self.0.select(positive, minus, a);
        let above = self.0.select(positive, a, zero);
        let small = self.of(Unary::Exp, below);
        let rest = self.of(Unary::Log1p, small);
        self.add(above, rest)
    }
    /// `(x - location)/scale` by the reciprocal of the scale, and `-log(scale)`; 0 and 1 if they
    /// are not given.
    fn standardised(&mut self, v: &[ValueId], first: usize) -> (ValueId, ValueId) {
        let mut x = v[0];
        if let Some(&location) = v.get(first) {
            x = self.sub(x, location);
        }
        match v.get(first + 1) {
            None => (x, self.number(0.0)),
            Some(&scale) => {
                let inverse = self.inverse(scale);
                let log = self.log(scale);
                (self.mul(x, inverse), self.of(Unary::Negative, log))
            }
        }
    }
    /// `log binomial(n, k)`.
    fn log_choose(&mut self, n: ValueId, k: ValueId) -> ValueId {
        let rest = self.sub(n, k);
        let [all, taken, left] = [n, k, rest].map(|count| {
            let next = self.plus_one(count);
            self.lgamma(next)
        });
        let chosen = self.sub(all, taken);
        self.sub(chosen, left)
    }
}

pub(crate) fn logit(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let (log, rest) = (make.log(v[0]), make.log1m(v[0]));
    make.sub(log, rest)
}

/// `1/(1 + e^-x)` by the exponential of `-|x|`, which neither overflows nor loses small values.
pub(crate) fn inv_logit(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let (zero, one) = (make.number(0.0), make.number(1.0));
    let positive = make.0.binary(Binary::Less, zero, v[0]);
    let minus = make.of(Unary::Negative, v[0]);
    let below = make.0.select(positive, minus, v[0]);
    let small = make.of(Unary::Exp, below);
    let above = make.0.select(positive, one, small);
    let whole = make.plus_one(small);
    make.div(above, whole)
}

pub(crate) fn log1p_exp(b: &mut Builder, v: &[ValueId]) -> ValueId {
    Make(b).log1p_exp(v[0])
}

pub(crate) fn log_sum_exp(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let mut most = v[0];
    for &value in &v[1..] {
        most = make.0.binary(Binary::Max, most, value);
    }
    let mut sum = make.number(0.0);
    for &value in v {
        // Where all are -inf their difference is none.
        let (away, zero) = (make.sub(value, most), make.number(0.0));
        let same = make.0.binary(Binary::Equal, value, most);
        let away = make.0.select(same, zero, away);
        let part = make.of(Unary::Exp, away);
        sum = make.add(sum, part);
    }
    let log = make.log(sum);
    make.add(most, log)
}

pub(crate) fn normal(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let (z, scale) = make.standardised(v, 1);
    let (square, half, constant) = (make.mul(z, z), make.number(0.5), make.number(HALF_LOG_TWO_PI));
    let rest = make.sub(scale, constant);
    make.fnma(square, half, rest)
}

pub(crate) fn lognormal(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let log = Make(b).log(v[0]);
    let mut arguments = v.to_vec();
    arguments[0] = log;
    let value = normal(b, &arguments);
    Make(b).sub(value, log)
}

pub(crate) fn cauchy(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let (z, scale) = make.standardised(v, 1);
    let (square, constant) = (make.mul(z, z), make.number(LOG_PI));
    let rest = make.sub(scale, constant);
    let log = make.of(Unary::Log1p, square);
    make.sub(rest, log)
}

/// `student_t(x, df, location, scale)`.
pub(crate) fn student_t(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let (z, scale) = make.standardised(v, 2);
    let (df, half, pi) = (v[1], make.number(0.5), make.number(PI));
    let next = make.plus_one(df);
    let (above, below) = (make.mul(next, half), make.mul(df, half));
    let (high, low) = (make.lgamma(above), make.lgamma(below));
    let spread = make.mul(df, pi);
    let spread = make.log(spread);
    let gammas = make.sub(high, low);
    let constant = make.fnma(half, spread, gammas);
    let constant = make.add(constant, scale);
    let (square, inverse) = (make.mul(z, z), make.inverse(df));
    let share = make.mul(square, inverse);
    let log = make.of(Unary::Log1p, share);
    make.fnma(above, log, constant)
}

/// Double exponential.
pub(crate) fn laplace(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let (z, scale) = make.standardised(v, 1);
    let (size, constant) = (make.of(Unary::Abs, z), make.number(LN_2));
    let rest = make.sub(scale, constant);
    make.sub(rest, size)
}

/// `z - 2 log(1 + e^z) - log scale`.
pub(crate) fn logistic(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let (z, scale) = make.standardised(v, 1);
    let (log, two) = (make.log1p_exp(z), make.number(2.0));
    let rest = make.add(z, scale);
    make.fnma(two, log, rest)
}

pub(crate) fn exponential(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    match v.get(1) {
        None => make.of(Unary::Negative, v[0]),
        Some(&rate) => {
            let log = make.log(rate);
            make.fnma(rate, v[0], log)
        }
    }
}

/// `a log b - lgamma a + (a - 1) log x - b x`, `a` the shape and `b` the rate.
pub(crate) fn gamma(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let (mut make, [x, shape, rate]) = (Make(b), [v[0], v[1], v[2]]);
    let (log_rate, gamma) = (make.log(rate), make.lgamma(shape));
    let power = make.mul(shape, log_rate);
    let constant = make.sub(power, gamma);
    let (less, log) = (make.less_one(shape), make.log(x));
    let sum = make.fma(less, log, constant);
    make.fnma(rate, x, sum)
}

/// `a log s - lgamma a - (a + 1) log x - s/x`, `a` the shape and `s` the scale.
pub(crate) fn inv_gamma(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let (mut make, [x, shape, scale]) = (Make(b), [v[0], v[1], v[2]]);
    let (log_scale, gamma) = (make.log(scale), make.lgamma(shape));
    let power = make.mul(shape, log_scale);
    let constant = make.sub(power, gamma);
    let (more, log, part) = (make.plus_one(shape), make.log(x), make.div(scale, x));
    let sum = make.fnma(more, log, constant);
    make.sub(sum, part)
}

pub(crate) fn beta(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let (mut make, [x, first, second]) = (Make(b), [v[0], v[1], v[2]]);
    let all = make.add(first, second);
    let gammas = [all, first, second].map(|shape| make.lgamma(shape));
    let constant = make.sub(gammas[0], gammas[1]);
    let constant = make.sub(constant, gammas[2]);
    let (first, second) = (make.less_one(first), make.less_one(second));
    let (log, rest) = (make.log(x), make.log1m(x));
    let sum = make.fma(first, log, constant);
    make.fma(second, rest, sum)
}

/// `log k - log s + (k - 1) log(x/s) - (x/s)^k`, `k` the shape and `s` the scale.
pub(crate) fn weibull(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let (mut make, [x, shape, scale]) = (Make(b), [v[0], v[1], v[2]]);
    let (log_x, log_scale, log_shape) = (make.log(x), make.log(scale), make.log(shape));
    let (ratio, constant) = (make.sub(log_x, log_scale), make.sub(log_shape, log_scale));
    let less = make.less_one(shape);
    let sum = make.fma(less, ratio, constant);
    let power = make.mul(shape, ratio);
    let power = make.of(Unary::Exp, power);
    make.sub(sum, power)
}

pub(crate) fn bernoulli(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let (yes, no) = (make.log(v[1]), make.log1m(v[1]));
    make.0.select(v[0], yes, no)
}

/// `y eta - log(1 + e^eta)`.
pub(crate) fn bernoulli_logit(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let log = make.log1p_exp(v[1]);
    make.0.fused(Fused::MulSub, [v[0], v[1], log])
}

/// `binomial(k, n, p)`; a count of none takes no logarithm, so that `p` may be 0 or 1.
pub(crate) fn binomial(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let (mut make, [k, n, p]) = (Make(b), [v[0], v[1], v[2]]);
    let (choose, rest, zero) = (make.log_choose(n, k), make.sub(n, k), make.number(0.0));
    let (yes, no) = (make.log(p), make.log1m(p));
    let (yes, no) = (make.mul(k, yes), make.mul(rest, no));
    let (yes, no) = (make.0.select(k, yes, zero), make.0.select(rest, no, zero));
    let sum = make.add(yes, no);
    make.add(choose, sum)
}

pub(crate) fn binomial_logit(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let (mut make, [k, n, eta]) = (Make(b), [v[0], v[1], v[2]]);
    let (choose, log) = (make.log_choose(n, k), make.log1p_exp(eta));
    let sum = make.fma(k, eta, choose);
    make.fnma(n, log, sum)
}

/// `k log m - m - lgamma(k + 1)`.
pub(crate) fn poisson(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let (log, zero, next) = (make.log(v[1]), make.number(0.0), make.plus_one(v[0]));
    let power = make.mul(v[0], log);
    let power = make.0.select(v[0], power, zero);
    let gamma = make.lgamma(next);
    let sum = make.sub(power, v[1]);
    make.sub(sum, gamma)
}

/// `k eta - e^eta - lgamma(k + 1)`.
pub(crate) fn poisson_log(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut make = Make(b);
    let (mean, next) = (make.of(Unary::Exp, v[1]), make.plus_one(v[0]));
    let gamma = make.lgamma(next);
    let all = make.add(mean, gamma);
    make.0.fused(Fused::MulSub, [v[0], v[1], all])
}

/// With mean `m` and dispersion `s`: variance `m + m²/s`.
pub(crate) fn neg_binomial(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let (mut make, [k, mean, spread]) = (Make(b), [v[0], v[1], v[2]]);
    let (all, next, zero) = (make.add(k, spread), make.plus_one(k), make.number(0.0));
    let gammas = [all, spread, next].map(|x| make.lgamma(x));
    let constant = make.sub(gammas[0], gammas[1]);
    let constant = make.sub(constant, gammas[2]);
    let (whole, ratio) = (make.add(mean, spread), make.div(mean, spread));
    let share = make.div(mean, whole);
    let (yes, no) = (make.log(share), make.of(Unary::Log1p, ratio));
    let power = make.mul(k, yes);
    let power = make.0.select(k, power, zero);
    let sum = make.add(constant, power);
    make.fnma(spread, no, sum)
}
