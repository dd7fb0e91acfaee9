//! Turn a checked tree into a program: decide what is fused, then let the builder fold and share.
//!
//! The rule of fusing looks at the formula alone, before any folding, so that a constant in place
//! of a variable changes no rounding: see "Rounding" at [`crate::Expr`].

use crate::builder::Builder;
use crate::program::{Binary, Fused, Program, Unary, ValueId};
use crate::tree::{Node, NodeId, NodeKind, Operator, Relation, Tree};

/// What a node yields: a value, or a product that its parent may fuse into a sum.
#[derive(Clone, Copy)]
enum Yield {
    Value(ValueId),
    Product { factors: (ValueId, ValueId), negative: bool },
}

/// The program of `tree`, for points of `columns` columns. One loop over the nodes.
pub(crate) fn lower(tree: &Tree, columns: usize) -> Program {
    let mut builder = Builder::default();
    // Columns come first, in their order, so that `x + y` and `y + x` are one program.
    let mut used: Vec<usize> = tree.nodes.iter().filter_map(Node::variable).collect();
    used.sort_unstable();
    for index in used {
        builder.input(index);
    }
    let result = lower_into(&mut builder, tree);
    builder.finish(result, columns)
}

/// Adds the operations of `tree` to a program under construction; yields its value.
pub(crate) fn lower_into(builder: &mut Builder, tree: &Tree) -> ValueId {
    let mut lowering = Lowering { builder, yields: Vec::new() };
    for node in &tree.nodes {
        let value = lowering.node(&node.kind);
        lowering.yields.push(value);
    }
    match tree.nodes.len() {
        0 => lowering.builder.constant(f64::NAN),
        count => lowering.value(count - 1),
    }
}

struct Lowering<'a> {
    builder: &'a mut Builder,
    yields: Vec<Yield>,
}

impl Lowering<'_> {
    fn node(&mut self, kind: &NodeKind) -> Yield {
        let value = match kind {
            NodeKind::Number(value) => self.builder.constant(*value),
            NodeKind::Variable(index) => self.builder.input(*index),
            NodeKind::Negative(a) => return self.negative(*a),
            NodeKind::Not(a) => {
                let truth = self.truth(*a);
                let one = self.builder.constant(1.0);
                self.builder.binary(Binary::Sub, one, truth)
            }
            NodeKind::Binary(operator, a, b) => return self.binary(*operator, *a, *b),
            NodeKind::Comparison(operands, relations) => self.comparison(operands, relations),
            NodeKind::Call(function, arguments) => {
                let values: Vec<ValueId> = arguments.iter().map(|&id| self.value(id)).collect();
                function.lower(self.builder, &values)
            }
            // Neither outlives the checks: aggregates were replaced, errors were reported.
            NodeKind::Aggregate(..) | NodeKind::Error => self.builder.constant(f64::NAN),
        };
        Yield::Value(value)
    }

    /// The value of a node; a product is multiplied out here.
    fn value(&mut self, id: NodeId) -> ValueId {
        self.made(self.yields[id])
    }

    fn made(&mut self, yielded: Yield) -> ValueId {
        match yielded {
            Yield::Value(value) => value,
            Yield::Product { factors: (a, b), negative } => {
                let product = self.builder.binary(Binary::Mul, a, b);
                if negative { self.builder.unary(Unary::Negative, product) } else { product }
            }
        }
    }

    fn truth(&mut self, id: NodeId) -> ValueId {
        let value = self.value(id);
        self.builder.truth(value)
    }

    fn negative(&mut self, id: NodeId) -> Yield {
        match self.yields[id] {
            Yield::Value(value) => Yield::Value(self.builder.unary(Unary::Negative, value)),
            Yield::Product { factors, negative } => Yield::Product { factors, negative: !negative },
        }
    }

    fn binary(&mut self, operator: Operator, a: NodeId, b: NodeId) -> Yield {
        match operator {
            Operator::Add => Yield::Value(self.sum(self.yields[a], self.yields[b])),
            Operator::Subtract => Yield::Value(self.difference(self.yields[a], self.yields[b])),
            Operator::Multiply => {
                let factors = (self.value(a), self.value(b));
                Yield::Product { factors, negative: false }
            }
            Operator::Power => {
                let (base, exponent) = (self.value(a), self.value(b));
                match self.builder.factors(base, exponent) {
                    Some(factors) => Yield::Product { factors, negative: false },
                    None => Yield::Value(self.builder.power_unfactored(base, exponent)),
                }
            }
            Operator::Divide => {
                let (above, below) = (self.value(a), self.value(b));
                Yield::Value(self.builder.binary(Binary::Div, above, below))
            }
            Operator::And | Operator::Or => {
                let kind = if operator == Operator::And { Binary::Min } else { Binary::Max };
                let (a, b) = (self.truth(a), self.truth(b));
                Yield::Value(self.builder.binary(kind, a, b))
            }
        }
    }

    fn sum(&mut self, a: Yield, b: Yield) -> ValueId {
        use Yield::*;
        match (a, b) {
            (Value(a), Value(b)) => self.builder.binary(Binary::Add, a, b),
            (Product { negative: first, .. }, Product { negative: second, .. })
                if first != second =>
            {
                let (a, b) = (self.made(a), self.made(b));
                self.builder.binary(Binary::Add, a, b)
            }
            (sum, Product { factors: (x, y), negative })
            | (Product { factors: (x, y), negative }, sum @ Value(_)) => {
                let kind = if negative { Fused::NegMulAdd } else { Fused::MulAdd };
                let sum = self.made(sum);
                self.builder.fused(kind, [x, y, sum])
            }
        }
    }

    fn difference(&mut self, a: Yield, b: Yield) -> ValueId {
        use Yield::*;
        match (a, b) {
            (a, Product { factors, negative }) => {
                let opposite = Product { factors, negative: !negative };
                if let Product { negative: first, .. } = a
                    && first == negative
                {
                    // A difference of two products: both rounded, so that it is 0 for equal ones.
                    let (a, b) = (self.made(a), self.made(b));
                    return self.builder.binary(Binary::Sub, a, b);
                }
                self.sum(a, opposite)
            }
            (Product { factors: (x, y), negative: false }, Value(b)) => {
                self.builder.fused(Fused::MulSub, [x, y, b])
            }
            (a, Value(b)) => {
                let a = self.made(a);
                self.builder.binary(Binary::Sub, a, b)
            }
        }
    }

    /// Each neighbouring pair must hold.
    fn comparison(&mut self, operands: &[NodeId], relations: &[Relation]) -> ValueId {
        let values: Vec<ValueId> = operands.iter().map(|&id| self.value(id)).collect();
        let mut all = None;
        for (pair, relation) in values.windows(2).zip(relations) {
            let (a, b) = (pair[0], pair[1]);
            let holds = match relation {
                Relation::Less => self.builder.binary(Binary::Less, a, b),
                Relation::LessEqual => self.builder.binary(Binary::LessEqual, a, b),
                Relation::Greater => self.builder.binary(Binary::Less, b, a),
                Relation::GreaterEqual => self.builder.binary(Binary::LessEqual, b, a),
                Relation::Equal => self.builder.binary(Binary::Equal, a, b),
                Relation::NotEqual => self.builder.binary(Binary::NotEqual, a, b),
            };
            all = Some(match all {
                None => holds,
                Some(before) => self.builder.binary(Binary::Min, before, holds),
            });
        }
        all.unwrap_or(0)
    }
}
