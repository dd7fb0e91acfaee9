//! Hold every elementary function to its error bound, and to the same bits on all instruction
//! sets. A function is one row of `ROWS`; its known answers are in `tests/golden/math_<name>.txt`.

use windfall_lanes::{Isa, LANES, Simd, Task, available, dispatch_on, math, scalar_math};

/// Eight results for eight pairs of arguments; a function of one argument ignores the second.
type Call = fn(Isa, &[f64; 8], &[f64; 8]) -> [f64; 8];

/// A function under test.
struct Row {
    name: &'static str,
    /// Largest error allowed, in units in the last place of the exact value.
    bound_ulp: f64,
    call: Call,
}

macro_rules! rows {
    ($($name:literal, $bound:literal, |$s:ident, $x:ident, $y:pat_param| $body:expr;)*) => {
        const ROWS: &[Row] = &[$(Row {
            name: $name,
            bound_ulp: $bound,
            call: {
                struct Once<'a>(&'a [f64; 8], &'a [f64; 8]);
                impl Task for Once<'_> {
                    type Output = [f64; 8];
                    #[inline(always)]
                    fn run<S: Simd>(self, $s: S) -> [f64; 8] {
                        let $x = $s.load(self.0);
                        let $y = $s.load(self.1);
                        $s.to_array($body)
                    }
                }
                |isa, x, y| dispatch_on(isa, Once(x, y))
            },
        },)*];
    };
}

rows! {
    "exp", 1.1, |s, x, _| math::exp(s, x);
    "expm1", 2.1, |s, x, _| math::expm1(s, x);
    "log", 1.3, |s, x, _| math::log(s, x);
    "log1p", 1.8, |s, x, _| math::log1p(s, x);
    "log2", 1.5, |s, x, _| math::log2(s, x);
    "log10", 1.3, |s, x, _| math::log10(s, x);
    "sin", 0.8, |s, x, _| math::sin(s, x);
    "cos", 0.8, |s, x, _| math::cos(s, x);
    "tan", 1.0, |s, x, _| math::tan(s, x);
    "asin", 1.1, |s, x, _| math::asin(s, x);
    "acos", 1.1, |s, x, _| math::acos(s, x);
    "atan", 1.3, |s, x, _| math::atan(s, x);
    "atan2", 1.6, |s, y, x| math::atan2(s, y, x);
    "sinh", 1.6, |s, x, _| math::sinh(s, x);
    "cosh", 1.1, |s, x, _| math::cosh(s, x);
    "tanh", 1.4, |s, x, _| math::tanh(s, x);
    "pow", 0.7, |s, x, y| math::pow(s, x, y);
    "cbrt", 0.51, |s, x, _| math::cbrt(s, x);
    "erf", 1.2, |s, x, _| math::erf(s, x);
    "erfc", 2.5, |s, x, _| math::erfc(s, x);
    "lgamma", 3.0, |s, x, _| math::lgamma(s, x);
    "digamma", 16.0, |s, x, _| math::digamma(s, x);
    "normal_pdf", 2.0, |s, x, _| math::normal_pdf(s, x);
    "normal_cdf", 3.0, |s, x, _| math::normal_cdf(s, x);
    "normal_quantile", 4.6, |s, x, _| math::normal_quantile(s, x);
    "sin_turn", 1.0, |s, x, _| math::sincos_turn(s, x).0;
    "cos_turn", 1.0, |s, x, _| math::sincos_turn(s, x).1;
}

/// A known answer: the arguments, the correctly rounded value, what rounding lost in ulp.
struct Known {
    x: f64,
    y: f64,
    value: f64,
    lost_ulp: f64,
}

fn known(name: &str) -> Vec<Known> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
    let path = format!("{folder}/math_{name}.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("`{path}`: {e}"));
    let number = |hex: &str| f64::from_bits(u64::from_str_radix(hex, 16).expect("hexadecimal"));
    let parse = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (result, arguments) = (&words[words.len() - 2..], &words[..words.len() - 2]);
        let x = number(arguments[0]);
        let y = arguments.get(1).map_or(0.0, |word| number(word));
        let lost_ulp = result[1].parse().expect("a decimal fraction");
        Known { x, y, value: number(result[0]), lost_ulp }
    };
    text.lines().map(parse).collect()
}

/// The distance between consecutive doubles at `x`, on the side away from zero.
fn ulp(x: f64) -> f64 {
    let x = x.abs().min(f64::MAX.next_down());
    x.next_up() - x
}

/// How far `got` is from the exact value; infinite if it differs in kind or in the sign of zero.
fn error_ulp(got: f64, want: &Known) -> f64 {
    let value = want.value;
    if got.is_nan() && value.is_nan() || got.to_bits() == value.to_bits() && !value.is_finite() {
        return 0.0;
    }
    let exact_zero = value == 0.0 && want.lost_ulp == 0.0;
    if !got.is_finite() || !value.is_finite() || exact_zero && got.to_bits() != value.to_bits() {
        return f64::INFINITY;
    }
    ((got - value) / ulp(value) - want.lost_ulp).abs()
}

