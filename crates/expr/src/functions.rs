//! List the functions and constants of the language: one row each.
//!
//! To add a function, add a row: its name, how it is called, one sentence for the reference, and
//! how it is made of operations. Only a function that no operations make needs a new
//! [`crate::Unary`] or [`crate::Binary`] too.

use crate::builder::Builder;
use crate::laws;
use crate::program::{Binary, Fused, Unary, ValueId};
use std::f64::consts;
use std::ops::RangeInclusive;

/// A function that formulas can call.
///
/// [`functions`](crate::functions) lists them all, for a reference page or a completion list.
#[derive(Debug)]
pub struct Function {
    /// How it is called, its name first, optional arguments with their defaults.
    pub usage: &'static str,
    /// What it is, in one sentence.
    pub meaning: &'static str,
    arguments_min: usize,
    arguments_max: usize,
    lower: Lower,
}

/// How a call becomes operations.
#[derive(Debug)]
enum Lower {
    One(Unary),
    Two(Binary),
    Made(fn(&mut Builder, &[ValueId]) -> ValueId),
}

impl Function {
    /// The word that calls it.
    pub fn name(&self) -> &'static str {
        self.usage.split('(').next().unwrap_or(self.usage)
    }

    pub(crate) fn takes(&self, count: usize) -> bool {
        (self.arguments_min..=self.arguments_max).contains(&count)
    }

    /// Adds the operations of a call; the parser has checked the number of arguments.
    pub(crate) fn lower(&self, builder: &mut Builder, arguments: &[ValueId]) -> ValueId {
        match self.lower {
            Lower::One(kind) => builder.unary(kind, arguments[0]),
            Lower::Two(kind) => builder.binary(kind, arguments[0], arguments[1]),
            Lower::Made(make) => make(builder, arguments),
        }
    }
}

const ANY: usize = usize::MAX;

const fn one(kind: Unary, usage: &'static str, meaning: &'static str) -> Function {
    Function { usage, meaning, arguments_min: 1, arguments_max: 1, lower: Lower::One(kind) }
}

const fn two(kind: Binary, usage: &'static str, meaning: &'static str) -> Function {
    Function { usage, meaning, arguments_min: 2, arguments_max: 2, lower: Lower::Two(kind) }
}

const fn made(
    arguments: RangeInclusive<usize>,
    usage: &'static str,
    meaning: &'static str,
    make: fn(&mut Builder, &[ValueId]) -> ValueId,
) -> Function {
    let (arguments_min, arguments_max) = (*arguments.start(), *arguments.end());
    Function { usage, meaning, arguments_min, arguments_max, lower: Lower::Made(make) }
}

