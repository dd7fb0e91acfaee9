//! What people get wrong, and what they are told: every message, place and hint.

use windfall_expr::ProblemKind::*;
use windfall_expr::{
    DEPTH_MAX, Expr, LENGTH_BYTES_MAX, Names, PROBLEMS_MAX, Problem, ProblemKind, Problems,
};

fn problems(text: &str) -> Problems {
    Expr::parse(text, &Names::indexed(3)).expect_err(text)
}

/// The only problem of `text`.
fn problem(text: &str) -> Problem {
    let problems = problems(text);
    assert_eq!(problems.list().len(), 1, "`{text}` should have one problem:\n{problems}");
    problems.list()[0].clone()
}

fn kinds(text: &str) -> Vec<ProblemKind> {
    problems(text).list().iter().map(|problem| problem.kind.clone()).collect()
}

#[test]
fn one_mistake_is_one_message_with_its_place() {
    for (text, kind, column) in [
        ("", Empty, 1),
        ("   ", Empty, 1),
        ("x0 + x9", UnknownVariable, 6),
        ("foo(x0)", UnknownFunction, 1),
        ("2*sin", MissingArguments, 3),
        ("sin(x0, x1)", WrongArgumentCount, 1),
        ("1 + sin()", WrongArgumentCount, 5),
        ("max(x0)", WrongArgumentCount, 1),
        ("if(x0, 1)", WrongArgumentCount, 1),
        ("(x0 + 1", UnclosedParenthesis, 1),
        ("sin(x0", UnclosedParenthesis, 4),
        ("x0 + 1)", UnopenedParenthesis, 7),
        ("x0, x1", StrayComma, 3),
        ("x0 +", MissingValue, 5),
        ("x0 + * x1", MissingValue, 6),
        ("* x1", MissingValue, 1),
        ("()", MissingValue, 2),
        ("sin(x0,)", MissingValue, 8),
        ("2x0", MissingOperator, 2),
        ("2 (x0)", MissingOperator, 3),
        ("x0 x1", MissingOperator, 4),
        ("x0(x1)", MissingOperator, 3),
        ("x0 $ x1", StrayCharacter, 4),
        ("x0 + $", StrayCharacter, 6),
        ("$ x0", StrayCharacter, 1),
        ("x0 % 2", StrayCharacter, 4),
        ("x0²", StrayCharacter, 3),
        ("x0 = 1", ForeignOperator, 4),
        ("x0 && x1", ForeignOperator, 4),
        ("!x0", ForeignOperator, 1),
        ("x0 ≤ 1", ForeignOperator, 4),
        ("1.2.3", BadNumber, 1),
        ("1e400 + x0", BadNumber, 1),
        ("`x0 + 1", UnclosedQuote, 1),
        ("\"x9\"", UnknownVariable, 1),
    ] {
        let found = problem(text);
        assert_eq!((found.kind, found.column), (kind, column), "{text}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    assert_eq!(
        kinds("sinn(x0) + x7*)"),
        [UnknownFunction, UnknownVariable, MissingValue, UnopenedParenthesis]
    );
    assert_eq!(
        kinds("(x0 && y + sqrt(1, 2)"),
        [UnclosedParenthesis, ForeignOperator, UnknownVariable, WrongArgumentCount]
    );
    assert_eq!(kinds("foo(bar(baz))"), [UnknownFunction, UnknownFunction, UnknownVariable]);
    assert_eq!(kinds("x8 + x9").len(), 2);
    let many = problems(&vec!["y"; 50].join("+"));
    assert_eq!((many.list().len(), many.left_out()), (PROBLEMS_MAX, 50 - PROBLEMS_MAX));
    assert!(many.to_string().ends_with("and 30 more problems"));
}

#[test]
fn hints_say_what_to_write() {
    let hint = |text: &str| problem(text).hint.unwrap_or_default();
    for (text, expected) in [
        ("ln(x0)", "did you mean `log`?"),
        ("sqart(x0)", "did you mean `sqrt`?"),
        ("pnorm(x0)", "did you mean `normal_cdf`?"),
        ("x3", "the variables are `x0` to `x2`"),
        ("x0 = 1", "write `==`"),
        ("x0 || x1", "write `or`"),
        ("x0 ≥ 1", "write `>=`"),
        ("x0 × 2", "write `*`"),
        ("[x0 + 1)", "write `(`"),
        ("2x0", "for a product write `*`"),
        ("normal_cdf(1,2,3,4)", "write `normal_cdf(x, mean = 0, sd = 1)`"),
        ("cos", "write `cos(x)`"),
    ] {
        assert_eq!(hint(text), expected, "{text}");
    }
    let table = Names::columns(["lsat", "gpa", "odd name"]);
    let hint = |text: &str| {
        Expr::parse(text, &table).expect_err(text).list()[0].hint.clone().unwrap_or_default()
    };
    assert_eq!(hint("lsatt + 1"), "did you mean `lsat`?");
    assert_eq!(hint("GPA"), "did you mean `gpa`?");
    assert_eq!(hint("odd_name"), "did you mean \"odd name\"?");
    assert_eq!(hint("zzz"), "the columns are `lsat`, `gpa`, \"odd name\"");
}

#[test]
fn places_count_characters_and_lines() {
    let found = problem("x0 +\n  größe_x9*2");
    assert_eq!((found.line, found.column, found.bytes), (2, 3, 7..17));
    let text = problems("x0 +\n  größe*2 + 1").to_string();
    assert!(text.starts_with("unknown variable `größe` at line 2, column 3\n"), "{text}");
    assert!(text.contains("\n    größe*2 + 1\n    ^^^^^\n"), "{text}");
}

#[test]
fn long_lines_are_cut_round_the_problem() {
    let text = format!("{}x9{}", "x0 + ".repeat(200), " + x0".repeat(200));
    let shown = problems(&text).to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[1].chars().count() < 110 && lines[1].contains("… +"), "{shown}");
    let caret = lines[2].chars().position(|c| c == '^').expect("a caret");
    let under: String = lines[1].chars().skip(caret).take(2).collect();
    assert_eq!(under, "x9");
}

#[test]
fn size_is_bounded() {
    assert_eq!(problem(&"1".repeat(LENGTH_BYTES_MAX + 1)).kind, TooLong);
    for text in [
        "(".repeat(DEPTH_MAX + 1),
        format!("{}x0", "-".repeat(DEPTH_MAX + 1)),
        format!("{}x0", "not ".repeat(DEPTH_MAX + 1)),
        vec!["x0"; DEPTH_MAX + 1].join("^"),
        "sin(".repeat(DEPTH_MAX + 1),
    ] {
        assert!(kinds(&text).contains(&TooDeep), "{text}");
    }
    // As large as it can be, of each shape: an answer or a message, never a crash.
    for piece in
        ["(", "-", "^", "x0", "x0+", "x0<", "if(", "x0,", "not ", "max(x0,", "2", ")", "\"", "\n"]
    {
        let text = piece.repeat(LENGTH_BYTES_MAX / piece.len());
        let _ = Expr::parse(&text, &Names::indexed(1));
    }
}
