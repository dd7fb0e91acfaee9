//! Gradients of totals: each function's derivative as written down by hand, random formulas against
//! differences, sums over rows against sums by hand, the same bits on every instruction set.

use crate::common::{Dice, at, same};
use windfall_expr::{Rows, Total, Words, Workspace, functions};
use windfall_lanes::{available, detected, limit};

/// The total of a formula over parameters `x0, x1, …` and no rows.
fn total(text: &str, parameters: usize) -> Total {
    let parameters = (0..parameters).map(|index| format!("x{index}")).collect();
    let words = Words { parameters, ..Words::default() };
    Total::parse(text, &words).unwrap_or_else(|problems| panic!("`{text}`:\n{problems}"))
}

/// Value and gradient at a point.
fn gradient(total: &Total, point: &[f64], rows: &Rows) -> (f64, Vec<f64>) {
    let mut gradient = vec![f64::NAN; point.len()];
    let value = total.gradient(point, rows, &mut gradient, &mut Workspace::new());
    (value, gradient)
}

/// Formula of `x0`, a place, and the derivative by hand.
const DERIVATIVES: &[(&str, f64, &str)] = &[
    ("-x0", 0.3, "-1"),
    ("abs(x0)", -0.3, "-1"),
    ("abs(x0)", 0.0, "0"),
    ("sign(x0)*x0", -2.0, "-1"),
    ("floor(x0)*x0 + ceil(x0) + round(x0) + trunc(x0)", 1.3, "1"),
    ("sqrt(x0)", 2.0, "0.5/sqrt(x0)"),
    ("cbrt(x0)", -2.0, "1/(3*cbrt(x0)^2)"),
    ("hypot(x0, 2)", 1.5, "x0/hypot(x0, 2)"),
    ("hypot(x0, x0)", 1.5, "sqrt(2)"),
    ("x0^3", 1.5, "3*x0^2"),
    ("x0^17", 1.1, "17*x0^16"),
    ("x0^-2", 1.5, "-2/x0^3"),
    ("x0^0.5", 1.5, "0.5/sqrt(x0)"),
    ("x0^2.5", 1.5, "2.5*x0^1.5"),
    ("2^x0", 1.5, "log(2)*2^x0"),
    ("x0^x0", 1.5, "x0^x0*(log(x0) + 1)"),
    ("0^x0", 1.5, "0"),
    ("exp(x0)", 0.7, "exp(x0)"),
    ("expm1(x0)", 0.7, "exp(x0)"),
    ("log(x0)", 0.7, "1/x0"),
    ("log1p(x0)", 0.7, "1/(1 + x0)"),
    ("log2(x0)", 0.7, "1/(x0*log(2))"),
    ("log10(x0)", 0.7, "1/(x0*log(10))"),
    ("sin(x0)", 0.7, "cos(x0)"),
    ("cos(x0)", 0.7, "-sin(x0)"),
    ("tan(x0)", 0.7, "1/cos(x0)^2"),
    ("asin(x0)", 0.7, "1/sqrt(1 - x0^2)"),
    ("acos(x0)", 0.7, "-1/sqrt(1 - x0^2)"),
    ("atan(x0)", 0.7, "1/(1 + x0^2)"),
    ("atan2(x0, 2)", 0.7, "2/(x0^2 + 4)"),
    ("atan2(2, x0)", 0.7, "-2/(x0^2 + 4)"),
    ("sinh(x0)", 0.7, "cosh(x0)"),
    ("cosh(x0)", 0.7, "sinh(x0)"),
    ("tanh(x0)", 0.7, "1/cosh(x0)^2"),
    ("erf(x0)", 0.7, "2/sqrt(pi)*exp(-x0^2)"),
    ("erfc(x0)", 0.7, "-2/sqrt(pi)*exp(-x0^2)"),
    ("lgamma(x0)", 3.0, "1.5 - 0.5772156649015328606"),
    ("lgamma(x0)", 0.5, "-0.5772156649015328606 - 2*log(2)"),
    ("normal_pdf(x0)", 0.7, "-x0*normal_pdf(x0)"),
    ("normal_cdf(x0, 1, 2)", 0.7, "normal_pdf(x0, 1, 2)"),
    ("normal_quantile(x0)", 0.7, "1/normal_pdf(normal_quantile(x0))"),
    ("min(x0, 1)", 0.7, "1"),
    ("min(x0, 1)", 1.7, "0"),
    ("max(1, x0, x0^2)", 1.7, "2*x0"),
    ("max(x0, 0.7)", 0.7, "0.5"),
    ("if(x0 < 1, x0^2, 3*x0)", 0.7, "2*x0"),
    ("if(x0 < 1, x0^2, 3*x0)", 1.7, "3"),
    ("x0 < 1 and x0 > 0 or not x0 == 3", 0.7, "0"),
    ("x0/(1 + x0)", 0.7, "1/(1 + x0)^2"),
    ("5 - 2*x0 - x0*x0", 0.7, "-2 - 2*x0"),
    ("x0*3 - x0^2*x0", 0.7, "3 - 3*x0^2"),
    ("logit(x0)", 0.7, "1/(x0*(1 - x0))"),
    ("inv_logit(x0)", -0.7, "inv_logit(x0)*(1 - inv_logit(x0))"),
    ("inv_logit(x0)", 800.0, "0"),
    ("log1p_exp(x0)", 0.7, "inv_logit(x0)"),
    ("log1p_exp(x0)", -0.7, "inv_logit(x0)"),
    ("log1p_exp(x0)", 0.0, "0.5"),
    ("log1p_exp(x0)", 800.0, "1"),
    ("log_sum_exp(x0, 2*x0, 1)", 0.7, "(exp(x0) + 2*exp(2*x0))/(exp(x0) + exp(2*x0) + e)"),
    ("log_sum_exp(x0, 0)", 0.0, "0.5"),
];

