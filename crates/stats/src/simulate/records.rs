//! The partial of a study: what every method found in every replicate, and what failed.

use super::procedure::{Estimate, FIELDS};
use windfall_core::wire::{Reader, put_f64s, put_u64};
use windfall_core::{Error, Partial, Result};

/// Replicates by task, with the numbers of each method's estimate.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Records {
    /// The tasks, in the order in which they were put.
    pub tasks: Vec<u64>,
    /// `FIELDS` numbers a method, method by method, task by task.
    pub values: Vec<f64>,
    /// Methods without an estimate.
    pub failures: Vec<Failure>,
}

/// A method that yielded nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    pub task: u64,
    pub method: u32,
    pub error: String,
}

impl Records {
    /// Begins a task; one `push` or `fail` a method follows.
    pub fn begin(&mut self, task: u64) {
        self.tasks.push(task);
    }

    /// What the next method found.
    pub fn push(&mut self, found: Estimate) {
        self.values.extend(found.numbers());
    }

    /// The next method found nothing.
    pub fn fail(&mut self, task: u64, method: usize, error: String) {
        self.values.extend([f64::NAN; FIELDS]);
        self.failures.push(Failure { task, method: method as u32, error });
    }

    /// The numbers of a method in the task at `place`.
    pub fn at(&self, place: usize, methods: usize, method: usize) -> &[f64; FIELDS] {
        let start = (place * methods + method) * FIELDS;
        self.values[start..].first_chunk().expect("each task has its numbers")
    }

    /// The same records in the order of their tasks.
    pub fn sorted(self, methods: usize) -> Self {
        let mut failures = self.failures;
        failures.sort();
        if self.tasks.is_sorted() {
            return Self { failures, ..self };
        }
        let mut order: Vec<usize> = (0..self.tasks.len()).collect();
        order.sort_by_key(|&place| self.tasks[place]);
        let width = methods * FIELDS;
        let mut values = Vec::with_capacity(self.values.len());
        for &place in &order {
            values.extend_from_slice(&self.values[place * width..(place + 1) * width]);
        }
        Self { tasks: order.iter().map(|&place| self.tasks[place]).collect(), values, failures }
    }
}

impl Partial for Records {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, later: Self) -> Self {
        self.tasks.extend(later.tasks);
        self.values.extend(later.values);
        self.failures.extend(later.failures);
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.tasks.len() as u64);
        self.tasks.iter().for_each(|&task| put_u64(out, task));
        put_f64s(out, &self.values);
        put_u64(out, self.failures.len() as u64);
        for Failure { task, method, error } in &self.failures {
            put_u64(out, *task);
            put_u64(out, u64::from(*method));
            put_u64(out, error.len() as u64);
            for chunk in error.as_bytes().chunks(8) {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                put_u64(out, u64::from_le_bytes(word));
            }
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let count = counted(&mut reader, bytes)?;
        let tasks = (0..count).map(|_| reader.u64()).collect::<Result<_>>()?;
        let values = reader.f64s()?;
        let count = counted(&mut reader, bytes)?;
        let failures = (0..count).map(|_| failure(&mut reader, bytes)).collect::<Result<_>>()?;
        reader.finish().map(|()| Self { tasks, values, failures })
    }
}

/// A count of things that take at least a byte each, refused before any allocation.
fn counted(reader: &mut Reader<'_>, bytes: &[u8]) -> Result<usize> {
    let count = reader.u64()?;
    if count > bytes.len() as u64 {
        return Err(Error::wire(format!("they promise {count} entries and end before")));
    }
    Ok(count as usize)
}

fn failure(reader: &mut Reader<'_>, bytes: &[u8]) -> Result<Failure> {
    let (task, method) = (reader.u64()?, reader.u64()? as u32);
    let length = counted(reader, bytes)?;
    let mut text = Vec::with_capacity(length + 8);
    for _ in 0..length.div_ceil(8) {
        text.extend(reader.u64()?.to_le_bytes());
    }
    text.truncate(length);
    let error = String::from_utf8(text).map_err(|_| Error::wire("a message is no text"))?;
    Ok(Failure { task, method, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_travel_with_their_messages() {
        let mut records = Records::default();
        records.begin(7);
        records.push(Estimate::new(1.5).standard_error(0.5));
        records.fail(7, 1, "nothing to sée here".into());
        let mut bytes = Vec::new();
        records.encode(&mut bytes);
        let back = Records::decode(&bytes).unwrap();
        assert_eq!((&back.tasks, &back.failures), (&records.tasks, &records.failures));
        let bits = |records: &Records| -> Vec<u64> {
            records.values.iter().map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(&back), bits(&records));
        for cut in 0..bytes.len() {
            assert!(Records::decode(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn records_are_put_in_the_order_of_their_tasks() {
        let one = |task: u64| {
            let mut records = Records::default();
            records.begin(task);
            records.push(Estimate::new(task as f64));
            records
        };
        let merged = one(5).merge(one(2)).merge(one(9)).sorted(1);
        assert_eq!(merged.tasks, [2, 5, 9]);
        assert_eq!(merged.at(1, 1, 0)[0], 5.0);
    }
}
