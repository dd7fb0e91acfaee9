//! Run a chain of cheap operations over a block with the running value in registers.

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
            // As many vectors at once as leave registers for operands.
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
        while *at + G <= self.frame.vectors() {
            let mut acc = load::<S, G>(simd, self.frame.read(self.start, *at));
            for step in self.steps {
                acc = apply(simd, self.frame, step, *at, acc);
            }
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

/// One step on `G` vectors.
#[inline(always)]
fn apply<S: Simd, const G: usize>(
    simd: S,
    frame: &Frame<'_>,
    step: &Step,
    at: usize,
    mut acc: [S::F; G],
) -> [S::F; G] {
    /// Sets each vector of `acc` to an expression of it and of the operands named.
    macro_rules! each {
        ($x:ident => $body:expr) => {
            for i in 0..G {
                let $x = acc[i];
                acc[i] = $body;
            }
        };
        ($x:ident, $a:ident => $body:expr) => {{
            let left = frame.read::<G>(step.a, at);
            for i in 0..G {
                let ($x, $a) = (acc[i], simd.load(&left[i]));
                acc[i] = $body;
            }
        }};
        ($x:ident, $a:ident, $b:ident => $body:expr) => {{
            let (left, right) = (frame.read::<G>(step.a, at), frame.read::<G>(step.b, at));
            for i in 0..G {
                let ($x, $a, $b) = (acc[i], simd.load(&left[i]), simd.load(&right[i]));
                acc[i] = $body;
            }
        }};
    }
    macro_rules! unary {
        ($kind:expr, $($name:ident),*) => {
            match $kind {
                $(Unary::$name => each!(x => unary(simd, Unary::$name, x)),)*
                _ => {}
            }
        };
    }
    macro_rules! binary {
        ($kind:expr, [$($input:tt)*], $left:ident, $right:ident) => {
            binary!($kind, [$($input)*], $left, $right,
                Add Sub Mul Div Min Max Less LessEqual Equal NotEqual)
        };
        ($kind:expr, $input:tt, $left:ident, $right:ident, $($name:ident)*) => {
            match $kind {
                $(Binary::$name => binary!(@ $input, $name, $left, $right),)*
                Binary::Pow | Binary::Atan2 => {}
            }
        };
        (@ [$($input:tt)*], $name:ident, $left:ident, $right:ident) => {
            each!($($input)* => binary(simd, Binary::$name, $left, $right))
        };
    }
    macro_rules! compared {
        ($kind:expr, [$x:ident, $a:ident, $b:ident], $yes:expr, $no:expr) => {
            match $kind {
                Binary::Less => {
                    each!($x, $a, $b => simd.select(simd.lt($a, $b), $yes, $no))
                }
                Binary::LessEqual => {
                    each!($x, $a, $b => simd.select(simd.le($a, $b), $yes, $no))
                }
                Binary::Equal => {
                    each!($x, $a, $b => simd.select(simd.eq($a, $b), $yes, $no))
                }
                _ => each!($x, $a, $b => simd.select(simd.eq($a, $b), $no, $yes)),
            }
        };
    }
    macro_rules! fused {
        ($kind:expr, [$($input:tt)*], $a:expr, $b:expr, $c:expr) => {
            match $kind {
                Fused::MulAdd => each!($($input)* => simd.fma($a, $b, $c)),
                Fused::MulSub => each!($($input)* => simd.fma($a, $b, simd.neg($c))),
                Fused::NegMulAdd => each!($($input)* => simd.fnma($a, $b, $c)),
            }
        };
    }
    match step.kind {
        StepKind::Unary(kind) => {
            unary!(kind, Negative, Abs, Sqrt, Floor, Ceil, Round, Trunc)
        }
        StepKind::Left(kind) => binary!(kind, [x, a], x, a),
        StepKind::Right(kind) => binary!(kind, [x, a], a, x),
        StepKind::Both(kind) => binary!(kind, [x], x, x),
        StepKind::Sum(kind) => fused!(kind, [x, a, b], a, b, x),
        StepKind::SumSquare(kind) => fused!(kind, [x, a], a, a, x),
        StepKind::SumSquareDifference(kind) => {
            fused!(kind, [x, a, b], simd.sub(a, b), simd.sub(a, b), x)
        }
        StepKind::Factor(kind) => fused!(kind, [x, a, b], x, a, b),
        StepKind::Square(kind) => fused!(kind, [x, a], x, x, a),
        StepKind::And(kind) => compared!(kind, [x, a, b], x, simd.splat(0.0)),
        StepKind::Or(kind) => compared!(kind, [x, a, b], simd.splat(1.0), x),
        StepKind::Choose => each!(x, a, b => choose(simd, x, a, b)),
        StepKind::Keep => each!(x, a, b => choose(simd, a, x, b)),
        StepKind::Replace => each!(x, a, b => choose(simd, a, b, x)),
    }
    acc
}

/// A cheap function of one vector.
#[inline(always)]
fn unary<S: Simd>(simd: S, kind: Unary, x: S::F) -> S::F {
    match kind {
        Unary::Negative => simd.neg(x),
        Unary::Abs => simd.abs(x),
        Unary::Sqrt => simd.sqrt(x),
        Unary::Floor => simd.floor(x),
        Unary::Ceil => simd.ceil(x),
        Unary::Round => simd.round_even(x),
        Unary::Trunc => simd.trunc(x),
        _ => x,
    }
}

/// A cheap function of two vectors.
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
        Binary::NotEqual => simd.select(simd.eq(a, b), zero, one),
        Binary::Pow | Binary::Atan2 => a,
    }
}

/// `yes` where `condition` is not 0, else `no`.
#[inline(always)]
fn choose<S: Simd>(simd: S, condition: S::F, yes: S::F, no: S::F) -> S::F {
    simd.select(simd.eq(condition, simd.splat(0.0)), no, yes)
}
