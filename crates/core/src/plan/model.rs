//! The time of a profile on a mapping, how sure that is, and where the mapping breaks even.

use super::mapping::{Costs, Mapping};
use super::profile::{Profile, Round};
use super::schedule::makespan;
use std::borrow::Cow;
use std::ops::Range;

/// The 95th percentile of the standard normal: intervals hold 90 % of what is.
const REACH: f64 = 1.644_853_626_951_472_2;
/// Shards of one order that are looked at one by one.
const SHARDS_SEEN_MAX: u64 = 16;
/// Orders of one round that are told apart.
const ORDERS_SEEN_MAX: u64 = 1 << 14;

/// What the model says of a profile on a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The mapping.
    pub mapping: Mapping,
    /// From the job to the answer.
    pub seconds: f64,
    /// Lower end of the interval that should hold 9 of 10 runs.
    pub low_s: f64,
    /// Upper end.
    pub high_s: f64,
    /// The time of one worker over this one.
    pub speedup: f64,
    /// Speed-up over workers.
    pub efficiency: f64,
    /// The least number of tasks from which the mapping is faster than one worker; none if it
    /// never is.
    pub break_even: Option<u64>,
}

/// The time of `profile` on `mapping`; `error` is the spread of actual over predicted time that
/// was seen on it, as the standard deviation of the logarithm.
///
/// The interval is `seconds · exp(± 1.645 σ)` with `σ²` the sum of `error²` and the relative
/// variance that the pilot leaves, having run some shards and not all.
///
/// # Examples
/// ```
/// use windfall_core::plan::{Mapping, Profile, Round, Costs, predict};
/// let profile = Profile::of_rounds(vec![Round::of_equal(1000, 0.01)]);
/// let mut threads = Mapping { name: "threads".into(), workers: 4, ..Mapping::serial() };
/// assert!((predict(&profile, &threads, 0.1).seconds - 2.5).abs() < 1e-9);
/// // Starting takes two seconds, which 7.5 of 10 saved seconds repay from a good quarter on.
/// threads.costs = Costs { start_s: 2.0, ..Costs::NONE };
/// assert_eq!(predict(&profile, &threads, 0.1).break_even, Some(267));
/// ```
pub fn predict(profile: &Profile, mapping: &Mapping, error: f64) -> Prediction {
    let alone_s = seconds(profile, &Mapping::serial());
    let profile = &as_run(profile, mapping);
    let seconds = seconds(profile, mapping);
    let workers = mapping.workers.max(1) as f64;
    let slowdown = profile.slowdown(mapping);
    let doubt = profile.work_error_s() * slowdown / workers / seconds.max(1e-12);
    let reach = (REACH * (doubt * doubt + error * error).sqrt()).exp();
    let speedup = if seconds > 0.0 { alone_s / seconds } else { 1.0 };
    Prediction {
        mapping: mapping.clone(),
        seconds,
        low_s: seconds / reach,
        high_s: seconds * reach,
        speedup,
        efficiency: speedup / workers,
        break_even: break_even(profile, mapping),
    }
}

/// The profile in the rounds that the mapping runs.
pub(super) fn as_run<'p>(profile: &'p Profile, mapping: &Mapping) -> Cow<'p, Profile> {
    match mapping.costs.submits {
        true => Cow::Owned(profile.submitted()),
        false => Cow::Borrowed(profile),
    }
}

fn seconds(profile: &Profile, mapping: &Mapping) -> f64 {
    let rounds_s: f64 = profile.rounds.iter().map(|round| round_s(profile, round, mapping)).sum();
    fixed_s(profile, mapping) + rounds_s
}

/// What does not depend on the number of shards or rounds.
fn fixed_s(profile: &Profile, mapping: &Mapping) -> f64 {
    let finish_s = profile.finish_s.unwrap_or(0.0);
    let made_s = profile.read_s + profile.build_s;
    // Whoever sends tables makes the problem once more, to see which ones it reads.
    let packed_s = if mapping.costs.builds { made_s } else { 0.0 };
    let Costs { start_s, open_s, share_s, .. } = mapping.costs;
    let tables_s = if profile.reads { share_s } else { 0.0 };
    made_s + packed_s + profile.prepare_s + finish_s + start_s + open_s + tables_s
}

