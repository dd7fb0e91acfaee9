//! The executor that a pilot runs on: some shards of each round, spread over it, each timed.
//!
//! A round that is not run to its end is filled with copies of the partials there are, so that what
//! comes after has its real size: the merge of all of them and the step from there to the answer.
//! Nobody sees that answer.

use super::profile::Round;
use crate::executor::{Capabilities, Carries, Executor, Sink, Work, Yield};
use crate::{
    Cancel, Control, Error, JobSpec, Moments, Observer, Problem, Progress, Result, Stopwatch,
    UnderWay,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The time between two looks at long shards.
const LOOK: Duration = Duration::from_millis(20);
/// Shards whose times are kept one by one.
const SAMPLES_MAX: usize = 1024;
/// Partials of a round that are encoded, to know their size and to fill the round with.
const COPIES: u64 = 3;
/// The most that filling may put together, in bytes.
const FILL_BYTES_MAX: f64 = 256e6;
/// The share of the pilot's time that is left for each round after the first that was cut short.
const LATER: f64 = 0.1;
/// No round is begun after so many times the pilot's time, or after that of the least pilot.
const LATE: f64 = 3.0;
const LIMIT_MIN_S: f64 = 0.05;

/// Runs some shards of each round.
pub(super) struct Probe {
    /// How many at once.
    pub workers: usize,
    /// After this it begins no further shard.
    pub limit_s: f64,
    /// Whether what a round finds decides what comes after, so that copies would lead astray.
    pub is_search: bool,
    /// The main job, if it can be written down.
    main: Option<JobSpec>,
    /// The flag of whoever asked for the pilot.
    outer: Cancel,
    /// The flag that it stops once nothing more is to be learnt.
    pub own: Cancel,
    pub watch: Stopwatch,
    pub log: Mutex<Log>,
}

/// What a probe writes down.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub rounds: Vec<Round>,
    /// Whether a round needs what those before it have found.
    pub is_chained: bool,
    /// One past the last shard of the last round.
    pub end: u64,
    /// Seconds before, between and after rounds.
    pub gaps: Vec<f64>,
    /// When the last round ended.
    left_s: f64,
    /// Whether a round was not run to its end.
    pub is_cut: bool,
    /// Whether a round was neither run to its end nor filled.
    pub is_short: bool,
    /// Whether a round was asked for and not begun.
    pub is_refused: bool,
    /// The tasks under way when somebody last looked, and when that was.
    under_way: (Vec<UnderWay>, f64),
}

/// A shard that was run.
struct Run {
    place: u64,
    began_s: f64,
    run_s: f64,
    put_s: f64,
    /// Whether it was told to stop before its end.
    stopped: bool,
}

