//! Plan how a program runs over blocks: chains of cheap operations in machine registers, one pass
//! each for the functions that cost, and as few blocks of memory between them as possible.
//!
//! A block interpreter spends its time moving blocks to and from the first-level cache. A chain
//! moves none: `x0^2 + x1^2 < 1` is one pass that reads two columns and writes one result, with the
//! sum in registers. An operation joins the chain of an operand that nothing else needs.

use crate::program::{Binary, Fused, Op, Unary, ValueId};
use std::ops::Range;

/// Where an operand is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    Column(u32),
    /// A block of the workspace.
    Block(u32),
    /// An entry of [`Plan::constants`].
    Constant(u32),
    /// A value that is the same at every point of a call.
    Uniform(u32),
}

/// Where a result is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    Block(u32),
    Result,
}

/// One pass over a block of points: what it makes, and where it puts it.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub work: Work,
    pub to: Target,
}

/// What a pass makes.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Loads `start`, then applies the steps.
    Chain { start: Source, steps: Range<usize> },
    /// A function of one value.
    One(Unary, Source),
    /// A function of two values.
    Two(Binary, Source, Source),
}

/// One step of a chain; `acc` is the value in registers, `a` and `b` are other operands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub kind: StepKind,
    pub a: Source,
    pub b: Source,
}

/// What a step makes of `acc`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StepKind {
    /// A cheap function of `acc`.
    Unary(Unary),
    /// `acc ∘ a`.
    Left(Binary),
    /// `a ∘ acc`.
    Right(Binary),
    /// `acc ∘ acc`.
    Both(Binary),
    /// `a·b ± acc` as [`Fused`] with `acc` as `c`.
    Sum(Fused),
    /// The same with `a = b`: one read less.
    SumSquare(Fused),
    /// The same with the difference `a - b` for both factors.
    SumSquareDifference(Fused),
    /// [`Fused`] of `acc·a` and `b`.
    Factor(Fused),
    /// [`Fused`] of `acc·acc` and `a`.
    Square(Fused),
    /// `acc` if the comparison `a ∘ b` holds, else 0.
    And(Binary),
    /// 1 if the comparison `a ∘ b` holds, else `acc`.
    Or(Binary),
    /// `a` where `acc` is not 0, else `b`.
    Choose,
    /// `acc` where `a` is not 0, else `b`.
    Keep,
    /// `b` where `a` is not 0, else `acc`.
    Replace,
}

/// How a program runs; made once, used for every block.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub passes: Vec<Pass>,
    pub steps: Vec<Step>,
    pub constants: Vec<f64>,
    /// How many blocks of workspace the passes need at once.
    pub blocks: usize,
    /// Where the values that were to be kept lie in the end.
    pub kept: Vec<Source>,
}

/// Whether an operation costs so little that a pass of its own would cost more.
pub(crate) fn is_cheap(op: &Op) -> bool {
    use Unary::*;
    match op {
        Op::Constant(_) | Op::Input(_) => false,
        Op::Unary(kind, _) => {
            matches!(kind, Negative | Abs | Sqrt | Floor | Ceil | Round | Trunc)
        }
        Op::Binary(kind, ..) => !matches!(kind, Binary::Pow | Binary::Atan2),
        Op::Fused(..) | Op::Select(_) => true,
    }
}

/// The plan of `ops`, of whose inputs the first `uniforms` are no columns.
///
/// Without a list to `keep`, the value of the last operation is the result; with one, all values
/// in it are there in the end and there is no result.
pub(crate) fn plan(ops: &[Op], keep: Option<&[ValueId]>, uniforms: u32) -> Plan {
    let mut planner = Planner::new(ops, keep.unwrap_or_default());
    for (id, op) in ops.iter().enumerate() {
        if matches!(op, Op::Constant(_) | Op::Input(_)) {
            continue;
        }
        if is_cheap(op) {
            planner.extend_chain(id as ValueId, op);
        } else {
            planner.draft.push(Draft::Heavy(id as ValueId));
        }
    }
    planner.emit(ops, keep, uniforms)
}

