//! Build a program operation by operation, never the same one twice, and fold what is constant.
//!
//! Every rewrite here is exact: it yields the same double for every input, so a folded formula and
//! an unfolded one agree to the last bit. Constants are folded by running the operation itself.

use crate::program::{Binary, Fused, Op, Program, Unary, ValueId};
use std::collections::BTreeMap;

/// The largest exponent that becomes multiplications; beyond it `x^n` is `pow`.
///
/// `n - 1` roundings would bound the error of `x^n` by `(n - 1)/2` ulp; squaring makes fewer.
pub(crate) const POWER_MAX: u32 = 16;

/// An operation as a key: constants by their bits.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Constant(u64),
    Input(u32),
    Unary(Unary, ValueId),
    Binary(Binary, ValueId, ValueId),
    Fused(Fused, [ValueId; 3]),
    Select([ValueId; 3]),
}

/// A program under construction.
#[derive(Default)]
pub(crate) struct Builder {
    ops: Vec<Op>,
    /// Whether each value is a truth value.
    truths: Vec<bool>,
    known: BTreeMap<Key, ValueId>,
}

impl Builder {
    /// The program whose result is `result`, without the operations it does not need.
    pub fn finish(self, result: ValueId, columns: usize) -> Program {
        let truth = self.is_truth(result);
        let (ops, _) = extract(&self.ops, &[result], &BTreeMap::new());
        Program { ops, columns, truth }
    }

    /// All operations so far.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The place of `op`, which is added if it is new.
    pub fn add(&mut self, op: Op) -> ValueId {
        let key = match op {
            Op::Constant(value) => Key::Constant(value.to_bits()),
            Op::Input(index) => Key::Input(index),
            Op::Unary(kind, a) => Key::Unary(kind, a),
            Op::Binary(kind, a, b) => Key::Binary(kind, a, b),
            Op::Fused(kind, list) => Key::Fused(kind, list),
            Op::Select(list) => Key::Select(list),
        };
        *self.known.entry(key).or_insert_with(|| {
            self.truths.push(op.is_truth(&self.ops, &self.truths));
            self.ops.push(op);
            (self.ops.len() - 1) as ValueId
        })
    }

    /// Adds `op`, or its value if all its operands are constants.
    fn fold(&mut self, op: Op) -> ValueId {
        let mut ops: Vec<Op> = Vec::with_capacity(4);
        for operand in op.operands() {
            match self.ops[operand as usize] {
                Op::Constant(value) => ops.push(Op::Constant(value)),
                _ => return self.add(op),
            }
        }
        let mut next = 0;
        let op = op.map_operands(|_| {
            next += 1;
            next - 1
        });
        ops.push(op);
        let value = Program { ops, columns: 0, truth: false }.constant_value();
        self.constant(value)
    }

