//! Run a problem on several mappings and compare the bytes of the answers.

use crate::{Control, Executor, Problem, Result, Seed, Serial, Shuffled, Threads};

/// What one mapping answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The mapping, such as `threads × 3`.
    pub mapping: String,
    /// BLAKE3 of the answer's bytes.
    pub hash: String,
    /// Whether the bytes equal those of the first mapping.
    pub same: bool,
}

/// The worker counts that `verify` tries.
const WORKERS: [usize; 4] = [1, 2, 3, 7];

/// Solves `problem` serially, on 1, 2, 3 and 7 threads and with its shards shuffled twice, and
/// compares every answer with the first, byte by byte.
///
/// # Errors
/// As [`Problem::solve`].
pub fn verify(problem: &dyn Problem, control: &Control<'_>) -> Result<Vec<Verification>> {
    let mut mappings: Vec<(String, Box<dyn Executor>)> = vec![("serial".into(), Box::new(Serial))];
    for workers in WORKERS {
        mappings.push((format!("threads × {workers}"), Box::new(Threads::new(workers))));
    }
    for seed in [1u64, 2] {
        let shuffled = Shuffled(Seed::from(seed));
        mappings.push((format!("shuffled, seed {seed}"), Box::new(shuffled)));
    }
    let mut rows = Vec::new();
    let mut first = None;
    for (mapping, on) in mappings {
        let bytes = problem.solve(on.as_ref(), control)?.to_bytes();
        let hash = blake3::hash(&bytes).to_hex().to_string();
        let same = *first.get_or_insert_with(|| bytes.clone()) == bytes;
        rows.push(Verification { mapping, hash, same });
    }
    Ok(rows)
}
