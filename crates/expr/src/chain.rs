//! Run a chain of cheap operations over a block with the running value in registers.
//!
//! Each step is decoded once for a group of vectors, as many as the registers hold beside the
//! operands; its loop over the group is unrolled.

use crate::frame::{Frame, Vector};
use crate::program::{Binary, Fused, Unary};
use crate::schedule::{Source, Step, StepKind, Target};
use windfall_lanes::{Isa, Simd, Task};

/// One chain over one block.
pub(crate) struct Chain<'a, 'f> {
    pub frame: &'a mut Frame<'f>,
    pub start: Source,
    pub steps: &'a [Step],
    pub to: Target,
}

impl Task for &mut Chain<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut at = 0;
        match S::ISA {
            Isa::Avx512 => self.groups::<S, 8>(simd, &mut at),
            _ => self.groups::<S, 4>(simd, &mut at),
        }
        self.groups::<S, 1>(simd, &mut at);
    }
}

impl Chain<'_, '_> {
    /// All whole groups of `G` vectors from `at` on.
    #[inline(always)]
    fn groups<S: Simd, const G: usize>(&mut self, simd: S, at: &mut usize) {
        while *at + G <= self.frame.vectors {
            let acc = load::<S, G>(simd, self.frame.read(self.start, *at));
            let mut group = Group { simd, frame: self.frame, at: *at, acc };
            for step in self.steps {
                group.apply(step);
            }
            let acc = group.acc;
            let out = self.frame.target::<G>(self.to, *at);
            for i in 0..G {
                simd.store(acc[i], &mut out[i]);
            }
            *at += G;
        }
    }
}

#[inline(always)]
fn load<S: Simd, const G: usize>(simd: S, from: &[Vector; G]) -> [S::F; G] {
    let mut values = [simd.splat(0.0); G];
    for i in 0..G {
        values[i] = simd.load(&from[i]);
    }
    values
}

/// `G` vectors on their way through a chain.
struct Group<'a, 'f, S: Simd, const G: usize> {
    simd: S,
    frame: &'a Frame<'f>,
    at: usize,
    acc: [S::F; G],
}

/// Sets each vector of a group to an expression of it (`x`) and of up to two operands of a step
/// (`a`, `b`).
macro_rules! each {
    ($group:ident, $step:ident, [$x:ident] => $body:expr) => {
        for i in 0..G {
            let $x = $group.acc[i];
            $group.acc[i] = $body;
        }
    };
    ($group:ident, $step:ident, [$x:ident, $a:ident] => $body:expr) => {{
        let left = $group.frame.read::<G>($step.a, $group.at);
        for i in 0..G {
            let ($x, $a) = ($group.acc[i], $group.simd.load(&left[i]));
            $group.acc[i] = $body;
        }
    }};
    ($group:ident, $step:ident, [$x:ident, $a:ident, $b:ident] => $body:expr) => {{
        let left = $group.frame.read::<G>($step.a, $group.at);
        let right = $group.frame.read::<G>($step.b, $group.at);
        for i in 0..G {
            let $x = $group.acc[i];
            let ($a, $b) = ($group.simd.load(&left[i]), $group.simd.load(&right[i]));
            $group.acc[i] = $body;
        }
    }};
}

/// A loop of its own for each kind of a cheap function; the last listed stands for all others.
macro_rules! each_kind {
    ($enum:ident, $kind:ident, [$($name:ident)*; $last:ident], $one:ident => $loop:expr) => {
        match $kind {
            $($enum::$name => {
                const $one: $enum = $enum::$name;
                $loop
            })*
            _ => {
                const $one: $enum = $enum::$last;
                $loop
            }
        }
    };
}

macro_rules! each_binary {
    ($group:ident, $step:ident, $kind:ident, $inputs:tt => ($left:ident, $right:ident)) => {
        each_kind!(Binary, $kind, [Add Sub Mul Div Min Max Less LessEqual Equal; NotEqual],
            ONE => each!($group, $step, $inputs => binary($group.simd, ONE, $left, $right)))
    };
}

macro_rules! each_fused {
    ($group:ident, $step:ident, $kind:ident, $inputs:tt => ($a:expr, $b:expr, $c:expr)) => {
        each_kind!(Fused, $kind, [MulAdd MulSub; NegMulAdd],
            ONE => each!($group, $step, $inputs => fused($group.simd, ONE, [$a, $b, $c])))
    };
}

