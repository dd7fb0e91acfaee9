//! The plan: every mapping with its prediction, the one to take, and why.

use super::history::Errors;
use super::mapping::{Costs, Mapping};
use super::model::{Prediction, as_run, orders, predict};
use super::profile::{Profile, Round};
use crate::{Error, Result};

/// A mapping that is faster by less than this is not worth its trouble, in seconds.
const NOTICEABLE_S: f64 = 0.01;
/// Nor is one that is faster by less than this share.
const NOTICEABLE: f64 = 0.1;
/// The overhead of a shard, as a share of its work, from which shards are too fine.
const OVERHEAD_MAX: f64 = 0.05;
/// The share of the workers' time that may be idle at the end before shards are too coarse.
const IDLE_MAX: f64 = 0.1;
/// Shards a worker of which the end of the last is some 5 % of the time at most.
const SHARDS_A_WORKER: u64 = 10;

/// What a pilot and the costs of mappings say of a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What the pilot found.
    pub profile: Profile,
    /// Every mapping, in the order in which they were given.
    pub predictions: Vec<Prediction>,
    /// The place of the one to take.
    pub recommended: usize,
    /// Why, in a sentence.
    pub reason: String,
    /// How the size of shards suits the first mapping here with the most workers.
    pub granularity: Granularity,
}

/// The size of shards on a mapping: work against what each costs beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Granularity {
    /// The mapping it is judged on.
    pub mapping: String,
    /// The work of a shard, in seconds.
    pub shard_s: f64,
    /// What it costs beside that.
    pub overhead_s: f64,
    /// Shards of the largest round for each worker.
    pub shards_per_worker: f64,
    /// Whether it suits.
    pub suits: bool,
    /// What there is to say of it.
    pub verdict: String,
    /// From how many to how many tasks a shard would suit.
    pub tasks: (u64, u64),
}

impl Plan {
    /// Predicts `profile` on each of `mappings`, one worker first, then from the simplest on:
    /// among equals the first is recommended.
    ///
    /// # Errors
    /// [`crate::ErrorKind::TooFew`] if none of the mappings exists here.
    pub fn new(profile: Profile, mappings: &[Mapping], errors: &Errors) -> Result<Self> {
        let predict = |mapping| predict(&profile, mapping, errors.spread(&mapping.name));
        let predictions: Vec<Prediction> = mappings.iter().map(predict).collect();
        let here = || predictions.iter().enumerate().filter(|(_, one)| is_here(one));
        let seconds = |(_, one): &(usize, &Prediction)| one.seconds;
        let best = here().min_by(|one, other| seconds(one).total_cmp(&seconds(other)));
        let Some((fastest, best)) = best else {
            return Err(Error::too_few("mappings that exist here", 0, 1));
        };
        let enough_s = (best.seconds * (1.0 + NOTICEABLE)).max(best.seconds + NOTICEABLE_S);
        let recommended =
            here().find(|(_, one)| one.seconds <= enough_s).map_or(fastest, |(place, _)| place);
        // Of equal numbers of workers `max_by_key` would take the last.
        let widest = here().rev().max_by_key(|(_, one)| one.mapping.workers);
        let judged = widest.map_or(recommended, |(place, _)| place);
        let reason = reason(&profile, &predictions, (recommended, fastest));
        let granularity = granularity(&profile, &predictions[judged].mapping);
        Ok(Self { profile, predictions, recommended, reason, granularity })
    }

    /// The prediction of the mapping to take.
    pub fn recommendation(&self) -> &Prediction {
        &self.predictions[self.recommended]
    }

    /// Whether more than one worker is worth it.
    pub fn is_parallel(&self) -> bool {
        self.recommendation().mapping.workers > 1
    }

    /// The share of one worker's time that no other can take off it (Amdahl's): to read, build,
    /// prepare, merge and finish.
    pub fn serial_share(&self) -> f64 {
        let (serial, work) = (self.profile.serial_s(), self.profile.work_s());
        if serial + work > 0.0 { serial / (serial + work) } else { 1.0 }
    }

    /// The speed-up that no number of workers exceeds: `1 / serial share`.
    pub fn speedup_limit(&self) -> f64 {
        1.0 / self.serial_share()
    }

    /// Gustafson's scaled speed-up of `workers` workers that do as many times the tasks in the
    /// time of one: `w − s (w − 1)`, with `s` the serial share.
    pub fn scaled_speedup(&self, workers: usize) -> f64 {
        let workers = workers as f64;
        workers - self.serial_share() * (workers - 1.0)
    }
}

fn is_here(prediction: &Prediction) -> bool {
    prediction.mapping.missing.is_none()
}

