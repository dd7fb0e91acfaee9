//! Regressions against certified and published values, and groups that cannot be fitted.

use windfall_core::{
    Answer, Column, Control, ErrorKind, Labels, Numbers, Problem, Table, Threads, verify,
};
use windfall_stats::fit::{Arrays, Family, Fit, FitOptions, Missing, Names, StandardErrors};

/// NIST StRD: y, deflator, product, unemployed, armed forces, population, year.
const LONGLEY: &str = "60323 83.0 234289 2356 1590 107608 1947|61122 88.5 259426 2325 1456 108632 \
    1948|60171 88.2 258054 3682 1616 109773 1949|61187 89.5 284599 3351 1650 110929 1950|63221 \
    96.2 328975 2099 3099 112075 1951|63639 98.1 346999 1932 3594 113270 1952|64989 99.0 365385 \
    1870 3547 115094 1953|63761 100.0 363112 3578 3350 116219 1954|66019 101.2 397469 2904 3048 \
    117388 1955|67857 104.6 419180 2822 2857 118734 1956|68169 108.4 442769 2936 2798 120445 \
    1957|66513 110.8 444546 4681 2637 121950 1958|68655 112.6 482704 3813 2552 123366 1959|69564 \
    114.2 502601 3931 2514 125368 1960|69331 115.7 518173 4806 2572 127852 1961|70551 116.9 \
    554894 4007 2827 130081 1962";

/// NIST StRD: y, x.
const NORRIS: &str = ".1 .2|338.8 337.4|118.1 118.2|888 884.6|9.2 10.1|228.1 226.5|668.5 666.3|\
    998.5 996.3|449.1 448.6|778.9 777|559.2 558.2|.3 .4|.1 .6|778.1 775.5|668.8 666.9|339.3 338|\
    448.9 447.5|10.8 11.6|557.7 556|228.3 228.1|998 995.8|888.8 887.6|119.6 120.2|.3 .3|.6 .3|\
    557.6 556.8|339.3 339.1|888 887.2|998.5 999|778.9 779|10.2 11.1|117.6 118.3|228.9 229.2|668.4 \
    669.1|449.2 448.9|.2 .5";

/// R's `cars`: speed, distance.
const CARS: &str = "4 2|4 10|7 4|7 22|8 16|9 10|10 18|10 26|10 34|11 17|11 28|12 14|12 20|12 24|12 \
    28|13 26|13 34|13 34|13 46|14 26|14 36|14 60|14 80|15 20|15 26|15 54|16 32|16 40|17 32|17 \
    40|17 50|18 42|18 56|18 76|18 84|19 36|19 46|19 68|20 32|20 48|20 52|20 56|20 64|22 66|23 \
    54|24 70|24 92|24 93|24 120|25 85";

/// K. A. Brownlee (1965): air flow, water temperature, acid concentration, stack loss.
const STACK_LOSS: &str = "80 27 89 42|80 27 88 37|75 25 90 37|62 24 87 28|62 22 87 18|62 23 87 \
    18|62 24 93 19|62 24 93 20|58 23 87 15|58 18 80 14|58 18 89 14|58 17 88 13|58 18 82 11|58 19 \
    93 12|50 18 89 8|50 18 86 7|50 19 72 8|50 19 79 8|50 20 80 9|56 20 82 15|70 20 91 15";

/// Columns `c0`, `c1`, … of rows apart by `|`.
fn columns(text: &str) -> Table {
    let rows: Vec<Vec<f64>> = text
        .split('|')
        .map(|row| row.split_whitespace().map(|value| value.parse().unwrap()).collect())
        .collect();
    let column = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<f64>>();
    let names: Vec<String> = (0..rows[0].len()).map(|at| format!("c{at}")).collect();
    let named = names.iter().enumerate().map(|(at, name)| (name.as_str(), column(at)));
    Table::from_numbers(named).unwrap()
}

fn model(formula: &str) -> FitOptions {
    FitOptions { formula: formula.into(), ..Default::default() }
}

fn solve(fit: &Fit) -> Answer {
    fit.solve(&Threads::new(2), &Control::default()).unwrap()
}

fn fit(table: &Table, options: FitOptions) -> Answer {
    solve(&Fit::new(table, options).unwrap())
}

fn column(answer: &Answer, name: &str) -> Vec<f64> {
    match answer.table.as_ref().unwrap().column(name).unwrap() {
        Column::Numbers(numbers) => numbers.as_slice().to_vec(),
        Column::Labels(_) => panic!("`{name}` holds labels"),
    }
}

fn status(answer: &Answer) -> Vec<String> {
    let labels = answer.table.as_ref().unwrap().labels("status").unwrap();
    labels.rows().map(str::to_owned).collect()
}

