//! Designs: what the rearrangements of the data are, how many, which, and one at random.
//!
//! Every design is told in one way. The statistic looks at *positions*; an arrangement says for
//! each position which row of a *pool* it shows. Where labels or columns are permuted the pool is
//! the table itself; where related samples are exchanged it holds every row once for each order of
//! its values, one order after the other.

use std::ops::Range;
use windfall_core::Stream;

/// What is rearranged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Labels: for each row its code, of so many labels.
    Labels(Vec<u32>, usize),
    /// Rows against other columns.
    Pairings,
    /// The values within each row, in so many orders.
    Orders(u32),
}

/// A design over the positions of a table.
#[derive(Clone, Debug)]
pub(crate) struct Design {
    pub kind: Kind,
    rows: usize,
    /// Positions stratum by stratum; none where they stand so.
    order: Option<Vec<u32>>,
    strata: Vec<Range<usize>>,
    /// Labels: positions by stratum, then label.
    homes: Vec<u32>,
}

impl Design {
    /// A design of `rows` rows that permutes within `strata`, given as one code a row.
    pub fn new(kind: Kind, rows: usize, strata: Option<&[u32]>) -> Self {
        let stratum = |row: u32| strata.map_or(0, |codes| codes[row as usize]);
        let mut order: Vec<u32> = (0..rows as u32).collect();
        order.sort_by_key(|&row| stratum(row));
        let mut bounds = vec![0];
        bounds.extend((1..rows).filter(|&p| stratum(order[p - 1]) != stratum(order[p])));
        bounds.push(rows);
        let mut homes = Vec::new();
        if let Kind::Labels(codes, _) = &kind {
            homes.clone_from(&order);
            homes.sort_by_key(|&row| (stratum(row), codes[row as usize]));
        }
        Self {
            kind,
            rows,
            strata: bounds.windows(2).map(|pair| pair[0]..pair[1]).collect(),
            order: (!order.is_sorted()).then_some(order),
            homes,
        }
    }

    /// A design of so many columns of `rows` rows, each permuted by itself within `strata`: they
    /// stand one below the other, each with strata of its own.
    pub fn apart(columns: usize, rows: usize, strata: Option<&[u32]>) -> Self {
        let own = |row: usize| strata.map_or(0, |codes| codes[row]);
        let count = (0..rows).map(own).max().map_or(1, |most| most + 1);
        let codes: Vec<u32> = (0..columns as u32)
            .flat_map(|column| (0..rows).map(move |row| column * count + own(row)))
            .collect();
        Self::new(Kind::Pairings, columns * rows, Some(&codes))
    }

    /// The number of positions.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of strata.
    pub fn strata(&self) -> usize {
        self.strata.len()
    }

    /// The row at a place of the order of strata.
    fn row(&self, place: usize) -> usize {
        self.order.as_ref().map_or(place, |order| order[place] as usize)
    }

    /// Positions stratum by stratum.
    pub fn by_stratum(&self) -> impl Iterator<Item = Vec<u32>> + '_ {
        self.strata.iter().map(|stratum| stratum.clone().map(|p| self.row(p) as u32).collect())
    }

    /// The arrangement of the data as they are.
    pub fn observed(&self) -> Vec<u32> {
        (0..self.rows as u32).collect()
    }

    /// The number of distinct arrangements, if it can be counted in 64 bits.
    pub fn count(&self) -> Option<u64> {
        if let Kind::Orders(orders) = self.kind {
            return u64::from(orders).checked_pow(u32::try_from(self.rows).ok()?);
        }
        self.strata.iter().try_fold(1u64, |count, stratum| {
            let tally = tally(&self.symbols(stratum));
            count.checked_mul(u64::try_from(ways(&tally)?).ok()?)
        })
    }

    /// Draws an arrangement, each as likely.
    pub fn draw(&self, stream: &mut Stream, arrangement: &mut [u32]) {
        let rows = self.rows as u32;
        if let Kind::Orders(orders) = self.kind {
            for (row, shown) in (0..rows).zip(arrangement) {
                *shown = row + rows * stream.below(orders.into()) as u32;
            }
            return;
        }
        (0..rows).zip(arrangement.iter_mut()).for_each(|(row, shown)| *shown = row);
        for stratum in &self.strata {
            if self.order.is_none() {
                stream.shuffle(&mut arrangement[stratum.clone()]);
                continue;
            }
            for last in (1..stratum.len()).rev() {
                let other = stream.below(last as u64 + 1) as usize;
                let place = |at: usize| self.row(stratum.start + at);
                arrangement.swap(place(last), place(other));
            }
        }
    }

    /// The symbols that a stratum permutes, ascending: labels, or its own rows.
    fn symbols(&self, stratum: &Range<usize>) -> Vec<u32> {
        let mut symbols: Vec<u32> = match &self.kind {
            Kind::Labels(codes, _) => stratum.clone().map(|p| codes[self.row(p)]).collect(),
            _ => stratum.clone().map(|p| self.row(p) as u32).collect(),
        };
        symbols.sort_unstable();
        symbols
    }

    /// The arrangements from number `rank` on, in lexicographic order, the last stratum fastest.
    pub fn starting_at(&self, rank: u64) -> Cursor<'_> {
        let mut symbols = vec![0; self.rows];
        let mut rank = rank;
        if let Kind::Orders(orders) = self.kind {
            for symbol in symbols.iter_mut().rev() {
                *symbol = (rank % u64::from(orders)) as u32;
                rank /= u64::from(orders);
            }
            return Cursor { design: self, symbols };
        }
        for stratum in self.strata.iter().rev() {
            let mut tally = tally(&self.symbols(stratum));
            let ways = ways(&tally).and_then(|ways| u64::try_from(ways).ok()).unwrap_or(u64::MAX);
            unrank(&mut tally, (rank % ways).into(), &mut symbols[stratum.clone()]);
            rank /= ways;
        }
        Cursor { design: self, symbols }
    }
}

