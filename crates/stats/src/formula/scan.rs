//! Cut the text of a model into words: names, numbers, calls, operators.

use std::ops::Range;
use windfall_expr::{ProblemKind, Problems};

/// One word and the bytes it covers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub kind: WordKind,
    pub bytes: Range<usize>,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum WordKind {
    /// The name of a column, without its quotes.
    Name(String),
    /// A name before parentheses, with the bytes between them.
    Call(String, Range<usize>),
    /// A number.
    Number(f64),
    /// `+ - : * / ^ ( )`, `.` for all other columns, `~`.
    Sign(char),
    /// The end of the text.
    End,
}

/// Whether a name may start with `c`.
fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether a name may go on with `c`.
fn goes_on(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// The words of `text[part]`; what has no meaning is noted and left out.
pub(super) fn words(text: &str, part: Range<usize>, problems: &mut Problems) -> Vec<Word> {
    let (mut words, mut at) = (Vec::new(), part.start);
    while let Some(first) = text[at..part.end].chars().next() {
        let start = at;
        let rest = &text[at..part.end];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let kind = if starts_name(first) {
            at += rest.find(|c| !goes_on(c)).unwrap_or(rest.len());
            let name = text[start..at].to_owned();
            match call(text, at, part.end, problems) {
                None => WordKind::Name(name),
                Some((inside, end)) => {
                    at = end;
                    WordKind::Call(name, inside)
                }
            }
        } else if matches!(first, '`' | '"' | '\'') {
            let inner = &rest[1..];
            let length = inner.find(first);
            if length.is_none() {
                let message = "a quoted name without its second quote";
                problems.add(ProblemKind::UnclosedQuote, start..part.end, message, None);
            }
            let length = length.unwrap_or(inner.len());
            at = (start + length + 2).min(part.end);
            WordKind::Name(inner[..length].to_owned())
        } else if first.is_ascii_digit() {
            let more = |c: char| c.is_ascii_digit() || c == '.' || c == 'e' || c == 'E';
            at += rest.find(|c| !more(c)).unwrap_or(rest.len());
            WordKind::Number(text[start..at].parse().unwrap_or(f64::NAN))
        } else if rest.starts_with("**") {
            at += 2;
            WordKind::Sign('^')
        } else if "+-:*/^().~".contains(first) {
            at += 1;
            WordKind::Sign(first)
        } else {
            at += first.len_utf8();
            let message = format!("`{first}` has no meaning in a model");
            let hint = match first {
                '=' => "write `~` between the response and the terms",
                '|' => "give groups with `by`, not with `|`",
                _ => "terms are joined by + - : * / ^; arithmetic goes within I(…)",
            };
            let kind = ProblemKind::StrayCharacter;
            problems.add(kind, start..at, message, Some(hint.to_owned()));
            continue;
        };
        words.push(Word { kind, bytes: start..at });
    }
    words.push(Word { kind: WordKind::End, bytes: part.end..part.end });
    words
}

/// If parentheses open at `at`: the bytes within them, and where they are closed.
fn call(
    text: &str,
    at: usize,
    end: usize,
    problems: &mut Problems,
) -> Option<(Range<usize>, usize)> {
    let blanks = text[at..end].len() - text[at..end].trim_start().len();
    let open = at + blanks;
    if !text[open..end].starts_with('(') {
        return None;
    }
    let (mut depth, mut quote) = (0, None);
    for (offset, c) in text[open..end].char_indices() {
        match (quote, c) {
            (Some(mark), _) if mark == c => quote = None,
            (Some(_), _) => {}
            (None, '`' | '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((open + 1..open + offset, open + offset + 1));
        }
    }
    let message = "an opening parenthesis without its partner";
    problems.add(ProblemKind::UnclosedParenthesis, open..open + 1, message, None);
    Some((open + 1..end, end))
}

/// The text without blanks but one around words that would run together, as R prints it.
pub(super) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split_whitespace() {
        let joins = |c: Option<char>| c.is_some_and(goes_on);
        if joins(out.chars().last()) && joins(part.chars().next()) {
            out.push(' ');
        }
        out.push_str(part);
    }
    out
}
