//! Built-in models: each against the same model written as a formula, gradients against
//! differences, the same bits on every instruction set, and bad input.

use windfall_core::{Column, Labels, Result, Seed, Streams, Table};
use windfall_lanes::{available, detected, limit};
use windfall_stats::sample::model::{
    Constrained, Constraint, Density, Model, ModelOptions, Room, ValueOnly, build, build_with,
};

/// The model of the keys in `toml`.
fn model(toml: &str, table: Option<&Table>) -> Result<Box<dyn Model>> {
    let spec = windfall_core::JobSpec::from_toml(&format!("problem = 'sample'\n{toml}"))?;
    build(&windfall_core::read_options::<ModelOptions>(&spec.options)?, table)
}

fn refusal(toml: &str, table: Option<&Table>) -> String {
    match model(toml, table) {
        Ok(_) => panic!("`{toml}` should be refused"),
        Err(error) => error.to_string(),
    }
}

fn value(model: &dyn Model, x: &[f64]) -> f64 {
    model.value(x, &mut Room::default()).expect("no code of a user")
}

fn placed(model: &dyn Model, parameters: &[f64]) -> Vec<f64> {
    let mut x = vec![f64::NAN; model.dimensions()];
    model.place(parameters, &mut x).expect("within the support");
    x
}

/// Starting points of some chains.
fn starts(model: &dyn Model, count: u64) -> Vec<Vec<f64>> {
    let streams = Streams::new(Seed::from(5u64), "starts");
    let start = |chain| {
        let mut x = vec![f64::NAN; model.dimensions()];
        model.start(&mut streams.task(chain), &mut x);
        x
    };
    (0..count).map(start).collect()
}

/// Holds value, gradient, report and placing of a model to each other.
fn hold_together(name: &str, model: &dyn Model) {
    let mut room = Room::default();
    for x in starts(model, 5) {
        let mut gradient = vec![f64::NAN; x.len()];
        let at = model.log_density(&x, &mut gradient, &mut room).expect("no user code");
        let f = |x: &[f64]| value(model, x);
        assert!((at - f(&x)).abs() <= 1e-12 * at.abs().max(1.0), "{name}: {at} {}", f(&x));
        for (axis, slope) in gradient.iter().enumerate() {
            let central = |h: f64| {
                let (mut up, mut down) = (x.clone(), x.clone());
                up[axis] += h;
                down[axis] -= h;
                (f(&up) - f(&down)) / (up[axis] - down[axis])
            };
            let (wide, narrow) = (central(2e-4), central(1e-4));
            let expected = (4.0 * narrow - wide) / 3.0;
            let bound = (expected - narrow).abs() + 1e-6 * (1.0 + slope.abs()) + 1e-11 * at.abs();
            assert!((slope - expected).abs() <= bound, "{name} by {axis}: {slope} {expected}");
        }
        let mut reported = vec![f64::NAN; model.names().len()];
        model.report(&x, &mut reported, &mut room).expect("no user code");
        let back = placed(model, &reported[..model.parameters()]);
        for (x, back) in x.iter().zip(&back) {
            assert!((x - back).abs() < 1e-9 * x.abs().max(1.0), "{name}: {x} {back}");
        }
    }
}

/// Both log densities differ by a constant over the points that chains start from.
fn agree(name: &str, model: &dyn Model, formula: &dyn Model, own: impl Fn(&[f64]) -> Vec<f64>) {
    let mut room = Room::default();
    let mut difference = None;
    for x in starts(model, 6) {
        let mut reported = vec![f64::NAN; model.names().len()];
        model.report(&x, &mut reported, &mut room).expect("no user code");
        let (ours, theirs) = (value(model, &x), value(formula, &placed(formula, &own(&reported))));
        let expected = *difference.get_or_insert(ours - theirs);
        let bound = 1e-11 * (1.0 + ours.abs() + theirs.abs());
        assert!((ours - theirs - expected).abs() <= bound, "{name}: {ours} {theirs} {expected}");
    }
}

