//! A set of shards by their indices, written as people write it: `0..64,70,72..75`.

use crate::{Error, Result};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Which shards: ascending runs of indices, none empty, no two that touch.
///
/// Written, a run is `first..end` with the end left out, or one index alone.
///
/// ```
/// use windfall_core::ShardSet;
/// let asked: ShardSet = "70,0..3,3..64".parse()?;
/// assert_eq!(asked.to_string(), "0..64,70");
/// assert_eq!(asked.len(), 65);
/// let done = ShardSet::from_iter([1, 2, 70]);
/// assert_eq!(asked.without(&done).to_string(), "0,3..64");
/// # Ok::<(), windfall_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardSet {
    runs: Vec<Range<u64>>,
    /// The number of shards up to the end of each run.
    counts: Vec<u64>,
}

impl ShardSet {
    /// The number of shards.
    pub fn len(&self) -> u64 {
        self.counts.last().copied().unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Its runs of consecutive indices, ascending.
    pub fn runs(&self) -> &[Range<u64>] {
        &self.runs
    }

    /// The indices, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.runs.iter().cloned().flatten()
    }

    /// One past the highest index.
    pub fn end(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.end)
    }

    /// The index at `place`, counted from the lowest; none beyond the last. Costs a logarithm of
    /// the number of runs.
    pub fn get(&self, place: u64) -> Option<u64> {
        let run = self.counts.partition_point(|&count| count <= place);
        let before = if run == 0 { 0 } else { self.counts[run - 1] };
        self.runs.get(run).map(|run| run.start + (place - before))
    }

    /// Whether `shard` is one of them.
    pub fn contains(&self, shard: u64) -> bool {
        let run = self.runs.partition_point(|run| run.end <= shard);
        self.runs.get(run).is_some_and(|run| run.start <= shard)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = Self::default();
        let mut others = other.runs.iter().peekable();
        for run in &self.runs {
            let mut start = run.start;
            while let Some(gap) = others.peek().filter(|gap| gap.start < run.end) {
                if gap.start > start {
                    left.push(start..gap.start);
                }
                start = start.max(gap.end);
                if gap.end > run.end {
                    break;
                }
                others.next();
            }
            left.push(start..run.end);
        }
        left
    }

    /// Cuts it into at most `pieces` sets of consecutive members, as equal as can be.
    pub fn cut(&self, pieces: u64) -> Vec<Self> {
        let step = self.len().div_ceil(pieces.max(1)).max(1);
        let mut cut = Vec::new();
        let mut piece = Self::default();
        for run in &self.runs {
            let mut start = run.start;
            while start < run.end {
                let end = run.end.min(start + step - piece.len());
                piece.push(start..end);
                start = end;
                if piece.len() == step {
                    cut.push(std::mem::take(&mut piece));
                }
            }
        }
        if !piece.is_empty() {
            cut.push(piece);
        }
        cut
    }

    /// Adds a run that begins no earlier than the last one ends.
    fn push(&mut self, run: Range<u64>) {
        if run.start >= run.end {
            return;
        }
        let count = self.len() + (run.end - run.start);
        match self.runs.last_mut().filter(|last| last.end == run.start) {
            Some(last) => {
                last.end = run.end;
                self.counts.pop();
            }
            None => self.runs.push(run),
        }
        self.counts.push(count);
    }

    fn from_runs(mut runs: Vec<Range<u64>>) -> Self {
        runs.sort_unstable_by_key(|run| run.start);
        let mut set = Self::default();
        for run in runs {
            set.push(run.start.max(set.end())..run.end);
        }
        set
    }
}

impl From<Range<u64>> for ShardSet {
    fn from(range: Range<u64>) -> Self {
        Self::from_runs(vec![range])
    }
}

impl FromIterator<u64> for ShardSet {
    fn from_iter<I: IntoIterator<Item = u64>>(shards: I) -> Self {
        Self::from_runs(shards.into_iter().map(|shard| shard..shard.saturating_add(1)).collect())
    }
}

impl fmt::Display for ShardSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, run) in self.runs.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match run.end - run.start {
                1 => write!(f, "{comma}{}", run.start)?,
                _ => write!(f, "{comma}{}..{}", run.start, run.end)?,
            }
        }
        Ok(())
    }
}

impl FromStr for ShardSet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let run = |part: &str| {
            let number = |text: &str| text.trim().parse::<u64>().ok();
            let range = match part.split_once("..") {
                Some((first, end)) => number(first)?..number(end)?,
                None => number(part)?..number(part)?.checked_add(1)?,
            };
            (range.start < range.end).then_some(range)
        };
        let runs = text.split(',').map(|part| {
            run(part).ok_or_else(|| {
                Error::invalid("shards", part.trim(), "an index, or a range that is not empty")
                    .hint("write for example 0..64 (the end is left out), or 3,7..9")
            })
        });
        Ok(Self::from_runs(runs.collect::<Result<_>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, Streams};

    /// Random sets below 40, as lists.
    fn lists() -> impl Iterator<Item = Vec<u64>> {
        let streams = Streams::new(Seed::from(3u64), "shard sets");
        (0..200).map(move |task| {
            let mut stream = streams.task(task);
            let share = stream.uniform();
            (0..40).filter(|_| stream.uniform() < share).collect()
        })
    }

    #[test]
    fn it_is_the_set_of_its_members() {
        for list in lists() {
            let set = ShardSet::from_iter(list.iter().rev().copied());
            assert_eq!(set.iter().collect::<Vec<_>>(), list);
            assert_eq!(set.len(), list.len() as u64);
            assert!(set.runs().windows(2).all(|pair| pair[0].end < pair[1].start));
            for shard in 0..41 {
                assert_eq!(set.contains(shard), list.contains(&shard));
                assert_eq!(set.get(shard), list.get(shard as usize).copied());
            }
            if !list.is_empty() {
                assert_eq!(set.to_string().parse::<ShardSet>().unwrap(), set);
            }
        }
    }

    #[test]
    fn without_is_the_difference() {
        for (ours, theirs) in lists().zip(lists().skip(1)) {
            let left = ShardSet::from_iter(ours.iter().copied())
                .without(&ShardSet::from_iter(theirs.iter().copied()));
            let expected: Vec<u64> =
                ours.into_iter().filter(|shard| !theirs.contains(shard)).collect();
            assert_eq!(left, ShardSet::from_iter(expected));
        }
    }

    #[test]
    fn pieces_hold_everything_once() {
        for list in lists() {
            let set = ShardSet::from_iter(list.iter().copied());
            for pieces in [1, 2, 7, 100] {
                let cut = set.cut(pieces);
                assert!(cut.len() as u64 <= pieces);
                let members: Vec<u64> = cut.iter().flat_map(ShardSet::iter).collect();
                assert_eq!(members, list);
            }
        }
    }

    #[test]
    fn what_is_no_range_is_named() {
        for text in ["", "3..3", "5..2", "a", "1,,2", "-1", "0..18446744073709551616"] {
            let message = text.parse::<ShardSet>().unwrap_err().to_string();
            assert!(message.contains("hint: write for example 0..64"), "{message}");
        }
    }
}
