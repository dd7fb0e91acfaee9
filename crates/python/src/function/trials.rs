//! A user's own power analysis: data made and tested, one simulation a call, or samples tested.

use super::samples::SampleFunction;
use super::{Code, Inner};
use crate::bits::StreamBits;
use pyo3::prelude::*;
use std::sync::Arc;
use windfall::stats::power::{Point, Power, UserTest};
use windfall::stats::sample_size::SampleSize;
use windfall::{Error, JobSpec, Problem, Result, Stream, read_options};

/// The key that says whether the function draws its data; it is for this door alone.
const DRAWS: &str = "draws_data";

/// A function of a NumPy generator, a sample size and an effect or none that returns a p-value.
struct TrialFunction(Arc<Inner>);

impl UserTest for TrialFunction {
    fn p_value(&self, point: Point, stream: &mut Stream) -> Result<f64> {
        let Code::Python(function, _) = &self.0.code else {
            let expected = "a Python function, as the data come from one";
            return Err(Error::invalid("test", "compiled code", expected));
        };
        self.0.python(|py| {
            let bits = Bound::new(py, StreamBits::of(py, stream.clone())?)?;
            let generator = py.import("numpy.random")?.getattr("Generator")?.call1((&bits,))?;
            function.bind(py).call1((generator, point.n, point.effect))?.extract()
        })
    }

    fn is_cheap(&self) -> bool {
        false
    }
}

/// The power, or the sample size, of such a function or of a function of samples.
pub(super) fn problem(code: &Arc<Inner>, spec: &JobSpec) -> Result<Box<dyn Problem>> {
    let mut options = spec.options.clone();
    let draws = options.shift_remove(DRAWS).is_some();
    let seed = spec.seed_or_fresh()?;
    let whole = || TrialFunction(code.clone());
    let of_samples = || SampleFunction(code.clone());
    Ok(match (spec.problem == "power", draws) {
        (true, true) => {
            let problem = Power::with_test(whole(), read_options(&options)?, seed)?;
            Box::new(problem.described_by(spec))
        }
        (true, false) => {
            let options = read_options(&options)?;
            Box::new(Power::with_test_of_samples(of_samples(), options, seed)?.described_by(spec))
        }
        (false, true) => {
            let problem = SampleSize::with_test(whole(), read_options(&options)?, seed)?;
            Box::new(problem.described_by(spec))
        }
        (false, false) => {
            let options = read_options(&options)?;
            let problem = SampleSize::with_test_of_samples(of_samples(), options, seed)?;
            Box::new(problem.described_by(spec))
        }
    })
}
