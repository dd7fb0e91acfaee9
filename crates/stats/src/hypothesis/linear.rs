//! One coefficient of a least-squares line with intercept, tested against 0.

use super::{Alternative, TestResult};

/// A coefficient with its standard error and degrees of freedom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficient {
    /// The slope.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Rows less the number of coefficients, the intercept's included.
    pub freedom: f64,
}

/// Whether `x` has slope 0 in the regression of `y` on an intercept, `x` and `covariates`:
/// `statsmodels` OLS, R `summary(lm(y ~ x + …))`. The statistic is t.
///
/// # Panics
/// If the columns differ in length.
pub fn slope(y: &[f64], x: &[f64], covariates: &[&[f64]], alternative: Alternative) -> TestResult {
    let found = coefficient(y, x, covariates);
    alternative.of_student(found.estimate / found.standard_error, found.freedom)
}

/// The coefficient of `x` in the regression of `y` on an intercept, `x` and `covariates`.
///
/// By orthogonalisation (modified Gram–Schmidt): what the intercept and the covariates say is
/// taken out of `x` and `y`; the slope of the rest is the coefficient, exactly (Frisch, Waugh
/// and Lovell). NaN if `x` is a combination of the others.
///
/// # Panics
/// If the columns differ in length.
pub fn coefficient(y: &[f64], x: &[f64], covariates: &[&[f64]]) -> Coefficient {
    let (mut y, mut x) = (centred(y), centred(x));
    let whole = dot(&x, &x);
    let mut others: Vec<Vec<f64>> = covariates.iter().map(|column| centred(column)).collect();
    while let Some(other) = others.pop() {
        let square = dot(&other, &other);
        for column in others.iter_mut().chain([&mut x, &mut y]) {
            take_out(column, &other, square);
        }
    }
    let freedom = y.len() as f64 - 2.0 - covariates.len() as f64;
    let square = dot(&x, &x);
    if square <= 1e-24 * whole || freedom < 1.0 {
        return Coefficient { estimate: f64::NAN, standard_error: f64::NAN, freedom };
    }
    let estimate = dot(&x, &y) / square;
    take_out(&mut y, &x, square);
    let standard_error = (dot(&y, &y) / freedom / square).sqrt();
    Coefficient { estimate, standard_error, freedom }
}

fn centred(column: &[f64]) -> Vec<f64> {
    let mean = windfall_lanes::sum(column) / column.len() as f64;
    column.iter().map(|x| x - mean).collect()
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    windfall_lanes::dot(x, y)
}

/// Takes out of `column` what `other`, of this squared length, says of it.
fn take_out(column: &mut [f64], other: &[f64], square: f64) {
    if square > 0.0 {
        let share = dot(column, other) / square;
        column.iter_mut().zip(other).for_each(|(x, o)| *x = (-share).mul_add(*o, *x));
    }
}