static FUNCTIONS: &[Function] = &[
    made(
        3..=3,
        "if(condition, a, b)",
        "`a` where the condition holds (is not 0), else `b`",
        |b, v| b.select(v[0], v[1], v[2]),
    ),
    made(2..=ANY, "min(a, b, ...)", "the smallest of two or more; NaN if any is", |b, v| {
        fold(b, Binary::Min, v)
    }),
    made(2..=ANY, "max(a, b, ...)", "the largest of two or more; NaN if any is", |b, v| {
        fold(b, Binary::Max, v)
    }),
    one(Unary::Abs, "abs(x)", "the absolute value"),
    made(1..=1, "sign(x)", "-1, 0 or 1 by the sign of x; NaN for NaN", sign),
    one(Unary::Floor, "floor(x)", "the largest integer not above x"),
    one(Unary::Ceil, "ceil(x)", "the smallest integer not below x"),
    one(Unary::Round, "round(x)", "the nearest integer, ties to even"),
    one(Unary::Trunc, "trunc(x)", "x without its fraction"),
    one(Unary::Sqrt, "sqrt(x)", "the square root"),
    one(Unary::Cbrt, "cbrt(x)", "the cube root"),
    made(2..=2, "hypot(a, b)", "sqrt(a^2 + b^2) without overflow on the way", hypot),
    made(2..=2, "pow(a, b)", "a to the power b, the same as a^b", |b, v| b.power(v[0], v[1])),
    one(Unary::Exp, "exp(x)", "e to the power x"),
    one(Unary::Expm1, "expm1(x)", "exp(x) - 1, exact near 0"),
    one(Unary::Log, "log(x)", "the natural logarithm"),
    one(Unary::Log1p, "log1p(x)", "log(1 + x), exact near 0"),
    one(Unary::Log2, "log2(x)", "the logarithm to base 2"),
    one(Unary::Log10, "log10(x)", "the logarithm to base 10"),
    one(Unary::Sin, "sin(x)", "the sine of x in radians"),
    one(Unary::Cos, "cos(x)", "the cosine of x in radians"),
    one(Unary::Tan, "tan(x)", "the tangent of x in radians"),
    one(Unary::Asin, "asin(x)", "the inverse sine, in radians"),
    one(Unary::Acos, "acos(x)", "the inverse cosine, in radians"),
    one(Unary::Atan, "atan(x)", "the inverse tangent, in radians"),
    two(Binary::Atan2, "atan2(y, x)", "the angle of the point (x, y), from -pi to pi"),
    one(Unary::Sinh, "sinh(x)", "the hyperbolic sine"),
    one(Unary::Cosh, "cosh(x)", "the hyperbolic cosine"),
    one(Unary::Tanh, "tanh(x)", "the hyperbolic tangent"),
    one(Unary::Erf, "erf(x)", "the error function"),
    one(Unary::Erfc, "erfc(x)", "1 - erf(x), exact for large x"),
    one(Unary::Lgamma, "lgamma(x)", "the logarithm of the absolute value of the gamma function"),
    made(
        1..=3,
        "normal_pdf(x, mean = 0, sd = 1)",
        "the density of a normal distribution",
        normal_pdf,
    ),
    made(
        1..=3,
        "normal_cdf(x, mean = 0, sd = 1)",
        "the probability that a normal variable is at most x",
        normal_cdf,
    ),
    made(
        1..=3,
        "normal_quantile(p, mean = 0, sd = 1)",
        "the value below which a normal variable is with probability p",
        normal_quantile,
    ),
    made(1..=1, "logit(p)", "log(p/(1 - p))", laws::logit),
    made(1..=1, "inv_logit(x)", "1/(1 + exp(-x)), without overflow on the way", laws::inv_logit),
    made(1..=1, "log1p_exp(x)", "log(1 + exp(x)), without overflow on the way", laws::log1p_exp),
    made(
        1..=ANY,
        "log_sum_exp(a, ...)",
        "log(exp(a) + ...), without overflow on the way",
        laws::log_sum_exp,
    ),
    made(
        1..=3,
        "normal_lpdf(x, mean = 0, sd = 1)",
        "the log density of a normal distribution",
        laws::normal,
    ),
    made(
        1..=3,
        "lognormal_lpdf(x, mean = 0, sd = 1)",
        "the log density of a variable whose logarithm is normal",
        laws::lognormal,
    ),
    made(
        2..=4,
        "student_t_lpdf(x, df, location = 0, scale = 1)",
        "the log density of Student's t distribution",
        laws::student_t,
    ),
    made(
        1..=3,
        "cauchy_lpdf(x, location = 0, scale = 1)",
        "the log density of a Cauchy distribution",
        laws::cauchy,
    ),
    made(
        1..=3,
        "laplace_lpdf(x, location = 0, scale = 1)",
        "the log density of a Laplace (double exponential) distribution",
        laws::laplace,
    ),
    made(
        1..=3,
        "logistic_lpdf(x, location = 0, scale = 1)",
        "the log density of a logistic distribution",
        laws::logistic,
    ),
    made(
        1..=2,
        "exponential_lpdf(x, rate = 1)",
        "the log density of an exponential distribution",
        laws::exponential,
    ),
    made(
        3..=3,
        "gamma_lpdf(x, shape, rate)",
        "the log density of a gamma distribution",
        laws::gamma,
    ),
    made(
        3..=3,
        "inv_gamma_lpdf(x, shape, scale)",
        "the log density of an inverse gamma distribution",
        laws::inv_gamma,
    ),
    made(3..=3, "beta_lpdf(x, a, b)", "the log density of a beta distribution", laws::beta),
    made(
        3..=3,
        "weibull_lpdf(x, shape, scale)",
        "the log density of a Weibull distribution",
        laws::weibull,
    ),
    made(
        2..=2,
        "bernoulli_lpmf(y, p)",
        "the log probability that a trial of probability p comes out as y: 1 or 0",
        laws::bernoulli,
    ),
    made(
        2..=2,
        "bernoulli_logit_lpmf(y, eta)",
        "the same with the logit of the probability, eta",
        laws::bernoulli_logit,
    ),
    made(
        3..=3,
        "binomial_lpmf(k, n, p)",
        "the log probability of k successes in n trials of probability p",
        laws::binomial,
    ),
    made(
        3..=3,
        "binomial_logit_lpmf(k, n, eta)",
        "the same with the logit of the probability, eta",
        laws::binomial_logit,
    ),
    made(2..=2, "poisson_lpmf(k, mean)", "the log probability of a Poisson count k", laws::poisson),
    made(
        2..=2,
        "poisson_log_lpmf(k, eta)",
        "the same with the logarithm of the mean, eta",
        laws::poisson_log,
    ),
    made(
        3..=3,
        "neg_binomial_lpmf(k, mean, dispersion)",
        "the log probability of a negative binomial count k of variance mean + mean^2/dispersion",
        laws::neg_binomial,
    ),
];