/// Holds a column to values of this relative accuracy.
fn near(answer: &Answer, name: &str, expected: &[f64], accuracy: f64) {
    let found = column(answer, name);
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs();
        assert!(error <= accuracy * expected.abs(), "{name}: {found} is not {expected}");
    }
}

/// Certified values of the NIST Statistical Reference Datasets, 15 digits.
#[test]
fn longley_has_the_certified_digits() {
    let answer = fit(&columns(LONGLEY), model("c0 ~ c1 + c2 + c3 + c4 + c5 + c6"));
    let b = [
        -3482258.63459582,
        15.0618722713733,
        -0.0358191792925910,
        -2.02022980381683,
        -1.03322686717359,
        -0.0511041056535807,
        1829.15146461355,
    ];
    near(&answer, "estimate", &b, 2e-14);
    let errors = [
        890420.383607373,
        84.9149257747669,
        0.0334910077722432,
        0.488399681651699,
        0.214274163161675,
        0.226073200069370,
        455.478499142212,
    ];
    near(&answer, "standard_error", &errors, 1e-12);
    near(&answer, "sigma", &[304.854073561965; 7], 1e-13);
    near(&answer, "r_squared", &[0.995479004577296; 7], 1e-14);
}

#[test]
fn other_certified_values_are_met() {
    let answer = fit(&columns(NORRIS), model("c0 ~ c1"));
    // The intercept is what is left of two numbers near 400.
    near(&answer, "estimate", &[-0.262323073774029, 1.00211681802045], 5e-13);
    near(&answer, "standard_error", &[0.232818234301152, 0.000429796848199937], 1e-13);
    near(&answer, "sigma", &[0.884796396144373; 2], 1e-13);
    near(&answer, "r_squared", &[0.999993745883712; 2], 1e-14);

    let x: Vec<f64> = (60..=70).map(f64::from).collect();
    let y: Vec<f64> = (130..=140).map(f64::from).collect();
    let answer = fit(&Table::from_numbers([("x", x), ("y", y)]).unwrap(), model("y ~ x - 1"));
    near(&answer, "estimate", &[2.07438016528926], 1e-14);
    near(&answer, "standard_error", &[0.0165289256198347], 1e-13);
    near(&answer, "sigma", &[3.56753034006338], 1e-13);
    near(&answer, "r_squared", &[0.999365492298663], 1e-14);

    let no_int2 = Table::from_numbers([("x", vec![4., 5., 6.]), ("y", vec![3., 4., 4.])]).unwrap();
    let answer = fit(&no_int2, model("y ~ 0 + x"));
    near(&answer, "estimate", &[0.727272727272727], 1e-14);
    near(&answer, "standard_error", &[0.0420827318078432], 1e-13);
    near(&answer, "sigma", &[0.369274472937998], 1e-13);
}

/// Wampler1: a polynomial of degree 5 with all coefficients 1, and no residual.
#[test]
fn wampler_is_exact() {
    let x: Vec<f64> = (0..=20).map(f64::from).collect();
    let y = x.iter().map(|x| (0..=5).map(|k| x.powi(k)).sum()).collect();
    let table = Table::from_numbers([("x", x), ("y", y)]).unwrap();
    let answer = fit(&table, model("y ~ x + I(x^2) + I(x^3) + I(x^4) + I(x^5)"));
    near(&answer, "estimate", &[1.0; 6], 1e-9);
    assert!(column(&answer, "sigma")[0] < 1e-8);
}

/// R's `lm(dist ~ speed, cars)` and package sandwich; statsmodels 0.14 to more digits.
#[test]
fn robust_errors_of_the_cars_are_those_of_r() {
    let cars = columns(CARS);
    let with = |se| fit(&cars, FitOptions { se: Some(se), ..model("c1 ~ c0") });
    let answer = with(StandardErrors::Classical);
    near(&answer, "estimate", &[-17.57909489051, 3.93240875912], 1e-11);
    near(&answer, "standard_error", &[6.7584401693792415, 0.41551277665712233], 1e-13);
    near(&answer, "p_value", &[0.012318816153808832, 1.4898364962950807e-12], 1e-11);
    near(&answer, "low", &[-31.167849602388664, 3.0969643281403227], 1e-12);
    near(&answer, "high", &[-3.9903401786332555, 4.767853190107853], 1e-12);
    near(&answer, "sigma", &[15.3795867488; 2], 1e-11);
    near(&answer, "r_squared", &[0.651079380758; 2], 1e-11);
    near(&answer, "log_likelihood", &[-206.5784315136766; 2], 1e-13);
    near(&answer, "adjusted_r_squared", &[0.6438102011907145; 2], 1e-12);
    // R's AIC counts the variance as a parameter.
    near(&answer, "aic", &[2.0 * (206.5784315136766 + 3.0); 2], 1e-13);
    for (se, expected) in [
        (StandardErrors::Hc0, [5.541872177, 0.398680876]),
        (StandardErrors::Hc1, [5.656149606, 0.406901965]),
        (StandardErrors::Hc2, [5.732346859, 0.412802205]),
        (StandardErrors::Hc3, [5.931803319, 0.427537219]),
        (StandardErrors::Hc4, [5.920701998, 0.425702996]),
    ] {
        near(&with(se), "standard_error", &expected, 1e-9);
    }
}

