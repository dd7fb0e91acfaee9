//! From a table and the options of a job to a design and a statistic bound to it.

use super::binder::Binder;
use super::bound::{Bound, Room, Target};
use super::design::Design;
use super::engine::Engine;
use super::options::PermutationOptions;
use crate::statistic::UserStatistic;
use windfall_core::{Error, Labels, Result, Streams, Table};

/// A permuted value counts as equal to the observed one if they differ by no more than this share
/// of the larger of it and typical permuted values: 100 ulp, as in SciPy.
const SLACK: f64 = 100.0 * f64::EPSILON;
/// Permutations that tell what a typical value is.
const PILOTS: usize = 32;

/// What to test.
pub(crate) enum Wish<'a> {
    /// Formulas.
    Formulas(&'a [String]),
    /// A user's function of these columns.
    User(Box<dyn UserStatistic>, &'a [String]),
}

/// A design and a statistic bound to it.
#[derive(Debug)]
pub(crate) struct Setup {
    pub design: Design,
    pub bound: Bound,
    /// How arrangements are drawn.
    pub engine: Engine,
    /// The statistic of the data as they are.
    pub observed: Vec<f64>,
    /// How far from it a permuted value counts as equal.
    pub slack: Vec<f64>,
    /// Whether every quantity is large whatever the departure.
    pub is_large_when_extreme: bool,
}

impl Setup {
    /// Checks the data and binds the statistic.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::TooFew`] for fewer than two rows or groups; the errors of
    /// columns and formulas; [`windfall_core::ErrorKind::Invalid`] for a statistic that no
    /// permutation changes, that has no value on the data, or that the design does not serve.
    pub fn new(table: &Table, options: &PermutationOptions, wish: Wish<'_>) -> Result<Self> {
        let rows = table.rows();
        if rows < 2 {
            return Err(Error::too_few("rows", rows as u64, 2));
        }
        let strata = options.strata.as_deref().map(|name| table.labels(name)).transpose()?;
        let strata = strata.as_ref().map(Labels::codes);
        let binder = Binder::new(table, options)?;
        let design = binder.design(strata);
        let (bound, is_large_when_extreme) = match wish {
            Wish::Formulas([]) => {
                return Err(Error::invalid("statistic", "missing", "a formula")
                    .hint("write for example: statistic = \"mean_difference(x)\""));
            }
            Wish::Formulas(texts) => binder.formulas(texts, &design)?,
            Wish::User(statistic, columns) => (binder.user(statistic, columns)?, false),
        };
        let mut room = Room::default();
        let mut observed = vec![0.0; bound.quantities()];
        bound.values(&design, &design.observed(), &mut room, &mut observed)?;
        if let Some(place) = observed.iter().position(|value| !value.is_finite()) {
            let value = format!("{} = {}", bound.names[place], observed[place]);
            return Err(Error::invalid("statistic", value, "a number on the data themselves")
                .hint("constant columns or groups have no correlation, t or ratio"));
        }
        let slack = slack(&design, &bound, &observed, &mut room)?;
        let engine = Engine::new(&bound, &design);
        Ok(Self { design, bound, engine, observed, slack, is_large_when_extreme })
    }
}

/// The slack of each quantity.
fn slack(design: &Design, bound: &Bound, observed: &[f64], room: &mut Room) -> Result<Vec<f64>> {
    let mut sizes: Vec<f64> = observed.iter().map(|value| value.abs()).collect();
    if matches!(bound.target, Target::Formulas(_)) {
        let mut stream = Streams::new(0u64.into(), "permutation scale").task(0);
        let mut arrangement = vec![0; design.rows()];
        let mut values = vec![0.0; observed.len()];
        for _ in 0..PILOTS {
            design.draw(&mut stream, &mut arrangement);
            bound.values(design, &arrangement, room, &mut values)?;
            for (size, value) in sizes.iter_mut().zip(&values).filter(|(_, v)| v.is_finite()) {
                *size = size.max(value.abs());
            }
        }
    }
    Ok(sizes.into_iter().map(|size| SLACK * size).collect())
}
