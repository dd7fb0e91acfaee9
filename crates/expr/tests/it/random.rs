//! Laws over random formulas: written in two ways, evaluated in two ways, on every processor path.

use crate::common::{Dice, expr, same};
use windfall_expr::{Expr, Workspace};
use windfall_lanes::{available, detected, limit};

const COLUMNS: usize = 4;

/// A random formula as text, with every operation in parentheses and with as few as it needs, and
/// its value by plain scalar arithmetic with the standard library at `point`.
struct Formula {
    full: String,
    bare: String,
    binding: u8,
    value: f64,
    /// How far rounding may have moved `value`.
    slack: f64,
}

fn leaf(dice: &mut Dice, point: &[f64; COLUMNS]) -> Formula {
    let (text, value) = match dice.below(3) {
        0 => {
            let value = (dice.between(0.0, 4.0) * 16.0).round() / 16.0;
            (format!("{value:?}"), value)
        }
        _ => {
            let index = dice.below(COLUMNS);
            (format!("x{index}"), point[index])
        }
    };
    Formula { full: text.clone(), bare: text, binding: 9, value, slack: 0.0 }
}

fn call(name: &str, a: Formula, value: f64, slope: f64) -> Formula {
    let slack = slope * a.slack + 4.0 * f64::EPSILON * value.abs();
    let (full, bare) = (format!("{name}({})", a.full), format!("{name}({})", a.bare));
    Formula { full, bare, binding: 9, value, slack }
}

/// `a ∘ b`; `left` and `right` are the bindings an operand needs to stand without parentheses.
fn infix(op: &str, binding: u8, a: Formula, b: Formula, (value, slack): (f64, f64)) -> Formula {
    let wrap = |f: &Formula, least: u8| {
        if f.binding >= least { f.bare.clone() } else { format!("({})", f.bare) }
    };
    let full = format!("({} {op} {})", a.full, b.full);
    let bare = format!("{} {op} {}", wrap(&a, binding), wrap(&b, binding + 1));
    let slack = slack + 2.0 * f64::EPSILON * value.abs() + f64::MIN_POSITIVE;
    Formula { full, bare, binding, value, slack }
}

fn formula(dice: &mut Dice, point: &[f64; COLUMNS], depth: usize) -> Formula {
    if depth == 0 || dice.below(8) == 0 {
        return leaf(dice, point);
    }
    let a = formula(dice, point, depth - 1);
    let pick = dice.below(12);
    if pick < 5 {
        let (v, s) = (a.value, a.slack);
        return match pick {
            0 => call("sin", a, v.sin(), 1.0),
            1 => call("tanh", a, v.tanh(), 1.0),
            2 => call("abs", a, v.abs(), 1.0),
            3 => call("atan", a, v.atan(), 1.0),
            _ => {
                let (full, bare) = (format!("(-{})", a.full), &a.bare);
                let bare = if a.binding >= 7 { format!("-{bare}") } else { format!("-({bare})") };
                Formula { full, bare, binding: 7, value: -v, slack: s }
            }
        };
    }
    let b = formula(dice, point, depth - 1);
    let (v, w, s, t) = (a.value, b.value, a.slack, b.slack);
    // The fused rule may leave out one rounding of a product: allow for it in every sum.
    let sum_slack = s + t + f64::EPSILON * (v.abs() + w.abs());
    match pick {
        5 | 6 => infix("+", 5, a, b, (v + w, sum_slack)),
        7 | 8 => infix("-", 5, a, b, (v - w, sum_slack)),
        9 | 10 => infix("*", 6, a, b, (v * w, v.abs() * t + w.abs() * s + s * t)),
        _ => {
            let (full, bare) =
                (format!("max({}, {})", a.full, b.full), format!("max({}, {})", a.bare, b.bare));
            Formula { full, bare, binding: 9, value: v.max(w), slack: s.max(t) }
        }
    }
}

fn random_point(dice: &mut Dice) -> [f64; COLUMNS] {
    std::array::from_fn(|_| dice.between(-2.0, 2.0))
}

/// Evaluates over columns.
fn block(expr: &Expr, columns: &[Vec<f64>]) -> Vec<f64> {
    let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut out = vec![0.0; columns[0].len()];
    expr.evaluate(&views, &mut out, &mut Workspace::new());
    out
}

