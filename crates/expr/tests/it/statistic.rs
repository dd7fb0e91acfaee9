//! Formulas of aggregates: slots, sharing, and what may stand where.

use windfall_expr::Argument::{Column, Number};
use windfall_expr::ProblemKind::*;
use windfall_expr::{Aggregate, Names, ProblemKind, Statistic, Vocabulary, Workspace};

fn words() -> Vocabulary {
    Vocabulary::new(Names::columns(["x", "y", "lsat", "gpa"])).with([
        Aggregate::new("mean", &[Column]),
        Aggregate::new("var", &[Column, Number]).optional(1),
        Aggregate::new("max", &[Column]),
        Aggregate::new("quantile", &[Column, Number]),
        Aggregate::new("correlation", &[Column, Column]),
    ])
}

fn statistic(text: &str) -> Statistic {
    Statistic::parse(text, &words()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn kinds(text: &str) -> Vec<ProblemKind> {
    let problems = Statistic::parse(text, &words()).expect_err(text);
    problems.list().iter().map(|problem| problem.kind.clone()).collect()
}

fn slots(text: &str) -> Vec<String> {
    let show = |slot: &windfall_expr::Slot| {
        let columns: Vec<&str> = slot.columns.iter().map(|expr| expr.text()).collect();
        format!("{}({}; {:?})", slot.aggregate, columns.join(", "), slot.numbers)
    };
    statistic(text).slots().iter().map(show).collect()
}

#[test]
fn calls_become_slots_and_equal_ones_are_shared() {
    assert_eq!(
        slots("mean(x*y) - mean(x)*mean(y)"),
        ["mean(x*y; [])", "mean(x; [])", "mean(y; [])"]
    );
    assert_eq!(slots("mean(x + y)/mean(y + x)^2 + mean((x) + y)"), ["mean(x + y; [])"]);
    assert_eq!(
        slots("quantile(x, 0.9) - quantile(x, 1/10)"),
        ["quantile(x; [0.9])", "quantile(x; [0.1])"]
    );
    assert_eq!(slots("quantile(x, 0.5) + quantile(x, 1/2)"), ["quantile(x; [0.5])"]);
    assert_eq!(slots("correlation(lsat, gpa)"), ["correlation(lsat, gpa; [])"]);
    assert_eq!(slots("var(x) + var(x, 1)"), ["var(x; [])", "var(x; [1.0])"]);
}

#[test]
fn the_outer_formula_works_on_slots() {
    let mut workspace = Workspace::new();
    assert_eq!(statistic("sqrt(var(x))/mean(x)").value(&[9.0, 2.0], &mut workspace), 1.5);
    assert_eq!(statistic("mean(x) < mean(y)").value(&[1.0, 2.0], &mut workspace), 1.0);
    assert_eq!(
        statistic("mean(log(x))").as_slot().map(|slot| slot.columns[0].text()),
        Some("log(x)")
    );
    assert!(statistic("2*mean(x)").as_slot().is_none());
    assert_eq!(statistic("1 + 1").value(&[], &mut workspace), 2.0);
    let covariance = statistic("mean(x*y) - mean(x)*mean(y)");
    let columns: [&[f64]; 3] = [&[10.0, 3.0], &[2.0, 1.0], &[4.0, 1.5]];
    let mut out = [0.0; 2];
    covariance.outer().evaluate(&columns, &mut out, &mut workspace);
    assert_eq!(out, [2.0, 1.5]);
}

#[test]
fn a_name_may_be_both_aggregate_and_function() {
    assert_eq!(slots("max(x)/max(mean(x), mean(y))"), ["max(x; [])", "mean(x; [])", "mean(y; [])"]);
    assert_eq!(slots("mean(max(x, y))"), ["mean(max(x, y); [])"]);
}

#[test]
fn slots_evaluate_over_the_columns_of_the_vocabulary() {
    let statistic = statistic("mean(x*gpa)");
    let inner = &statistic.slots()[0].columns[0];
    assert_eq!(inner.evaluate_one(&[2.0, 0.0, 0.0, 3.0], &mut Workspace::new()), 6.0);
    assert_eq!(inner.program().columns_used(), [0, 3]);
}

#[test]
fn what_stands_in_the_wrong_place_is_said() {
    assert_eq!(kinds("x/mean(x)"), [ColumnOutsideAggregate]);
    assert_eq!(kinds("mean(x - mean(x))"), [NestedAggregate]);
    assert_eq!(kinds("mean(mean(mean(x)))"), [NestedAggregate, NestedAggregate]);
    assert_eq!(kinds("quantile(x, y)"), [NotConstant]);
    assert_eq!(
        kinds("x + quantile(x, y) + mean(mean(x))"),
        [ColumnOutsideAggregate, NotConstant, NestedAggregate]
    );
    assert_eq!(kinds("mean"), [MissingArguments]);
    assert_eq!(kinds("mean(x, y)"), [WrongArgumentCount]);
    assert_eq!(kinds("meen(x)"), [UnknownFunction]);
    let problems = Statistic::parse("max(x, y, mean)", &words()).expect_err("two mistakes");
    assert_eq!(problems.list()[0].hint.as_deref(), Some("write `mean(column)`"));
    let problems = Statistic::parse("corr(x, y) + vra(x)", &words()).expect_err("two mistakes");
    let hints: Vec<_> =
        problems.list().iter().map(|p| p.hint.clone().unwrap_or_default()).collect();
    assert_eq!(hints, ["did you mean `correlation`?", "did you mean `var`?"]);
    let problems = Statistic::parse("var()", &words()).expect_err("no argument");
    assert_eq!(problems.list()[0].hint.as_deref(), Some("write `var(column, [number])`"));
}