/// A pass in terms of values, before places are given out.
enum Draft {
    Heavy(ValueId),
    Chain {
        start: ValueId,
        links: Vec<Link>,
        end: ValueId,
    },
    /// A chain that a longer one took over.
    Gone,
}

/// A step in terms of values.
#[derive(Clone, Copy)]
struct Link {
    kind: StepKind,
    a: Option<ValueId>,
    b: Option<ValueId>,
}

struct Planner {
    /// Operations that read each value; an operation that reads it twice counts once.
    readers: Vec<u32>,
    /// Whether each value is a truth value.
    truths: Vec<bool>,
    draft: Vec<Draft>,
    /// The draft whose chain ends in this value.
    chain_of: Vec<Option<usize>>,
}

impl Planner {
    fn new(ops: &[Op], keep: &[ValueId]) -> Planner {
        let mut readers = vec![0; ops.len()];
        // A value to keep has a reader outside, so that no chain runs through it.
        keep.iter().for_each(|&id| readers[id as usize] += 1);
        for op in ops {
            let mut read: Vec<ValueId> = op.operands().collect();
            read.sort_unstable();
            read.dedup();
            read.into_iter().for_each(|id| readers[id as usize] += 1);
        }
        let mut truths = Vec::with_capacity(ops.len());
        for op in ops {
            truths.push(op.is_truth(ops, &truths));
        }
        Planner { readers, truths, draft: Vec::new(), chain_of: vec![None; ops.len()] }
    }

    /// Puts operation `id` at the end of a chain, or starts one with it.
    fn extend_chain(&mut self, id: ValueId, op: &Op) {
        let absorbed = self.absorb(op);
        let open = |operand: &ValueId| {
            let at = *operand as usize;
            self.readers[at] == 1 && self.chain_of[at].is_some() && reads_as_one(op, *operand)
        };
        let (joined, first) = match (*op, &absorbed) {
            (_, Some((acc, _))) => (Some(*acc).filter(open), *acc),
            // The addend first: it is where a long sum goes on.
            (Op::Fused(_, [_, _, c]), None) if open(&c) => (Some(c), c),
            (Op::Fused(_, [_, _, c]), None) => (op.operands().filter(open).max(), c),
            // Then the value made last.
            _ => (op.operands().filter(open).max(), op.operands().next().unwrap_or(0)),
        };
        let link = match absorbed {
            Some((_, link)) => link,
            None => link(op, joined.unwrap_or(first)),
        };
        let (start, mut links) = match joined.map(|value| self.take_chain(value)) {
            Some((start, links)) => (start, links),
            None => (first, Vec::new()),
        };
        links.push(link);
        self.chain_of[id as usize] = Some(self.draft.len());
        self.draft.push(Draft::Chain { start, links, end: id });
    }

    /// The chain that ends in `value`, which is then no pass of its own.
    fn take_chain(&mut self, value: ValueId) -> (ValueId, Vec<Link>) {
        let draft = self.chain_of[value as usize].map(|at| &mut self.draft[at]);
        match draft.map(|draft| std::mem::replace(draft, Draft::Gone)) {
            Some(Draft::Chain { start, links, .. }) => (start, links),
            _ => (value, Vec::new()),
        }
    }

