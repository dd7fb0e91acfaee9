//! Differentiate a program: add the operations that make its partial derivatives, in reverse.
//!
//! Reverse mode on operations: from the last to the first, each hands its adjoint, the derivative
//! of the result by its value, on to its operands (A. Griewank, A. Walther, *Evaluating
//! Derivatives*, 2008, chapter 3). The operations come from the same [`Builder`], so what value and
//! derivatives share is computed once, and signs travel beside the adjoints and cost nothing.
//!
//! Steps have derivative 0; at a tie `min` and `max` share equally and `abs` has slope 0. Where
//! `if` did not take a branch, the branch gets no derivative even if its slope is infinite.

use crate::builder::Builder;
use crate::program::{Binary, Fused, Op, Unary, ValueId};
use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};

/// What the walk does at a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing: no derivative is wanted through it.
    Passive,
    /// Collects its adjoint.
    Leaf,
    /// Hands its adjoint on.
    Inner,
}

/// The derivative of the result by a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adjoint {
    pub value: ValueId,
    /// Whether the derivative is the opposite of `value`.
    pub negative: bool,
    /// Whether it is 0 where a condition fails, so that an infinite slope must not spoil it.
    masked: bool,
}

/// The adjoints of the values that `roles` speaks of, given those of some of them.
///
/// # Cost
/// A few operations for each operation walked through.
pub(crate) fn derive(
    builder: &mut Builder,
    seeds: &[(ValueId, ValueId)],
    roles: &[Role],
) -> Vec<Option<Adjoint>> {
    let adjoints = vec![None; roles.len()];
    let mut walk = Walk { builder, roles, adjoints, tame: Vec::new() };
    for &(target, value) in seeds {
        let seed = walk.signed(value, false);
        walk.add(target, seed);
    }
    for id in (0..roles.len()).rev().filter(|&id| roles[id] == Role::Inner) {
        if let Some(adjoint) = walk.adjoints[id] {
            walk.pass_on(id as ValueId, adjoint);
        }
    }
    walk.adjoints
}

struct Walk<'a> {
    builder: &'a mut Builder,
    roles: &'a [Role],
    adjoints: Vec<Option<Adjoint>>,
    /// For each value, whether it is finite where the inputs are.
    tame: Vec<bool>,
}

