//! What a pilot found of a problem: numbers, round by round.

use super::mapping::Mapping;
use crate::Carries;

/// What a pilot found. The seconds are those of one worker on a machine that does nothing else,
/// but for `slowdown`.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The problem's name.
    pub problem: String,
    /// Tasks of the main job.
    pub tasks: u64,
    /// Tasks of each of its shards but, perhaps, the last.
    pub tasks_per_shard: u64,
    /// What a user counts in place of tasks, such as `resamples`, and how many there are.
    pub draws: Option<(String, u64)>,
    /// To read the data. Zero until whoever builds the problem says so.
    pub read_s: f64,
    /// To check the options and data and make the problem. Zero until then, too.
    pub build_s: f64,
    /// Before, between and after the rounds, less what it takes to finish.
    pub prepare_s: f64,
    /// From the last merge to the answer; none if the pilot did not come so far.
    pub finish_s: Option<f64>,
    /// The rounds, in order.
    pub rounds: Vec<Round>,
    /// Whether these are all.
    pub extent: Extent,
    /// What must be brought to workers elsewhere: closures never leave the process.
    pub needs: Carries,
    /// Whether the job reads a table.
    pub reads: bool,
    /// Whether the shards of a round need what the rounds before it have found.
    pub is_chained: bool,
    /// How many workers the pilot tried at once, and how much longer a shard then takes.
    pub loaded: (usize, f64),
    /// How long the pilot took.
    pub pilot_s: f64,
}

/// Whether the rounds of a profile are all that the problem has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// They are.
    Known,
    /// It may end before: what it finds decides.
    AtMost,
    /// There will be more, nobody knows how many: what it finds decides.
    AtLeast,
}

/// One round: a job whose shards do not wait for one another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Round {
    /// How many shards it has.
    pub shards: u64,
    /// How many of them the pilot ran.
    pub done: u64,
    /// The mean time of a shard.
    pub mean_s: f64,
    /// The standard deviation of the time of a shard.
    pub sd_s: f64,
    /// Some shards and how long they took, by their place among those of the round.
    pub samples: Vec<(u64, f64)>,
    /// To merge one partial.
    pub merge_s: f64,
    /// To read and merge one that travelled.
    pub deliver_s: f64,
    /// The size of a partial, if it can travel.
    pub bytes: Option<f64>,
    /// What it needs of the rounds before it: bytes, and the seconds to pack them.
    pub learnt: Option<(f64, f64)>,
    /// Whether the times are reckoned from shards that did not end.
    pub is_extrapolated: bool,
    /// Whether it is no part of the main job, such as what comes before or after it.
    pub is_aside: bool,
    /// If it is a chain of rounds in one: the first shard of each but the first, and the work
    /// before it, which must be run again where only the job is known.
    pub chain: Vec<(u64, f64)>,
}

impl Round {
    /// A round of `shards` equal shards.
    pub fn of_equal(shards: u64, shard_s: f64) -> Self {
        let samples = vec![(0, shard_s)];
        Self { shards, done: shards, mean_s: shard_s, samples, ..Self::default() }
    }

    /// The work of its shards, one after the other.
    pub fn work_s(&self) -> f64 {
        self.shards as f64 * self.mean_s
    }

    /// The variance of what the pilot says of the work: that of a mean of some shards for all.
    pub fn work_variance(&self) -> f64 {
        let (n, k) = (self.shards as f64, self.done as f64);
        // Of a shard that did not end one knows the time to a quarter.
        let guessed = if self.is_extrapolated { 0.25 * self.work_s() } else { 0.0 };
        if self.done == 0 {
            return 0.0;
        }
        let left = ((n - k) / n).max(0.0);
        n * n * self.sd_s * self.sd_s / k * left + guessed * guessed
    }

    /// The time of the shard at `place`: that of the nearest that was measured.
    pub fn shard_s(&self, place: u64) -> f64 {
        let after = self.samples.partition_point(|(sampled, _)| *sampled < place);
        let near = [after.wrapping_sub(1), after];
        let near = near.into_iter().filter_map(|place| self.samples.get(place));
        let nearest = near.min_by_key(|(sampled, _)| sampled.abs_diff(place));
        nearest.map_or(self.mean_s, |(_, seconds)| *seconds)
    }
}

