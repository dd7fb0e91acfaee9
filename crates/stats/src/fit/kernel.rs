//! Groups into tasks and shards: each task fits one group and leaves its record.

use super::covariance::{ridge_meat, sandwich, standard_errors};
use super::glm::generalised;
use super::inference::Reference;
use super::least_squares::least_squares;
use super::partial::{Fits, TERM, code};
use super::quantile::quantile;
use super::room::{Model, Room};
use super::sample::{Data, Failure};
use super::{Family, FitOptions, StandardErrors};
use windfall_core::{Cancel, Kernel, Result, Shard, Shards, Streams};

/// Work of a shard, in products of two numbers: about half a millisecond.
const WORK_PER_SHARD: u64 = 1 << 20;
/// The most groups of a shard.
const GROUPS_PER_SHARD_MAX: u64 = 512;

/// The job of fitting each group once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fitting<'a> {
    pub data: &'a Data,
    pub options: &'a FitOptions,
}

impl Kernel for Fitting<'_> {
    type Partial = Fits;

    fn shards(&self) -> Shards {
        let groups = self.data.groups() as u64;
        let rows = (*self.data.edges.last().unwrap_or(&0) as u64).div_ceil(groups.max(1));
        let terms = self.data.terms() as u64;
        let passes = if self.options.family == Family::Gaussian { 1 } else { 16 };
        let work = 500 + rows.saturating_mul((terms + 2) * (terms + 2)).saturating_mul(passes);
        Shards::new(groups, (WORK_PER_SHARD / work).clamp(1, GROUPS_PER_SHARD_MAX))
    }

    fn run_shard(&self, shard: Shard, _: &Streams, cancel: &Cancel) -> Result<Fits> {
        let (mut fits, mut room) = (Fits::default(), Room::new());
        let mut reference = Reference::new(self.options.level);
        for group in shard.tasks() {
            if cancel.is_stopped() {
                break;
            }
            let status = self.fit(group as usize, &mut room);
            let terms = self.data.terms();
            if status.is_ok() {
                fits.push_model(group, &room.model, code(status));
                reference.fill(&room, &mut fits.terms);
            } else {
                let n =
                    (self.data.edges[group as usize + 1] - self.data.edges[group as usize]) as f64;
                fits.push_model(group, &Model { n, ..Model::NONE }, code(status));
                fits.terms.resize(fits.terms.len() + TERM * terms, f64::NAN);
            }
        }
        reference.finish(&mut fits);
        Ok(fits)
    }
}

impl Fitting<'_> {
    /// Fits one group in `room`: as it stands first, and with care if a sum is not finite.
    fn fit(&self, group: usize, room: &mut Room) -> Result<(), Failure> {
        let ones = self.options.family != Family::Gaussian && self.data.intercept;
        let mut is_clean = self.data.weights.is_some() || self.data.offset.is_some();
        room.sample.load(self.data, group, ones);
        if is_clean {
            room.sample.clean(self.options.missing)?;
        }
        loop {
            match self.attempt(room) {
                Err(Failure::NotFinite) if !is_clean => {
                    is_clean = true;
                    room.sample.load(self.data, group, ones);
                    room.sample.clean(self.options.missing)?;
                }
                done => return done,
            }
        }
    }

    fn attempt(&self, room: &mut Room) -> Result<(), Failure> {
        let FitOptions { family, ridge, max_iterations, quantile: tau, lags, .. } = *self.options;
        let (errors, intercept) = (self.options.errors(), self.data.intercept);
        match family {
            Family::Quantile => return quantile(room, intercept, tau, errors),
            Family::Gaussian => {
                least_squares(room, intercept, ridge)?;
                room.leverage_weights.clear();
                if errors == StandardErrors::Classical && ridge > 0.0 {
                    ridge_meat(room, intercept, ridge);
                    sandwich(room, 1.0);
                    return Ok(());
                }
                if errors != StandardErrors::Classical {
                    score_of_rows(room, intercept);
                }
                let scale = room.model.sigma * room.model.sigma;
                standard_errors(room, (errors, lags), scale);
            }
            Family::Logistic | Family::Poisson => {
                generalised(room, family, intercept, max_iterations)?;
                if errors != StandardErrors::Classical {
                    room.scores.product(&room.sample.x, &room.inner);
                }
                standard_errors(room, (errors, lags), 1.0);
            }
        }
        Ok(())
    }
}

/// The rows of the design of a least-squares fit in its basis, the intercept's column first.
fn score_of_rows(room: &mut Room, intercept: bool) {
    let Room { sample, inner, basis, scores, columns, .. } = room;
    if !intercept {
        scores.product(&sample.x, inner);
        return;
    }
    columns.product(&sample.x, inner);
    scores.reset(inner.size() + 1, sample.x.rows());
    let share = basis.at(0, 0);
    scores.column_mut(0).fill(share);
    let pairs = scores.column_mut(0).iter_mut().zip(&sample.weights);
    pairs.for_each(|(score, weight)| *score *= weight.sqrt());
    for at in 0..inner.size() {
        scores.padded_mut(at + 1).copy_from_slice(columns.padded(at));
    }
}
