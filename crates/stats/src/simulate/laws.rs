//! The laws of generated columns: how each is drawn, and what its parameters may be.
//!
//! A law is a row of the table [`LAWS`]: draws of a basic law, and a formula that makes of such a
//! draw `z` and of the parameters what is wanted. Parameters are those of NumPy's functions of the
//! same name.

use windfall_core::Stream;
use windfall_streams::{Beta, Binomial, Distribution, Gamma, ParameterError, Poisson};

/// A law by which a column may be drawn.
#[derive(Debug)]
pub struct Law {
    /// The word that calls it.
    pub name: &'static str,
    /// Its parameters, with what each may be.
    pub parameters: &'static [(&'static str, Range)],
    /// What it is, in one sentence.
    pub about: &'static str,
    pub(crate) base: Base,
    /// The value, of `z` and the parameters; `z` itself if empty.
    pub(crate) value: &'static str,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Any finite number.
    Real,
    /// Above 0.
    Positive,
    /// Not below 0.
    NotNegative,
    /// From 0 to 1.
    Probability,
    /// A whole number from 0.
    Count,
}

impl Range {
    /// Whether `value` lies within.
    pub(crate) fn holds(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Self::Real => true,
                Self::Positive => value > 0.0,
                Self::NotNegative => value >= 0.0,
                Self::Probability => (0.0..=1.0).contains(&value),
                Self::Count => value >= 0.0 && value.fract() == 0.0 && value < 9e15,
            }
    }

    /// What it asks for, in words.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Real => "a finite number",
            Self::Positive => "a number above 0",
            Self::NotNegative => "a number not below 0",
            Self::Probability => "a number from 0 to 1",
            Self::Count => "a whole number from 0",
        }
    }
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    Normal,
    Uniform,
    OpenUniform,
    Exponential,
    /// Of shape and scale.
    Gamma,
    /// Of half the degrees of freedom.
    ChiSquare,
    /// Normal over the root of a chi-square over its degrees of freedom.
    Student,
    Beta,
    Poisson,
    Binomial,
    /// Poisson of a gamma: failures before the n-th success.
    NegativeBinomial,
}

use Range::{Count, NotNegative, Positive, Probability, Real};

macro_rules! laws {
    ($($name:literal($($parameter:literal: $range:ident),*) $base:ident, $value:literal,
        $about:literal;)*) => {
        &[$(Law {
            name: $name,
            parameters: &[$(($parameter, $range)),*],
            about: $about,
            base: Base::$base,
            value: $value,
        }),*]
    };
}

/// Every law.
pub static LAWS: &[Law] = laws! {
    "normal"("mean": Real, "sd": NotNegative) Normal, "mean + sd*z", "the normal law";
    "lognormal"("mean": Real, "sd": NotNegative) Normal, "exp(mean + sd*z)",
        "the exponential of a normal number with this mean and standard deviation";
    "uniform"("low": Real, "high": Real) Uniform, "low + (high - low)*z",
        "uniform from low to high";
    "exponential"("scale": NotNegative) Exponential, "scale*z",
        "the exponential law of mean `scale`";
    "weibull"("shape": Positive, "scale": NotNegative) Exponential, "scale*z^(1/shape)",
        "Weibull's law";
    "pareto"("shape": Positive, "scale": Positive) Exponential, "scale*exp(z/shape)",
        "Pareto's law from `scale` on";
    "gumbel"("location": Real, "scale": NotNegative) Exponential, "location - scale*log(z)",
        "Gumbel's law of largest values";
    "laplace"("location": Real, "scale": NotNegative) OpenUniform,
        "location + scale*if(z < 0.5, log(2*z), -log(2 - 2*z))", "Laplace's law";
    "logistic"("location": Real, "scale": NotNegative) OpenUniform,
        "location + scale*log(z/(1 - z))", "the logistic law";
    "cauchy"("location": Real, "scale": NotNegative) OpenUniform,
        "location + scale*tan(pi*(z - 0.5))", "Cauchy's law";
    "t"("freedom": Positive) Student, "", "Student's law";
    "gamma"("shape": Positive, "scale": Positive) Gamma, "", "the gamma law of mean shape*scale";
    "chisquare"("freedom": Positive) ChiSquare, "", "the chi-square law";
    "beta"("a": Positive, "b": Positive) Beta, "", "the beta law of mean a/(a + b)";
    "bernoulli"("p": Probability) Uniform, "z < p", "1 with probability p, else 0";
    "binomial"("size": Count, "p": Probability) Binomial, "", "successes in `size` trials";
    "poisson"("mean": NotNegative) Poisson, "", "Poisson's law";
    "negative_binomial"("size": Positive, "p": Probability) NegativeBinomial, "",
        "failures before the `size`-th success";
};

