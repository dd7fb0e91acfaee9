//! A user's log density: compiled code with or without a gradient, or Python that returns both.

use super::{Code, Inner, numbers};
use numpy::ToPyArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::ffi::c_int;
use std::sync::Arc;
use windfall::Result;
use windfall::stats::sample::model::{LogDensity, Room};

/// A log density of parameters on their own scale.
pub(super) struct DensityFunction(pub Arc<Inner>);

impl LogDensity for DensityFunction {
    fn has_gradient(&self) -> bool {
        match self.0.code {
            Code::Plain(_) | Code::WithData(..) => false,
            Code::Gradient(_) | Code::GradientWithData(..) => true,
            Code::Python(_, with_gradient) => with_gradient,
        }
    }

    fn log_density(
        &self,
        parameters: &[f64],
        gradient: Option<&mut [f64]>,
        room: &mut Room,
    ) -> Result<f64> {
        let n = parameters.len() as c_int;
        let scratch: &mut Vec<f64> = room.hold();
        scratch.clear();
        match self.0.code {
            Code::Plain(_) | Code::WithData(..) => {
                // The protocol lets compiled code write to its point.
                scratch.extend_from_slice(parameters);
                let mut value = [f64::NAN];
                self.0.call(scratch, parameters.len(), &mut value);
                Ok(value[0])
            }
            Code::Gradient(function) => {
                scratch.resize(parameters.len(), 0.0);
                let gradient = gradient.unwrap_or(scratch);
                // SAFETY: both hold `n` numbers for the time of the call, as is promised.
                Ok(unsafe { function(n, parameters.as_ptr(), gradient.as_mut_ptr()) })
            }
            Code::GradientWithData(function, data) => {
                scratch.resize(parameters.len(), 0.0);
                let gradient = gradient.unwrap_or(scratch);
                // SAFETY: as above; `data` is what the callable's maker gave for it.
                Ok(unsafe { function(n, parameters.as_ptr(), gradient.as_mut_ptr(), data) })
            }
            Code::Python(ref function, with_gradient) => {
                let (value, slopes) = self.0.python(|py| {
                    let found = function.bind(py).call1((parameters.to_pyarray(py),))?;
                    if !with_gradient {
                        return Ok((found.extract()?, Vec::new()));
                    }
                    if found.len()? != 2 {
                        let message = format!("it returned `{found}`, not a value and a gradient");
                        return Err(PyValueError::new_err(message));
                    }
                    let value = found.get_item(0)?.extract()?;
                    Ok((value, numbers(&found.get_item(1)?, parameters.len())?))
                })?;
                if let Some(gradient) = gradient {
                    gradient.copy_from_slice(&slopes);
                }
                Ok(value)
            }
        }
    }
}
