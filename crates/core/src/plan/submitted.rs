//! A profile as it is where the main job goes out whole, before anything of it is known.

use super::profile::{Profile, Round};

impl Profile {
    /// The same job where its main job is submitted once, as shards that are told nothing but the
    /// job: its rounds become one. In a chain of rounds an order then runs the rounds before its
    /// shards again, and what is no part of the main job is run by whoever merges, alone.
    pub(super) fn submitted(&self) -> Self {
        let (aside, main): (Vec<Round>, Vec<Round>) =
            self.rounds.iter().cloned().partition(|round| round.is_aside);
        let aside_s: f64 = aside.iter().map(|one| one.work_s() + of_all(one, one.merge_s)).sum();
        let mut profile = self.clone();
        profile.finish_s = Some(self.finish_s.unwrap_or(0.0) + aside_s);
        profile.rounds = if main.is_empty() { main } else { vec![together(&main)] };
        if !self.is_chained {
            profile.rounds.iter_mut().for_each(|round| round.chain.clear());
        }
        profile
    }
}

/// Rounds of one job as one round of it.
fn together(rounds: &[Round]) -> Round {
    let mut all = Round::default();
    let (mut squares, mut bytes) = (0.0, 0.0);
    for round in rounds {
        let (shards, work_s) = (round.shards as f64, all.work_s());
        if all.shards > 0 {
            all.chain.push((all.shards, work_s));
        }
        all.samples.extend(round.samples.iter().map(|&(place, s)| (all.shards + place, s)));
        all.merge_s += of_all(round, round.merge_s);
        all.deliver_s += of_all(round, round.deliver_s);
        bytes += of_all(round, round.bytes.unwrap_or(0.0));
        squares += shards * (round.sd_s * round.sd_s + round.mean_s * round.mean_s);
        all.shards += round.shards;
        all.done += round.done;
        all.mean_s = (work_s + round.work_s()) / (all.shards as f64).max(1.0);
        all.is_extrapolated |= round.is_extrapolated;
    }
    let shards = (all.shards as f64).max(1.0);
    all.merge_s /= shards;
    all.deliver_s /= shards;
    all.sd_s = (squares / shards - all.mean_s * all.mean_s).max(0.0).sqrt();
    all.bytes = rounds.iter().any(|round| round.bytes.is_some()).then_some(bytes / shards);
    all
}

/// What all shards of a round come to, if each is so much.
fn of_all(round: &Round, each: f64) -> f64 {
    round.shards as f64 * each
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_of_the_main_job_become_one_and_the_others_are_serial() {
        let mut rounds = vec![Round::of_equal(2, 0.1), Round::of_equal(6, 0.3)];
        rounds.push(Round { is_aside: true, merge_s: 0.5, ..Round::of_equal(4, 1.0) });
        (rounds[0].bytes, rounds[1].bytes) = (Some(80.0), Some(16.0));
        let mut profile = Profile::of_rounds(rounds);
        (profile.finish_s, profile.is_chained) = (Some(0.25), true);
        let submitted = profile.submitted();
        let [round] = submitted.rounds.as_slice() else { panic!("one round") };
        assert_eq!((round.shards, round.bytes), (8, Some(32.0)));
        assert!((round.work_s() - 2.0).abs() < 1e-12);
        assert_eq!([0, 1, 2, 7].map(|place| round.shard_s(place)), [0.1, 0.1, 0.3, 0.3]);
        assert_eq!(round.chain, [(2, 0.2)]);
        assert_eq!(submitted.finish_s, Some(0.25 + 4.0 + 4.0 * 0.5));
        profile.is_chained = false;
        assert!(profile.submitted().rounds[0].chain.is_empty());
    }
}