macro_rules! each_comparison {
    (
        $group:ident, $step:ident, $kind:ident,
        [$x:ident, $a:ident, $b:ident] => ($yes:expr, $no:expr)
    ) => {
        each_kind!(Binary, $kind, [Less LessEqual Equal; NotEqual],
            ONE => each!($group, $step, [$x, $a, $b] =>
                choose($group.simd, binary($group.simd, ONE, $a, $b), $yes, $no)))
    };
}

impl<S: Simd, const G: usize> Group<'_, '_, S, G> {
    #[inline(always)]
    fn apply(&mut self, step: &Step) {
        let simd = self.simd;
        match step.kind {
            StepKind::Unary(kind) => {
                each_kind!(Unary, kind, [Negative Abs Sqrt Floor Ceil Round; Trunc],
                    ONE => each!(self, step, [x] => unary(simd, ONE, x)));
            }
            StepKind::Left(kind) => each_binary!(self, step, kind, [x, a] => (x, a)),
            StepKind::Right(kind) => each_binary!(self, step, kind, [x, a] => (a, x)),
            StepKind::Both(kind) => each_binary!(self, step, kind, [x] => (x, x)),
            StepKind::Sum(kind) => each_fused!(self, step, kind, [x, a, b] => (a, b, x)),
            StepKind::SumSquare(kind) => each_fused!(self, step, kind, [x, a] => (a, a, x)),
            StepKind::SumSquareDifference(kind) => {
                each_fused!(self, step, kind, [x, a, b] => (simd.sub(a, b), simd.sub(a, b), x));
            }
            StepKind::Factor(kind) => each_fused!(self, step, kind, [x, a, b] => (x, a, b)),
            StepKind::Square(kind) => each_fused!(self, step, kind, [x, a] => (x, x, a)),
            StepKind::And(kind) => {
                each_comparison!(self, step, kind, [x, a, b] => (x, simd.splat(0.0)));
            }
            StepKind::Or(kind) => {
                each_comparison!(self, step, kind, [x, a, b] => (simd.splat(1.0), x));
            }
            StepKind::Choose => each!(self, step, [x, a, b] => choose(simd, x, a, b)),
            StepKind::Keep => each!(self, step, [x, a, b] => choose(simd, a, x, b)),
            StepKind::Replace => each!(self, step, [x, a, b] => choose(simd, a, b, x)),
        }
    }
}

/// A cheap function of one vector; the planner puts no other into a chain.
#[inline(always)]
fn unary<S: Simd>(simd: S, kind: Unary, x: S::F) -> S::F {
    match kind {
        Unary::Negative => simd.neg(x),
        Unary::Abs => simd.abs(x),
        Unary::Sqrt => simd.sqrt(x),
        Unary::Floor => simd.floor(x),
        Unary::Ceil => simd.ceil(x),
        Unary::Round => simd.round_even(x),
        _ => simd.trunc(x),
    }
}

/// A cheap function of two vectors; the planner puts no other into a chain.
#[inline(always)]
fn binary<S: Simd>(simd: S, kind: Binary, a: S::F, b: S::F) -> S::F {
    let (one, zero) = (simd.splat(1.0), simd.splat(0.0));
    match kind {
        Binary::Add => simd.add(a, b),
        Binary::Sub => simd.sub(a, b),
        Binary::Mul => simd.mul(a, b),
        Binary::Div => simd.div(a, b),
        // The lanes give `b` if either is NaN, so only a NaN in `a` needs care.
        Binary::Min => simd.select(simd.is_nan(a), a, simd.min(a, b)),
        Binary::Max => simd.select(simd.is_nan(a), a, simd.max(a, b)),
        Binary::Less => simd.select(simd.lt(a, b), one, zero),
        Binary::LessEqual => simd.select(simd.le(a, b), one, zero),
        Binary::Equal => simd.select(simd.eq(a, b), one, zero),
        _ => simd.select(simd.eq(a, b), zero, one),
    }
}

#[inline(always)]
fn fused<S: Simd>(simd: S, kind: Fused, [a, b, c]: [S::F; 3]) -> S::F {
    match kind {
        Fused::MulAdd => simd.fma(a, b, c),
        Fused::MulSub => simd.fma(a, b, simd.neg(c)),
        Fused::NegMulAdd => simd.fnma(a, b, c),
    }
}

/// `yes` where `condition` is not 0, else `no`.
#[inline(always)]
fn choose<S: Simd>(simd: S, condition: S::F, yes: S::F, no: S::F) -> S::F {
    simd.select(simd.eq(condition, simd.splat(0.0)), no, yes)
}
