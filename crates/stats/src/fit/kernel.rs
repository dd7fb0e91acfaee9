//! Groups into tasks and shards: each task fits one group and leaves its record.

use super::covariance::{ridge_meat, sandwich, standard_errors};
use super::eight::{Work, solve};
use super::glm::generalised;
use super::inference::Reference;
use super::least_squares::{begin, finish};
use super::partial::{Fits, Records, TERM, code};
use super::quantile::quantile;
use super::room::{Model, Room};
use super::sample::{Data, Failure};
use super::{Family, FitOptions, StandardErrors};
use windfall_core::{Cancel, Kernel, Result, Shard, Shards, Streams};
use windfall_lanes::LANES;

/// Work of a shard, in products of two numbers: about half a millisecond.
const WORK_PER_SHARD: u64 = 1 << 21;
/// The most groups of a shard.
const GROUPS_PER_SHARD_MAX: u64 = 512;

/// The most numbers of a group, on average, of which eight are held at once: 64 KB each.
const NUMBERS_ABREAST_MAX: usize = 1 << 13;

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
        let count = (shard.end - shard.first) as usize;
        let mut records = Records::with_room(count, self.data.terms());
        let mut rooms: Vec<Room> = (0..self.abreast()).map(|_| Room::new()).collect();
        let mut work = Work::default();
        let mut reference = Reference::new(self.options.level);
        let mut first = shard.first;
        while first < shard.end && !cancel.is_stopped() {
            let count = rooms.len().min((shard.end - first) as usize);
            self.fit(first, &mut rooms[..count], &mut work);
            for (group, room) in (first..).zip(&rooms[..count]) {
                let terms = self.data.terms();
                if room.status.is_ok() {
                    records.push_model(group, &room.model, code(room.status));
                    reference.fill(room, &mut records.terms);
                } else {
                    let n = self.data.rows(group).len() as f64;
                    records.push_model(group, &Model { n, ..Model::NONE }, code(room.status));
                    records.terms.resize(records.terms.len() + TERM * terms, f64::NAN);
                }
            }
            first += count as u64;
        }
        reference.finish(&mut records);
        Ok(records.into())
    }
}

impl Fitting<'_> {
    /// How many groups are fitted side by side: as many as there are lanes, where it pays and
    /// their rows stay in cache.
    fn abreast(&self) -> usize {
        let (groups, rows) = (self.data.groups().max(1), self.data.edges.last().unwrap_or(&0));
        let numbers = rows / groups * (self.data.terms() + 1);
        match self.options.family == Family::Gaussian && numbers <= NUMBERS_ABREAST_MAX {
            true => LANES,
            false => 1,
        }
    }

    /// Fits the groups from `first` on, one in each room.
    fn fit(&self, first: u64, rooms: &mut [Room], work: &mut Work) {
        let FitOptions { family, ridge, .. } = *self.options;
        if family != Family::Gaussian {
            for (group, room) in (first..).zip(rooms) {
                room.status = self.with_care(group, room, |room| self.alone(room));
            }
            return;
        }
        let intercept = self.data.intercept;
        for (group, room) in (first..).zip(&mut *rooms) {
            room.status = self.with_care(group, room, |room| begin(room, intercept, ridge));
        }
        for eight in rooms.chunks_mut(LANES) {
            solve(eight, work, ridge);
        }
        for room in rooms {
            room.status = room.status.and_then(|()| self.finish(room));
        }
    }

    /// Loads one group and tries: with its rows as they stand first, and cleaned if a sum is not
    /// finite.
    fn with_care(
        &self,
        group: u64,
        room: &mut Room,
        attempt: impl Fn(&mut Room) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let group = group as usize;
        let ones = self.options.family != Family::Gaussian && self.data.intercept;
        let mut is_clean = self.data.weights.is_some() || self.data.offset.is_some();
        room.sample.load(self.data, group, ones);
        if is_clean {
            room.sample.clean(self.options.missing)?;
        }
        loop {
            match attempt(room) {
                Err(Failure::NotFinite) if !is_clean => {
                    is_clean = true;
                    room.sample.load(self.data, group, ones);
                    room.sample.clean(self.options.missing)?;
                }
                done => return done,
            }
        }
    }

    /// The fit of another family than least squares.
    fn alone(&self, room: &mut Room) -> Result<(), Failure> {
        let FitOptions { family, max_iterations, quantile: tau, lags, .. } = *self.options;
        let (errors, intercept) = (self.options.errors(), self.data.intercept);
        if family == Family::Quantile {
            return quantile(room, intercept, tau, errors);
        }
        generalised(room, family, intercept, max_iterations)?;
        if errors != StandardErrors::Classical {
            room.scores.product(&room.sample.x, &room.inner);
        }
        standard_errors(room, (errors, lags), 1.0)
    }

    /// What is left of a least-squares fit when its normal equations are solved.
    fn finish(&self, room: &mut Room) -> Result<(), Failure> {
        let FitOptions { ridge, lags, .. } = *self.options;
        let (errors, intercept) = (self.options.errors(), self.data.intercept);
        finish(room, intercept, ridge)?;
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
        standard_errors(room, (errors, lags), scale)
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