/// Temperature and failure of the rings of the shuttle's 23 earlier flights.
fn challenger() -> Table {
    let degrees = [
        66., 70., 69., 68., 67., 72., 73., 70., 57., 63., 70., 78., 67., 53., 67., 75., 70., 81.,
        76., 79., 75., 76., 58.,
    ];
    let failure = [
        0., 1., 0., 0., 0., 0., 0., 0., 1., 1., 1., 0., 0., 1., 0., 0., 0., 0., 0., 0., 1., 0., 1.,
    ];
    let t = degrees.iter().map(|degrees| (degrees - 70.0) / 10.0).collect();
    Table::from_numbers([("t", t), ("failure", failure.to_vec())]).expect("a table")
}

/// A. J. Dobson's randomised trial, as in R's `glm` help.
fn dobson() -> Table {
    let outcome = Column::Labels(Labels::new(["1", "2", "3"].repeat(3)));
    let treatment = ["1", "1", "1", "2", "2", "2", "3", "3", "3"];
    let treatment = Column::Labels(Labels::new(treatment));
    let counts = vec![18., 17., 15., 20., 10., 20., 25., 13., 12.];
    let numbers = |values: Vec<f64>| Column::Numbers(values.into());
    let indicator = |at: usize| numbers((0..9).map(|i| f64::from(i % 3 == at)).collect());
    Table::new(vec![
        ("counts".into(), numbers(counts)),
        ("outcome".into(), outcome),
        ("treatment".into(), treatment),
        ("o2".into(), indicator(1)),
        ("o3".into(), indicator(2)),
        ("time".into(), numbers((0..9).map(|i| 1.0 + 0.1 * f64::from(i)).collect())),
    ])
    .expect("a table")
}

/// A made table of `rows` rows: smooth columns, a binary and a count response.
fn made(rows: usize) -> Table {
    let column = |f: fn(f64) -> f64| (0..rows).map(|i| f(i as f64)).collect::<Vec<_>>();
    Table::from_numbers([
        ("x1", column(|i| 100.0 + 10.0 * (i * 0.7).sin())),
        ("x2", column(|i| 1e-3 * (i * 1.3).cos())),
        ("y", column(|i| 3.0 + (i * 0.7).sin() - 0.5 * (i * 1.3).cos() + 0.3 * (i * 7.1).sin())),
        ("b", column(|i| f64::from((i * 0.7).sin() + (i * 7.1).sin() > 0.0))),
        ("k", column(|i| (2.0 + 2.0 * (i * 0.7).sin()).floor())),
    ])
    .expect("a table")
}

fn schools() -> Table {
    let names = Labels::new(["A", "B", "C", "D", "E", "F", "G", "H"]);
    let numbers = |values: [f64; 8]| Column::Numbers(values.to_vec().into());
    Table::new(vec![
        ("school".into(), Column::Labels(names)),
        ("y".into(), numbers([28., 8., -3., 7., -1., 1., 18., 12.])),
        ("s".into(), numbers([15., 10., 16., 11., 9., 11., 10., 18.])),
    ])
    .expect("a table")
}

