//! What can be said of a run of chains: model, sampler, how many and how long; checked before work.

use super::ensemble::usual_walkers;
use super::metropolis::best_rate;
use super::model::{Model, ModelOptions};
use super::nuts::Tuning;
use super::tempering::Ladder;
use serde::{Deserialize, Serialize};
use windfall_core::{Error, Result};

/// How a chain moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampler {
    /// Hamiltonian trajectories that end where they turn: for every model with a gradient.
    #[default]
    Nuts,
    /// Adaptive random-walk Metropolis: for a few dimensions and costly or missing gradients.
    Metropolis,
    /// Affine-invariant ensembles of walkers, as in emcee.
    Ensemble,
    /// Parallel tempering: for laws with several modes.
    Tempering,
}

impl Sampler {
    /// The name in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nuts => "nuts",
            Self::Metropolis => "metropolis",
            Self::Ensemble => "ensemble",
            Self::Tempering => "tempering",
        }
    }
}

/// Where chains start: the parameters on their own scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "numbers, one a parameter, or a list of such lists, one a chain")]
pub enum Init {
    /// All chains at one point.
    One(Vec<f64>),
    /// Each chain at its own.
    Each(Vec<Vec<f64>>),
}

impl Init {
    /// The points in the unconstrained space: one, or as many as chains.
    fn placed(&self, chains: u64, model: &dyn Model) -> Result<Vec<Vec<f64>>> {
        let points = match self {
            Self::One(point) => std::slice::from_ref(point),
            Self::Each(points) => points,
        };
        if matches!(self, Self::Each(_)) && points.len() as u64 != chains {
            let expected = format!("one point, or {chains}, one a chain");
            return Err(Error::invalid("init", format!("{} points", points.len()), &expected));
        }
        points.iter().map(|point| placed(point, model)).collect()
    }
}

/// The options of a run of chains, with the names they have in job files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SampleOptions {
    /// How chains move.
    pub sampler: Sampler,
    /// Independent chains, 1 to 10,000. R-hat wants at least 4.
    pub chains: u64,
    /// Steps of each chain that tune the sampler and are thrown away.
    pub warmup: u64,
    /// Draws that are kept of each chain (of each walker, for the ensemble), at least 4.
    pub draws: u64,
    /// Steps for one draw: the others are thrown away.
    pub thin: u64,
    /// The acceptance rate that warm-up aims at: 0.8 for NUTS (0.9 to 0.99 where it diverges),
    /// 0.234 (0.44 in one dimension) for the random walks.
    pub target_acceptance: Option<f64>,
    /// The most doublings of a trajectory of NUTS, 1 to 20: 10 if left out.
    pub depth_max: Option<u32>,
    /// Walkers of an ensemble, an even number of at least twice the dimensions; if left out
    /// `max(2 d + 2, 32)`.
    pub walkers: Option<u64>,
    /// Temperatures of a ladder, 2 to 64: 8 if left out.
    pub rungs: Option<u64>,
    /// The highest temperature of a ladder, above 1: 100 if left out.
    pub hottest: Option<f64>,
    /// Where chains start; drawn if left out.
    pub init: Option<Init>,
    /// The level of the credible intervals.
    pub level: f64,
    /// Whether the answer keeps the draws.
    pub distribution: bool,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            sampler: Sampler::Nuts,
            chains: 4,
            warmup: 1000,
            draws: 1000,
            thin: 1,
            target_acceptance: None,
            depth_max: None,
            walkers: None,
            rungs: None,
            hottest: None,
            init: None,
            level: 0.95,
            distribution: false,
        }
    }
}

/// A whole job file of chains.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct JobOptions {
    #[serde(flatten)]
    pub model: ModelOptions,
    #[serde(flatten)]
    pub options: SampleOptions,
}

/// The most chains.
const CHAINS_MAX: u64 = 10_000;
/// The most bytes that the draws of all chains may take.
const DRAWS_BYTES_MAX: u64 = 64 << 30;

/// What moves a chain, after all checks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mover {
    Nuts(Tuning),
    Metropolis(f64),
    Ensemble(usize),
    Tempering(Ladder),
}

/// A run of chains, after all checks.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub mover: Mover,
    pub chains: u64,
    pub warmup: u64,
    pub draws: u64,
    pub thin: u64,
    /// Where chains start in the unconstrained space, if the user says so: one point, or as many
    /// as chains.
    pub init: Option<Vec<Vec<f64>>>,
}

impl Plan {
    /// Walkers of a chain: the series that it yields.
    pub fn walkers(&self) -> usize {
        if let Mover::Ensemble(walkers) = self.mover { walkers } else { 1 }
    }

    /// Where the chain of `task` starts, if the user says so.
    pub fn init(&self, task: u64) -> Option<&[f64]> {
        let points = self.init.as_ref()?;
        Some(&points[task as usize % points.len()])
    }

    /// Steps of a chain.
    pub fn steps(&self) -> u64 {
        self.warmup + self.draws * self.thin
    }
}