/// Before the first shard of a round begins.
fn begin_s(profile: &Profile, round: &Round, mapping: &Mapping) -> f64 {
    let Costs { round_s, worker_s, builds, .. } = mapping.costs;
    let others = (mapping.workers as u64).min(round.shards).saturating_sub(1) as f64;
    let build_s = if builds { profile.build_s } else { 0.0 };
    round_s + worker_s * others + build_s + learnt_s(round, mapping)
}

/// To bring what earlier rounds have found to all workers: it is packed once, sent to each, and
/// read as fast as it was packed.
fn learnt_s(round: &Round, mapping: &Mapping) -> f64 {
    let Costs { bytes_per_s, share_s, .. } = mapping.costs;
    let (Some(rate), Some((bytes, pack_s))) = (bytes_per_s, round.learnt) else { return 0.0 };
    let workers = (mapping.workers as u64).min(round.shards) as f64;
    share_s + 2.0 * pack_s + workers * bytes / rate
}

/// To merge a partial where all are merged, and to send it there.
fn merge_s(round: &Round, costs: &Costs) -> f64 {
    match costs.bytes_per_s {
        None => round.merge_s,
        Some(rate) => round.deliver_s.max(round.merge_s) + round.bytes.unwrap_or(0.0) / rate,
    }
}

/// What a shard costs its worker beside its work.
fn beside_s(round: &Round, costs: &Costs) -> f64 {
    // What stays in the process is merged by the worker that has made it.
    costs.shard_s + if costs.bytes_per_s.is_none() { round.merge_s } else { 0.0 }
}

/// How many orders a round is cut into, and shards an order, but for the last.
pub(super) fn orders(round: &Round, mapping: &Mapping) -> (u64, u64) {
    let each = mapping.costs.orders_per_worker;
    let most = each.map_or(round.shards, |each| each.saturating_mul(mapping.workers as u64));
    let shards = round.shards.div_ceil(most.max(1)).max(1);
    (round.shards.div_ceil(shards), shards)
}

fn round_s(profile: &Profile, round: &Round, mapping: &Mapping) -> f64 {
    let slowdown = profile.slowdown(mapping);
    let (orders, each) = orders(round, mapping);
    let beside = beside_s(round, &mapping.costs);
    let works = works(round, orders, each);
    let order_s = |place: u64| {
        let shards = each.min(round.shards - place * each) as f64;
        // Of very many orders one is like the other.
        let work = works.get(place as usize).copied().unwrap_or(round.mean_s * shards);
        mapping.costs.order_s + work * slowdown + shards * beside
    };
    let spent = makespan(orders, mapping.workers, order_s);
    // Partials are merged one after the other, while others are being made.
    let merged = round.shards as f64 * merge_s(round, &mapping.costs);
    begin_s(profile, round, mapping) + spent.max(merged)
}

/// The work of each of the first few orders, such that together they are that of the round, and
/// what each runs again.
fn works(round: &Round, orders: u64, each: u64) -> Vec<f64> {
    if orders > ORDERS_SEEN_MAX {
        return Vec::new();
    }
    let work = |order: u64| {
        let first = order * each;
        let shards = each.min(round.shards - first);
        let step = shards.div_ceil(SHARDS_SEEN_MAX).max(1);
        let seen = shards.div_ceil(step);
        let sum: f64 = (0..seen).map(|shard| round.shard_s(first + shard * step)).sum();
        sum / seen as f64 * shards as f64
    };
    let works: Vec<f64> = (0..orders).map(work).collect();
    let sum: f64 = works.iter().sum();
    let scale = if sum > 0.0 { round.work_s() / sum } else { 1.0 };
    let with_again = |(order, work): (u64, f64)| {
        let own = work * scale;
        own + again_s(round, order * each..(order + 1) * each, own)
    };
    (0..).zip(works).map(with_again).collect()
}

/// The work before an order's `shards` that it runs again, if their own is `own_s`.
fn again_s(round: &Round, shards: Range<u64>, own_s: f64) -> f64 {
    let end = shards.end.min(round.shards);
    let Some(&(first, before_s)) = round.chain.iter().rfind(|(first, _)| *first < end) else {
        return 0.0;
    };
    // What it has of earlier rounds itself it does not run twice.
    let had = first.saturating_sub(shards.start) as f64 / (end - shards.start) as f64;
    (before_s - had * own_s).max(0.0)
}

