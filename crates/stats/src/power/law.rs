//! Laws that data are drawn from, as they are written: `normal(0, 1)`, `gamma(2, 1.5)`.

use windfall_core::{Error, Result};
use windfall_lanes::{LANES, Simd, Task, dispatch, math, scalar_math};
use windfall_streams::{
    Binomial, Distribution, Gamma, Multinomial, ParameterError, Poisson, Stream,
};

/// A law: `shift + scale · base`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Law {
    pub base: Base,
    pub shift: f64,
    pub scale: f64,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Base {
    Normal,
    /// A normal number over the root of the gamma, which has mean 1.
    Student(Gamma, f64),
    /// The exponential of a normal number times sigma.
    Lognormal(f64),
    /// With the shape beside it.
    Gamma(Gamma, f64),
    Exponential,
    Uniform,
    Bernoulli(f64),
    /// With trials and chance beside it.
    Binomial(Binomial, u64, f64),
    Poisson(Poisson, f64),
    /// Counts of all categories, in order: as many draws as there are categories.
    Counts(Multinomial),
}

/// A row of the table of laws.
struct Known {
    name: &'static str,
    /// Its parameters, for messages; those after `least` may be left out.
    parameters: &'static [&'static str],
    least: usize,
    make: fn(&[f64]) -> Result<Law, ParameterError>,
}

static LAWS: &[Known] = &[
    Known {
        name: "normal",
        parameters: &["mean", "sd"],
        least: 0,
        make: |p| Ok(Law { base: Base::Normal, shift: at(p, 0, 0.0), scale: at(p, 1, 1.0) }),
    },
    Known {
        name: "t",
        parameters: &["df", "location", "scale"],
        least: 1,
        make: |p| {
            let base = Base::Student(Gamma::new(0.5 * p[0], 2.0 / p[0])?, p[0]);
            Ok(Law { base, shift: at(p, 1, 0.0), scale: at(p, 2, 1.0) })
        },
    },
    Known {
        name: "lognormal",
        parameters: &["mu", "sigma"],
        least: 2,
        make: |p| {
            Ok(Law { base: Base::Lognormal(p[1]), shift: 0.0, scale: scalar_math::exp(p[0]) })
        },
    },
    Known {
        name: "gamma",
        parameters: &["shape", "scale"],
        least: 1,
        make: |p| Ok(scaled(Base::Gamma(Gamma::new(p[0], 1.0)?, p[0]), at(p, 1, 1.0))),
    },
    Known {
        name: "exponential",
        parameters: &["mean"],
        least: 1,
        make: |p| Ok(scaled(Base::Exponential, p[0])),
    },
    Known {
        name: "uniform",
        parameters: &["low", "high"],
        least: 2,
        make: |p| Ok(Law { base: Base::Uniform, shift: p[0], scale: p[1] - p[0] }),
    },
    Known {
        name: "bernoulli",
        parameters: &["p"],
        least: 1,
        make: |p| Binomial::new(1, p[0]).map(|_| scaled(Base::Bernoulli(p[0]), 1.0)),
    },
    Known {
        name: "binomial",
        parameters: &["n", "p"],
        least: 2,
        make: |p| {
            let n = if p[0].fract() == 0.0 && p[0] >= 0.0 { p[0] as u64 } else { u64::MAX };
            Ok(scaled(Base::Binomial(Binomial::new(n, p[1])?, n, p[1]), 1.0))
        },
    },
    Known {
        name: "poisson",
        parameters: &["mean"],
        least: 1,
        make: |p| Ok(scaled(Base::Poisson(Poisson::new(p[0])?, p[0]), 1.0)),
    },
];

fn at(parameters: &[f64], place: usize, default: f64) -> f64 {
    parameters.get(place).copied().unwrap_or(default)
}

fn scaled(base: Base, scale: f64) -> Law {
    Law { base, shift: 0.0, scale }
}