    /// Takes an operand's one-step chain into the step of `op`, where such a step exists; yields
    /// what is then `acc`, and the step.
    fn absorb(&mut self, op: &Op) -> Option<(ValueId, Link)> {
        use Binary::{Equal, Less, LessEqual, NotEqual, Sub};
        let (acc, value, wrap): (_, _, fn(Binary, Fused) -> Option<StepKind>) = match *op {
            Op::Fused(_, [a, b, c]) if a == b && b != c => {
                (c, a, |kind, fused| (kind == Sub).then_some(StepKind::SumSquareDifference(fused)))
            }
            Op::Binary(Binary::Min, a, b) if a != b && self.both_truths(a, b) => {
                (a, b, |kind, _| Some(StepKind::And(kind)))
            }
            Op::Binary(Binary::Max, a, b) if a != b && self.both_truths(a, b) => {
                (a, b, |kind, _| Some(StepKind::Or(kind)))
            }
            _ => return None,
        };
        let fused = if let Op::Fused(fused, _) = *op { fused } else { Fused::MulAdd };
        let at = self.chain_of[value as usize].filter(|_| self.readers[value as usize] == 1)?;
        let Draft::Chain { start, links, .. } = &self.draft[at] else { return None };
        let [Link { kind: StepKind::Left(kind), a: Some(right), .. }] = links[..] else {
            return None;
        };
        let kind = match kind {
            Sub | Less | LessEqual | Equal | NotEqual => wrap(kind, fused)?,
            _ => return None,
        };
        let link = Link { kind, a: Some(*start), b: Some(right) };
        self.draft[at] = Draft::Gone;
        Some((acc, link))
    }

    fn both_truths(&self, a: ValueId, b: ValueId) -> bool {
        self.truths[a as usize] && self.truths[b as usize]
    }

    /// Gives out blocks of workspace and writes the passes down.
    fn emit(self, ops: &[Op], keep: Option<&[ValueId]>, uniforms: u32) -> Plan {
        let mut last_read = vec![0; ops.len()];
        for (pass, draft) in self.draft.iter().enumerate() {
            draft.reads(ops).into_iter().for_each(|id| last_read[id as usize] = pass);
        }
        let kept = keep.unwrap_or_default();
        kept.iter().for_each(|&id| last_read[id as usize] = usize::MAX);
        let mut places = Places { ops, uniforms, at: vec![None; ops.len()], constants: vec![] };
        let mut plan =
            Plan { passes: vec![], steps: vec![], constants: vec![], blocks: 0, kept: vec![] };
        let mut free: Vec<u32> = Vec::new();
        for (pass, draft) in self.draft.iter().enumerate() {
            let mut read = draft.reads(ops);
            read.sort_unstable();
            read.dedup();
            let Some(end) = draft.end() else { continue };
            let Some(work) = draft.work(ops, &mut places, &mut plan.steps) else { continue };
            for id in read.into_iter().filter(|&id| last_read[id as usize] == pass) {
                free.extend(places.freed(id));
            }
            let to = if end as usize + 1 == ops.len() && keep.is_none() {
                Target::Result
            } else {
                let block = free.pop().unwrap_or_else(|| {
                    plan.blocks += 1;
                    plan.blocks as u32 - 1
                });
                places.at[end as usize] = Some(block);
                Target::Block(block)
            };
            plan.passes.push(Pass { work, to });
        }
        if plan.passes.is_empty() && keep.is_none() {
            let start = places.source(ops.len() as ValueId - 1);
            let work = Work::Chain { start, steps: 0..0 };
            plan.passes.push(Pass { work, to: Target::Result });
        }
        plan.kept = kept.iter().map(|&id| places.source(id)).collect();
        plan.constants = places.constants;
        plan
    }
}

impl Draft {
    /// The values the pass reads, repeated where read again.
    fn reads(&self, ops: &[Op]) -> Vec<ValueId> {
        match self {
            Draft::Heavy(id) => ops[*id as usize].operands().collect(),
            Draft::Chain { start, links, .. } => {
                let rest = links.iter().flat_map(|link| [link.a, link.b]).flatten();
                std::iter::once(*start).chain(rest).collect()
            }
            Draft::Gone => Vec::new(),
        }
    }

    /// The value the pass makes.
    fn end(&self) -> Option<ValueId> {
        match self {
            Draft::Heavy(id) | Draft::Chain { end: id, .. } => Some(*id),
            Draft::Gone => None,
        }
    }

