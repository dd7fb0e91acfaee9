//! Hold a checked formula as a flat tree: children before parents, so that no pass recurses.
//!
//! Every pass over a tree is one loop over its nodes. A formula of any shape that passed the parser
//! therefore costs no stack, and a subtree is a run of nodes that ends at its root.

use crate::functions::Function;
use std::ops::Range;

/// The place of a node in its [`Tree`].
pub(crate) type NodeId = usize;

/// One node: what it is and where its text stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub kind: NodeKind,
    pub bytes: Range<usize>,
    /// The first node of the subtree that ends here.
    pub first: NodeId,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Number(f64),
    Variable(usize),
    Negative(NodeId),
    Not(NodeId),
    Binary(Operator, NodeId, NodeId),
    /// `a < b <= c`: one more operand than operators.
    Comparison(Vec<NodeId>, Vec<Relation>),
    Call(&'static Function, Vec<NodeId>),
    /// An aggregate by its place in the vocabulary.
    Aggregate(usize, Vec<NodeId>),
    /// A place already complained about.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    And,
    Or,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

/// A formula; its last node is its root.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub nodes: Vec<Node>,
}

impl Tree {
    /// Appends a node whose subtree starts at `first`.
    pub fn push(&mut self, kind: NodeKind, bytes: Range<usize>, first: NodeId) -> NodeId {
        self.nodes.push(Node { kind, bytes, first });
        self.nodes.len() - 1
    }

    /// The same tree with each variable replaced by another leaf.
    pub fn map_leaves(&self, f: impl Fn(usize) -> NodeKind) -> Tree {
        let mut tree = self.clone();
        for node in &mut tree.nodes {
            if let NodeKind::Variable(index) = node.kind {
                node.kind = f(index);
            }
        }
        tree
    }

    /// A copy of the subtree that ends at `root`, as a tree of its own.
    pub fn subtree(&self, root: NodeId) -> Tree {
        let first = self.nodes[root].first;
        let node = |node: &Node| Node {
            kind: node.kind.clone().map_children(|child| child - first),
            bytes: node.bytes.clone(),
            first: node.first - first,
        };
        Tree { nodes: self.nodes[first..=root].iter().map(node).collect() }
    }
}

impl Node {
    /// The column the node is, if it is one.
    pub fn variable(&self) -> Option<usize> {
        match self.kind {
            NodeKind::Variable(index) => Some(index),
            _ => None,
        }
    }
}

impl NodeKind {
    /// The same node with each child replaced.
    pub fn map_children(mut self, f: impl Fn(NodeId) -> NodeId) -> NodeKind {
        match &mut self {
            NodeKind::Number(_) | NodeKind::Variable(_) | NodeKind::Error => {}
            NodeKind::Negative(a) | NodeKind::Not(a) => *a = f(*a),
            NodeKind::Binary(_, a, b) => (*a, *b) = (f(*a), f(*b)),
            NodeKind::Comparison(list, _)
            | NodeKind::Call(_, list)
            | NodeKind::Aggregate(_, list) => list.iter_mut().for_each(|child| *child = f(*child)),
        }
        self
    }
}