/// The same by statsmodels 0.14 (`WLS`, `fit(cov_type=…)`), ridge from its formulas by NumPy.
#[test]
fn weights_and_penalties_enter_as_they_should() {
    let cars = columns(CARS);
    let speed = cars.numbers("c0").unwrap().to_vec();
    let weights = speed.iter().map(|speed| 1.0 / speed).collect();
    let (x, y) = (speed, cars.numbers("c1").unwrap().to_vec());
    let table = Table::from_numbers([("x", x), ("y", y), ("w", weights)]).unwrap();
    let weighted = FitOptions { weights: Some("w".into()), ..model("y ~ x") };
    let answer = fit(&table, weighted.clone());
    assert_eq!(answer.method, "wls");
    near(&answer, "estimate", &[-12.967292381412037, 3.632941063728055], 1e-13);
    near(&answer, "standard_error", &[4.878759503496847, 0.34531940589581145], 1e-13);
    near(&answer, "log_likelihood", &[-203.39715851552225; 2], 1e-13);
    near(&answer, "r_squared", &[0.697507124419054; 2], 1e-13);
    let robust = FitOptions { se: Some(StandardErrors::Hc3), ..weighted };
    let expected = [4.752494012894466, 0.3582301789539209];
    near(&fit(&table, robust), "standard_error", &expected, 1e-12);

    let answer = fit(&cars, FitOptions { ridge: 50.0, ..model("c1 ~ c0") });
    near(&answer, "estimate", &[-15.446732394366208, 3.793943661971831], 1e-13);
    near(&answer, "standard_error", &[6.550679949804554, 0.4011983725117799], 1e-12);
    near(&answer, "df", &[48.03521126760563; 2], 1e-14);
}

/// Brownlee's plant was observed on 21 days in a row: Newey and West's errors by statsmodels 0.14,
/// `fit(cov_type="HAC", cov_kwds={"maxlags": …})`.
#[test]
fn lagged_errors_are_those_of_statsmodels() {
    let table = columns(STACK_LOSS);
    let with = |lags| FitOptions { lags, ..model("c3 ~ c0 + c1 + c2") };
    for (lags, expected) in [
        (1, [7.339940499571912, 0.1545507550589868, 0.47192225263367893, 0.09540010944438461]),
        (2, [8.094641814929073, 0.16088084009596906, 0.4834085239504409, 0.1058956175439189]),
        (4, [8.089505546323776, 0.16199866747860947, 0.5037447858903198, 0.11106965157688466]),
    ] {
        near(&fit(&table, with(Some(lags))), "standard_error", &expected, 1e-10);
    }
    // No lags are HC0; 2 are the default of 21 rows; rows so far apart need not exist.
    let of = |options: FitOptions| column(&fit(&table, options), "standard_error");
    let white = FitOptions { se: Some(StandardErrors::Hc0), ..with(None) };
    assert_eq!(of(with(Some(0))), of(white));
    let usual = FitOptions { se: Some(StandardErrors::Hac), ..with(None) };
    assert_eq!(of(usual), of(with(Some(2))));
    assert!(of(with(Some(40))).iter().all(|error| error.is_finite()));
    // The same of weighted rows.
    let plant = |name| table.numbers(name).unwrap().to_vec();
    let weights = (1..22).map(|day| f64::from(day) / 10.0).collect();
    let named = ["c0", "c1", "c2", "c3"].map(|name| (name, plant(name)));
    let weighted = Table::from_numbers(named.into_iter().chain([("w", weights)])).unwrap();
    let options = FitOptions { weights: Some("w".into()), ..with(Some(3)) };
    let expected =
        [8.047789338854178, 0.1691333571261994, 0.45499187447777556, 0.07433413730295663];
    near(&fit(&weighted, options), "standard_error", &expected, 1e-10);
}

