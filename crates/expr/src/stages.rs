//! Cut a formula with sums over rows into what is computed once, what for each row, and what after.
//!
//! ```text
//! columns    what depends on no parameter        once, when data are packed
//! prelude    what depends on no column            once a call
//! rows       the rest inside sums: values and derivatives, summed over blocks of rows
//! postlude   the formula around the sums, and the chain rule back to the parameters
//! ```
//!
//! The sums' derivatives are taken by the values that the prelude hands to the rows, so each row
//! does as little as a person would write.

use crate::builder::{Builder, extract};
use crate::derive::{Adjoint, Role, derive};
use crate::evaluate::Code;
use crate::frame::{Columns, Frame, Vector};
use crate::lower::lower_into;
use crate::program::{Binary, Op, Program, Unary, ValueId};
use crate::rows::{Sums, Term};
use crate::schedule::{Source, is_cheap};
use crate::tree::{Node, NodeKind, Tree};
use std::collections::BTreeMap;

/// A program of several results at one point.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    code: Code,
    pub results: Vec<Source>,
}

impl Stage {
    fn new(ops: &[Op], results: &[ValueId]) -> Self {
        let (code, results) = Code::keeping(ops, results, 0);
        Self { code, results }
    }

    /// Hands each result to `take`, given one vector for each input.
    pub fn run(
        &self,
        inputs: &[Vector],
        blocks: &mut Vec<Vector>,
        mut take: impl FnMut(usize, f64),
    ) {
        if blocks.len() < self.code.blocks() {
            blocks.resize(self.code.blocks(), [0.0; 8]);
        }
        let mut frame = Frame {
            columns: Columns::Tail(inputs),
            uniforms: &[],
            constants: self.code.constants(),
            blocks,
            stride: 1,
            vectors: 1,
            result: &mut [],
        };
        self.code.run(&mut frame);
        for (place, &source) in self.results.iter().enumerate() {
            take(place, frame.read::<1>(source, 0)[0][0]);
        }
    }
}

/// Where a column of packed rows comes from.
#[derive(Clone, Debug)]
pub(crate) enum Packed {
    /// The column of this index.
    Column(usize),
    /// A function of columns.
    Made(Code),
}

impl Packed {
    /// The columns of the data that it reads.
    pub fn columns(&self) -> Vec<usize> {
        match self {
            Self::Column(index) => vec![*index],
            Self::Made(code) => code.columns_used().to_vec(),
        }
    }
}

/// All stages of a formula.
#[derive(Clone, Debug)]
pub(crate) struct Stages {
    pub packed: Vec<Packed>,
    pub prelude: Stage,
    /// Without and with what the gradient needs.
    pub sums: [Sums; 2],
    /// The value; the value and the gradient. Inputs: parameters, prelude, sums.
    pub postlude: [Stage; 2],
    /// The parameters that the value depends on.
    pub used: Vec<bool>,
}

/// How a value in the row program depends on its inputs.
#[derive(Clone, Copy, Default)]
struct Reach {
    parameters: bool,
    columns: bool,
    /// Whether it costs more than reading a column.
    dear: bool,
}

impl Stages {
    /// The stages of `outer`, whose variables are `parameters` parameters and then `sums`; these
    /// are trees over the parameters and then `columns` columns.
    pub fn new(outer: &Tree, sums: &[Tree], parameters: usize, columns: usize) -> Self {
        let inside = Inside::new(sums, parameters);
        let leaves = Leaves::new(&inside);
        let packed = leaves.packed.iter().map(|&id| inside.packed(id, columns)).collect();
        let (ops, results) = extract(inside.builder.ops(), &leaves.uniforms, &BTreeMap::new());
        let prelude = Stage::new(&ops, &results);
        let outside = Outside::new(outer, &inside, &leaves);
        Self {
            packed,
            prelude,
            sums: [&inside.results[..inside.values], &inside.results]
                .map(|results| leaves.sums(&inside.builder, results)),
            postlude: [&outside.results[..1], &outside.results].map(|results| {
                let (ops, results) = extract(outside.builder.ops(), results, &outside.known);
                Stage::new(&ops, &results)
            }),
            used: outside.used,
        }
    }
}

/// What stands inside the sums, with its derivatives.
struct Inside {
    builder: Builder,
    parameters: usize,
    /// For each sum, the place of its value in `results`.
    sums: Vec<usize>,
    /// For each value that is summed, the derivatives of a row's by what comes from the prelude:
    /// that, the place of the derivative in `results`, and whether it is the opposite.
    partials: Vec<Vec<(ValueId, usize, bool)>>,
    /// What is summed over rows: values first, as many as `values`.
    results: Vec<ValueId>,
    values: usize,
}