    /// What the pass makes; its steps are appended to `steps`.
    fn work(&self, ops: &[Op], places: &mut Places<'_>, steps: &mut Vec<Step>) -> Option<Work> {
        match self {
            Draft::Chain { start, links, .. } => {
                let (start, first) = (places.source(*start), steps.len());
                for link in links {
                    let a = link.a.map_or(start, |id| places.source(id));
                    let b = link.b.map_or(a, |id| places.source(id));
                    steps.push(Step { kind: link.kind, a, b });
                }
                Some(Work::Chain { start, steps: first..steps.len() })
            }
            Draft::Heavy(id) => match ops[*id as usize] {
                Op::Unary(kind, a) => Some(Work::One(kind, places.source(a))),
                Op::Binary(kind, a, b) => Some(Work::Two(kind, places.source(a), places.source(b))),
                _ => None,
            },
            Draft::Gone => None,
        }
    }
}

/// Where each value lies: its block, or its place among the constants.
struct Places<'a> {
    ops: &'a [Op],
    uniforms: u32,
    at: Vec<Option<u32>>,
    constants: Vec<f64>,
}

impl Places<'_> {
    fn source(&mut self, id: ValueId) -> Source {
        let at = &mut self.at[id as usize];
        match self.ops[id as usize] {
            Op::Input(index) if index < self.uniforms => Source::Uniform(index),
            Op::Input(index) => Source::Column(index - self.uniforms),
            Op::Constant(value) => Source::Constant(*at.get_or_insert_with(|| {
                self.constants.push(value);
                self.constants.len() as u32 - 1
            })),
            _ => Source::Block(at.unwrap_or(0)),
        }
    }

    /// The block of a value that is no constant, once nothing reads it.
    fn freed(&self, id: ValueId) -> Option<u32> {
        let is_constant = matches!(self.ops[id as usize], Op::Constant(_));
        self.at[id as usize].filter(|_| !is_constant)
    }
}

/// Whether a step can read `value` from registers everywhere `op` reads it.
fn reads_as_one(op: &Op, value: ValueId) -> bool {
    match *op {
        Op::Binary(..) => true,
        Op::Fused(_, [a, b, c]) if a == b => c != value || a != value,
        _ => op.operands().filter(|&id| id == value).count() == 1,
    }
}

/// The step that `op` is when its operand `acc` is in registers.
fn link(op: &Op, acc: ValueId) -> Link {
    let none = |kind| Link { kind, a: None, b: None };
    let one = |kind, a| Link { kind, a: Some(a), b: None };
    let two = |kind, a, b| Link { kind, a: Some(a), b: Some(b) };
    match *op {
        Op::Binary(kind, a, b) if a == acc && b == acc => none(StepKind::Both(kind)),
        Op::Binary(kind, a, b) if a == acc => one(StepKind::Left(kind), b),
        Op::Binary(kind, a, _) => one(StepKind::Right(kind), a),
        Op::Fused(kind, [a, b, c]) if c == acc && a == b && a != acc => {
            one(StepKind::SumSquare(kind), a)
        }
        Op::Fused(kind, [a, b, c]) if c == acc => two(StepKind::Sum(kind), a, b),
        Op::Fused(kind, [a, b, c]) if a == acc && b == acc => one(StepKind::Square(kind), c),
        Op::Fused(kind, [a, b, c]) if a == acc => two(StepKind::Factor(kind), b, c),
        Op::Fused(kind, [a, _, c]) => two(StepKind::Factor(kind), a, c),
        Op::Select([c, yes, no]) if c == acc => two(StepKind::Choose, yes, no),
        Op::Select([c, yes, no]) if yes == acc => two(StepKind::Keep, c, no),
        Op::Select([c, yes, _]) => two(StepKind::Replace, c, yes),
        Op::Unary(kind, _) => none(StepKind::Unary(kind)),
        Op::Constant(_) | Op::Input(_) => none(StepKind::Both(Binary::Max)),
    }
}
