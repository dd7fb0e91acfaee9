//! The built-in models against reference posteriors: exact by quadrature or enumeration, and those
//! of posteriordb where it has them.

use super::posteriors::agree;
use serde_json::json;
use windfall_core::{Answer, Control, Error, JobSpec, Result, Source, Table, Threads};
use windfall_stats::REGISTRY;

struct Data;

impl Source for Data {
    fn table(&self, path: &str) -> Result<Table> {
        match path {
            "schools" => Table::from_numbers([
                ("effect", vec![28., 8., -3., 7., -1., 1., 18., 12.]),
                ("error", vec![15., 10., 16., 11., 9., 11., 10., 18.]),
            ]),
            "challenger" => {
                let t = [
                    66., 70., 69., 68., 67., 72., 73., 70., 57., 63., 70., 78., 67., 53., 67., 75.,
                    70., 81., 76., 79., 75., 76., 58.,
                ];
                let y = [
                    0., 1., 0., 0., 0., 0., 0., 0., 1., 1., 1., 0., 0., 1., 0., 0., 0., 0., 0., 0.,
                    1., 0., 1.,
                ];
                let t = t.map(|t: f64| (t - 70.0) / 10.0);
                Table::from_numbers([("t", t.to_vec()), ("failure", y.to_vec())])
            }
            "mesquite" => {
                let logs = |x: &[f64]| x.iter().map(|x| x.ln()).collect::<Vec<_>>();
                let volume: Vec<f64> =
                    (0..46).map(|i| (DIAM1[i] * DIAM2[i] * HEIGHT[i]).ln()).collect();
                Table::from_numbers([("weight", logs(&WEIGHT)), ("volume", volume)])
            }
            "dobson" => {
                let counts = vec![18., 17., 15., 20., 10., 20., 25., 13., 12.];
                let time = (1..=9).map(f64::from).collect();
                Table::from_numbers([("counts", counts), ("time", time)])
            }
            "overlap" => Table::from_numbers([("y", OVERLAP.to_vec())]),
            "two" => Table::from_numbers([("y", TWO.to_vec())]),
            _ => Err(Error::io(path, "no such table")),
        }
    }
}

/// Gelman and Hill (2007): leaf weight and size of 46 mesquite bushes.
const WEIGHT: [f64; 46] = [
    401.3, 513.7, 1179.2, 308., 855.2, 268.7, 155.5, 1253.2, 328., 614.6, 60.2, 269.6, 448.4,
    120.4, 378.7, 266.4, 138.9, 1020.8, 635.7, 621.8, 579.8, 326.8, 66.7, 68., 153.1, 256.4, 723.,
    4052., 345., 330.9, 163.5, 1160., 386.6, 693.5, 674.4, 217.5, 771.3, 341.7, 125.7, 462.5, 64.5,
    850.6, 226., 1745.1, 908., 213.5,
];
const DIAM1: [f64; 46] = [
    1.8, 1.7, 2.8, 1.3, 3.3, 1.4, 1.5, 3.9, 1.8, 2.1, 0.8, 1.3, 1.2, 1.5, 2.8, 1.4, 1.5, 2.4, 1.9,
    2.3, 2.1, 2.4, 1., 1.3, 1.1, 1.3, 2.5, 5.2, 2., 1.6, 1.4, 3.2, 1.9, 2.4, 2.5, 2.1, 2.4, 2.4,
    1.9, 2.7, 1.3, 2.9, 2.1, 4.1, 2.8, 1.27,
];
const DIAM2: [f64; 46] = [
    1.15, 1.35, 2.55, 0.85, 1.9, 1.4, 0.5, 2.3, 1.35, 1.6, 0.63, 0.95, 0.9, 0.7, 1.7, 0.85, 0.6,
    2.4, 1.55, 1.6, 1.7, 1.3, 0.4, 0.6, 0.7, 1.2, 2.3, 4., 1.6, 1.6, 1., 1.9, 1.8, 2.4, 1.8, 1.5,
    2.2, 1.7, 1.2, 2.5, 1.1, 2.7, 1., 3.8, 2.5, 1.,
];
const HEIGHT: [f64; 46] = [
    1., 1.33, 0.6, 1.2, 1.05, 1., 0.9, 1.3, 0.6, 0.8, 0.6, 0.95, 1.2, 0.7, 1.2, 1.1, 0.64, 1.2,
    1.2, 1.3, 1., 0.9, 1., 0.5, 0.9, 0.6, 1.4, 2.5, 1.4, 1.3, 1.1, 1.5, 0.8, 1.1, 1.3, 0.85, 1.5,
    1.2, 1.15, 1.5, 0.7, 1.9, 1.5, 1.5, 1.5, 0.62,
];