fn reason(
    profile: &Profile,
    predictions: &[Prediction],
    (recommended, fastest): (usize, usize),
) -> String {
    let (taken, best) = (&predictions[recommended], &predictions[fastest]);
    let most = profile.rounds.iter().map(|round| round.shards).max().unwrap_or(0);
    let (alone, gain) = (time(taken.seconds), taken.seconds - best.seconds);
    if taken.mapping.workers > 1 {
        let (title, ratio) = (taken.mapping.title(), taken.speedup);
        let limit = match ratio < 0.8 * taken.mapping.workers as f64 {
            true => format!("; {}", limited(profile, taken)),
            false => String::new(),
        };
        return format!("{title} takes {alone}, {ratio:.2} times as fast as one worker{limit}");
    }
    let many = predictions.iter().filter(|one| is_here(one)).any(|one| one.mapping.workers > 1);
    match most {
        _ if !many => format!("one worker takes {alone}, and there are no others here"),
        0 => "nothing of it is cut into shards that could be shared".into(),
        1 => "all its tasks lie in one shard, and a shard is never shared".into(),
        _ if fastest == recommended => {
            format!("one worker takes {alone}, and to start others costs more than they save")
        }
        _ if gain <= NOTICEABLE_S => format!(
            "one worker takes {alone}; the fastest mapping, {}, would save {}",
            best.mapping.title(),
            time(gain)
        ),
        _ => format!(
            "one worker takes {alone}; {} would save less than {:.0} %: {}",
            best.mapping.title(),
            100.0 * NOTICEABLE,
            limited(profile, best)
        ),
    }
}

/// What keeps a mapping from being as many times as fast as it has workers.
fn limited(profile: &Profile, prediction: &Prediction) -> String {
    let Mapping { workers, costs, .. } = &prediction.mapping;
    let share = |seconds: f64| 100.0 * seconds / prediction.seconds;
    let most = profile.rounds.iter().map(|round| round.shards).max().unwrap_or(0);
    if most < *workers as u64 {
        return format!("there are {most} shards for {workers} workers");
    }
    let rounds = as_run(profile, &prediction.mapping).rounds.len();
    let started = costs.start_s + costs.round_s * rounds as f64;
    let slowdown = profile.slowdown(&prediction.mapping);
    let causes = [
        (share(profile.serial_s()), "of that is serial (to read, build, merge and finish)"),
        (share(started), "of that is the mapping's own start"),
        (
            100.0 * (1.0 - 1.0 / slowdown),
            "of that goes because a shard takes longer while other cores are busy",
        ),
    ];
    let [first, ..] = {
        let mut causes = causes;
        causes.sort_by(|one, other| other.0.total_cmp(&one.0));
        causes
    };
    format!("{:.0} % {}", first.0, first.1)
}

/// Seconds as people read them, to three digits.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.3} ms", 1e3 * s),
        s if s < 1.0 => format!("{:.1} ms", 1e3 * s),
        s => format!("{s:.2} s"),
    }
}

