//! Tables by task: their keys are numbers that count up, which need no stronger hash.

use crate::message::TaskId;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Something for each of many tasks.
pub(super) type ByTask<T> = HashMap<TaskId, T, BuildHasherDefault<TaskHasher>>;

/// Spreads a number over all bits by one multiplication.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TaskHasher(u64);

impl Hasher for TaskHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }
    fn write_u64(&mut self, number: u64) {
        // The odd integer nearest to 2^64 over the golden ratio.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