/// Made for this: twelve values about 0, eight about 19.
const TWO: [f64; 20] = [
    -2.1, -1.4, -0.9, -0.6, -0.3, 0., 0.2, 0.5, 0.9, 1.3, 1.8, 2.6, 17.1, 17.9, 18.3, 18.6, 18.9,
    19.2, 19.8, 20.9,
];

/// Made for this: twelve values about 0 and four about 3, which could be one group.
const OVERLAP: [f64; 16] =
    [0.5, -0.2, 1., -0.2, 0., 1.5, 0.5, -0.5, -0.2, 0.5, 1.9, -0.3, 2.8, 4., 2.1, 2.7];

fn solved(options: serde_json::Value, data: Option<&str>) -> Answer {
    let mut spec = JobSpec::new("sample");
    spec.seed = Some(7u64.into());
    spec.data = data.map(str::to_owned);
    spec.options = options.as_object().unwrap().clone();
    let problem = REGISTRY.build(&spec, &Data).unwrap();
    problem.solve(&Threads::new(2), &Control::default()).unwrap()
}

fn place(answer: &Answer, name: &str) -> usize {
    answer.quantities.iter().position(|quantity| quantity.name == name).unwrap()
}

/// Rubin (1981), by quadrature; posteriordb's reference draws agree: mu 4.41, tau 3.60.
const SCHOOLS: [(&str, f64, f64); 10] = [
    ("mu", 4.396821, 3.317704),
    ("tau", 3.597705, 3.219958),
    ("theta[0]", 6.211884, 5.593126),
    ("theta[1]", 4.940178, 4.674268),
    ("theta[2]", 3.927004, 5.262615),
    ("theta[3]", 4.757098, 4.780297),
    ("theta[4]", 3.615477, 4.657453),
    ("theta[5]", 4.042613, 4.826866),
    ("theta[6]", 6.296725, 5.077849),
    ("theta[7]", 4.854253, 5.290801),
];

#[test]
fn eight_schools_not_centred() {
    let options = json!({
        "model": "hierarchical", "outcome": "effect", "standard_error": "error", "draws": 5000,
        "level": 0.9,
    });
    let answer = solved(options, Some("schools"));
    for (name, mean, sd) in SCHOOLS {
        agree(&answer, place(&answer, name), mean, sd);
    }
    // The 5 %, the 50 % and the 95 % point of tau: each fails by chance less than once in 10,000.
    let tau = place(&answer, "tau");
    let table = answer.table.as_ref().unwrap();
    let median = table.numbers("median").unwrap()[tau];
    let error = table.numbers("mcse_median").unwrap()[tau];
    assert!((median - 2.7505).abs() < 4.0 * error, "{median} ± {error}");
    let ends = answer.quantities[tau].interval.as_ref().unwrap();
    assert!((ends.low - 0.2469).abs() < 4.0 * ends.low_mcse, "{ends:?}");
    assert!((ends.high - 9.8471).abs() < 4.0 * ends.high_mcse, "{ends:?}");
    assert!(table.numbers("r_hat").unwrap().iter().all(|r_hat| *r_hat < 1.01));
}

