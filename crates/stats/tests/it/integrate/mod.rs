//! Integrals from outside: known answers by every method, tolerance, ends at infinity, stops.

mod methods;

use crate::shared::{build, solve};
use std::sync::atomic::{AtomicU64, Ordering};
use windfall_core::{Answer, Cancel, Control, JobSpec, Problem, Seed, Serial, Threads, verify};
use windfall_stats::integrate::{Blocks, Integrand, Integrate, IntegrateOptions, Method};

const INF: f64 = f64::INFINITY;
const METHODS: [Method; 5] =
    [Method::Plain, Method::Stratified, Method::Sobol, Method::Lattice, Method::Vegas];

/// How far off an estimate may be, in standard errors: one in 1.7 million would be farther by
/// the normal law, one in 1.2 million by Student's with 15 degrees of freedom.
fn limit(method: Method) -> f64 {
    if matches!(method, Method::Sobol | Method::Lattice) { 8.0 } else { 5.0 }
}

fn answer(job: &Integrate<'_>) -> Answer {
    job.solve(&Threads::new(2), &Control::default()).unwrap()
}

/// Solves a formula by every method and compares, and returns by how much Sobol points are off; 120
/// such checks stand in this file, so a new set of seeds would fail about once in 10,000 times.
fn check(formula: &str, bounds: &[(f64, f64)], n: u64, expected: f64) -> f64 {
    let mut of_sobol = f64::NAN;
    for method in METHODS {
        let options = IntegrateOptions { n: Some(n), method, ..Default::default() };
        let job = Integrate::formula(formula, bounds, options, Seed::from(7u64)).unwrap();
        let answer = answer(&job);
        let found = &answer.quantities[0];
        let error = (found.estimate - expected).abs();
        of_sobol = if method == Method::Sobol { error } else { of_sobol };
        let name = method.name();
        assert!(error <= limit(method) * found.mcse, "{formula} by {name}: {found:?}");
        assert!(answer.complete && answer.draws.count <= n && 4 * answer.draws.count >= n);
        assert_eq!(answer.method, name);
    }
    of_sobol
}

/// A. Genz, "Testing multidimensional integration routines", 1984: his six families in two
/// dimensions, a = (1, 1), u = (0.5, 0.5) and a = (5, 5), u = (0.3, 0.7).
#[test]
fn the_families_of_genz() {
    let square = [(0.0, 1.0), (0.0, 1.0)];
    let formulas = [
        ("cos(2*pi*U + A*(x0 + x1))", [-0.4967514482834218, 0.047240171921812]),
        ("1/((A^-2 + (x0 - U)^2)*(A^-2 + (x1 - V)^2))", [0.8598764213286576, 129.4236590886456]),
        ("(1 + A*(x0 + x1))^-3", [0.1666666666666667, 0.01515151515151515]),
        ("exp(-A^2*((x0 - U)^2 + (x1 - V)^2))", [0.8511206675087947, 0.121440353968341]),
        ("exp(-A*(abs(x0 - U) + abs(x1 - V)))", [0.6192724869847019, 0.1220345868019438]),
        ("if(x0 > U or x1 > V, 0, exp(A*(x0 + x1)))", [0.4208392870587889, 4.472640722941849]),
    ];
    for (formula, expected) in formulas {
        for ((a, u, v), expected) in
            [("1", "0.5", "0.5"), ("5", "0.3", "0.7")].into_iter().zip(expected)
        {
            let formula = formula.replace('A', a).replace('U', u).replace('V', v);
            check(&formula, &square, 300_000, expected);
        }
    }
}

/// The example of the documentation of vegas (G. P. Lepage), and two integrals in five
/// dimensions, smooth and peaked, whose values are powers of error functions.
#[test]
fn integrals_in_four_and_five_dimensions() {
    check(
        "1013.2118364296088*exp(-100*((x0-0.5)^2 + (x1-0.5)^2 + (x2-0.5)^2 + (x3-0.5)^2))",
        &[(-1.0, 1.0), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0)],
        2_000_000,
        1.000000000000769,
    );
    let smooth = "exp(-(x0^2 + x1^2 + x2^2 + x3^2 + x4^2))";
    let error = check(smooth, &[(-1.0, 1.0); 5], 2_000_000, 7.434327597900411);
    assert!(error < 1e-4, "Sobol points are off by {error}");
    check(
        "exp(-100*((x0-0.5)^2 + (x1-0.5)^2 + (x2-0.5)^2 + (x3-0.5)^2 + (x4-0.5)^2))",
        &[(0.0, 1.0); 5],
        2_000_000,
        1.749341832749039e-4,
    );
}