/// A place among the arrangements in lexicographic order.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    design: &'a Design,
    symbols: Vec<u32>,
}

impl Cursor<'_> {
    /// Writes the arrangement and goes on to the next.
    pub fn next(&mut self, arrangement: &mut [u32]) {
        self.write(arrangement);
        if let Kind::Orders(orders) = self.design.kind {
            for symbol in self.symbols.iter_mut().rev() {
                *symbol += 1;
                if *symbol < orders {
                    return;
                }
                *symbol = 0;
            }
            return;
        }
        for stratum in self.design.strata.iter().rev() {
            if next_permutation(&mut self.symbols[stratum.clone()]) {
                return;
            }
        }
    }

    fn write(&self, arrangement: &mut [u32]) {
        let design = self.design;
        match &design.kind {
            Kind::Orders(_) => {
                let rows = design.rows as u32;
                for (row, (shown, symbol)) in arrangement.iter_mut().zip(&self.symbols).enumerate()
                {
                    *shown = row as u32 + rows * symbol;
                }
            }
            Kind::Pairings => {
                for (place, &symbol) in self.symbols.iter().enumerate() {
                    arrangement[design.row(place)] = symbol;
                }
            }
            Kind::Labels(_, labels) => {
                let mut next = vec![0; labels + 1];
                for stratum in &design.strata {
                    let symbols = &self.symbols[stratum.clone()];
                    next.fill(0);
                    symbols.iter().for_each(|&symbol| next[symbol as usize + 1] += 1);
                    next[0] = stratum.start;
                    (1..=*labels).for_each(|label| next[label] += next[label - 1]);
                    for (place, &symbol) in stratum.clone().zip(symbols) {
                        let home = &mut next[symbol as usize];
                        arrangement[design.homes[*home] as usize] = design.row(place) as u32;
                        *home += 1;
                    }
                }
            }
        }
    }
}

/// How often each symbol occurs in a sorted list.
fn tally(symbols: &[u32]) -> Vec<(u32, u64)> {
    let runs = symbols.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0], run.len() as u64)).collect()
}

/// The number of orders of a multiset, if it can be counted in 128 bits.
fn ways(tally: &[(u32, u64)]) -> Option<u128> {
    let (mut ways, mut placed) = (1u128, 0u128);
    for &(_, count) in tally {
        for taken in 1..=u128::from(count) {
            placed += 1;
            // Exact at each step: a product of binomial coefficients.
            ways = ways.checked_mul(placed)? / taken;
        }
    }
    Some(ways)
}

/// Writes the order number `rank` of a multiset, in lexicographic order.
fn unrank(tally: &mut [(u32, u64)], mut rank: u128, out: &mut [u32]) {
    for slot in out {
        for at in 0..tally.len() {
            if tally[at].1 == 0 {
                continue;
            }
            tally[at].1 -= 1;
            let below = ways(tally).unwrap_or(u128::MAX);
            if rank < below {
                *slot = tally[at].0;
                break;
            }
            rank -= below;
            tally[at].1 += 1;
        }
    }
}

