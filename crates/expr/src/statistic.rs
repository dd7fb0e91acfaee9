//! A formula of aggregates: what to compute from whole columns, and what to make of the results.

use crate::error::{ProblemKind, Problems};
use crate::evaluate::Workspace;
use crate::expr::Expr;
use crate::parser::parse;
use crate::tree::{NodeId, NodeKind, Tree};
use crate::vocabulary::{Argument, Vocabulary};
use std::fmt;

/// One call of an aggregate in a [`Statistic`].
#[derive(Clone, Debug)]
pub struct Slot {
    /// The name of the aggregate.
    pub aggregate: String,
    /// The arguments that are expressions over the columns of the vocabulary, in order.
    pub columns: Vec<Expr>,
    /// The arguments that are constants, in order.
    pub numbers: Vec<f64>,
}

impl Slot {
    /// Whether both compute the same: the same aggregate of the same programs.
    fn is_same(&self, other: &Slot) -> bool {
        let pairs = || self.columns.iter().zip(&other.columns);
        self.aggregate == other.aggregate
            && self.numbers == other.numbers
            && self.columns.len() == other.columns.len()
            && pairs().all(|(ours, theirs)| ours.program() == theirs.program())
    }
}

/// A formula whose value is one number made of aggregates over columns.
///
/// Each different call of an aggregate is a slot. Whoever computes aggregates fills the slots;
/// [`value`](Statistic::value) then gives the statistic.
///
/// ```
/// use windfall_expr::{Aggregate, Argument::Column, Names, Statistic, Vocabulary, Workspace};
///
/// let mean = Aggregate::new("mean", &[Column]);
/// let words = Vocabulary::new(Names::columns(["x", "u"])).with([mean]);
/// let ratio = Statistic::parse("mean(x)/mean(u) - 1/mean(u)", &words)?;
///
/// assert_eq!(ratio.slots().len(), 2); // mean(u) is shared
/// assert_eq!(ratio.slots()[0].aggregate, "mean");
/// assert_eq!(ratio.slots()[0].columns[0].program().as_column(), Some(0));
/// assert_eq!(ratio.value(&[6.0, 2.0], &mut Workspace::new()), 2.5);
/// # Ok::<(), windfall_expr::Problems>(())
/// ```
#[derive(Clone, Debug)]
pub struct Statistic {
    outer: Expr,
    slots: Vec<Slot>,
}

impl Statistic {
    /// Reads and checks the formula `text`.
    ///
    /// # Errors
    /// [`Problems`] lists every mistake: beside those of [`Expr::parse`], an aggregate inside
    /// another, a column outside any, and an argument that must be a constant and is not.
    pub fn parse(text: &str, vocabulary: &Vocabulary) -> Result<Statistic, Problems> {
        let tree = parse(text, vocabulary)?;
        let inside = inside_aggregates(&tree);
        check(&tree, &inside, (text, vocabulary), |_| false)?;
        let (mut outer, mut slots) = (Tree::default(), Vec::<Slot>::new());
        let mut new_ids: Vec<NodeId> = vec![0; tree.nodes.len()];
        for (id, node) in tree.nodes.iter().enumerate().filter(|(id, _)| !inside[*id]) {
            let kind = match &node.kind {
                NodeKind::Aggregate(index, arguments) => {
                    let slot = slot(&tree, text, vocabulary, (*index, arguments));
                    let known = slots.iter().position(|old| old.is_same(&slot));
                    NodeKind::Variable(known.unwrap_or_else(|| {
                        slots.push(slot);
                        slots.len() - 1
                    }))
                }
                other => other.clone().map_children(|child| new_ids[child]),
            };
            new_ids[id] = outer.nodes.len();
            outer.push(kind, node.bytes.clone(), new_ids[id]);
        }
        let outer = Expr::from_tree(text, &outer, slots.len());
        Ok(Statistic { outer, slots })
    }

