//! Linear, logistic and Poisson regression with flat or normal priors, from a table by formula.
//!
//! ```text
//! coordinates.rs  centred and scaled predictors, and the priors
//! tiles.rs        the pass over the rows       families.rs  what the response may be
//! glm.rs          logistic and Poisson         linear.rs, triangle.rs  the linear model
//! ```
//!
//! | model | response | parameters |
//! |---|---|---|
//! | `linear` | normal about the linear predictor | coefficients, `sigma` |
//! | `logistic` | 0 or 1, logit link | coefficients |
//! | `poisson` | counts, log link | coefficients |
//!
//! Priors are flat unless given: `prior_sd` makes each coefficient normal about 0, with
//! `prior_intercept_sd` the intercept too or apart; `prior_sigma_sd` makes `sigma` half-normal.

mod coordinates;
mod families;
mod glm;
mod linear;
mod tiles;
mod triangle;

use super::catalogue::Kind;
use super::options::{check_sd, missing};
use super::{Model, ModelOptions, Room};
use crate::formula::Formula;
use coordinates::{Coordinates, Priors};
use families::{Bernoulli, Poisson};
use glm::Glm;
use linear::Linear;
use tiles::Tiles;
use windfall_core::{Error, ErrorKind, Result, Table};
use windfall_lanes::scalar_math::log;
use windfall_lanes::sum;

/// The rows of the catalogue.
pub(super) const LINEAR: Kind = Kind {
    name: "linear",
    about: "linear regression with normal residuals",
    keys: &["formula", "prior_sd", "prior_intercept_sd", "prior_sigma_sd"],
    data: true,
    build: |options, table| linear(options, table),
};
pub(super) const LOGISTIC: Kind = Kind {
    name: "logistic",
    about: "logistic regression of a response of 0 and 1",
    keys: &["formula", "prior_sd", "prior_intercept_sd"],
    data: true,
    build: |options, table| {
        let rows = Rows::read(options, table)?;
        rows.check_response("0 or 1", |y| y == 0.0 || y == 1.0)?;
        let (tiles, coordinates) = rows.generalised()?;
        Ok(Box::new(Glm::<Bernoulli>::new(tiles, coordinates)))
    },
};
pub(super) const POISSON: Kind = Kind {
    name: "poisson",
    about: "Poisson regression of counts, by the logarithm of the mean",
    keys: &["formula", "prior_sd", "prior_intercept_sd"],
    data: true,
    build: |options, table| {
        let rows = Rows::read(options, table)?;
        rows.check_response("a count", |y| y >= 0.0 && y.fract() == 0.0)?;
        let mean = sum(&rows.response) / rows.response.len() as f64;
        let (tiles, mut coordinates) = rows.generalised()?;
        if mean > 0.0 {
            coordinates.shift = log(mean);
        }
        Ok(Box::new(Glm::<Poisson>::new(tiles, coordinates)))
    },
};

/// Response and predictors as a formula reads them from a table, checked.
struct Rows {
    response_name: String,
    response: Vec<f64>,
    offset: Option<Vec<f64>>,
    names: Vec<String>,
    intercept: bool,
    /// Without the intercept's.
    predictors: Vec<Vec<f64>>,
    priors: Priors,
}

impl Rows {
    fn read(options: &ModelOptions, table: &Table) -> Result<Self> {
        let expected = "a formula such as `y ~ x1 + x2`";
        let text = options.formula.as_ref().ok_or_else(|| missing("formula", expected))?;
        let formula = Formula::parse(text, table, &[])?;
        let design = formula.design(table)?;
        let first = usize::from(design.intercept);
        let response = finite(formula.response(), design.response.as_slice())?;
        let offset = design.offset.map(|offset| finite("offset", offset.as_slice())).transpose()?;
        let columns = design.names[first..].iter().zip(&design.columns[first..]);
        let predictors = columns.map(|(name, column)| finite(name, column.as_slice()));
        let predictors = predictors.collect::<Result<Vec<_>>>()?;
        if response.is_empty() {
            return Err(Error::too_few("rows", 0, 1));
        }
        let (coefficients, intercept) = (options.prior_sd, options.prior_intercept_sd);
        check_sd("prior_sd", coefficients)?;
        check_sd("prior_intercept_sd", intercept)?;
        if intercept.is_some() && !design.intercept {
            let expected = "left out: the formula has no intercept";
            return Err(Error::invalid("prior_intercept_sd", intercept.unwrap_or(0.0), expected));
        }
        Ok(Self {
            response_name: formula.response().to_owned(),
            response,
            offset,
            names: design.names,
            intercept: design.intercept,
            predictors,
            priors: Priors { coefficients, intercept: intercept.or(coefficients) },
        })
    }