/// Clusters of three: R's sandwich and statsmodels.
#[test]
fn clustered_errors_have_their_stated_corrections() {
    let y = vec![2., 3., 1., 5., 7., 6., 4., 4., 5., 9., 8., 8.5];
    let x = vec![1., 2., 1., 3., 5., 4., 2., 3., 3., 6., 5., 6.];
    let cluster = (0..12).map(|row| f64::from(row / 3)).collect();
    let table = Table::from_numbers([("x", x), ("y", y), ("c", cluster)]).unwrap();
    let plain = fit(&table, model("y ~ x"));
    near(&plain, "estimate", &[0.368735083532, 1.416467780430], 1e-11);
    near(&plain, "standard_error", &[0.334128878, 0.087495479], 1e-8);
    for (se, expected) in [
        (Some(StandardErrors::Cr0), [0.282284628, 0.062105611]),
        (Some(StandardErrors::Cr1), [0.325954212, 0.071713383]),
        (None, [0.341863662, 0.075213630]),
    ] {
        let options = FitOptions { se, cluster: Some("c".into()), ..model("y ~ x") };
        let answer = fit(&table, options);
        near(&answer, "standard_error", &expected, 2e-8);
        near(&answer, "df", &[3.0; 2], 0.0);
    }
    let lagged = fit(&table, FitOptions { lags: Some(2), ..model("y ~ x") });
    near(&lagged, "standard_error", &[0.280964631, 0.067490935], 1e-8);
}

/// NIST StRD, univariate: certified means and standard deviations of data that differ from the
/// eighth digit on, as fits of an intercept. NumAcc4 is not what doubles hold: half a unit in the
/// last place of 10,000,000 is 9.3e-10, and the standard deviation is 0.1.
#[test]
fn numbers_far_from_zero_keep_their_spread() {
    let fourth = (0..1000).map(|row| 1e7 + if row % 2 == 0 { 0.1 } else { 0.3 });
    for (values, mean, sd, accuracy) in [
        (vec![10_000_001.0, 10_000_003.0, 10_000_002.0], 10_000_002.0, 1.0, 1e-15),
        ([1e7 + 0.2].into_iter().chain(fourth).collect(), 10_000_000.2, 0.1, 2e-8),
    ] {
        let answer = fit(&Table::from_numbers([("x", values)]).unwrap(), model("x ~ 1"));
        near(&answer, "estimate", &[mean], 1e-15);
        near(&answer, "sigma", &[sd], accuracy);
    }
}

/// Dalal, Fowlkes & Hoadley (1989); R's `glm`; robust errors by statsmodels and NumPy.
#[test]
fn the_challenger_is_the_published_one() {
    let temperature = "66 70 69 68 67 72 73 70 57 63 70 78 67 53 67 75 70 81 76 79 75 76 58";
    let failure = "0 1 0 0 0 0 0 0 1 1 1 0 0 1 0 0 0 0 0 0 1 0 1";
    let numbers = |text: &str| text.split(' ').map(|x| x.parse().unwrap()).collect::<Vec<f64>>();
    let table =
        Table::from_numbers([("t", numbers(temperature)), ("fail", numbers(failure))]).unwrap();
    let logistic = FitOptions { family: Family::Logistic, ..model("fail ~ t") };
    let answer = fit(&table, logistic.clone());
    near(&answer, "estimate", &[15.042901647702, -0.232162744219], 2e-12);
    near(&answer, "standard_error", &[7.378636384911, 0.108236521649], 5e-12);
    near(&answer, "deviance", &[20.3151926879; 2], 1e-11);
    near(&answer, "p_value", &[0.04147895391133865, 0.031956241249451234], 1e-10);
    near(&answer, "log_likelihood", &[-10.157596343933417; 2], 1e-12);
    near(&answer, "aic", &[24.315192687866833; 2], 1e-12);
    let low = [0.5810400782491687, -0.44430242846308554];
    near(&answer, "low", &low, 1e-10);
    for (se, expected) in [
        (StandardErrors::Hc0, [5.918990911316528, 0.09073589570909259]),
        (StandardErrors::Hc2, [6.217153566765133, 0.09509047194022631]),
        (StandardErrors::Hc3, [6.54057161273692, 0.09979334712806716]),
    ] {
        let answer = fit(&table, FitOptions { se: Some(se), ..logistic.clone() });
        near(&answer, "standard_error", &expected, 1e-10);
    }
    // Shares of trials; statsmodels' GLM with two columns of counts, errors by NumPy at the end.
    let (n, k) = ([10., 12., 9., 8., 15.], [1., 4., 4., 5., 13.]);
    let share = k.iter().zip(n).map(|(k, n)| k / n).collect();
    let x = vec![0., 1., 2., 3., 4.];
    let table = Table::from_numbers([("x", x), ("share", share), ("n", n.to_vec())]).unwrap();
    let options =
        FitOptions { family: Family::Logistic, weights: Some("n".into()), ..model("share ~ x") };
    let answer = fit(&table, options);
    near(&answer, "estimate", &[-1.8935049019212404, 0.8965959605566548], 1e-12);
    near(&answer, "standard_error", &[0.614058442947889, 0.2469980396457537], 1e-13);
    near(&answer, "deviance", &[0.5675993513806107; 2], 1e-11);
    near(&answer, "log_likelihood", &[-6.5153397287887; 2], 1e-11);
}