impl Profile {
    /// A profile of these rounds alone, with a task a shard and nothing serial.
    pub fn of_rounds(rounds: Vec<Round>) -> Self {
        Self {
            problem: String::new(),
            tasks: rounds.iter().map(|round| round.shards).sum(),
            tasks_per_shard: 1,
            draws: None,
            read_s: 0.0,
            build_s: 0.0,
            prepare_s: 0.0,
            finish_s: None,
            rounds,
            extent: Extent::Known,
            needs: Carries::Specs,
            reads: false,
            is_chained: false,
            loaded: (1, 1.0),
            pilot_s: 0.0,
        }
    }

    /// The work of all shards, one after the other.
    pub fn work_s(&self) -> f64 {
        // The sum of nothing is minus zero.
        0.0 + self.rounds.iter().map(Round::work_s).sum::<f64>()
    }

    /// The standard error of that, the pilot having run some shards and not all.
    pub fn work_error_s(&self) -> f64 {
        (0.0 + self.rounds.iter().map(Round::work_variance).sum::<f64>()).sqrt()
    }

    /// To merge all partials in this process.
    pub fn merge_s(&self) -> f64 {
        0.0 + self.rounds.iter().map(|round| round.shards as f64 * round.merge_s).sum::<f64>()
    }

    /// What no worker can take off another: to read, build, prepare, merge and finish.
    pub fn serial_s(&self) -> f64 {
        let finish_s = self.finish_s.unwrap_or(0.0);
        self.read_s + self.build_s + self.prepare_s + self.merge_s() + finish_s
    }

    /// Shards of all rounds.
    pub fn shards(&self) -> u64 {
        self.rounds.iter().map(|round| round.shards).sum()
    }

    /// How much longer a shard takes while all workers of `mapping` are at work: as the pilot
    /// found it for all of this machine, and on the line between where there are fewer. A function
    /// of Python waits for Python's lock where it stays in this process, and nowhere else.
    pub fn slowdown(&self, mapping: &Mapping) -> f64 {
        if self.needs == Carries::Code && mapping.costs.bytes_per_s.is_some() {
            return 1.0;
        }
        let (tried, slowdown) = self.loaded;
        let share = (mapping.workers.max(1) - 1) as f64 / (tried.max(2) - 1) as f64;
        1.0 + (slowdown - 1.0) * share.min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_costs_what_the_nearest_did() {
        let samples = vec![(0, 1.0), (10, 3.0), (20, 2.0)];
        let round = Round { shards: 21, done: 3, mean_s: 2.0, samples, ..Round::default() };
        let times = [0, 4, 6, 14, 16, 99].map(|place| round.shard_s(place));
        assert_eq!(times, [1.0, 1.0, 3.0, 3.0, 2.0, 2.0]);
    }

    #[test]
    fn all_shards_leave_no_doubt_and_some_do() {
        let mut round = Round::of_equal(100, 0.01);
        round.sd_s = 0.002;
        assert_eq!(round.work_variance(), 0.0);
        round.done = 25;
        // 100 · 0.002 / √25 · √(75/100), squared.
        assert!((round.work_variance().sqrt() - 0.04 * 0.75f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn pythons_lock_slows_down_what_stays_in_the_process() {
        let mut profile = Profile::of_rounds(vec![Round::of_equal(8, 0.1)]);
        profile.loaded = (4, 4.0);
        let named = |name: &str, workers| Mapping::of_default(name, workers).unwrap();
        let of = |profile: &Profile, name| profile.slowdown(&named(name, 4));
        assert_eq!((of(&profile, "threads"), of(&profile, "dask")), (4.0, 4.0));
        assert_eq!(profile.slowdown(&named("threads", 2)), 2.0);
        profile.needs = Carries::Code;
        assert_eq!((of(&profile, "threads"), of(&profile, "dask")), (4.0, 1.0));
        assert_eq!((of(&profile, "thread-pool"), of(&profile, "pool")), (4.0, 1.0));
    }
}
