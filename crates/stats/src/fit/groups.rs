//! Find the groups of a table: rows that agree in some columns, in order of first appearance.

use std::collections::HashMap;
use std::hash::Hash;
use windfall_core::{Column, Labels, Numbers, Result, Table};

/// The rows of each group, one group after the other.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// The rows in order of their groups; none if they stand so in the table.
    pub order: Option<Vec<u32>>,
    /// Where each group begins in that order, and the end of the last.
    pub edges: Vec<usize>,
    /// The columns that tell the groups apart, one row a group.
    pub keys: Vec<(String, Column)>,
}

impl Groups {
    /// The groups of `table` by `columns`; a single one if there are none.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Unknown`] for a missing column.
    pub fn new(table: &Table, columns: &[String]) -> Result<Self> {
        let rows = table.rows();
        let mut codes: Option<Vec<u32>> = None;
        for name in columns {
            let own = match table.column(name)? {
                Column::Labels(labels) => labels.codes().to_vec(),
                Column::Numbers(numbers) => codes_of(numbers.as_slice().iter().map(|x| bits(*x))),
            };
            codes = Some(match codes {
                None => codes_of(own.into_iter()),
                Some(before) => codes_of(before.into_iter().zip(own)),
            });
        }
        let Some(codes) = codes else {
            return Ok(Self { order: None, edges: vec![0, rows], keys: Vec::new() });
        };
        let count = codes.iter().max().map_or(0, |&last| last as usize + 1);
        let mut edges = vec![0; count + 1];
        codes.iter().for_each(|&code| edges[code as usize + 1] += 1);
        (0..count).for_each(|group| edges[group + 1] += edges[group]);
        let order = (!codes.is_sorted()).then(|| {
            let (mut next, mut order) = (edges.clone(), vec![0; rows]);
            for (row, &code) in codes.iter().enumerate() {
                order[next[code as usize]] = row as u32;
                next[code as usize] += 1;
            }
            order
        });
        let first =
            |group: usize| order.as_ref().map_or(edges[group], |o| o[edges[group]] as usize);
        let firsts: Vec<usize> = (0..count).map(first).collect();
        let key = |name: &String| Ok((name.clone(), rows_of(table.column(name)?, &firsts)));
        let keys = columns.iter().map(key).collect::<Result<_>>()?;
        Ok(Self { order, edges, keys })
    }
}

/// Bits that are equal for equal numbers, and for all that are missing.
fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { (x + 0.0).to_bits() }
}

/// A code for each value, in order of first appearance; runs of equal values cost one look-up.
fn codes_of<T: Copy + Eq + Hash>(values: impl Iterator<Item = T>) -> Vec<u32> {
    let (mut known, mut last) = (HashMap::new(), None);
    let code = |value: T| match last {
        Some((before, code)) if before == value => code,
        _ => {
            let next = known.len() as u32;
            let code = *known.entry(value).or_insert(next);
            last = Some((value, code));
            code
        }
    };
    values.map(code).collect()
}

/// Some rows of a column.
pub(super) fn rows_of(column: &Column, rows: &[usize]) -> Column {
    match column {
        Column::Numbers(numbers) => {
            let values = numbers.as_slice();
            Column::Numbers(Numbers::from(rows.iter().map(|&row| values[row]).collect::<Vec<_>>()))
        }
        Column::Labels(labels) => {
            Column::Labels(Labels::new(rows.iter().map(|&row| labels.get(row))))
        }
    }
}
