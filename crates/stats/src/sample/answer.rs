//! From chains to the answer: summaries with their errors, and warnings where chains disagree.

use super::chains::{Chain, Chains};
use super::diagnose::{self, Diagnosis, e_bfmi};
use super::kernel::beside;
use super::options::{Mover, Plan, SampleOptions};
use serde_json::{Map, Value};
use windfall_core::{
    Answer, Column, Draws, Error, ErrorKind, Interval, Labels, Quantity, Result, Seed, Table,
};

/// Above this the chains do not agree yet.
const R_HAT_MAX: f64 = 1.01;
/// Below this the chains explore the tails of the energy too slowly.
const E_BFMI_MIN: f64 = 0.3;
/// Effective draws that a chain needs for its diagnostics to be trusted.
const ESS_PER_CHAIN_MIN: f64 = 100.0;

/// One number of a diagnosis.
type Reading = fn(&Diagnosis) -> f64;

/// What the chains drew, cut to one length.
pub(super) struct Findings<'a> {
    pub options: &'a SampleOptions,
    pub plan: &'a Plan,
    pub names: &'a [String],
    chains: Vec<Chain>,
    draws: usize,
}

/// One quantity, finished.
struct Finished {
    diagnosis: Diagnosis,
    /// Both ends of the interval, each with its error.
    ends: [(f64, f64); 2],
}

impl<'a> Findings<'a> {
    /// Takes the chains and the draws that all of them have. Of stopped chains of many lengths
    /// these are the `k` longest, cut to the shortest of them, with the largest `k²` times that
    /// length: R-hat wants chains, and a second one is worth cutting the first to a quarter.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] if no chain has drawn anything yet.
    pub fn new(
        options: &'a SampleOptions,
        plan: &'a Plan,
        names: &'a [String],
        chains: Chains,
    ) -> Result<Self> {
        let mut lengths: Vec<usize> = chains.0.iter().map(Chain::draws).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        let worth = |(place, draws): (usize, &usize)| (place as u128 + 1).pow(2) * *draws as u128;
        let best = lengths.iter().enumerate().map(worth).enumerate().max_by_key(|one| one.1);
        let draws = best.map_or(0, |(place, _)| lengths[place]);
        if draws == 0 {
            return Err(Error::new(ErrorKind::Interrupted));
        }
        let chains = chains.0.into_iter().filter(|chain| chain.draws() >= draws).collect();
        Ok(Self { options, plan, names, chains, draws })
    }

    /// The series of one column: that of each walker of each chain.
    fn series(&self, column: usize) -> Vec<&[f64]> {
        let width = beside(&self.plan.mover).len() + self.names.len();
        let chains = self.chains.iter();
        let columns = chains.flat_map(|chain| chain.columns.iter().skip(column).step_by(width));
        columns.map(|column| &column[..self.draws]).collect()
    }

    /// The series of what the sampler puts beside each draw; none if it puts no such thing.
    fn series_of(&self, name: &str) -> Option<Vec<&[f64]>> {
        let place = beside(&self.plan.mover).iter().position(|beside| *beside == name)?;
        Some(self.series(place))
    }

    fn finish(&self, place: usize) -> Finished {
        let series = self.series(beside(&self.plan.mover).len() + place);
        let chains = diagnose::Chains::of_ensembles(&series, self.plan.walkers());
        let tail = 0.5 * (1.0 - self.options.level);
        let ends =
            [tail, 1.0 - tail].map(|level| (chains.quantile(level), chains.mcse_quantile(level)));
        Finished { diagnosis: chains.diagnosis(), ends }
    }

    /// The answer, without a note on the data.
    pub fn answer(&self, complete: bool, seed: Seed) -> Result<Answer> {
        let finished: Vec<Finished> = (0..self.names.len()).map(|at| self.finish(at)).collect();
        let series = (self.chains.len() * self.plan.walkers()) as u64;
        let draws = Draws { name: "draws", count: series * self.draws as u64 };
        let quantity = |(name, one): (&String, &Finished)| self.quantity(name, one);
        let mut answer = Answer::new("sample", self.options.sampler.name(), draws, seed);
        answer.quantities = self.names.iter().zip(&finished).map(quantity).collect();
        answer.complete = complete;
        answer.extra = self.extra(&finished);
        answer.notes = self.notes(&finished, complete);
        answer.table = Some(self.table(&finished)?);
        if self.options.distribution {
            let first = beside(&self.plan.mover).len();
            let all = |place: usize| self.series(first + place).concat();
            answer.distribution = (0..self.names.len()).map(all).collect();
            answer.index = Some(self.index()?);
        }
        Ok(answer)
    }

