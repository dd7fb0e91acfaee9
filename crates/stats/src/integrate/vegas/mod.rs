//! VEGAS+: learn along each axis, and in which hypercubes, the integrand lives.
//!
//! G. P. Lepage, "Adaptive multidimensional integration: VEGAS enhanced", Journal of Computational
//! Physics 439, 110386 (2021). Each iteration is a round: its map (`map.rs`) and the points of each
//! hypercube (`strata.rs`) are part of the job and come from the iterations before it. The first
//! iterations only learn; the map then stands still, the points of hypercubes go on following
//! their spread, and the answer is the mean of the iterations that are kept, weighted by their
//! points, with chi-square as the test of whether they agree. (Lepage weighs by 1/variance. Where
//! the variance of an iteration is itself uncertain it goes with the estimate: an iteration that
//! misses a rare large value is low in both, and such a mean is too low with too small an error.
//! Once the map stands still nothing is gained by it.)

mod map;
mod partial;
mod sample;
mod strata;

use super::estimate::Estimate;
use super::grid::Grid;
use super::joint::{Joint, place, triangle};
use super::plan::{Plan, Setting};
use super::rule::Size;
use super::search::{BySearch, Call, Search};
use crate::law::chi_square;
use map::Map;
use partial::Harvest;
use sample::Iteration;
use serde_json::Value;
use std::ops::Range;
use strata::{Allocation, carried};
use windfall_core::wire::{Reader, put_u64};
use windfall_core::{Error, Result, Shards};

/// Iterations that are kept and iterations that only learn, unless others are asked for.
const ITERATIONS: u64 = 10;
const WARMUP: u64 = 15;
/// Iterations at most, of either kind.
const ITERATIONS_MAX: u64 = 1000;
/// With a tolerance: kept iterations at least, points of the first, and its successors' growth.
const KEPT_MIN: usize = 3;
const FIRST_POINTS: u64 = 100_000;
const GROWTH: f64 = 1.5;
/// One in so many points is for the iterations that only learn; but each of them has at least this
/// many points, unless one in so many would then be theirs.
const LEARNING_SHARE: u64 = 10;
const LEARNING_POINTS: u64 = 10_000;
const LEARNING_SHARE_MOST: u64 = 3;
/// Points of an iteration at least.
const POINTS_MIN: u64 = 16;
/// Points of a hypercube when all have the same number.
const POINTS_PER_CUBE: u64 = 4;
/// Hypercubes at most.
const CUBES_MAX: u64 = 1 << 20;
/// Points that a bin of the map learns from in an iteration, bins of an axis, bins of all axes.
const POINTS_PER_BIN: u64 = 50;
const BINS_MAX: u64 = 2000;
const BINS_MAX_ALL: u64 = 100_000;
/// Axes at most: beyond, the map would have too few bins to learn anything.
const DIMENSIONS_MAX: usize = 1000;
/// Below this probability the iterations are said to disagree.
const DISAGREE: f64 = 1e-3;

/// The iterations of a run, all that can be said of them before it begins.
#[derive(Clone, Debug)]
pub(crate) struct Vegas {
    dimensions: usize,
    bins: usize,
    steps: Vec<Step>,
    shards: Shards,
}

/// An iteration before it is run.
#[derive(Clone, Debug)]
struct Step {
    points: u64,
    grid: Grid,
    task_cubes: u64,
    tasks: Range<u64>,
    kept: bool,
    learns: bool,
}

impl Vegas {
    /// The row's maker.
    pub fn plan(setting: &Setting<'_>) -> Result<Box<dyn Plan>> {
        Ok(Box::new(BySearch::new(Self::new(setting)?)))
    }

