//! Adaptive cubature: judge regions by two rules, cut the worst in two, and judge again.
//!
//! The old divide and conquer, as fork and join: each round cuts a fixed set of the worst regions
//! and judges their halves as tasks, so the partition and the answer are the same on any mapping.
//! Nothing is random: the error is the sum of what the two rules of each region differ by
//! (`rules.rs`), which for smooth integrands is far above the true error.

mod region;
mod rules;

use super::estimate::Estimate;
use super::joint::{Joint, place, triangle};
use super::plan::{Plan, Setting};
use super::search::{BySearch, Call, Search};
use region::{Judged, Region, judge};
use rules::Pair;
use std::ops::Range;
use windfall_core::wire::{Reader, put_f64s, put_u64};
use windfall_core::{Error, Result, Shards};
use windfall_lanes::sum;

/// Axes at most: a region then takes 33,247 points.
const DIMENSIONS_MAX: usize = 15;
/// A round cuts the worst regions that together hold this share of the error, and at least so many.
const ERROR_SHARE: f64 = 0.75;
const CUTS_MIN: usize = 16;
/// Points of a task of a cheap integrand and of another.
const TASK_POINTS: u64 = 8192;
const DEAR_TASK_POINTS: u64 = 512;
/// Tasks that a round is cut into, unless they would become less than a region.
const TASKS_MIN: usize = 64;
/// An error below this share of the integral of the absolute value is rounding.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// Cubature with at most so many evaluations of regions.
#[derive(Clone, Debug)]
pub(crate) struct Cubature {
    pair: Pair,
    dimensions: usize,
    regions_max: u64,
    /// Regions of a task at most.
    group_max: usize,
}

impl Cubature {
    /// The row's maker.
    ///
    /// # Errors
    /// Too many dimensions; too few points for one region.
    pub fn plan(setting: &Setting<'_>) -> Result<Box<dyn Plan>> {
        let size = setting.size;
        if size.dimensions > DIMENSIONS_MAX {
            let expected = format!("at most {DIMENSIONS_MAX} pairs for cubature");
            let given = format!("{} pairs", size.dimensions);
            return Err(Error::invalid("bounds", given, &expected)
                .hint("use method = \"sobol\" or \"vegas\""));
        }
        let points = Pair::points_in(size.dimensions);
        if size.n < points {
            let what = format!("points (`n`) for a rule in {} dimensions", size.dimensions);
            return Err(Error::too_few(&what, size.n, points));
        }
        let task_points = if size.cheap { TASK_POINTS } else { DEAR_TASK_POINTS };
        Ok(Box::new(BySearch::new(Self {
            pair: Pair::new(size.dimensions),
            dimensions: size.dimensions,
            regions_max: size.n / points,
            group_max: (task_points / points).max(1) as usize,
        })))
    }

    /// Regions of a task of the next round.
    fn group(&self, state: &State) -> usize {
        (state.pending.len() / TASKS_MIN).clamp(1, self.group_max)
    }
}

/// The partition between two rounds.
#[derive(Clone)]
pub(crate) struct State {
    /// The regions of the partition, judged; parents stay until their halves are.
    leaves: Vec<Leaf>,
    /// The halves of those that are cut, to be judged in the next round.
    pending: Vec<Region>,
    /// Regions judged, and tasks run, so far.
    judged: u64,
    tasks: u64,
}

/// A region with its integrals, their errors, and the axis to cut.
#[derive(Clone)]
struct Leaf {
    region: Region,
    values: Vec<f64>,
    errors: Vec<f64>,
    axis: usize,
    is_cut: bool,
}

impl State {
    /// The sums of integrals, of errors and of absolute integrals.
    fn totals(&self) -> [Vec<f64>; 3] {
        let outputs = self.leaves.first().map_or(0, |leaf| leaf.values.len());
        let total = |of: &dyn Fn(&Leaf, usize) -> f64| {
            let sum =
                |output| sum(&self.leaves.iter().map(|leaf| of(leaf, output)).collect::<Vec<_>>());
            (0..outputs).map(sum).collect()
        };
        [
            total(&|leaf, output| leaf.values[output]),
            total(&|leaf, output| leaf.errors[output]),
            total(&|leaf, output| leaf.values[output].abs()),
        ]
    }

