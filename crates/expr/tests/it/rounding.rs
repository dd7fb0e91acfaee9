//! The contract on rounding: what is fused, what is folded, and that nothing else changes a bit.

use crate::common::{Dice, at, expr, same};
use windfall_expr::{Expr, Names};

/// Points whose products are inexact, so that fusing shows.
fn points() -> Vec<[f64; 4]> {
    let mut dice = Dice(1);
    (0..200).map(|_| std::array::from_fn(|_| dice.between(-2.0, 2.0))).collect()
}

#[test]
fn a_sum_with_one_product_is_fused() {
    for [a, b, c, d] in points() {
        let p = [a, b, c, d];
        assert_eq!(at("x0*x1 + x2", &p), a.mul_add(b, c));
        assert_eq!(at("x2 + x0*x1", &p), a.mul_add(b, c));
        assert_eq!(at("x0*x1 - x2", &p), a.mul_add(b, -c));
        assert_eq!(at("x2 - x0*x1", &p), (-a).mul_add(b, c));
        assert_eq!(at("x2 + -(x0*x1)", &p), (-a).mul_add(b, c));
        assert_eq!(at("-x0^2 + x2", &p), (-a).mul_add(a, c));
        assert_eq!(at("x0*x1*x2 + x3", &p), (a * b).mul_add(c, d));
        assert_eq!(at("x0^3 + x2", &p), (a * a).mul_add(a, c));
    }
}

#[test]
fn of_two_products_the_second_is_fused_in_a_sum_and_none_in_a_difference() {
    for [a, b, c, d] in points() {
        let p = [a, b, c, d];
        assert_eq!(at("x0*x1 + x2*x3", &p), c.mul_add(d, a * b));
        assert_eq!(at("-(x0*x1) - x2*x3", &p), (-c).mul_add(d, -(a * b)));
        assert_eq!(at("x0*x1 - x2*x3", &p), a * b - c * d);
        assert_eq!(at("-(x0*x1) + x2*x3", &p), -(a * b) + c * d);
        assert_eq!(at("x0^2 + x1^2 + x2^2", &p), c.mul_add(c, b.mul_add(b, a * a)));
        assert_eq!(at("x0*x1 - x1*x0", &p), 0.0);
        assert_eq!(at("sqrt(x0^2 - x0*x0)", &p), 0.0);
    }
}

#[test]
fn powers_are_multiplications_by_squaring() {
    for [a, ..] in points() {
        let square = a * a;
        assert_eq!(at("x0^2", &[a]), square);
        assert_eq!(at("x0^3", &[a]), square * a);
        assert_eq!(at("x0^4", &[a]), square * square);
        assert_eq!(at("x0^5", &[a]), square * square * a);
        assert_eq!(at("pow(x0, 5)", &[a]), square * square * a);
        assert_eq!(at("x0^-2", &[a]), 1.0 / square);
        assert_eq!(at("x0^(1 + 1)", &[a]), square);
        assert!(same(at("x0^0.5", &[a]), a.sqrt()));
        assert_eq!(at("x0^1", &[a]), a);
        for n in 2..=16 {
            let (ours, exact) = (at(&format!("x0^{n}"), &[a]), a.powi(n));
            let bound = f64::from(n) * 0.5 * f64::EPSILON * exact.abs();
            assert!((ours - exact).abs() <= 2.0 * bound, "{a}^{n}: {ours} against {exact}");
        }
    }
    assert_eq!(at("x0^0", &[f64::NAN]), 1.0);
}

#[test]
fn equal_parts_are_computed_once_and_unneeded_ones_never() {
    let count = |text: &str| expr(text, 3).program().ops().len();
    assert_eq!(count("sin(x0 + x1)*cos(x1 + x0)"), 6);
    assert_eq!(count("(x0 < 1)*(1 > x0)"), 4);
    assert_eq!(count("if(1 < 2, x0, exp(x1))"), 1);
    assert_eq!(count("x0/2"), 3);
    assert_eq!(expr("x0/2", 3).program().ops()[1], windfall_expr::Op::Constant(0.5));
    assert_eq!(expr("2*3 + log(1)", 3).program().as_constant(), Some(6.0));
    assert_eq!(expr("(x2)", 3).program().as_column(), Some(2));
    assert_eq!(expr("x2 + x0*(1 > 2)", 3).program().columns_used(), [0, 2]);
}

#[test]
fn zeros_keep_their_sign() {
    for (text, x, expected) in [
        ("x0 + 0", -0.0, 0.0),
        ("x0 - 0", -0.0, -0.0),
        ("x0*1", -0.0, -0.0),
        ("-x0", 0.0, -0.0),
        ("0 - x0", 0.0, 0.0),
        ("--x0", -0.0, -0.0),
        ("x0/1", -0.0, -0.0),
        ("-1*x0", 0.0, -0.0),
        ("x0/-2", 0.0, -0.0),
    ] {
        assert!(same(at(text, &[x]), expected), "{text} at {x:?} gave {:?}", at(text, &[x]));
    }
}

#[test]
fn a_constant_in_place_of_a_column_changes_no_bit() {
    let formulas = [
        "A*B + C",
        "A - B*C",
        "A*B - C*A",
        "sin(A)*exp(B) - C/A",
        "hypot(A, B) + atan2(B, C)",
        "if(A < B, A^3, C^-2) + sign(C)",
        "log(abs(A) + 1)*B^2 + C",
        "min(A, B, C)/max(C, B)",
        "cbrt(A)*B + erf(C) - floor(A*10)",
        "(A < B) + (B < C)*2 - not C",
        "A/2 + B/3 + C*1",
        "normal_cdf(A, B, 2) + normal_pdf(A, B, 2)",
        "round(A*7) - trunc(B*7) + ceil(C*7)",
    ];
    for text in formulas {
        for point in points().into_iter().take(20) {
            let columns = ["x0", "x1", "x2"];
            let mut values = Vec::new();
            for mask in 0..8 {
                let mut written = text.to_owned();
                for (index, letter) in ["A", "B", "C"].iter().enumerate() {
                    let constant = format!("({:?})", point[index]);
                    let by = if mask >> index & 1 == 1 { &constant } else { columns[index] };
                    written = written.replace(letter, by);
                }
                values.push(at(&written, &point[..3]));
            }
            assert!(values.iter().all(|&v| same(v, values[0])), "{text} at {point:?}: {values:?}");
        }
    }
}

#[test]
fn the_printed_program_is_the_contract() {
    let program =
        |text: &str| Expr::parse(text, &Names::indexed(3)).expect(text).program().to_string();
    assert_eq!(
        program("if(x0^2 + x1^2 < 1, 2*x0 - x2, 0)"),
        "v0 = x0\nv1 = x1\nv2 = x2\nv3 = 2.0\nv4 = mul v0 v0\nv5 = fma v1 v1 v4\nv6 = 1.0\n\
         v7 = lt v5 v6\nv8 = fms v0 v3 v2\nv9 = 0.0\nv10 = select v7 v8 v9\n"
    );
}