#[test]
fn regressions_agree_with_their_formulas() {
    let own = |x: &[f64]| x.to_vec();
    for rows in [12, 32, 33, 200] {
        let table = made(rows);
        for (name, toml, formula, prior) in [
            ("flat", "", "", ""),
            ("normal", "prior_sd = 5", "normal_lpdf(a, 0, 5) + ", "+ normal_lpdf(b1, 0, 5)"),
            (
                "both",
                "prior_sd = 0.1\nprior_intercept_sd = 50",
                "normal_lpdf(a, 0, 50) + ",
                "+ normal_lpdf(b1, 0, 0.1) + normal_lpdf(b2, 0, 0.1)",
            ),
        ] {
            let prior = match name {
                "normal" => "+ normal_lpdf(b1, 0, 5) + normal_lpdf(b2, 0, 5)",
                _ => prior,
            };
            for (family, response, law, more) in [
                ("logistic", "b", "bernoulli_logit_lpmf(b, a + b1*x1 + b2*x2)", ""),
                ("poisson", "k", "poisson_log_lpmf(k, a + b1*x1 + b2*x2)", ""),
                ("linear", "y", "normal_lpdf(y, a + b1*x1 + b2*x2, sigma)", ", sigma = 'positive'"),
            ] {
                let toml = format!("model = '{family}'\nformula = '{response} ~ x1 + x2'\n{toml}");
                let ours = model(&toml, Some(&table)).unwrap_or_else(|e| panic!("{e}"));
                // The names of the formula's parameters must not be those of columns.
                let text =
                    format!("{formula}sum({law}){prior}").replace("(a", "(c").replace("a +", "c +");
                let toml = format!(
                    "log_density = '{text}'\n\
                     parameters = {{c = 'real', b1 = 'real', b2 = 'real'{more}}}"
                );
                let theirs = model(&toml, Some(&table)).unwrap_or_else(|e| panic!("{e}"));
                let name = format!("{family}, {name}, {rows} rows");
                agree(&name, &*ours, &*theirs, own);
                hold_together(&name, &*ours);
                hold_together(&name, &*theirs);
            }
        }
    }
}

#[test]
fn regressions_of_published_data_agree_with_their_formulas() {
    let own = |x: &[f64]| x.to_vec();
    let table = challenger();
    let ours = model("model = 'logistic'\nformula = 'failure ~ t'\nprior_sd = 5", Some(&table));
    let theirs = model(
        "log_density = 'sum(bernoulli_logit_lpmf(failure, a + b*t)) + normal_lpdf(a, 0, 5) \
         + normal_lpdf(b, 0, 5)'\nparameters = {a = 'real', b = 'real'}",
        Some(&table),
    );
    let ours = ours.unwrap();
    assert_eq!(ours.names(), ["(Intercept)", "t"]);
    agree("challenger", &*ours, &*theirs.unwrap(), own);

    let table = dobson();
    let toml = "model = 'poisson'\nformula = 'counts ~ outcome + offset(log(time)) - 1'";
    let ours = model(toml, Some(&table)).unwrap();
    let theirs = model(
        "log_density = 'sum(poisson_log_lpmf(counts, log(time) + a*(1 - o2 - o3) + b*o2 + c*o3))'\n\
         parameters = {a = 'real', b = 'real', c = 'real'}",
        Some(&table),
    );
    assert_eq!(ours.names(), ["outcome1", "outcome2", "outcome3"]);
    agree("dobson", &*ours, &*theirs.unwrap(), own);
    hold_together("dobson", &*ours);

    // The maximum of the likelihood is where R's glm has it, so the gradient is nothing there.
    let ours = model("model = 'poisson'\nformula = 'counts ~ outcome + treatment'", Some(&table));
    let ours = ours.unwrap();
    let x = placed(&*ours, &[3.04452243772, -0.454255272278, -0.292987124681, 0.0, 0.0]);
    let mut gradient = [1.0; 5];
    ours.log_density(&x, &mut gradient, &mut Room::default()).unwrap();
    assert!(gradient.iter().all(|slope| slope.abs() < 1e-8), "{gradient:?}");
}

#[test]
fn many_predictors_have_their_gradient() {
    let rows = 90;
    let mut columns: Vec<(String, Column)> = (0..70)
        .map(|j| {
            let value = |i: usize| ((i * i + 3 * i * j) as f64 * 0.37).sin();
            (format!("x{j}"), Column::Numbers((0..rows).map(value).collect::<Vec<_>>().into()))
        })
        .collect();
    let response: Vec<f64> = (0..rows).map(|i| f64::from(i % 3 == 0)).collect();
    columns.push(("y".into(), Column::Numbers(response.into())));
    let table = Table::new(columns).unwrap();
    for family in ["logistic", "poisson", "linear"] {
        let toml = format!("model = '{family}'\nformula = 'y ~ .'\nprior_sd = 2");
        hold_together(family, &*model(&toml, Some(&table)).unwrap());
    }
}

