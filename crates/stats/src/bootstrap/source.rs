//! From a stream to the quantities of resamples, by the cheapest way that is exact.
//!
//! | way | when | a resample costs |
//! |---|---|---|
//! | order law | quantiles of independent plain samples, one each | a few nanoseconds |
//! | sums | functions of moments, any design | a fused multiply-add a row and column |
//! | weights | trimmed means, MAD, Spearman, mixtures | a pass or two over the rows |
//! | rows | a user's function | a gather, and the function |
//!
//! All four have the same law; a test holds them to it.

use super::errors::{Delta, Nested};
use crate::resample::{Design, OrderLaw, Sums};
use crate::statistic::{Gathered, OrderStatistic, Scratch, Statistic};
use windfall_core::{Result, Stream};
use windfall_expr::Workspace;

/// A way to draw quantities of resamples.
pub(crate) enum Source<'a> {
    /// Each part is a quantile of a plain sample of its own.
    Order(&'a Statistic, &'a [OrderLaw]),
    /// Sums of columns; with the error of each replicate if there is a method for it.
    Sums(&'a Statistic, &'a Sums, Option<&'a Delta>),
    /// Weights of rows.
    Weights(&'a Statistic, &'a Design),
    /// Rows, for a user's function.
    Rows(Rows<'a>),
    /// Resamples of resamples.
    Nested(Nested<'a>),
}

/// Room that a shard works in.
#[derive(Debug, Default)]
pub(crate) struct Room {
    pub inputs: Vec<f64>,
    pub weights: Vec<f64>,
    pub one: Vec<f64>,
    pub rows: Vec<u32>,
    pub inner_rows: Vec<u32>,
    pub columns: Vec<Vec<f64>>,
    pub values: Vec<f64>,
    pub scratch: Scratch,
    pub workspace: Workspace,
}

impl<'a> Source<'a> {
    /// The number of values of a resample.
    pub fn columns(&self) -> usize {
        match self {
            Self::Order(statistic, _) | Self::Weights(statistic, _) => statistic.quantities(),
            Self::Sums(statistic, _, delta) => {
                statistic.quantities() * (1 + usize::from(delta.is_some()))
            }
            Self::Rows(rows) => rows.gathered.names().len(),
            Self::Nested(nested) => nested.columns(),
        }
    }

    /// The quantities of the data by the same arithmetic as those of resamples, where that
    /// arithmetic is not the statistic's own: ties with the estimate must be exact.
    pub fn estimates(&self) -> Option<Vec<f64>> {
        let Self::Order(statistic, laws) = self else { return None };
        let samples = order_statistics(statistic)?;
        let inputs: Vec<f64> =
            laws.iter().zip(samples).map(|(law, sample)| law.of(sample.sorted)).collect();
        let mut out = vec![0.0; statistic.quantities()];
        statistic.finish.evaluate(&inputs, &mut out, &mut Workspace::new());
        Some(out)
    }

    /// What the user should know of the way.
    pub fn note(&self) -> Option<String> {
        match self {
            Self::Order(..) => Some(
                "exact short cut: quantiles of resamples are drawn from their exact law, \
                 without resampling"
                    .into(),
            ),
            _ => None,
        }
    }

    /// Draws `count` resamples and writes their values to `out`, column by column.
    ///
    /// # Errors
    /// What a user's function reports.
    pub fn draw(
        &self,
        stream: &mut Stream,
        count: usize,
        room: &mut Room,
        out: &mut [f64],
    ) -> Result<()> {
        match self {
            Self::Order(statistic, laws) => {
                room.inputs.resize(laws.len() * count, 0.0);
                let inputs = room.inputs.chunks_mut(count);
                for ((law, part), inputs) in laws.iter().zip(&statistic.parts).zip(inputs) {
                    if let Some(sample) = part.order_statistic() {
                        law.draw(stream, sample.sorted, inputs);
                    }
                }
                statistic.finish.evaluate(&room.inputs, out, &mut room.workspace);
            }
            Self::Sums(statistic, sums, delta) => {
                room.inputs.resize(sums.columns() * count, 0.0);
                sums.draw(stream, count, &mut room.inputs);
                let (values, errors) = out.split_at_mut(statistic.quantities() * count);
                let inputs = &room.inputs[..statistic.inputs() * count];
                statistic.finish.evaluate(inputs, values, &mut room.workspace);
                if let Some(delta) = delta {
                    delta.evaluate(statistic, &room.inputs, errors, &mut room.workspace);
                }
            }
            Self::Weights(statistic, design) => {
                room.weights.resize(design.len(), 0.0);
                room.inputs.resize(statistic.inputs() * count, 0.0);
                room.one.resize(statistic.inputs(), 0.0);
                for resample in 0..count {
                    design.draw_weights(stream, &mut room.weights);
                    statistic.inputs_from_weights(&room.weights, &mut room.scratch, &mut room.one);
                    for (input, &value) in room.one.iter().enumerate() {
                        room.inputs[input * count + resample] = value;
                    }
                }
                statistic.finish.evaluate(&room.inputs, out, &mut room.workspace);
            }
            Self::Rows(rows) => rows.draw(stream, count, room, out)?,
            Self::Nested(nested) => nested.draw(stream, count, room, out)?,
        }
        Ok(())
    }
}

/// The parts of `statistic`, if all are quantiles of independent samples and nothing else is asked.
fn order_statistics(statistic: &Statistic) -> Option<Vec<OrderStatistic<'_>>> {
    let parts: Vec<OrderStatistic<'_>> =
        statistic.parts.iter().map(|part| part.order_statistic()).collect::<Option<_>>()?;
    let apart = |i: usize| parts[..i].iter().all(|old| old.selection != parts[i].selection);
    let independent =
        parts.len() == 1 || (0..parts.len()).all(|i| parts[i].selection.is_some() && apart(i));
    (!parts.is_empty() && statistic.sums.is_empty() && independent).then_some(parts)
}

/// The exact law of each part of `statistic`, if all are quantiles of independent samples.
///
/// Each label's rows, or all rows, must be resampled plainly.
///
/// # Errors
/// As [`OrderLaw::quantile`].
pub(crate) fn laws(statistic: &Statistic) -> Result<Option<Vec<OrderLaw>>> {
    let law = |part: OrderStatistic<'_>| OrderLaw::quantile(part.sorted.len(), part.level);
    order_statistics(statistic).map(|parts| parts.into_iter().map(law).collect()).transpose()
}

/// Gathered rows for a user's function.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub gathered: &'a Gathered,
    pub design: &'a Design,
    /// Resamples that the function sees at once.
    pub batch: usize,
}

impl Rows<'_> {
    /// Draws `count` resamples in batches and hands their rows to the function.
    fn draw(
        &self,
        stream: &mut Stream,
        count: usize,
        room: &mut Room,
        out: &mut [f64],
    ) -> Result<()> {
        if room.columns.is_empty() {
            room.columns = self.gathered.room();
        }
        for first in (0..count).step_by(self.batch) {
            let together = self.batch.min(count - first);
            for _ in 0..together {
                self.design.draw_rows(stream, &mut room.rows)?;
                self.gathered.gather(&room.rows, &mut room.columns);
            }
            room.values.resize(out.len() / count * together, 0.0);
            self.gathered.evaluate(&mut room.columns, together, &mut room.values)?;
            for (quantity, values) in room.values.chunks(together).enumerate() {
                out[quantity * count + first..][..together].copy_from_slice(values);
            }
        }
        Ok(())
    }
}
