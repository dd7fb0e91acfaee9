//! A user's function of points: the integrand of `integrate`.

use super::{Code, Inner, numbers};
use numpy::ToPyArray;
use numpy::ndarray::{Array2, ArrayView1};
use pyo3::prelude::*;
use std::sync::Arc;
use windfall::Result;
use windfall::stats::integrate::{Integrand, interleave};

/// Points for one call of a vectorised integrand.
const POINTS_PER_CALL: usize = 4096;

/// A function of points: `x` of shape `(d,)`, or `(d, m)` if it is vectorised.
pub(super) struct PointFunction(pub Arc<Inner>);

impl Integrand for PointFunction {
    fn is_cheap(&self) -> bool {
        !matches!(self.0.code, Code::Python(..))
    }

    fn points_per_call(&self) -> usize {
        match self.0.code {
            Code::Python(_, true) => POINTS_PER_CALL,
            _ => 512,
        }
    }

    fn evaluate(&self, columns: &[&[f64]], out: &mut [f64]) -> Result<()> {
        let Code::Python(function, vectorised) = &self.0.code else {
            let dimensions = columns.len();
            let mut points = vec![0.0; dimensions * out.len()];
            interleave(columns, &mut points);
            self.0.call(&mut points, dimensions, out);
            return Ok(());
        };
        let rows = out.len();
        let points = Array2::from_shape_fn((columns.len(), rows), |(d, row)| columns[d][row]);
        let values = self.0.python(|py| {
            if *vectorised {
                return numbers(&function.bind(py).call1((points.to_pyarray(py),))?, rows);
            }
            let each = |point: ArrayView1<'_, f64>| {
                function.bind(py).call1((point.to_pyarray(py),))?.extract::<f64>()
            };
            points.columns().into_iter().map(each).collect()
        })?;
        out.copy_from_slice(&values);
        Ok(())
    }
}