/// A. J. Dobson (1990), page 93, as in R's `help(glm)`.
#[test]
fn dobsons_counts_are_those_of_r() {
    let counts = vec![18., 17., 15., 20., 10., 20., 25., 13., 12.];
    let outcome = ["1", "2", "3"].repeat(3);
    let treatment = ["1", "1", "1", "2", "2", "2", "3", "3", "3"];
    let table = Table::new(vec![
        ("counts".into(), Column::Numbers(Numbers::from(counts.clone()))),
        ("outcome".into(), Column::Labels(Labels::new(outcome))),
        ("treatment".into(), Column::Labels(Labels::new(treatment))),
    ])
    .unwrap();
    let poisson = FitOptions { family: Family::Poisson, ..model("counts ~ outcome + treatment") };
    let answer = fit(&table, poisson);
    let found = column(&answer, "estimate");
    let expected = [3.04452243772, -0.454255272278, -0.292987124681, 0.0, 0.0];
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 5e-12), "{found:?}");
    let errors = [0.170898652, 0.202170759, 0.192742345, 0.2, 0.2];
    near(&answer, "standard_error", &errors, 3e-9);
    near(&answer, "deviance", &[5.129141077; 5], 1e-9);
    near(&answer, "aic", &[56.761318402; 5], 1e-10);

    // With an offset; statsmodels' GLM, errors by NumPy at the end.
    let x = vec![1., 3., 2., 5., 4., 7., 6., 9., 8.];
    let t = (1..=9).map(f64::from).collect();
    let table = Table::from_numbers([("counts", counts), ("x", x), ("t", t)]).unwrap();
    let poisson = FitOptions { family: Family::Poisson, ..model("counts ~ x + offset(log(t))") };
    let answer = fit(&table, poisson.clone());
    near(&answer, "estimate", &[2.516859861901423, -0.23400794536418604], 1e-12);
    near(&answer, "standard_error", &[0.18689082586310982, 0.03398482724529879], 1e-13);
    near(&answer, "deviance", &[26.883831587595175; 2], 1e-12);
    near(&answer, "log_likelihood", &[-34.25800445627587; 2], 1e-12);
    let robust = FitOptions { se: Some(StandardErrors::Hc0), ..poisson };
    let expected = [0.37011798587838085, 0.05557586294571143];
    near(&fit(&table, robust), "standard_error", &expected, 1e-11);
}

/// R. Koenker, "Quantile Regression" (2005): the stack loss at the median; errors by statsmodels
/// (`vcov="iid"`), Powell's by NumPy.
#[test]
fn stack_loss_at_the_median_is_koenkers() {
    let table = columns(STACK_LOSS);
    let options = FitOptions { family: Family::Quantile, ..model("c3 ~ c0 + c1 + c2") };
    let answer = fit(&table, options.clone());
    let b = [-39.689855072463764, 0.8318840579710146, 0.5739130434782607, -0.060869565217391404];
    near(&answer, "estimate", &b, 1e-13);
    let errors = [10.0824511110606, 0.11429904343772657, 0.311918934484432, 0.13246700295794592];
    near(&answer, "standard_error", &errors, 1e-5);
    let powell = FitOptions { se: Some(StandardErrors::Hc0), ..options.clone() };
    let errors = [8.125578352212555, 0.15309048500043163, 0.35067576295735814, 0.10600803201109331];
    near(&fit(&table, powell), "standard_error", &errors, 1e-5);
    let answer = fit(&table, FitOptions { quantile: 0.25, ..options });
    let found = column(&answer, "estimate");
    let expected = [-36.0, 0.5, 1.0, 0.0];
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
}

/// R. Koenker, G. Bassett (1982): Engel's households; the coefficients as in the vignette of R's
/// quantreg, `rq(foodexp ~ income, tau)`.
#[test]
fn engels_law_at_five_quantiles() {
    let golden = include_str!("../../../../tests/golden/engel.tsv");
    let rows = golden.lines().filter(|line| !line.starts_with('#')).skip(1);
    let table = columns(&rows.collect::<Vec<_>>().join("|"));
    assert_eq!(table.rows(), 235);
    for (quantile, expected) in [
        (0.05, [124.88004, 0.34336]),
        (0.25, [95.48354, 0.47410]),
        (0.5, [81.48225, 0.56018]),
        (0.75, [62.39659, 0.64401]),
        (0.95, [64.10396, 0.70907]),
    ] {
        let options = FitOptions { family: Family::Quantile, quantile, ..model("c1 ~ c0") };
        near(&fit(&table, options), "estimate", &expected, 1e-5);
    }
}

