//! The hierarchical normal model of several estimates with known standard errors: eight schools.

use super::catalogue::Kind;
use super::options::{check_sd, missing};
use super::{Constraint, Model, ModelOptions, Room, place_reals};
use windfall_core::{Column, Error, Labels, Result, Table};
use windfall_lanes::scalar_math::{exp, log1p};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "hierarchical",
    about: "estimates with known standard errors about effects that vary normally: eight schools",
    keys: &["outcome", "standard_error", "group", "centred", "prior_mu_sd", "prior_tau_scale"],
    data: true,
    build,
};

/// The same with data of its own.
pub(super) const SCHOOLS: Kind = Kind {
    name: "eight-schools",
    about: "the effects of coaching in eight schools, the data of Rubin (1981)",
    keys: &["centred", "prior_mu_sd", "prior_tau_scale"],
    data: false,
    build: |options, _| {
        let options = ModelOptions {
            outcome: Some("effect".into()),
            standard_error: Some("error".into()),
            group: Some("school".into()),
            ..options.clone()
        };
        let column = |values: [f64; 8]| Column::Numbers(values.to_vec().into());
        let schools = Labels::new(["A", "B", "C", "D", "E", "F", "G", "H"]);
        let table = Table::new(vec![
            ("school".into(), Column::Labels(schools)),
            ("effect".into(), column([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])),
            ("error".into(), column([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])),
        ])?;
        build(&options, &table)
    },
};

/// The standard deviation of the prior of `mu` where nothing is said.
const MU_SD: f64 = 5.0;
/// The scale of the half-Cauchy prior of `tau` where nothing is said.
const TAU_SCALE: f64 = 5.0;

/// `y_j ~ N(theta_j, s_j)`, `theta_j ~ N(mu, tau)`, `mu ~ N(0, 5)`, `tau ~ half-Cauchy(5)`.
///
/// Reported are `mu`, `tau` and each `theta`. Centred, chains move in `theta` itself; not centred,
/// in `(theta - mu)/tau`, which suits data that say little about each group.
///
/// Source: A. Gelman et al., *Bayesian Data Analysis*, section 5.5; the forms: O. Papaspiliopoulos,
/// G. O. Roberts, M. Sköld, Statistical Science 22(1), 2007.
///
/// # Cost
/// A few multiply-adds a group and three elementary functions an evaluation.
#[derive(Clone, Debug)]
pub struct Hierarchical {
    names: Vec<String>,
    outcome: Vec<f64>,
    /// 1 over the squared standard errors.
    precision: Vec<f64>,
    centred: bool,
    mu_precision: f64,
    tau_scale: f64,
}

fn build(options: &ModelOptions, table: &Table) -> Result<Box<dyn Model>> {
    let column = |key: &str, name: &Option<String>| match name {
        Some(name) => table.numbers(name),
        None => Err(missing(key, "the name of a column")),
    };
    let outcome = column("outcome", &options.outcome)?.to_vec();
    let errors = column("standard_error", &options.standard_error)?;
    if outcome.is_empty() {
        return Err(Error::too_few("rows", 0, 1));
    }
    if let Some(row) = errors.iter().position(|&s| !(s > 0.0 && (s * s).is_normal())) {
        return Err(Error::invalid(
            &format!("standard error in row {row}"),
            errors[row],
            "above 0",
        ));
    }
    check_sd("prior_mu_sd", options.prior_mu_sd)?;
    check_sd("prior_tau_scale", options.prior_tau_scale)?;
    let labels = options.group.as_ref().map(|group| table.labels(group)).transpose()?;
    let mut names = vec!["mu".to_owned(), "tau".to_owned()];
    for row in 0..outcome.len() {
        let name = match &labels {
            None => format!("theta[{row}]"),
            Some(labels) => format!("theta[{}]", labels.get(row)),
        };
        if names.contains(&name) {
            let expected = "a column of different labels, one a row";
            return Err(Error::invalid("group", name, expected));
        }
        names.push(name);
    }
    let mu_sd = options.prior_mu_sd.unwrap_or(MU_SD);
    Ok(Box::new(Hierarchical {
        names,
        outcome,
        precision: errors.iter().map(|s| (s * s).recip()).collect(),
        centred: options.centred.unwrap_or(false),
        mu_precision: (mu_sd * mu_sd).recip(),
        tau_scale: options.prior_tau_scale.unwrap_or(TAU_SCALE),
    }))
}

impl Hierarchical {
    /// The log density, with `take` given the place and the derivative for each direction.
    fn evaluate(&self, x: &[f64], mut take: impl FnMut(usize, f64)) -> f64 {
        let (mu, u, effects) = (x[0], x[1], &x[2..]);
        let tau = exp(u);
        let ratio = tau / self.tau_scale;
        let square = ratio * ratio;
        // Half-Cauchy, with the Jacobian of the logarithm.
        let mut value = u - log1p(square) - 0.5 * self.mu_precision * mu * mu;
        let mut by_mu = -self.mu_precision * mu;
        // 1 - 2 q/(1 + q), finite where q is not
        let mut by_u = 2.0 / (1.0 + square) - 1.0;
        let inverse = if self.centred { exp(-u) } else { 0.0 };
        let data = self.outcome.iter().zip(&self.precision);
        for (place, (&effect, (y, precision))) in effects.iter().zip(data).enumerate() {
            let z = if self.centred { (effect - mu) * inverse } else { effect };
            let theta = if self.centred { effect } else { mu + tau * effect };
            let away = y - theta;
            let pull = precision * away;
            value -= 0.5 * (pull * away + z * z);
            if self.centred {
                take(place + 2, pull - z * inverse);
                by_mu += z * inverse;
                by_u += z * z - 1.0;
                value -= u;
            } else {
                take(place + 2, pull * tau - z);
                by_mu += pull;
                by_u += pull * tau * z;
            }
        }
        take(0, by_mu);
        take(1, by_u);
        value
    }
}

impl Model for Hierarchical {
    fn dimensions(&self) -> usize {
        self.names.len()
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn log_density(&self, x: &[f64], gradient: &mut [f64], _: &mut Room) -> Result<f64> {
        Ok(self.evaluate(x, |place, slope| gradient[place] = slope))
    }

    fn value(&self, x: &[f64], _: &mut Room) -> Result<f64> {
        Ok(self.evaluate(x, |_, _| {}))
    }

    fn report(&self, x: &[f64], out: &mut [f64], _: &mut Room) -> Result<()> {
        out.copy_from_slice(x);
        out[1] = exp(x[1]);
        if !self.centred {
            for (theta, z) in out[2..].iter_mut().zip(&x[2..]) {
                *theta = x[0] + exp(x[1]) * z;
            }
        }
        Ok(())
    }

    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()> {
        place_reals(&self.names, parameters, x)?;
        x[1] = Constraint::POSITIVE.unconstrain("tau", parameters[1])?;
        if !self.centred {
            x[2..].iter_mut().for_each(|theta| *theta = (*theta - parameters[0]) / parameters[1]);
        }
        Ok(())
    }
}