#[test]
fn ends_at_infinity() {
    let root_pi = std::f64::consts::PI.sqrt();
    check("exp(-x0^2)", &[(-INF, INF)], 100_000, root_pi);
    check("exp(-x0)", &[(0.0, INF)], 100_000, 1.0);
    check("exp(-x0)", &[(2.0, INF)], 100_000, (-2.0f64).exp());
    check("exp(x0)", &[(-INF, 0.0)], 100_000, 1.0);
    check("1/(pi*(1 + x0^2))", &[(-INF, INF)], 100_000, 1.0);
    check("x0*exp(-x0 - x1^2)*x2", &[(0.0, INF), (-INF, INF), (0.0, 2.0)], 100_000, 2.0 * root_pi);
}

#[test]
fn reversed_ends_change_the_sign_and_equal_ends_give_zero() {
    check("exp(-x0)", &[(INF, 0.0)], 10_000, -1.0);
    check("x0*x1", &[(1.0, 0.0), (0.0, 2.0)], 10_000, -1.0);
    check("x0*x1", &[(1.0, 0.0), (2.0, 0.0)], 10_000, 1.0);
    let job = Integrate::formula("-x0", &[(3.0, 3.0)], Default::default(), 1u64.into()).unwrap();
    let answer = answer(&job);
    assert_eq!(answer.quantities[0].estimate.to_bits(), 0);
    assert_eq!(answer.quantities[0].mcse, 0.0);
}

/// Stratified points and Sobol points earn their keep on a smooth integrand.
#[test]
fn better_rules_have_smaller_errors() {
    let errors = METHODS.map(|method| {
        let options = IntegrateOptions { n: Some(1 << 17), method, ..Default::default() };
        let formula = "exp(x0)*cos(x1)";
        let job = Integrate::formula(formula, &[(0.0, 1.0); 2], options, 1u64.into()).unwrap();
        answer(&job).quantities[0].mcse
    });
    assert!(errors[1] < errors[0] / 50.0 && errors[2] < errors[1] / 10.0, "{errors:?}");
}

/// Replacing tasks and shards changes nothing: the error of a constant is zero and said to be.
#[test]
fn a_constant_is_exact() {
    for method in METHODS {
        let options = IntegrateOptions { method, n: Some(1000), ..Default::default() };
        let job = Integrate::new(|_: &[f64]| 0.1, &[(0.0, 3.0)], options, 1u64.into()).unwrap();
        let answer = answer(&job);
        let found = &answer.quantities[0];
        assert!((found.estimate - 0.3).abs() < 1e-15 && found.mcse < 1e-15, "{found:?}");
    }
}

/// A mean of 1e9 and a spread of 1: nothing of the spread is lost to the mean.
#[test]
fn a_large_mean_costs_no_precision() {
    let options = IntegrateOptions { n: Some(100_000), ..Default::default() };
    let job = Integrate::formula("1e9 + sqrt(12)*x0", &[(0.0, 1.0)], options, 1u64.into());
    let answer = answer(&job.unwrap());
    let spread = answer.quantities[0].mcse * 100_000f64.sqrt();
    assert!((spread - 1.0).abs() < 0.01, "{spread}");
}

#[test]
fn every_mapping_gives_the_same_bytes() {
    for (method, extra) in [
        ("plain", "n = 700001"),
        ("stratified", "n = 700001"),
        ("sobol", "n = 700001"),
        ("plain", "tolerance = 0.0008"),
        ("stratified", "tolerance = 0.00005"),
        ("sobol", "tolerance = 1e-7"),
        ("lattice", "n = 700001"),
        ("lattice", "relative_tolerance = 1e-6"),
        ("vegas", "n = 300001"),
        ("vegas", "tolerance = 0.0001"),
        ("cubature", "n = 30001"),
        ("cubature", "relative_tolerance = 1e-5"),
        ("plain", "antithetic = true\nn = 70001"),
        ("stratified", "antithetic = true\nn = 70001"),
        ("plain", "control = 'x0'\ncontrol_integral = 0\nn = 70001"),
    ] {
        let text = format!(
            "problem = 'integrate'\nformula = 'exp(-x0^2 - x1)'\nbounds = [[-1, 1], [0, 'inf']]\n\
             method = '{method}'\nseed = 11\n{extra}"
        );
        let problem = build(&text).unwrap();
        let rows = verify(problem.as_ref(), &Control::default()).unwrap();
        assert!(rows.iter().all(|row| row.same), "{method} {extra}: {rows:?}");
    }
}