/// A parameter: one number, or one a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameter<'a> {
    One(f64),
    Each(&'a [f64]),
}

impl Parameter<'_> {
    /// Its value in a row.
    pub fn at(&self, row: usize) -> f64 {
        match self {
            Self::One(value) => *value,
            Self::Each(values) => values[row],
        }
    }
}

impl Base {
    /// Fills `out` with draws.
    ///
    /// # Errors
    /// For parameters that no such law has; their ranges were checked.
    pub fn draw(
        self,
        parameters: &[Parameter<'_>],
        stream: &mut Stream,
        out: &mut [f64],
    ) -> Result<(), ParameterError> {
        match self {
            Self::Normal => stream.fill_normal(out),
            Self::Uniform => stream.fill_uniform(out),
            Self::OpenUniform => stream.fill_open_uniform(out),
            Self::Exponential => stream.fill_exponential(out),
            Self::Gamma => each(parameters, stream, out, |p| Gamma::new(p[0], p[1]))?,
            Self::ChiSquare => each(parameters, stream, out, |p| Gamma::new(0.5 * p[0], 2.0))?,
            Self::Student => {
                each(parameters, stream, out, |p| Gamma::new(0.5 * p[0], 2.0 / p[0]))?;
                out.iter_mut().for_each(|value| *value = stream.normal() / value.sqrt());
            }
            Self::Beta => each(parameters, stream, out, |p| Beta::new(p[0], p[1]))?,
            Self::Poisson => each(parameters, stream, out, |p| Poisson::new(p[0]).map(Counted))?,
            Self::Binomial => {
                each(parameters, stream, out, |p| Binomial::new(p[0] as u64, p[1]).map(Counted))?
            }
            Self::NegativeBinomial => {
                each(parameters, stream, out, |p| Gamma::new(p[0], (1.0 - p[1]) / p[1]))?;
                for value in out {
                    *value = stream.poisson(*value)? as f64;
                }
            }
        }
        Ok(())
    }
}

/// Draws of a law that is made ready once if its parameters are the same in every row.
fn each<D: Distribution<Value = f64>>(
    parameters: &[Parameter<'_>],
    stream: &mut Stream,
    out: &mut [f64],
    ready: impl Fn([f64; 2]) -> Result<D, ParameterError>,
) -> Result<(), ParameterError> {
    let at = |row: usize| {
        let mut values = [0.0; 2];
        for (value, parameter) in values.iter_mut().zip(parameters) {
            *value = parameter.at(row);
        }
        values
    };
    if parameters.iter().all(|parameter| matches!(parameter, Parameter::One(_))) {
        ready(at(0))?.fill(stream, out);
        return Ok(());
    }
    for (row, value) in out.iter_mut().enumerate() {
        *value = ready(at(row))?.draw(stream);
    }
    Ok(())
}

/// A law of counts, as numbers.
struct Counted<D>(D);

impl<D: Distribution<Value = u64>> Distribution for Counted<D> {
    type Value = f64;

    fn draw(&self, stream: &mut Stream) -> f64 {
        self.0.draw(stream) as f64
    }
}
