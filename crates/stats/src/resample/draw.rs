//! One resample of a design, as weights or as row numbers.

use super::design::Design;
use windfall_core::Result;
use windfall_streams::Stream;

impl Design {
    /// Draws one resample as weights in row order: how often each row is drawn, or for the
    /// Bayesian law weights whose mean over each stratum's units is 1.
    ///
    /// All rows of a cluster get its weight.
    ///
    /// # Cost
    /// About 0.25 ns a row for plain rows, 1 to 2 ns for other designs.
    ///
    /// # Panics
    /// If `weights` is not as long as there are rows.
    pub fn draw_weights(&self, stream: &mut Stream, weights: &mut [f64]) {
        assert_eq!(weights.len(), self.rows, "a weight for each row");
        let in_place = self.is_in_place();
        let mut apart = vec![0.0; if in_place { 0 } else { self.units() }];
        let units = if in_place { &mut *weights } else { &mut apart };
        for stratum in &self.strata {
            stratum.law.draw(stream, &mut units[stratum.units.clone()]);
        }
        for (unit, &weight) in apart.iter().enumerate() {
            self.rows_of(unit).for_each(|row| weights[row] = weight);
        }
    }

    /// Draws one resample as row numbers, in the order of drawing: stratum by stratum, the rows
    /// of a cluster or a block together.
    ///
    /// `rows` is emptied first. The law is that of [`Design::draw_weights`]; the resample that a
    /// given stream yields is another.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for the Bayesian law, whose weights are no counts.
    pub fn draw_rows(&self, stream: &mut Stream, rows: &mut Vec<u32>) -> Result<()> {
        rows.clear();
        for stratum in &self.strata {
            let start = rows.len();
            let first = stratum.units.start;
            if self.edges.is_some() {
                let mut units = Vec::with_capacity(stratum.units.len());
                stratum.law.draw_units(stream, stratum.units.len() as u32, &mut units)?;
                let rows_of = |unit| self.rows_of(first + unit as usize).map(|row| row as u32);
                rows.extend(units.into_iter().flat_map(rows_of));
                continue;
            }
            stratum.law.draw_units(stream, stratum.units.len() as u32, rows)?;
            if first > 0 || self.order.is_some() {
                let row = |unit: u32| self.row(first + unit as usize) as u32;
                rows[start..].iter_mut().for_each(|unit| *unit = row(*unit));
            }
        }
        Ok(())
    }
}