#[test]
fn a_tolerance_stops_early_and_says_when_it_cannot_be_met() {
    for method in METHODS {
        let tolerance = if method == Method::Plain { 1e-3 } else { 1e-4 };
        let options = IntegrateOptions { tolerance: Some(tolerance), method, ..Default::default() };
        let bounds = [(0.0, 1.0), (0.0, 2.0)];
        let job = Integrate::formula("x0*x1", &bounds, options.clone(), 1u64.into()).unwrap();
        let reached = answer(&job);
        let found = &reached.quantities[0];
        assert!(reached.complete && found.mcse <= tolerance, "{found:?}");
        assert!((found.estimate - 1.0).abs() < limit(method) * found.mcse);
        assert!(reached.draws.count < 10_000_000);

        let options = IntegrateOptions { tolerance: Some(1e-13), n: Some(5000), ..options };
        let job = Integrate::formula("x0*x1", &bounds, options, 1u64.into()).unwrap();
        let missed = answer(&job);
        assert!(missed.draws.count <= 5000);
        assert!(missed.notes.iter().any(|note| note.contains("not reached")), "{missed:?}");
    }
}

/// The answer does not depend on how many points the integrand takes at once.
#[test]
fn the_size_of_calls_changes_nothing() {
    struct Wide(usize);
    impl Integrand for Wide {
        fn evaluate(&self, columns: &[&[f64]], out: &mut [f64]) -> windfall_core::Result<()> {
            assert!(out.len() <= self.0);
            out.copy_from_slice(columns[1]);
            Ok(())
        }
        fn points_per_call(&self) -> usize {
            self.0
        }
    }
    for method in METHODS {
        let bytes = [512, 1024, 4096].map(|points| {
            let options = IntegrateOptions { method, n: Some(1_500_000), ..Default::default() };
            let bounds = [(0.0, 1.0), (-INF, 1.0)];
            let bounds = if method == Method::Plain { [(0.0, 1.0); 2] } else { bounds };
            let seed = Seed::from(1u64);
            answer(&Integrate::new(Wide(points), &bounds, options, seed).unwrap()).to_bytes()
        });
        assert!(bytes.iter().all(|other| *other == bytes[0]));
    }
}

#[test]
fn closures_of_a_point_and_of_a_block_agree() {
    let bounds = [(0.0, 1.0), (1.0, 2.0)];
    let options = || IntegrateOptions { n: Some(10_000), ..Default::default() };
    let point = Integrate::new(|x: &[f64]| x[0] * x[1], &bounds, options(), 1u64.into()).unwrap();
    let block = Blocks(|columns: &[&[f64]], out: &mut [f64]| {
        out.iter_mut().enumerate().for_each(|(i, value)| *value = columns[0][i] * columns[1][i]);
        Ok(())
    });
    let block = Integrate::new(block, &bounds, options(), 1u64.into()).unwrap();
    assert_eq!(answer(&point), answer(&block));
    assert!(point.spec().is_none());
    let text = "problem = 'integrate'\nbounds = [[0, 1], [1, 2]]\nn = 10000\nseed = 1";
    let spec = JobSpec::from_toml(text).unwrap();
    let read = Integrate::of(|x: &[f64]| x[0] * x[1], &spec).unwrap();
    assert_eq!(answer(&read), answer(&point));
}

/// A run stopped in the middle holds whole shards only, and an estimate within its error.
#[test]
fn an_interrupted_run_keeps_what_is_done() {
    for method in METHODS {
        let cancel = Cancel::default();
        let (seen, stop) = (AtomicU64::new(0), cancel.clone());
        let integrand = move |x: &[f64]| {
            if seen.fetch_add(1, Ordering::Relaxed) == 300_000 {
                stop.stop();
            }
            x[0].exp() * x[1]
        };
        let options = IntegrateOptions { n: Some(1 << 20), method, ..Default::default() };
        let bounds = [(0.0, 1.0), (0.0, 1.0)];
        let job = Integrate::new(integrand, &bounds, options, 5u64.into()).unwrap();
        let answer = job.solve(&Serial, &Control { cancel, observer: None }).unwrap();
        let (found, expected) = (&answer.quantities[0], (1f64.exp() - 1.0) / 2.0);
        assert!(!answer.complete);
        assert!((100_000..300_001).contains(&answer.draws.count), "{}", answer.draws.count);
        let error = (found.estimate - expected).abs();
        assert!(error < limit(method) * found.mcse, "{}: {found:?}", method.name());
    }
}

#[test]
fn a_value_that_is_not_finite_is_an_error_with_its_point() {
    for method in METHODS {
        let options = IntegrateOptions { method, ..Default::default() };
        let bounds = [(0.0, 1.0), (5.0, 6.0)];
        let job = Integrate::formula("log(x0 - 0.5)*x1", &bounds, options, 1u64.into()).unwrap();
        let error = job.solve(&Serial, &Control::default()).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("the integrand is `NaN` at x0 = 0."), "{message}");
        assert!(message.contains("x1 = 5.") && message.contains("(task "), "{message}");
        assert!(error.remedy().is_some());
    }
}

