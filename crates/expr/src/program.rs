//! Hold a formula as a straight line of operations on doubles: the form that every back end reads.
//!
//! A [`Program`] has no loop, no branch, no call to user code and no memory: each [`Op`] computes
//! one value from earlier ones. A CPU runs it over blocks of points ([`crate::Expr::evaluate`]); it
//! can be printed as C, operation by operation, for any compiler that has a fused multiply-add.
//!
//! # Contract on rounding
//! Each operation rounds once. Which products and sums are fused is part of the program, chosen
//! from the formula alone, so results do not depend on the processor; see [`crate::Expr`].
//!
//! Truth values are the doubles 1 and 0.

use std::fmt;

/// A value of a program: the place of the operation that makes it.
pub type ValueId = u32;

/// One operation. Operands are values of earlier operations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// A constant, never NaN by being written, perhaps by arithmetic on constants.
    Constant(f64),
    /// The column of this index.
    Input(u32),
    /// A function of one value.
    Unary(Unary, ValueId),
    /// A function of two values.
    Binary(Binary, ValueId, ValueId),
    /// A fused multiply-add, rounded once.
    Fused(Fused, [ValueId; 3]),
    /// `[c, a, b]`: `a` where `c` is not 0, else `b`. A NaN is not 0.
    Select([ValueId; 3]),
}

/// Functions of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unary {
    /// `-x`.
    Negative,
    /// `|x|`.
    Abs,
    /// The square root.
    Sqrt,
    /// The largest integer not above `x`.
    Floor,
    /// The smallest integer not below `x`.
    Ceil,
    /// The nearest integer, ties to even.
    Round,
    /// `x` without its fraction.
    Trunc,
    /// The cube root.
    Cbrt,
    /// `e^x`.
    Exp,
    /// `e^x - 1`.
    Expm1,
    /// The natural logarithm.
    Log,
    /// The natural logarithm of `1 + x`.
    Log1p,
    /// The logarithm to base 2.
    Log2,
    /// The logarithm to base 10.
    Log10,
    /// The sine.
    Sin,
    /// The cosine.
    Cos,
    /// The tangent.
    Tan,
    /// The inverse sine.
    Asin,
    /// The inverse cosine.
    Acos,
    /// The inverse tangent.
    Atan,
    /// The hyperbolic sine.
    Sinh,
    /// The hyperbolic cosine.
    Cosh,
    /// The hyperbolic tangent.
    Tanh,
    /// The error function.
    Erf,
    /// The complementary error function.
    Erfc,
    /// The logarithm of the absolute value of the gamma function.
    Lgamma,
    /// The derivative of [`Unary::Lgamma`]; formulas do not call it, gradients do.
    Digamma,
    /// The standard normal density.
    NormalPdf,
    /// The standard normal distribution function.
    NormalCdf,
    /// The standard normal quantile.
    NormalQuantile,
}

/// Functions of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binary {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a·b`.
    Mul,
    /// `a / b`.
    Div,
    /// The smaller; NaN if either is.
    Min,
    /// The larger; NaN if either is.
    Max,
    /// 1 if `a < b`, else 0.
    Less,
    /// 1 if `a <= b`, else 0.
    LessEqual,
    /// 1 if `a == b`, else 0.
    Equal,
    /// 1 if `a != b`, else 0.
    NotEqual,
    /// `a` to the power `b`.
    Pow,
    /// The angle of the point (`b`, `a`).
    Atan2,
}

/// The three fused forms; operands are `[a, b, c]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fused {
    /// `a·b + c`.
    MulAdd,
    /// `a·b - c`.
    MulSub,
    /// `c - a·b`.
    NegMulAdd,
}

impl Op {
    /// The values the operation reads.
    pub fn operands(&self) -> impl Iterator<Item = ValueId> + use<> {
        let (list, count) = match *self {
            Op::Constant(_) | Op::Input(_) => ([0; 3], 0),
            Op::Unary(_, a) => ([a, 0, 0], 1),
            Op::Binary(_, a, b) => ([a, b, 0], 2),
            Op::Fused(_, list) | Op::Select(list) => (list, 3),
        };
        list.into_iter().take(count)
    }

    /// Whether the value can be nothing but 0 or 1, given which `earlier` ones can.
    pub(crate) fn is_truth(&self, ops: &[Op], earlier: &[bool]) -> bool {
        let holds = |id: ValueId| earlier[id as usize];
        match *self {
            Op::Constant(value) => value == 1.0 || value.to_bits() == 0,
            Op::Binary(kind, a, b) => match kind {
                Binary::Less | Binary::LessEqual | Binary::Equal | Binary::NotEqual => true,
                Binary::Min | Binary::Max => holds(a) && holds(b),
                Binary::Sub => ops[a as usize] == Op::Constant(1.0) && holds(b),
                _ => false,
            },
            Op::Select([_, a, b]) => holds(a) && holds(b),
            _ => false,
        }
    }