#[test]
fn hierarchical_models_agree_with_their_formulas() {
    let table = schools();
    let toml = "model = 'hierarchical'\noutcome = 'y'\nstandard_error = 's'\ngroup = 'school'";
    let loose = model(toml, Some(&table)).unwrap();
    let centred = model(&format!("{toml}\ncentred = true"), Some(&table)).unwrap();
    assert_eq!(loose.names()[..4], ["mu", "tau", "theta[A]", "theta[B]"]);
    // Rows cannot have parameters of their own, so the formula spells the schools out.
    let schools = [(28, 15), (8, 10), (-3, 16), (7, 11), (-1, 9), (1, 11), (18, 10), (12, 18)];
    let text = |effect: fn(usize) -> String, law: &str| {
        let mut text = "normal_lpdf(mu, 0, 5) + cauchy_lpdf(tau, 0, 5)".to_owned();
        let mut parameters = "mu = 'real', tau = 'positive'".to_owned();
        for (at, (y, s)) in schools.iter().enumerate() {
            text += &format!(" + normal_lpdf({y}, {}, {s})", effect(at));
            text += &format!(" + {}", law.replace('#', &format!("t{at}")));
            parameters += &format!(", t{at} = 'real'");
        }
        format!("log_density = '{text}'\nparameters = {{{parameters}}}")
    };
    let formula = text(|at| format!("t{at}"), "normal_lpdf(#, mu, tau)");
    agree("centred", &*centred, &*model(&formula, None).unwrap(), |x| x.to_vec());
    let formula = text(|at| format!("(mu + tau*t{at})"), "normal_lpdf(#)");
    agree("not centred", &*loose, &*model(&formula, None).unwrap(), |x| {
        let mut own = x.to_vec();
        own[2..].iter_mut().for_each(|theta| *theta = (*theta - x[0]) / x[1]);
        own
    });
    let toml = "model = 'eight-schools'\ncentred = true";
    let known = model(toml, None).unwrap();
    assert_eq!(known.names(), centred.names());
    agree("eight schools", &*known, &*centred, |x| x.to_vec());
    hold_together("centred", &*centred);
    hold_together("not centred", &*loose);
}

#[test]
fn mixtures_agree_with_their_formulas() {
    for rows in [20, 200, 1500] {
        let table = made(rows);
        let y = table.numbers("y").unwrap();
        let mean = y.iter().sum::<f64>() / rows as f64;
        let sd = (y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (rows - 1) as f64).sqrt();
        let toml = "model = 'mixture'\noutcome = 'y'\ncomponents = 3\nprior_weight = 2";
        let ours = model(toml, Some(&table)).unwrap();
        let part = |w: &str, m: &str, s: &str| format!("log({w}) + normal_lpdf(y, {m}, {s})");
        let text = format!(
            "sum(log_sum_exp({}, {}, {})) + log(v) + log((1 - v)*w) + log((1 - v)*(1 - w)) \
             + log1p(-v) + normal_lpdf(m, centre, 2*spread) + normal_lpdf(m + g, centre, 2*spread) \
             + normal_lpdf(m + g + h, centre, 2*spread) + normal_lpdf(log(r*3/spread)) \
             + normal_lpdf(log(s*3/spread)) + normal_lpdf(log(t*3/spread)) - log(r*s*t)",
            part("v", "m", "r"),
            part("(1 - v)*w", "m + g", "s"),
            part("(1 - v)*(1 - w)", "m + g + h", "t"),
        );
        let toml = format!(
            "log_density = '{text}'\n\
             parameters = {{m = 'real', g = 'positive', h = 'positive', r = 'positive', \
             s = 'positive', t = 'positive', v = 'unit', w = 'unit'}}\n\
             constants = {{centre = {mean:?}, spread = {sd:?}}}"
        );
        let theirs = model(&toml, Some(&table)).unwrap();
        let name = format!("mixture, {rows} rows");
        agree(&name, &*ours, &*theirs, |x| {
            let stick = x[1] / (1.0 - x[0]);
            vec![x[3], x[4] - x[3], x[5] - x[4], x[6], x[7], x[8], x[0], stick]
        });
        hold_together(&name, &*ours);
        hold_together(&name, &*theirs);
    }
    let toml = "model = 'mixture'\noutcome = 'y'\ncomponents = 1";
    hold_together("one component", &*model(toml, Some(&made(50))).unwrap());
}