    fn check_response(&self, expected: &str, good: fn(f64) -> bool) -> Result<()> {
        match self.response.iter().position(|&y| !good(y)) {
            None => Ok(()),
            Some(row) => {
                let what = format!("{} in row {row}", self.response_name);
                Err(Error::invalid(&what, self.response[row], expected))
            }
        }
    }

    fn coordinates(&mut self) -> Result<Coordinates> {
        let names = self.names.clone();
        Coordinates::new(names, self.intercept, &mut self.predictors, self.priors)
    }

    /// All columns of the design, the response last, reduced to a triangle; refuses columns that
    /// depend on others where only a prior could tell them apart.
    fn triangle(&self, response: Vec<f64>, flat: bool) -> Result<Vec<Vec<f64>>> {
        let ones = self.intercept.then(|| vec![1.0; self.response.len()]);
        let columns = ones.into_iter().chain(self.predictors.iter().cloned());
        let mut columns: Vec<Vec<f64>> = columns.chain([response]).collect();
        let triangle = triangle::triangle(&mut columns);
        if !flat {
            return Ok(triangle);
        }
        let least = 1e-9 * (self.response.len() as f64).sqrt();
        for (place, name) in self.names.iter().enumerate() {
            // Columns have unit mean square: what is left of one tells how much it adds.
            if triangle[place].get(place).is_none_or(|rest| rest.abs() <= least) {
                let expected = "none that other columns determine, or the few rows";
                let error = Error::invalid(name, "a combination of other columns", expected);
                return Err(error.hint("leave it out, or give `prior_sd`"));
            }
        }
        Ok(triangle)
    }

    fn generalised(mut self) -> Result<(Tiles, Coordinates)> {
        let coordinates = self.coordinates()?;
        if coordinates.is_flat() {
            self.triangle(vec![0.0; self.response.len()], true)?;
        }
        let tiles = Tiles::new(&self.response, self.offset.as_deref(), &self.predictors);
        Ok((tiles, coordinates))
    }
}

fn finite(name: &str, values: &[f64]) -> Result<Vec<f64>> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values.to_vec()),
        Some(row) => Err(Error::new(ErrorKind::NotFinite {
            what: format!("`{name}`"),
            row: row as u64,
            value: values[row],
        })
        .hint("drop or fill the rows with missing values first")),
    }
}

fn linear(options: &ModelOptions, table: &Table) -> Result<Box<dyn Model>> {
    check_sd("prior_sigma_sd", options.prior_sigma_sd)?;
    let mut rows = Rows::read(options, table)?;
    let mut coordinates = rows.coordinates()?;
    let count = rows.response.len();
    let mut response = rows.response.clone();
    if let Some(offset) = &rows.offset {
        response.iter_mut().zip(offset).for_each(|(y, offset)| *y -= offset);
    }
    if rows.intercept {
        coordinates.shift = sum(&response) / count as f64;
        response.iter_mut().for_each(|y| *y -= coordinates.shift);
    }
    let squares: Vec<f64> = response.iter().map(|y| y * y).collect();
    let unit = (sum(&squares) / count as f64).sqrt();
    if unit <= 1e-12 * coordinates.shift.abs() {
        let value = format!("{} in every row", coordinates.shift);
        return Err(Error::invalid(&rows.response_name, value, "a response that varies"));
    }
    coordinates.unit = unit;
    response.iter_mut().for_each(|y| *y /= unit);
    let flat = coordinates.is_flat();
    if flat && count <= coordinates.names().len() {
        let need = coordinates.names().len() as u64 + 1;
        let error = Error::too_few("rows for flat priors", count as u64, need);
        return Err(error.hint("give `prior_sd`, or fewer predictors"));
    }
    let triangle = rows.triangle(response, flat)?;
    Ok(Box::new(Linear::new(coordinates, &triangle, count, options.prior_sigma_sd)))
}