    /// The same operation with each operand replaced.
    pub(crate) fn map_operands(self, mut f: impl FnMut(ValueId) -> ValueId) -> Op {
        match self {
            Op::Constant(_) | Op::Input(_) => self,
            Op::Unary(kind, a) => Op::Unary(kind, f(a)),
            Op::Binary(kind, a, b) => Op::Binary(kind, f(a), f(b)),
            Op::Fused(kind, list) => Op::Fused(kind, list.map(f)),
            Op::Select(list) => Op::Select(list.map(f)),
        }
    }
}

/// A straight line of operations; the last one's value is the result.
///
/// It holds no operation twice and none that the result does not need.
///
/// ```
/// use windfall_expr::{Expr, Names};
///
/// let expr = Expr::parse("exp(-(x0^2 + x1^2))", &Names::indexed(2)).unwrap();
/// assert_eq!(
///     expr.program().to_string(),
///     "v0 = x0
/// v1 = x1
/// v2 = mul v0 v0
/// v3 = fma v1 v1 v2
/// v4 = neg v3
/// v5 = exp v4
/// "
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub(crate) ops: Vec<Op>,
    pub(crate) columns: usize,
    pub(crate) truth: bool,
}

impl Program {
    /// The operations in order; never empty.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The number of columns the formula was parsed for, used or not.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The columns the result depends on, ascending.
    pub fn columns_used(&self) -> Vec<usize> {
        let mut used: Vec<usize> = self
            .ops
            .iter()
            .filter_map(|op| if let Op::Input(index) = op { Some(*index as usize) } else { None })
            .collect();
        used.sort_unstable();
        used
    }

    /// Whether the result is a truth value: always 0 or 1.
    pub fn is_truth(&self) -> bool {
        self.truth
    }

    /// The result, if it is the same at every point.
    pub fn as_constant(&self) -> Option<f64> {
        match self.ops.last() {
            Some(Op::Constant(value)) => Some(*value),
            _ => None,
        }
    }

    /// The column that the result is, if it is nothing but a column.
    pub fn as_column(&self) -> Option<usize> {
        match self.ops.last() {
            Some(Op::Input(index)) => Some(*index as usize),
            _ => None,
        }
    }
}

impl Unary {
    /// The name of the operation in a printed program; where C has the function, C's name.
    pub fn name(self) -> &'static str {
        match self {
            Unary::Negative => "neg",
            Unary::Abs => "fabs",
            Unary::Sqrt => "sqrt",
            Unary::Floor => "floor",
            Unary::Ceil => "ceil",
            Unary::Round => "rint",
            Unary::Trunc => "trunc",
            Unary::Cbrt => "cbrt",
            Unary::Exp => "exp",
            Unary::Expm1 => "expm1",
            Unary::Log => "log",
            Unary::Log1p => "log1p",
            Unary::Log2 => "log2",
            Unary::Log10 => "log10",
            Unary::Sin => "sin",
            Unary::Cos => "cos",
            Unary::Tan => "tan",
            Unary::Asin => "asin",
            Unary::Acos => "acos",
            Unary::Atan => "atan",
            Unary::Sinh => "sinh",
            Unary::Cosh => "cosh",
            Unary::Tanh => "tanh",
            Unary::Erf => "erf",
            Unary::Erfc => "erfc",
            Unary::Lgamma => "lgamma",
            Unary::Digamma => "digamma",
            Unary::NormalPdf => "normal_pdf",
            Unary::NormalCdf => "normal_cdf",
            Unary::NormalQuantile => "normal_quantile",
        }
    }
}

impl Binary {
    /// The name of the operation in a printed program.
    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "add",
            Binary::Sub => "sub",
            Binary::Mul => "mul",
            Binary::Div => "div",
            Binary::Min => "min",
            Binary::Max => "max",
            Binary::Less => "lt",
            Binary::LessEqual => "le",
            Binary::Equal => "eq",
            Binary::NotEqual => "ne",
            Binary::Pow => "pow",
            Binary::Atan2 => "atan2",
        }
    }
}

impl Fused {
    /// The name of the operation in a printed program.
    pub fn name(self) -> &'static str {
        match self {
            Fused::MulAdd => "fma",
            Fused::MulSub => "fms",
            Fused::NegMulAdd => "fnma",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, op) in self.ops.iter().enumerate() {
            write!(f, "v{id} = ")?;
            match op {
                Op::Constant(value) => write!(f, "{value:?}")?,
                Op::Input(index) => write!(f, "x{index}")?,
                Op::Unary(kind, _) => f.write_str(kind.name())?,
                Op::Binary(kind, ..) => f.write_str(kind.name())?,
                Op::Fused(kind, _) => f.write_str(kind.name())?,
                Op::Select(_) => f.write_str("select")?,
            }
            for operand in op.operands() {
                write!(f, " v{operand}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
