//! Who runs which shards: handed out as ranks come free, or cut beforehand.

use std::fmt;
use std::str::FromStr;
use windfall_core::{Error, Result, Work};

/// Who runs which shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Rank 0 hands out small orders, the next when one comes back: for shards of uneven length.
    Dynamic,
    /// Every rank knows its shards from its number; one gather at the end: for even shards.
    Static,
    /// Static where each rank gets a few short shards at most, else dynamic.
    #[default]
    Auto,
}

/// Up to so many shards a rank are not worth handing out one by one.
const FEW_SHARDS: u64 = 4;

impl Schedule {
    /// Whether the shards of `work` are cut beforehand among so many ranks.
    pub(crate) fn is_static(self, work: &dyn Work, ranks: u64) -> bool {
        match self {
            Self::Dynamic => false,
            Self::Static => true,
            Self::Auto => !work.has_long_shards() && work.shards().len() <= FEW_SHARDS * ranks,
        }
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let all = [Self::Dynamic, Self::Static, Self::Auto];
        let found = all.into_iter().find(|schedule| schedule.to_string() == text);
        found.ok_or_else(|| Error::unknown("schedule", text, &["dynamic", "static", "auto"]))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dynamic => "dynamic",
            Self::Static => "static",
            Self::Auto => "auto",
        })
    }
}

/// How long an order should take, in seconds. Where ranks share cores, an order and its reply wait
/// for a turn of some milliseconds each: with 0.02 s, four ranks on two cores idle for 4 % more of
/// the time. A run that is stopped waits for orders to end.
const ORDER_S: f64 = 0.06;

/// How many shards to do at a time, learnt from how long they take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// Seconds a shard takes; none before the first.
    shard_s: Option<f64>,
}

impl Pace {
    /// So many shards took so long.
    pub(crate) fn learn(&mut self, shards: u64, seconds: f64) {
        let latest = seconds / shards.max(1) as f64;
        self.shard_s = Some(self.shard_s.map_or(latest, |before| 0.5 * (before + latest)));
    }

    /// So many take as long as an order should.
    pub(crate) fn shards(&self) -> u64 {
        self.shard_s.map_or(1, |seconds| (ORDER_S / seconds.max(1e-9)) as u64).max(1)
    }

    /// The size of the next order where so many shards are left among so many workers: smaller
    /// towards the end, so that all end together.
    pub(crate) fn order(&self, left: u64, workers: u64) -> u64 {
        self.shards().min(left / (2 * workers)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_grow_with_the_pace_and_shrink_towards_the_end() {
        let mut pace = Pace::default();
        assert_eq!(pace.order(1_000_000, 4), 1);
        for _ in 0..20 {
            pace.learn(10, 0.0001);
        }
        assert_eq!(pace.order(1_000_000, 4), 6000);
        assert_eq!(pace.order(800, 4), 100);
        assert_eq!(pace.order(1, 4), 1);
        pace.learn(1, 60.0);
        assert_eq!(pace.order(1_000_000, 4), 1);
    }

    #[test]
    fn a_misspelt_schedule_is_named() {
        assert_eq!("static".parse::<Schedule>(), Ok(Schedule::Static));
        let message = "statik".parse::<Schedule>().unwrap_err().to_string();
        assert!(message.contains("did you mean `static`?"), "{message}");
    }
}