impl Inside {
    fn new(sums: &[Tree], parameters: usize) -> Self {
        let mut builder = Builder::default();
        let mut used: Vec<usize> =
            sums.iter().flat_map(|tree| tree.nodes.iter().filter_map(Node::variable)).collect();
        used.sort_unstable();
        for index in used {
            builder.input(index);
        }
        let one = builder.constant(1.0);
        let values: Vec<ValueId> = sums.iter().map(|tree| lower_into(&mut builder, tree)).collect();
        let roles: Vec<Role> = reach(builder.ops(), parameters)
            .iter()
            .map(|reach| match (reach.parameters, reach.columns) {
                (false, _) => Role::Passive,
                (true, false) => Role::Leaf,
                (true, true) => Role::Inner,
            })
            .collect();
        let mut results = Vec::new();
        let sums: Vec<usize> = values.iter().map(|&id| place(&mut results, id)).collect();
        let count = results.len();
        let mut partials = Vec::new();
        for value in results.clone() {
            let adjoints = derive(&mut builder, &[(value, one)], &roles);
            let leaves = adjoints.iter().enumerate().filter(|(id, _)| roles[*id] == Role::Leaf);
            let leaves = leaves.filter_map(|(id, adjoint)| Some((id as ValueId, (*adjoint)?)));
            partials.push(
                leaves
                    .map(|(id, adjoint)| (id, place(&mut results, adjoint.value), adjoint.negative))
                    .collect(),
            );
        }
        Self { builder, parameters, sums, partials, results, values: count }
    }

    /// How to make column `id` from the columns of the data.
    fn packed(&self, id: ValueId, columns: usize) -> Packed {
        let ops = self.builder.ops();
        if let Op::Input(index) = ops[id as usize] {
            return Packed::Column(index as usize - self.parameters);
        }
        let inputs = ops.iter().enumerate().filter_map(|(id, op)| match *op {
            Op::Input(index) => Some((id as ValueId, index.wrapping_sub(self.parameters as u32))),
            _ => None,
        });
        let (ops, _) = extract(ops, &[id], &inputs.collect());
        Packed::Made(Code::new(&Program { ops, columns, truth: false }))
    }
}

/// The place of `id` in `list`, to which it is added if it is new.
fn place(list: &mut Vec<ValueId>, id: ValueId) -> usize {
    list.iter().position(|&known| known == id).unwrap_or_else(|| {
        list.push(id);
        list.len() - 1
    })
}

/// How each value depends on inputs; the first `parameters` are parameters.
fn reach(ops: &[Op], parameters: usize) -> Vec<Reach> {
    let mut all: Vec<Reach> = Vec::with_capacity(ops.len());
    for op in ops {
        let mut own = Reach::default();
        match *op {
            Op::Input(index) if (index as usize) < parameters => own.parameters = true,
            Op::Input(_) => own.columns = true,
            Op::Constant(_) => {}
            Op::Binary(Binary::Div, ..) | Op::Unary(Unary::Sqrt, _) => own.dear = true,
            _ => own.dear = !is_cheap(op),
        }
        for operand in op.operands() {
            let Reach { parameters, columns, dear } = all[operand as usize];
            own.parameters |= parameters;
            own.columns |= columns;
            own.dear |= dear;
        }
        all.push(own);
    }
    all
}

/// What the row program reads in place of computing it.
struct Leaves {
    /// From the prelude.
    uniforms: Vec<ValueId>,
    /// From packed columns.
    packed: Vec<ValueId>,
    /// The input of each.
    inputs: BTreeMap<ValueId, u32>,
}

impl Leaves {
    fn new(inside: &Inside) -> Self {
        let ops = inside.builder.ops();
        let reaches = reach(ops, inside.parameters);
        let mut needed = vec![false; ops.len()];
        inside.results.iter().for_each(|&id| needed[id as usize] = true);
        let (mut uniforms, mut packed) = (Vec::new(), Vec::new());
        for id in (0..ops.len()).rev().filter(|&id| !matches!(ops[id], Op::Constant(_))) {
            let Reach { parameters, columns, dear } = reaches[id];
            match () {
                () if !needed[id] => {}
                () if parameters && !columns => uniforms.push(id as ValueId),
                () if !parameters && (dear || matches!(ops[id], Op::Input(_))) => {
                    packed.push(id as ValueId);
                }
                () => ops[id].operands().for_each(|operand| needed[operand as usize] = true),
            }
        }
        uniforms.reverse();
        packed.reverse();
        let inputs = uniforms.iter().chain(&packed).enumerate();
        let inputs = inputs.map(|(place, &id)| (id, place as u32)).collect();
        Self { uniforms, packed, inputs }
    }

