//! Tables in a segment: a description as JSON, then the columns, each from a cache line on.

use crate::segment::{ALIGN, Kind, Segment, offsets};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use windfall_core::{Column, Error, Labels, Numbers, Result, Source, Table};

/// Tables by the names under which a job asks for them.
pub(super) type Tables = BTreeMap<String, Table>;

#[derive(Debug, Deserialize, Serialize)]
struct Description {
    path: String,
    columns: Vec<(String, Place)>,
}

#[derive(Debug, Deserialize, Serialize)]
enum Place {
    /// So many numbers from this buffer on.
    Numbers { buffer: usize, rows: usize },
    /// Codes of four bytes, and what they mean.
    Labels { buffer: usize, rows: usize, names: Vec<String> },
}

/// Writes tables into a segment.
pub(super) fn pack(tables: &Tables) -> Result<Segment> {
    let mut columns: Vec<Vec<u8>> = Vec::new();
    let mut place = |bytes: Vec<u8>| {
        columns.push(bytes);
        columns.len()
    };
    let mut describe = |column: &Column| match column {
        Column::Numbers(numbers) => {
            let values = numbers.as_slice();
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            Place::Numbers { buffer: place(bytes), rows: values.len() }
        }
        Column::Labels(labels) => {
            let bytes = labels.codes().iter().flat_map(|code| code.to_le_bytes()).collect();
            let (rows, names) = (labels.codes().len(), labels.names().to_vec());
            Place::Labels { buffer: place(bytes), rows, names }
        }
    };
    let descriptions: Vec<Description> = tables
        .iter()
        .map(|(path, table)| {
            let columns = table.columns().map(|(name, column)| (name.to_owned(), describe(column)));
            Description { path: path.clone(), columns: columns.collect() }
        })
        .collect();
    let json = serde_json::to_vec(&descriptions).expect("plain values can be written");
    let mut head = (json.len() as u64).to_le_bytes().to_vec();
    head.extend(json);
    let mut buffers = vec![&head[..]];
    buffers.extend(columns.iter().map(Vec::as_slice));
    Segment::of(&buffers).map_err(|error| {
        Error::io("shared memory", error).hint("the tables do not fit; see `df /dev/shm`")
    })
}

/// Reads the tables of a segment; numbers stay where they are.
pub(super) fn unpack(segment: &Segment) -> Result<Tables> {
    let broken = |error: &dyn std::fmt::Display| Error::wire(format!("tables: {error}"));
    let mapping = Arc::new(segment.map(Kind::Private).map_err(|error| broken(&error))?);
    let bytes = mapping.bytes().ok_or_else(|| broken(&"a segment that may still change"))?;
    let (head, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| broken(&"too short"))?;
    let length = u64::from_le_bytes(*head) as usize;
    let json = rest.get(..length).ok_or_else(|| broken(&"too short"))?;
    let descriptions: Vec<Description> =
        serde_json::from_slice(json).map_err(|error| broken(&error))?;
    let mut sizes: Vec<(usize, usize)> = vec![(0, 8 + length)];
    let places = descriptions.iter().flat_map(|table| table.columns.iter().map(|(_, place)| place));
    sizes.extend(places.map(|place| match place {
        Place::Numbers { buffer, rows } => (*buffer, 8 * rows),
        Place::Labels { buffer, rows, .. } => (*buffer, 4 * rows),
    }));
    sizes.sort_unstable();
    let (starts, _) = offsets(sizes.iter().map(|(_, size)| *size));
    debug_assert!(starts.iter().all(|start| start % ALIGN == 0));
    let start =
        |buffer: usize| starts.get(buffer).copied().ok_or_else(|| broken(&"no such buffer"));
    let column = |place: &Place| -> Result<Column> {
        match place {
            Place::Numbers { buffer, rows } => {
                let floats = mapping.floats(start(*buffer)?, *rows);
                let floats = floats.ok_or_else(|| broken(&"numbers outside the segment"))?;
                Ok(Column::Numbers(Numbers::shared(floats)))
            }
            Place::Labels { buffer, rows, names } => {
                let at = start(*buffer)?;
                let codes = bytes.get(at..at + 4 * rows).ok_or_else(|| broken(&"too short"))?;
                let (codes, _) = codes.as_chunks::<4>();
                let codes: Vec<u32> = codes.iter().map(|code| u32::from_le_bytes(*code)).collect();
                if codes.iter().any(|code| *code as usize >= names.len()) {
                    return Err(broken(&"a label without a name"));
                }
                Ok(Column::Labels(Labels::coded(codes, names)))
            }
        }
    };
    let mut tables = Tables::new();
    for table in &descriptions {
        let columns = table.columns.iter().map(|(name, place)| Ok((name.clone(), column(place)?)));
        tables.insert(table.path.clone(), Table::new(columns.collect::<Result<_>>()?)?);
    }
    Ok(tables)
}

/// A source that notes which tables were asked for.
pub(super) struct Noting<'a> {
    source: &'a dyn Source,
    seen: Mutex<Tables>,
}

impl<'a> Noting<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self { source, seen: Mutex::default() }
    }

    pub(super) fn into_tables(self) -> Tables {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Noting<'_> {
    fn table(&self, path: &str) -> Result<Table> {
        let table = self.source.table(path)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(path.to_owned(), table.clone());
        Ok(table)
    }
}

/// Tables that came with a task.
pub(super) struct Given(pub Arc<Tables>);

impl Source for Given {
    fn table(&self, path: &str) -> Result<Table> {
        let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        self.0.get(path).cloned().ok_or_else(|| Error::unknown("table", path, &names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back_as_they_went() {
        let table = |rows: usize| {
            let labels = Labels::new((0..rows).map(|row| if row % 3 == 0 { "a" } else { "b" }));
            let numbers = (0..rows).map(|row| row as f64 / 7.0).collect::<Vec<_>>();
            Table::new(vec![
                ("side".into(), Column::Labels(labels)),
                ("x".into(), Column::Numbers(numbers.into())),
            ])
            .unwrap()
        };
        for rows in [0, 1, 5, 1000] {
            let tables =
                Tables::from([("law".to_owned(), table(rows)), ("b".to_owned(), table(3))]);
            let back = unpack(&pack(&tables).unwrap()).unwrap();
            assert_eq!(back, tables);
        }
        assert_eq!(unpack(&pack(&Tables::new()).unwrap()).unwrap(), Tables::new());
        assert!(unpack(&Segment::of(&[&[255; 100]]).unwrap()).is_err());
    }
}