/// The next order of a list; false, with the list sorted, after the last.
fn next_permutation(list: &mut [u32]) -> bool {
    let Some(rise) = list.windows(2).rposition(|pair| pair[0] < pair[1]) else {
        list.reverse();
        return false;
    };
    let above = list.iter().rposition(|&symbol| symbol > list[rise]).unwrap_or(rise);
    list.swap(rise, above);
    list[rise + 1..].reverse();
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use windfall_core::Streams;

    fn all(design: &Design) -> Vec<Vec<u32>> {
        let mut cursor = design.starting_at(0);
        let mut arrangement = vec![0; design.rows()];
        let count = design.count().unwrap();
        (0..count)
            .map(|_| {
                cursor.next(&mut arrangement);
                arrangement.clone()
            })
            .collect()
    }

    fn designs() -> Vec<(Design, u64)> {
        let labels = |codes: &[u32]| Kind::Labels(codes.to_vec(), 3);
        vec![
            (Design::new(labels(&[0, 1, 1, 0, 2]), 5, None), 30),
            (Design::new(labels(&[0, 1, 1, 0, 2, 0]), 6, Some(&[0, 1, 0, 1, 0, 0])), 2 * 12),
            (Design::new(Kind::Pairings, 5, None), 120),
            (Design::new(Kind::Pairings, 5, Some(&[1, 0, 1, 1, 0])), 12),
            (Design::apart(2, 3, None), 36),
            (Design::apart(2, 4, Some(&[1, 0, 1, 0])), 16),
            (Design::new(Kind::Orders(2), 5, None), 32),
            (Design::new(Kind::Orders(6), 3, None), 216),
        ]
    }

    #[test]
    fn enumeration_meets_each_distinct_arrangement_once_from_any_rank() {
        for (design, count) in designs() {
            assert_eq!(design.count(), Some(count), "{design:?}");
            let all = all(&design);
            // Labels: what counts is which rows stand under a label.
            let told = |arrangement: &Vec<u32>| match &design.kind {
                Kind::Labels(codes, _) => {
                    let mut shown = vec![0; codes.len()];
                    arrangement.iter().zip(codes).for_each(|(&row, &c)| shown[row as usize] = c);
                    shown
                }
                _ => arrangement.clone(),
            };
            let distinct: HashSet<Vec<u32>> = all.iter().map(told).collect();
            assert_eq!(distinct.len() as u64, count, "{design:?}");
            assert!(distinct.contains(&told(&design.observed())));
            for rank in (0..count).step_by(7) {
                let mut arrangement = vec![0; design.rows()];
                design.starting_at(rank).next(&mut arrangement);
                assert_eq!(arrangement, all[rank as usize], "{design:?} {rank}");
            }
        }
    }

    /// A chi-square of the shares of 100,000 draws over all arrangements, of mean k - 1: beyond
    /// six standard deviations by chance less than once in a million.
    #[test]
    fn each_arrangement_is_as_likely() {
        for (design, count) in designs() {
            let mut cells = vec![0f64; count as usize];
            let place = |arrangement: &[u32]| match &design.kind {
                Kind::Labels(codes, _) => {
                    let mut shown = vec![0; codes.len()];
                    arrangement.iter().zip(codes).for_each(|(&row, &c)| shown[row as usize] = c);
                    shown
                }
                _ => arrangement.to_vec(),
            };
            let known: Vec<Vec<u32>> = all(&design).iter().map(|one| place(one)).collect();
            let mut stream = Streams::new(5u64.into(), "draw").task(0);
            let mut arrangement = vec![0; design.rows()];
            for _ in 0..100_000 {
                design.draw(&mut stream, &mut arrangement);
                let told = place(&arrangement);
                cells[known.iter().position(|one| *one == told).unwrap()] += 1.0;
            }
            let expected = 100_000.0 / count as f64;
            let square: f64 = cells.iter().map(|x| (x - expected).powi(2) / expected).sum();
            let freedom = count as f64 - 1.0;
            assert!(square < freedom + 6.0 * (2.0 * freedom).sqrt(), "{design:?} {square}");
        }
    }

    #[test]
    fn counts_beyond_64_bits_are_none() {
        assert_eq!(Design::new(Kind::Pairings, 21, None).count(), None);
        assert_eq!(Design::new(Kind::Pairings, 500, None).count(), None);
        assert_eq!(Design::new(Kind::Orders(2), 64, None).count(), None);
        let labels = (0..1000).map(|row| u32::from(row < 500)).collect();
        assert_eq!(Design::new(Kind::Labels(labels, 2), 1000, None).count(), None);
    }
}
