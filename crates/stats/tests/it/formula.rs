//! Models as text: their terms, the names and codes of their columns, all their mistakes at once.

use windfall_core::{Column, Labels, Numbers, Table};
use windfall_stats::formula::{Design, Formula};

fn table() -> Table {
    let numbers = |values: [f64; 6]| Column::Numbers(Numbers::from(values.to_vec()));
    let labels = |rows: [&str; 6]| Column::Labels(Labels::new(rows));
    Table::new(vec![
        ("y".into(), numbers([1., 2., 3., 4., 5., 6.])),
        ("x".into(), numbers([1., 2., 4., 8., 16., 32.])),
        ("z".into(), numbers([2., 1., 2., 1., 2., 1.])),
        ("a".into(), labels(["r", "p", "q", "p", "q", "r"])),
        ("b".into(), labels(["u", "v", "u", "v", "v", "u"])),
        ("body mass".into(), numbers([9., 8., 7., 6., 5., f64::NAN])),
    ])
    .unwrap()
}

fn design(text: &str) -> Design {
    let table = table();
    Formula::parse(text, &table, &[]).and_then(|formula| formula.design(&table)).unwrap()
}

/// What R's `colnames(model.matrix(…))` prints for these models.
#[test]
fn columns_are_those_of_r() {
    for (model, expected) in [
        ("y ~ x + z", "(Intercept) x z"),
        ("y ~ x*z", "(Intercept) x z x:z"),
        ("y ~ (x + z + a)^2", "(Intercept) x z aq ar x:z x:aq x:ar z:aq z:ar"),
        ("y ~ a", "(Intercept) aq ar"),
        ("y ~ a - 1", "ap aq ar"),
        ("y ~ 0 + a + b", "ap aq ar bv"),
        ("y ~ x + 0", "x"),
        ("y ~ 1", "(Intercept)"),
        ("y ~ a*b", "(Intercept) aq ar bv aq:bv ar:bv"),
        ("y ~ a:b", "(Intercept) ap:bu aq:bu ar:bu ap:bv aq:bv ar:bv"),
        ("y ~ x:a", "(Intercept) x:ap x:aq x:ar"),
        ("y ~ x + x:a", "(Intercept) x x:aq x:ar"),
        ("y ~ b/x", "(Intercept) bv bu:x bv:x"),
        ("y ~ x*a - x", "(Intercept) aq ar x:ap x:aq x:ar"),
        ("y ~ I(x^2) + log( x+1 )", "(Intercept) I(x^2) log(x+1)"),
        ("y ~ C(z)", "(Intercept) C(z)2"),
        ("y ~ factor(z) + x", "(Intercept) factor(z)2 x"),
        ("y ~ C(a, \"r\")", "(Intercept) C(a)p C(a)q"),
        ("y ~ C(a, Treatment(reference='q'))", "(Intercept) C(a)p C(a)r"),
        ("y ~ `body mass` + x", "(Intercept) body mass x"),
        ("y ~ . - a - b", "(Intercept) x z body mass"),
        ("y ~ x + x + z - z", "(Intercept) x"),
        ("y ~ -1 + x", "x"),
        ("y ~ a:b + x", "(Intercept) x ap:bu aq:bu ar:bu ap:bv aq:bv ar:bv"),
        ("y ~ offset(log(z)) + x", "(Intercept) x"),
    ] {
        assert_eq!(design(model).names.join(" "), expected, "{model}");
    }
}