#[test]
fn targets_agree_with_their_formulas() {
    let own = |x: &[f64]| x.to_vec();
    let formula = "log_density = '-((1 - x)^2 + 100*(y - x^2)^2)/20'\n\
                   parameters = {x = 'real', y = 'real'}";
    let ours = model("model = 'rosenbrock'", None).unwrap();
    agree("rosenbrock", &*ours, &*model(formula, None).unwrap(), own);
    hold_together("rosenbrock", &*ours);
    let formula = "log_density = 'normal_lpdf(v, 0, 3) + normal_lpdf(a, 0, exp(v/2)) \
                   + normal_lpdf(b, 0, exp(v/2))'\n\
                   parameters = {v = 'real', a = 'real', b = 'real'}";
    let ours = model("model = 'funnel'\ndimensions = 3", None).unwrap();
    agree("funnel", &*ours, &*model(formula, None).unwrap(), own);
    hold_together("funnel", &*ours);
    let toml = "model = 'gaussian'\nmean = [1, 2]\ncovariance = [[2, 1], [1, 3]]";
    hold_together("gaussian", &*model(toml, None).unwrap());
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let table = made(333);
    let schools = schools();
    for (toml, table) in [
        ("model = 'logistic'\nformula = 'b ~ x1 + x2'", Some(&table)),
        ("model = 'poisson'\nformula = 'k ~ x1 + x2'", Some(&table)),
        ("model = 'linear'\nformula = 'y ~ x1 + x2'", Some(&table)),
        ("model = 'mixture'\noutcome = 'y'\ncomponents = 3", Some(&table)),
        ("model = 'hierarchical'\noutcome = 'y'\nstandard_error = 's'", Some(&schools)),
        ("model = 'gaussian'\nmean = [1, 2]\ncovariance = [[2, 1], [1, 3]]", None),
    ] {
        let bits = |isa| {
            limit(isa).expect("it is available");
            let model = model(toml, table).unwrap();
            let mut all = Vec::new();
            for x in starts(&*model, 3) {
                let mut gradient = vec![0.0; x.len()];
                let value = model.log_density(&x, &mut gradient, &mut Room::default()).unwrap();
                all.push(value.to_bits());
                all.extend(gradient.iter().map(|slope| slope.to_bits()));
            }
            all
        };
        let all: Vec<_> = available().iter().map(|&isa| bits(isa)).collect();
        limit(detected()).expect("it is available");
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{toml}");
    }
}

#[test]
fn a_chain_of_any_room_gives_the_same_bits() {
    let table = made(40);
    let model = model("model = 'logistic'\nformula = 'b ~ x1 + x2'", Some(&table)).unwrap();
    let mut room = Room::default();
    room.hold::<String>().push_str("left by another");
    for x in starts(&*model, 4) {
        assert_eq!(model.value(&x, &mut room).unwrap().to_bits(), value(&*model, &x).to_bits());
    }
}