#[test]
fn bad_input_is_refused_before_any_work() {
    let base = "problem = 'integrate'\n";
    for (text, part) in [
        ("bounds = [[0, 1]]", "`formula` is `missing`"),
        ("formula = 'x0'", "too few bounds"),
        ("formula = 'x0 +* x1 +'\nbounds = [[0, 1]]", "x1"),
        ("formula = 'x0'\nbounds = [[0]]", "a pair"),
        ("formula = 'x0'\nbounds = [[0, 'one']]", "`bounds[0]` is `\"one\"`"),
        ("formula = 'x0'\nbounds = [[0, nan]]", "bounds[0]"),
        ("formula = 'x0'\nbounds = [[0, inf]]", "in quotes"),
        ("formula = 'x0'\nbounds = [[0, '0/0']]", "not NaN"),
        ("formula = 'x0'\nbounds = [['inf', 'inf']]", "different ends"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nn = 1", "too few points"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nn = 2.5", "`n` is `2.5`"),
        ("formula = 'x0'\nbounds = [[0, 1]]\ntolerance = 0", "`tolerance` is `0`"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nlevel = 95", "`level` is `95`"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nmethod = 'sobel'", "`method`"),
        ("formula = []\nbounds = [[0, 1]]", "`formula` is `missing`"),
        ("formula = ['x0', ' ']\nbounds = [[0, 1]]", "`formula` is `missing`"),
        ("formula = ['x0', 'x1']\nbounds = [[0, 1]]", "x1"),
        ("formula = 3\nbounds = [[0, 1]]", "a list of them"),
        (
            "formula = 'x0'\nbounds = [[0, 1]]\nrelative_tolerance = -1",
            "`relative_tolerance` is `-1`",
        ),
        ("formula = 'x0'\nbounds = [[0, 1]]\nperiodic = true", "left out with method = \"plain\""),
        ("formula = 'x0'\nbounds = [[0, 1]]\niterations = 5", "`iterations` is `5`"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nmethod = 'vegas'\niterations = 0", "from 1 to 1000"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nmethod = 'vegas'\nwarmup = 1001", "from 0 to 1000"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nmethod = 'vegas'\nn = 399", "at least 400"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nmethod = 'vegas'\nantithetic = true", "`antithetic`"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nantithetic = true\nn = 3", "at least 4"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nmethod = 'cubature'\nn = 20", "at least 21"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nmethod = 'cubature'\ncontrol = 'x0'", "`control`"),
        ("formula = 'x0'\nbounds = [[0, 1]]\ncontrol = 'x1'", "x1"),
        ("formula = 'x0'\nbounds = [[0, 1]]\ncontrol = 'exp(x0)'", "a polynomial over finite"),
        ("formula = 'x0'\nbounds = [[0, 1]]\ncontrol_integral = 1", "each of 0 controls"),
        (
            "formula = 'x0'\nbounds = [[0, 1]]\ncontrol = 'x0'\ncontrol_integral = 'one'",
            "a number, or",
        ),
        ("formula = 'x0'\nbounds = [[0, 1]]\nmethod = 'sobol'\nn = 100", "at least 128"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nmethod = 'sobol'\nreplicates = 1", "from 2"),
        ("formula = 'x0'\nbounds = [[0, 1]]\nformla = 'x0'", "did you mean `formula`"),
    ] {
        let message = solve(&format!("{base}{text}")).unwrap_err().to_string();
        assert!(message.contains(part), "{text}\n{message}");
    }
    for (method, most) in [
        (Method::Sobol, 1111),
        (Method::Lattice, 250),
        (Method::Vegas, 1000),
        (Method::Cubature, 15),
    ] {
        let bounds = vec![(0.0, 1.0); most + 1];
        let options = IntegrateOptions { method, ..Default::default() };
        let error = Integrate::formula("x0", &bounds, options, 1u64.into()).err().unwrap();
        assert!(error.to_string().contains(&format!("at most {most}")), "{error}");
        assert!(error.remedy().is_some());
    }
}

#[test]
fn a_job_is_written_down_as_it_was_read() {
    let text = "problem = 'integrate'\nformula = 'x0*x1'\nbounds = [[0, '2*pi'], [1, 'inf']]\n\
                n = 1e4\nmethod = 'sobol'\nseed = 3";
    let problem = build(text).unwrap();
    let spec = problem.spec().unwrap();
    assert_eq!(spec.options["n"], 10_000);
    assert_eq!(spec.options["bounds"][1][1], "inf");
    let again = build(&spec.to_toml()).unwrap();
    assert_eq!(again.spec(), Some(spec));
}
