//! Simulations eight at a time, one a lane: normal data of which a test sees mean and spread.
//!
//! Full data: the numbers of a sample are drawn and added up, in registers; the sums at every
//! size of a curve fall out of one pass. Sufficient statistics: the mean of n normal values is a
//! normal number over √n, their sum of squared deviations an independent chi-square number with
//! n - 1 degrees of freedom (R. A. Fisher, "Applications of Student's distribution", Metron 5,
//! 1925), so two draws stand for n, exactly.

use super::counts::Counts;
use super::ready::{Decision, Drawn, Ready};
use super::rule::Rule;
use windfall_core::{Cancel, Shard, Streams};
use windfall_lanes::{LANES, Simd, Task, dispatch};
use windfall_streams::{Gamma, Lanes, PAIRS, normal_pair, normal_pairs};

/// Tasks between two looks at whether to stop.
const TASKS_PER_LOOK: u64 = 256;

/// The points of a curve, as the lanes want them.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    rules: Vec<&'a Rule>,
    sources: Vec<Summed>,
    drawn: Drawn,
    simulations: u64,
}

/// One source at all points.
#[derive(Debug)]
struct Summed {
    /// Size, shift, scale and chi-square law at each point.
    at: Vec<At>,
    /// The points by rising size.
    order: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct At {
    size: usize,
    shift: f64,
    scale: f64,
    /// Of the sum of squares; none for a single degree of freedom, which is a squared normal.
    squares: Option<Gamma>,
}

impl<'a> Plan<'a> {
    /// The plan of `points`, which are all decided by their moments.
    pub fn new(points: &'a [Ready], drawn: Drawn, simulations: u64) -> Self {
        let rules = points.iter().filter_map(|point| match &point.decision {
            Decision::Moments(rule) => Some(rule),
            Decision::Data(_) => None,
        });
        let sources = 0..points.first().map_or(0, |point| point.sources.len());
        let sources = sources.map(|source| {
            let at = points.iter().map(|point| {
                let source = &point.sources[source];
                let freedom = source.size as f64 - 1.0;
                let squares =
                    if source.size > 2 { Gamma::new(0.5 * freedom, 2.0).ok() } else { None };
                let (shift, scale) = (source.law.shift, source.law.scale);
                At { size: source.size, shift, scale, squares }
            });
            let at: Vec<At> = at.collect();
            let mut order: Vec<usize> = (0..at.len()).collect();
            order.sort_by_key(|&point| at[point].size);
            Summed { at, order }
        });
        Self { rules: rules.collect(), sources: sources.collect(), drawn, simulations }
    }

    /// Runs the tasks of `shard`, each eight simulations, the last one perhaps fewer.
    ///
    /// Source `s` of task `i` has the stream `i · sources + s` to itself.
    pub fn run(&self, shard: Shard, streams: &Streams, cancel: &Cancel) -> Counts {
        let mut counts = Counts::of(self.rules.len());
        let mut first = shard.first;
        while first < shard.end && !cancel.is_stopped() {
            let end = shard.end.min(first + TASKS_PER_LOOK);
            dispatch(Eights { plan: self, tasks: (first, end), streams, counts: &mut counts });
            first = end;
        }
        counts
    }
}

struct Eights<'a> {
    plan: &'a Plan<'a>,
    tasks: (u64, u64),
    streams: &'a Streams,
    counts: &'a mut Counts,
}

impl Task for Eights<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { plan, tasks, streams, counts } = self;
        let (sources, points) = (plan.sources.len(), plan.rules.len());
        let mut seen = Seen::<S>::new(simd, sources * points);
        for task in tasks.0..tasks.1 {
            for (place, source) in plan.sources.iter().enumerate() {
                let mut lanes = streams.lanes(simd, task * sources as u64 + place as u64);
                (seen.place, seen.step) = (place, sources);
                match plan.drawn {
                    Drawn::Values => source.add_up(simd, &mut lanes, &mut seen),
                    Drawn::Summaries => source.summaries(simd, &lanes, &mut seen),
                }
            }
            let left = plan.simulations - task * LANES as u64;
            let asked = if left < LANES as u64 { (1u8 << left) - 1 } else { u8::MAX };
            counts.simulations += u64::from(asked.count_ones());
            for (point, rule) in plan.rules.iter().enumerate() {
                let entries = point * sources..(point + 1) * sources;
                let rejected =
                    rule.decide(simd, &seen.means[entries.clone()], &seen.squares[entries]);
                let rejected = simd.mask_bits(rejected) & asked;
                counts.points[point].rejected += u64::from(rejected.count_ones());
            }
        }
    }
}

