//! Control variates: formulas whose integrals are known, given or, of polynomials, found exactly.

use super::bounds::Space;
use super::integrand::Formula;
use super::options::IntegrateOptions;
use std::collections::BTreeMap;
use windfall_core::{Error, Result};
use windfall_expr::{Binary, Expr, Fused, Op, Unary};

/// Terms of a polynomial at most, while it is multiplied out.
const TERMS_MAX: usize = 10_000;

/// The controls that the options ask for, each with its integral over the region.
///
/// # Errors
/// A formula that cannot be read; integrals that are too few, too many or not finite; no integral
/// for a control that is no polynomial or over an infinite region.
pub(crate) fn controls(
    options: &IntegrateOptions,
    bounds: &[(f64, f64)],
) -> Result<Vec<(Formula, f64)>> {
    let texts = options.control.texts();
    let given = options.control_integral.as_ref().map(|given| given.values());
    if let Some(given) = given {
        if given.len() != texts.len() {
            let (found, wanted) = (given.len(), texts.len());
            let expected = format!("one number for each of {wanted} controls (`control`)");
            return Err(Error::invalid("control_integral", format!("{found} numbers"), &expected));
        }
        if let Some(wrong) = given.iter().find(|number| !number.is_finite()) {
            return Err(Error::invalid("control_integral", wrong, "a finite number"));
        }
    }
    let control = |(place, text): (usize, &String)| {
        let formula = Formula::parse(text, bounds.len())?;
        let integral = match given {
            Some(given) => given[place],
            None => exact(formula.expr(), bounds).ok_or_else(|| {
                let expected = "a polynomial over finite bounds";
                Error::invalid("control", text, expected)
                    .hint("or give its integral over the region: control_integral")
            })?,
        };
        Ok((formula, integral))
    };
    texts.iter().enumerate().map(control).collect()
}

/// Exponents of the variables, and the coefficient.
type Terms = BTreeMap<Vec<u32>, f64>;

/// The integral of a polynomial over a finite box; none of anything else.
fn exact(expr: &Expr, bounds: &[(f64, f64)]) -> Option<f64> {
    if Space::new(bounds).ok()?.is_infinite() {
        return None;
    }
    let terms = polynomial(expr, bounds.len())?;
    let power = |x: f64, exponent: u32| (0..exponent).fold(1.0, |product, _| product * x);
    let side = |&(low, high): &(f64, f64), exponent: u32| {
        (power(high, exponent + 1) - power(low, exponent + 1)) / f64::from(exponent + 1)
    };
    let integral = |(exponents, coefficient): (&Vec<u32>, &f64)| {
        bounds
            .iter()
            .zip(exponents)
            .fold(*coefficient, |product, (ends, &k)| product * side(ends, k))
    };
    Some(terms.iter().map(integral).sum()).filter(|sum: &f64| sum.is_finite())
}

/// Multiplies a formula out, operation by operation.
fn polynomial(expr: &Expr, variables: usize) -> Option<Terms> {
    let constant = |value: f64| Terms::from([(vec![0; variables], value)]);
    let mut values: Vec<Option<Terms>> = Vec::new();
    for op in expr.program().ops() {
        let of = |id: u32| values[id as usize].as_ref();
        let value = match *op {
            Op::Constant(value) => Some(constant(value)),
            Op::Input(variable) => {
                let mut exponents = vec![0; variables];
                exponents[variable as usize] = 1;
                Some(Terms::from([(exponents, 1.0)]))
            }
            Op::Unary(Unary::Negative, a) => of(a).map(|a| add(&Terms::new(), a, -1.0)),
            Op::Binary(kind, a, b) => of(a).zip(of(b)).and_then(|(a, b)| match kind {
                Binary::Add => Some(add(a, b, 1.0)),
                Binary::Sub => Some(add(a, b, -1.0)),
                Binary::Mul => multiply(a, b),
                Binary::Div => number(b).map(|b| add(&Terms::new(), a, 1.0 / b)),
                _ => None,
            }),
            Op::Fused(kind, [a, b, c]) => {
                let product = of(a).zip(of(b)).and_then(|(a, b)| multiply(a, b));
                product.zip(of(c)).map(|(product, c)| match kind {
                    Fused::MulAdd => add(&product, c, 1.0),
                    Fused::MulSub => add(&product, c, -1.0),
                    Fused::NegMulAdd => add(c, &product, -1.0),
                })
            }
            _ => None,
        };
        values.push(value);
    }
    values.pop()?
}

/// The number that a polynomial is, if it is one.
fn number(terms: &Terms) -> Option<f64> {
    let [(exponents, value)] = terms.iter().collect::<Vec<_>>()[..] else { return None };
    exponents.iter().all(|&exponent| exponent == 0).then_some(*value)
}

/// `a + factor · b`.
fn add(a: &Terms, b: &Terms, factor: f64) -> Terms {
    let mut sum = a.clone();
    for (exponents, coefficient) in b {
        *sum.entry(exponents.clone()).or_default() += factor * coefficient;
    }
    sum
}

fn multiply(a: &Terms, b: &Terms) -> Option<Terms> {
    if a.len() * b.len() > TERMS_MAX {
        return None;
    }
    let mut product = Terms::new();
    for (left, x) in a {
        for (right, y) in b {
            let exponents = left.iter().zip(right).map(|(i, j)| i + j).collect();
            *product.entry(exponents).or_default() += x * y;
        }
    }
    Some(product)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrate::Numbers;

    fn integral(text: &str, bounds: &[(f64, f64)]) -> Result<f64> {
        let options = IntegrateOptions { control: text.into(), ..Default::default() };
        controls(&options, bounds).map(|list| list[0].1)
    }

    #[test]
    fn polynomials_are_integrated_exactly() {
        for (text, bounds, expected) in [
            ("1", &[(0.0, 2.0), (1.0, 4.0)][..], 6.0),
            ("x0", &[(0.0, 2.0)], 2.0),
            ("3*x0^2 - 2*x1 + 1", &[(0.0, 1.0), (0.0, 2.0)], 2.0 - 4.0 + 2.0),
            ("(x0 + x1)^2/2", &[(-1.0, 1.0), (0.0, 1.0)], 2.0 / 3.0),
            ("-(1 - x0*x1)*(1 + x0*x1)", &[(0.0, 1.0), (0.0, 1.0)], -1.0 + 1.0 / 9.0),
            ("x0^3", &[(1.0, 0.0)], -0.25),
        ] {
            let found = integral(text, bounds).unwrap();
            assert!((found - expected).abs() < 1e-14, "{text}: {found} for {expected}");
        }
    }

    #[test]
    fn what_is_no_polynomial_needs_its_integral() {
        for (text, bounds) in [
            ("exp(x0)", (0.0, 1.0)),
            ("1/x0", (1.0, 2.0)),
            ("x0^0.5", (0.0, 1.0)),
            ("x0", (0.0, f64::INFINITY)),
        ] {
            let error = integral(text, &[bounds]).unwrap_err();
            assert!(error.to_string().contains("`control` is `"), "{error}");
            assert!(error.remedy().unwrap().contains("control_integral"));
        }
        let options = IntegrateOptions {
            control: "exp(x0)".into(),
            control_integral: Some(Numbers::One(1.0)),
            ..Default::default()
        };
        assert_eq!(controls(&options, &[(0.0, 1.0)]).unwrap()[0].1, 1.0);
        let options = IntegrateOptions { control: Default::default(), ..options };
        let error = controls(&options, &[(0.0, 1.0)]).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("each of 0 controls"), "{error}");
    }
}