impl Law {
    /// Reads a law; `key` is the option it stands in.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Unknown`] for the name of a law,
    /// [`windfall_core::ErrorKind::Invalid`] for its parameters.
    pub fn parse(key: &str, text: &str) -> Result<Self> {
        let example = "a law such as `normal(0, 1)`, `gamma(2, 1.5)` or `bernoulli(0.3)`";
        let wrong = |expected: &str| Error::invalid(key, text, expected);
        let (name, inside) = text.trim().split_once('(').unwrap_or((text.trim(), ")"));
        let inside = inside.strip_suffix(')').ok_or_else(|| wrong(example))?;
        let name = name.trim().to_lowercase();
        let Some(known) = LAWS.iter().find(|law| law.name == name) else {
            let names: Vec<&str> = LAWS.iter().map(|law| law.name).collect();
            return Err(Error::unknown("law", &name, &names));
        };
        let parts = inside.split(',').map(str::trim).filter(|part| !part.is_empty());
        let numbers: Vec<f64> = parts
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()
            .ok_or_else(|| wrong(example))?;
        let count = known.least..=known.parameters.len();
        let form = format!("{name}({})", known.parameters.join(", "));
        if !count.contains(&numbers.len()) || numbers.iter().any(|x| !x.is_finite()) {
            return Err(wrong(&format!("written `{form}` with finite numbers")));
        }
        let law = (known.make)(&numbers)
            .map_err(|e| wrong(&format!("{form} with {} {}", e.parameter, e.allowed)))?;
        if !(law.scale > 0.0 && law.scale.is_finite()) {
            return Err(wrong(&format!("{form} with a width above 0")));
        }
        if let Base::Lognormal(sigma) = law.base
            && sigma <= 0.0
        {
            return Err(wrong(&format!("{form} with sigma above 0")));
        }
        Ok(law)
    }

    /// The standard normal law.
    pub fn normal() -> Self {
        scaled(Base::Normal, 1.0)
    }

    /// The uniform law on (0, 1).
    pub fn uniform() -> Self {
        scaled(Base::Uniform, 1.0)
    }

    /// The same law moved by `by`.
    pub fn moved(self, by: f64) -> Self {
        Self { shift: self.shift + by, ..self }
    }

    /// Whether values are counts, which no shift leaves counts.
    pub fn is_discrete(&self) -> bool {
        let discrete = matches!(self.base, Base::Bernoulli(_) | Base::Binomial(..));
        discrete || matches!(self.base, Base::Poisson(..) | Base::Counts(_))
    }

    /// Whether no value lies below 0.
    pub fn is_positive(&self) -> bool {
        let positive = matches!(self.base, Base::Lognormal(_) | Base::Gamma(..));
        let positive = positive || matches!(self.base, Base::Exponential | Base::Uniform);
        (positive || self.is_discrete()) && self.shift >= 0.0
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        let mean = match &self.base {
            Base::Normal | Base::Student(..) | Base::Counts(_) => 0.0,
            Base::Lognormal(sigma) => scalar_math::exp(0.5 * sigma * sigma),
            Base::Gamma(_, shape) => *shape,
            Base::Exponential => 1.0,
            Base::Uniform => 0.5,
            Base::Bernoulli(p) => *p,
            Base::Binomial(_, n, p) => *n as f64 * p,
            Base::Poisson(_, mean) => *mean,
        };
        self.scale.mul_add(mean, self.shift)
    }

    /// The standard deviation; infinite for a t law of at most 2 degrees of freedom.
    pub fn sd(&self) -> f64 {
        let sd = match &self.base {
            Base::Normal | Base::Exponential | Base::Counts(_) => 1.0,
            Base::Student(_, freedom) if *freedom <= 2.0 => f64::INFINITY,
            Base::Student(_, freedom) => (freedom / (freedom - 2.0)).sqrt(),
            Base::Lognormal(sigma) => {
                let square = sigma * sigma;
                (scalar_math::expm1(square) * scalar_math::exp(square)).sqrt()
            }
            Base::Gamma(_, shape) => shape.sqrt(),
            Base::Uniform => 1.0 / (3f64.sqrt() * 2.0),
            Base::Bernoulli(p) => (p * (1.0 - p)).sqrt(),
            Base::Binomial(_, n, p) => (*n as f64 * p * (1.0 - p)).sqrt(),
            Base::Poisson(_, mean) => mean.sqrt(),
        };
        self.scale * sd
    }
}