    /// # Errors
    /// Too many dimensions or iterations, too few points for them.
    fn new(setting: &Setting<'_>) -> Result<Self> {
        let Setting { size, options, .. } = *setting;
        let kept = options.iterations.unwrap_or(ITERATIONS);
        let warmup = options.warmup.unwrap_or(WARMUP);
        for (what, count, least) in [("iterations", kept, 1), ("warmup", warmup, 0)] {
            if !(least..=ITERATIONS_MAX).contains(&count) {
                let expected = format!("from {least} to {ITERATIONS_MAX}");
                return Err(Error::invalid(what, count, &expected));
            }
        }
        if size.dimensions > DIMENSIONS_MAX {
            let expected = format!("at most {DIMENSIONS_MAX} pairs for VEGAS+");
            let given = format!("{} pairs", size.dimensions);
            return Err(Error::invalid("bounds", given, &expected)
                .hint("use method = \"sobol\" or \"plain\""));
        }
        let least = (kept + warmup) * POINTS_MIN;
        if size.n < least {
            let what = format!("points (`n`) for {} iterations", kept + warmup);
            return Err(Error::too_few(&what, size.n, least));
        }
        let sizes = sizes(size, kept, warmup);
        let task_size = Size { n: sizes[sizes.len() - 1].0, ..size };
        let shard_tasks = (task_size.shard_points() / task_size.task_points()).max(1);
        let (mut steps, mut first) = (Vec::new(), 0);
        for (points, kept) in sizes {
            let grid = Grid::new((points / POINTS_PER_CUBE).clamp(1, CUBES_MAX), size.dimensions);
            let task_cubes = (task_size.task_points() * grid.cells() / points).max(1);
            // Iterations begin where shards do: the tasks between do nothing.
            let tasks = grid.cells().div_ceil(task_cubes).next_multiple_of(shard_tasks);
            let tasks = first..first + tasks;
            first = tasks.end;
            let learns = !kept || size.tolerant && points <= 40 * LEARNING_POINTS;
            steps.push(Step { points, grid, task_cubes, tasks, kept, learns });
        }
        let bins = (steps[0].points / POINTS_PER_BIN)
            .clamp(16, BINS_MAX)
            .min(BINS_MAX_ALL / size.dimensions as u64);
        let shards = Shards::new(first, shard_tasks);
        Ok(Self { dimensions: size.dimensions, bins: bins as usize, steps, shards })
    }
}

/// The points of each iteration, and whether it is kept.
fn sizes(size: Size, kept: u64, warmup: u64) -> Vec<(u64, bool)> {
    let n = if size.tolerant { size.n.min(10 * FIRST_POINTS) } else { size.n };
    let each = |share: u64| n / share / warmup.max(1);
    let learning = each(LEARNING_SHARE).max(LEARNING_POINTS).min(each(LEARNING_SHARE_MOST));
    let learning = learning.max(POINTS_MIN);
    let mut sizes = vec![(learning, false); warmup as usize];
    let mut left = size.n - warmup * learning;
    if !size.tolerant {
        sizes.extend(vec![(left / kept, true); kept as usize]);
        return sizes;
    }
    let mut next = FIRST_POINTS.min(left / KEPT_MIN as u64).max(POINTS_MIN);
    while left >= next {
        left -= next;
        sizes.push((next, true));
        next = (next as f64 * GROWTH) as u64;
    }
    sizes
}

/// What is known between two iterations.
#[derive(Clone)]
pub(crate) struct State {
    /// Iterations so far.
    round: usize,
    map: Map,
    allocation: Allocation,
    /// Evaluations so far.
    points: u64,
    found: Vec<Found>,
}

/// What an iteration found: the means, and the triangle of their covariance.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    points: u64,
    means: Vec<f64>,
    covariance: Vec<f64>,
    kept: bool,
}

impl Search for Vegas {
    type State = State;
    type Partial = Harvest;

    fn shards(&self) -> Shards {
        self.shards
    }

    fn start(&self) -> State {
        let first = &self.steps[0];
        let allocation = Allocation::even(first.points, first.grid.cells());
        let map = Map::even(self.dimensions, self.bins);
        State { round: 0, map, allocation, points: 0, found: vec![] }
    }

