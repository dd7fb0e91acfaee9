//! Two shapes that samplers are tried on: Rosenbrock's valley and Neal's funnel.

use super::catalogue::Kind;
use super::{Model, ModelOptions, Room, indexed, place_reals};
use windfall_core::{Error, Result, Table};
use windfall_lanes::scalar_math::exp;

/// The rows of the catalogue.
pub(super) const ROSENBROCK: Kind = Kind {
    name: "rosenbrock",
    about: "a curved valley: exp(-((1 - x)^2 + 100 (y - x^2)^2)/20)",
    keys: &[],
    data: false,
    build: |_, _| Ok(Box::new(Rosenbrock::default())),
};
pub(super) const FUNNEL: Kind = Kind {
    name: "funnel",
    about: "Neal's funnel: v ~ N(0, 3), the others N(0, exp(v/2))",
    keys: &["dimensions"],
    data: false,
    build: funnel,
};

/// Dimensions of a funnel where nothing is said, those of Neal's.
const FUNNEL_DIMENSIONS: usize = 10;
/// Dimensions at most.
const DIMENSIONS_MAX: usize = 10_000;

/// `exp(-((1 - x)² + 100 (y - x²)²)/20)`: x has mean 1 and variance 10, y mean 11 and variance
/// 240.1.
///
/// Source: J. Goodman, J. Weare, "Ensemble samplers with affine invariance", 2010, equation 31.
#[derive(Clone, Debug)]
pub struct Rosenbrock([String; 2]);

impl Default for Rosenbrock {
    fn default() -> Self {
        Self(["x".into(), "y".into()])
    }
}

impl Model for Rosenbrock {
    fn dimensions(&self) -> usize {
        2
    }

    fn names(&self) -> &[String] {
        &self.0
    }

    fn log_density(&self, x: &[f64], gradient: &mut [f64], room: &mut Room) -> Result<f64> {
        let (short, off) = (1.0 - x[0], x[1] - x[0] * x[0]);
        gradient[0] = 0.1 * short + 20.0 * off * x[0];
        gradient[1] = -10.0 * off;
        self.value(x, room)
    }

    fn value(&self, x: &[f64], _: &mut Room) -> Result<f64> {
        let (short, off) = (1.0 - x[0], x[1] - x[0] * x[0]);
        Ok(-(short * short + 100.0 * (off * off)) / 20.0)
    }

    fn report(&self, x: &[f64], out: &mut [f64], _: &mut Room) -> Result<()> {
        out.copy_from_slice(x);
        Ok(())
    }

    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()> {
        place_reals(&self.0, parameters, x)
    }
}

/// `v ~ N(0, 3)`, then each `x_i ~ N(0, exp(v/2))`.
///
/// Source: R. M. Neal, "Slice sampling", Annals of Statistics 31(3), 2003, section 8.
#[derive(Clone, Debug)]
pub struct Funnel(Vec<String>);

impl Funnel {
    /// A funnel in `dimensions` dimensions, `v` among them.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] unless there are 2 to 10,000.
    pub fn new(dimensions: usize) -> Result<Self> {
        if !(2..=DIMENSIONS_MAX).contains(&dimensions) {
            let expected = format!("2 to {DIMENSIONS_MAX}");
            return Err(Error::invalid("dimensions", dimensions, &expected));
        }
        Ok(Self([String::from("v")].into_iter().chain(indexed("x", dimensions - 1)).collect()))
    }
}

fn funnel(options: &ModelOptions, _: &Table) -> Result<Box<dyn Model>> {
    Ok(Box::new(Funnel::new(options.dimensions.unwrap_or(FUNNEL_DIMENSIONS))?))
}

impl Model for Funnel {
    fn dimensions(&self) -> usize {
        self.0.len()
    }

    fn names(&self) -> &[String] {
        &self.0
    }

    fn log_density(&self, x: &[f64], gradient: &mut [f64], _: &mut Room) -> Result<f64> {
        let (v, rest) = (x[0], &x[1..]);
        let precision = exp(-v);
        let squares: f64 = rest.iter().map(|x| x * x).sum();
        for (slope, x) in gradient[1..].iter_mut().zip(rest) {
            *slope = -precision * x;
        }
        let count = rest.len() as f64;
        gradient[0] = 0.5 * (precision * squares - count) - v / 9.0;
        Ok(-0.5 * (precision * squares + count * v) - v * v / 18.0)
    }

    fn value(&self, x: &[f64], _: &mut Room) -> Result<f64> {
        let (v, rest) = (x[0], &x[1..]);
        let squares: f64 = rest.iter().map(|x| x * x).sum();
        Ok(-0.5 * (exp(-v) * squares + rest.len() as f64 * v) - v * v / 18.0)
    }

    fn report(&self, x: &[f64], out: &mut [f64], _: &mut Room) -> Result<()> {
        out.copy_from_slice(x);
        Ok(())
    }

    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()> {
        place_reals(&self.0, parameters, x)
    }
}
