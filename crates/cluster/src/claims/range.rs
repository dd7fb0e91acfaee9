//! A run of positions, small enough for one atomic word.

/// The positions from `low` on and before `high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The first.
    pub low: u32,
    /// The first that is not in it.
    pub high: u32,
}

impl Range {
    /// The positions from `low` on and before `high`.
    pub fn new(low: u32, high: u32) -> Self {
        Self { low, high }
    }

    /// How many positions.
    pub fn len(self) -> u32 {
        self.high.saturating_sub(self.low)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.low >= self.high
    }

    /// As one word; an empty range is 0.
    pub(super) fn pack(self) -> u64 {
        if self.is_empty() { 0 } else { u64::from(self.low) | u64::from(self.high) << 32 }
    }

    pub(super) fn unpack(word: u64) -> Self {
        Self { low: word as u32, high: (word >> 32) as u32 }
    }

    /// The same positions, each once, in order.
    pub fn union(mut ranges: Vec<Self>) -> Vec<Self> {
        ranges.retain(|range| !range.is_empty());
        ranges.sort();
        let mut union: Vec<Self> = vec![];
        for range in ranges {
            match union.last_mut() {
                Some(last) if range.low <= last.high => last.high = last.high.max(range.high),
                _ => union.push(range),
            }
        }
        union
    }
}
