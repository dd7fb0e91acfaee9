//! Logistic and Poisson regression: a pass over the rows for each evaluation.

use super::coordinates::Coordinates;
use super::tiles::{Family, Tiles, pass};
use super::{Model, Room};
use std::marker::PhantomData;
use windfall_core::Result;

/// A generalised linear model of one family.
pub(super) struct Glm<F> {
    tiles: Tiles,
    coordinates: Coordinates,
    family: PhantomData<F>,
}

/// What evaluations keep from call to call.
#[derive(Default)]
struct Scratch {
    slopes: Vec<f64>,
    coefficients: Vec<f64>,
}

impl<F: Family> Glm<F> {
    pub fn new(tiles: Tiles, coordinates: Coordinates) -> Self {
        Self { tiles, coordinates, family: PhantomData }
    }

    fn evaluate(&self, z: &[f64], gradient: &mut [f64], room: &mut Room) -> f64 {
        let Scratch { slopes, coefficients } = room.hold();
        let (intercept, rest) = self.coordinates.split(z);
        slopes.resize(if gradient.is_empty() { 0 } else { rest.len() + 1 }, 0.0);
        let likelihood = pass::<F>(&self.tiles, intercept, rest, slopes);
        let count = gradient.len();
        gradient.copy_from_slice(&slopes[slopes.len() - count..]);
        likelihood + self.coordinates.prior(z, gradient, coefficients)
    }
}

impl<F: Family> Model for Glm<F> {
    fn dimensions(&self) -> usize {
        self.coordinates.names().len()
    }

    fn names(&self) -> &[String] {
        self.coordinates.names()
    }

    fn log_density(&self, x: &[f64], gradient: &mut [f64], room: &mut Room) -> Result<f64> {
        Ok(self.evaluate(x, gradient, room))
    }

    fn value(&self, x: &[f64], room: &mut Room) -> Result<f64> {
        Ok(self.evaluate(x, &mut [], room))
    }

    fn report(&self, x: &[f64], out: &mut [f64], _: &mut Room) -> Result<()> {
        self.coordinates.report(x, out);
        Ok(())
    }

    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()> {
        self.coordinates.place(parameters, x)
    }
}
