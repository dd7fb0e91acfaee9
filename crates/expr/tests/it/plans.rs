//! Hold the planned evaluation to the program it came from: operation by operation, the same bits.
//!
//! The reference below runs a program one operation at a time with the standard library's
//! arithmetic; the plan runs chains in registers, absorbs comparisons, reuses blocks. They must
//! agree exactly on formulas that mix everything cheap; `exp` and `atan2` break chains.

use crate::common::{Dice, at, expr, same};
use windfall_expr::{Binary, Fused, Op, Program, Unary, Workspace};

const COLUMNS: usize = 3;

fn reference(program: &Program, point: &[f64]) -> f64 {
    let mut values: Vec<f64> = Vec::new();
    for op in program.ops() {
        let v = |id: u32| values[id as usize];
        let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
        let value = match *op {
            Op::Constant(value) => value,
            Op::Input(index) => point[index as usize],
            Op::Unary(kind, a) => match kind {
                Unary::Negative => -v(a),
                Unary::Abs => v(a).abs(),
                Unary::Sqrt => v(a).sqrt(),
                Unary::Floor => v(a).floor(),
                Unary::Ceil => v(a).ceil(),
                Unary::Round => v(a).round_ties_even(),
                Unary::Trunc => v(a).trunc(),
                Unary::Exp => at("exp(x0)", &[v(a)]),
                other => panic!("not in these formulas: {other:?}"),
            },
            Op::Binary(kind, a, b) => match kind {
                Binary::Add => v(a) + v(b),
                Binary::Sub => v(a) - v(b),
                Binary::Mul => v(a) * v(b),
                Binary::Div => v(a) / v(b),
                Binary::Min if v(a).is_nan() || v(b).is_nan() => f64::NAN,
                Binary::Max if v(a).is_nan() || v(b).is_nan() => f64::NAN,
                Binary::Min if v(a) < v(b) => v(a),
                Binary::Max if v(a) > v(b) => v(a),
                Binary::Min | Binary::Max => v(b),
                Binary::Less => truth(v(a) < v(b)),
                Binary::LessEqual => truth(v(a) <= v(b)),
                Binary::Equal => truth(v(a) == v(b)),
                Binary::NotEqual => truth(v(a) != v(b)),
                Binary::Atan2 => at("atan2(x0, x1)", &[v(a), v(b)]),
                other => panic!("not in these formulas: {other:?}"),
            },
            Op::Fused(kind, [a, b, c]) => match kind {
                Fused::MulAdd => v(a).mul_add(v(b), v(c)),
                Fused::MulSub => v(a).mul_add(v(b), -v(c)),
                Fused::NegMulAdd => (-v(a)).mul_add(v(b), v(c)),
            },
            Op::Select([c, yes, no]) => {
                if v(c) != 0.0 {
                    v(yes)
                } else {
                    v(no)
                }
            }
        };
        values.push(value);
    }
    values[values.len() - 1]
}

/// A formula of anything cheap; a part is sometimes used twice, so that values have two readers.
fn formula(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.below(9) == 0 {
        return match dice.below(4) {
            0 => format!("{}", dice.below(9) as f64 / 4.0),
            _ => format!("x{}", dice.below(COLUMNS)),
        };
    }
    let a = formula(dice, depth - 1);
    let b = if dice.below(6) == 0 { a.clone() } else { formula(dice, depth - 1) };
    let c = |dice: &mut Dice| formula(dice, depth.saturating_sub(2));
    match dice.below(24) {
        0..3 => format!("({a} + {b})"),
        3..5 => format!("({a} - {b})"),
        5..7 => format!("({a}*{b})"),
        7 => format!("({a}/{b})"),
        8 => format!("({a} - {b})^2"),
        9 => format!("(({a} - {b})^2 + {})", c(dice)),
        10 => format!("({} + ({a} - {b})^2)", c(dice)),
        11 => format!("({a} - {b}^2)"),
        12 => {
            let relation = ["<", "<=", ">", ">=", "==", "!="][dice.below(6)];
            format!("({a} {relation} {b})")
        }
        13 => format!("({a} <= {} < {b})", c(dice)),
        14 => format!("({a} and {b} > {})", c(dice)),
        15 => format!("({a} < {} or {b})", c(dice)),
        16 => format!("(not {a})"),
        17 => format!("if({a}, {b}, {})", c(dice)),
        18 => format!("if({a} < {b}, {a}, {})", c(dice)),
        19 => format!("min({a}, {b})"),
        20 => format!("max({a}, {b})"),
        21 => {
            let name = ["abs", "sqrt", "floor", "ceil", "round", "trunc", "sign"][dice.below(7)];
            format!("{name}({a})")
        }
        22 => format!("exp({a})"),
        _ => format!("atan2({a}, {b})"),
    }
}

#[test]
fn a_plan_gives_the_bits_of_its_program() {
    let mut dice = Dice(31);
    let mut workspace = Workspace::new();
    for _ in 0..3_000 {
        let text = formula(&mut dice, 5);
        let expr = expr(&text, COLUMNS);
        for _ in 0..4 {
            let special = [0.0, -0.0, 1.0, -1.0, f64::NAN, f64::INFINITY, 1e308, 5e-324];
            let point: [f64; COLUMNS] = std::array::from_fn(|_| match dice.below(6) {
                0 => special[dice.below(special.len())],
                1 => dice.below(5) as f64 / 2.0,
                _ => dice.between(-3.0, 3.0),
            });
            let planned = expr.evaluate_one(&point, &mut workspace);
            let plain = reference(expr.program(), &point);
            assert!(
                same(planned, plain),
                "{text} at {point:?}: planned {planned:?}, plain {plain:?}\n{}",
                expr.program()
            );
            assert!(!expr.program().is_truth() || planned == 0.0 || planned == 1.0, "{text}");
        }
    }
}

#[test]
fn values_that_are_read_often_survive_until_their_last_reader() {
    // Each of many values is read again after all were made: none may be overwritten early.
    let terms: Vec<String> = (1..60).map(|k| format!("exp(x0/{k})")).collect();
    let sum = terms.join(" + ");
    let product = terms.join("*");
    let text = format!("({sum})*({product}) - ({sum})/({product})");
    let expr = expr(&text, 1);
    let planned = expr.evaluate_one(&[0.01], &mut Workspace::new());
    assert_eq!(planned, reference(expr.program(), &[0.01]));
}