impl Base {
    /// Fills `out` with draws. Of a longer `out` the first draws are the same.
    pub fn fill(&self, stream: &mut Stream, out: &mut [f64]) {
        match self {
            Self::Normal => stream.fill_normal(out),
            Self::Student(gamma, _) => {
                out.fill_with(|| stream.normal() / gamma.draw(stream).sqrt());
            }
            Self::Lognormal(sigma) => {
                stream.fill_normal(out);
                dispatch(ExpTimes(*sigma, out));
            }
            Self::Gamma(gamma, _) => gamma.fill(stream, out),
            Self::Exponential => stream.fill_exponential(out),
            Self::Uniform => stream.fill_open_uniform(out),
            Self::Bernoulli(p) => {
                stream.fill_uniform(out);
                out.iter_mut().for_each(|u| *u = f64::from(u8::from(*u < *p)));
            }
            Self::Binomial(law, ..) => out.fill_with(|| law.draw(stream) as f64),
            Self::Poisson(law, _) => out.fill_with(|| law.draw(stream) as f64),
            Self::Counts(law) => {
                let counts = law.draw(stream);
                out.iter_mut().zip(counts).for_each(|(out, count)| *out = count as f64);
            }
        }
    }
}

/// Replaces each number by the exponential of a multiple of it.
struct ExpTimes<'a>(f64, &'a mut [f64]);

impl Task for ExpTimes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let factor = simd.splat(self.0);
        for block in self.1.chunks_mut(LANES) {
            let x = simd.mul(factor, simd.load_head(block, 0.0));
            simd.store_head(math::exp(simd, x), block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::moments;
    use windfall_streams::{Seed, Streams};

    /// Five standard errors of each: a false alarm once in a million, were the seeds new.
    #[test]
    fn means_and_spreads_are_those_of_draws() {
        for text in [
            "normal(3, 2)",
            "t(9, 1, 2)",
            "lognormal(0.5, 0.4)",
            "gamma(2.5, 2)",
            "gamma(0.5)",
            "exponential(3)",
            "uniform(-1, 3)",
            "bernoulli(0.3)",
            "binomial(12, 0.7)",
            "poisson(4.5)",
        ] {
            let law = Law::parse("law", text).unwrap();
            let mut stream = Streams::new(Seed::from(3u64), text).task(0);
            let mut values = vec![0.0; 100_000];
            law.base.fill(&mut stream, &mut values);
            values.iter_mut().for_each(|x| *x = law.scale.mul_add(*x, law.shift));
            let seen = moments(&values);
            assert!((seen.mean() - law.mean()).abs() < 5.0 * seen.mcse(), "{text}: {seen:?}");
            let ratio = seen.variance().sqrt() / law.sd();
            assert!((ratio - 1.0).abs() < 0.02, "{text}: {ratio}");
            let mut first = vec![0.0; 37];
            let mut stream = Streams::new(Seed::from(3u64), text).task(0);
            law.base.fill(&mut stream, &mut first);
            let again: Vec<f64> = first.iter().map(|x| law.scale.mul_add(*x, law.shift)).collect();
            assert_eq!(again, values[..37], "{text}");
        }
    }

    #[test]
    fn what_is_no_law_is_refused() {
        for (text, part) in [
            ("norml(0, 1)", "`norml`; did you mean `normal`"),
            ("normal(0, -1)", "a width above 0"),
            ("normal(0, 1", "such as `normal(0, 1)`"),
            ("gamma()", "gamma(shape, scale)"),
            ("gamma(-1)", "shape a finite number above 0"),
            ("bernoulli(1.5)", "a probability"),
            ("binomial(2.5, 0.5)", "a whole number"),
            ("lognormal(0, 0)", "sigma above 0"),
            ("poisson(a)", "such as"),
        ] {
            let message = Law::parse("law", text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