/// The median of a sample, and its quantiles, are fits of an intercept.
#[test]
fn a_fit_of_an_intercept_is_a_quantile() {
    let y: Vec<f64> = (0..101).map(|i| f64::from(i * 37 % 101)).collect();
    let table = Table::from_numbers([("y", y)]).unwrap();
    for (tau, expected) in [(0.5, 50.0), (0.1, 10.0), (0.93, 93.0)] {
        let options = FitOptions { family: Family::Quantile, quantile: tau, ..model("y ~ 1") };
        near(&fit(&table, options), "estimate", &[expected], 1e-14);
    }
}

/// Eight groups, of which one can be fitted as it stands.
fn odd_groups() -> Table {
    let rows = [
        ("good", [1.0, 2.0, 3.0, 4.0, 5.0], [0., 1., 0., 1., 1.]),
        ("flat", [2.0, 2.0, 2.0, 2.0, 2.0], [0., 1., 0., 1., 1.]),
        ("apart", [1.0, 2.0, 3.0, 4.0, 5.0], [0., 0., 0., 1., 1.]),
        ("quasi", [1.0, 2.0, 3.0, 3.0, 5.0], [0., 0., 0., 1., 1.]),
        ("hole", [1.0, f64::NAN, 3.0, 4.0, 5.0], [0., 1., 0., 1., 1.]),
        ("endless", [1.0, f64::INFINITY, 3.0, 4.0, 5.0], [0., 1., 0., 1., 1.]),
        ("same", [1.0, 2.0, 3.0, 4.0, 5.0], [1., 1., 1., 1., 1.]),
    ];
    let (mut g, mut x, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for (name, xs, ys) in rows {
        g.extend([name; 5]);
        x.extend(xs);
        y.extend(ys);
    }
    g.push("lone");
    x.push(1.0);
    y.push(1.0);
    Table::new(vec![
        ("g".into(), Column::Labels(Labels::new(g))),
        ("x".into(), Column::Numbers(Numbers::from(x))),
        ("y".into(), Column::Numbers(Numbers::from(y))),
    ])
    .unwrap()
}

#[test]
fn a_group_without_a_fit_says_why_and_stops_nothing() {
    let by = Names::One("g".into());
    let common = [(0, "ok"), (2, "singular: `x` is determined"), (8, "missing values")];
    for (family, more) in [
        (Family::Gaussian, [(4, "ok"), (6, "ok"), (12, "ok")]),
        (Family::Logistic, [(4, "separated"), (6, "separated"), (12, "separated")]),
        (Family::Poisson, [(4, "ok"), (6, "ok"), (12, "ok")]),
        (Family::Quantile, [(4, "ok"), (6, "ok"), (12, "ok")]),
    ] {
        let options = FitOptions { family, by: by.clone(), ..model("y ~ x") };
        let answer = fit(&odd_groups(), options.clone());
        let status = status(&answer);
        assert_eq!(status.len(), 16);
        for (row, expected) in common.iter().chain(&more) {
            assert!(status[*row].starts_with(expected), "{family:?}, row {row}: {status:?}");
            assert_eq!(column(&answer, "estimate")[*row].is_nan(), *expected != "ok");
        }
        assert!(status[10].starts_with("infinite") && status[14] == "too few rows", "{status:?}");
        assert!(answer.notes[0].contains("too few rows (1)"), "{:?}", answer.notes);
        let dropped = fit(&odd_groups(), FitOptions { missing: Missing::Drop, ..options });
        // Without the row, the ones of that group lie above its zeros.
        let separated = family == Family::Logistic;
        assert_eq!(column(&dropped, "n")[8], if separated { 5.0 } else { 4.0 }, "{family:?}");
    }
    // No event at x = 0.
    let (x, y) = (vec![0., 0., 1., 1., 1.], vec![0., 0., 1., 2., 1.]);
    let none = Table::from_numbers([("x", x), ("y", y)]).unwrap();
    let options = FitOptions { family: Family::Poisson, ..model("y ~ x") };
    assert!(status(&fit(&none, options))[0].starts_with("separated"));
    let negative = Table::from_numbers([("x", vec![1., 2., 3.]), ("y", vec![1., -1., 2.])]);
    let options = FitOptions { family: Family::Poisson, ..model("y ~ x") };
    let answer = fit(&negative.unwrap(), options);
    assert_eq!(status(&answer)[0], "impossible response: it must not be negative");
}

#[test]
fn groups_need_not_stand_together_and_keep_their_keys() {
    let numbers = |values: [f64; 8]| Column::Numbers(Numbers::from(values.to_vec()));
    let table = Table::new(vec![
        ("a".into(), Column::Labels(Labels::new(["u", "v", "u", "v", "u", "v", "u", "v"]))),
        ("b".into(), numbers([7., 7., 7., 7., 7., 7., 7., 9.])),
        ("x".into(), numbers([1., 1., 2., 2., 3., 3., 4., 4.])),
        ("y".into(), numbers([3., 9., 5., 7., 7., 5., 9., 1.])),
    ])
    .unwrap();
    let by = Names::Many(vec!["a".into(), "b".into()]);
    let answer = fit(&table, FitOptions { by, ..model("y ~ x") });
    let rows = answer.table.as_ref().unwrap();
    assert_eq!(rows.names().take(4).collect::<Vec<_>>(), ["a", "b", "term", "estimate"]);
    let keys: Vec<String> = rows.labels("a").unwrap().rows().map(str::to_owned).collect();
    assert_eq!(keys, ["u", "u", "v", "v", "v", "v"]);
    assert_eq!(column(&answer, "b"), [7., 7., 7., 7., 9., 9.]);
    let estimates = column(&answer, "estimate");
    let expected = [1.0, 2.0, 11.0, -2.0];
    assert!(estimates.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-13), "{estimates:?}");
    assert!(answer.quantities.is_empty());
}

