//! What formulas mean: precedence, comparisons, conditions, names.

use crate::common::{at, value};
use windfall_expr::{Expr, Names, Workspace};

#[test]
fn operators_bind_as_in_python() {
    for (text, expected) in [
        ("1 + 2*3", 7.0),
        ("(1 + 2)*3", 9.0),
        ("10 - 4 - 3", 3.0),
        ("16/4/2", 2.0),
        ("2^3^2", 512.0),
        ("2**3", 8.0),
        ("-2^2", -4.0),
        ("(-2)^2", 4.0),
        ("2^-1", 0.5),
        ("2^-1^2", 0.5),
        ("-2^-2", -0.25),
        ("--3", 3.0),
        ("+3 - -+3", 6.0),
        ("2*-3", -6.0),
        ("1 < 2 + 1", 1.0),
        ("not 1 == 2", 1.0),
        ("not 0 and 0", 0.0),
        ("1 or 0 and 0", 1.0),
        ("not not 5", 1.0),
        ("1 - (2 < 3)", 0.0),
        ("1_000 + .5 + 1e-1", 1000.6),
        ("(((((1)))))", 1.0),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn comparisons_chain_and_yield_one_or_zero() {
    for (x, inside) in [(-0.5, 0.0), (0.0, 0.0), (0.5, 1.0), (1.0, 1.0), (1.5, 0.0)] {
        assert_eq!(at("0 < x0 <= 1", &[x]), inside);
        assert_eq!(at("1 >= x0 > 0", &[x]), inside);
    }
    assert_eq!(value("1 < 2 < 3 < 4"), 1.0);
    assert_eq!(value("1 < 2 > 1 == 1 != 2"), 1.0);
    assert_eq!(value("3 > 2 > 2"), 0.0);
    assert_eq!(value("10*(1 < 2) + (2 < 1)"), 10.0);
}

#[test]
fn conditions_hold_unless_zero() {
    assert_eq!(value("if(3, 1, 2)"), 1.0);
    assert_eq!(value("if(0, 1, 2)"), 2.0);
    assert_eq!(value("3 and 4"), 1.0);
    assert_eq!(value("not 3"), 0.0);
    assert_eq!(at("x0 or 0", &[-0.0]), 0.0);
    assert_eq!(at("if(x0, 1, 2)", &[f64::NAN]), 1.0);
    assert_eq!(at("if(x0 < 0, 1, 2)", &[f64::NAN]), 2.0);
    assert_eq!(at("if(x0 > 0, log(x0), -1)", &[-3.0]), -1.0);
}

#[test]
fn truth_is_known_to_the_checker() {
    let names = Names::indexed(2);
    let is_truth = |text: &str| Expr::parse(text, &names).expect(text).program().is_truth();
    for text in ["x0 < 1", "x0^2 + x1^2 < 1", "not x0", "x0 and x1", "if(x0, x1 < 2, 0)", "1"] {
        assert!(is_truth(text), "{text}");
    }
    for text in ["x0", "2*(x0 < 1)", "(x0 < 1) + (x1 < 1)", "-(x0 < 1)", "if(x0, 2, 0)"] {
        assert!(!is_truth(text), "{text}");
    }
}

#[test]
fn columns_have_any_name_and_come_before_constants() {
    let names = Names::columns(["Sepal.Length", "odd name", "e", "größe", "max", "x\"y"]);
    let point = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
    for (text, expected) in [
        ("Sepal.Length + `odd name`", 3.0),
        ("\"odd name\" + e", 6.0),
        ("größe/e", 2.0),
        ("max + max(e, 1)", 20.0),
        ("`x\"y`", 32.0),
        ("\"e\"", 4.0),
    ] {
        let expr = Expr::parse(text, &names).expect(text);
        assert_eq!(expr.evaluate_one(&point, &mut Workspace::new()), expected, "{text}");
    }
    assert_eq!(value("e"), std::f64::consts::E);
    assert_eq!(value("pi"), std::f64::consts::PI);
}

#[test]
fn a_formula_may_be_long_and_deep_up_to_the_limits() {
    let sum = vec!["x0"; 10_000].join("+");
    assert_eq!(at(&sum, &[1.0]), 10_000.0);
    let deep = format!("{}x0{}", "(".repeat(100), ")".repeat(100));
    assert_eq!(at(&deep, &[3.0]), 3.0);
    let compared = vec!["x0"; 10_000].join("<=");
    assert_eq!(at(&compared, &[3.0]), 1.0);
    let largest = format!("max({})", vec!["x0"; 10_000].join(","));
    assert_eq!(at(&largest, &[3.0]), 3.0);
    let held = vec!["x0"; 5_000].join(" and ");
    assert_eq!(at(&held, &[3.0]), 1.0);
}
