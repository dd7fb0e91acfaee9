//! The table of functions: every row works, agrees with known values and with identities.

use crate::common::{Dice, at, same, value};
use windfall_expr::functions;

#[test]
fn known_values() {
    // Correctly rounded by definition or from tables (Abramowitz and Stegun; DLMF).
    for (text, expected) in [
        ("exp(1)", std::f64::consts::E),
        ("log(10)", std::f64::consts::LN_10),
        ("log2(8)", 3.0),
        ("log10(1000)", 3.0),
        ("expm1(1e-10)", 1.000_000_000_05e-10),
        ("log1p(1e-10)", 9.999_999_999_5e-11),
        ("sqrt(2)", std::f64::consts::SQRT_2),
        ("cbrt(27)", 3.0),
        ("sin(pi/6)", 0.5),
        ("cos(pi/3)", 0.5),
        ("tan(pi/4)", 1.0),
        ("asin(1)", std::f64::consts::FRAC_PI_2),
        ("acos(-1)", std::f64::consts::PI),
        ("4*atan(1)", std::f64::consts::PI),
        ("atan2(-1, -1)", -0.75 * std::f64::consts::PI),
        ("sinh(1)", 1.175_201_193_643_801_4),
        ("cosh(1)", 1.543_080_634_815_243_7),
        ("tanh(1)", 0.761_594_155_955_764_9),
        ("erf(1)", 0.842_700_792_949_714_9),
        ("erfc(2)", 0.004_677_734_981_047_266),
        ("lgamma(10)", 12.801_827_480_081_469),
        ("lgamma(0.5)", 0.572_364_942_924_700_1),
        ("normal_pdf(0)", 0.398_942_280_401_432_7),
        ("normal_cdf(1.96)", 0.975_002_104_851_779_5),
        ("normal_quantile(0.975)", 1.959_963_984_540_054),
        ("normal_pdf(3, 1, 2)", 0.120_985_362_259_571_68),
        ("normal_cdf(3, 1, 2)", 0.841_344_746_068_542_9),
        ("normal_quantile(0.975, 10)", 11.959_963_984_540_054),
        ("normal_quantile(0.975, 100, 15)", 129.399_459_768_100_8),
        ("hypot(3, 4)", 5.0),
        ("hypot(3e200, 4e200)", 5e200),
        ("hypot(0, 0)", 0.0),
        ("2^0.5 - sqrt(2)", 0.0),
        ("10^17.5", 3.162_277_660_168_379_5e17),
        ("round(2.5) + round(3.5) + round(-0.4)", 6.0),
        ("floor(-1.5) + ceil(-1.5) + trunc(-1.5)", -4.0),
        ("sign(-3) + sign(0) + 4*sign(9)", 3.0),
        ("min(3, 1, 2) + max(1, 3, 2)", 4.0),
        ("abs(-2)", 2.0),
        ("pow(2, 10)", 1024.0),
    ] {
        let found = value(text);
        assert!(
            (found - expected).abs() <= 4e-16 * expected.abs().max(1e-300) + f64::MIN_POSITIVE
                || (found - expected).abs() <= 2.0 * f64::EPSILON * expected.abs(),
            "{text}: {found:?}, expected {expected:?}"
        );
    }
}

#[test]
fn infinities_and_nan_pass_as_they_should() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for (text, x, expected) in [
        ("exp(x0)", -inf, 0.0),
        ("exp(x0)", inf, inf),
        ("log(x0)", 0.0, -inf),
        ("log(x0)", -1.0, nan),
        ("sqrt(x0)", -1.0, nan),
        ("hypot(x0, 1)", -inf, inf),
        ("hypot(x0, x0)", inf, inf),
        ("min(x0, 1)", nan, nan),
        ("min(1, x0)", nan, nan),
        ("max(x0, 1)", nan, nan),
        ("max(1, x0)", nan, nan),
        ("sign(x0)", nan, nan),
        ("sign(x0)", -0.0, -0.0),
        ("normal_cdf(x0)", inf, 1.0),
        ("1/x0", 0.0, inf),
        ("x0 == x0", nan, 0.0),
        ("x0 != x0", nan, 1.0),
        ("not x0 < 1", nan, 1.0),
    ] {
        assert!(same(at(text, &[x]), expected), "{text} at {x}: {}", at(text, &[x]));
    }
}

#[test]
fn identities_hold() {
    let mut dice = Dice(7);
    for _ in 0..500 {
        let (x, y) = (dice.between(-3.0, 3.0), dice.between(0.1, 3.0));
        for text in [
            "sin(x0)^2 + cos(x0)^2 - 1",
            "tan(x0)*cos(x0) - sin(x0)",
            "exp(log(x1))/x1 - 1",
            "log(exp(x0)) - x0",
            "log2(x1)*log(2) - log(x1)",
            "log10(x1)*log(10) - log(x1)",
            "expm1(x0) - (exp(x0) - 1)",
            "log1p(x1) - log(1 + x1)",
            "cbrt(x0)^3 - x0",
            "asin(sin(x0/2)) - x0/2",
            "acos(cos(x1)) - x1",
            "atan(tan(x0/2)) - x0/2",
            "atan2(sin(x0), cos(x0)) - x0",
            "sinh(x0) - (exp(x0) - exp(-x0))/2",
            "cosh(x0)^2 - sinh(x0)^2 - 1",
            "tanh(x0) - sinh(x0)/cosh(x0)",
            "erf(x0) + erfc(x0) - 1",
            "lgamma(x1 + 1) - lgamma(x1) - log(x1)",
            "normal_cdf(x0) - erfc(-x0/sqrt(2))/2",
            "normal_quantile(normal_cdf(x0)) - x0",
            "normal_pdf(x0) - exp(-x0^2/2)/sqrt(2*pi)",
            "normal_pdf(x0, 1, 2) - normal_pdf((x0 - 1)/2)/2",
            "x1^x0 - exp(x0*log(x1))",
            "hypot(x0, x1) - sqrt(x0^2 + x1^2)",
        ] {
            let miss = at(text, &[x, y]);
            assert!(miss.abs() < 2e-13, "{text} at {x}, {y}: {miss:e}");
        }
    }
}

#[test]
fn the_table_is_a_reference() {
    let rows = functions();
    for (index, row) in rows.iter().enumerate() {
        assert!(row.usage.ends_with(')') && row.usage.contains('('), "{}", row.usage);
        assert!(!row.meaning.is_empty() && !row.meaning.ends_with('.'), "{}", row.usage);
        assert!(rows[..index].iter().all(|other| other.name() != row.name()), "{}", row.name());
    }
    assert!(rows.len() >= 35);
}