/// Groups of unequal sizes, of which some have no fit, over several shards.
#[test]
fn many_groups_are_the_same_bytes_on_every_mapping() {
    let (mut g, mut x, mut y) = (Vec::new(), Vec::new(), Vec::new());
    let value = |i: usize| ((i * 7919 + 13) % 1009) as f64 / 1009.0;
    for group in 0..1500 {
        for row in 0..group % 17 {
            g.push(group as f64);
            x.push(value(17 * group + row));
            y.push(f64::from(value(31 * group + 7 * row) > 0.6));
        }
    }
    let table = Table::from_numbers([("g", g), ("x", x), ("y", y)]).unwrap();
    for family in [Family::Gaussian, Family::Logistic, Family::Poisson, Family::Quantile] {
        let by = Names::One("g".into());
        let fit = Fit::new(&table, FitOptions { family, by, ..model("y ~ x") }).unwrap();
        assert!(fit.shards().count() > 2);
        let rows = verify(&fit, &Control::default()).unwrap();
        assert!(rows.iter().all(|row| row.same), "{family:?}: {rows:?}");
    }
}

#[test]
fn one_group_answers_with_quantities() {
    let answer = fit(&columns(NORRIS), model("c0 ~ c1"));
    let slope = &answer.quantities[1];
    assert_eq!((slope.name.as_str(), slope.mcse), ("c1", 0.0));
    assert_eq!(slope.estimate, column(&answer, "estimate")[1]);
    assert_eq!(slope.interval.as_ref().unwrap().method, "t");
}

/// The fits of arrays are those of tables, to the bit where nothing but the way in differs.
#[test]
fn arrays_and_tables_agree() {
    let (groups, rows, count) = (5, 40, 3);
    let value = |i: usize| ((i * 7919 + 13) % 1009) as f64 / 1009.0;
    let x: Vec<f64> = (0..groups * rows * count).map(value).collect();
    let y: Vec<f64> = (0..groups * rows).map(|i| value(3 * i + 5)).collect();
    let column = |at: usize| x.iter().skip(at).step_by(count).copied().collect::<Vec<f64>>();
    let group = (0..groups * rows).map(|row| (row / rows) as f64).collect();
    let table = Table::from_numbers([
        ("x0", column(0)),
        ("x1", column(1)),
        ("x2", column(2)),
        ("y", y.clone()),
        ("group", group),
    ])
    .unwrap();
    for family in [Family::Gaussian, Family::Logistic] {
        let by = Names::One("group".into());
        let of_table = fit(&table, FitOptions { family, by, ..model("y ~ x0 + x1 + x2") });
        let arrays = Arrays {
            groups,
            rows,
            names: ["x0", "x1", "x2"].map(str::to_owned).to_vec(),
            x: Numbers::from(x.clone()),
            y: Numbers::from(y.clone()),
            weights: None,
            clusters: None,
            intercept: true,
        };
        let of_arrays =
            solve(&Fit::arrays(arrays, FitOptions { family, ..Default::default() }).unwrap());
        assert_eq!(of_arrays.table, of_table.table);
    }
}