    fn round(&self, state: &State) -> Option<Range<u64>> {
        let step = self.steps.get(state.round)?;
        let shard_tasks = self.shards.tasks_per_shard();
        Some(step.tasks.start / shard_tasks..step.tasks.end.div_ceil(shard_tasks))
    }

    fn run_task(
        &self,
        state: &State,
        call: &mut Call<'_, '_>,
        partial: &mut Harvest,
    ) -> Result<()> {
        let step = &self.steps[state.round];
        let first = (call.task - step.tasks.start) * step.task_cubes;
        let places = first..step.grid.cells().min(first + step.task_cubes);
        if places.is_empty() {
            return Ok(());
        }
        let iteration = Iteration {
            map: &state.map,
            grid: &step.grid,
            allocation: &state.allocation,
            learns: step.learns,
        };
        // Not by the task's own number, which tells how dear the integrand is: points are the same
        // for every kind of integrand.
        let address = (state.round as u64) << 40 | (call.task - step.tasks.start);
        let mut stream = call.streams.task(address);
        iteration.run((call.task, places), &mut stream, call.block, partial)
    }

    fn learn(&self, mut state: State, partial: Harvest) -> State {
        let step = &self.steps[state.round];
        let share = 1.0 / step.grid.cells() as f64;
        state.found.push(Found {
            points: partial.points,
            means: partial.means.iter().map(|sum| sum * share).collect(),
            covariance: partial.covariance.iter().map(|sum| sum * share * share).collect(),
            kept: step.kept,
        });
        state.points += partial.points;
        state.round += 1;
        if step.learns {
            state.map = state.map.taught(&partial.lessons);
        }
        if let Some(next) = self.steps.get(state.round) {
            let mut spreads = partial.spreads.concat();
            if next.grid != step.grid {
                spreads = carried(&spreads, &step.grid, &next.grid);
            }
            state.allocation = Allocation::by(spreads, next.points);
        }
        state
    }

    fn pack(&self, state: &State) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_u64(&mut bytes, state.round as u64);
        state.map.encode(&mut bytes);
        state.allocation.encode(&mut bytes);
        bytes
    }

    fn unpack(&self, bytes: &[u8]) -> Result<State> {
        let mut reader = Reader::new(bytes);
        let round = reader.u64()? as usize;
        let step = self.steps.get(round).ok_or_else(|| Error::wire("an iteration too many"))?;
        let map = Map::decode(&mut reader, self.dimensions, self.bins)?;
        let allocation = Allocation::decode(&mut reader, step.grid.cells())?;
        reader.finish()?;
        Ok(State { round, map, allocation, points: 0, found: vec![] })
    }

    /// The iterations that are kept; before there are any, those that only learnt.
    fn estimate(&self, state: &State) -> Option<Estimate> {
        let any = state.found.iter().any(|found| found.kept);
        let used: Vec<&Found> = state.found.iter().filter(|found| found.kept || !any).collect();
        if used.is_empty() {
            return None;
        }
        let mean = WeightedMean::of(&used);
        let joint = Joint::of_means(state.points, mean.means, mean.covariance);
        let mut estimate = Estimate { joint, points: state.points, ..Default::default() };
        let freedom = used.len() as u64 - 1;
        estimate.extra.insert("iterations".into(), used.len().into());
        if freedom > 0 {
            let several = |list: Vec<Value>| match list.len() {
                1 => list[0].clone(),
                _ => list.into(),
            };
            let freedom = freedom as f64;
            let tail = |chi: &f64| chi_square::survival(freedom, *chi);
            let tails: Vec<f64> = mean.chi_squares.iter().map(tail).collect();
            let ratios = mean.chi_squares.iter().map(|chi| (chi / freedom).into());
            estimate.extra.insert("chi2_dof".into(), several(ratios.collect()));
            let told = tails.iter().map(|&tail| tail.into()).collect();
            estimate.extra.insert("q".into(), several(told));
            if tails.iter().any(|&tail| tail < DISAGREE) {
                estimate.notes.push(
                    "the iterations disagree (`q` is small): the error may be too small; raise \
                     `n` or `warmup`"
                        .into(),
                );
            }
        }
        let (kept, learnt) = (used.len(), state.found.len() - used.len());
        let last = &self.steps[state.round - 1];
        estimate.notes.push(format!(
            "{kept} iterations of up to {} points in {} hypercubes, after {learnt} that only learn",
            last.points,
            last.grid.cells()
        ));
        Some(estimate)
    }

    fn may_stop(&self, state: &State) -> bool {
        state.found.iter().filter(|found| found.kept).count() >= KEPT_MIN
    }
}

