//! A user's function of samples: a statistic, or a test that gives its p-value.

use super::{Code, Inner, numbers};
use numpy::ndarray::ArrayView2;
use numpy::{IntoPyArray, ToPyArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::Arc;
use windfall::Result;
use windfall::stats::statistic::{Resamples, UserStatistic};

/// Resamples for one call of a vectorised statistic.
const BATCH: usize = 128;

/// A function of samples: one array a column, or batches of them with `axis=-1`.
pub(super) struct SampleFunction(pub Arc<Inner>);

impl UserStatistic for SampleFunction {
    fn batch(&self) -> usize {
        match self.0.code {
            Code::Python(_, true) => BATCH,
            _ => 1,
        }
    }

    fn evaluate(&self, resamples: &Resamples<'_>, out: &mut [f64]) -> Result<()> {
        let Code::Python(function, vectorised) = &self.0.code else {
            let mut values = Vec::new();
            for (resample, out) in out.iter_mut().enumerate() {
                values.clear();
                resamples.of(resample).for_each(|column| values.extend_from_slice(column));
                let width = values.len();
                self.0.call(&mut values, width, std::slice::from_mut(out));
            }
            return Ok(());
        };
        let count = resamples.count();
        let values = self.0.python(|py| {
            let function = function.bind(py);
            if *vectorised {
                let blocks = (0..resamples.columns()).map(|column| {
                    let block = resamples.block(column);
                    let shape = (count, block.len() / count);
                    let view = ArrayView2::from_shape(shape, block);
                    view.map(|view| view.to_pyarray(py))
                        .map_err(|e| PyValueError::new_err(e.to_string()))
                });
                let blocks = PyTuple::new(py, blocks.collect::<PyResult<Vec<_>>>()?)?;
                let axis = PyDict::new(py);
                axis.set_item("axis", -1)?;
                return numbers(&function.call(blocks, Some(&axis))?, count);
            }
            let each = |resample| {
                let columns = resamples.of(resample).map(|column| column.to_vec().into_pyarray(py));
                function.call1(PyTuple::new(py, columns.collect::<Vec<_>>())?)?.extract::<f64>()
            };
            (0..count).map(each).collect()
        })?;
        out.copy_from_slice(&values);
        Ok(())
    }
}