impl Probe {
    pub fn new(workers: usize, limit_s: f64, problem: &dyn Problem, outer: &Cancel) -> Self {
        Self {
            main: problem.spec().cloned(),
            workers,
            limit_s,
            is_search: problem.is_search(),
            outer: outer.clone(),
            own: Cancel::default(),
            watch: Stopwatch::start(),
            log: Mutex::default(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log, ended now.
    pub fn into_log(self) -> Log {
        let now_s = self.watch.elapsed_s();
        let mut log = self.log.into_inner().unwrap_or_else(PoisonError::into_inner);
        log.gaps.push(now_s - log.left_s);
        log
    }

    /// Until when this round may begin shards.
    fn until_s(&self) -> f64 {
        match self.lock().is_cut {
            false => self.limit_s,
            true => self.watch.elapsed_s() + LATER * self.limit_s,
        }
    }

    /// Runs shards on this thread until there is none left or the time is up; at least one.
    fn work(
        &self,
        work: &dyn Work,
        sink: &dyn Sink,
        claims: &Claims,
        mut tick: impl FnMut(),
    ) -> Result<Vec<Run>> {
        let mut runs = Vec::new();
        while let Some(place) = claims.next(&self.watch) {
            if work.cancel().is_stopped() {
                break;
            }
            let Some(shard) = work.shards().get(place) else { break };
            let began_s = self.watch.elapsed_s();
            let partial = work.run_shard(shard, "pilot")?;
            let run_s = self.watch.elapsed_s() - began_s;
            let stopped = work.cancel().is_stopped();
            claims.copy(work, place, &partial);
            let put = Stopwatch::start();
            sink.put(shard, partial)?;
            runs.push(Run { place, began_s, run_s, put_s: put.elapsed_s(), stopped });
            tick();
        }
        Ok(runs)
    }

    /// The same on several threads, while this one looks on.
    fn share(
        &self,
        work: &dyn Work,
        sink: &dyn Sink,
        claims: &Claims,
        tick: &mut dyn FnMut(),
    ) -> Result<Vec<Run>> {
        let workers = (self.workers as u64).min(work.shards().len());
        std::thread::scope(|scope| {
            let (alive, ended) = channel::<()>();
            let mut threads = Vec::new();
            for _ in 0..workers {
                let alive = alive.clone();
                threads.push(scope.spawn(move || {
                    let runs = self.work(work, sink, claims, || {});
                    drop(alive);
                    runs
                }));
            }
            drop(alive);
            while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                tick();
                let is_late = self.watch.elapsed_s() > claims.until_s;
                if self.outer.is_stopped() || (is_late && work.has_long_shards()) {
                    self.own.stop();
                }
            }
            let mut runs = Vec::new();
            for thread in threads {
                runs.extend(thread.join().map_err(|_| Error::task("a worker of the pilot died"))??);
            }
            Ok(runs)
        })
    }

    /// Puts copies for all shards that were not run, and tells what that took; none if it would be
    /// too much.
    fn fill(&self, work: &dyn Work, sink: &dyn Sink, claims: &Claims) -> Result<Option<f64>> {
        let copies = claims.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, done) = (work.shards().len(), claims.taken.load(Ordering::Relaxed));
        let Some(size) = size(&copies) else { return Ok(None) };
        if work.has_long_shards() || size * (all - done.min(all)) as f64 > FILL_BYTES_MAX {
            return Ok(None);
        }
        let fill = Stopwatch::start();
        for place in Spread::new(all).skip(done as usize) {
            if fill.elapsed_s() > self.limit_s || self.outer.is_stopped() {
                return Ok(None);
            }
            let (_, bytes) = &copies[place as usize % copies.len()];
            let Some(shard) = work.shards().get(place) else { break };
            sink.put(shard, Yield::Bytes(bytes.clone()))?;
        }
        Ok(Some(fill.elapsed_s()))
    }
}

impl Executor for Probe {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "pilot".into(), workers: self.workers, carries: Carries::Closures }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        let entered_s = self.watch.elapsed_s();
        let is_late = {
            let mut log = self.lock();
            let gap_s = entered_s - log.left_s;
            log.gaps.push(gap_s);
            let is_lost = log.is_short || (log.is_cut && self.is_search);
            let is_late = entered_s > LATE * self.limit_s.max(LIMIT_MIN_S);
            is_lost || (is_late && !log.rounds.is_empty())
        };
        if is_late || self.outer.is_stopped() {
            let mut log = self.lock();
            (log.is_cut, log.is_short, log.is_refused) = (true, true, true);
            log.left_s = self.watch.elapsed_s();
            self.own.stop();
            return Ok(());
        }
        let claims = Claims::new(work.shards().len(), self.until_s());
        let runs = match self.workers == 1 && !work.has_long_shards() {
            true => self.work(work, sink, &claims, &mut *tick)?,
            false => self.share(work, sink, &claims, tick)?,
        };
        let done = runs.iter().filter(|run| !run.stopped).count() as u64;
        let is_cut = done < work.shards().len();
        let filled_s = if is_cut { self.fill(work, sink, &claims)? } else { None };
        // Shares all that merging took: partials wait for those before them, so that the last one
        // that is put may merge many.
        let put_s: f64 = runs.iter().map(|run| run.put_s).sum();
        let deliver_s = filled_s.map(|filled_s| (filled_s + put_s) / work.shards().len() as f64);
        let mut round = round(work, &runs, &claims, (&self.lock().under_way, deliver_s));
        round.is_aside = work.spec() != self.main.as_ref();
        let watch = Stopwatch::start();
        let learnt = work.learnt().map(|bytes| bytes.len() as f64);
        round.learnt = learnt.map(|bytes| (bytes, watch.elapsed_s()));
        let mut log = self.lock();
        if log.rounds.len() == 1 {
            log.is_chained = learnt.is_some();
        }
        log.end = work.shards().end();
        log.is_cut |= is_cut;
        log.is_short |= is_cut && deliver_s.is_none();
        log.rounds.push(round);
        log.left_s = self.watch.elapsed_s();
        Ok(())
    }
}

/// Looks at the run on behalf of a probe, and of whoever watches the pilot.
pub(super) struct Relay<'a> {
    pub probe: &'a Probe,
    pub control: &'a Control<'a>,
}

impl Observer for Relay<'_> {
    fn tick(&self, progress: &Progress) {
        let seen_s = self.probe.watch.elapsed_s();
        self.probe.lock().under_way = (progress.under_way.clone(), seen_s);
        if let Some(observer) = self.control.observer {
            observer.tick(progress);
        }
        if self.probe.outer.is_stopped() {
            self.probe.own.stop();
        }
    }
}

