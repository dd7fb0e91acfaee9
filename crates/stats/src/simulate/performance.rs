//! Measures of performance with their Monte Carlo standard errors.
//!
//! Formulas: T. P. Morris, I. R. White, M. J. Crowther, "Using simulation studies to evaluate
//! statistical methods", Statistics in Medicine 38, 2019, table 6. With estimates `e_i` of truths
//! `θ_i`, standard errors `s_i` and `n` replicates:
//!
//! | measure | estimate | Monte Carlo standard error |
//! |---|---|---|
//! | `bias` | mean of `e - θ` | `sd(e - θ)/√n` |
//! | `empirical_se` | `E = sd(e - θ)` | `E/√(2(n - 1))` |
//! | `precision_gain` (percent) | `100((E_ref/E)² - 1)` | `200(E_ref/E)²√((1 - r²)/(n - 1))` |
//! | `mse` | `M` = mean of `(e - θ)²` | `sd((e - θ)²)/√n` |
//! | `model_se` | `S = √(mean of s²)` | `√(var(s²)/(4nS²))` |
//! | `model_se_error` (percent) | `100(S/E - 1)` | `100(S/E)√(var(s²)/(4nS⁴) + 1/(2(n - 1)))` |
//! | `coverage`, `rejection` | a share `c` | `√(c(1 - c)/n)` |
//! | `bias_eliminated_coverage` | share of intervals that hold `θ_i` + bias | the same |
//!
//! Beside them stand means (`mean`, `relative_bias`, `width`: `sd/√n`), `rmse = √M` with
//! `mcse(M)/(2√M)` by the delta method, and the number of `failures` with `√(Nf(1 - f))`.

use windfall_core::Moments;

/// Every measure, in the order of the table, with one sentence.
pub const MEASURES: [(&str, &str); 14] = [
    ("mean", "the mean of the estimates"),
    ("bias", "the mean of estimate less truth"),
    ("relative_bias", "the mean of estimate less truth, over the truth"),
    ("empirical_se", "the standard deviation of the estimates"),
    ("mse", "the mean squared error"),
    ("rmse", "the root of the mean squared error"),
    ("model_se", "the root mean square of the standard errors that the method states"),
    ("model_se_error", "model_se over empirical_se, less 1, in percent"),
    ("coverage", "the share of intervals that hold the truth"),
    ("bias_eliminated_coverage", "the share of intervals that hold the truth plus the bias"),
    ("rejection", "the share of p-values at most alpha: power, or type I error under the null"),
    ("width", "the mean width of the intervals"),
    ("precision_gain", "the gain of 1/empirical_se^2 over the reference method, in percent"),
    ("failures", "the number of replicates without an estimate"),
];

/// What one method found under one condition, one entry a replicate; NaN for what is missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    pub estimate: Vec<f64>,
    pub standard_error: Vec<f64>,
    pub low: Vec<f64>,
    pub high: Vec<f64>,
    pub p_value: Vec<f64>,
    pub truth: Vec<f64>,
}

/// A measure, its Monte Carlo standard error and the number of replicates behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    pub name: &'static str,
    pub estimate: f64,
    pub mcse: f64,
    pub count: u64,
}

/// Every measure that these cells allow, in the order of [`MEASURES`].
pub(crate) fn measure(cells: &Cells, reference: Option<&Cells>, alpha: f64) -> Vec<Measured> {
    let errors: Vec<f64> = cells.estimate.iter().zip(&cells.truth).map(|(e, t)| e - t).collect();
    let error = moments(&errors);
    let spread = if error.count() > 0 { &errors } else { &cells.estimate };
    let mut all = vec![mean("mean", moments(&cells.estimate)), mean("bias", error)];
    let relative = errors.iter().zip(&cells.truth).map(|(error, truth)| error / truth.abs());
    all.push(mean("relative_bias", moments(&relative.collect::<Vec<_>>())));
    let n = moments(spread).count() as f64;
    let empirical = moments(spread).variance().sqrt();
    let count = n as u64;
    let mcse = empirical / (2.0 * (n - 1.0)).sqrt();
    all.push(Measured { name: "empirical_se", estimate: empirical, mcse, count });
    let squares = moments(&errors.iter().map(|error| error * error).collect::<Vec<_>>());
    all.push(mean("mse", squares));
    let root = squares.mean().sqrt();
    let mcse = if squares.mean() > 0.0 { squares.mcse() / (2.0 * root) } else { squares.mcse() };
    all.push(Measured { name: "rmse", estimate: root, mcse, count: squares.count() });
    all.extend(model_errors(cells, spread));
    all.extend(intervals(cells, error));
    let rejected = cells.p_value.iter().filter(|p| !p.is_nan()).map(|&p| p <= alpha);
    all.push(share("rejection", rejected));
    let widths: Vec<f64> = cells.high.iter().zip(&cells.low).map(|(h, l)| h - l).collect();
    all.push(mean("width", moments(&widths)));
    all.extend(reference.map(|reference| precision_gain(spread, cells, reference)));
    all.retain(|measured| measured.count > 0);
    all.push(failures(&cells.estimate));
    all
}