impl Walk<'_> {
    fn pass_on(&mut self, id: ValueId, a: Adjoint) {
        match self.builder.ops()[id as usize] {
            Op::Constant(_) | Op::Input(_) => {}
            Op::Unary(kind, x) => {
                if self.wants(x) {
                    self.unary(kind, x, id, a);
                }
            }
            Op::Binary(kind, x, y) => self.binary(kind, [x, y], id, a),
            Op::Fused(kind, [x, y, z]) => {
                let opposite = Adjoint { negative: !a.negative, ..a };
                let (product, rest) = match kind {
                    Fused::MulAdd => (a, a),
                    Fused::MulSub => (a, opposite),
                    Fused::NegMulAdd => (opposite, a),
                };
                self.product([x, y], product);
                self.add(z, rest);
            }
            Op::Select([condition, yes, no]) => {
                let zero = self.builder.constant(0.0);
                let taken = self.builder.select(condition, a.value, zero);
                self.add(yes, Adjoint { value: taken, masked: true, ..a });
                let taken = self.builder.select(condition, zero, a.value);
                self.add(no, Adjoint { value: taken, masked: true, ..a });
            }
        }
    }

    fn unary(&mut self, kind: Unary, x: ValueId, v: ValueId, a: Adjoint) {
        use Unary::*;
        let one = self.builder.constant(1.0);
        let opposite = Adjoint { negative: !a.negative, ..a };
        match kind {
            Floor | Ceil | Round | Trunc => {}
            Negative => self.add(x, opposite),
            Abs => {
                let zero = self.builder.constant(0.0);
                let above = self.builder.binary(Binary::Less, zero, x);
                let below = self.builder.binary(Binary::Less, x, zero);
                let sign = self.builder.binary(Binary::Sub, above, below);
                self.times(x, a, sign);
            }
            Sqrt => {
                let half = self.scaled(a, 0.5);
                self.over(x, half, v);
            }
            Cbrt => {
                let (third, square) = (self.scaled(a, 1.0 / 3.0), self.multiply(v, v));
                self.over(x, third, square);
            }
            Exp => self.times(x, a, v),
            Expm1 => {
                let slope = self.builder.binary(Binary::Add, v, one);
                self.times(x, a, slope);
            }
            Log => self.over(x, a, x),
            Log1p => {
                let divisor = self.builder.binary(Binary::Add, one, x);
                self.over(x, a, divisor);
            }
            Log2 | Log10 => {
                let base = if kind == Log2 { LN_2 } else { LN_10 };
                let a = self.scaled(a, base.recip());
                self.over(x, a, x);
            }
            Sin | Cos | Tan | Asin | Acos | Atan | Sinh | Cosh | Tanh => {
                self.trigonometric(kind, x, v, a);
            }
            Erf | Erfc | Lgamma | Digamma | NormalPdf | NormalCdf | NormalQuantile => {
                self.special(kind, x, v, a);
            }
        }
    }

    fn trigonometric(&mut self, kind: Unary, x: ValueId, v: ValueId, a: Adjoint) {
        use Unary::*;
        let one = self.builder.constant(1.0);
        let opposite = Adjoint { negative: !a.negative, ..a };
        match kind {
            Sin | Cos => {
                let (other, a) = if kind == Sin { (Cos, a) } else { (Sin, opposite) };
                let slope = self.builder.unary(other, x);
                self.times(x, a, slope);
            }
            Tan => {
                let slope = self.builder.fused(Fused::MulAdd, [v, v, one]);
                self.times(x, a, slope);
            }
            Asin | Acos => {
                let (below, above) = (
                    self.builder.binary(Binary::Sub, one, x),
                    self.builder.binary(Binary::Add, one, x),
                );
                let square = self.multiply(below, above);
                let root = self.builder.unary(Sqrt, square);
                self.over(x, if kind == Asin { a } else { opposite }, root);
            }
            Atan => {
                let divisor = self.builder.fused(Fused::MulAdd, [x, x, one]);
                self.over(x, a, divisor);
            }
            Sinh | Cosh => {
                let slope = self.builder.unary(if kind == Sinh { Cosh } else { Sinh }, x);
                self.times(x, a, slope);
            }
            Tanh => {
                let slope = self.builder.fused(Fused::NegMulAdd, [v, v, one]);
                self.times(x, a, slope);
            }
            _ => {}
        }
    }

    fn special(&mut self, kind: Unary, x: ValueId, v: ValueId, a: Adjoint) {
        use Unary::*;
        let opposite = Adjoint { negative: !a.negative, ..a };
        match kind {
            Erf | Erfc => {
                let a = self.scaled(if kind == Erf { a } else { opposite }, FRAC_2_SQRT_PI);
                let square = self.multiply(x, x);
                let square = self.builder.unary(Negative, square);
                let slope = self.builder.unary(Exp, square);
                self.times(x, a, slope);
            }
            Lgamma => {
                let slope = self.builder.unary(Digamma, x);
                self.times(x, a, slope);
            }
            // No formula calls it, and nothing is differentiated twice.
            Digamma => {
                let nan = self.builder.constant(f64::NAN);
                self.times(x, a, nan);
            }
            NormalPdf => {
                let slope = self.multiply(x, v);
                self.times(x, opposite, slope);
            }
            NormalCdf => {
                let slope = self.builder.unary(NormalPdf, x);
                self.times(x, a, slope);
            }
            NormalQuantile => {
                let density = self.builder.unary(NormalPdf, v);
                self.over(x, a, density);
            }
            _ => {}
        }
    }

    fn binary(&mut self, kind: Binary, [x, y]: [ValueId; 2], v: ValueId, a: Adjoint) {
        let opposite = Adjoint { negative: !a.negative, ..a };
        match kind {
            Binary::Less | Binary::LessEqual | Binary::Equal | Binary::NotEqual => {}
            Binary::Add => {
                self.add(x, a);
                self.add(y, a);
            }
            Binary::Sub => {
                self.add(x, a);
                self.add(y, opposite);
            }
            Binary::Mul => self.product([x, y], a),
            Binary::Div => {
                self.over(x, a, y);
                if self.wants(y) {
                    // d(x/y) = -(x/y)/y dy
                    let slope = self.builder.binary(Binary::Div, v, y);
                    self.times(y, opposite, slope);
                }
            }
            Binary::Min | Binary::Max => {
                let (first, second) = if kind == Binary::Min { (x, y) } else { (y, x) };
                // 1 where `x` is the one, 1/2 at a tie.
                let half = self.builder.constant(0.5);
                let tie = self.builder.binary(Binary::Equal, x, y);
                for (target, wins) in [(x, [first, second]), (y, [second, first])] {
                    if self.wants(target) {
                        let wins = self.builder.binary(Binary::Less, wins[0], wins[1]);
                        let share = self.builder.fused(Fused::MulAdd, [tie, half, wins]);
                        let value = self.multiply(share, a.value);
                        self.add(target, Adjoint { value, masked: true, ..a });
                    }
                }
            }
            Binary::Pow => self.power([x, y], v, a),
            Binary::Atan2 => {
                let square = self.multiply(y, y);
                let square = self.builder.fused(Fused::MulAdd, [x, x, square]);
                for (target, other, a) in [(x, y, a), (y, x, opposite)] {
                    if self.wants(target) {
                        let slope = self.builder.binary(Binary::Div, other, square);
                        self.times(target, a, slope);
                    }
                }
            }
        }
    }

    /// `d(x^y) = y x^(y - 1) dx + x^y log x dy`, the latter 0 where the power is.
    fn power(&mut self, [x, y]: [ValueId; 2], v: ValueId, a: Adjoint) {
        if self.wants(x) {
            let one = self.builder.constant(1.0);
            let less = self.builder.binary(Binary::Sub, y, one);
            let power = self.builder.power(x, less);
            let slope = self.multiply(y, power);
            self.times(x, a, slope);
        }
        if self.wants(y) {
            let zero = self.builder.constant(0.0);
            let log = self.builder.unary(Unary::Log, x);
            let slope = self.multiply(v, log);
            let slope = self.builder.select(v, slope, zero);
            self.times(y, a, slope);
        }
    }

    /// Hands the adjoint of `x·y` on.
    fn product(&mut self, [x, y]: [ValueId; 2], a: Adjoint) {
        if x == y {
            let twice = self.scaled(a, 2.0);
            return self.times(x, twice, x);
        }
        self.times(x, a, y);
        self.times(y, a, x);
    }

    fn wants(&self, id: ValueId) -> bool {
        self.roles[id as usize] != Role::Passive
    }

    fn multiply(&mut self, x: ValueId, y: ValueId) -> ValueId {
        self.builder.binary(Binary::Mul, x, y)
    }

    fn scaled(&mut self, a: Adjoint, factor: f64) -> Adjoint {
        let factor = self.builder.constant(factor);
        let value = self.multiply(a.value, factor);
        Adjoint { masked: a.masked, ..self.signed(value, a.negative) }
    }

    /// `±value`, with the sign that the value itself shows taken out.
    fn signed(&mut self, value: ValueId, negative: bool) -> Adjoint {
        match self.builder.ops()[value as usize] {
            Op::Constant(number) if number < 0.0 => {
                let value = self.builder.constant(-number);
                Adjoint { value, negative: !negative, masked: false }
            }
            Op::Unary(Unary::Negative, inner) => {
                Adjoint { value: inner, negative: !negative, masked: false }
            }
            _ => Adjoint { value, negative, masked: false },
        }
    }

    /// Adds `a` to the adjoint of `target`.
    fn add(&mut self, target: ValueId, a: Adjoint) {
        if !self.wants(target) {
            return;
        }
        let sum = match self.adjoints[target as usize] {
            None => a,
            Some(old) => {
                let masked = old.masked || a.masked;
                let (kind, [x, y]) = match (old.negative, a.negative) {
                    (false, true) => (Binary::Sub, [old.value, a.value]),
                    (true, false) => (Binary::Sub, [a.value, old.value]),
                    _ => (Binary::Add, [old.value, a.value]),
                };
                let value = self.builder.binary(kind, x, y);
                Adjoint { value, negative: old.negative && a.negative, masked }
            }
        };
        self.adjoints[target as usize] = Some(sum);
    }

    /// Adds `a / divisor` to the adjoint of `target`.
    fn over(&mut self, target: ValueId, a: Adjoint, divisor: ValueId) {
        if self.wants(target) {
            let value = self.builder.binary(Binary::Div, a.value, divisor);
            let value = self.guarded(a, value);
            self.add(target, Adjoint { value, ..a });
        }
    }

    /// Adds `a · slope` to the adjoint of `target`.
    fn times(&mut self, target: ValueId, a: Adjoint, slope: ValueId) {
        if !self.wants(target) {
            return;
        }
        let Adjoint { value: slope, negative, .. } = self.signed(slope, a.negative);
        let a = Adjoint { negative, ..a };
        let old = self.adjoints[target as usize];
        let old = old.filter(|_| !a.masked || self.is_tame(slope));
        let Some(old) = old else {
            let product = self.multiply(a.value, slope);
            let value = if self.is_tame(slope) { product } else { self.guarded(a, product) };
            return self.add(target, Adjoint { value, ..a });
        };
        let (kind, negative) = match (old.negative, a.negative) {
            (false, true) => (Fused::NegMulAdd, false),
            (true, false) => (Fused::MulSub, false),
            (negative, _) => (Fused::MulAdd, negative),
        };
        let value = self.builder.fused(kind, [a.value, slope, old.value]);
        let masked = old.masked || a.masked;
        self.adjoints[target as usize] = Some(Adjoint { value, negative, masked });
    }

    /// `value`, but 0 where the adjoint it was made of is.
    fn guarded(&mut self, a: Adjoint, value: ValueId) -> ValueId {
        if !a.masked {
            return value;
        }
        let zero = self.builder.constant(0.0);
        self.builder.select(a.value, value, zero)
    }

    /// Whether `id` is finite wherever the inputs are, overflow apart.
    fn is_tame(&mut self, id: ValueId) -> bool {
        use Unary::*;
        while self.tame.len() <= id as usize {
            let op = self.builder.ops()[self.tame.len()];
            let bounded = match op {
                Op::Constant(value) => value.is_finite(),
                Op::Unary(kind, _) => matches!(
                    kind,
                    Negative
                        | Abs
                        | Floor
                        | Ceil
                        | Round
                        | Trunc
                        | Sin
                        | Cos
                        | Atan
                        | Tanh
                        | Erf
                        | Erfc
                        | NormalPdf
                        | NormalCdf
                ),
                Op::Binary(kind, ..) => !matches!(kind, Binary::Div | Binary::Pow),
                Op::Input(_) | Op::Fused(..) | Op::Select(_) => true,
            };
            let tame = bounded && op.operands().all(|operand| self.tame[operand as usize]);
            self.tame.push(tame);
        }
        self.tame[id as usize]
    }
}