/// The mean size of the copies.
fn size(copies: &[(u64, Vec<u8>)]) -> Option<f64> {
    let bytes: usize = copies.iter().map(|(_, bytes)| bytes.len()).sum();
    (!copies.is_empty()).then(|| bytes as f64 / copies.len() as f64)
}

/// What the runs say of their round.
fn round(
    work: &dyn Work,
    runs: &[Run],
    claims: &Claims,
    (under_way, deliver_s): (&(Vec<UnderWay>, f64), Option<f64>),
) -> Round {
    let (ended, stopped): (Vec<&Run>, Vec<&Run>) = runs.iter().partition(|run| !run.stopped);
    let mut samples: Vec<(u64, f64)> = ended.iter().map(|run| (run.place, run.run_s)).collect();
    // The first one warms caches, which tells where few of many were run.
    if samples.len() > 3 && (samples.len() as u64) < work.shards().len() {
        samples.remove(0);
    }
    if samples.is_empty() {
        let (tasks, seen_s) = under_way;
        let reckon = |run: &&Run| {
            let shard = work.shards().get(run.place)?;
            let share = tasks.iter().find(|task| task.task == shard).map(UnderWay::share)?;
            (share > 0.0).then(|| (run.place, ((seen_s - run.began_s) / share).max(run.run_s)))
        };
        samples = stopped.iter().filter_map(reckon).collect();
        if samples.is_empty() {
            samples = stopped.iter().map(|run| (run.place, run.run_s)).collect();
        }
    }
    let mut moments = Moments::default();
    samples.iter().for_each(|(_, seconds)| moments.push(*seconds));
    let put_s: f64 = ended.iter().map(|run| run.put_s).sum();
    let merge_s = put_s / ended.len().max(1) as f64;
    samples.truncate(SAMPLES_MAX);
    samples.sort_unstable_by_key(|(place, _)| *place);
    let copies = claims.copies.lock().unwrap_or_else(PoisonError::into_inner);
    Round {
        shards: work.shards().len(),
        done: ended.len() as u64,
        mean_s: if moments.count() > 0 { moments.mean() } else { 0.0 },
        sd_s: if moments.count() > 1 { moments.variance().sqrt() } else { 0.0 },
        samples,
        merge_s,
        deliver_s: deliver_s.unwrap_or(merge_s),
        bytes: size(&copies),
        is_extrapolated: ended.is_empty(),
        ..Round::default()
    }
}

/// Who runs what next, until when, and some of what came.
struct Claims {
    order: Mutex<Spread>,
    taken: AtomicU64,
    until_s: f64,
    copies: Mutex<Vec<(u64, Vec<u8>)>>,
}

impl Claims {
    fn new(shards: u64, until_s: f64) -> Self {
        let (order, copies) = (Mutex::new(Spread::new(shards)), Mutex::default());
        Self { order, taken: AtomicU64::new(0), until_s, copies }
    }

    /// The place of the next shard; none when all are taken or, but for the first, time is up.
    fn next(&self, watch: &Stopwatch) -> Option<u64> {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        if self.taken.load(Ordering::Relaxed) > 0 && watch.elapsed_s() > self.until_s {
            return None;
        }
        let next = order.next()?;
        self.taken.fetch_add(1, Ordering::Relaxed);
        Some(next)
    }

    /// Encodes the first few partials; those of closures' lists do not travel and are not needed.
    fn copy(&self, work: &dyn Work, place: u64, partial: &Yield) {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        if (copies.len() as u64) < COPIES
            && let Ok(bytes) = work.to_bytes(partial)
        {
            copies.push((place, bytes));
        }
    }
}

/// The places `0..n` such that the first few of them are spread over all: by their bits, reversed.
pub(super) struct Spread {
    n: u64,
    next: u64,
    bits: u32,
}

impl Spread {
    pub fn new(n: u64) -> Self {
        Self { n, next: 0, bits: u64::BITS - n.saturating_sub(1).leading_zeros() }
    }
}

impl Iterator for Spread {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let end = 1u128 << self.bits;
        while u128::from(self.next) < end && self.n > 0 {
            let place = match self.bits {
                0 => 0,
                bits => self.next.reverse_bits() >> (u64::BITS - bits),
            };
            self.next += 1;
            if place < self.n {
                return Some(place);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_comes_once_and_the_first_are_far_apart() {
        for n in [0, 1, 2, 3, 7, 8, 100, 1025] {
            let mut places: Vec<u64> = Spread::new(n).collect();
            if n == 100 {
                assert_eq!(places[..6], [0, 64, 32, 96, 16, 80]);
            }
            places.sort_unstable();
            assert_eq!(places, (0..n).collect::<Vec<_>>());
        }
    }
}