    fn quantity(&self, name: &str, one: &Finished) -> Quantity {
        let Finished { diagnosis, ends: [(low, low_mcse), (high, high_mcse)] } = *one;
        let (level, method) = (self.options.level, "equal-tailed".into());
        Quantity {
            standard_error: Some(diagnosis.sd),
            interval: Some(Interval { low, high, level, method, low_mcse, high_mcse }),
            ..Quantity::new(name, diagnosis.mean, diagnosis.mcse_mean)
        }
    }

    /// One row a quantity: its median, and whether its chains can be believed.
    fn table(&self, finished: &[Finished]) -> Result<Table> {
        let columns: [(&str, Reading); 5] = [
            ("median", |one| one.median),
            ("mcse_median", |one| one.mcse_median),
            ("r_hat", |one| one.r_hat),
            ("ess_bulk", |one| one.ess_bulk),
            ("ess_tail", |one| one.ess_tail),
        ];
        let names = Labels::new(self.names.iter().map(String::as_str));
        let mut table = vec![("quantity".to_owned(), Column::Labels(names))];
        for (name, value) in columns {
            let values: Vec<f64> = finished.iter().map(|one| value(&one.diagnosis)).collect();
            table.push((name.to_owned(), Column::Numbers(values.into())));
        }
        Table::new(table)
    }

    /// The chain and the number of each draw, and what the sampler says of it.
    fn index(&self) -> Result<Table> {
        let (walkers, draws) = (self.plan.walkers(), self.draws);
        let rows = self.chains.len() * walkers * draws;
        let column = |value: &dyn Fn(usize) -> u64| {
            let values: Vec<f64> = (0..rows).map(|row| value(row) as f64).collect();
            Column::Numbers(values.into())
        };
        let chain = |row: usize| self.chains[row / (walkers * draws)].task;
        let mut index = vec![("chain".to_owned(), column(&chain))];
        if walkers > 1 {
            index.push(("walker".into(), column(&|row| (row / draws % walkers) as u64)));
        }
        index.push(("draw".into(), column(&|row| (row % draws) as u64)));
        for (place, name) in beside(&self.plan.mover).iter().enumerate() {
            index.push(((*name).into(), Column::Numbers(self.series(place).concat().into())));
        }
        Table::new(index)
    }

    /// What is told beside the quantities.
    fn extra(&self, finished: &[Finished]) -> Map<String, Value> {
        let mut extra = Map::new();
        let mut put = |name: &str, value: Value| extra.insert(name.into(), value);
        let errors: Vec<Value> = finished.iter().map(|one| one.diagnosis.mcse_sd.into()).collect();
        put(
            "standard_error_mcse",
            if errors.len() == 1 { errors[0].clone() } else { errors.into() },
        );
        put("chains", self.chains.len().into());
        put("draws_per_chain", self.draws.into());
        put("warmup", self.plan.warmup.into());
        put("thin", self.plan.thin.into());
        if let Mover::Ensemble(walkers) = self.plan.mover {
            put("walkers", walkers.into());
        }
        put("evaluations", self.chains.iter().map(|chain| chain.evaluations).sum::<u64>().into());
        let means = |series: Vec<&[f64]>| -> Value {
            let mean = |series: &[f64]| windfall_lanes::sum(series) / series.len() as f64;
            let means: Vec<f64> = series.into_iter().map(mean).collect();
            let by_chain = means.chunks(self.plan.walkers());
            by_chain.map(|walkers| walkers.iter().sum::<f64>() / walkers.len() as f64).collect()
        };
        for (column, told) in
            [("acceptance", "acceptance"), ("accepted", "acceptance"), ("swapped", "swapped")]
        {
            if let Some(series) = self.series_of(column) {
                put(told, means(series));
            }
        }
        let tuned = match self.plan.mover {
            Mover::Nuts(_) => "step_size",
            Mover::Metropolis(_) => "proposal_scale",
            Mover::Tempering(_) => "temperatures",
            Mover::Ensemble(_) => return self.with_energy(extra),
        };
        let values = self.chains.iter().map(|chain| match chain.tuned.as_slice() {
            [one] => Value::from(*one),
            several => several.to_vec().into(),
        });
        put(tuned, values.collect());
        self.with_energy(extra)
    }