fn granularity(profile: &Profile, mapping: &Mapping) -> Granularity {
    let profile = as_run(profile, mapping);
    let none = Round::default();
    let largest = profile.rounds.iter().max_by(|a, b| a.work_s().total_cmp(&b.work_s()));
    let round = largest.unwrap_or(&none);
    let Costs { shard_s: handing_s, order_s, bytes_per_s, .. } = mapping.costs;
    let (_, each) = orders(round, mapping);
    let back_s = match bytes_per_s {
        None => round.merge_s,
        Some(rate) => round.deliver_s + round.bytes.unwrap_or(0.0) / rate,
    };
    let overhead_s = handing_s + order_s / each as f64 + back_s;
    let (workers, shards) = (mapping.workers.max(1) as u64, round.shards);
    let shards_per_worker = shards as f64 / workers as f64;
    let turns = shards.div_ceil(workers) as f64;
    let idle = if turns > 0.0 { 1.0 - shards_per_worker / turns } else { 0.0 };
    let share = overhead_s / (overhead_s + round.mean_s).max(1e-300);
    let (suits, verdict) = match () {
        () if shards <= 1 => (workers == 1, "one shard: it cannot be shared".into()),
        () if shards < workers => {
            (false, format!("too coarse: {shards} shards for {workers} workers"))
        }
        () if share > OVERHEAD_MAX => (
            false,
            format!("too fine: {:.0} % of the time goes on handing shards out", 100.0 * share),
        ),
        () if idle > IDLE_MAX => (
            false,
            format!("coarse: {:.0} % of the workers' time is idle at the end", 100.0 * idle),
        ),
        () => (true, "suits".into()),
    };
    let tasks_per_shard = profile.tasks_per_shard.max(1);
    let task_s = round.mean_s / tasks_per_shard as f64;
    let least = overhead_s * (1.0 / OVERHEAD_MAX - 1.0) / task_s.max(1e-300);
    let most = (profile.tasks / (SHARDS_A_WORKER * workers)).max(1);
    let tasks = ((least.ceil() as u64).clamp(1, most), most);
    let mapping = mapping.title();
    let shard_s = round.mean_s;
    Granularity { mapping, shard_s, overhead_s, shards_per_worker, suits, verdict, tasks }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mappings(cores: usize) -> Vec<Mapping> {
        let costs = Costs { worker_s: 3e-5, shard_s: 1e-7, ..Costs::NONE };
        let threads = |workers| {
            let serial = Mapping::serial();
            Mapping { name: "threads".into(), workers, costs, ..serial }
        };
        std::iter::once(Mapping::serial()).chain((2..=cores).map(threads)).collect()
    }

    fn plan(rounds: Vec<Round>, cores: usize) -> Plan {
        Plan::new(Profile::of_rounds(rounds), &mappings(cores), &Errors::default()).unwrap()
    }

    #[test]
    fn much_work_is_shared_and_little_is_not() {
        let much = plan(vec![Round::of_equal(1000, 0.01)], 4);
        assert_eq!(much.recommendation().mapping.title(), "threads × 4");
        assert!(much.is_parallel() && much.granularity.suits, "{much:?}");
        assert!(much.reason.starts_with("threads × 4 takes 2.50 s, 4.00 times"), "{}", much.reason);
        let little = plan(vec![Round::of_equal(1000, 1e-5)], 4);
        assert!(!little.is_parallel());
        assert!(
            little.reason.contains("the fastest mapping, threads × 4, would save 7."),
            "{little:?}"
        );
    }

    #[test]
    fn the_reason_not_to_share_is_the_true_one() {
        let reason = |rounds, cores| plan(rounds, cores).reason;
        assert!(reason(vec![Round::of_equal(1, 9.0)], 4).contains("in one shard"));
        assert!(reason(vec![], 4).contains("nothing of it is cut"));
        assert!(reason(vec![Round::of_equal(9, 9.0)], 1).contains("no others here"));
        assert!(reason(vec![Round::of_equal(2, 1e-6)], 4).contains("costs more than they save"));
        let mut profile = Profile::of_rounds(vec![Round::of_equal(100, 0.001)]);
        profile.finish_s = Some(9.9);
        let plan = Plan::new(profile, &mappings(4), &Errors::default()).unwrap();
        assert!(plan.reason.contains("less than 10 %: 100 % of that is serial"), "{}", plan.reason);
        assert!((plan.serial_share() - 0.99).abs() < 1e-12);
        assert!((plan.speedup_limit() - 1.0 / 0.99).abs() < 1e-12);
        assert!((plan.scaled_speedup(100) - (100.0 - 0.99 * 99.0)).abs() < 1e-9);
    }

    #[test]
    fn what_is_missing_is_predicted_and_not_recommended() {
        let mut all = mappings(2);
        all.push(Mapping { workers: 64, missing: Some("no mpirun".into()), ..all[1].clone() });
        let profile = Profile::of_rounds(vec![Round::of_equal(6400, 0.01)]);
        let plan = Plan::new(profile.clone(), &all, &Errors::default()).unwrap();
        assert_eq!(plan.recommended, 1);
        assert!(plan.predictions[2].seconds < 1.1);
        let none = Plan::new(profile, &all[2..], &Errors::default());
        assert!(none.unwrap_err().to_string().contains("mappings that exist here"));
    }

    #[test]
    fn shards_are_too_fine_too_coarse_or_suit() {
        let verdict = |round, cores| plan(vec![round], cores).granularity;
        let fine = Round { merge_s: 1e-3, ..Round::of_equal(10_000, 1e-3) };
        assert!(verdict(fine, 4).verdict.starts_with("too fine: 50 %"));
        let coarse = verdict(Round::of_equal(3, 1.0), 8);
        assert!(coarse.verdict.starts_with("too coarse: 3 shards for 8"), "{coarse:?}");
        let turns = verdict(Round::of_equal(9, 1.0), 8);
        assert!(!turns.suits && turns.verdict.contains("idle at the end"), "{turns:?}");
        // 10,000 tasks of 100 µs, 19 times 1 µs of overhead: from one task a shard to 250.
        let mut profile = Profile::of_rounds(vec![Round::of_equal(100, 0.01)]);
        (profile.tasks, profile.tasks_per_shard) = (10_000, 100);
        let plan = Plan::new(profile, &mappings(4), &Errors::default()).unwrap();
        assert_eq!((plan.granularity.tasks, plan.granularity.suits), ((1, 250), true));
    }
}