/// A group fitted beside others, good ones and bad ones, is to the bit the group fitted alone.
#[test]
fn a_neighbour_changes_nothing() {
    let (groups, rows, count) = (21, 19, 3);
    let value = |i: usize| ((i * 7919 + 13) % 1009) as f64 / 1009.0;
    let mut x: Vec<f64> = (0..groups * rows * count).map(value).collect();
    let y: Vec<f64> = (0..groups * rows).map(|i| value(3 * i + 5)).collect();
    let mut change = |group: usize, to: &dyn Fn(usize, f64) -> f64| {
        for row in 0..rows {
            let at = (group * rows + row) * count;
            x[at] = to(row, x[at + 1]);
        }
    };
    change(2, &|_, _| 3.0); // constant
    change(5, &|row, other| other + 1e-6 * value(row)); // nearly another
    change(9, &|row, other| other + 0.05 * value(row)); // close to it
    change(11, &|_, other| 2.0 * other); // a multiple
    change(13, &|row, other| if row == 4 { f64::NAN } else { other * other });
    change(14, &|row, other| if row == 4 { f64::INFINITY } else { other * other });
    for (ridge, se) in [(0.0, None), (0.5, None), (0.0, Some(StandardErrors::Hc3))] {
        let of = |first: usize, groups: usize, intercept: bool| {
            let part = |list: &[f64], each: usize| {
                Numbers::from(list[first * each..(first + groups) * each].to_vec())
            };
            let arrays = Arrays {
                groups,
                rows,
                names: ["a", "b", "c"].map(str::to_owned).to_vec(),
                x: part(&x, rows * count),
                y: part(&y, rows),
                weights: None,
                clusters: None,
                intercept,
            };
            let missing = Missing::Drop;
            let options = FitOptions { ridge, se, missing, ..Default::default() };
            let answer = solve(&Fit::arrays(arrays, options).unwrap());
            let numbers: Vec<Vec<u64>> = ["estimate", "standard_error", "p_value", "bic", "n"]
                .map(|name| column(&answer, name).into_iter().map(f64::to_bits).collect())
                .to_vec();
            (numbers, status(&answer))
        };
        for intercept in [false, true] {
            let terms = count + usize::from(intercept);
            let (all, why) = of(0, groups, intercept);
            assert_eq!(why[14 * terms], "infinite or overflowing values");
            for group in 0..groups {
                let (own, own_why) = of(group, 1, intercept);
                let place = group * terms..(group + 1) * terms;
                assert_eq!(why[place.clone()], own_why, "{group}");
                for (all, own) in all.iter().zip(&own) {
                    assert_eq!(all[place.clone()], *own, "group {group}, {ridge}, {se:?}");
                }
            }
        }
    }
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let table = columns(NORRIS);
    let se = |se| FitOptions { se: Some(se), ..model("c0 ~ c1") };
    let cluster = Some("c1".to_owned());
    for (options, part) in [
        (se(StandardErrors::Cr1), "no cluster"),
        (FitOptions { cluster: cluster.clone(), ..se(StandardErrors::Hc3) }, "`cluster` is `c1`"),
        (FitOptions { lags: Some(3), ..se(StandardErrors::Hc3) }, "`lags` is `3`"),
        (FitOptions { ridge: -1.0, ..model("c0 ~ c1") }, "`ridge` is `-1`"),
        (FitOptions { quantile: 0.3, ..model("c0 ~ c1") }, "`quantile` is `0.3`"),
        (FitOptions { level: 95.0, ..model("c0 ~ c1") }, "`level` is `95`"),
        (FitOptions { weights: Some("w".into()), ..model("c0 ~ c1") }, "`w`"),
        (FitOptions { by: Names::One("g".into()), ..model("c0 ~ c1") }, "`g`"),
        (FitOptions { max_iterations: 0, ..model("c0 ~ c1") }, "`max_iterations` is `0`"),
        (FitOptions { family: Family::Quantile, ..se(StandardErrors::Hc3) }, "`se` is `hc3`"),
        (FitOptions { family: Family::Quantile, ..se(StandardErrors::Hac) }, "`se` is `hac`"),
    ] {
        let message = Fit::new(&table, options).unwrap_err().to_string();
        assert!(message.contains(part), "no {part} in {message}");
    }
    let error = Fit::new(&table, model("c0 ~ c2")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Expression { .. }));
    let named = Table::from_numbers([("term", vec![1.0]), ("y", vec![1.0])]).unwrap();
    let by = Names::One("term".into());
    let message = Fit::new(&named, FitOptions { by, ..model("y ~ 1") }).unwrap_err().to_string();
    assert!(message.contains("`by` is `term`"), "{message}");
}
