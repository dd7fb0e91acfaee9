//! Merge partials in shard order along one fixed binary tree, in whatever order they arrive.
//!
//! The tree is that of the binary numbers: node `k` of level `l` covers the shards
//! `k·2^l .. (k+1)·2^l`. Two sisters merge as soon as both are there, so that arrivals roughly in
//! order leave only O(log shards) nodes waiting, and the shape never depends on the arrivals.

use crate::Partial;
use std::collections::BTreeMap;

/// The nodes that wait for their sisters.
#[derive(Debug)]
pub struct Tree<P> {
    waiting: BTreeMap<Node, P>,
    most_waiting: usize,
}

/// A node by its first shard and its level: ordered as its shards are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    first: u64,
    level: u32,
}

impl<P: Partial> Tree<P> {
    /// A tree with nothing in it.
    pub fn new() -> Self {
        Self { waiting: BTreeMap::new(), most_waiting: 0 }
    }

    /// Takes the partial of the shard at `index`, counted from the first shard of the run.
    pub fn put(&mut self, index: u64, partial: P) {
        let mut node = Node { first: index, level: 0 };
        let mut partial = partial;
        while node.level < u64::BITS {
            let width = 1u64 << node.level;
            let sister = Node { first: node.first ^ width, level: node.level };
            let Some(other) = self.waiting.remove(&sister) else { break };
            partial =
                if sister.first < node.first { other.merge(partial) } else { partial.merge(other) };
            node = Node { first: node.first & !width, level: node.level + 1 };
        }
        self.waiting.insert(node, partial);
        self.most_waiting = self.most_waiting.max(self.waiting.len());
    }

    /// The nodes that wait, in shard order.
    pub fn waiting(&self) -> impl Iterator<Item = &P> {
        self.waiting.values()
    }

    /// The largest number of nodes that ever waited at once.
    pub fn most_waiting(&self) -> usize {
        self.most_waiting
    }

    /// The merge of everything put; the nodes left fold from the last to the first.
    pub fn finish(self) -> P {
        self.waiting
            .into_values()
            .rev()
            .reduce(|later, earlier| earlier.merge(later))
            .unwrap_or_else(P::empty)
    }
}

impl<P: Partial> Default for Tree<P> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Result;

    /// Records the shape of the tree as text, which no two shapes share.
    #[derive(Debug, PartialEq)]
    struct Shape(String);

    impl Partial for Shape {
        fn empty() -> Self {
            Shape(String::new())
        }
        fn merge(self, later: Self) -> Self {
            Shape(format!("({}{})", self.0, later.0))
        }
        fn encode(&self, out: &mut Vec<u8>) {
            out.extend(self.0.bytes());
        }
        fn decode(bytes: &[u8]) -> Result<Self> {
            Ok(Shape(String::from_utf8_lossy(bytes).into_owned()))
        }
    }

    fn shape(order: &[u64]) -> (String, usize) {
        let mut tree = Tree::new();
        for &i in order {
            tree.put(i, Shape(format!("{i}.")));
        }
        let most = tree.most_waiting();
        (tree.finish().0, most)
    }

    #[test]
    fn the_shape_is_that_of_the_binary_numbers() {
        assert_eq!(shape(&[0, 1, 2, 3, 4, 5, 6]).0, "(((0.1.)(2.3.))((4.5.)6.))");
        assert_eq!(shape(&[]).0, "");
    }

    #[test]
    fn the_shape_does_not_depend_on_the_arrivals() {
        let n = 53;
        let expected = shape(&(0..n).collect::<Vec<_>>()).0;
        for step in [5, 17, 31, 52] {
            let order: Vec<u64> = (0..n).map(|i| i * step % n).collect();
            assert_eq!(shape(&order).0, expected);
        }
    }

    #[test]
    fn arrivals_in_order_leave_a_logarithm_waiting() {
        let order: Vec<u64> = (0..1 << 12).collect();
        assert!(shape(&order).1 <= 13);
    }
}