#[test]
fn every_function_keeps_its_bound() {
    let mut faults = Vec::new();
    for row in ROWS {
        let answers = known(row.name);
        assert!(answers.len() > 500, "{} has too few known answers", row.name);
        for &isa in available() {
            let mut worst = (0.0, 0.0, 0.0);
            for want in &answers {
                let got = (row.call)(isa, &[want.x; LANES], &[want.y; LANES])[0];
                let error = error_ulp(got, want);
                if error > worst.0 {
                    worst = (error, want.x, want.y);
                }
            }
            if worst.0 > row.bound_ulp {
                let (error, x, y) = worst;
                faults.push(format!("{} on {isa}: {error:.3} ulp at {x:e}, {y:e}", row.name));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Words from `splitmix64` (Steele, Lea, Flood 2014).
fn word(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// In turn: any bits at all, a moderate magnitude, a number in [0, 1), one in [-40, 40).
fn argument(state: &mut u64, turn: u64) -> f64 {
    let bits = word(state);
    let unit = (bits >> 11) as f64 / (1u64 << 53) as f64;
    match turn % 4 {
        0 => f64::from_bits(bits),
        1 => f64::from_bits((bits & !(0x7ff << 52)) | ((1003 + (bits >> 52) % 40) << 52)),
        2 => unit,
        _ => 80.0 * unit - 40.0,
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    const VECTORS: u64 = 16_384; // 131 072 arguments per function
    for row in ROWS {
        let state = &mut 20_261_122;
        for i in 0..VECTORS {
            let x = std::array::from_fn(|_| argument(state, i));
            let y = std::array::from_fn(|_| argument(state, i / 4));
            let want = (row.call)(Isa::Scalar, &x, &y);
            for &isa in available() {
                let got = (row.call)(isa, &x, &y);
                for k in 0..LANES {
                    let same = got[k].to_bits() == want[k].to_bits();
                    let both_nan = got[k].is_nan() && want[k].is_nan();
                    let (name, x, y) = (row.name, x[k], y[k]);
                    assert!(same || both_nan, "{name}({x:e}, {y:e}) on {isa}: {}", got[k]);
                }
            }
        }
    }
}

#[test]
fn powers_of_two_have_exact_logarithms() {
    for &isa in available() {
        let log2 = ROWS.iter().find(|row| row.name == "log2").expect("a row").call;
        for k in -1022..1024 {
            let x = f64::from_bits(((k + 1023) as u64) << 52);
            assert_eq!(log2(isa, &[x; LANES], &[0.0; LANES]), [f64::from(k); LANES]);
        }
    }
}

#[test]
fn single_values_have_the_bits_of_a_lane() {
    let row = |name| ROWS.iter().find(|row| row.name == name).expect("a row").call;
    let state = &mut 7;
    for i in 0..4096 {
        let (x, y) = (argument(state, i), argument(state, i / 4));
        let pairs = [
            (scalar_math::exp(x), row("exp")),
            (scalar_math::pow(x, y), row("pow")),
            (scalar_math::lgamma(x), row("lgamma")),
            (scalar_math::normal_quantile(x), row("normal_quantile")),
            (scalar_math::cos_turn(x % 1.0), row("cos_turn")),
        ];
        for (k, (got, call)) in pairs.into_iter().enumerate() {
            let x = if k == 4 { x % 1.0 } else { x };
            let want = call(Isa::Scalar, &[x; LANES], &[y; LANES])[0];
            assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "{k}: {x:e}");
        }
    }
}

/// The doubles next to the zeros of lgamma between its poles, with its values there: found by
/// bisection in 60 digits with mpmath.
const ZEROS: [(f64, f64); 18] = [
    (-2.7476826467274127, 1.733509244024501e-16),
    (-2.4570247382208006, 5.619192358950097e-17),
    (-3.955294284858598, -4.14382750757705e-16),
    (-3.14358088834998, 1.6978655906121085e-15),
    (-4.991544640560048, 1.7683619350849613e-14),
    (-4.039361839740537, -5.664578074060335e-15),
    (-5.998607480080875, -2.3721063667118474e-13),
    (-5.0082181683225935, 5.4188509265538106e-15),
    (-6.999801507890638, 5.313011065735902e-14),
    (-6.001385294453155, -4.6433836942838004e-14),
    (-7.999975197095821, -2.1213071311827735e-12),
    (-7.000198333407325, -1.263203743493977e-12),
    (-8.999997244250977, -8.050618056741812e-11),
    (-8.000024800270682, 1.75595561986039e-11),
    (-9.99999972442663, 1.7719543958825935e-09),
    (-9.000002755714823, 3.444263328391509e-11),
    (-10.99999997494789, 7.92108817813105e-09),
    (-10.000000275573013, 1.2668051387565237e-09),
];

#[test]
fn lgamma_between_its_poles_is_right_to_an_absolute_bound() {
    let row = ROWS.iter().find(|row| row.name == "lgamma").expect("a row");
    for (x, value) in ZEROS {
        for &isa in available() {
            let got = (row.call)(isa, &[x; LANES], &[0.0; LANES])[0];
            assert!((got - value).abs() <= 4e-16, "lgamma({x}) on {isa}: {got:e}");
        }
    }
}

#[test]
fn a_lane_does_not_depend_on_its_neighbours() {
    for row in ROWS {
        let state = &mut 99;
        for _ in 0..64 {
            // Any bits beside moderate numbers: rare whole-vector branches are taken or not.
            let x: [f64; LANES] = std::array::from_fn(|k| argument(state, k as u64));
            let y: [f64; LANES] = std::array::from_fn(|k| argument(state, k as u64 / 2));
            for &isa in available() {
                let all = (row.call)(isa, &x, &y);
                for k in 0..LANES {
                    let alone = (row.call)(isa, &[x[k]; LANES], &[y[k]; LANES])[0];
                    let same = all[k].to_bits() == alone.to_bits();
                    let (name, x, y) = (row.name, x[k], y[k]);
                    assert!(same || all[k].is_nan() && alone.is_nan(), "{name}({x:e}, {y:e})");
                }
            }
        }
    }
}
