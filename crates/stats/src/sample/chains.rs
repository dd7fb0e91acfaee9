//! The partial: what the chains of a shard drew, in the order of the chains.

use windfall_core::wire::{Reader, put_f64s, put_u64};
use windfall_core::{Error, Partial, Result};

/// One chain, finished or stopped on the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    /// The task that drew it.
    pub task: u64,
    /// Log densities that it evaluated, the warm-up included.
    pub evaluations: u64,
    /// Warm-up steps that diverged.
    pub warm_divergences: u64,
    /// What the warm-up arrived at; the sampler knows what it is.
    pub tuned: Vec<f64>,
    /// For each walker one after the other: the sampler's columns, then the model's quantities.
    /// All are of one length, the draws so far.
    pub columns: Vec<Vec<f64>>,
}

impl Chain {
    /// Draws of each walker.
    pub fn draws(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }
}

/// Chains in the order of their tasks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chains(
    /// One for each task.
    pub Vec<Chain>,
);

impl Partial for Chains {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, later: Self) -> Self {
        self.0.extend(later.0);
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.0.len() as u64);
        for chain in &self.0 {
            put_u64(out, chain.task);
            put_u64(out, chain.evaluations);
            put_u64(out, chain.warm_divergences);
            put_f64s(out, &chain.tuned);
            put_u64(out, chain.columns.len() as u64);
            chain.columns.iter().for_each(|column| put_f64s(out, column));
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let count = reader.u64()?;
        let mut chains = Vec::new();
        for _ in 0..count {
            let mut chain = Chain {
                task: reader.u64()?,
                evaluations: reader.u64()?,
                warm_divergences: reader.u64()?,
                tuned: reader.f64s()?,
                columns: Vec::new(),
            };
            for _ in 0..reader.u64()? {
                chain.columns.push(reader.f64s()?);
            }
            if chain.columns.iter().any(|column| column.len() != chain.draws()) {
                return Err(Error::wire("columns of one chain differ in length"));
            }
            chains.push(chain);
        }
        reader.finish()?;
        Ok(Self(chains))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(task: u64) -> Chain {
        let columns = vec![vec![1.0, -0.0], vec![f64::NAN, 1e300]];
        Chain { task, evaluations: 9, warm_divergences: 2, tuned: vec![0.5], columns }
    }

    #[test]
    fn chains_merge_in_order_and_survive_the_wire() {
        let whole = Chains(vec![chain(3)]).merge(Chains(vec![chain(4)])).merge(Chains::empty());
        assert_eq!(whole.0.iter().map(|chain| chain.task).collect::<Vec<_>>(), [3, 4]);
        let mut bytes = Vec::new();
        whole.encode(&mut bytes);
        let mut again = Vec::new();
        Chains::decode(&bytes).unwrap().encode(&mut again);
        assert_eq!(bytes, again);
        for cut in 0..bytes.len() {
            assert!(Chains::decode(&bytes[..cut]).is_err());
        }
    }
}
