//! A user's function of points: the integrand of `integrate`.

use super::{Code, Inner, table};
use numpy::ToPyArray;
use numpy::ndarray::Array2;
use pyo3::prelude::*;
use std::cell::Cell;
use std::sync::Arc;
use windfall::Result;
use windfall::stats::integrate::{Integrand, interleave};

/// Points for one call of a vectorised integrand.
const POINTS_PER_CALL: usize = 4096;

thread_local! {
    /// The points of a call, kept for the next: clearing new room cost some 5 % of a small
    /// integrand. Taken while in use, so that an integrand may integrate.
    static ROOM: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
}

/// A function of points: `x` of shape `(d,)`, or `(d, m)` if it is vectorised; it returns one value
/// a point, or `(k,)` and `(k, m)` for `k` of them.
pub(super) struct PointFunction(pub Arc<Inner>);

impl Integrand for PointFunction {
    fn outputs(&self) -> usize {
        self.0.outputs
    }

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
            let mut points = ROOM.take();
            points.resize(dimensions * out.len(), 0.0);
            interleave(columns, &mut points);
            self.0.call(&mut points, dimensions, out);
            ROOM.set(points);
            return Ok(());
        };
        let outputs = self.0.outputs;
        let rows = out.len() / outputs;
        let points = Array2::from_shape_fn((columns.len(), rows), |(d, row)| columns[d][row]);
        let values = self.0.python(|py| {
            if *vectorised {
                let values = function.bind(py).call1((points.to_pyarray(py),))?;
                return table(&values, outputs, rows);
            }
            let mut values = vec![0.0; outputs * rows];
            for (row, point) in points.columns().into_iter().enumerate() {
                let value = function.bind(py).call1((point.to_pyarray(py),))?;
                let own = match outputs {
                    1 => vec![value.extract::<f64>()?],
                    several => table(&value, 1, several)?,
                };
                own.iter().enumerate().for_each(|(output, x)| values[output * rows + row] = *x);
            }
            Ok(values)
        })?;
        out.copy_from_slice(&values);
        Ok(())
    }
}
