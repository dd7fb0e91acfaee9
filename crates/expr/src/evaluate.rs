//! Evaluate a plan over columns of any length, block by block, without allocating.

use crate::chain::Chain;
use crate::elementary;
use crate::frame::{BLOCK_POINTS, BLOCK_VECTORS, Columns, Frame, GROUP_MAX, Splat, Vector};
use crate::program::{Op, Program, ValueId};
use crate::schedule::{Pass, Plan, Source, Step, Work, plan};
use windfall_lanes::dispatch;

/// Scratch memory of evaluations: a few KiB, allocated at first use, good for any expression.
///
/// Each thread keeps one and passes it to every call.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(crate) blocks: Vec<Vector>,
    pub(crate) tail: Vec<Vector>,
    pub(crate) total: crate::total::Room,
}

impl Workspace {
    /// An empty workspace; the first evaluation makes room.
    pub fn new() -> Workspace {
        Workspace::default()
    }
}

/// A plan with its constants laid out; what an expression keeps to be evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    passes: Vec<Pass>,
    steps: Vec<Step>,
    constants: Vec<Splat>,
    blocks: usize,
    columns_used: Vec<usize>,
    columns: usize,
}

impl Code {
    pub fn new(program: &Program) -> Code {
        let mut code = Code::of(plan(program.ops(), None, 0)).0;
        (code.columns_used, code.columns) = (program.columns_used(), program.columns());
        code
    }

    /// The code of `ops`, of whose inputs the first `uniforms` are no columns, and where it leaves
    /// the values to `keep`.
    pub fn keeping(ops: &[Op], keep: &[ValueId], uniforms: u32) -> (Code, Vec<Source>) {
        Code::of(plan(ops, Some(keep), uniforms))
    }

    fn of(plan: Plan) -> (Code, Vec<Source>) {
        let Plan { passes, steps, constants, blocks, kept } = plan;
        let constants = constants.into_iter().map(|value| [[value; 8]; GROUP_MAX]).collect();
        let code = Code { passes, steps, constants, blocks, columns_used: vec![], columns: 0 };
        (code, kept)
    }

    /// The columns that are read, ascending.
    pub fn columns_used(&self) -> &[usize] {
        &self.columns_used
    }

    /// Blocks of workspace that a run needs.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// The constants as a frame needs them.
    pub fn constants(&self) -> &[Splat] {
        &self.constants
    }

    /// Writes the value at each point to `out`.
    pub fn evaluate(&self, columns: &[&[f64]], out: &mut [f64], workspace: &mut Workspace) {
        self.check(columns, out.len());
        self.make_room(workspace);
        let Workspace { blocks, tail, .. } = workspace;
        let (vectors, rest) = out.as_chunks_mut::<8>();
        let mut start = 0;
        for result in vectors.chunks_mut(BLOCK_VECTORS) {
            let columns = Columns::Slices(columns, start);
            self.run(&mut self.frame(columns, blocks, result));
            start += BLOCK_POINTS;
        }
        if rest.is_empty() {
            return;
        }
        let done = vectors.len() * 8;
        for &index in &self.columns_used {
            let points = &columns[index][done..];
            tail[index][..points.len()].copy_from_slice(points);
            tail[index][points.len()..].fill(points[0]);
        }
        let mut last = [[0.0; 8]];
        let columns = Columns::Tail(tail);
        self.run(&mut self.frame(columns, blocks, &mut last));
        rest.copy_from_slice(&last[0][..rest.len()]);
    }

    /// The value at one point.
    pub fn evaluate_one(&self, point: &[f64], workspace: &mut Workspace) -> f64 {
        let (found, wanted) = (point.len(), self.columns);
        assert!(found == wanted, "a point of {found} coordinates for {wanted} columns");
        self.make_room(workspace);
        let Workspace { blocks, tail, .. } = workspace;
        for &index in &self.columns_used {
            tail[index] = [point[index]; 8];
        }
        let mut last = [[0.0; 8]];
        let columns = Columns::Tail(tail);
        self.run(&mut self.frame(columns, blocks, &mut last));
        last[0][0]
    }

    fn check(&self, columns: &[&[f64]], points: usize) {
        let (found, wanted) = (columns.len(), self.columns);
        assert!(found == wanted, "{found} columns for an expression of {wanted}");
        for &index in &self.columns_used {
            let length = columns[index].len();
            assert!(length == points, "column {index} has {length} points, the result {points}");
        }
    }

    fn make_room(&self, workspace: &mut Workspace) {
        let blocks = self.blocks * BLOCK_VECTORS;
        if workspace.blocks.len() < blocks {
            workspace.blocks.resize(blocks, [0.0; 8]);
        }
        if workspace.tail.len() < self.columns {
            workspace.tail.resize(self.columns, [0.0; 8]);
        }
    }

    fn frame<'a>(
        &'a self,
        columns: Columns<'a>,
        blocks: &'a mut [Vector],
        result: &'a mut [Vector],
    ) -> Frame<'a> {
        let (constants, vectors) = (&self.constants[..], result.len());
        Frame { columns, uniforms: &[], constants, blocks, stride: BLOCK_VECTORS, vectors, result }
    }

    /// Runs the passes over one block.
    pub fn run(&self, frame: &mut Frame<'_>) {
        for Pass { work, to } in &self.passes {
            match *work {
                Work::Chain { start, ref steps } => {
                    let steps = &self.steps[steps.clone()];
                    dispatch(&mut Chain { frame, start, steps, to: *to });
                }
                Work::One(kind, a) => elementary::one(frame, kind, a, *to),
                Work::Two(kind, a, b) => elementary::two(frame, kind, (a, b), *to),
            }
        }
    }
}

impl Program {
    /// The value of a program of constants.
    pub(crate) fn constant_value(&self) -> f64 {
        Code::new(self).evaluate_one(&[], &mut Workspace::new())
    }
}