    /// Cuts the worst regions, at most `cuts`, unless all that is left is rounding.
    fn cut(&mut self, cuts: usize) {
        let [_, errors, sizes] = self.totals();
        if errors.iter().zip(&sizes).all(|(error, size)| *error <= ROUNDING * size) {
            return;
        }
        // The share of a region in the error of the integral where it is largest.
        let share = |leaf: &Leaf| {
            let shares = leaf.errors.iter().zip(&errors).map(|(own, all)| own / all);
            shares.fold(0.0, f64::max)
        };
        let shares: Vec<f64> = self.leaves.iter().map(share).collect();
        let mut order: Vec<usize> = (0..shares.len()).filter(|&leaf| shares[leaf] > 0.0).collect();
        // The sort is stable: equals stay in the order in which they were made.
        order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        let all: f64 = shares.iter().sum();
        let mut covered = 0.0;
        let wanted = |leaf: &&usize| {
            let before = covered;
            covered += shares[**leaf];
            before < ERROR_SHARE * all
        };
        let worst = order.iter().take_while(wanted).count();
        order.truncate(worst.max(CUTS_MIN).min(cuts));
        for leaf in order {
            let leaf = &mut self.leaves[leaf];
            leaf.is_cut = true;
            self.pending.extend(leaf.region.halves(leaf.axis));
        }
    }
}

impl Search for Cubature {
    type State = State;
    type Partial = Judged;

    /// A task a shard, and as many as there could be if each held one region.
    fn shards(&self) -> Shards {
        Shards::new(self.regions_max, 1)
    }

    fn start(&self) -> State {
        let pending = vec![Region::whole(self.dimensions)];
        State { leaves: Vec::new(), pending, judged: 0, tasks: 0 }
    }

    fn round(&self, state: &State) -> Option<Range<u64>> {
        let tasks = state.pending.len().div_ceil(self.group(state)) as u64;
        (tasks > 0).then_some(state.tasks..state.tasks + tasks)
    }

    fn run_task(&self, state: &State, call: &mut Call<'_, '_>, partial: &mut Judged) -> Result<()> {
        let group = self.group(state);
        let first = (call.task - state.tasks) as usize * group;
        let end = state.pending.len().min(first + group);
        judge(&self.pair, &state.pending[first..end], call.task, call.block, partial)
    }

    fn learn(&self, mut state: State, partial: Judged) -> State {
        state.tasks += state.pending.len().div_ceil(self.group(&state)) as u64;
        let regions = std::mem::take(&mut state.pending);
        state.leaves.retain(|leaf| !leaf.is_cut);
        let width = partial.0.len() / regions.len();
        let outputs = (width - 1) / 2;
        debug_assert_eq!(width, Judged::width(outputs));
        for (region, found) in regions.into_iter().zip(partial.0.chunks_exact(width)) {
            let (values, errors) =
                (found[..outputs].to_vec(), found[outputs..][..outputs].to_vec());
            let axis = found[width - 1] as usize;
            state.leaves.push(Leaf { region, values, errors, axis, is_cut: false });
            state.judged += 1;
        }
        let left = self.regions_max.saturating_sub(state.judged) / 2;
        state.cut(left as usize);
        state
    }

    fn pack(&self, state: &State) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_u64(&mut bytes, state.tasks);
        let axes = state.pending.iter().flat_map(|region| &region.0);
        put_f64s(&mut bytes, &axes.flat_map(|&(low, width)| [low, width]).collect::<Vec<_>>());
        bytes
    }

    fn unpack(&self, bytes: &[u8]) -> Result<State> {
        let mut reader = Reader::new(bytes);
        let (tasks, ends) = (reader.u64()?, reader.f64s()?);
        reader.finish()?;
        let regions = ends.chunks(2 * self.dimensions);
        if regions.clone().any(|region| region.len() != 2 * self.dimensions) {
            return Err(Error::wire("a region that lacks an end"));
        }
        let axes = |ends: &[f64]| ends.as_chunks().0.iter().map(|&[a, b]| (a, b)).collect();
        let pending = regions.map(|ends| Region(axes(ends))).collect();
        Ok(State { leaves: Vec::new(), pending, judged: 0, tasks })
    }

    fn estimate(&self, state: &State) -> Option<Estimate> {
        if state.leaves.is_empty() {
            return None;
        }
        let [values, errors, sizes] = state.totals();
        let mut squares = vec![0.0; triangle(values.len())];
        for (output, (error, size)) in errors.iter().zip(sizes).enumerate() {
            let error = error.max(ROUNDING * size);
            squares[place(output, output)] = error * error;
        }
        let points = state.judged * self.pair.points() as u64;
        let joint = Joint::of_means(2, values, squares);
        let mut estimate = Estimate { joint, points, rule_errors: true, ..Default::default() };
        estimate.extra.insert("regions".into(), state.leaves.len().into());
        estimate.notes.push(
            "nothing is random here: `error` is what two rules differ by, summed over the regions, \
             and there is no Monte Carlo error"
                .into(),
        );
        Some(estimate)
    }

    fn may_stop(&self, _: &State) -> bool {
        true
    }
}
