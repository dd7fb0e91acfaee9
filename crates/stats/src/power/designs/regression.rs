//! Tests of a slope: correlation, linear and logistic regression.

use super::counts::{critical_z, z_rejects};
use super::{base_law, sources};
use crate::hypothesis::{Alternative, correlation, linear, logistic};
use crate::power::catalogue::Setup;
use crate::power::law::Law;
use crate::power::options::between;
use crate::power::ready::{Decide, Decision, Drawn, Ready, Source};
use crate::power::rule::critical_t;
use windfall_core::{Error, Result};
use windfall_lanes::scalar_math::{exp, log};

pub(in crate::power) fn correlation(setup: &Setup<'_>) -> Result<Ready> {
    let r = between("effect", setup.effect()?, (-1.0, 1.0))?;
    let n = setup.n();
    let freedom = n as f64 - 2.0;
    let t = critical_t(freedom, setup.design.alpha, setup.design.alternative);
    let critical = t / (freedom + t * t).sqrt();
    let test = Pearson { r, rest: (1.0 - r * r).sqrt(), critical, side: setup.design.alternative };
    let sources = sources([Law::normal(), Law::normal()], [n, n]);
    Ok(Ready { sources, decision: Decision::Data(Box::new(test)), drawn: Drawn::Values })
}

/// x, and what of y is not x.
#[derive(Debug)]
struct Pearson {
    r: f64,
    rest: f64,
    critical: f64,
    side: Alternative,
}

impl Decide for Pearson {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let (x, y) = samples.split_at_mut(1);
        let (x, y) = (&x[0], &mut y[0]);
        x.iter().zip(&mut *y).for_each(|(x, y)| *y = self.r.mul_add(*x, self.rest * *y));
        z_rejects(correlation::coefficient(x, y), self.critical, self.side)
    }
}

/// The law of the predictor.
fn predictor(setup: &Setup<'_>) -> Result<Law> {
    let text = setup.design.predictor.as_deref();
    text.map_or_else(|| Ok(Law::normal()), |text| Law::parse("predictor", text))
}

/// The most covariates.
const COVARIATES_MAX: u64 = 64;

pub(in crate::power) fn linear(setup: &Setup<'_>) -> Result<Ready> {
    let design = setup.design;
    let (n, slope) = (setup.n(), setup.effect()?);
    let covariates = design.covariates.unwrap_or(0);
    let explained = design.r_squared.unwrap_or(0.0);
    if covariates > COVARIATES_MAX {
        return Err(Error::invalid("covariates", covariates, "at most 64"));
    }
    if !(0.0..1.0).contains(&explained) || (explained > 0.0 && covariates == 0) {
        let expected = "from 0 to below 1, and 0 without covariates";
        return Err(Error::invalid("r_squared", explained, expected));
    }
    let freedom = n as f64 - 2.0 - covariates as f64;
    if freedom < 1.0 {
        return Err(Error::too_few("rows (`n`)", n as u64, covariates + 3));
    }
    let error = base_law(setup)?;
    let unit = error.sd();
    let predictor = predictor(setup)?;
    let (mean, sd) = (predictor.mean(), predictor.sd());
    let mut sources = sources([error, predictor], [n, n]);
    sources.extend((0..covariates).map(|_| Source { law: Law::normal(), size: n }));
    let test = Linear {
        slope: slope * unit,
        // The predictor keeps its mean and spread; a share of it comes from the covariates.
        own: (1.0 - explained).sqrt(),
        shared: sd * (explained / (covariates.max(1)) as f64).sqrt(),
        mean,
        critical: critical_t(freedom, design.alpha, design.alternative),
        side: design.alternative,
    };
    Ok(Ready { sources, decision: Decision::Data(Box::new(test)), drawn: Drawn::Values })
}

/// Errors, the predictor's own part, covariates.
#[derive(Debug)]
struct Linear {
    slope: f64,
    own: f64,
    shared: f64,
    mean: f64,
    critical: f64,
    side: Alternative,
}

impl Decide for Linear {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let (first, covariates) = samples.split_at_mut(2);
        let (y, x) = first.split_at_mut(1);
        let (y, x) = (&mut y[0], &mut x[0]);
        if self.shared > 0.0 {
            x.iter_mut().for_each(|x| *x = self.own.mul_add(*x - self.mean, self.mean));
            for covariate in &*covariates {
                let shared = x.iter_mut().zip(covariate);
                shared.for_each(|(x, c)| *x = self.shared.mul_add(*c, *x));
            }
        }
        x.iter().zip(&mut *y).for_each(|(x, y)| *y = self.slope.mul_add(*x, *y));
        let columns: Vec<&[f64]> = covariates.iter().map(Vec::as_slice).collect();
        let found = linear::coefficient(y, x, &columns);
        z_rejects(found.estimate / found.standard_error, self.critical, self.side)
    }
}

pub(in crate::power) fn logistic(setup: &Setup<'_>) -> Result<Ready> {
    let design = setup.design;
    let odds_ratio = between("effect", setup.effect()?, (0.0, f64::INFINITY))?;
    let base = between("base_rate", design.base_rate.unwrap_or(0.5), (0.0, 1.0))?;
    let test = Logistic {
        intercept: log(base / (1.0 - base)),
        slope: log(odds_ratio),
        critical: critical_z(setup),
        side: design.alternative,
    };
    let sources = sources([predictor(setup)?, Law::uniform()], [setup.n(), setup.n()]);
    Ok(Ready { sources, decision: Decision::Data(Box::new(test)), drawn: Drawn::Values })
}

/// The predictor, and uniform numbers that decide the outcomes.
#[derive(Debug)]
struct Logistic {
    intercept: f64,
    slope: f64,
    critical: f64,
    side: Alternative,
}

impl Decide for Logistic {
    fn rejects(&self, samples: &mut [Vec<f64>]) -> Option<bool> {
        let (x, y) = samples.split_at_mut(1);
        let (x, y) = (&x[0], &mut y[0]);
        for (x, u) in x.iter().zip(&mut *y) {
            let chance = 1.0 / (1.0 + exp(-self.slope.mul_add(*x, self.intercept)));
            *u = f64::from(u8::from(*u < chance));
        }
        let found = logistic::coefficient(y, x)?;
        z_rejects(found.estimate / found.standard_error, self.critical, self.side)
    }
}