#[test]
fn columns_hold_values_codes_and_products() {
    let of = |model: &str, column: usize| design(model).columns[column].as_slice().to_vec();
    assert_eq!(of("y ~ a", 1), [0., 0., 1., 0., 1., 0.]);
    assert_eq!(of("y ~ I(x^2) + x", 1), [1., 4., 16., 64., 256., 1024.]);
    assert_eq!(of("y ~ x*b", 3), [0., 2., 0., 8., 16., 0.]);
    assert_eq!(of("log2(x) ~ 0 + z", 0), [2., 1., 2., 1., 2., 1.]);
    let logged = design("log2(x) ~ z + offset(z) + offset(2*x)");
    assert_eq!(logged.response.as_slice(), [0., 1., 2., 3., 4., 5.]);
    assert_eq!(logged.offset.unwrap().as_slice(), [4., 5., 10., 17., 34., 65.]);
    assert_eq!(design("(x > 3) ~ z").response.as_slice(), [0., 0., 1., 1., 1., 1.]);
    assert_eq!(design("b ~ x").response.as_slice(), [0., 1., 0., 1., 1., 0.]);
    assert!(of("y ~ `body mass`", 1)[5].is_nan());
}

#[test]
fn a_missing_label_is_missing_in_every_column_of_its_factor() {
    let g = Column::Labels(Labels::new(["s", "", "t", "NA"]));
    let y = Column::Numbers(Numbers::from(vec![1.0; 4]));
    let table = Table::new(vec![("y".into(), y), ("g".into(), g)]).unwrap();
    let design = Formula::parse("y ~ g", &table, &[]).unwrap().design(&table).unwrap();
    assert_eq!(design.names, ["(Intercept)", "gt"]);
    let missing: Vec<bool> =
        design.columns[1].as_slice().iter().map(|value| value.is_nan()).collect();
    assert_eq!(missing, [false, true, false, true]);
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_remedy() {
    let table = table();
    for (model, parts) in [
        ("y ~ xx + log(zz)", vec!["`xx` at column 5", "did you mean `x`?", "`zz` at column 14"]),
        ("y + x", vec!["without `~`", "y ~ x1 + x2"]),
        (" ~ x", vec!["the response is missing"]),
        ("y ~ x +", vec!["a term should stand here at column 8"]),
        ("y ~ (x + z", vec!["parenthesis"]),
        ("y ~ log(x", vec!["parenthesis"]),
        ("y ~ x z", vec!["`z` does not belong here at column 7"]),
        ("y ~ 2*x", vec!["`2` is no term", "I(…)"]),
        ("y ~ x | a", vec!["`|` has no meaning", "`by`"]),
        ("y = x", vec!["without `~`"]),
        ("y ~ x^z", vec!["whole number", "I(x^2)"]),
        ("y ~ log(a)", vec!["`a` holds text", "factors"]),
        ("y ~ C(x + z)", vec!["a factor is one column"]),
        ("y ~ I(x +* 2)", vec!["*"]),
        ("y ~ x ~ z", vec!["~"]),
    ] {
        let message = Formula::parse(model, &table, &[]).unwrap_err().to_string();
        for part in parts {
            assert!(message.contains(part), "{model}: no {part} in\n{message}");
        }
    }
    for (model, part) in [
        ("a ~ x", "text with 3 labels"),
        ("y ~ C(a, 'w')", "unknown level of `a` `w`"),
        ("y ~ 0", "at least one term"),
    ] {
        let formula = Formula::parse(model, &table, &[]).unwrap();
        let message = formula.design(&table).unwrap_err().to_string();
        assert!(message.contains(part), "{model}: no {part} in\n{message}");
    }
}

/// Whatever is typed, reading ends and does not panic: all texts of four pieces from this list.
#[test]
fn no_text_is_too_odd() {
    let table = table();
    let pieces = ["y", "~", "+", "(", ")", "x:a", "*", "^2", "I(", "`", "C(", "é", ".", "0"];
    for code in 0..pieces.len().pow(4) {
        let (mut code, mut text) = (code, String::new());
        for _ in 0..4 {
            text.push_str(pieces[code % pieces.len()]);
            code /= pieces.len();
        }
        if let Ok(formula) = Formula::parse(&text, &table, &[]) {
            let _ = formula.design(&table);
        }
    }
}