#[test]
fn each_derivative_is_the_one_by_hand() {
    for &(text, x, by_hand) in DERIVATIVES {
        let (value, found) = gradient(&total(text, 1), &[x], &Rows::default());
        let expected = at(by_hand, &[x]);
        assert!(same(value, at(text, &[x])), "{text} at {x}: {value}");
        let bound = 4e-15 * expected.abs().max(0.1);
        assert!((found[0] - expected).abs() <= bound, "{text} at {x}: {} {expected}", found[0]);
    }
}

#[test]
fn no_function_is_left_without_a_test() {
    let called = |name: &str| {
        let inside = |text: &str| text.contains(&format!("{name}("));
        DERIVATIVES.iter().any(|row| inside(row.0)) || LAWS.iter().any(|row| inside(row.0))
    };
    for function in functions() {
        assert!(called(function.name()) || function.name() == "pow", "{}", function.name());
    }
}

/// A branch not taken has no say, however wild its slope.
#[test]
fn a_branch_that_is_not_taken_is_not_differentiated() {
    for (text, x, expected) in [
        ("if(x0 > 0, log(x0), x0)", 0.0, 1.0),
        ("if(x0 > 0, sqrt(x0), 2*x0)", 0.0, 2.0),
        ("if(x0 > 0, x0*log(x0), 0)", 0.0, 0.0),
        ("if(x0 > 0, x0^-0.5, x0)", 0.0, 1.0),
        ("min(x0, 1/x0)", 0.0, 1.0),
        ("if(x0 < 700, x0, 1/exp(2*x0))", 1.0, 1.0),
    ] {
        let (_, found) = gradient(&total(text, 1), &[x], &Rows::default());
        assert_eq!(found[0], expected, "{text} at {x}");
    }
}

/// A random formula over `x0..x3` whose value and slopes stay moderate.
fn formula(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.below(9) == 0 {
        return match dice.below(4) {
            0 => format!("{:?}", (dice.between(0.2, 2.0) * 64.0).round() / 64.0),
            _ => format!("x{}", dice.below(4)),
        };
    }
    let a = formula(dice, depth - 1);
    match dice.below(22) {
        0 => format!("sin({a})"),
        1 => format!("cos({a})"),
        2 => format!("tanh({a})"),
        3 => format!("atan({a})"),
        4 => format!("exp(-({a})^2)"),
        5 => format!("log1p(({a})^2)"),
        6 => format!("sqrt(1 + ({a})^2)"),
        7 => format!("erf({a})"),
        8 => format!("normal_cdf({a})"),
        9 => format!("log1p_exp({a})"),
        10 => format!("inv_logit({a})"),
        11 => format!("lgamma(1.5 + ({a})^2)"),
        12 => format!("(2 + cos({a}))^1.5"),
        13 => format!("-({a})"),
        pick => {
            let b = formula(dice, depth - 1);
            match pick {
                14 | 15 => format!("({a} + {b})"),
                16 | 17 => format!("({a} - {b})"),
                18 => format!("({a})*tanh({b})"),
                19 => format!("({a})/(1 + ({b})^2)"),
                20 => format!("hypot({a}, 1 + ({b})^2)"),
                _ => format!("atan2({a}, 1.5 + sin({b}))"),
            }
        }
    }
}

