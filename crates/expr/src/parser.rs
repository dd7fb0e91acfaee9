//! Read tokens into a checked tree, and go on after each mistake to find the next.
//!
//! # Grammar
//! From loosest to tightest, as in Python: `or`, `and`, `not`, comparisons (which chain:
//! `0 < x < 1`), `+ -`, `* /`, unary `-` and `+`, and the power `^` or `**`, which groups to the
//! right and binds tighter than a sign on its left: `-x^2` is `-(x^2)`, `2^-x` is `2^(-x)`.
//!
//! The parser recurses once per nesting level and refuses to nest deeper than [`DEPTH_MAX`]; long
//! sums and products are loops.

use crate::error::{ProblemKind, Problems};
use crate::lexer::{Token, TokenKind, tokens};
use crate::tree::{NodeId, NodeKind, Operator, Relation, Tree};
use crate::vocabulary::Vocabulary;
use std::ops::Range;

/// The longest formula, in bytes.
pub const LENGTH_BYTES_MAX: usize = 64 * 1024;

/// The deepest nesting of parentheses, calls, signs and powers.
pub const DEPTH_MAX: usize = 128;

/// How tightly an operator holds its operands; larger is tighter.
pub(crate) type Binding = u8;

pub(crate) const OR: Binding = 1;
const AND: Binding = 2;
const NOT: Binding = 3;
const COMPARISON: Binding = 4;
const SUM: Binding = 5;
const PRODUCT: Binding = 6;
const SIGN: Binding = 7;
const POWER: Binding = 8;

/// Parses and checks `text`.
///
/// # Errors
/// Every mistake found; the tree is then of no use.
pub(crate) fn parse(text: &str, vocabulary: &Vocabulary) -> Result<Tree, Problems> {
    let mut problems = Problems::new(text);
    if text.len() > LENGTH_BYTES_MAX {
        let message =
            format!("the formula is {} bytes long, more than {LENGTH_BYTES_MAX}", text.len());
        problems.add(ProblemKind::TooLong, 0..0, message, None);
        problems.into_result()?;
        return Ok(Tree::default());
    }
    let tokens = tokens(text, &mut problems);
    let mut parser =
        Parser { text, vocabulary, tokens, at: 0, depth: 0, tree: Tree::default(), problems };
    parser.formula();
    parser.problems.into_result()?;
    Ok(parser.tree)
}

pub(crate) struct Parser<'a> {
    text: &'a str,
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) tokens: Vec<Token>,
    pub(crate) at: usize,
    depth: usize,
    pub(crate) tree: Tree,
    pub(crate) problems: Problems,
}

impl<'a> Parser<'a> {
    pub(crate) fn kind(&self) -> TokenKind {
        self.tokens[self.at].kind
    }

    pub(crate) fn bytes(&self) -> Range<usize> {
        self.tokens[self.at].bytes.clone()
    }

