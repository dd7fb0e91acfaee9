//! The problems that Windfall knows, one function each: what makes a [`Request`].

use crate::{Request, Stream};
use serde_json::Value;
use windfall_core::{Answer, Result, Table};
use windfall_stats::simulate::{Condition, Conditions, Study};

/// Estimates pi from `n` random points of a square.
///
/// # Errors
/// [`crate::ErrorKind::TooFew`] if `n` is 0.
///
/// # Examples
/// ```
/// let answer = windfall::pi(10_000_000, 42)?;
/// let pi = &answer.quantities[0];
/// assert!((pi.estimate - std::f64::consts::PI).abs() < 5.0 * pi.mcse);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn pi(n: u64, seed: u64) -> Result<Answer> {
    Request::new("pi").set("n", n).seed(seed).solve()
}

/// The integral of a formula in `x0`, `x1`, … over a box, one pair of bounds a dimension; a bound
/// may be infinite.
///
/// # Examples
/// ```
/// let answer = windfall::integrate("exp(-x0^2)", &[(f64::NEG_INFINITY, f64::INFINITY)])
///     .set("method", "sobol")
///     .set("n", 1 << 16)
///     .seed(1_u64)
///     .solve()?;
/// let integral = &answer.quantities[0];
/// assert!((integral.estimate - std::f64::consts::PI.sqrt()).abs() < 5.0 * integral.mcse);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn integrate(formula: &str, bounds: &[(f64, f64)]) -> Request {
    let bound = |x: f64| match x {
        f64::INFINITY => "inf".into(),
        f64::NEG_INFINITY => "-inf".into(),
        // JSON has no NaN; the text of one is refused with its name.
        x if x.is_nan() => "nan".into(),
        x => Value::from(x),
    };
    let bounds: Vec<Value> =
        bounds.iter().map(|&(low, high)| vec![bound(low), bound(high)].into()).collect();
    Request::new("integrate").set("formula", formula).set("bounds", bounds)
}

/// The bootstrap of a statistic of `table`, such as `correlation(x, y)`.
///
/// # Examples
/// ```
/// use windfall::Table;
/// let table = Table::from_numbers([("x", vec![1.0, 4.0, 2.0, 8.0, 5.0, 7.0])])?;
/// let answer = windfall::bootstrap(&table, "mean(x)").seed(1_u64).solve()?;
/// let interval = answer.quantities[0].interval.as_ref().unwrap();
/// assert!(interval.low < 4.5 && 4.5 < interval.high);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn bootstrap(table: &Table, statistic: &str) -> Request {
    Request::new("bootstrap").set("statistic", statistic).table(table)
}

/// The jackknife of a statistic of `table`: bias and standard error by leaving out each row.
///
/// # Examples
/// ```
/// use windfall::Table;
/// let table = Table::from_numbers([("x", vec![1.0, 2.0, 3.0, 6.0])])?;
/// let mean = &windfall::jackknife(&table, "mean(x)").solve()?.quantities[0];
/// // Of a mean it is the usual s / sqrt(n).
/// assert!((mean.standard_error.unwrap() - (14.0_f64 / 12.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn jackknife(table: &Table, statistic: &str) -> Request {
    Request::new("jackknife").set("statistic", statistic).table(table)
}

/// Draws from a built-in model's posterior by many Markov chains; `set` gives it what it wants.
///
/// A formula is sampled by `Request::new("sample").set("log_density", …)`, a model that is code by
/// [`windfall_stats::sample::Sample`].
///
/// # Examples
/// ```
/// let request = windfall::sample("gaussian").set("sd", vec![1.0, 10.0]);
/// let answer = request.set("chains", 2).seed(1_u64).solve()?;
/// let wide = &answer.quantities[1];
/// assert!((wide.standard_error.unwrap() - 10.0).abs() < 1.0);
/// assert!(answer.table.unwrap().numbers("r_hat")?[1] < 1.02);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn sample(model: &str) -> Request {
    Request::new("sample").set("model", model)
}

/// A mixture of `components` normal distributions, fitted to the numeric columns of `table` by EM
/// from several starts.
///
/// # Examples
/// ```
/// use windfall::Table;
/// let x = vec![0.9, 1.0, 1.1, 1.2, 4.7, 5.0, 5.2, 5.3];
/// let table = Table::from_numbers([("x", x)])?;
/// let answer = windfall::mixture(&table, 2).set("covariance", "tied").seed(1_u64).solve()?;
/// let means: Vec<f64> = answer.quantities[2..4].iter().map(|mean| mean.estimate).collect();
/// assert!((means[0] - 1.05).abs() < 1e-6 && (means[1] - 5.05).abs() < 1e-6);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn mixture(table: &Table, components: u64) -> Request {
    Request::new("mixture").set("components", components).table(table)
}

/// A simulation study of one's own code under the `conditions` of a table, one a row: `generate`
/// makes the data of a replicate, and methods are added that analyse them.
///
/// A study written as formulas is asked for with [`Request`].
///
/// # Examples
/// ```
/// use windfall::stats::simulate::Estimate;
/// use windfall::{Moments, Table};
///
/// let conditions = Table::from_numbers([("n", vec![10.0, 40.0])])?;
/// let study = windfall::simulate(&conditions, |condition, rng| {
///     let mut sample = Moments::default();
///     (0..condition.number("n") as usize).for_each(|_| sample.push(rng.exponential()));
///     sample
/// })?
/// .method("mean", |sample, _, _| Estimate::new(sample.mean()).standard_error(sample.mcse()))
/// .truth(|_| 1.0)
/// .replicates(500)
/// .seed(7_u64)
/// .build()?;
/// let answer = windfall::solve_problem(&study)?;
/// let table = answer.table.unwrap();
/// assert!(table.labels("measure")?.names().contains(&"coverage".to_owned()));
/// # Ok::<(), windfall::Error>(())
/// ```
///
/// # Errors
/// As [`Conditions::new`].
pub fn simulate<D: 'static>(
    conditions: &Table,
    generate: impl Fn(&Condition<'_>, &mut Stream) -> D + Send + Sync + 'static,
) -> Result<Study<D>> {
    Ok(Study::new(Conditions::new(conditions)?, generate))
/// The regression `formula` of each group of rows of `table`, which agree in the columns `by`:
/// a table of coefficients with standard errors.
///
/// # Examples
/// ```
/// use windfall::Table;
/// let table = Table::from_numbers([
///     ("g", vec![1.0, 1.0, 1.0, 2.0, 2.0, 2.0]),
///     ("x", vec![1.0, 2.0, 3.0, 1.0, 2.0, 3.0]),
///     ("y", vec![2.0, 4.0, 6.5, 5.0, 3.0, 1.5]),
/// ])?;
/// let fits = windfall::fit_many(&table, "y ~ x", &["g"]).set("se", "hc3").solve()?;
/// let rows = fits.table.unwrap();
/// assert_eq!(rows.labels("term")?.get(1), "x");
/// assert!((rows.numbers("estimate")?[1] - 2.25).abs() < 1e-14);
/// # Ok::<(), windfall::Error>(())
/// ```
pub fn fit_many(table: &Table, formula: &str, by: &[&str]) -> Request {
    let by: Vec<Value> = by.iter().map(|&name| name.into()).collect();
    Request::new("fit").set("formula", formula).set("by", by).table(table)
}
