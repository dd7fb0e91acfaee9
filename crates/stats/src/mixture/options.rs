//! The options of a mixture, as job files and callers write them, and the checks without data.

use super::model::{Covariance, Given};
use super::prior::PriorOptions;
use super::start::Init;
use crate::bootstrap::Formulas;
use serde::{Deserialize, Serialize};
use windfall_core::{Error, Result};

/// The most components: their sums fit in memory many times over.
const COMPONENTS_MAX: u64 = 10_000;
/// The most starts.
const STARTS_MAX: u64 = 100_000;
/// The most chains.
const CHAINS_MAX: u64 = 10_000;
/// The most sweeps of a chain.
const SWEEPS_MAX: u64 = 1 << 32;
/// The most steps of an ascent.
const ITERATIONS_MAX: u64 = 1_000_000_000;

/// One number of components, or several to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a whole number, or a list of them")]
pub enum Components {
    /// One.
    One(u64),
    /// Several, of which the criterion picks one.
    Many(Vec<u64>),
}

/// One mixture to start from, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a table of `weights`, `means` and `covariances`, or a list of them")]
pub enum GivenStarts {
    /// One.
    One(Given),
    /// Several.
    Many(Vec<Given>),
}

impl GivenStarts {
    /// The mixtures.
    pub(super) fn list(&self) -> &[Given] {
        match self {
            Self::One(given) => std::slice::from_ref(given),
            Self::Many(list) => list,
        }
    }
}

/// What is made of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The maximum of the likelihood, by expectation and maximisation.
    #[default]
    Em,
    /// Draws from the posterior under a conjugate prior.
    Gibbs,
}

/// How steps of EM are sped up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Acceleration {
    /// Not at all.
    #[default]
    None,
    /// By squared extrapolation (Varadhan & Roland 2008).
    Squarem,
}

/// What picks the number of components.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// Schwarz (1978): -2 log L + p log n.
    #[default]
    Bic,
    /// Akaike (1974): -2 log L + 2 p.
    Aic,
}

/// The order in which components are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// By rising mean of the first column, then of the next.
    #[default]
    Mean,
    /// By falling weight.
    Weight,
    /// As the start had them.
    None,
}

/// The options of a mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MixtureOptions {
    /// The number of components, or several of which the criterion picks one; 1 to 10,000.
    pub components: Option<Components>,
    /// The columns to fit; all that hold numbers if left out.
    pub columns: Option<Formulas>,
    /// What the covariances have in common.
    pub covariance: Covariance,
    /// What is made of the model.
    pub method: Method,
    /// Starts for each number of components; 10 if left out.
    pub starts: Option<u64>,
    /// How a start is made.
    pub init: Init,
    /// The mixture to start from, or several; then none is made.
    pub start: Option<GivenStarts>,
    /// An ascent ends when a step gains less than this much log-likelihood a row.
    pub tolerance: f64,
    /// The most steps of an ascent; 0 evaluates the start.
    pub iterations: u64,
    /// How steps are sped up.
    pub acceleration: Acceleration,
    /// Added to every variance, in the units of the data squared.
    pub regularisation: f64,
    /// The least variance of a component in any direction, over that of all rows.
    pub floor: f64,
    /// What picks the number of components.
    pub criterion: Criterion,
    /// Whether to give standard errors; if left out, where there are at most 60 parameters.
    pub standard_errors: Option<bool>,
    /// The order of the components.
    pub order: Order,
    /// Gibbs: chains; 4 if left out, or as many as there are given starts.
    pub chains: Option<u64>,
    /// Gibbs: sweeps of each chain that are thrown away.
    pub warmup: u64,
    /// Gibbs: sweeps of each chain that are kept.
    pub draws: u64,
    /// Gibbs: the prior.
    pub prior: PriorOptions,
    /// Gibbs: the level of the credible intervals.
    pub level: f64,
    /// Gibbs: the number of the first sweep, to go on where another run ended.
    pub sweep: u64,
    /// Whether the answer keeps what the mixture says of each row, or the draws.
    pub distribution: bool,
}

