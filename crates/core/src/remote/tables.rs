//! What a job reads as bytes: a description as JSON, then columns, each from a cache line on, code,
//! and what earlier rounds have found.

use super::Given;
use crate::{Column, Error, Labels, Numbers, Result, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use zerocopy::FromBytes;

/// Tables by the names under which a job asks for them.
pub type Tables = BTreeMap<String, Table>;

/// Bytes that somebody keeps in memory and nobody writes to: a vector, a mapping.
pub type Held = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Columns begin at multiples of this, in bytes: a cache line.
const ALIGN: usize = 64;

#[derive(Debug, Deserialize, Serialize)]
struct Head {
    tables: Vec<Description>,
    /// Where the code lies, after all columns, and how many bytes it has; the same of what earlier
    /// rounds have found.
    code: Option<(usize, usize)>,
    learnt: Option<(usize, usize)>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Description {
    path: String,
    columns: Vec<(String, Place)>,
}

/// Where a column lies: from which byte after the description on, and how many rows.
#[derive(Debug, Deserialize, Serialize)]
enum Place {
    Numbers {
        start: usize,
        rows: usize,
    },
    /// Codes of four bytes, and what they mean.
    Labels {
        start: usize,
        rows: usize,
        names: Vec<String>,
    },
}

/// Writes down all that a job is given.
///
/// # Cost
/// One copy of the columns.
pub fn pack(given: &Given) -> Vec<u8> {
    let Given { tables, code, learnt } = given;
    let mut end = 0;
    let mut place = |nbytes: usize| {
        let start = end;
        end += nbytes.next_multiple_of(ALIGN);
        start
    };
    let mut describe = |column: &Column| match column {
        Column::Numbers(numbers) => {
            let rows = numbers.as_slice().len();
            Place::Numbers { start: place(8 * rows), rows }
        }
        Column::Labels(labels) => {
            let (rows, names) = (labels.codes().len(), labels.names().to_vec());
            Place::Labels { start: place(4 * rows), rows, names }
        }
    };
    let described = tables.iter().map(|(path, table)| {
        let columns = table.columns().map(|(name, column)| (name.to_owned(), describe(column)));
        Description { path: path.clone(), columns: columns.collect() }
    });
    let tables = described.collect();
    let mut lies =
        |bytes: &Option<Arc<[u8]>>| bytes.as_ref().map(|bytes| (place(bytes.len()), bytes.len()));
    let head = Head { tables, code: lies(code), learnt: lies(learnt) };
    let json = serde_json::to_vec(&head).expect("plain values");
    let mut bytes = Vec::with_capacity((8 + json.len()).next_multiple_of(ALIGN) + end);
    bytes.extend((json.len() as u64).to_le_bytes());
    bytes.extend(json);
    for (_, column) in given.tables.values().flat_map(Table::columns) {
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
        match column {
            Column::Numbers(numbers) => append(&mut bytes, numbers.as_slice(), f64::to_le_bytes),
            Column::Labels(labels) => append(&mut bytes, labels.codes(), u32::to_le_bytes),
        }
    }
    for part in [code, learnt].into_iter().flatten() {
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
        bytes.extend_from_slice(part);
    }
    bytes
}

fn append<T: Copy, const N: usize>(bytes: &mut Vec<u8>, values: &[T], write: fn(T) -> [u8; N]) {
    let start = bytes.len();
    bytes.resize(start + N * values.len(), 0);
    for (to, value) in bytes[start..].chunks_exact_mut(N).zip(values) {
        to.copy_from_slice(&write(*value));
    }
}

/// Reads what [`pack`] wrote. Numbers stay where they are, if they lie at multiples of eight.
///
/// # Errors
/// [`crate::ErrorKind::Wire`] if the bytes are others.
pub fn unpack(held: &Held) -> Result<Given> {
    let broken = |error: &dyn std::fmt::Display| Error::wire(format!("tables: {error}"));
    let bytes = (**held).as_ref();
    let (head, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| broken(&"too short"))?;
    let length = usize::try_from(u64::from_le_bytes(*head)).map_err(|error| broken(&error))?;
    let json = rest.get(..length).ok_or_else(|| broken(&"too short"))?;
    let head: Head = serde_json::from_slice(json).map_err(|error| broken(&error))?;
    let first = (8 + length).next_multiple_of(ALIGN);
    let range = |start: usize, rows: usize, width: usize| {
        let start = start.checked_add(first)?;
        let range = start..start.checked_add(rows.checked_mul(width)?)?;
        (range.end <= bytes.len()).then_some(range)
    };
    let column = |place: Place| -> Result<Column> {
        match place {
            Place::Numbers { start, rows } => {
                let range = range(start, rows, 8).ok_or_else(|| broken(&"too short"))?;
                Ok(Column::Numbers(numbers(held, range)))
            }
            Place::Labels { start, rows, names } => {
                let range = range(start, rows, 4).ok_or_else(|| broken(&"too short"))?;
                let (codes, _) = bytes[range].as_chunks::<4>();
                let codes: Vec<u32> = codes.iter().map(|code| u32::from_le_bytes(*code)).collect();
                if codes.iter().any(|code| *code as usize >= names.len()) {
                    return Err(broken(&"a label without a name"));
                }
                Ok(Column::Labels(Labels::coded(codes, &names)))
            }
        }
    };
    let mut tables = Tables::new();
    for Description { path, columns } in head.tables {
        let columns = columns.into_iter().map(|(name, place)| Ok((name, column(place)?)));
        tables.insert(path, Table::new(columns.collect::<Result<_>>()?)?);
    }
    let part = |lies: Option<(usize, usize)>| match lies {
        None => Ok(None),
        Some((start, length)) => {
            let range = range(start, length, 1).ok_or_else(|| broken(&"too short"))?;
            Ok(Some(Arc::from(&bytes[range])))
        }
    };
    Ok(Given { tables, code: part(head.code)?, learnt: part(head.learnt)? })
}

/// The numbers in a range that is there, shared if they can be read in place.
fn numbers(held: &Held, range: Range<usize>) -> Numbers {
    let in_place = InPlace { held: Arc::clone(held), range };
    match in_place.view() {
        Some(_) => Numbers::shared(in_place),
        None => {
            let (words, _) = in_place.bytes().as_chunks::<8>();
            words.iter().map(|word| f64::from_le_bytes(*word)).collect::<Vec<_>>().into()
        }
    }
}

/// Numbers among bytes that somebody holds.
struct InPlace {
    held: Held,
    range: Range<usize>,
}

impl InPlace {
    fn bytes(&self) -> &[u8] {
        &(*self.held).as_ref()[self.range.clone()]
    }

    fn view(&self) -> Option<&[f64]> {
        let is_native = cfg!(target_endian = "little");
        is_native.then(|| FromBytes::ref_from_bytes(self.bytes()).ok()).flatten()
    }
}

impl AsRef<[f64]> for InPlace {
    fn as_ref(&self) -> &[f64] {
        self.view().expect("it was looked at before")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: usize) -> Table {
        let labels = Labels::new((0..rows).map(|row| if row % 3 == 0 { "a" } else { "b" }));
        let numbers = (0..rows).map(|row| row as f64 / 7.0).collect::<Vec<_>>();
        Table::new(vec![
            ("side".into(), Column::Labels(labels)),
            ("x".into(), Column::Numbers(numbers.into())),
        ])
        .unwrap()
    }

    fn given(path: &str, rows: usize) -> Given {
        Given { tables: Tables::from([(path.to_owned(), table(rows))]), ..Given::default() }
    }

    /// Bytes that begin anywhere in memory.
    struct Shifted(Vec<u8>, usize);

    impl AsRef<[u8]> for Shifted {
        fn as_ref(&self) -> &[u8] {
            &self.0[self.1..]
        }
    }

    #[test]
    fn tables_come_back_as_they_went_wherever_they_lie() {
        for rows in [0, 1, 5, 1000] {
            let tables =
                Tables::from([("law".to_owned(), table(rows)), ("b".to_owned(), table(3))]);
            let code = (rows > 1).then(|| vec![7; rows].into());
            let learnt = (rows != 5).then(|| vec![8; 3 * rows].into());
            let given = Given { tables, code, learnt };
            let packed = pack(&given);
            for shift in 0..9 {
                let shifted = Shifted([vec![0; shift], packed.clone()].concat(), shift);
                assert_eq!(unpack(&(Arc::new(shifted) as Held)).unwrap(), given);
            }
        }
        let none: Held = Arc::new(pack(&Given::default()));
        assert_eq!(unpack(&none).unwrap(), Given::default());
    }

    #[test]
    fn numbers_are_shared_and_not_copied() {
        let packed: Held = Arc::new(pack(&given("a", 100)));
        let tables = unpack(&packed).unwrap().tables;
        let numbers = tables["a"].numbers("x").unwrap();
        let bytes = (*packed).as_ref().as_ptr_range();
        let is_aligned = bytes.start.addr().is_multiple_of(8);
        assert_eq!(bytes.contains(&numbers.as_ptr().cast()), is_aligned);
    }

    #[test]
    fn bytes_cut_short_are_an_error() {
        let (code, learnt) = (Some([1; 9].into()), Some([2; 7].into()));
        let packed = pack(&Given { code, learnt, ..given("a", 40) });
        for end in 0..packed.len() {
            assert!(unpack(&(Arc::new(packed[..end].to_vec()) as Held)).is_err(), "{end}");
        }
        assert!(unpack(&(Arc::new([255u8; 100]) as Held)).is_err());
    }
}
