//! The statistic of all rows but those of one unit, for many units at once.

use super::{Scratch, Statistic};
use windfall_expr::Workspace;

impl Statistic {
    /// Writes the quantities without each unit to `out`, quantity by quantity.
    ///
    /// The statistic must have been bound with varying counts, so that its formulas see how many
    /// rows are left.
    ///
    /// # Cost
    /// Sums lose the unit's rows in constant time; so do quantiles, for units of one row. Other
    /// parts take one pass over all rows for each unit.
    pub fn without_units<'u>(
        &self,
        units: impl ExactSizeIterator<Item = &'u [u32]> + Clone,
        room: &mut Room,
        out: &mut [f64],
    ) {
        let count = units.len();
        room.inputs.clear();
        room.inputs.resize(self.inputs() * count, 0.0);
        room.weights.resize(self.rows, 1.0);
        let inputs = room.inputs.chunks_exact_mut(count);
        for ((column, &total), inputs) in self.sums.iter().zip(&self.totals).zip(inputs) {
            for (input, rows) in inputs.iter_mut().zip(units.clone()) {
                *input = rows.iter().fold(total, |rest, &row| rest - column[row as usize]);
            }
        }
        let parts = room.inputs[self.sums.len() * count..].chunks_exact_mut(count);
        for (part, inputs) in self.parts.iter().zip(parts) {
            for (input, rows) in inputs.iter_mut().zip(units.clone()) {
                let short = if let [row] = rows { part.without(*row as usize) } else { None };
                *input = short.unwrap_or_else(|| {
                    rows.iter().for_each(|&row| room.weights[row as usize] = 0.0);
                    let value = part.evaluate(&room.weights, &mut room.scratch);
                    rows.iter().for_each(|&row| room.weights[row as usize] = 1.0);
                    value
                });
            }
        }
        self.finish.evaluate(&room.inputs, out, &mut room.workspace);
    }

    /// Whether leaving a unit of one row out takes constant time.
    pub fn leaves_fast(&self) -> bool {
        self.parts.iter().all(|part| part.without(0).is_some())
    }
}

/// Room that [`Statistic::without_units`] works in.
#[derive(Debug, Default)]
pub(crate) struct Room {
    inputs: Vec<f64>,
    weights: Vec<f64>,
    scratch: Scratch,
    workspace: Workspace,
}