/// The derivative along axis `axis` by Richardson's extrapolation of central differences, and how
/// far off it may be.
fn slope(f: impl Fn(&[f64]) -> f64, point: &[f64], axis: usize) -> (f64, f64) {
    let central = |h: f64| {
        let (mut up, mut down) = (point.to_vec(), point.to_vec());
        up[axis] += h;
        down[axis] -= h;
        (f(&up) - f(&down)) / (up[axis] - down[axis])
    };
    let (wide, middle, narrow) = (central(4e-3), central(2e-3), central(1e-3));
    let better = [(4.0 * middle - wide) / 3.0, (4.0 * narrow - middle) / 3.0];
    let best = (16.0 * better[1] - better[0]) / 15.0;
    let noise = 1e-12 * (1.0 + f(point).abs());
    (best, 10.0 * (best - better[1]).abs() + noise + 1e-9 * best.abs())
}

#[test]
fn random_formulas_have_the_slopes_of_their_differences() {
    let mut dice = Dice(20);
    for round in 0..300 {
        let text = formula(&mut dice, 2 + round % 4);
        let point: Vec<f64> = (0..4).map(|_| dice.between(-1.5, 1.5)).collect();
        let total = total(&text, 4);
        let (value, found) = gradient(&total, &point, &Rows::default());
        let f = |x: &[f64]| at(&text, x);
        assert!(same(value, f(&point)), "{text}");
        for (axis, found) in found.iter().enumerate() {
            let (expected, bound) = slope(f, &point, axis);
            assert!((found - expected).abs() <= bound, "{text} by x{axis}: {found} {expected}");
            assert!(total.uses()[axis] || *found == 0.0);
        }
    }
}

/// Three columns and five parameters, with sums inside and outside other operations.
const SUMS: &[&str] = &[
    "sum(normal_lpdf(y, a + b*x, s)) - a^2/8 - log(s)",
    "-sum(((y - a - b*x)/s)^2)/2 - 30*log(s)",
    "log(sum(exp(a*x))) - b*sum(x*y) + sum(c)",
    "sum(bernoulli_logit_lpmf(k, a + b*x + c*y)) - sqrt(500 + sum(b*x^2)*s)",
    "sum(poisson_log_lpmf(k, a + b*x)) + sum(poisson_log_lpmf(k, a + b*x))/3",
    "sum(student_t_lpdf(y, 1 + s, a, exp(b)))*sum(1)/40",
    "sum(if(x > 0, a*x, b/(1 + x^2))) + max(a, b)",
    "sum(log_sum_exp(log(d) + normal_lpdf(y, a, s), log1p(-d) + normal_lpdf(y, b, s)))",
    "sum(sqrt(2 + sin(x))*a) + tenth*sum(lgamma(k + 1)) - b*s*c*d",
    "a*b + s*c*d",
];

fn words() -> Words {
    let list = |names: &str| names.split(' ').map(str::to_owned).collect();
    Words {
        parameters: list("a b c s d"),
        columns: list("x y k"),
        constants: vec![("tenth".into(), 0.1)],
    }
}

fn columns(rows: usize) -> [Vec<f64>; 3] {
    let mut dice = Dice(9);
    let mut column = |f: fn(&mut Dice) -> f64| (0..rows).map(|_| f(&mut dice)).collect();
    [
        column(|dice| dice.between(-1.0, 1.0)),
        column(|dice| dice.between(-2.0, 2.0)),
        column(|dice| dice.below(2) as f64),
    ]
}

