//! Say what is wrong with a formula: every problem at once, each with its place and a remedy.
//!
//! A person who typed two mistakes should see two messages. The parser therefore recovers after
//! each problem and collects them here; nothing in this crate stops at the first.

use std::fmt;
use std::ops::Range;

/// Problems beyond this many are counted, not kept: the rest is noise after a broken start.
pub const PROBLEMS_MAX: usize = 20;

/// Characters of the formula shown around a problem; longer lines are cut with `…`.
const SNIPPET_CHARS_MAX: usize = 96;

/// What kind of mistake a [`Problem`] is, for programs that react to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Nothing but blanks.
    Empty,
    /// More than [`crate::LENGTH_BYTES_MAX`] bytes.
    TooLong,
    /// Parentheses, signs or powers nested more than [`crate::DEPTH_MAX`] deep.
    TooDeep,
    /// A character with no meaning here.
    StrayCharacter,
    /// An operator of another language, such as `&&`, or of mathematics, such as `≤`.
    ForeignOperator,
    /// A number that cannot be read or does not fit in a double.
    BadNumber,
    /// A quoted name without its second quote.
    UnclosedQuote,
    /// An opening parenthesis without its partner.
    UnclosedParenthesis,
    /// A closing parenthesis without its partner.
    UnopenedParenthesis,
    /// A comma outside the arguments of a function.
    StrayComma,
    /// A value should stand here.
    MissingValue,
    /// Two values stand side by side.
    MissingOperator,
    /// A name that is neither a variable nor a constant.
    UnknownVariable,
    /// A name before `(` that is not a function.
    UnknownFunction,
    /// A function without its arguments.
    MissingArguments,
    /// The wrong number of arguments.
    WrongArgumentCount,
    /// An aggregate inside the arguments of another.
    NestedAggregate,
    /// A column outside any aggregate, where the result must be one number.
    ColumnOutsideAggregate,
    /// An argument that must be a constant depends on a column.
    NotConstant,
    /// A mistake in a text around expressions, such as the formula of a regression.
    Around,
}

/// One mistake: where it is, what it is, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of mistake it is.
    pub kind: ProblemKind,
    /// The bytes of the formula at fault, counted from 0; empty where something is missing.
    pub bytes: Range<usize>,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// All the mistakes of one formula, in the order of their places.
///
/// It prints each with a snippet and a caret:
///
/// ```
/// use windfall_expr::{Expr, Names};
///
/// let problems = Expr::parse("sqr(x0) + x9", &Names::indexed(2)).unwrap_err();
/// assert_eq!(
///     problems.to_string(),
///     "unknown function `sqr` at column 1
///   sqr(x0) + x9
///   ^^^
///   hint: did you mean `sqrt`?
/// unknown variable `x9` at column 11
///   sqr(x0) + x9
///             ^^
///   hint: the variables are `x0` and `x1`"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    text: String,
    list: Vec<Problem>,
    left_out: usize,
}

impl Problems {
    /// Starts an empty list for `text`: for whoever reads a language around expressions.
    pub fn new(text: &str) -> Problems {
        Problems { text: text.to_owned(), list: Vec::new(), left_out: 0 }
    }

    /// Notes one problem at `bytes` of the text; a second one of the same kind at the same place
    /// is dropped.
    ///
    /// # Panics
    /// If `bytes` starts past the end or within a character.
    pub fn add(
        &mut self,
        kind: ProblemKind,
        bytes: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        if self.list.iter().any(|old| old.kind == kind && old.bytes.start == bytes.start) {
            return;
        }
        if self.is_full() {
            self.left_out += 1;
            return;
        }
        let before = &self.text[..bytes.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = 1 + before.matches('\n').count();
        let column = 1 + before[line_start..].chars().count();
        self.list.push(Problem { kind, bytes, line, column, message: message.into(), hint });
    }

    /// Whether further problems are only counted, so that a hint is not worth its search.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() == PROBLEMS_MAX
    }

    /// Notes what is wrong with an expression that stands at `start` in this text.
    pub fn absorb(&mut self, inner: &Problems, start: usize) {
        for Problem { kind, bytes, message, hint, .. } in &inner.list {
            let bytes = start + bytes.start..start + bytes.end;
            self.add(kind.clone(), bytes, message.as_str(), hint.clone());
        }
        self.left_out += inner.left_out;
    }

    /// The list as an error, unless it is empty.
    ///
    /// # Errors
    /// Itself, in the order of places, if there is any problem.
    pub fn into_result(mut self) -> Result<(), Problems> {
        self.list.sort_by_key(|problem| problem.bytes.start);
        if self.list.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The problems, in the order of their places; never empty in an error, and at most
    /// [`PROBLEMS_MAX`].
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// The formula they are about.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many more problems there are than [`list`](Problems::list) holds.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    fn write_problem(&self, f: &mut fmt::Formatter<'_>, problem: &Problem) -> fmt::Result {
        let Problem { line, column, message, .. } = problem;
        if self.text.contains('\n') {
            writeln!(f, "{message} at line {line}, column {column}")?;
        } else {
            writeln!(f, "{message} at column {column}")?;
        }
        let (snippet, margin, width) = self.snippet(problem);
        write!(f, "  {snippet}\n  {:margin$}{}", "", "^".repeat(width))?;
        match &problem.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }

    /// The line at fault, cut to a readable length, with the caret's margin and width.
    fn snippet(&self, problem: &Problem) -> (String, usize, usize) {
        let source = self.text.lines().nth(problem.line - 1).unwrap_or("");
        let chars: Vec<char> =
            source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let at = (problem.column - 1).min(chars.len());
        let first = if chars.len() <= SNIPPET_CHARS_MAX {
            0
        } else {
            at.saturating_sub(SNIPPET_CHARS_MAX / 2).min(chars.len() - SNIPPET_CHARS_MAX)
        };
        let last = chars.len().min(first + SNIPPET_CHARS_MAX);
        let (head, tail) =
            (if first > 0 { "…" } else { "" }, if last < chars.len() { "…" } else { "" });
        let shown: String = chars[first..last].iter().collect();
        let wanted = self.text[problem.bytes.clone()].chars().count();
        let width = wanted.min(last.saturating_sub(at)).max(1);
        (format!("{head}{shown}{tail}"), at - first + head.chars().count(), width)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            self.write_problem(f, problem)?;
        }
        match self.left_out {
            0 => Ok(()),
            more => write!(f, "\nand {more} more problems"),
        }
    }
}

impl std::error::Error for Problems {}
