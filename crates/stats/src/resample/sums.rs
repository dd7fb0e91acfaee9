//! Sums over resamples: the whole work of every statistic that is a function of moments.

use super::abreast::{ABREAST_UNITS, Abreast};
use super::column::Column;
use super::counted::{Counted, together};
use super::design::{Design, Stratum};
use super::law::Law;
use super::packed::{PACKED_UNITS, Packed};
use windfall_lanes::dispatch;
use windfall_streams::Stream;

/// Resamples of few units that make up for making ready to draw them.
const PACKED_AT_LEAST: usize = 48;

/// How many resamples of so many units are best drawn at once, or a multiple.
pub(crate) fn at_once(units: usize) -> usize {
    match units {
        ABREAST_UNITS..=PACKED_UNITS => PACKED_AT_LEAST,
        _ => together(units),
    }
}

/// Weighted sums `sum_i w_i z_ki` of columns `z_k` over resamples of a design.
///
/// Rows are first summed within their cluster, and each stratum is drawn apart: what is left is
/// the plain problem of units drawn with replacement. Fewer than 160 units go eight resamples
/// abreast, more by counts in the order of memory, up to 1,024 those of eight resamples at once.
/// Give centred columns: sums are as accurate as their values are small. Where
/// [`Design::keeps_total`] is false, a column of ones tells how many rows a resample holds.
///
/// ```
/// use windfall_stats::resample::{Design, Sums};
/// use windfall_streams::{Seed, Streams};
///
/// let x = [-2.0, -1.0, 0.0, 1.0, 2.0];
/// let design = Design::rows(x.len())?;
/// let sums = Sums::new(&[&x, &[1.0; 5]], &design);
/// let mut stream = Streams::new(Seed::from(1_u64), "example").task(0);
/// let mut out = [0.0; 2 * 3];
/// sums.draw(&mut stream, 3, &mut out);
/// assert_eq!(out[3..], [5.0; 3]);
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Sums {
    parts: Vec<Part>,
}

/// What is drawn together.
#[derive(Debug)]
struct Part {
    law: Law,
    /// Each column by unit: a row's value, or a cluster's total, in the design's order.
    columns: Vec<Column>,
}

impl Sums {
    /// Sums of these columns over resamples of `design`.
    ///
    /// # Cost
    /// A copy of each column.
    ///
    /// # Panics
    /// If a column is not as long as the design has rows.
    pub fn new(columns: &[&[f64]], design: &Design) -> Self {
        let part = |stratum: &Stratum| {
            let by_unit = |column: &&[f64]| {
                assert_eq!(column.len(), design.rows, "a value for each row");
                let total = |unit| design.rows_of(unit).map(|row| column[row]).sum();
                match design.is_in_place() {
                    true => column[stratum.units.clone()].iter().copied().collect(),
                    false => stratum.units.clone().map(total).collect(),
                }
            };
            Part { law: stratum.law.clone(), columns: columns.iter().map(by_unit).collect() }
        };
        Self { parts: design.strata.iter().map(part).collect() }
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.parts[0].columns.len()
    }

    /// Draws `resamples` resamples and writes their sums, column by column: that of column `k`
    /// over resample `r` lies at `k * resamples + r`.
    ///
    /// # Cost
    /// Per row and resample of a thousand rows and more with AVX2: 0.3 to 0.4 ns for one column,
    /// 0.9 ns for the five of a correlation; of fifteen rows 1.5 ns for those five.
    /// Blocks and Bayesian weights: 1 to 2 ns. Clusters count as rows.
    ///
    /// # Panics
    /// If `out` does not hold `resamples` values for each column.
    pub fn draw(&self, stream: &mut Stream, resamples: usize, out: &mut [f64]) {
        assert_eq!(out.len(), self.columns() * resamples, "a sum for each resample");
        out.fill(0.0);
        if resamples == 0 || self.columns() == 0 {
            return;
        }
        for Part { law, columns } in &self.parts {
            let units = columns[0].values().len();
            match law {
                Law::Multinomial(_) if units < ABREAST_UNITS => {
                    dispatch(Abreast { columns, stream, resamples, out });
                }
                Law::Multinomial(counts) if units <= PACKED_UNITS => {
                    dispatch(Packed { columns, counts, stream, resamples, out });
                }
                Law::Multinomial(counts) => {
                    dispatch(Counted { columns, counts, stream, resamples, out });
                }
                law => draw_weighted(law, columns, stream, out),
            }
        }
    }
}

/// Draws weights and takes products: for laws other than the multinomial.
fn draw_weighted(law: &Law, columns: &[Column], stream: &mut Stream, out: &mut [f64]) {
    let mut weights = vec![0.0; columns[0].values().len()];
    let resamples = out.len() / columns.len();
    for r in 0..resamples {
        law.draw(stream, &mut weights);
        for (k, column) in columns.iter().enumerate() {
            out[k * resamples + r] += windfall_lanes::dot(&weights, column.values());
        }
    }
}
