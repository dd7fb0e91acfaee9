//! A pilot: run a little of a problem, twice, and write down what it took.

use super::probe::{Log, Probe, Relay};
use super::profile::{Extent, Profile, Round};
use crate::{Carries, Control, Error, ErrorKind, Problem, Result, Stopwatch};

/// How much a pilot may run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Seconds for shards on one worker; at least one shard of each round is run whole, unless it
    /// is one that may take seconds.
    pub seconds: f64,
    /// Workers of this machine, which are then all tried at once for half as long.
    pub workers: usize,
}

impl Limits {
    /// What a pilot takes if nobody says so.
    pub const SECONDS: f64 = 0.3;

    /// The usual limits on a machine of so many workers.
    pub fn of_workers(workers: usize) -> Self {
        Self { seconds: Self::SECONDS, workers }
    }
}

/// How often a job that fits into the pilot is run, at most, with time to spare.
const REPEATS_MAX: usize = 15;
/// Where one round decides on the next, only the end tells how long it takes: such a problem is
/// followed for so many times as long.
const SEARCH: f64 = 4.0;

/// Runs some shards of `problem`, spread over each of its rounds, first on one worker, then on all
/// of this machine's, and tells what they took.
///
/// A job that fits into the limits is run whole, several times; of a larger one, each round is
/// filled with copies of the partials there are, so that merging and finishing have their real
/// size. Where one round decides on the next, the rounds after the first that was cut short are
/// not known, and [`Profile::extent`] says so.
///
/// Its answers are thrown away. `read_s` and `build_s` are for the caller to fill in, who has read
/// the data and built the problem.
///
/// # Errors
/// What its tasks report; [`ErrorKind::Interrupted`] if `control` was stopped.
pub fn pilot(problem: &dyn Problem, limits: Limits, control: &Control<'_>) -> Result<Profile> {
    let watch = Stopwatch::start();
    let mut logs = Vec::new();
    let limit_s = limits.seconds * if problem.is_search() { SEARCH } else { 1.0 };
    loop {
        let log = probe(problem, 1, limit_s, control)?;
        let (is_cut, spent_s) = (log.0.is_cut, watch.elapsed_s());
        logs.push(log);
        let left_s = limits.seconds - spent_s;
        if is_cut || logs.len() == REPEATS_MAX || left_s < spent_s / logs.len() as f64 {
            break;
        }
    }
    // The first run warms caches; the median of the others, by what they took, is the usual one.
    if logs.len() > 1 {
        logs.remove(0);
        logs.sort_by(|(one, _), (other, _)| total_s(one).total_cmp(&total_s(other)));
    }
    let (log, is_finished) = logs.swap_remove((logs.len() - 1) / 2);
    let slowdown = match limits.workers > 1 && log.rounds.iter().any(|round| round.shards > 1) {
        true => slowdown(&log, problem, limits, control)?,
        false => 1.0,
    };
    let mut profile = profile(problem, log, is_finished);
    profile.loaded = (limits.workers, slowdown);
    profile.pilot_s = watch.elapsed_s();
    Ok(profile)
}

/// Solves the problem on a probe; whether it came to an answer.
fn probe(
    problem: &dyn Problem,
    workers: usize,
    limit_s: f64,
    control: &Control<'_>,
) -> Result<(Log, bool)> {
    let probe = Probe::new(workers, limit_s, problem, &control.cancel);
    let relay = Relay { probe: &probe, control };
    let watched = Control { cancel: probe.own.clone(), observer: Some(&relay) };
    let solved = crate::catch(|| problem.solve(&probe, &watched));
    let is_stopped = control.cancel.is_stopped();
    let log = probe.into_log();
    match solved {
        _ if is_stopped => Err(Error::new(ErrorKind::Interrupted)),
        Ok(Ok(_)) => Ok((log, true)),
        // Copies in place of partials may be more than a problem can bear.
        _ if log.is_cut => Ok((log, false)),
        Ok(Err(error)) => Err(error),
        Err(caught) => Err(Error::task(caught.message)),
    }
}

fn total_s(log: &Log) -> f64 {
    log.gaps.iter().sum::<f64>() + log.rounds.iter().map(Round::work_s).sum::<f64>()
}

/// How much longer the same shards take while all workers are busy.
fn slowdown(
    alone: &Log,
    problem: &dyn Problem,
    limits: Limits,
    control: &Control<'_>,
) -> Result<f64> {
    let (mut before_s, mut after_s) = (0.0, 0.0);
    let watch = Stopwatch::start();
    for _ in 0..REPEATS_MAX {
        let (log, _) = probe(problem, limits.workers, limits.seconds / 2.0, control)?;
        for (before, after) in alone.rounds.iter().zip(&log.rounds) {
            // One shard is never alone with others.
            if before.shards != after.shards || before.shards < 2 {
                continue;
            }
            for &(place, seconds) in &after.samples {
                if let Ok(found) = before.samples.binary_search_by_key(&place, |one| one.0) {
                    (before_s, after_s) = (before_s + before.samples[found].1, after_s + seconds);
                }
            }
        }
        if log.is_cut || watch.elapsed_s() > limits.seconds / 4.0 {
            break;
        }
    }
    // A machine is not faster for being busy: what looks so is noise.
    Ok(if before_s > 0.0 { (after_s / before_s).max(1.0) } else { 1.0 })
}

fn profile(problem: &dyn Problem, log: Log, is_finished: bool) -> Profile {
    let shards = problem.shards();
    let Log { rounds, end, mut gaps, is_cut, is_refused, is_chained, .. } = log;
    let last_s = gaps.pop().unwrap_or(0.0);
    let mut profile = Profile::of_rounds(rounds);
    (profile.tasks, profile.tasks_per_shard) = (shards.tasks(), shards.tasks_per_shard());
    profile.is_chained = is_chained;
    profile.prepare_s = 0.0 + gaps.iter().sum::<f64>();
    profile.finish_s = is_finished.then_some(last_s);
    profile.needs = Carries::needed(problem.spec());
    if let Some(spec) = problem.spec() {
        profile.problem.clone_from(&spec.problem);
        profile.reads = spec.data.is_some();
    }
    let is_open = problem.is_search() && is_cut;
    if is_open || is_refused {
        // Rounds of one job go on where the last one ended; those of several begin anew.
        profile.extent = Extent::AtLeast;
        if let (left @ 1.., Some(last)) =
            (shards.count().saturating_sub(end), profile.rounds.last())
        {
            let rest = Round { shards: left, done: 0, ..last.clone() };
            profile.extent = if is_open { Extent::AtMost } else { Extent::Known };
            profile.rounds.push(rest);
        }
    }
    profile
}