/// The model written out, with the logarithm of tau, by quadrature too, beside its parameters.
#[test]
fn eight_schools_by_a_formula_know_the_logarithm_of_tau() {
    let mut parameters = json!({ "mu": "real", "tau": "positive" });
    let mut density = "normal_lpdf(mu, 0, 5) + cauchy_lpdf(tau, 0, 5)".to_owned();
    let table = Data.table("schools").unwrap();
    let rows = table.numbers("effect").unwrap().iter().zip(table.numbers("error").unwrap());
    for (school, (effect, error)) in rows.enumerate() {
        parameters[format!("t{school}")] = "real".into();
        density += &format!(
            " + normal_lpdf(t{school}) + normal_lpdf({effect}, mu + tau*t{school}, {error})"
        );
    }
    let options = json!({
        "log_density": density, "parameters": parameters, "derived": { "log_tau": "log(tau)" },
        "draws": 5000,
    });
    let answer = solved(options, None);
    agree(&answer, place(&answer, "tau"), 3.597705, 3.219958);
    agree(&answer, place(&answer, "log_tau"), 0.802139, 1.171226);
}

/// Centred, chains do not reach small tau: the error is not in the stated one, and is announced.
#[test]
fn eight_schools_centred_come_near_and_warn() {
    let options = json!({
        "model": "hierarchical", "outcome": "effect", "standard_error": "error", "draws": 5000,
        "centred": true, "target_acceptance": 0.99,
    });
    let answer = solved(options, Some("schools"));
    for (name, mean, sd) in SCHOOLS {
        let found = &answer.quantities[place(&answer, name)];
        assert!((found.estimate - mean).abs() < 0.15 * sd, "{name}: {}", found.estimate);
    }
    assert!(!answer.notes.is_empty());
}

/// posteriordb `mesquite-logmesquite_logvolume`; exact as the posterior of a linear model with flat
/// priors.
#[test]
fn mesquite_bushes() {
    let options = json!({ "model": "linear", "formula": "weight ~ volume", "draws": 5000 });
    let answer = solved(options, Some("mesquite"));
    agree(&answer, 0, 5.16965856, 0.08628649);
    agree(&answer, 1, 0.72237572, 0.05654802);
    agree(&answer, place(&answer, "sigma"), 0.42631847, 0.04722054);
}

/// The genetic linkage of 197 animals (Rao 1965) in four cells with the probabilities 1/2 + p/4,
/// (1 - p)/4 twice and p/4; the posterior under a flat prior by quadrature.
#[test]
fn linkage_by_its_counts() {
    let options = json!({
        "log_density": "125*log(2 + p) + (18 + 20)*log(1 - p) + 34*log(p)",
        "parameters": { "p": "unit" },
        "draws": 5000,
    });
    agree(&solved(options, None), 0, 0.622806131911, 0.0509403634517);
}

/// Exact by quadrature, priors N(0, 5).
#[test]
fn challenger_by_model_and_by_formula() {
    let model = json!({
        "model": "logistic", "formula": "failure ~ t", "prior_sd": 5, "draws": 5000,
    });
    let formula = json!({
        "log_density": "normal_lpdf(a, 0, 5) + normal_lpdf(b, 0, 5) \
                        + sum(bernoulli_logit_lpmf(failure, a + b*t))",
        "parameters": { "a": "real", "b": "real" },
        // The mean of the product of the standardised parameters is their correlation.
        "derived": {
            "at_31": "1/(1 + exp(-(a - 3.9*b)))",
            "product": "(a + 1.3145368)/0.6257589 * (b + 2.6943965)/1.1675386",
        },
        "draws": 5000,
    });
    for options in [model, formula] {
        let answer = solved(options, Some("challenger"));
        agree(&answer, 0, -1.3145368, 0.6257589);
        agree(&answer, 1, -2.6943965, 1.1675386);
        // Only the formula has derived quantities.
        for (found, expected) in answer.quantities[2..].iter().zip([0.9874455, 0.3722197]) {
            assert!(((found.estimate - expected) / found.mcse).abs() < 4.0, "{found:?}");
        }
    }
}