    /// Adds what only a Hamiltonian sampler has.
    fn with_energy(&self, mut extra: Map<String, Value>) -> Map<String, Value> {
        if let Some(energy) = self.series_of("energy") {
            extra.insert("divergences".into(), self.divergences().into());
            let warm: u64 = self.chains.iter().map(|chain| chain.warm_divergences).sum();
            extra.insert("warmup_divergences".into(), warm.into());
            extra.insert("e_bfmi".into(), energy.into_iter().map(e_bfmi).collect());
        }
        extra
    }

    fn divergences(&self) -> u64 {
        let count = |series: &[f64]| series.iter().filter(|divergent| **divergent > 0.0).count();
        let series = self.series_of("divergent").unwrap_or_default();
        series.into_iter().map(count).sum::<usize>() as u64
    }

    /// What the user should know before believing the answer.
    fn notes(&self, finished: &[Finished], complete: bool) -> Vec<String> {
        let mut notes = Vec::new();
        if !complete {
            let (chains, draws) = (self.chains.len(), self.draws);
            notes.push(format!("interrupted: {chains} chains with {draws} draws each are kept"));
        }
        let worst = |value: Reading, most: bool| {
            let told =
                finished.iter().zip(self.names).map(|(one, name)| (value(&one.diagnosis), name));
            let told = told.filter(|(value, _)| value.is_finite());
            let by = |a: &(f64, &String), b: &(f64, &String)| a.0.total_cmp(&b.0);
            if most { told.max_by(by) } else { told.min_by(by) }
        };
        if let Some((r_hat, name)) = worst(|one| one.r_hat, true)
            && r_hat > R_HAT_MAX
        {
            notes.push(format!(
                "the chains do not agree: R-hat of `{name}` is {r_hat:.3}, above {R_HAT_MAX}; \
                 run them longer or look for several modes"
            ));
        }
        let wanted = ESS_PER_CHAIN_MIN * self.chains.len() as f64;
        for (what, value) in
            [("bulk", (|one| one.ess_bulk) as Reading), ("tail", |one| one.ess_tail)]
        {
            if let Some((ess, name)) = worst(value, false)
                && ess < wanted
            {
                notes.push(format!(
                    "few effective draws: the {what} of `{name}` has {ess:.0}, below {wanted:.0} \
                     (100 a chain); R-hat and errors are uncertain themselves"
                ));
            }
        }
        self.trajectory_notes(&mut notes);
        notes
    }

    /// Warnings that only trajectories give.
    fn trajectory_notes(&self, notes: &mut Vec<String>) {
        let Mover::Nuts(tuning) = self.plan.mover else { return };
        let divergences = self.divergences();
        if divergences > 0 {
            let all = self.chains.len() * self.draws;
            notes.push(format!(
                "{divergences} of {all} draws diverged: the chains avoid a part of the law; raise \
                 the target acceptance (0.95, 0.99) or write the model in another form"
            ));
        }
        let energy = self.series_of("energy").unwrap_or_default();
        let low = energy.into_iter().map(e_bfmi).enumerate().find(|(_, bfmi)| *bfmi < E_BFMI_MIN);
        if let Some((chain, bfmi)) = low {
            notes.push(format!(
                "E-BFMI of chain {} is {bfmi:.2}, below {E_BFMI_MIN}: the tails are explored \
                 slowly; write the model in another form",
                self.chains[chain].task
            ));
        }
        let depths = self.series_of("depth").unwrap_or_default();
        let most = f64::from(tuning.depth_max);
        let cut = depths.into_iter().flatten().filter(|depth| **depth >= most).count();
        if cut > 0 {
            notes.push(format!(
                "{cut} trajectories were cut at `depth_max` {}: slow, not wrong",
                tuning.depth_max
            ));
        }
    }
}
