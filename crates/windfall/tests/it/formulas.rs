//! Write the reference of formulas from the tables of the language, and hold the page to them.
//!
//! `WINDFALL_BLESS=1 cargo test -p windfall --test it formulas` writes it anew. The examples of
//! operators are evaluated while the page is written.

use std::fmt::Write;
use windfall_expr::{Argument, DEPTH_MAX, Expr, LENGTH_BYTES_MAX, Names, Workspace};
use windfall_stats::permutation::{Serves, TESTS};
use windfall_stats::statistic::CATALOGUE;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/formulas.md");

/// Operators from the loosest to the tightest, what they do, and a formula that shows it.
const OPERATORS: &[(&str, &str, &str)] = &[
    ("`or`", "1 if either is not 0", "0 or 2"),
    ("`and`", "1 if neither is 0", "1 and 0"),
    ("`not`", "1 for 0, else 0", "not 3 > 2"),
    ("`<` `<=` `>` `>=` `==` `!=`", "1 if it holds, else 0; they chain", "0 < 1 < 2"),
    ("`+` `-`", "sum and difference", "7 - 2 - 1"),
    ("`*` `/`", "product and quotient", "8/4/2"),
    ("`-` `+`", "sign", "-2^2"),
    ("`^` or `**`", "power, grouping to the right", "2^3^2"),
];

const CONSTANTS: &[(&str, &str)] = &[
    ("pi", "the circle's circumference over its diameter"),
    ("e", "the base of the natural logarithm"),
];

#[test]
fn the_page_of_formulas_is_that_of_the_tables() {
    let page = page();
    if std::env::var_os("WINDFALL_BLESS").is_some() {
        std::fs::write(PAGE, &page).expect("the page can be written");
    }
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(kept == page, "docs/reference/formulas.md is out of date: run `./check bless`");
}

fn page() -> String {
    let mut page = format!(
        "# Formulas\n\n\
         <!-- Written by crates/windfall/tests/it/formulas.rs; `./check bless` writes it \
         anew. -->\n\n\
         A formula is checked as a whole before any work starts, and every mistake is shown with\n\
         its place. Names are those of columns (`x0`, `x1`, … in integrals); a column whose name\n\
         is no word is written in back quotes or double quotes. A formula holds at most\n\
         {LENGTH_BYTES_MAX} bytes and nests at most {DEPTH_MAX} deep.\n\n"
    );
    page.push_str("## Operators\n\nFrom the loosest to the tightest:\n\n");
    page.push_str("| operator | meaning | example |\n|---|---|---|\n");
    for (operator, meaning, example) in OPERATORS {
        line(&mut page, &[operator, meaning, &format!("`{example}` is {}", value(example))]);
    }
    page.push_str("\n## Constants\n\n| name | value | meaning |\n|---|---|---|\n");
    for (name, meaning) in CONSTANTS {
        line(&mut page, &[&format!("`{name}`"), &value(name).to_string(), meaning]);
    }
    page.push_str("\n## Functions\n\nOf numbers, or of columns row by row:\n\n");
    page.push_str("| function | value |\n|---|---|\n");
    for function in windfall_expr::functions() {
        line(&mut page, &[&format!("`{}`", function.usage), function.meaning]);
    }
    page.push_str(
        "\n## Aggregates\n\nFrom whole columns to one number; for `bootstrap`, `jackknife`, \
         `permutation` and `simulate`. A\ncolumn may be any expression over columns, such as \
         `mean(log(x))`; a number is a constant. What\nstands in brackets may be left out.\n\n\
         | aggregate | value |\n|---|---|\n",
    );
    for row in CATALOGUE {
        let usage = usage(row.arguments, row.optional);
        line(&mut page, &[&format!("`{}({usage})`", row.name), row.about]);
    }
    page.push_str(
        "\n## Test statistics\n\nFrom whole columns to one number, each for a design of \
         `permutation`, where all aggregates can be\nused too.\n\n\
         | statistic | design | value |\n|---|---|---|\n",
    );
    for row in TESTS {
        let usage = usage(row.arguments, row.optional);
        let design = match row.serves {
            Serves::TwoGroups => "`groups`, two",
            Serves::Groups => "`groups`",
            Serves::Samples => "`samples`",
            Serves::Pairings => "`permute`",
        };
        line(&mut page, &[&format!("`{}({usage})`", row.name), design, row.about]);
    }
    page
}

/// Adds a row of a table.
fn line(page: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    writeln!(page, "| {} |", cells.join(" | ")).expect("a text takes what is written");
}

/// The value of a constant formula.
fn value(formula: &str) -> f64 {
    let expr = Expr::parse(formula, &Names::indexed(0)).expect("the example can be read");
    expr.evaluate_one(&[], &mut Workspace::new())
}

/// The arguments of an aggregate, those that may be left out in brackets.
fn usage(arguments: &[Argument], optional: usize) -> String {
    let word = |argument: &Argument| match argument {
        Argument::Column => "column",
        Argument::Number => "number",
    };
    let required = arguments.len() - optional;
    let mut words: Vec<String> = arguments[..required].iter().map(word).map(Into::into).collect();
    match &arguments[required..] {
        [] => {}
        [one] => words.push(format!("[{}]", word(one))),
        [first, ..] => words.push(format!("[{}, … up to {optional} more]", word(first))),
    }
    words.join(", ")
}