impl SampleOptions {
    /// Checks everything against the model.
    pub(super) fn plan(&self, model: &dyn Model) -> Result<Plan> {
        within("chains", self.chains, 1, CHAINS_MAX)?;
        within("warmup", self.warmup, 0, 1 << 40)?;
        within("draws", self.draws, 4, 1 << 40)?;
        within("thin", self.thin, 1, 1 << 20)?;
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::invalid("level", self.level, "between 0 and 1, such as 0.95"));
        }
        let plan = Plan {
            mover: self.mover(model)?,
            chains: self.chains,
            warmup: self.warmup,
            draws: self.draws,
            thin: self.thin,
            init: self.init.as_ref().map(|init| init.placed(self.chains, model)).transpose()?,
        };
        let columns = (model.names().len() + super::kernel::beside(&plan.mover).len()) as u64;
        let bytes = [plan.walkers() as u64, self.draws, columns, 8];
        let bytes = bytes.into_iter().fold(self.chains, u64::saturating_mul);
        if bytes > DRAWS_BYTES_MAX {
            let expected = format!("few enough for {} GiB of memory", DRAWS_BYTES_MAX >> 30);
            return Err(Error::invalid("draws", self.draws, &expected).hint(
                "`thin` keeps each k-th draw, which loses little where draws are correlated",
            ));
        }
        Ok(plan)
    }

    fn mover(&self, model: &dyn Model) -> Result<Mover> {
        self.refuse_what_is_not_used()?;
        let d = model.dimensions();
        let rate = self.target_acceptance;
        if let Some(rate) = rate
            && !(rate > 0.0 && rate < 1.0)
        {
            return Err(Error::invalid("target_acceptance", rate, "between 0 and 1, such as 0.9"));
        }
        Ok(match self.sampler {
            Sampler::Nuts => {
                if !model.has_gradient() {
                    let expected = "one that needs no gradient: this model has none";
                    return Err(Error::invalid("sampler", "nuts", expected)
                        .hint("use metropolis, ensemble or tempering, or give a gradient"));
                }
                let depth_max = self.depth_max.unwrap_or(10);
                within("depth_max", depth_max.into(), 1, 20)?;
                let target = rate.unwrap_or(0.8);
                Mover::Nuts(Tuning { warm_up: self.warmup, target, depth_max })
            }
            Sampler::Metropolis => Mover::Metropolis(rate.unwrap_or(best_rate(d))),
            Sampler::Ensemble => {
                let walkers = self.walkers.unwrap_or(usual_walkers(d) as u64);
                let least = (2 * d).max(4) as u64;
                within("walkers", walkers, least, 100_000)?;
                if walkers % 2 == 1 {
                    return Err(Error::invalid("walkers", walkers, "an even number"));
                }
                Mover::Ensemble(walkers as usize)
            }
            Sampler::Tempering => {
                let (rungs, hottest) = (self.rungs.unwrap_or(8), self.hottest.unwrap_or(100.0));
                within("rungs", rungs, 2, 64)?;
                if !(hottest > 1.0 && hottest <= 1e6) {
                    return Err(Error::invalid("hottest", hottest, "above 1, at most 10^6"));
                }
                let rate = rate.unwrap_or(best_rate(d));
                Mover::Tempering(Ladder { rungs: rungs as usize, hottest, rate })
            }
        })
    }

    /// Refuses options of another sampler than the one that runs.
    fn refuse_what_is_not_used(&self) -> Result<()> {
        let owned: [(&str, Option<String>, Sampler); 4] = [
            ("depth_max", self.depth_max.map(|v| v.to_string()), Sampler::Nuts),
            ("walkers", self.walkers.map(|v| v.to_string()), Sampler::Ensemble),
            ("rungs", self.rungs.map(|v| v.to_string()), Sampler::Tempering),
            ("hottest", self.hottest.map(|v| v.to_string()), Sampler::Tempering),
        ];
        for (key, value, owner) in owned {
            if let (Some(value), true) = (value, owner != self.sampler) {
                let expected = format!("left out: it belongs to the sampler `{}`", owner.name());
                return Err(Error::invalid(key, value, &expected));
            }
        }
        match (self.sampler, self.target_acceptance) {
            (Sampler::Ensemble, Some(rate)) => {
                Err(Error::invalid("target_acceptance", rate, "left out: an ensemble is not tuned"))
            }
            _ => Ok(()),
        }
    }
}

/// Checks a whole number.
fn within(key: &str, value: u64, least: u64, most: u64) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(key, value, &format!("from {least} to {most}")))
}

/// The unconstrained point of these parameters.
fn placed(init: &[f64], model: &dyn Model) -> Result<Vec<f64>> {
    let names = model.names();
    let parameters = model.parameters();
    if init.len() != parameters {
        let expected =
            format!("{parameters} numbers, one for each of {}", names[..parameters].join(", "));
        return Err(Error::invalid("init", format!("{} numbers", init.len()), &expected));
    }
    let mut x = vec![0.0; model.dimensions()];
    model.place(init, &mut x)?;
    Ok(x)
}