fn random_columns(dice: &mut Dice, points: usize) -> Vec<Vec<f64>> {
    (0..COLUMNS).map(|_| (0..points).map(|_| dice.between(-2.0, 2.0)).collect()).collect()
}

#[test]
fn parentheses_that_change_nothing_change_no_bit() {
    let mut dice = Dice(11);
    for _ in 0..2_000 {
        let point = random_point(&mut dice);
        let formula = formula(&mut dice, &point, 6);
        let (full, bare) = (expr(&formula.full, COLUMNS), expr(&formula.bare, COLUMNS));
        assert_eq!(full.program(), bare.program(), "{} and {}", formula.full, formula.bare);
        let value = full.evaluate_one(&point, &mut Workspace::new());
        assert!(
            (value - formula.value).abs() <= formula.slack,
            "{}: {value:?}, by plain arithmetic {:?} within {:e}",
            formula.bare,
            formula.value,
            formula.slack
        );
    }
}

#[test]
fn blocks_of_any_length_give_the_bits_of_single_points() {
    let mut dice = Dice(12);
    let mut workspace = Workspace::new();
    for round in 0..300 {
        let point = random_point(&mut dice);
        let text = formula(&mut dice, &point, 6).bare;
        let expr = expr(&text, COLUMNS);
        let length = [1, 7, 8, 9, 31, 64, 100, 255, 256, 257, 600][round % 11];
        let columns = random_columns(&mut dice, length);
        for (index, value) in block(&expr, &columns).into_iter().enumerate() {
            let point: Vec<f64> = columns.iter().map(|column| column[index]).collect();
            let one = expr.evaluate_one(&point, &mut workspace);
            assert!(same(value, one), "{text} at {point:?}: {value:?} and {one:?}");
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let mut dice = Dice(13);
    let fixed = [
        "exp(-(x0^2+x1^2))",
        "log(abs(x0)) + log1p(abs(x1)) + log2(3 + x2) + log10(3 + x3)",
        "sin(x0*9)*cos(x1*9) + tan(x2)",
        "asin(x0/2) + acos(x1/2) + atan2(x2, x3)",
        "sinh(x0) + cosh(x1) + tanh(x2) + expm1(x3)",
        "erf(x0) + erfc(x1*3) + lgamma(x2*9)",
        "normal_pdf(x0) + normal_cdf(x1*4) + normal_quantile((2 + x2)/4)",
        "(2 + x0)^x1 + cbrt(x2)",
        "if(x0 < x1 or x2 == x3, hypot(x0, x1), min(x2, x3, 0))/sqrt(x0^2 + 1)",
        "floor(x0*5) + ceil(x1*5) + round(x2*5) + trunc(x3*5) - (x0 >= x1)*(x1 != x2)",
    ];
    let texts = fixed.iter().map(|&text| text.to_owned());
    let more: Vec<String> = (0..100)
        .map(|_| {
            let point = random_point(&mut dice);
            formula(&mut dice, &point, 6).bare
        })
        .collect();
    let columns = random_columns(&mut dice, 333);
    for text in texts.chain(more) {
        let expr = expr(&text, COLUMNS);
        // `limit` acts on the whole process: results never depend on it, which is what is tested.
        let values: Vec<Vec<f64>> = available()
            .iter()
            .map(|&isa| {
                limit(isa).expect("available");
                block(&expr, &columns)
            })
            .collect();
        limit(detected()).expect("available");
        for other in &values[1..] {
            let equal = values[0].iter().zip(other).all(|(&a, &b)| same(a, b));
            assert!(equal, "{text} differs between instruction sets");
        }
    }
}

#[test]
#[should_panic(expected = "column 1 has 3 points, the result 4")]
fn a_short_column_is_refused() {
    let expr = expr("x0 + x1", 2);
    expr.evaluate(&[&[0.0; 4], &[0.0; 3]], &mut [0.0; 4], &mut Workspace::new());
}

#[test]
fn nothing_in_nothing_out() {
    expr("x0 + x1", 2).evaluate(&[&[], &[]], &mut [], &mut Workspace::new());
}
