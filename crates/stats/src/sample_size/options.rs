//! What can be asked of a sample size, as job files and callers write it.

use super::search::Aim;
use crate::power::{Design, between, check_effort};
use serde::{Deserialize, Serialize};
use windfall_core::{Error, Result};

/// The options of a search for the sample size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SampleSizeOptions {
    /// The power to reach; 0.8 by default.
    pub power: f64,
    /// The most simulations there may be: by default 10^7 where the test sees sums or counts that
    /// are drawn in place of data, else 200,000.
    pub simulations: Option<u64>,
    /// Stop when the interval for n reaches no further than this from its middle; by default when
    /// it holds a single n.
    pub tolerance: Option<f64>,
    /// Confidence level of the intervals.
    pub level: f64,
    /// The smallest n to try; by default the least that the test allows, 2 for one's own.
    pub n_min: Option<u64>,
    /// The largest n to try; 100,000 by default.
    pub n_max: u64,
    /// The look whose shards this job has, for executors that leave the process; the first look by
    /// default.
    pub look: Option<LookJob>,
    /// The test and its data.
    #[serde(flatten)]
    pub design: Design,
}

impl Default for SampleSizeOptions {
    fn default() -> Self {
        Self {
            power: 0.8,
            simulations: None,
            tolerance: None,
            level: 0.95,
            n_min: None,
            n_max: 100_000,
            look: None,
            design: Design::default(),
        }
    }
}

/// One look of a search as a value: what its shards need to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookJob {
    /// Its place in the search, which names its streams; none for the check of the answer.
    pub number: Option<u64>,
    /// The sizes to look at, with the same draws.
    pub n: Vec<u64>,
    /// Simulations of each.
    pub simulations: u64,
}

/// Simulations at most, where summaries are drawn and where values are.
const SIMULATIONS: [u64; 2] = [10_000_000, 200_000];

impl SampleSizeOptions {
    /// What the search is after, from `n_min` on, after the checks of all but the design.
    pub(super) fn aim(&self, n_min: u64, by_summaries: bool) -> Result<Aim> {
        between("power", self.power, (0.0, 1.0))?;
        if let Some(tolerance) = self.tolerance {
            between("tolerance", tolerance, (0.0, f64::INFINITY))?;
        }
        if self.power <= self.design.alpha {
            let expected = format!("above alpha, {}, which every n reaches", self.design.alpha);
            return Err(Error::invalid("power", self.power, &expected));
        }
        let default = SIMULATIONS[usize::from(!by_summaries)];
        let simulations = self.simulations.unwrap_or(default);
        check_effort(simulations, self.level)?;
        if !(n_min..=crate::power::N_MAX).contains(&self.n_max) {
            let expected = format!("from {n_min} to 10^8");
            return Err(Error::invalid("n_max", self.n_max, &expected));
        }
        let (power, level, tolerance) = (self.power, self.level, self.tolerance.unwrap_or(0.0));
        Ok(Aim { power, level, tolerance, n: (n_min, self.n_max), simulations })
    }

    /// Where the search starts, for a test that allows `least`.
    pub(super) fn start(&self, least: u64) -> Result<u64> {
        match self.n_min {
            None => Ok(least),
            Some(n) if (least..=self.n_max).contains(&n) => Ok(n),
            Some(n) => {
                let expected = format!("from {least}, the least that the test allows, to `n_max`");
                Err(Error::invalid("n_min", n, &expected))
            }
        }
    }

    /// The effect, of which there can be one only.
    pub(super) fn effect(&self) -> Result<Option<f64>> {
        match self.design.effect.row("effect")?.as_slice() {
            [] => Ok(None),
            [effect] => Ok(Some(*effect)),
            several => {
                let error = Error::invalid("effect", several.len(), "one number");
                Err(error.hint("`power` draws the curve over several effects"))
            }
        }
    }
}