const POINT: [f64; 5] = [0.3, -0.4, 0.2, 0.8, 0.35];

#[test]
fn sums_over_rows_are_those_of_each_row() {
    for text in SUMS {
        let total = Total::parse(text, &words()).unwrap_or_else(|p| panic!("{p}"));
        for rows in [0, 1, 2, 7, 8, 9, 31, 33, 255, 256, 257, 700] {
            let columns = columns(rows);
            let slices = columns.each_ref().map(Vec::as_slice);
            let packed = total.pack(&slices);
            assert_eq!(packed.len(), rows);
            // By hand: each row is a formula of its own with its numbers as constants.
            let by_hand = |point: &[f64]| {
                let mut workspace = Workspace::new();
                let mut sums = Vec::new();
                for part in inside_sums(text) {
                    let mut names = words().parameters;
                    names.extend(words().columns);
                    let row =
                        windfall_expr::Expr::parse(part, &windfall_expr::Names::columns(names));
                    let row = row.unwrap_or_else(|p| panic!("{p}"));
                    let value = |at: usize| {
                        let mut values = point.to_vec();
                        values.extend(columns.iter().map(|column| column[at]));
                        row.evaluate_one(&values, &mut Workspace::new())
                    };
                    sums.push((0..rows).map(value).sum::<f64>());
                }
                let outer = outside_sums(text);
                let mut names = words().parameters;
                names.extend((0..sums.len()).map(|at| format!("sum{at}")));
                names.push("tenth".into());
                let outer =
                    windfall_expr::Expr::parse(&outer, &windfall_expr::Names::columns(names));
                let values: Vec<f64> = point.iter().chain(&sums).copied().chain([0.1]).collect();
                outer.unwrap_or_else(|p| panic!("{p}")).evaluate_one(&values, &mut workspace)
            };
            let (value, found) = gradient(&total, &POINT, &packed);
            let expected = by_hand(&POINT);
            let close = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-12 * (1.0 + b.abs());
            assert!(close(value, expected), "{text}, {rows} rows: {value} {expected}");
            let alone = total.value(&POINT, &packed, &mut Workspace::new());
            assert!(close(alone, value), "{text}, {rows} rows: {alone} {value}");
            if value.is_finite() && rows < 300 {
                for (axis, found) in found.iter().enumerate() {
                    let (expected, bound) = slope(by_hand, &POINT, axis);
                    let text = format!("{text}, {rows} rows, by {axis}");
                    assert!((found - expected).abs() <= bound, "{text}: {found} {expected}");
                }
            }
        }
    }
}

/// The arguments of the sums of `text`, in order.
fn inside_sums(text: &str) -> Vec<&str> {
    let starts = text.match_indices("sum(").filter(|(at, _)| !text[..*at].ends_with('_'));
    starts.map(|(at, _)| &text[at + 4..at + 4 + closing(&text[at + 4..])]).collect()
}

/// `text` with its sums replaced by `sum0`, `sum1`, ….
fn outside_sums(text: &str) -> String {
    let mut outer = text.to_owned();
    for (count, part) in inside_sums(text).into_iter().enumerate() {
        outer = outer.replacen(&format!("sum({part})"), &format!("sum{count}"), 1);
    }
    outer
}

/// Where the parenthesis closes that opened before `text`.
fn closing(text: &str) -> usize {
    let mut depth = 1;
    for (at, letter) in text.char_indices() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth == 0 {
            return at;
        }
    }
    panic!("`{text}` never closes")
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for text in SUMS {
        let total = Total::parse(text, &words()).unwrap_or_else(|p| panic!("{p}"));
        let columns = columns(1003);
        let packed = total.pack(&columns.each_ref().map(Vec::as_slice));
        let all: Vec<(u64, Vec<u64>)> = available()
            .iter()
            .map(|&isa| {
                limit(isa).expect("it is available");
                let (value, gradient) = gradient(&total, &POINT, &packed);
                (value.to_bits(), gradient.iter().map(|g| g.to_bits()).collect())
            })
            .collect();
        limit(detected()).expect("it is available");
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }
}