#[test]
fn closures_and_functions_without_gradient_are_models() {
    let options = |text: &str| {
        let spec = windfall_core::JobSpec::from_toml(&format!("problem = 'sample'\n{text}"));
        windfall_core::read_options::<ModelOptions>(&spec.unwrap().options).unwrap()
    };
    let keys = options(
        "parameters = {rate = 'positive', p = [0, 1], q = [-1, 'inf'], r = ['-inf', 2]}\n\
         derived = {odds = 'p/(1 - p)', both = 'rate + q'}",
    );
    let density = |x: &[f64], gradient: &mut [f64]| {
        gradient.copy_from_slice(&[-1.0, 2.0 - 2.0 * x[1], -2.0 * x[2], 1.0 - x[3]]);
        -x[0] + 2.0 * x[1] - x[1] * x[1] - x[2] * x[2] + x[3] - 0.5 * x[3] * x[3]
    };
    let model = build_with(density, &keys).unwrap();
    assert_eq!(model.names(), ["rate", "p", "q", "r", "odds", "both"]);
    assert_eq!((model.dimensions(), model.parameters(), model.has_gradient()), (4, 4, true));
    hold_together("closure", &*model);

    let model = Constrained::new(ValueOnly(|x: &[f64]| -x[0]), [("x", Constraint::POSITIVE)]);
    let model = model.unwrap();
    assert!(!model.has_gradient());
    assert_eq!(value(&model, &[0.0]), -1.0);
    let message = build_with(density, &options("dimensions = 2")).err().unwrap().to_string();
    assert!(message.contains("`dimensions`"), "{message}");
    assert!(build_with(density, &options("")).err().unwrap().to_string().contains("parameters"));
}

#[test]
fn a_table_may_have_columns_that_a_density_does_not_mention() {
    let labels = Column::Labels(Labels::new(["a", "b"]));
    let numbers = |values: Vec<f64>| Column::Numbers(values.into());
    let table = Table::new(vec![
        ("name".into(), labels),
        ("gap".into(), numbers(vec![f64::NAN, 1.0])),
        ("y".into(), numbers(vec![1.0, 3.0])),
    ])
    .unwrap();
    let of = |text: &str| Density::parse(text, &["mu"], &[], Some(&table));
    assert!(of("sum(normal_lpdf(y, mu))").is_ok());
    let message = of("sum(normal_lpdf(gap, mu))").unwrap_err().to_string();
    assert!(message.contains("`gap`") && message.contains("row 0"), "{message}");
    let message = of("sum(normal_lpdf(name, mu))").unwrap_err().to_string();
    assert!(message.contains("`name`"), "{message}");
}