    /// The row program that sums `results`; a product that only its sum reads is summed as one.
    fn sums(&self, builder: &Builder, results: &[ValueId]) -> Sums {
        let (ops, results) = extract(builder.ops(), results, &self.inputs);
        let mut readers = vec![0; ops.len()];
        ops.iter().flat_map(Op::operands).for_each(|id| readers[id as usize] += 1);
        let factors = results.iter().map(|&id| match ops[id as usize] {
            Op::Binary(Binary::Mul, a, b) if readers[id as usize] == 0 => (a, Some(b)),
            _ => (id, None),
        });
        let factors: Vec<(ValueId, Option<ValueId>)> = factors.collect();
        let mut keep: Vec<ValueId> =
            factors.iter().flat_map(|&(a, b)| [Some(a), b]).flatten().collect();
        keep.sort_unstable();
        keep.dedup();
        let (ops, places) = extract(&ops, &keep, &BTreeMap::new());
        let (code, sources) = Code::keeping(&ops, &places, self.uniforms.len() as u32);
        let source = |id: ValueId| sources[keep.partition_point(|&kept| kept < id)];
        let term = |&(a, b): &(ValueId, Option<ValueId>)| -> Term { (source(a), b.map(source)) };
        let terms = factors.iter().map(term).collect();
        Sums { code, terms }
    }
}

/// What stands outside the sums: the value, and its gradient by the chain rule.
struct Outside {
    builder: Builder,
    /// The value, then the gradient.
    results: Vec<ValueId>,
    /// What the prelude has computed, with its input.
    known: BTreeMap<ValueId, u32>,
    used: Vec<bool>,
}

impl Outside {
    fn new(outer: &Tree, inside: &Inside, leaves: &Leaves) -> Self {
        let parameters = inside.parameters;
        let sums_at = parameters + leaves.uniforms.len();
        let mut builder = Builder::default();
        let inputs: Vec<ValueId> = (0..parameters).map(|index| builder.input(index)).collect();
        let mut sum = |place: usize| builder.input(sums_at + place);
        let sums: Vec<ValueId> = (0..inside.values).map(&mut sum).collect();
        let variable = |index: usize| match index.checked_sub(parameters) {
            None => index,
            Some(slot) => sums_at + inside.sums[slot],
        };
        let value = lower_into(
            &mut builder,
            &outer.map_leaves(|index| NodeKind::Variable(variable(index))),
        );
        let one = builder.constant(1.0);
        let roles = all_inner(&builder);
        let direct = derive(&mut builder, &[(value, one)], &roles);

        let imported = import(&mut builder, inside);
        let mut seeds = Vec::new();
        for (&sum, partials) in sums.iter().zip(&inside.partials) {
            let Some(adjoint) = direct[sum as usize] else { continue };
            for &(target, place, negative) in partials {
                let total = builder.input(sums_at + place);
                let mut seed = builder.binary(Binary::Mul, adjoint.value, total);
                if adjoint.negative != negative {
                    seed = builder.unary(Unary::Negative, seed);
                }
                seeds.push((imported[&target], seed));
            }
        }
        let roles = all_inner(&builder);
        let through = derive(&mut builder, &seeds, &roles);
        let mut results = vec![value];
        let mut used = Vec::new();
        for input in inputs {
            let parts = [direct[input as usize], through[input as usize]];
            used.push(parts.iter().any(Option::is_some));
            results.push(total(&mut builder, parts));
        }
        let known = leaves.uniforms.iter().zip(parameters as u32..);
        let known = known.filter_map(|(id, input)| Some((*imported.get(id)?, input)));
        Self { results, known: known.collect(), builder, used }
    }
}

/// A walk through everything but constants.
fn all_inner(builder: &Builder) -> Vec<Role> {
    let role = |op: &Op| match op {
        Op::Constant(_) => Role::Passive,
        _ => Role::Inner,
    };
    builder.ops().iter().map(role).collect()
}

/// Adds what the prelude computes to `builder`; yields where each value is there.
fn import(builder: &mut Builder, inside: &Inside) -> BTreeMap<ValueId, ValueId> {
    let ops = inside.builder.ops();
    let mut imported: BTreeMap<ValueId, ValueId> = BTreeMap::new();
    for (id, (op, reach)) in ops.iter().zip(reach(ops, inside.parameters)).enumerate() {
        if !reach.columns {
            let new = builder.add(op.map_operands(|operand| imported[&operand]));
            imported.insert(id as ValueId, new);
        }
    }
    imported
}

/// The sum of derivatives; 0 of none.
fn total(builder: &mut Builder, parts: [Option<Adjoint>; 2]) -> ValueId {
    let signed = |builder: &mut Builder, part: Adjoint| match part.negative {
        true => builder.unary(Unary::Negative, part.value),
        false => part.value,
    };
    match parts {
        [None, None] => builder.constant(0.0),
        [Some(a), None] | [None, Some(a)] => signed(builder, a),
        [Some(a), Some(b)] => {
            let (a, b) = (signed(builder, a), signed(builder, b));
            builder.binary(Binary::Add, a, b)
        }
    }
}