/// A law, the place, its log density by SciPy 1.17.1 (`scipy.stats`).
const LAWS: &[(&str, f64)] = &[
    ("normal_lpdf(0.7)", -1.1639385332046726),
    ("normal_lpdf(0.7, 1.5)", -1.2389385332046727),
    ("normal_lpdf(0.7, 1.5, 2.5)", -1.886429265078828),
    ("lognormal_lpdf(0.7, 1.5, 2.5)", -1.7543336689360869),
    ("student_t_lpdf(0.7, 3.5)", -1.284287181673911),
    ("student_t_lpdf(0.7, 3.5, 1.5, 2.5)", -1.970648296530835),
    ("cauchy_lpdf(0.7)", -1.5435060058067678),
    ("cauchy_lpdf(0.7, 1.5, 2.5)", -2.1585102390008126),
    ("laplace_lpdf(0.7, 1.5, 2.5)", -1.9294379124341003),
    ("logistic_lpdf(0.7, 1.5, 2.5)", -2.3280766062343057),
    ("exponential_lpdf(0.7)", -0.7),
    ("exponential_lpdf(0.7, 2.5)", -0.8337092681258448),
    ("gamma_lpdf(0.7, 1.5, 2.5)", -0.43311913652288825),
    ("inv_gamma_lpdf(0.7, 1.5, 2.5)", -1.1845228761352624),
    ("beta_lpdf(0.7, 1.5, 2.5)", -0.35643784206788887),
    ("weibull_lpdf(0.7, 1.5, 2.5)", -1.2954705350920515),
    ("bernoulli_lpmf(1, 0.3)", -1.2039728043259361),
    ("bernoulli_lpmf(0, 0.3)", -0.35667494393873245),
    ("bernoulli_logit_lpmf(1, -1.5)", -1.7014132779827524),
    ("bernoulli_logit_lpmf(0, 1.5)", -1.7014132779827524),
    ("binomial_lpmf(3, 7, 0.3)", -1.4832701272433244),
    ("binomial_lpmf(0, 7, 0)", 0.0),
    ("binomial_logit_lpmf(3, 7, -1.5)", -2.3545448843898535),
    ("poisson_lpmf(3, 2.5)", -1.5428872736055896),
    ("poisson_lpmf(0, 0)", 0.0),
    ("poisson_log_lpmf(3, 0.7)", -1.7055121766985315),
    ("neg_binomial_lpmf(3, 2.5, 1.5)", -2.0984954280051635),
];

#[test]
fn laws_have_the_log_densities_of_scipy() {
    for &(text, expected) in LAWS {
        let found = at(text, &[]);
        assert!((found - expected).abs() <= 2e-14 * expected.abs().max(1.0), "{text}: {found}");
    }
}

/// The derivative of each law by each of its arguments that varies continuously.
#[test]
fn laws_have_the_slopes_of_their_differences() {
    for &(text, _) in LAWS {
        let (name, arguments) = text.trim_end_matches(')').split_once('(').expect("a call");
        let values: Vec<f64> =
            arguments.split(", ").map(|number| number.parse().expect("a number")).collect();
        if values.contains(&0.0) && name.ends_with("_lpmf") {
            continue; // at an edge of the support differences mean nothing
        }
        let first = usize::from(name.ends_with("_lpmf"));
        let variables: Vec<String> = (0..values.len() - first).map(|at| format!("x{at}")).collect();
        let counts: Vec<String> = values[..first].iter().map(|k| format!("{k:?}")).collect();
        let text = format!("{name}({})", [counts, variables].concat().join(", "));
        let point = &values[first..];
        let (_, found) = gradient(&total(&text, point.len()), point, &Rows::default());
        for (axis, found) in found.iter().enumerate() {
            let (expected, bound) = slope(|x| at(&text, x), point, axis);
            assert!((found - expected).abs() <= bound, "{text} by x{axis}: {found} {expected}");
        }
    }
}

#[test]
fn sums_and_columns_stand_where_they_may() {
    for (text, part) in [
        ("sum(sum(x))", "inside another"),
        ("a + x", "outside any aggregate"),
        ("sum(z)", "unknown variable `z`"),
        ("sum(x, y)", "does not take 2 arguments"),
        ("mean(x)", "unknown function `mean`"),
    ] {
        let message = Total::parse(text, &words()).expect_err(text).to_string();
        assert!(message.contains(part), "{text}: {message}");
    }
}