/// What other languages call a function, and what it is called here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("ln", "log"),
    ("fabs", "abs"),
    ("power", "pow"),
    ("sqr", "sqrt"),
    ("arcsin", "asin"),
    ("arccos", "acos"),
    ("arctan", "atan"),
    ("arctan2", "atan2"),
    ("ceiling", "ceil"),
    ("rint", "round"),
    ("sgn", "sign"),
    ("where", "if"),
    ("ifelse", "if"),
    ("gammaln", "lgamma"),
    ("dnorm", "normal_pdf"),
    ("pnorm", "normal_cdf"),
    ("qnorm", "normal_quantile"),
    ("phi", "normal_cdf"),
    ("probit", "normal_quantile"),
    ("ndtr", "normal_cdf"),
    ("ndtri", "normal_quantile"),
    ("sigmoid", "inv_logit"),
    ("expit", "inv_logit"),
    ("plogis", "inv_logit"),
    ("qlogis", "logit"),
    ("softplus", "log1p_exp"),
    ("logaddexp", "log_sum_exp"),
    ("logsumexp", "log_sum_exp"),
    ("normal_logpdf", "normal_lpdf"),
    ("average", "mean"),
    ("cor", "correlation"),
    ("corr", "correlation"),
];

/// Every function of the language, in the order of the reference.
pub fn all() -> &'static [Function] {
    FUNCTIONS
}

/// The function called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name() == name)
}

/// What `name`, known from elsewhere, is called here.
pub(crate) fn elsewhere(name: &str) -> Option<&'static str> {
    ELSEWHERE.iter().find(|(other, _)| *other == name).map(|(_, own)| *own)
}

/// The value of a named constant.
pub(crate) fn constant(name: &str) -> Option<f64> {
    match name {
        "pi" => Some(consts::PI),
        "e" => Some(consts::E),
        _ => None,
    }
}

fn fold(b: &mut Builder, kind: Binary, values: &[ValueId]) -> ValueId {
    let mut best = values[0];
    for &value in &values[1..] {
        best = b.binary(kind, best, value);
    }
    best
}

fn sign(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let (zero, one, minus) = (b.constant(0.0), b.constant(1.0), b.constant(-1.0));
    let (above, below) = (b.binary(Binary::Less, zero, v[0]), b.binary(Binary::Less, v[0], zero));
    let rest = b.select(below, minus, v[0]);
    b.select(above, one, rest)
}

/// `m·sqrt(1 + (n/m)^2)` with `m` the larger magnitude; within 2 ulp. For equal magnitudes the
/// quotient is 1 without dividing, so that hypot(0, 0) is 0 and hypot(inf, inf) is infinite.
fn hypot(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let (x, y) = (b.unary(Unary::Abs, v[0]), b.unary(Unary::Abs, v[1]));
    let (large, small) = (b.binary(Binary::Max, x, y), b.binary(Binary::Min, x, y));
    let (one, same) = (b.constant(1.0), b.binary(Binary::Equal, large, small));
    let quotient = b.binary(Binary::Div, small, large);
    let quotient = b.select(same, one, quotient);
    let sum = b.fused(Fused::MulAdd, [quotient, quotient, one]);
    let root = b.unary(Unary::Sqrt, sum);
    b.binary(Binary::Mul, large, root)
}

/// `(x - mean)/sd`, as far as `mean` and `sd` are given.
fn standardised(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let mut x = v[0];
    if let Some(&mean) = v.get(1) {
        x = b.binary(Binary::Sub, x, mean);
    }
    if let Some(&sd) = v.get(2) {
        x = b.binary(Binary::Div, x, sd);
    }
    x
}

fn normal_pdf(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let z = standardised(b, v);
    let density = b.unary(Unary::NormalPdf, z);
    match v.get(2) {
        Some(&sd) => b.binary(Binary::Div, density, sd),
        None => density,
    }
}

fn normal_cdf(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let z = standardised(b, v);
    b.unary(Unary::NormalCdf, z)
}

fn normal_quantile(b: &mut Builder, v: &[ValueId]) -> ValueId {
    let z = b.unary(Unary::NormalQuantile, v[0]);
    match (v.get(1), v.get(2)) {
        (Some(&mean), Some(&sd)) => b.fused(Fused::MulAdd, [z, sd, mean]),
        (Some(&mean), None) => b.binary(Binary::Add, z, mean),
        _ => z,
    }
}
