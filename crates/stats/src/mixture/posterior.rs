//! From the draws of a Gibbs sampler to the answer: labels put in order, means, errors, mixing.

use super::answer::{named, order};
use super::data::Data;
use super::gibbs::Chain;
use super::model::Model;
use super::options::{MixtureOptions, Order};
use super::prior::Prior;
use crate::sample::diagnose::{Chains, Diagnosis};
use serde_json::{Map, Value, json};
use windfall_core::{
    Answer, Column, Draws, Interval, Labels, Numbers, Quantity, Result, Seed, Table,
};

/// R-hat above this says that chains do not agree (Vehtari et al. 2021).
const R_HAT_MAX: f64 = 1.01;

/// The draws of all chains.
pub(super) struct Posterior<'a> {
    pub options: &'a MixtureOptions,
    pub data: &'a Data,
    pub prior: &'a Prior,
    pub chains: Vec<Chain>,
    /// The number of the sweep that would come next.
    pub next: u64,
}

impl Posterior<'_> {
    /// The answer: each parameter's posterior mean and its Monte Carlo error, standard deviation
    /// and equal-tailed interval.
    pub fn answer(mut self, complete: bool, seed: Seed) -> Result<Answer> {
        let last: Vec<Value> =
            self.chains.iter().filter_map(|chain| chain.draws.last()).map(Model::to_json).collect();
        let switches = self.put_in_order();
        let names = named(&self.chains[0].draws[0], &self.data.names);
        let names: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
        let series: Vec<Vec<Vec<f64>>> =
            self.chains.iter().map(|chain| self.series(chain)).collect();
        let (mut quantities, mut told) = (Vec::new(), Vec::new());
        for (place, name) in names.iter().enumerate() {
            let columns: Vec<&[f64]> = series.iter().map(|chain| chain[place].as_slice()).collect();
            let chains = Chains::new(&columns);
            let diagnosis = chains.diagnosis();
            quantities.push(self.quantity(name, &chains, &diagnosis));
            told.push(diagnosis);
        }
        let count = self.chains.iter().map(|chain| chain.draws.len() as u64).sum();
        let mut answer = Answer::new("mixture", "gibbs", Draws { name: "draws", count }, seed);
        answer.notes = self.notes(&names, &told, switches, complete);
        answer.extra = self.extra(&quantities, &told, last, switches);
        answer.table = Some(table(&names, &told)?);
        answer.quantities = quantities;
        answer.complete = complete;
        answer.data = Some(self.data.note.clone());
        if self.options.distribution {
            answer.index = Some(self.index()?);
            answer.distribution = (0..names.len())
                .map(|place| series.iter().flat_map(|chain| chain[place].clone()).collect())
                .collect();
        }
        Ok(answer)
    }

    /// Puts the components of each draw in order; how often the order changed within a chain.
    fn put_in_order(&mut self) -> u64 {
        let mut switches = 0;
        for chain in &mut self.chains {
            let mut before: Option<Vec<usize>> = None;
            for draw in &mut chain.draws {
                let places = order(draw, self.options.order);
                switches += u64::from(before.is_some_and(|before| before != places));
                *draw = draw.reordered(&places);
                before = Some(places);
            }
        }
        switches
    }

    /// One list a quantity.
    fn series(&self, chain: &Chain) -> Vec<Vec<f64>> {
        let mut series: Vec<Vec<f64>> = Vec::new();
        for draw in &chain.draws {
            let values = named(draw, &self.data.names).into_iter().map(|(_, value)| value);
            for (place, value) in values.enumerate() {
                if place == series.len() {
                    series.push(Vec::with_capacity(chain.draws.len()));
                }
                series[place].push(value);
            }
        }
        series
    }

    fn quantity(&self, name: &str, chains: &Chains<'_>, diagnosis: &Diagnosis) -> Quantity {
        let level = self.options.level;
        let tail = 0.5 * (1.0 - level);
        let interval = Interval {
            low: chains.quantile(tail),
            high: chains.quantile(1.0 - tail),
            level,
            method: "equal-tailed".into(),
            low_mcse: chains.mcse_quantile(tail),
            high_mcse: chains.mcse_quantile(1.0 - tail),
        };
        Quantity {
            standard_error: Some(diagnosis.sd),
            interval: Some(interval),
            ..Quantity::new(name, diagnosis.mean, diagnosis.mcse_mean)
        }
    }

    fn extra(
        &self,
        quantities: &[Quantity],
        told: &[Diagnosis],
        last: Vec<Value>,
        switches: u64,
    ) -> Map<String, Value> {
        let like = &self.chains[0].draws[0];
        let heights: Vec<&[f64]> =
            self.chains.iter().map(|chain| chain.heights.as_slice()).collect();
        let errors: Vec<f64> = told.iter().map(|one| one.mcse_sd).collect();
        let fields = [
            ("standard_error_mcse", json!(errors)),
            ("components", json!(like.components())),
            ("covariance", json!(self.options.covariance)),
            ("columns", json!(self.data.names)),
            ("log_likelihood", json!(Chains::new(&heights).mean())),
            ("chains", json!(self.chains.len())),
            ("draws_per_chain", json!(self.chains[0].draws.len())),
            ("warmup", json!(self.options.warmup)),
            ("label_switches", json!(switches)),
            ("prior", self.prior.to_json()),
            ("model", mean_model(like, quantities).to_json()),
            ("last", Value::Array(last)),
            ("sweep", json!(self.next)),
        ];
        fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn notes(
        &self,
        names: &[String],
        told: &[Diagnosis],
        switches: u64,
        complete: bool,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        if !complete {
            let (chains, draws) = (self.chains.len(), self.chains[0].draws.len());
            notes.push(format!("interrupted: {chains} chains with {draws} draws each are kept"));
        }
        let k = self.chains[0].draws[0].components();
        match self.options.order {
            _ if k == 1 => {}
            Order::None => notes.push(
                "components carry the labels of their chain, which may switch: means over draws \
                 mix components; `order = \"mean\"` tells them apart"
                    .into(),
            ),
            order => {
                let by = match order {
                    Order::Weight => "by falling weight".to_owned(),
                    _ => format!("by rising mean of `{}`", self.data.names[0]),
                };
                notes.push(format!(
                    "the likelihood does not know labels: in each draw components are in order \
                     {by}, which changed {switches} times"
                ));
            }
        }
        let worst = told.iter().zip(names).filter(|(one, _)| one.r_hat.is_finite());
        let worst = worst.max_by(|a, b| a.0.r_hat.total_cmp(&b.0.r_hat));
        if let Some((one, name)) = worst.filter(|(one, _)| one.r_hat > R_HAT_MAX) {
            notes.push(format!(
                "the chains do not agree: R-hat of `{name}` is {:.3}, above {R_HAT_MAX}; run them \
                 longer or look for several modes",
                one.r_hat
            ));
        }
        let least = told.iter().zip(names).filter(|(one, _)| one.ess_bulk.is_finite());
        let least = least.min_by(|a, b| a.0.ess_bulk.total_cmp(&b.0.ess_bulk));
        let wanted = 100.0 * self.chains.len() as f64;
        if let Some((one, name)) = least.filter(|(one, _)| one.ess_bulk < wanted) {
            notes.push(format!(
                "few effective draws: the bulk of `{name}` has {:.0}, below {wanted:.0} (100 a \
                 chain); R-hat and errors are uncertain themselves",
                one.ess_bulk
            ));
        }
        notes
    }

    /// The chain, the number and the log-likelihood of each draw.
    fn index(&self) -> Result<Table> {
        let column = |value: &dyn Fn(usize, usize) -> f64| {
            let chains = self.chains.iter().enumerate();
            let values = chains.flat_map(|(chain, drawn)| {
                (0..drawn.draws.len()).map(move |draw| value(chain, draw))
            });
            Column::Numbers(Numbers::from(values.collect::<Vec<f64>>()))
        };
        Table::new(vec![
            ("chain".into(), column(&|chain, _| chain as f64)),
            ("draw".into(), column(&|_, draw| draw as f64)),
            ("log_likelihood".into(), column(&|chain, draw| self.chains[chain].heights[draw])),
        ])
    }
}

/// The mixture of the posterior means, of the form of `like`.
fn mean_model(like: &Model, quantities: &[Quantity]) -> Model {
    let mut means = quantities.iter().map(|quantity| quantity.estimate);
    like.with_values(&mut means)
}

/// One row a quantity: its median, and whether its chains can be believed.
fn table(names: &[String], told: &[Diagnosis]) -> Result<Table> {
    let column = |value: fn(&Diagnosis) -> f64| {
        Column::Numbers(Numbers::from(told.iter().map(value).collect::<Vec<f64>>()))
    };
    Table::new(vec![
        ("quantity".into(), Column::Labels(Labels::new(names.iter().map(String::as_str)))),
        ("median".into(), column(|one| one.median)),
        ("mcse_median".into(), column(|one| one.mcse_median)),
        ("r_hat".into(), column(|one| one.r_hat)),
        ("ess_bulk".into(), column(|one| one.ess_bulk)),
        ("ess_tail".into(), column(|one| one.ess_tail)),
    ])
}