/// A. J. Dobson's counts (1990) with a trend, priors N(0, 5); exact by quadrature.
#[test]
fn counts_with_a_trend() {
    let options = json!({
        "model": "poisson", "formula": "counts ~ time", "prior_sd": 5, "draws": 5000,
    });
    let answer = solved(options, Some("dobson"));
    agree(&answer, 0, 2.8826847, 0.1754860);
    agree(&answer, 1, -0.0155044, 0.0316994);
}

/// By importance sampling with NumPy, 6,000,000 draws about the mode: the errors of these means
/// are below a 1,000th of the standard deviations beside them.
#[test]
fn a_mixture_of_two() {
    let options = json!({
        "model": "mixture", "outcome": "y", "components": 2, "draws": 5000,
        "target_acceptance": 0.95,
    });
    let answer = solved(options, Some("two"));
    for (name, mean, sd) in [
        ("weight[0]", 0.59094, 0.10249),
        ("mean[0]", 0.17115, 0.45828),
        ("mean[1]", 18.8281, 0.5470),
        ("sd[0]", 1.54203, 0.37855),
        ("sd[1]", 1.46571, 0.49733),
    ] {
        agree(&answer, place(&answer, name), mean, sd);
    }
}

/// Where the groups overlap, so that the posterior has more than one shape, two samplers that have
/// nothing but the density in common find the same; each of the twelve numbers fails by chance
/// with probability below 1e-4.
#[test]
fn a_mixture_of_groups_that_overlap_is_the_same_by_two_samplers() {
    let by = |sampler, draws, thin| {
        let options = json!({
            "model": "mixture", "outcome": "y", "components": 2, "sampler": sampler,
            "draws": draws, "thin": thin,
        });
        solved(options, Some("overlap"))
    };
    let (nuts, ensemble) = (by("nuts", 10_000, 1), by("ensemble", 1000, 20));
    for (place, (one, other)) in nuts.quantities.iter().zip(&ensemble.quantities).enumerate() {
        let errors = [&nuts, &ensemble]
            .map(|answer| answer.extra["standard_error_mcse"][place].as_f64().unwrap());
        let z = (one.estimate - other.estimate) / one.mcse.hypot(other.mcse);
        let sd = one.standard_error.unwrap() - other.standard_error.unwrap();
        let z_sd = sd / errors[0].hypot(errors[1]);
        assert!(z.abs() < 4.0 && z_sd.abs() < 4.0, "{}: {z:.2}, {z_sd:.2}", one.name);
    }
}

/// Goodman and Weare's valley (2010): x has mean 1 and variance 10, y mean 11 and variance 240.1.
/// Their own sampler meets it; NUTS does with steps as small as the ends of the valley want, and
/// with larger ones it says that it diverged.
#[test]
fn the_valley_of_rosenbrock() {
    let ensemble = json!({ "sampler": "ensemble", "draws": 2000, "thin": 10 });
    let nuts = json!({ "sampler": "nuts", "draws": 20_000, "target_acceptance": 0.99 });
    let coarse = json!({ "sampler": "nuts", "draws": 5000 });
    let by = |mut options: serde_json::Value| {
        options["model"] = json!("rosenbrock");
        solved(options, None)
    };
    for options in [ensemble, nuts] {
        let answer = by(options);
        agree(&answer, 0, 1.0, 10f64.sqrt());
        agree(&answer, 1, 11.0, 240.1f64.sqrt());
    }
    let notes = by(coarse).notes;
    assert!(notes.iter().any(|note| note.contains("diverged")), "{notes:?}");
}