/// Where the lines cross: with `x` times the tasks, one worker takes `a + x·b` and the mapping
/// `a' + x·b'`, so that it pays from `x = (a' − a)/(b − b')` on, and not before there are two
/// shards.
fn break_even(profile: &Profile, mapping: &Mapping) -> Option<u64> {
    if mapping.workers < 2 || profile.tasks == 0 {
        return None;
    }
    let serial = Mapping::serial();
    let mut before = fixed_s(profile, mapping) - fixed_s(profile, &serial);
    let mut less = 0.0;
    for round in &profile.rounds {
        let shards = round.shards as f64;
        let (orders, each) = orders(round, mapping);
        let all_orders_s = orders as f64 * mapping.costs.order_s / mapping.workers as f64;
        before += begin_s(profile, round, mapping);
        let work_s = match round.chain.is_empty() {
            true => round.work_s(),
            false => works(round, orders, each)
                .into_iter()
                .reduce(|one, other| one + other)
                .unwrap_or(round.work_s()),
        };
        let mut each =
            profile.slowdown(mapping) * work_s + shards * beside_s(round, &mapping.costs);
        each /= mapping.workers as f64;
        match mapping.costs.orders_per_worker {
            Some(_) => before += all_orders_s,
            None => each += all_orders_s,
        }
        let merged = shards * merge_s(round, &mapping.costs);
        less += round.work_s() + shards * round.merge_s - each.max(merged);
    }
    let times = before / less;
    let tasks = (times * profile.tasks as f64).ceil().max(profile.tasks_per_shard as f64 + 1.0);
    (less > 0.0 && tasks < u64::MAX as f64).then_some(tasks as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(workers: usize, costs: Costs) -> Mapping {
        Mapping { name: "threads".into(), workers, costs, ..Mapping::serial() }
    }

    fn time(profile: &Profile, workers: usize, costs: Costs) -> f64 {
        predict(profile, &mapping(workers, costs), 0.1).seconds
    }

    #[test]
    fn what_is_serial_stays_so() {
        // Amdahl: 1 s of 11 s is serial, and eight workers leave 1 + 10/8.
        let mut profile = Profile::of_rounds(vec![Round::of_equal(800, 0.0125)]);
        (profile.read_s, profile.finish_s) = (0.75, Some(0.25));
        assert!((time(&profile, 8, Costs::NONE) - 2.25).abs() < 1e-9);
        let predicted = predict(&profile, &mapping(8, Costs::NONE), 0.1);
        assert!((predicted.speedup - 11.0 / 2.25).abs() < 1e-9);
        assert!((predicted.efficiency - 11.0 / 18.0).abs() < 1e-9);
    }

    #[test]
    fn merging_is_a_limit_and_sending_another() {
        let mut round = Round::of_equal(1000, 1e-3);
        (round.merge_s, round.deliver_s, round.bytes) = (5e-4, 5e-4, Some(1e6));
        let profile = Profile::of_rounds(vec![round]);
        assert!((time(&profile, 2, Costs::NONE) - 0.75).abs() < 1e-9);
        assert!((time(&profile, 64, Costs::NONE) - 0.5).abs() < 1e-9);
        let sent = Costs { bytes_per_s: Some(1e9), ..Costs::NONE };
        assert!((time(&profile, 64, sent) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn orders_are_shared_and_each_round_begins_anew() {
        let rounds = vec![Round::of_equal(64, 0.01); 3];
        let mut profile = Profile::of_rounds(rounds);
        profile.build_s = 0.05;
        let costs = Costs {
            start_s: 1.0,
            round_s: 0.1,
            worker_s: 0.01,
            order_s: 0.02,
            orders_per_worker: Some(4),
            builds: true,
            ..Costs::NONE
        };
        // Four orders of four shards for each of four workers.
        let round = 0.1 + 3.0 * 0.01 + 0.05 + 4.0 * (0.02 + 4.0 * 0.01);
        assert!((time(&profile, 4, costs) - (1.1 + 3.0 * round)).abs() < 1e-9);
    }

    #[test]
    fn what_is_to_be_read_is_brought_there() {
        let mut rounds = vec![Round::of_equal(4, 0.1); 3];
        rounds[1..].iter_mut().for_each(|round| round.learnt = Some((2e6, 0.01)));
        let mut profile = Profile::of_rounds(rounds);
        let costs = Costs { open_s: 0.5, share_s: 0.05, bytes_per_s: Some(1e8), ..Costs::NONE };
        // Twice: shared, packed and read, and two megabytes to each of two workers.
        let learnt = 2.0 * (0.05 + 0.02 + 2.0 * 0.02);
        assert!((time(&profile, 2, costs) - (0.6 + 0.5 + learnt)).abs() < 1e-9);
        profile.reads = true;
        assert!((time(&profile, 2, costs) - (0.65 + 0.5 + learnt)).abs() < 1e-9);
        // What stays in the process is not sent.
        assert!((time(&profile, 2, Costs::NONE) - 0.6).abs() < 1e-9);
    }

    #[test]
    fn what_is_submitted_is_one_round_and_runs_those_before_again() {
        let mut profile = Profile::of_rounds(vec![Round::of_equal(4, 0.1); 3]);
        let sent = Costs { submits: true, order_s: 1.0, orders_per_worker: Some(1), ..Costs::NONE };
        // One order for each worker, not one for each round.
        assert!((time(&profile, 2, sent) - 1.6).abs() < 1e-9);
        profile.is_chained = true;
        // Shards 6 to 12: those of the second half of round two, after the first, and of three,
        // after both.
        assert!((time(&profile, 2, sent) - (1.0 + 0.8 + 0.4)).abs() < 1e-9);
        assert!((time(&profile, 3, sent) - (1.0 + 0.8 + 0.4)).abs() < 1e-9);
        assert!((time(&profile, 2, Costs::NONE) - 0.6).abs() < 1e-9);
        assert!((predict(&profile, &mapping(2, sent), 0.1).speedup - 1.2 / 2.2).abs() < 1e-9);
        // Two orders of 0.6 and 1.2 s on two workers save 0.3 s of 1.2 s, and cost one each.
        assert_eq!(predict(&profile, &mapping(2, sent), 0.1).break_even, Some(40));
        // What is no part of the main job is run once, by one.
        profile.rounds[2].is_aside = true;
        assert!((time(&profile, 2, sent) - (1.0 + 0.4 + 0.4 + 0.4)).abs() < 1e-9);
    }

    #[test]
    fn the_break_even_point_is_where_the_lines_cross() {
        let (cost, start) = (1e-4, 0.3);
        let mut profile = Profile::of_rounds(vec![Round::of_equal(1000, 100.0 * cost)]);
        (profile.tasks, profile.tasks_per_shard) = (100_000, 100);
        let costs = Costs { start_s: start, shard_s: 1e-3, ..Costs::NONE };
        let at = |workers: usize| predict(&profile, &mapping(workers, costs), 0.1).break_even;
        for workers in [2, 3, 8] {
            // n c = s + n (c + o/100)/w
            let w = workers as f64;
            let expected = start / (cost - (cost + 1e-5) / w);
            assert!((at(workers).unwrap() as f64 - expected).abs() <= 1.0, "{workers}");
        }
        assert_eq!(at(1), None);
        // A shard that costs as much to hand out as it takes never pays on two workers.
        let costs = Costs { shard_s: 0.01, ..Costs::NONE };
        assert_eq!(predict(&profile, &mapping(2, costs), 0.1).break_even, None);
        // And one shard is never shared.
        let free = predict(&profile, &mapping(2, Costs::NONE), 0.1);
        assert_eq!(free.break_even, Some(101));
    }

    #[test]
    fn cores_that_get_into_each_others_way_are_slower() {
        let mut profile = Profile::of_rounds(vec![Round::of_equal(1200, 0.01)]);
        profile.loaded = (4, 1.6);
        for (workers, slowdown) in [(1, 1.0), (2, 1.2), (3, 1.4), (4, 1.6), (8, 1.6)] {
            let expected = 12.0 * slowdown / workers as f64;
            assert!((time(&profile, workers, Costs::NONE) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn the_interval_holds_both_doubts() {
        let mut round = Round::of_equal(100, 0.01);
        (round.done, round.sd_s) = (25, 0.004);
        let profile = Profile::of_rounds(vec![round]);
        let predicted = predict(&profile, &mapping(1, Costs::NONE), 0.05);
        let pilot = 0.4 / 5.0 * 0.75f64.sqrt();
        let reach = (REACH * (pilot * pilot + 0.05 * 0.05).sqrt()).exp();
        assert!((predicted.high_s - reach).abs() < 1e-9);
        assert!((predicted.low_s - 1.0 / reach).abs() < 1e-9);
    }
}
