//! The test whose power is wanted: of the catalogue, or the caller's own.

use super::catalogue::{Row, Setup};
use super::designs;
use super::options::{Design, between};
use super::ready::Point;
use super::trials::Trials;
use super::user::UserTest;
use crate::statistic::UserStatistic;
use serde_json::{Map, Value};
use std::sync::Arc;
use windfall_core::{Error, Result};

/// A test, and where its data come from.
#[derive(Clone)]
pub(crate) enum Test {
    /// Of the catalogue.
    Catalogue(&'static Row),
    /// The caller's, which draws its data.
    Whole(Arc<dyn UserTest>),
    /// The caller's, of samples drawn by the laws of the design.
    OfSamples(Arc<dyn UserStatistic>),
}

impl Test {
    /// What the answer calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Catalogue(row) => row.name,
            Self::Whole(_) | Self::OfSamples(_) => "own test",
        }
    }

    /// The least n there may be.
    pub fn n_min(&self) -> u64 {
        match self {
            Self::Catalogue(row) => row.n_min,
            Self::Whole(_) | Self::OfSamples(_) => 1,
        }
    }

    /// How it decides, for the answer: its level and, unless it is the caller's affair, its side.
    pub fn told(&self, design: &Design) -> Map<String, Value> {
        let mut told = Map::from_iter([("alpha".to_owned(), design.alpha.into())]);
        if matches!(self, Self::Catalogue(_)) {
            told.insert("alternative".into(), design.alternative.name().into());
        }
        told
    }

    /// Checks the keys of a design whose test is the caller's.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for the name of a test, for a key that it does not
    /// read and for a level beyond 0 and 1.
    pub fn check(&self, design: &Design) -> Result<()> {
        let reads: &[&str] = match self {
            Self::Catalogue(_) => return Ok(()),
            Self::Whole(_) => &["effect"],
            Self::OfSamples(_) => &["effect", "groups", "law", "ratio", "arms"],
        };
        let expected = "left out where a function is the test";
        if !design.test.is_empty() {
            return Err(Error::invalid("test", &design.test, expected));
        }
        if let Some(key) = design.given().into_iter().find(|key| !reads.contains(key)) {
            let hint = format!("beside it may stand {}", reads.join(", "));
            return Err(Error::invalid(key, "given", expected).hint(hint));
        }
        design.check()?;
        between("alpha", design.alpha, (0.0, 1.0)).map(|_| ())
    }

    /// Simulations of it at `points`.
    ///
    /// # Errors
    /// What the test has to say of the design.
    pub fn trials(&self, design: &Design, points: &[Point], simulations: u64) -> Result<Trials> {
        let setups = points.iter().map(|&point| Setup { design, point });
        match self {
            Self::Catalogue(row) => {
                let ready = setups.map(|setup| (row.build)(&setup));
                Trials::new(ready.collect::<Result<_>>()?, simulations)
            }
            Self::Whole(test) => {
                Ok(Trials::by_user(test.clone(), points.to_vec(), design.alpha, simulations))
            }
            Self::OfSamples(test) => {
                let sources = setups.map(|setup| designs::samples(&setup));
                let sources = sources.collect::<Result<_>>()?;
                Trials::of_samples(test.clone(), sources, design.alpha, simulations)
            }
        }
    }
}
