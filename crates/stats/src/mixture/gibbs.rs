//! The Gibbs sampler: rows are allocated to components in parallel, then parameters are drawn.
//!
//! Sweep `t` of a chain allocates the rows of block `b` by the stream of task `t · blocks + b`
//! under the chain's own name, and draws its parameters by the stream of task `t` under another:
//! no draw depends on how many chains there are or who runs them. Sources: Diebolt & Robert
//! (1994); Frühwirth-Schnatter (2006), *Finite Mixture and Markov Switching Models*, chapter 3.

use super::Mixture;
use super::model::{Densities, Model};
use super::pass::{Room, Sharing, SumUp};
use super::posterior::Posterior;
use super::prior::Prior;
use super::round::{Rounds, Totals, cut, rows_of};
use windfall_core::{
    Answer, Cancel, Control, Error, ErrorKind, Executor, Job, Kernel, Partial, Result, Shard,
    Shards, Streams,
};
use windfall_lanes::dispatch;

/// The allocation step of one sweep of all chains; a task is a block of rows.
#[derive(Debug)]
pub(super) struct Allocate<'a> {
    pub columns: &'a [&'a [f64]],
    /// One a chain.
    pub densities: Vec<Densities>,
    /// The number of the sweep.
    pub sweep: u64,
}

impl Kernel for Allocate<'_> {
    type Partial = Totals;

    fn shards(&self) -> Shards {
        cut(self.columns[0].len())
    }

    fn run_shard(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Result<Totals> {
        let (mut room, mut uniforms) = (Room::default(), Vec::new());
        let mut totals = vec![0.0; self.densities.iter().map(Densities::sums).sum()];
        for task in shard.tasks() {
            let rows = rows_of(task, self.columns[0].len());
            uniforms.resize(rows.len(), 0.0);
            let mut rest = totals.as_mut_slice();
            for (chain, densities) in self.densities.iter().enumerate() {
                if cancel.is_stopped() {
                    return Ok(Totals::empty());
                }
                let name = format!("mixture, chain {chain}: allocations");
                let place = self.sweep * self.shards().tasks() + task;
                let mut stream = Streams::new(streams.seed(), &name).task(place);
                stream.fill_open_uniform(&mut uniforms);
                let (out, later) = rest.split_at_mut(densities.sums());
                dispatch(SumUp {
                    columns: self.columns,
                    rows: rows.clone(),
                    densities,
                    sharing: Sharing::Drawn(&uniforms),
                    room: &mut room,
                    out,
                });
                rest = later;
            }
        }
        Ok(Totals(totals))
    }
}

/// What one chain has drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    /// The mixtures, in the order of their draws.
    pub draws: Vec<Model>,
    /// The log-likelihood of each.
    pub heights: Vec<f64>,
}

impl Mixture {
    /// Draws from the posterior by all chains side by side, a sweep at a time.
    pub(super) fn explore(&self, on: &dyn Executor, control: &Control<'_>) -> Result<Answer> {
        let options = &self.options;
        let starts = self.starts(on, control)?;
        let mut states: Vec<Model> = starts.into_iter().map(|(_, model)| model).collect();
        let columns = self.data.slices();
        let k = states[0].components();
        let prior = Prior::new(&options.prior, options.covariance, &self.data, k)?;
        // The likelihood of a draw is told by the sweep after it.
        let rounds = Rounds::new(options.warmup + options.draws + 1);
        let mut chains = vec![Chain::default(); states.len()];
        let mut complete = true;
        for round in 0..rounds.most {
            let sweep = options.sweep + round;
            let models: Vec<&Model> = states.iter().collect();
            let kernel = self.allocate(&columns, &models, sweep)?;
            let spec = self.round_spec(&models).map(|mut spec| {
                spec.options.insert("sweep".into(), sweep.into());
                spec
            });
            let job = Job { kernel: &kernel, streams: self.streams(), spec: spec.as_ref() };
            let Some(Totals(totals)) = rounds.run(round, &job, on, control)? else {
                complete = false;
                break;
            };
            let mut rest = totals.as_slice();
            for (place, state) in states.iter_mut().enumerate() {
                let (totals, later) = rest.split_at(kernel.densities[place].sums());
                rest = later;
                if round > options.warmup {
                    chains[place].draws.push(state.clone());
                    chains[place].heights.extend(totals.last());
                }
                if round + 1 < rounds.most {
                    let name = format!("mixture, chain {place}: parameters");
                    let mut stream = Streams::new(self.seed, &name).task(sweep);
                    *state = prior.draw(state, totals, &mut stream)?;
                }
            }
        }
        if chains[0].draws.len() < 4 {
            return Err(Error::new(ErrorKind::Interrupted));
        }
        let next = options.sweep + options.warmup + chains[0].draws.len() as u64;
        let posterior = Posterior { options, data: &self.data, prior: &prior, chains, next };
        posterior.answer(complete, self.seed)
    }
}
