//! Whatever comes in, the parser answers: an expression or problems, in bounded time, no panic.

use crate::common::Dice;
use windfall_expr::{Aggregate, Argument, Expr, Names, Statistic, Vocabulary, Workspace};

const WORDS: &[&str] = &[
    "x0",
    "x1",
    "x9",
    "(",
    ")",
    "+",
    "-",
    "*",
    "/",
    "^",
    "**",
    "<",
    "<=",
    "==",
    "=",
    "!=",
    "!",
    "and",
    "or",
    "not",
    "if(",
    "sin(",
    "max(",
    "mean(",
    "quantile(",
    ",",
    "1",
    "2.5e3",
    "1e",
    ".",
    "pi",
    "\"",
    "`",
    "`x0`",
    "$",
    "&&",
    "≤",
    "²",
    "\n",
    " ",
    "é",
    "_",
    "0",
    "if",
    "\u{0}",
    "日本",
];

fn vocabulary() -> Vocabulary {
    use Argument::{Column, Number};
    let aggregates =
        [Aggregate::new("mean", &[Column]), Aggregate::new("quantile", &[Column, Number])];
    Vocabulary::new(Names::indexed(2)).with(aggregates)
}

/// Parses in every way and prints and evaluates what comes of it.
fn try_all(text: &str, vocabulary: &Vocabulary) -> bool {
    let mut fine = false;
    match Expr::parse(text, vocabulary.names()) {
        Ok(expr) => {
            fine = true;
            let _ = expr.program().to_string();
            expr.evaluate_one(&[0.5, -1.5], &mut Workspace::new());
        }
        Err(problems) => assert!(!problems.to_string().is_empty()),
    }
    match Statistic::parse(text, vocabulary) {
        Ok(statistic) => {
            let slots = vec![1.0; statistic.slots().len()];
            statistic.value(&slots, &mut Workspace::new());
        }
        Err(problems) => assert!(!problems.list().is_empty()),
    }
    fine
}

#[test]
fn random_words_never_panic() {
    let (mut dice, vocabulary, mut fine) = (Dice(21), vocabulary(), 0);
    for _ in 0..20_000 {
        let count = 1 + dice.below(12);
        let spaced = dice.below(2) == 0;
        let words: Vec<&str> = (0..count).map(|_| WORDS[dice.below(WORDS.len())]).collect();
        fine += usize::from(try_all(&words.join(if spaced { " " } else { "" }), &vocabulary));
    }
    assert!(fine > 100, "only {fine} of the formulas were right: the test tests little");
}

#[test]
fn random_bytes_never_panic() {
    let (mut dice, vocabulary) = (Dice(22), vocabulary());
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..dice.below(40)).map(|_| dice.next() as u8).collect();
        try_all(&String::from_utf8_lossy(&bytes), &vocabulary);
    }
}

#[test]
fn a_broken_formula_never_panics() {
    let (mut dice, vocabulary) = (Dice(23), vocabulary());
    let whole =
        "if(x0 < 1 and not x1, max(x0, -x1^2, 2e-3)*\"x1\", mean(x0)/quantile(x1, 0.9) - pi)";
    for _ in 0..20_000 {
        let mut bytes = whole.as_bytes().to_vec();
        for _ in 0..1 + dice.below(3) {
            let at = dice.below(bytes.len());
            match dice.below(3) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, 32 + dice.below(95) as u8),
                _ => bytes[at] = 32 + dice.below(95) as u8,
            }
        }
        try_all(&String::from_utf8_lossy(&bytes), &vocabulary);
    }
}
