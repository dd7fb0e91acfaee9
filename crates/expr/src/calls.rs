//! Find out what the names of a formula mean, and what was meant by those that mean nothing.

use crate::error::ProblemKind;
use crate::functions;
use crate::lexer::TokenKind;
use crate::names::nearest;
use crate::parser::{OR, Parser};
use crate::tree::{NodeId, NodeKind};
use std::ops::Range;

impl Parser<'_> {
    /// A bare name: a call if `(` follows, else a variable or a constant.
    pub(crate) fn name(&mut self) -> NodeId {
        let (bytes, name) = (self.bytes(), self.written());
        self.advance();
        let called = self.kind() == TokenKind::Open;
        if called && (self.is_function(name) || !self.is_value(name)) {
            return self.call(name, bytes);
        }
        self.variable(name, bytes)
    }

    fn is_function(&self, name: &str) -> bool {
        functions::find(name).is_some() || self.vocabulary.aggregate_named(name).is_some()
    }

    fn is_value(&self, name: &str) -> bool {
        self.vocabulary.names.find(name).is_some()
            || self.vocabulary.constant(name).is_some()
            || functions::constant(name).is_some()
    }

    /// Columns come before constants: a table may have a column called `e`.
    pub(crate) fn variable(&mut self, name: &str, bytes: Range<usize>) -> NodeId {
        let quoted = bytes.len() > name.len();
        if let Some(index) = self.vocabulary.names.find(name) {
            return self.leaf(NodeKind::Variable(index), bytes);
        }
        if let Some(value) = self.vocabulary.constant(name) {
            return self.leaf(NodeKind::Number(value), bytes);
        }
        if let Some(value) = functions::constant(name).filter(|_| !quoted) {
            return self.leaf(NodeKind::Number(value), bytes);
        }
        if self.is_function(name) && !quoted {
            let message = format!("the function `{name}` has no arguments here");
            let hint = format!("write {}", self.usage(name));
            self.problem(ProblemKind::MissingArguments, bytes.clone(), message, &hint);
        } else {
            let message = format!("unknown variable `{name}`");
            let hint = (!self.problems.is_full()).then(|| self.vocabulary.names.hint(name));
            self.problems.add(ProblemKind::UnknownVariable, bytes.clone(), message, hint);
        }
        self.leaf(NodeKind::Error, bytes)
    }

    /// The arguments of a call whose `(` is here, and the check of their number.
    fn call(&mut self, name: &str, word: Range<usize>) -> NodeId {
        let (open, first) = (self.bytes().start, self.tree.nodes.len());
        self.advance();
        let mut arguments = Vec::new();
        if self.kind() != TokenKind::Close {
            arguments.push(self.expression(OR));
            while self.take(TokenKind::Comma) {
                arguments.push(self.expression(OR));
            }
        }
        self.close(open);
        let bytes = word.start..self.tokens[self.at - 1].bytes.end;
        let count = arguments.len();
        let function = functions::find(name);
        let kind = match (function, self.vocabulary.aggregate(name, count)) {
            (Some(function), _) if function.takes(count) => NodeKind::Call(function, arguments),
            (_, Some(index)) => NodeKind::Aggregate(index, arguments),
            // A count that a missing value spoilt was complained about.
            _ if self.is_function(name) && arguments.iter().any(|&id| self.is_gap(id)) => {
                NodeKind::Error
            }
            _ => {
                self.refused(name, word, count);
                NodeKind::Error
            }
        };
        self.push(kind, bytes, first)
    }

    /// Whether nothing stands where node `id` should.
    fn is_gap(&self, id: NodeId) -> bool {
        self.tree.nodes[id].bytes.is_empty()
    }

    fn refused(&mut self, name: &str, word: Range<usize>, count: usize) {
        if self.is_function(name) {
            let plural = if count == 1 { "" } else { "s" };
            let message = format!("`{name}` does not take {count} argument{plural}");
            let hint = format!("write {}", self.usage(name));
            self.problem(ProblemKind::WrongArgumentCount, word, message, &hint);
            return;
        }
        let message = format!("unknown function `{name}`");
        let hint = if self.problems.is_full() { None } else { self.meant(name) };
        let hint = hint.map(|near| format!("did you mean `{near}`?"));
        self.problems.add(ProblemKind::UnknownFunction, word, message, hint);
    }

    /// The function or aggregate that was meant by an unknown `name`.
    fn meant(&self, name: &str) -> Option<&str> {
        let is_known = |near: &&str| self.is_function(near);
        let aggregates = self.vocabulary.aggregates.iter().map(|each| each.name.as_str());
        let known = functions::all().iter().map(|function| function.name()).chain(aggregates);
        functions::elsewhere(name).filter(is_known).or_else(|| nearest(name, known))
    }

    /// How the function or aggregate `name` is called.
    fn usage(&self, name: &str) -> String {
        let own = functions::find(name).map(|function| format!("`{}`", function.usage));
        let aggregate = self.vocabulary.aggregate_named(name).map(|each| each.usage());
        [aggregate, own].into_iter().flatten().collect::<Vec<String>>().join(" or ")
    }
}