/// The moments of the finite values.
fn moments(values: &[f64]) -> Moments {
    let mut moments = Moments::default();
    values.iter().filter(|value| value.is_finite()).for_each(|&value| moments.push(value));
    moments
}

fn mean(name: &'static str, moments: Moments) -> Measured {
    Measured { name, estimate: moments.mean(), mcse: moments.mcse(), count: moments.count() }
}

fn share(name: &'static str, holds: impl Iterator<Item = bool>) -> Measured {
    let (mut held, mut count) = (0u64, 0u64);
    for holds in holds {
        held += u64::from(holds);
        count += 1;
    }
    let estimate = held as f64 / count as f64;
    let mcse = (estimate * (1.0 - estimate) / count as f64).sqrt();
    Measured { name, estimate, mcse, count }
}

/// The model's standard error, and how far it is from the empirical one of the same replicates.
fn model_errors(cells: &Cells, spread: &[f64]) -> [Measured; 2] {
    let both = spread.iter().zip(&cells.standard_error);
    let both: Vec<(f64, f64)> = both
        .filter(|(value, error)| value.is_finite() && error.is_finite())
        .map(|(&value, &error)| (value, error * error))
        .collect();
    let variances = moments(&both.iter().map(|pair| pair.1).collect::<Vec<_>>());
    let values = moments(&both.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let (n, model) = (variances.count() as f64, variances.mean().sqrt());
    // var(s²)/(4nS⁴), the relative variance of the model's standard error.
    let relative = variances.variance() / (4.0 * n * variances.mean() * variances.mean());
    let empirical = values.variance().sqrt();
    let ratio = model / empirical;
    let gap_mcse = 100.0 * ratio * (relative + 1.0 / (2.0 * (n - 1.0))).sqrt();
    let count = variances.count();
    let mcse = if model > 0.0 { model * relative.sqrt() } else { 0.0 };
    let gap = 100.0 * (ratio - 1.0);
    [
        Measured { name: "model_se", estimate: model, mcse, count },
        Measured { name: "model_se_error", estimate: gap, mcse: gap_mcse, count },
    ]
}

/// Coverage of the truth, and of the truth plus the bias.
fn intervals(cells: &Cells, error: Moments) -> [Measured; 2] {
    let ends = || cells.low.iter().zip(&cells.high);
    let known = |((low, high), centre): &((&f64, &f64), f64)| {
        !low.is_nan() && !high.is_nan() && !centre.is_nan()
    };
    let holds = |((low, high), centre): ((&f64, &f64), f64)| *low <= centre && centre <= *high;
    let truths = ends().zip(cells.truth.iter().copied());
    let coverage = share("coverage", truths.filter(known).map(holds));
    let centre = moments(&cells.estimate).mean();
    let truth_is_known = error.count() > 0;
    let centres = cells.truth.iter().map(|truth| match truth_is_known {
        true => truth + error.mean(),
        false => centre,
    });
    let eliminated = ends().zip(centres).filter(known).map(holds);
    [coverage, share("bias_eliminated_coverage", eliminated)]
}

/// The gain over the reference, from the replicates in which both have an estimate.
fn precision_gain(spread: &[f64], cells: &Cells, reference: &Cells) -> Measured {
    let centred = |cells: &Cells, place: usize| match cells.truth[place] {
        truth if truth.is_nan() => cells.estimate[place],
        truth => cells.estimate[place] - truth,
    };
    let pairs: Vec<(f64, f64)> = (0..spread.len())
        .map(|place| (centred(cells, place), centred(reference, place)))
        .filter(|(own, other)| own.is_finite() && other.is_finite())
        .collect();
    let own = moments(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let other = moments(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    let products = pairs.iter().map(|(a, b)| (a - own.mean()) * (b - other.mean()));
    let covariance = products.fold(0.0, |sum, product| sum + product);
    let correlation = covariance / (own.squares() * other.squares()).sqrt();
    let ratio = other.squares() / own.squares();
    let n = pairs.len() as f64;
    let left = (1.0 - correlation * correlation).max(0.0);
    let mcse = 200.0 * ratio * (left / (n - 1.0)).sqrt();
    let count = pairs.len() as u64;
    Measured { name: "precision_gain", estimate: 100.0 * (ratio - 1.0), mcse, count }
}

fn failures(estimates: &[f64]) -> Measured {
    let failed = share("failures", estimates.iter().map(|estimate| !estimate.is_finite()));
    let all = failed.count as f64;
    let estimate = estimates.iter().filter(|estimate| !estimate.is_finite()).count() as f64;
    Measured { estimate, mcse: failed.mcse * all, ..failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five replicates with whole numbers, so that each formula can be worked by hand.
    fn cells() -> Cells {
        Cells {
            estimate: vec![1.0, 2.0, 3.0, 4.0, 5.0],
            standard_error: vec![1.0, 2.0, 1.0, 2.0, 1.0],
            low: vec![0.0, 1.5, 2.5, 3.5, 4.5],
            high: vec![2.0, 2.5, 3.5, 4.5, 5.5],
            p_value: vec![0.5, 0.05, 0.01, 0.2, 0.04],
            truth: vec![2.0; 5],
        }
    }

    fn of(name: &str, all: &[Measured]) -> (f64, f64) {
        let found = all.iter().find(|measured| measured.name == name).unwrap();
        assert_eq!(found.count, 5, "{name}");
        (found.estimate, found.mcse)
    }

    #[test]
    fn the_measures_are_those_worked_by_hand() {
        let other = Cells { estimate: vec![1.0, 4.0, 3.0, 6.0, 6.0], ..cells() };
        let all = measure(&cells(), Some(&other), 0.05);
        // Errors -1, 0, 1, 2, 3: mean 1, variance 2.5. Squares 1, 0, 1, 4, 9: mean 3, variance
        // 13.5. Squared standard errors 1, 4, 1, 4, 1: mean 2.2, variance 2.7. Those of the
        // reference: mean 4, squares 18, products with ours 12: correlation 12/√180.
        let expected = [
            ("mean", 3.0, 0.5f64.sqrt()),
            ("bias", 1.0, 0.5f64.sqrt()),
            ("relative_bias", 0.5, 0.125f64.sqrt()),
            ("empirical_se", 2.5f64.sqrt(), (2.5f64 / 8.0).sqrt()),
            ("mse", 3.0, 2.7f64.sqrt()),
            ("rmse", 3f64.sqrt(), (2.7f64 / 12.0).sqrt()),
            ("model_se", 2.2f64.sqrt(), (2.7f64 / 44.0).sqrt()),
            (
                "model_se_error",
                100.0 * ((2.2f64 / 2.5).sqrt() - 1.0),
                100.0 * (0.88 * (2.7f64 / 96.8 + 0.125)).sqrt(),
            ),
            ("coverage", 0.4, 0.048f64.sqrt()),
            ("bias_eliminated_coverage", 0.2, 0.032f64.sqrt()),
            ("rejection", 0.6, 0.048f64.sqrt()),
            ("width", 1.2, (0.2f64 / 5.0).sqrt()),
            ("precision_gain", 80.0, 360.0 * (0.2f64 / 4.0).sqrt()),
            ("failures", 0.0, 0.0),
        ];
        for ((name, estimate, mcse), (listed, _)) in expected.into_iter().zip(MEASURES) {
            assert_eq!(name, listed);
            let found = of(name, &all);
            assert!((found.0 - estimate).abs() < 1e-12, "{name}: {found:?}, {estimate}");
            assert!((found.1 - mcse).abs() < 1e-12, "{name}: {found:?}, {mcse}");
        }
    }

    #[test]
    fn a_measure_rests_on_the_replicates_that_have_it() {
        let nan = f64::NAN;
        let mut cells = cells();
        cells.estimate[4] = nan;
        cells.standard_error = vec![nan; 5];
        cells.truth = vec![nan; 5];
        let all = measure(&cells, None, 0.05);
        let names: Vec<&str> = all.iter().map(|measured| measured.name).collect();
        let expected =
            ["mean", "empirical_se", "bias_eliminated_coverage", "rejection", "width", "failures"];
        assert_eq!(names, expected);
        assert_eq!((all[0].estimate, all[0].count), (2.5, 4));
        assert_eq!(all[5].estimate, 1.0);
        assert!((all[5].mcse - 0.8f64.sqrt()).abs() < 1e-12);
    }
}
