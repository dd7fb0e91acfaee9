//! From sums and parts to quantities, for many resamples at once.

use super::coefficients::Coefficients;
use std::ops::Range;
use windfall_expr::{Expr, Workspace};

/// What to make of sums and parts.
#[derive(Debug)]
pub(crate) enum Finish {
    /// Formulas over aggregates, which are expressions over the inputs.
    Formulas {
        /// The aggregates over sums and parts.
        aggregates: Vec<Expr>,
        /// Each quantity as an expression over a run of the aggregates.
        quantities: Vec<(Expr, Range<usize>)>,
    },
    /// The coefficients of a regression.
    Coefficients(Coefficients),
}

impl Finish {
    /// Writes the quantities of each resample to `out`, quantity by quantity.
    ///
    /// # Shapes
    /// `inputs`: sums, then parts, `resamples` values each, one after the other; `out`: as many
    /// for each quantity.
    pub fn evaluate(&self, inputs: &[f64], out: &mut [f64], workspace: &mut Workspace) {
        match self {
            Self::Formulas { aggregates, quantities } => {
                let resamples = out.len() / quantities.len();
                let inputs: Vec<&[f64]> = inputs.chunks_exact(resamples).collect();
                let mut values = vec![0.0; aggregates.len() * resamples];
                for (expr, out) in aggregates.iter().zip(values.chunks_exact_mut(resamples)) {
                    expr.evaluate(&inputs, out, workspace);
                }
                let values: Vec<&[f64]> = values.chunks_exact(resamples).collect();
                for ((expr, run), out) in quantities.iter().zip(out.chunks_exact_mut(resamples)) {
                    expr.evaluate(&values[run.clone()], out, workspace);
                }
            }
            Self::Coefficients(coefficients) => {
                let resamples = out.len() / coefficients.names().len();
                let inputs: Vec<&[f64]> = inputs.chunks_exact(resamples).collect();
                coefficients.evaluate(&inputs, out, workspace);
            }
        }
    }
}