    /// The value of `id` if it is a constant.
    pub fn constant_of(&self, id: ValueId) -> Option<f64> {
        match self.ops[id as usize] {
            Op::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Whether `id` can be nothing but 0 or 1.
    pub fn is_truth(&self, id: ValueId) -> bool {
        self.truths[id as usize]
    }

    pub fn constant(&mut self, value: f64) -> ValueId {
        self.add(Op::Constant(value))
    }

    pub fn input(&mut self, index: usize) -> ValueId {
        self.add(Op::Input(index as u32))
    }

    pub fn unary(&mut self, kind: Unary, a: ValueId) -> ValueId {
        match (kind, self.ops[a as usize]) {
            (Unary::Negative, Op::Unary(Unary::Negative, inner)) => inner,
            (Unary::Abs, Op::Unary(Unary::Negative, inner)) => self.unary(Unary::Abs, inner),
            (Unary::Abs, Op::Unary(Unary::Abs, _)) => a,
            _ => self.fold(Op::Unary(kind, a)),
        }
    }

    pub fn binary(&mut self, kind: Binary, a: ValueId, b: ValueId) -> ValueId {
        use Binary::*;
        let (left, right) = (self.constant_of(a), self.constant_of(b));
        let (a, b) = match kind {
            Add | Mul | Equal | NotEqual if b < a => (b, a),
            _ => (a, b),
        };
        match (kind, left, right) {
            (_, Some(_), Some(_)) => {}
            (Mul, Some(1.0), None) => return self.other(a, b, left),
            (Mul, None, Some(1.0)) => return self.other(a, b, right),
            (Mul, Some(-1.0), None) | (Mul, None, Some(-1.0)) => {
                let other = self.other(a, b, Some(-1.0));
                return self.unary(Unary::Negative, other);
            }
            (Div, None, Some(1.0)) => return a,
            (Div, None, Some(divisor)) if has_exact_reciprocal(divisor) => {
                let reciprocal = self.constant(divisor.recip());
                return self.binary(Mul, a, reciprocal);
            }
            (Sub, None, Some(zero)) if zero.to_bits() == 0 => return a,
            (Min | Max, ..) if a == b => return a,
            _ => {}
        }
        self.fold(Op::Binary(kind, a, b))
    }

    /// Of two operands the one that is not the constant.
    fn other(&self, a: ValueId, b: ValueId, constant: Option<f64>) -> ValueId {
        if self.constant_of(a) == constant { b } else { a }
    }

    pub fn fused(&mut self, kind: Fused, [a, b, c]: [ValueId; 3]) -> ValueId {
        let (a, b) = if b < a { (b, a) } else { (a, b) };
        for (one, other) in [(a, b), (b, a)] {
            // A product by 1 is exact, so the sum is the only rounding anyway.
            if self.constant_of(one) == Some(1.0) && self.constant_of(c).is_none() {
                return match kind {
                    Fused::MulAdd => self.binary(Binary::Add, other, c),
                    Fused::MulSub => self.binary(Binary::Sub, other, c),
                    Fused::NegMulAdd => self.binary(Binary::Sub, c, other),
                };
            }
        }
        self.fold(Op::Fused(kind, [a, b, c]))
    }

    pub fn select(&mut self, condition: ValueId, yes: ValueId, no: ValueId) -> ValueId {
        match self.constant_of(condition) {
            Some(value) if value != 0.0 => yes,
            Some(_) => no,
            None if yes == no => yes,
            None => self.fold(Op::Select([condition, yes, no])),
        }
    }

    /// 1 where `value` is not 0 (NaN is not), else 0.
    pub fn truth(&mut self, value: ValueId) -> ValueId {
        if self.is_truth(value) {
            return value;
        }
        let zero = self.constant(0.0);
        self.binary(Binary::NotEqual, value, zero)
    }

    /// `base^exponent`; see [`Builder::factors`] for constant exponents.
    pub fn power(&mut self, base: ValueId, exponent: ValueId) -> ValueId {
        match self.factors(base, exponent) {
            Some((a, b)) => self.binary(Binary::Mul, a, b),
            None => self.power_unfactored(base, exponent),
        }
    }

    /// `base^exponent` as a product of two factors, for constant exponents 2 to [`POWER_MAX`].
    pub fn factors(&mut self, base: ValueId, exponent: ValueId) -> Option<(ValueId, ValueId)> {
        let value = self.constant_of(exponent)?;
        let whole = (2..=POWER_MAX).find(|&n| f64::from(n) == value)?;
        let half = self.whole_power(base, whole / 2);
        if whole.is_multiple_of(2) {
            return Some((half, half));
        }
        let even = self.binary(Binary::Mul, half, half);
        Some((even, base))
    }

    /// `base^exponent` where it is no product: 0, 1, 1/2, a negative integer or anything else.
    pub fn power_unfactored(&mut self, base: ValueId, exponent: ValueId) -> ValueId {
        let one = self.constant(1.0);
        match self.constant_of(exponent) {
            Some(0.0) => one,
            Some(1.0) => base,
            Some(0.5) => self.unary(Unary::Sqrt, base),
            Some(value)
                if value < 0.0 && value >= -f64::from(POWER_MAX) && value.fract() == 0.0 =>
            {
                let below = self.whole_power(base, -value as u32);
                self.binary(Binary::Div, one, below)
            }
            _ => self.binary(Binary::Pow, base, exponent),
        }
    }

    /// `base^n` for `n >= 1` by squaring; recurses log2(n) deep.
    fn whole_power(&mut self, base: ValueId, n: u32) -> ValueId {
        if n == 1 {
            return base;
        }
        let half = self.whole_power(base, n / 2);
        let even = self.binary(Binary::Mul, half, half);
        if n.is_multiple_of(2) { even } else { self.binary(Binary::Mul, even, base) }
    }
}

/// The operations among `ops` that `results` need, and where the results are among them. A value
/// in `leaves` is read from the input of that index in place of being made.
pub(crate) fn extract(
    ops: &[Op],
    results: &[ValueId],
    leaves: &BTreeMap<ValueId, u32>,
) -> (Vec<Op>, Vec<ValueId>) {
    let leaf = |id: usize| leaves.get(&(id as ValueId)).copied();
    let mut needed = vec![false; ops.len()];
    results.iter().for_each(|&id| needed[id as usize] = true);
    for id in (0..ops.len()).rev() {
        if needed[id] && leaf(id).is_none() {
            ops[id].operands().for_each(|operand| needed[operand as usize] = true);
        }
    }
    let mut new_ids = vec![0; ops.len()];
    let mut kept = Vec::new();
    for (id, op) in ops.iter().enumerate().filter(|(id, _)| needed[*id]) {
        new_ids[id] = kept.len() as ValueId;
        kept.push(match leaf(id) {
            Some(input) => Op::Input(input),
            None => op.map_operands(|operand| new_ids[operand as usize]),
        });
    }
    (kept, results.iter().map(|&id| new_ids[id as usize]).collect())
}

/// Whether dividing by `x` is the same as multiplying by `1/x`: `x` is a power of two whose
/// reciprocal is normal.
fn has_exact_reciprocal(x: f64) -> bool {
    const FRACTION: u64 = (1 << 52) - 1;
    x.is_normal() && x.recip().is_normal() && x.to_bits() & FRACTION == 0
}