    /// The text of the token here.
    pub(crate) fn written(&self) -> &'a str {
        &self.text[self.bytes()]
    }

    pub(crate) fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    pub(crate) fn take(&mut self, kind: TokenKind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.advance();
        }
        found
    }

    pub(crate) fn problem(
        &mut self,
        kind: ProblemKind,
        bytes: Range<usize>,
        message: String,
        hint: &str,
    ) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.problems.add(kind, bytes, message, hint);
    }

    pub(crate) fn push(&mut self, kind: NodeKind, bytes: Range<usize>, first: NodeId) -> NodeId {
        self.tree.push(kind, bytes, first)
    }

    pub(crate) fn leaf(&mut self, kind: NodeKind, bytes: Range<usize>) -> NodeId {
        let first = self.tree.nodes.len();
        self.push(kind, bytes, first)
    }

    /// The bytes from the start of node `a` to the end of node `b`.
    fn span(&self, a: NodeId, b: NodeId) -> Range<usize> {
        self.tree.nodes[a].bytes.start..self.tree.nodes[b].bytes.end
    }

    fn first(&self, id: NodeId) -> NodeId {
        self.tree.nodes[id].first
    }

    /// The whole text; what is left over after an expression is a problem and is read on.
    fn formula(&mut self) {
        if self.kind() == TokenKind::End {
            let hint = "write a formula such as `exp(-x0^2)`";
            self.problem(ProblemKind::Empty, 0..0, "the formula is empty".to_owned(), hint);
            return;
        }
        let mut left = self.expression(OR);
        while self.kind() != TokenKind::End {
            let bytes = self.bytes();
            if self.kind() == TokenKind::Close {
                let message = "this `)` closes nothing".to_owned();
                self.problem(ProblemKind::UnopenedParenthesis, bytes, message, "remove it");
                self.advance();
                left = self.operators(left, OR);
            } else {
                let message = "a `,` outside the arguments of a function".to_owned();
                self.problem(
                    ProblemKind::StrayComma,
                    bytes,
                    message,
                    "a formula is one expression",
                );
                self.advance();
                left = self.expression(OR);
            }
        }
    }

    /// An expression whose operators all bind at least as tightly as `loosest`.
    pub(crate) fn expression(&mut self, loosest: Binding) -> NodeId {
        if self.depth == DEPTH_MAX {
            let message = format!("the formula nests deeper than {DEPTH_MAX}");
            let bytes = self.bytes();
            self.problem(ProblemKind::TooDeep, bytes.clone(), message, "split it into parts");
            self.at = self.tokens.len() - 1;
            return self.leaf(NodeKind::Error, bytes);
        }
        self.depth += 1;
        let left = self.value();
        let node = self.operators(left, loosest);
        self.depth -= 1;
        node
    }

    /// What may follow the value `left`: operators that bind at least as tightly as `loosest`.
    fn operators(&mut self, mut left: NodeId, loosest: Binding) -> NodeId {
        loop {
            if let Some(relation) = relation(self.kind()) {
                if COMPARISON < loosest {
                    return left;
                }
                left = self.comparison(left, relation);
                continue;
            }
            let missing = starts_value(self.kind());
            let (operator, binding) = match operator(self.kind()) {
                Some(found) => found,
                None if missing || self.kind() == TokenKind::Stray => (Operator::Multiply, PRODUCT),
                None => return left,
            };
            if binding < loosest {
                return left;
            }
            if missing {
                self.missing_operator(left);
            } else {
                self.advance();
                if self.tokens[self.at - 1].kind == TokenKind::Stray && !starts_value(self.kind()) {
                    continue;
                }
            }
            let tighter = if operator == Operator::Power { SIGN } else { binding + 1 };
            let right = self.expression(tighter);
            let (bytes, first) = (self.span(left, right), self.first(left));
            left = self.push(NodeKind::Binary(operator, left, right), bytes, first);
        }
    }

    /// `left < b <= c …`, read as a whole: it means `left < b and b <= c`.
    fn comparison(&mut self, left: NodeId, mut next: Relation) -> NodeId {
        let (mut operands, mut relations) = (vec![left], Vec::new());
        loop {
            self.advance();
            relations.push(next);
            operands.push(self.expression(COMPARISON + 1));
            match relation(self.kind()) {
                Some(more) => next = more,
                None => break,
            }
        }
        let (bytes, first) = (self.span(left, operands[operands.len() - 1]), self.first(left));
        self.push(NodeKind::Comparison(operands, relations), bytes, first)
    }

    fn missing_operator(&mut self, left: NodeId) {
        let before = &self.text[self.tree.nodes[left].bytes.clone()];
        let called =
            self.kind() == TokenKind::Open && self.tokens[self.at - 1].kind != TokenKind::Close;
        let hint = if called && matches!(self.tree.nodes[left].kind, NodeKind::Variable(_)) {
            format!("`{before}` is a variable; to multiply write `{before}*(`")
        } else {
            "for a product write `*`".to_owned()
        };
        let message = format!("an operator is missing before `{}`", self.written());
        let bytes = self.bytes();
        self.problem(ProblemKind::MissingOperator, bytes, message, &hint);
    }

    /// A number, a name, a call, something in parentheses, or a sign before such.
    fn value(&mut self) -> NodeId {
        let bytes = self.bytes();
        match self.kind() {
            TokenKind::Number(value) => {
                self.advance();
                self.leaf(NodeKind::Number(value), bytes)
            }
            TokenKind::Name => self.name(),
            TokenKind::Quoted => {
                let name = &self.text[bytes.start + 1..bytes.end - 1];
                self.advance();
                self.variable(name, bytes)
            }
            TokenKind::Open => {
                self.advance();
                let inside = self.expression(OR);
                self.close(bytes.start);
                self.tree.nodes[inside].bytes = bytes.start..self.tokens[self.at - 1].bytes.end;
                inside
            }
            TokenKind::Plus => {
                self.advance();
                self.expression(SIGN)
            }
            TokenKind::Minus => self.prefixed(SIGN, NodeKind::Negative),
            TokenKind::Not => self.prefixed(NOT, NodeKind::Not),
            TokenKind::Stray => {
                self.advance();
                if starts_value(self.kind()) {
                    self.expression(POWER)
                } else {
                    self.leaf(NodeKind::Error, bytes)
                }
            }
            _ => self.missing_value(),
        }
    }

    fn prefixed(&mut self, binding: Binding, kind: fn(NodeId) -> NodeKind) -> NodeId {
        let start = self.bytes().start;
        self.advance();
        let operand = self.expression(binding);
        let (bytes, first) = (start..self.tree.nodes[operand].bytes.end, self.first(operand));
        self.push(kind(operand), bytes, first)
    }

    /// Complains that no value is here; skips operators so that what follows them is checked.
    fn missing_value(&mut self) -> NodeId {
        let (kind, bytes) = (self.kind(), self.bytes());
        let place = match (self.at, kind) {
            (_, TokenKind::End) => "at the end".to_owned(),
            _ => format!("before `{}`", self.written()),
        };
        let message = format!("a value is missing {place}");
        self.problem(ProblemKind::MissingValue, bytes.clone(), message, "");
        if matches!(kind, TokenKind::End | TokenKind::Close | TokenKind::Comma) {
            return self.leaf(NodeKind::Error, bytes.start..bytes.start);
        }
        self.advance();
        if starts_value(self.kind()) {
            return self.expression(POWER);
        }
        self.leaf(NodeKind::Error, bytes)
    }

    /// Takes the `)` that ends what was opened at byte `open`, or complains there.
    pub(crate) fn close(&mut self, open: usize) {
        if !self.take(TokenKind::Close) {
            let message = "this `(` is never closed".to_owned();
            let kind = ProblemKind::UnclosedParenthesis;
            self.problem(kind, open..open + 1, message, "add a `)`");
        }
    }
}

fn starts_value(kind: TokenKind) -> bool {
    use TokenKind::*;
    matches!(kind, Number(_) | Name | Quoted | Open | Not)
}

fn operator(kind: TokenKind) -> Option<(Operator, Binding)> {
    Some(match kind {
        TokenKind::Or => (Operator::Or, OR),
        TokenKind::And => (Operator::And, AND),
        TokenKind::Plus => (Operator::Add, SUM),
        TokenKind::Minus => (Operator::Subtract, SUM),
        TokenKind::Star => (Operator::Multiply, PRODUCT),
        TokenKind::Slash => (Operator::Divide, PRODUCT),
        TokenKind::Power => (Operator::Power, POWER),
        _ => return None,
    })
}

fn relation(kind: TokenKind) -> Option<Relation> {
    Some(match kind {
        TokenKind::Less => Relation::Less,
        TokenKind::LessEqual => Relation::LessEqual,
        TokenKind::Greater => Relation::Greater,
        TokenKind::GreaterEqual => Relation::GreaterEqual,
        TokenKind::Equal => Relation::Equal,
        TokenKind::NotEqual => Relation::NotEqual,
        _ => return None,
    })
}