/// Means and sums of squares of eight simulations. (No closure fills them: it would be compiled
/// without the lanes.)
struct Seen<S: Simd> {
    /// Entry [point · sources + source].
    means: Vec<S::F>,
    squares: Vec<S::F>,
    /// Room for values.
    pairs: [[S::F; 2]; PAIRS],
    /// The entry of the source's first point, and how far on the next one lies.
    place: usize,
    step: usize,
}

impl<S: Simd> Seen<S> {
    fn new(simd: S, entries: usize) -> Self {
        let zeros = vec![simd.splat(0.0); entries];
        let pairs = [[simd.splat(0.0); 2]; PAIRS];
        Self { means: zeros.clone(), squares: zeros, pairs, place: 0, step: 0 }
    }

    /// What the standard normal values of a source come to at one point of its own law.
    #[inline(always)]
    fn put(&mut self, simd: S, point: usize, at: &At, (mean, square): (S::F, S::F)) {
        let entry = point * self.step + self.place;
        self.means[entry] = simd.fma(simd.splat(at.scale), mean, simd.splat(at.shift));
        self.squares[entry] = simd.mul(simd.splat(at.scale * at.scale), square);
    }
}

impl Summed {
    /// Draws the values in order and hands on mean and sum of squares at the size of each point.
    #[inline(always)]
    fn add_up<S: Simd>(&self, simd: S, lanes: &mut Lanes<S>, seen: &mut Seen<S>) {
        let zero = simd.splat(0.0);
        let (mut sum, mut square, mut done, mut second) = (zero, zero, 0, None);
        for &point in &self.order {
            let size = self.at[point].size;
            if done < size
                && let Some(value) = second.take()
            {
                (sum, square) = (simd.add(sum, value), simd.fma(value, value, square));
                done += 1;
            }
            let mut left = (size - done) / 2;
            while left > 0 {
                let pairs = &mut seen.pairs[..left.min(PAIRS)];
                normal_pairs(simd, lanes, pairs);
                for &mut [a, b] in &mut *pairs {
                    sum = simd.add(sum, simd.add(a, b));
                    square = simd.fma(a, a, simd.fma(b, b, square));
                }
                left -= pairs.len();
            }
            if (size - done) % 2 == 1 {
                let radii = lanes.next(simd);
                let (a, b) = normal_pair(simd, radii, lanes.next(simd));
                (sum, square) = (simd.add(sum, a), simd.fma(a, a, square));
                second = Some(b);
            }
            done = size;
            // The values are standard normal: nothing cancels.
            let mean = simd.mul(sum, simd.splat(1.0 / size as f64));
            seen.put(simd, point, &self.at[point], (mean, simd.fnma(mean, sum, square)));
        }
    }

    /// Draws mean and sum of squares of each point by their laws, all from the same words.
    #[inline(always)]
    fn summaries<S: Simd>(&self, simd: S, start: &Lanes<S>, seen: &mut Seen<S>) {
        for (point, at) in self.at.iter().enumerate() {
            let mut lanes = *start;
            let radii = lanes.next(simd);
            let (first, second) = normal_pair(simd, radii, lanes.next(simd));
            let mean = simd.mul(first, simd.splat(1.0 / (at.size as f64).sqrt()));
            let square = match &at.squares {
                Some(gamma) => gamma.eight(simd, &mut lanes, second),
                None if at.size == 2 => simd.mul(second, second),
                None => simd.splat(0.0),
            };
            seen.put(simd, point, at, (mean, square));
        }
    }
}
