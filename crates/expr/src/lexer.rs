//! Cut a formula into tokens, and forgive on the way what other languages write differently.
//!
//! A foreign spelling (`&&`, `≤`, `[`) is a problem, yet it yields the token that was meant, so
//! that the parser can go on and find what else is wrong.

use crate::error::{ProblemKind, Problems};
use crate::names::{is_name_part, is_name_start};
use std::ops::Range;

/// One word of a formula and the bytes it covers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub bytes: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TokenKind {
    Number(f64),
    /// A bare word; its text is read from the formula.
    Name,
    /// A name in quotes; the token covers the quotes too.
    Quoted,
    Plus,
    Minus,
    Star,
    Slash,
    Power,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
    Not,
    Comma,
    Open,
    Close,
    /// Characters already complained about: they may stand for anything.
    Stray,
    End,
}

use TokenKind::*;

/// What is written, what it means.
const OPERATORS: &[(&str, TokenKind)] = &[
    ("**", Power),
    ("<=", LessEqual),
    (">=", GreaterEqual),
    ("==", Equal),
    ("!=", NotEqual),
    ("+", Plus),
    ("-", Minus),
    ("*", Star),
    ("/", Slash),
    ("^", Power),
    ("<", Less),
    (">", Greater),
    (",", Comma),
    ("(", Open),
    (")", Close),
];

/// What is written elsewhere, what it means, how it is written here. Longer ones come first.
const FOREIGN: &[(&str, TokenKind, &str)] = &[
    ("&&", And, "and"),
    ("||", Or, "or"),
    ("<>", NotEqual, "!="),
    ("=<", LessEqual, "<="),
    ("=>", GreaterEqual, ">="),
    ("===", Equal, "=="),
    ("=", Equal, "=="),
    ("&", And, "and"),
    ("|", Or, "or"),
    ("!", Not, "not"),
    ("[", Open, "("),
    ("]", Close, ")"),
    ("{", Open, "("),
    ("}", Close, ")"),
    ("\u{2264}", LessEqual, "<="),
    ("\u{2265}", GreaterEqual, ">="),
    ("\u{2260}", NotEqual, "!="),
    ("\u{d7}", Star, "*"),
    ("\u{b7}", Star, "*"),
    ("\u{f7}", Slash, "/"),
    ("\u{2212}", Minus, "-"),
    ("\u{2013}", Minus, "-"),
];

/// Splits `text` into tokens; the last is [`End`].
pub(crate) fn tokens(text: &str, problems: &mut Problems) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), problems };
    while lexer.at < text.len() {
        lexer.next();
    }
    lexer.tokens.push(Token { kind: End, bytes: text.len()..text.len() });
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    problems: &'a mut Problems,
}

