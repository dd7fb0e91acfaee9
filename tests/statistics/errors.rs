//! Whether the Monte Carlo errors that answers state are those that repeated runs show.

use windfall_core::{Control, Moments, Problem, Quantity, Serial, Table};
use windfall_stats::bootstrap::{Bootstrap, BootstrapOptions, Method};

/// Seeds of a comparison. The standard deviation of 300 runs is known to 4 %, so that a band of
/// 25 % is six of its errors, with room for the bias of a density's estimate.
const SEEDS: u64 = 300;
const BAND: f64 = 0.25;

fn assert_errors_are_honest(statistic: &str, method: Method) {
    let x: Vec<f64> = (1..=40).map(|i| f64::from(i).ln() + f64::from(i % 7) / 5.0).collect();
    let table = Table::from_numbers([("x", x)]).expect("one column");
    let [mut low, mut high, mut mean] = [Moments::default(); 3];
    let mut stated = [0.0; 3];
    for seed in 0..SEEDS {
        let statistic = statistic.into();
        let options =
            BootstrapOptions { statistic, method, resamples: 10_000, ..Default::default() };
        let answer = Bootstrap::new(&table, options)
            .expect("the options are right")
            .with_seed(seed.into())
            .solve(&Serial, &Control::default())
            .expect("nothing fails");
        let Quantity { bias: Some(bias), mcse, interval: Some(interval), .. } =
            &answer.quantities[0]
        else {
            panic!("a bootstrap states bias and interval");
        };
        low.push(interval.low);
        high.push(interval.high);
        mean.push(*bias);
        let errors = [interval.low_mcse, interval.high_mcse, *mcse];
        for (total, error) in stated.iter_mut().zip(errors) {
            *total += error / SEEDS as f64;
        }
    }
    for (what, seen, stated) in
        [("low", low, stated[0]), ("high", high, stated[1]), ("bias", mean, stated[2])]
    {
        let seen = seen.variance().sqrt();
        println!("{statistic}, {method:?}, {what}: stated {stated:.5}, seen {seen:.5}");
        assert!((stated / seen - 1.0).abs() < BAND, "{what}: stated {stated}, seen {seen}");
    }
}

macro_rules! honest_errors {
    ($($name:ident: $method:ident;)*) => {$(
        #[test]
        fn $name() {
            assert_errors_are_honest("mean(x)", Method::$method);
            assert_errors_are_honest("sd(x)", Method::$method);
        }
    )*};
}

honest_errors! {
    percentile_ends_err_as_stated: Percentile;
    basic_ends_err_as_stated: Basic;
    normal_ends_err_as_stated: Normal;
    bca_ends_err_as_stated: Bca;
    studentised_ends_err_as_stated: Studentised;
}