    /// The different calls of aggregates, in the order of their first appearance.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The formula over the slots: its columns are the values of [`slots`](Statistic::slots), so
    /// that many resamples are one evaluation over blocks.
    pub fn outer(&self) -> &Expr {
        &self.outer
    }

    /// The slot that the statistic is, if it is one aggregate and nothing more.
    pub fn as_slot(&self) -> Option<&Slot> {
        self.outer.program().as_column().map(|at| &self.slots[at])
    }

    /// The statistic from the values of its slots.
    ///
    /// # Panics
    /// If there is not one value per slot.
    pub fn value(&self, slots: &[f64], workspace: &mut Workspace) -> f64 {
        self.outer.evaluate_one(slots, workspace)
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outer.fmt(f)
    }
}

/// For each node, whether it stands inside the arguments of an aggregate.
pub(crate) fn inside_aggregates(tree: &Tree) -> Vec<bool> {
    let mut inside = vec![false; tree.nodes.len()];
    for (id, node) in tree.nodes.iter().enumerate().rev() {
        if matches!(node.kind, NodeKind::Aggregate(..)) && !inside[id] {
            inside[node.first..id].fill(true);
        }
    }
    inside
}

/// Holds the formula to the rules of where aggregates, columns and constants may stand; a `free`
/// variable may stand anywhere.
pub(crate) fn check(
    tree: &Tree,
    inside: &[bool],
    (text, vocabulary): (&str, &Vocabulary),
    free: impl Fn(usize) -> bool,
) -> Result<(), Problems> {
    let mut problems = Problems::new(text);
    for (id, node) in tree.nodes.iter().enumerate() {
        let written = &text[node.bytes.clone()];
        match &node.kind {
            NodeKind::Aggregate(..) if inside[id] => {
                let message = format!("the aggregate `{written}` stands inside another");
                let hint = "an aggregate takes columns; compute the inner one outside".to_owned();
                let kind = ProblemKind::NestedAggregate;
                problems.add(kind, node.bytes.clone(), message, Some(hint));
            }
            NodeKind::Aggregate(index, arguments) => {
                let shape = &vocabulary.aggregates[*index].arguments;
                for (&argument, _) in
                    arguments.iter().zip(shape).filter(|(_, shape)| **shape == Argument::Number)
                {
                    check_constant(tree, argument, text, &mut problems);
                }
            }
            NodeKind::Variable(index) if !inside[id] && !free(*index) => {
                let message = format!("the column `{written}` stands outside any aggregate");
                let hint = vocabulary.aggregates.first().map(|aggregate| {
                    format!(
                        "the whole is one number: write such as `{}({written})`",
                        aggregate.name
                    )
                });
                let kind = ProblemKind::ColumnOutsideAggregate;
                problems.add(kind, node.bytes.clone(), message, hint);
            }
            _ => {}
        }
    }
    problems.into_result()
}

fn check_constant(tree: &Tree, argument: NodeId, text: &str, problems: &mut Problems) {
    let node = &tree.nodes[argument];
    let part = &tree.nodes[node.first..=argument];
    if part.iter().any(|node| node.variable().is_some()) {
        let message = format!("`{}` must be a constant", &text[node.bytes.clone()]);
        problems.add(ProblemKind::NotConstant, node.bytes.clone(), message, None);
    }
}

/// The slot of a checked call of aggregate `index`.
fn slot(
    tree: &Tree,
    text: &str,
    vocabulary: &Vocabulary,
    (index, arguments): (usize, &[NodeId]),
) -> Slot {
    let aggregate = &vocabulary.aggregates[index];
    let mut slot =
        Slot { aggregate: aggregate.name.clone(), columns: Vec::new(), numbers: Vec::new() };
    for (&argument, shape) in arguments.iter().zip(&aggregate.arguments) {
        let written = &text[tree.nodes[argument].bytes.clone()];
        let expr = Expr::from_tree(written, &tree.subtree(argument), vocabulary.names.len());
        match shape {
            Argument::Column => slot.columns.push(expr),
            Argument::Number => slot.numbers.extend(expr.program().as_constant()),
        }
    }
    slot
}