/// Keys, whether there is a table, and what the refusal says.
const BAD: &[(&str, bool, [&str; 2])] = &[
    ("", false, ["`model` is `missing`", "log_density"]),
    ("model = 'logit'", true, ["`logit`", "logistic"]),
    ("model = 'gaussian'\nformula = 'y ~ x'", false, ["`formula`", "its keys are dimensions"]),
    ("model = 'gaussian'", false, ["`dimensions`", "such as 10"]),
    ("model = 'gaussian'\nmean = [1]\nsd = [1, 2]", false, ["`sd`", "as `mean` says"]),
    ("model = 'gaussian'\nsd = [0]", false, ["`sd` is `0`", "above 0"]),
    ("model = 'rosenbrock'\ndimensions = 3", false, ["`dimensions` is `3`", "takes no keys"]),
    ("model = 'funnel'\ndimensions = 1", false, ["`dimensions` is `1`", "2 to"]),
    ("model = 'funnel'", true, ["`data`", "no use"]),
    ("model = 'logistic'\nformula = 'b ~ x1'", false, ["`data` is `missing`", "`logistic`"]),
    ("model = 'logistic'", true, ["`formula` is `missing`", "y ~ x1"]),
    ("model = 'logistic'\nformula = 'b ~ z'", true, ["unknown column `z`", "did you mean"]),
    ("model = 'logistic'\nformula = 'k ~ x1'", true, ["`k in row", "0 or 1"]),
    ("model = 'poisson'\nformula = 'y ~ x1'", true, ["`y in row 0`", "a count"]),
    ("model = 'linear'\nformula = 'y ~ x1 + I(2*x1)'", true, ["I(2*x1)", "prior_sd"]),
    ("model = 'linear'\nformula = 'y ~ x1'\nprior_sd = -1", true, ["`prior_sd` is `-1`", "above"]),
    (
        "model = 'linear'\nformula = 'y ~ x1 - 1'\nprior_intercept_sd = 1",
        true,
        ["`prior_intercept_sd`", "no intercept"],
    ),
    ("model = 'hierarchical'\noutcome = 'y'", true, ["`standard_error`", "column"]),
    (
        "model = 'hierarchical'\noutcome = 'y'\nstandard_error = 'x2'",
        true,
        ["standard error in row", "above 0"],
    ),
    ("model = 'mixture'\noutcome = 'y'", true, ["`components`", "such as 2"]),
    ("model = 'mixture'\noutcome = 'y'\ncomponents = 0", true, ["`components` is `0`", "1 to"]),
    ("log_density = '-x^2'", false, ["`parameters` is `missing`", "real"]),
    (
        "log_density = '-x^2'\nparameters = {x = 'reel'}",
        false,
        ["`parameters.x` is `\"reel\"`", "`real`"],
    ),
    ("log_density = '-x^2 - z'\nparameters = {x = 'real'}", false, ["variable `z`", "x"]),
    (
        "log_density = '-x^2'\nparameters = {x = 'real', y = 'unit'}",
        false,
        ["`y` is `not in the formula`", "add a prior"],
    ),
    ("log_density = 'sum(-x^2)'\nparameters = {x = 'real'}", false, ["`data`", "runs over"]),
    ("log_density = '-x^2'\nparameters = {x = 'real'}", true, ["`data`", "left out"]),
    (
        "log_density = '-x1^2'\nparameters = {x1 = 'real'}",
        true,
        ["`x1` is `a parameter and a column`", "rename"],
    ),
    (
        "log_density = '-x^2'\nparameters = {x = 'real'}\nmodel = 'funnel'",
        false,
        ["`model` is `funnel`", "left out"],
    ),
    (
        "log_density = '-x^2'\nparameters = {x = 'real'}\nsd = [1]",
        false,
        ["`sd`", "a log density has no use"],
    ),
    (
        "log_density = '-c*x^2'\nparameters = {x = 'real'}\nconstants = {c = 'one'}",
        false,
        ["`constants.c`", "a number"],
    ),
    (
        "log_density = '-x^2'\nparameters = {x = 'real'}\nderived = {z = 'x +'}",
        false,
        ["derived `z`", "value is missing"],
    ),
    (
        "log_density = '-x^2'\nparameters = {x = 'real'}\nderived = {x = '2*x'}",
        false,
        ["`x`", "named once"],
    ),
];

#[test]
fn bad_input_is_named_with_its_remedy() {
    let table = made(30);
    for &(toml, data, parts) in BAD {
        let message = refusal(toml, data.then_some(&table));
        assert!(parts.iter().all(|part| message.contains(part)), "{toml}:\n{message}");
    }
}

/// What the user places outside the support is named.
#[test]
fn a_start_outside_the_support_is_refused() {
    let table = schools();
    let toml = "model = 'hierarchical'\noutcome = 'y'\nstandard_error = 's'";
    let model = model(toml, Some(&table)).unwrap();
    let mut parameters = [1.0; 10];
    parameters[1] = -2.0;
    let message = model.place(&parameters, &mut [0.0; 10]).unwrap_err().to_string();
    assert!(message.contains("`tau` is `-2`"), "{message}");
}