impl Default for MixtureOptions {
    fn default() -> Self {
        Self {
            components: None,
            columns: None,
            covariance: Covariance::default(),
            method: Method::default(),
            starts: None,
            init: Init::default(),
            start: None,
            tolerance: 1e-8,
            iterations: 1000,
            acceleration: Acceleration::default(),
            regularisation: 0.0,
            floor: 1e-6,
            criterion: Criterion::default(),
            standard_errors: None,
            order: Order::default(),
            chains: None,
            warmup: 500,
            draws: 1000,
            prior: PriorOptions::default(),
            level: 0.95,
            sweep: 0,
            distribution: false,
        }
    }
}

impl MixtureOptions {
    /// Starts for each number of components, where they are made.
    pub(super) fn starts(&self) -> u64 {
        self.starts.unwrap_or(10)
    }

    /// Chains of a Gibbs sampler.
    pub(super) fn chains(&self) -> u64 {
        let given = self.start.as_ref().map_or(4, |start| start.list().len() as u64);
        self.chains.unwrap_or(given)
    }

    /// Checks what a Gibbs sampler needs.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for several numbers of components, for starts that
    /// are not one a chain, or for a number out of range.
    pub(super) fn check_chains(&self, numbers: &[usize], given: u64) -> Result<()> {
        if let [_, second, ..] = numbers {
            let error = Error::invalid("components", second, "one number for a Gibbs sampler");
            return Err(error.hint("compare numbers of components by `method = \"em\"` first"));
        }
        let ranges = [
            ("chains", self.chains(), 1, CHAINS_MAX),
            ("draws", self.draws, 4, SWEEPS_MAX),
            ("warmup", self.warmup, 0, SWEEPS_MAX),
            ("sweep", self.sweep, 0, SWEEPS_MAX),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Error::invalid(name, value, &format!("from {least} to {most}")));
            }
        }
        if given > 0 && given != self.chains() {
            let expected = format!("{given}, as many as there are starts");
            return Err(Error::invalid("chains", self.chains(), &expected));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::invalid("level", self.level, "between 0 and 1, such as 0.95"));
        }
        self.prior.check()
    }

    /// The numbers of components asked for; none if the given starts say it.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for one out of range or named twice, or if neither
    /// components nor a start is given.
    pub(super) fn numbers(&self) -> Result<Vec<usize>> {
        let list = match &self.components {
            Some(Components::One(one)) => vec![*one],
            Some(Components::Many(many)) if !many.is_empty() => many.clone(),
            None if self.start.is_some() => Vec::new(),
            _ => {
                return Err(Error::invalid("components", "missing", "a number or a list of them")
                    .hint("write for example: components = 3, or [1, 2, 3, 4] to let BIC choose"));
            }
        };
        for (place, &number) in list.iter().enumerate() {
            if !(1..=COMPONENTS_MAX).contains(&number) {
                return Err(Error::invalid("components", number, "from 1 to 10000"));
            }
            if list[..place].contains(&number) {
                return Err(Error::invalid("components", number, "named once"));
            }
        }
        Ok(list.into_iter().map(|number| number as usize).collect())
    }

    /// Checks what needs no data.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] or [`windfall_core::ErrorKind::TooFew`] with the
    /// value at fault.
    pub(super) fn check(&self) -> Result<()> {
        self.numbers()?;
        if self.start.is_some() && self.starts.is_some() {
            let error = Error::invalid("starts", self.starts(), "left out where `start` is given");
            return Err(error.hint("`start` may be a list: each mixture in it is one start"));
        }
        if self.start.as_ref().is_some_and(|start| start.list().is_empty()) {
            return Err(Error::invalid("start", "[]", "at least one mixture"));
        }
        if self.starts() == 0 {
            return Err(Error::too_few("starts", 0, 1));
        }
        if self.starts() > STARTS_MAX {
            return Err(Error::invalid("starts", self.starts(), "at most 100000"));
        }
        if self.iterations > ITERATIONS_MAX {
            return Err(Error::invalid("iterations", self.iterations, "at most 10^9"));
        }
        let numbers = [("tolerance", self.tolerance), ("regularisation", self.regularisation)];
        for (name, value) in numbers {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::invalid(name, value, "a number of at least 0"));
            }
        }
        if !(1e-12..=0.1).contains(&self.floor) {
            let error = Error::invalid("floor", self.floor, "from 1e-12 to 0.1");
            return Err(error.hint("it is a share of each column's variance over all rows"));
        }
        Ok(())
    }
}