impl Lexer<'_> {
    fn next(&mut self) {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return };
        if first.is_whitespace() {
            self.at += first.len_utf8();
        } else if first.is_ascii_digit()
            || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            self.number();
        } else if is_name_start(first) {
            self.word();
        } else if first == '"' || first == '`' {
            self.quoted(first);
        } else if !self.operator() {
            self.stray();
        }
    }

    /// Ends a token of `length` bytes here.
    fn push(&mut self, kind: TokenKind, length: usize) {
        self.tokens.push(Token { kind, bytes: self.at..self.at + length });
        self.at += length;
    }

    fn problem(&mut self, kind: ProblemKind, length: usize, message: String, hint: &str) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.problems.add(kind, self.at..self.at + length, message, hint);
    }

    fn operator(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let foreign = FOREIGN.iter().filter(|(text, ..)| rest.starts_with(text));
        let own = OPERATORS.iter().filter(|(text, _)| rest.starts_with(text));
        let foreign = foreign.max_by_key(|(text, ..)| text.chars().count());
        let own = own.max_by_key(|(text, _)| text.len());
        match (own, foreign) {
            (Some((text, kind)), Some((other, ..))) if text.len() >= other.len() => {
                self.push(*kind, text.len());
            }
            (_, Some((text, kind, here))) => {
                let message = format!("`{text}` is not an operator here");
                let hint = format!("write `{here}`");
                self.problem(ProblemKind::ForeignOperator, text.len(), message, &hint);
                self.push(*kind, text.len());
            }
            (Some((text, kind)), None) => self.push(*kind, text.len()),
            (None, None) => return false,
        }
        true
    }

    /// Digits, a fraction and an exponent; `_` may part digits.
    fn number(&mut self) {
        let rest = &self.text[self.at..];
        let mut length = digits(rest);
        if rest[length..].starts_with('.') {
            length += 1;
            length += digits(&rest[length..]);
        }
        if rest[length..].starts_with(['e', 'E']) {
            let mut power = length + 1;
            power += usize::from(rest[power..].starts_with(['+', '-']));
            match digits(&rest[power..]) {
                // `2e` and `2exp(x)` are a number and a name; `2e+` is a broken number.
                0 if power == length + 1 => {}
                more => length = power + more,
            }
        }
        while rest[length..].starts_with('.') {
            length += 1;
            length += digits(&rest[length..]);
        }
        let written = &rest[..length];
        let value = written.replace('_', "").parse::<f64>();
        let parted = !written.contains("__") && !written.contains("_.") && !written.ends_with('_');
        match value {
            Ok(value) if value.is_finite() && parted => self.push(Number(value), length),
            Ok(value) if !value.is_finite() => {
                let message = format!("the number `{written}` is too large");
                self.problem(ProblemKind::BadNumber, length, message, "doubles end near 1.8e308");
                self.push(Stray, length);
            }
            _ => {
                let message = format!("`{written}` is not a number");
                let hint = "numbers look like `2`, `0.5`, `1.5e-3` or `1_000`";
                self.problem(ProblemKind::BadNumber, length, message, hint);
                self.push(Stray, length);
            }
        }
    }

    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
        let length = rest[..length].trim_end_matches('.').len();
        let kind = match &rest[..length] {
            "and" => And,
            "or" => Or,
            "not" => Not,
            _ => Name,
        };
        self.push(kind, length);
    }

    fn quoted(&mut self, quote: char) {
        let inside = &self.text[self.at + 1..];
        match inside.find(quote) {
            Some(length) => self.push(Quoted, length + 2),
            None => {
                let message = format!("the name after `{quote}` is never closed");
                let hint = format!("end it with another `{quote}`");
                self.problem(ProblemKind::UnclosedQuote, 1, message, &hint);
                self.push(Stray, inside.len() + 1);
            }
        }
    }

    /// One complaint for a run of characters that mean nothing.
    fn stray(&mut self) {
        let rest = &self.text[self.at..];
        let means = |c: char| {
            c.is_whitespace()
                || is_name_part(c)
                || matches!(c, '"' | '`')
                || OPERATORS.iter().any(|(text, _)| text.starts_with(c))
                || FOREIGN.iter().any(|(text, ..)| text.starts_with(c))
        };
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let length = rest[first..].find(means).map_or(rest.len(), |more| first + more);
        let written = &rest[..length];
        let hint = match written {
            "%" => "for a remainder write `x - y*floor(x/y)`",
            "'" => "put an odd name in `\"` or in back quotes",
            ";" => "a formula is one expression; separate arguments by `,`",
            "\u{b2}" => "write `^2`",
            "\u{b3}" => "write `^3`",
            "\u{221a}" => "write `sqrt(...)`",
            _ => "",
        };
        let shown: String = written.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        let message = format!("stray `{shown}`");
        self.problem(ProblemKind::StrayCharacter, length, message, hint);
        self.push(Stray, length);
    }
}

/// The length of a run of digits and underscores that starts with a digit.
fn digits(text: &str) -> usize {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !(c.is_ascii_digit() || c == '_')).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> (Vec<TokenKind>, usize) {
        let mut problems = Problems::new(text);
        let mut kinds: Vec<TokenKind> =
            tokens(text, &mut problems).into_iter().map(|token| token.kind).collect();
        assert_eq!(kinds.pop(), Some(End));
        (kinds, problems.into_result().map_or_else(|p| p.list().len(), |()| 0))
    }

    #[test]
    fn numbers_take_their_usual_forms() {
        for (text, value) in
            [("1", 1.0), ("1.5e-3", 1.5e-3), (".5", 0.5), ("2.", 2.0), ("1_000", 1e3), ("3E2", 3e2)]
        {
            assert_eq!(kinds(text), (vec![Number(value)], 0), "{text}");
        }
        for text in ["1.2.3", "1__0", "1_", "1e999", "1e+", "1_.5"] {
            assert_eq!(kinds(text), (vec![Stray], 1), "{text}");
        }
        assert_eq!(kinds("2e"), (vec![Number(2.0), Name], 0));
    }

    #[test]
    fn the_longest_operator_wins() {
        assert_eq!(kinds("x**2<=y"), (vec![Name, Power, Number(2.0), LessEqual, Name], 0));
        assert_eq!(kinds("!=").0, [NotEqual]);
    }

    #[test]
    fn foreign_operators_are_read_as_meant() {
        assert_eq!(kinds("a && b || !c"), (vec![Name, And, Name, Or, Not, Name], 3));
        assert_eq!(kinds("a = b"), (vec![Name, Equal, Name], 1));
        assert_eq!(kinds("a ≤ b"), (vec![Name, LessEqual, Name], 1));
        assert_eq!(kinds("[a]"), (vec![Open, Name, Close], 2));
    }

    #[test]
    fn a_run_of_strays_is_one_problem() {
        assert_eq!(kinds("a $#@ b"), (vec![Name, Stray, Name], 1));
        assert_eq!(kinds("\"open"), (vec![Stray], 1));
        assert_eq!(kinds("`odd name` + a.b"), (vec![Quoted, Plus, Name], 0));
    }
}