/// The mean of iterations, weighted by their points, and how far they are from it.
struct WeightedMean {
    means: Vec<f64>,
    covariance: Vec<f64>,
    chi_squares: Vec<f64>,
}

impl WeightedMean {
    fn of(found: &[&Found]) -> Self {
        let outputs = found[0].means.len();
        let total: u64 = found.iter().map(|one| one.points).sum();
        let weights = found.iter().map(|one| one.points as f64 / total as f64);
        let mut means = vec![0.0; outputs];
        let mut covariance = vec![0.0; triangle(outputs)];
        for (one, weight) in found.iter().zip(weights) {
            let add = |sums: &mut Vec<f64>, values: &[f64], factor: f64| {
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value);
            };
            add(&mut means, &one.means, weight);
            add(&mut covariance, &one.covariance, weight * weight);
        }
        let chi_square = |output: usize| {
            let square = |one: &&Found| {
                let gap = one.means[output] - means[output];
                let variance = one.covariance[place(output, output)];
                if variance > 0.0 { gap * gap / variance } else { 0.0 }
            };
            found.iter().map(square).sum()
        };
        let chi_squares = (0..outputs).map(chi_square).collect();
        Self { means, covariance, chi_squares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrate::options::IntegrateOptions;

    fn vegas(n: u64, dimensions: usize, tolerant: bool) -> Vegas {
        let size = Size { n, dimensions, cheap: true, tolerant };
        let options = IntegrateOptions::default();
        Vegas::new(&Setting { size, options: &options, seed: 1u64.into() }).unwrap()
    }

    #[test]
    fn iterations_use_the_points_there_are_and_begin_where_shards_do() {
        for (n, dimensions, tolerant) in [
            (400, 1, false),
            (10_000, 4, false),
            (100_000_000, 5, false),
            (10_000_000_000, 3, true),
        ] {
            let vegas = vegas(n, dimensions, tolerant);
            let total: u64 = vegas.steps.iter().map(|step| step.points).sum();
            assert!(total <= n && 2 * total > n, "{n}: {total}");
            let mut next = 0;
            for step in &vegas.steps {
                assert_eq!(step.tasks.start, next);
                assert_eq!(next % vegas.shards.tasks_per_shard(), 0);
                assert!(step.grid.cells() * strata::LEAST <= step.points);
                assert!((step.tasks.end - next) * step.task_cubes >= step.grid.cells());
                next = step.tasks.end;
            }
        }
    }

    #[test]
    fn iterations_are_weighted_by_their_points() {
        let found = |points: u64, mean: f64, variance: f64| Found {
            points,
            means: vec![mean, 2.0 * mean],
            covariance: vec![variance, 2.0 * variance, 4.0 * variance],
            kept: true,
        };
        let (one, two) = (found(100, 1.0, 1.0), found(300, 5.0, 0.5));
        let mean = WeightedMean::of(&[&one, &two]);
        assert_eq!(mean.means, [4.0, 8.0]);
        let variance = 1.0 / 16.0 + 0.5 * 9.0 / 16.0;
        assert_eq!(mean.covariance, [variance, 2.0 * variance, 4.0 * variance]);
        // (1 - 4)^2 / 1 + (5 - 4)^2 / 0.5.
        assert_eq!(mean.chi_squares, [11.0, 11.0]);
    }
}
