//! A formula that has been read, checked and made ready to run.

use crate::error::Problems;
use crate::evaluate::{Code, Workspace};
use crate::lower::lower;
use crate::names::Names;
use crate::parser::parse;
use crate::program::Program;
use crate::tree::Tree;
use crate::vocabulary::Vocabulary;
use std::fmt;

/// A formula over columns, ready to be evaluated at many points.
///
/// # Language
/// Numbers (`2`, `0.5`, `1.5e-3`, `1_000`), columns, `pi` and `e`; `+ - * /`, powers `^` or `**`;
/// `< <= > >= == !=`, which chain (`0 < x < 1`) and yield 1 or 0; `and`, `or`, `not`;
/// `if(condition, a, b)`; the functions that [`functions`](crate::functions) lists. A condition
/// holds if it is not 0. As in Python, a power binds tighter than a sign before it (`-x^2` is
/// `-(x^2)`) and groups to the right. Columns come before constants of the same name; a name that
/// is not an identifier stands in double or back quotes. Both sides of `if`, `and` and `or` are
/// always computed.
///
/// # Rounding
/// Every operation rounds once, to nearest; functions have the error bounds of
/// `windfall_lanes::math`. A sum with one product in it is fused, `a*b + c` rounded once; of a sum
/// of two products the second is fused; in a difference of two products both are rounded, so that
/// `a*b - c*d` is 0 where they are equal. Powers `x^2` to `x^16` are multiplications, by squaring,
/// and count as products; `x^-n` is `1/x^n`, `x^0.5` is `sqrt(x)`. Results have the same bits on
/// every processor, in blocks of any length or one by one (of a NaN, only that it is one).
///
/// # Examples
/// ```
/// use windfall_expr::{Expr, Names, Workspace};
///
/// let expr = Expr::parse("x0^2 + x1^2 < 1", &Names::indexed(2))?;
/// let (x0, x1) = ([0.5, 0.9], [0.5, 0.9]);
/// let mut inside = [0.0; 2];
/// expr.evaluate(&[&x0, &x1], &mut inside, &mut Workspace::new());
/// assert_eq!(inside, [1.0, 0.0]);
/// # Ok::<(), windfall_expr::Problems>(())
/// ```
#[derive(Clone, Debug)]
pub struct Expr {
    text: String,
    program: Program,
    code: Code,
}

impl Expr {
    /// Reads and checks the formula `text` over the columns `names`.
    ///
    /// # Errors
    /// [`Problems`] lists every mistake with its place and, where there is one, a remedy.
    ///
    /// # Cost
    /// Time and memory proportional to the length of `text`, which is bounded by
    /// [`LENGTH_BYTES_MAX`](crate::LENGTH_BYTES_MAX).
    pub fn parse(text: &str, names: &Names) -> Result<Expr, Problems> {
        Expr::parse_with(text, &Vocabulary::new(names.clone()))
    }

    /// Reads and checks the formula `text` over the columns and constants of `vocabulary`, which
    /// may hold no aggregates.
    ///
    /// ```
    /// use windfall_expr::{Expr, Names, Vocabulary, Workspace};
    /// let words = Vocabulary::new(Names::columns(["x"])).with_constants([("scale", 3.0)]);
    /// let expr = Expr::parse_with("scale*x", &words)?;
    /// assert_eq!(expr.evaluate_one(&[2.0], &mut Workspace::new()), 6.0);
    /// # Ok::<(), windfall_expr::Problems>(())
    /// ```
    ///
    /// # Errors
    /// As [`Expr::parse`].
    pub fn parse_with(text: &str, vocabulary: &Vocabulary) -> Result<Expr, Problems> {
        let tree = parse(text, vocabulary)?;
        Ok(Expr::from_tree(text, &tree, vocabulary.names().len()))
    }

    /// The expression of a checked tree without aggregates.
    pub(crate) fn from_tree(text: &str, tree: &Tree, columns: usize) -> Expr {
        let program = lower(tree, columns);
        let code = Code::new(&program);
        Expr { text: text.to_owned(), program, code }
    }

    /// Writes the value at each point to `out`.
    ///
    /// # Shapes
    /// `columns`: one slice per column of the names the formula was parsed for, in their order;
    /// those that [`Program::columns_used`] lists are as long as `out`, the others are not read.
    ///
    /// # Cost
    /// No allocation once `workspace` has served a formula of this size. A nanosecond or less per
    /// point for a formula with one function such as `exp`, on a processor with AVX-512.
    ///
    /// # Panics
    /// If the number of columns or a length is wrong.
    pub fn evaluate(&self, columns: &[&[f64]], out: &mut [f64], workspace: &mut Workspace) {
        self.code.evaluate(columns, out, workspace);
    }

    /// The value at one point: the same bits that [`evaluate`](Expr::evaluate) gives there.
    ///
    /// # Panics
    /// If `point` does not have one coordinate per column.
    pub fn evaluate_one(&self, point: &[f64], workspace: &mut Workspace) -> f64 {
        self.code.evaluate_one(point, workspace)
    }

    /// The operations of the formula.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The formula as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
