//! Sums over random orders of rows, by exchanges in flight.
//!
//! Fisher and Yates: the value for one position after the other is drawn from those that are left.
//! Only positions whose value is needed are drawn, and a value is used as it is drawn. All bounds
//! are known beforehand, so that the random numbers of an order come sixteen or, of at most 1,024
//! rows, thirty-two at a time. An order starts from the one before it, which is as good as any.

use super::design::{Design, Kind};
use super::linear::{Linear, Still};
use super::narrow::{self, Narrow};
use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::{Lanes, Stream};

/// Random numbers of 32 bits drawn together.
const ABREAST: usize = 16;
/// Sums that are kept side by side, to hide the latency of an addition.
const SUMS: usize = 4;

/// Where the values that are drawn go.
#[derive(Debug)]
struct Use {
    term: usize,
    column: usize,
    /// The first value, in the order of drawing.
    first: usize,
    /// What each is multiplied by.
    factors: Vec<f64>,
}

/// What is shuffled together.
#[derive(Debug)]
struct Stratum {
    /// The rows, those for positions that are drawn at the end, the first of these last.
    rows: Vec<u32>,
    /// The value of each row in the one column, if there is but one.
    values: Vec<f64>,
    /// How many are left at each draw, if they are many.
    bounds: Vec<[u32; ABREAST]>,
    /// The same, if they are few.
    narrow: Option<Narrow>,
    draws: usize,
    uses: Vec<Use>,
}

/// Sums of a linear form over random arrangements within strata.
#[derive(Debug)]
pub(crate) struct Shuffles {
    strata: Vec<Stratum>,
    columns: Vec<Vec<f64>>,
    terms: usize,
}

impl Shuffles {
    /// The terms of `linear` over the arrangements of `design`, whose pool is its own rows.
    pub fn new(linear: &Linear, design: &Design) -> Self {
        let stratum = |positions: Vec<u32>| Stratum::new(linear, design, &positions);
        Self {
            strata: design.by_stratum().map(stratum).collect(),
            columns: linear.columns.clone(),
            terms: linear.terms.len(),
        }
    }

    /// Values that an arrangement draws.
    pub fn draws(&self) -> usize {
        self.strata.iter().map(|stratum| stratum.draws).sum()
    }

    /// Draws `count` arrangements and writes term `t` of arrangement `r` to `out[t * count + r]`.
    ///
    /// # Cost
    /// At most 1.1 ns a value drawn with AVX2, where there is one column of up to 1,024 rows.
    pub fn draw(&self, stream: &mut Stream, count: usize, out: &mut [f64]) {
        dispatch(Draw { shuffles: self, stream, count, out });
    }
}

impl Stratum {
    fn new(linear: &Linear, design: &Design, positions: &[u32]) -> Self {
        // Positions in the order of drawing: label after label, or as they stand.
        let mut drawn: Vec<u32> = Vec::new();
        let mut uses = Vec::new();
        let mut labels: Vec<(u32, usize, usize)> = Vec::new();
        for (place, term) in linear.terms.iter().enumerate() {
            let (term, column) = (place, term.column);
            match &linear.terms[place].still {
                Still::Label(label) => {
                    let known = labels.iter().find(|(known, ..)| known == label).copied();
                    let (_, first, count) = known.unwrap_or_else(|| {
                        let first = drawn.len();
                        drawn.extend(positions.iter().filter(|&&p| is_under(design, p, *label)));
                        labels.push((*label, first, drawn.len() - first));
                        (*label, first, drawn.len() - first)
                    });
                    uses.push(Use { term, column, first, factors: vec![1.0; count] });
                }
                still => {
                    if drawn.is_empty() {
                        drawn.extend_from_slice(positions);
                    }
                    let factor = |&p: &u32| match still {
                        Still::Factor(factor) => factor[p as usize],
                        _ => 1.0,
                    };
                    let factors = drawn.iter().map(factor).collect();
                    uses.push(Use { term, column, first: 0, factors });
                }
            }
        }
        uses.retain(|one| !one.factors.is_empty());
        let mut is_drawn = vec![false; design.rows()];
        drawn.iter().for_each(|&p| is_drawn[p as usize] = true);
        let rest = positions.iter().filter(|&&p| !is_drawn[p as usize]);
        let rows: Vec<u32> = rest.chain(drawn.iter().rev()).copied().collect();
        let left = |draw: usize| rows.len().saturating_sub(draw).max(1) as u32;
        let (few, draws) = (rows.len() <= narrow::ROWS_MAX, drawn.len());
        let alone = match uses.as_slice() {
            [one] => Some(one.factors.as_slice()),
            _ => None,
        };
        let narrow = few.then(|| Narrow::new(rows.len(), draws, alone));
        let blocks = if few { 0 } else { draws.div_ceil(ABREAST) };
        let block = |block: usize| std::array::from_fn(|at| left(block * ABREAST + at));
        let values = match linear.columns.as_slice() {
            [one] => rows.iter().map(|&row| one[row as usize]).collect(),
            _ => Vec::new(),
        };
        Self { values, bounds: (0..blocks).map(block).collect(), narrow, draws, uses, rows }
    }
}

fn is_under(design: &Design, position: u32, label: u32) -> bool {
    matches!(&design.kind, Kind::Labels(codes, _) if codes[position as usize] == label)
}

struct Draw<'a> {
    shuffles: &'a Shuffles,
    stream: &'a mut Stream,
    count: usize,
    out: &'a mut [f64],
}

/// What a stratum's rows, or their values, stand like, and room for what is drawn of them.
#[derive(Default)]
struct Order {
    rows: Vec<u32>,
    values: Vec<f64>,
    drawn: Vec<f64>,
}

impl Order {
    fn new(stratum: &Stratum) -> Self {
        if stratum.values.is_empty() {
            return Self { rows: stratum.rows.clone(), ..Self::default() };
        }
        let mut values = stratum.values.clone();
        values.resize(values.len().max(narrow::ROWS_MAX), 0.0);
        Self { drawn: values.clone(), values, rows: Vec::new() }
    }
}

impl Task for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { shuffles, stream, count, out } = self;
        let mut lanes = stream.lanes(simd);
        let (mut numbers, mut packed) = (Vec::new(), Vec::new());
        let mut orders: Vec<Order> = shuffles.strata.iter().map(Order::new).collect();
        out[..shuffles.terms * count].fill(0.0);
        for r in 0..count {
            for (stratum, order) in shuffles.strata.iter().zip(&mut orders) {
                if let Some(narrow) = &stratum.narrow {
                    narrow.fill(simd, &mut lanes, &mut packed);
                    if let ([one], Some(room)) = (&*stratum.uses, order.room()) {
                        let rows = stratum.rows.len();
                        out[one.term * count + r] += narrow.weighted(simd, rows, &packed, room);
                        std::mem::swap(&mut order.values, &mut order.drawn);
                        continue;
                    }
                    order.exchange(stratum, narrow.numbers(&packed));
                } else {
                    numbers.resize(stratum.bounds.len(), [0; ABREAST]);
                    fill(simd, &mut lanes, &stratum.bounds, &mut numbers);
                    let numbers = numbers.as_flattened()[..stratum.draws].iter();
                    order.exchange(stratum, numbers.map(|&number| number as usize));
                }
                for one in &stratum.uses {
                    out[one.term * count + r] += order.sum(stratum, shuffles, one);
                }
            }
        }
        stream.resume(simd, lanes);
    }
}

impl Order {
    /// The values and room for as many, if they are few.
    #[inline(always)]
    fn room(&mut self) -> Option<(&mut [f64; narrow::ROWS_MAX], &mut [f64; narrow::ROWS_MAX])> {
        Some((self.values.first_chunk_mut()?, self.drawn.first_chunk_mut()?))
    }

    /// Draws in turn, from the end: what was drawn first stands last.
    #[inline(always)]
    fn exchange(&mut self, stratum: &Stratum, numbers: impl Iterator<Item = usize>) {
        let rows = stratum.rows.len();
        match self.rows.is_empty() {
            true => exchange(&mut self.values[..rows], numbers),
            false => exchange(&mut self.rows, numbers),
        }
    }

    /// The sum that a use makes of what was drawn.
    #[inline(always)]
    fn sum(&self, stratum: &Stratum, shuffles: &Shuffles, one: &Use) -> f64 {
        if self.rows.is_empty() {
            let drawn = self.values[..stratum.rows.len()].iter().rev().copied();
            return sum(drawn.skip(one.first), &one.factors);
        }
        let column = &shuffles.columns[one.column];
        let drawn = self.rows.iter().rev().map(|&row| column[row as usize]);
        sum(drawn.skip(one.first), &one.factors)
    }
}

/// Whole numbers below each of the bounds, without bias; the high half of a product of 32 bits
/// and the bound, where the low half does not tell that some numbers would come too often.
///
/// Source: D. Lemire, "Fast random integer generation in an interval", ACM Transactions on
/// Modeling and Computer Simulation 29(1), 2019.
#[inline(always)]
fn fill<S: Simd>(
    simd: S,
    lanes: &mut Lanes<S>,
    bounds: &[[u32; ABREAST]],
    out: &mut [[u32; ABREAST]],
) {
    for (bounds, out) in bounds.iter().zip(out) {
        let (words, bound) = (lanes.next(simd), simd.load32(bounds));
        let low = simd.mul_lo32(words, bound);
        let high = simd.mul_lo32(simd.swap_halves(words), simd.swap_halves(bound));
        simd.store32(simd.blend_halves(simd.swap_halves(low), high), out);
        let fractions = simd.blend_halves(low, simd.swap_halves(high));
        let doubtful = simd.lt32(fractions, bound);
        if !simd.mask_all(simd.eq_u(doubtful, simd.splat_u(0))) {
            let mut told = [0; ABREAST];
            simd.store32(fractions, &mut told);
            again(simd, lanes, (bounds, &told), out);
        }
    }
}

/// Draws anew what would favour some numbers.
#[inline(never)]
#[cold]
fn again<S: Simd>(
    simd: S,
    lanes: &mut Lanes<S>,
    (bounds, fractions): (&[u32; ABREAST], &[u32; ABREAST]),
    out: &mut [u32; ABREAST],
) {
    for at in 0..ABREAST {
        let surplus = bounds[at].wrapping_neg() % bounds[at];
        let mut fraction = fractions[at];
        while fraction < surplus {
            let mut words = [0; ABREAST];
            simd.store32(lanes.next(simd), &mut words);
            let product = u64::from(words[at]) * u64::from(bounds[at]);
            (out[at], fraction) = ((product >> 32) as u32, product as u32);
        }
    }
}

/// Draws in turn, from the end: what was drawn first stands last.
#[inline(always)]
fn exchange<T>(list: &mut [T], numbers: impl Iterator<Item = usize>) {
    let mut left = list.len();
    for number in numbers {
        left -= 1;
        list.swap(number, left);
    }
}

/// The sum of values, each times its factor.
#[inline(always)]
fn sum(values: impl Iterator<Item = f64>, factors: &[f64]) -> f64 {
    let mut sums = [0.0f64; SUMS];
    for (at, (value, factor)) in values.zip(factors).enumerate() {
        sums[at % SUMS] = value.mul_add(*factor, sums[at % SUMS]);
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

#[cfg(test)]
mod tests {
    use super::super::linear::Term;
    use super::*;
    use crate::law::chi_square;
    use windfall_core::Streams;

    /// Chi-squares of counts that should be alike are held to this: each raises a false alarm once
    /// in ten million new seeds, all of this file together once in 100,000.
    fn limit(cells: usize) -> f64 {
        chi_square::quantile(cells as f64 - 1.0, 1.0 - 1e-7)
    }

    /// The chi-square of counts, of which each cell expects `expected`.
    fn distance(counts: &[f64], expected: f64) -> f64 {
        counts.iter().map(|count| (count - expected).powi(2) / expected).sum()
    }

    fn stream(name: &str) -> Stream {
        Streams::new(4u64.into(), name).task(0)
    }

    /// Terms that each show the row at one of `positions`; in `columns` columns, so that values or
    /// the rows themselves are exchanged.
    fn shown(rows: usize, positions: &[usize], columns: usize) -> Shuffles {
        let at = |position: usize| {
            let mut factor = vec![0.0; rows];
            factor[position] = 1.0;
            Still::Factor(factor)
        };
        let own: Vec<f64> = (0..rows).map(|row| row as f64).collect();
        let terms = positions.iter().enumerate();
        let terms = terms.map(|(t, &p)| Term { column: t % columns, still: at(p) });
        let linear = Linear::of(vec![own; columns], terms.collect());
        Shuffles::new(&linear, &Design::new(Kind::Pairings, rows, None))
    }

    #[test]
    fn every_arrangement_is_an_order_of_the_rows() {
        for (rows, columns) in
            [(2, 1), (7, 1), (8, 2), (9, 1), (1023, 1), (1024, 2), (1025, 1), (1025, 2), (1500, 1)]
        {
            let positions: Vec<usize> = (0..rows).collect();
            let (count, mut stream) = (6, stream("orders"));
            let mut out = vec![0.0; rows * count];
            shown(rows, &positions, columns).draw(&mut stream, count, &mut out);
            for r in 0..count {
                let mut order: Vec<usize> =
                    positions.iter().map(|p| out[p * count + r] as usize).collect();
                assert!(rows < 9 || !order.is_sorted(), "{rows} rows");
                order.sort_unstable();
                assert_eq!(order, positions, "{rows} rows, {columns} columns");
            }
        }
    }

    /// Digits of a sum tell the whole order, with one sum of few rows and with several.
    #[test]
    fn each_order_of_few_rows_is_as_likely() {
        for (rows, uses, orders) in [(4, 1, 24), (5, 1, 120), (5, 2, 120), (6, 1, 720)] {
            let digits = (0..rows).map(|position| f64::from(8u32.pow(position)));
            let term = Term { column: 0, still: Still::Factor(digits.collect()) };
            let own = (0..rows).map(f64::from).collect();
            let linear = Linear::of(vec![own], vec![term; uses]);
            let design = Design::new(Kind::Pairings, rows as usize, None);
            let count = 200_000;
            let mut out = vec![0.0; uses * count];
            Shuffles::new(&linear, &design).draw(&mut stream("few"), count, &mut out);
            assert!(out.chunks(count).all(|sums| sums == &out[..count]));
            let mut counts = vec![0.0; 8usize.pow(rows)];
            out[..count].iter().for_each(|&sum| counts[sum as usize] += 1.0);
            let met: Vec<f64> = counts.into_iter().filter(|&count| count > 0.0).collect();
            assert_eq!(met.len(), orders, "{rows} rows");
            let square = distance(&met, count as f64 / orders as f64);
            assert!(square < limit(orders), "{rows} rows, {uses} uses: {square}");
        }
    }

    /// With numbers of 16 bits, and with numbers of 32 beyond 1,024 rows: in coarse bins and in
    /// what a division leaves; and the order of any two positions.
    #[test]
    fn a_row_lands_anywhere_among_many() {
        let count = 20_000;
        for (rows, columns) in [(1024, 1), (1025, 1), (1500, 2), (5000, 1)] {
            let positions = [0, 1, rows / 2, rows - 1];
            let mut out = vec![0.0; positions.len() * count];
            shown(rows, &positions, columns).draw(&mut stream("many"), count, &mut out);
            let found: Vec<&[f64]> = out.chunks(count).collect();
            for (position, values) in positions.iter().zip(&found) {
                let (mut coarse, mut fine) = ([0.0; 32], [0.0; 5]);
                let mut size = [0.0; 32];
                (0..rows).for_each(|row| size[row * 32 / rows] += 32.0 / rows as f64);
                for &value in *values {
                    let bin = value as usize * 32 / rows;
                    coarse[bin] += 1.0 / size[bin];
                    fine[value as usize % 5] += 1.0;
                }
                let square = distance(&coarse, count as f64 / 32.0);
                assert!(square < limit(32), "{rows} rows, position {position}: {square}");
                if rows % 5 == 0 {
                    let square = distance(&fine, count as f64 / 5.0);
                    assert!(square < limit(5), "{rows} rows, position {position}: {square}");
                }
            }
            // Six standard errors: once in 500 million.
            for (a, b) in [(0, 1), (0, 3), (1, 2), (2, 3)] {
                let up = found[a].iter().zip(found[b]).filter(|(a, b)| a < b).count();
                let off = up as f64 - 0.5 * count as f64;
                assert!(off.abs() < 3.0 * (count as f64).sqrt(), "{rows} rows: {a}, {b}: {up}");
            }
        }
    }

    /// Of 1,500 rows 300 are marked: under a label of n rows stand a hypergeometric number of them.
    #[test]
    fn labels_meet_rows_by_the_hypergeometric_law() {
        let (rows, marked, count) = (1500, 300, 20_000);
        let sizes = [40, 500, 960];
        let codes = (0u32..).zip(sizes).flat_map(|(label, size)| vec![label; size]).collect();
        let design = Design::new(Kind::Labels(codes, sizes.len()), rows, None);
        let column = (0..rows).map(|row| f64::from(row < marked)).collect();
        let terms = [1, 0].map(|label| Term { column: 0, still: Still::Label(label) });
        let shuffles = Shuffles::new(&Linear::of(vec![column], terms.to_vec()), &design);
        assert_eq!(shuffles.draws(), 540);
        let mut out = vec![0.0; 2 * count];
        shuffles.draw(&mut stream("labels"), count, &mut out);
        let (n, share) = (rows as f64, marked as f64 / rows as f64);
        for (size, sums) in [500.0, 40.0].into_iter().zip(out.chunks(count)) {
            let variance = size * share * (1.0 - share) * (n - size) / (n - 1.0);
            let (mean, draws) = (size * share, count as f64);
            let power = |k: i32| sums.iter().map(|sum| (sum - mean).powi(k)).sum::<f64>() / draws;
            assert!(power(1).abs() < 6.0 * (variance / draws).sqrt(), "{size}: {}", power(1));
            let error = ((power(4) - variance * variance) / draws).sqrt();
            assert!((power(2) - variance).abs() < 6.0 * error, "{size}: {} {variance}", power(2));
        }
    }

    /// Whole numbers below bounds.
    struct Below<'a>(&'a mut Stream, &'a [[u32; ABREAST]]);

    impl Task for Below<'_> {
        type Output = Vec<[u32; ABREAST]>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            let Self(stream, bounds) = self;
            let mut lanes = stream.lanes(simd);
            let mut out = vec![[0; ABREAST]; bounds.len()];
            fill(simd, &mut lanes, bounds, &mut out);
            stream.resume(simd, lanes);
            out
        }
    }

    /// Of a bound that is three quarters of 2^32, every third number would come twice as often if
    /// none were drawn anew; small bounds give orders of five, each as likely.
    #[test]
    fn numbers_of_32_bits_favour_nothing() {
        let bound = 3 << 30;
        let numbers = dispatch(Below(&mut stream("large"), &vec![[bound; ABREAST]; 10_000]));
        let (mut third, mut part) = ([0.0; 3], [0.0; 48]);
        for number in numbers.into_flattened() {
            third[number as usize % 3] += 1.0;
            part[(number >> 26) as usize] += 1.0;
        }
        assert!(distance(&third, 160_000.0 / 3.0) < limit(3), "{third:?}");
        assert!(distance(&part, 160_000.0 / 48.0) < limit(48), "{part:?}");
        let bounds = std::array::from_fn(|at| 5u32.saturating_sub(at as u32).max(1));
        let mut counts = vec![0.0; 5usize.pow(5)];
        for numbers in dispatch(Below(&mut stream("small"), &vec![bounds; 120_000])) {
            let mut list = [0, 1, 2, 3, 4];
            exchange(&mut list, numbers[..5].iter().map(|&number| number as usize));
            counts[list.iter().fold(0, |told, row| 5 * told + row)] += 1.0;
        }
        let met: Vec<f64> = counts.into_iter().filter(|&count| count > 0.0).collect();
        assert_eq!(met.len(), 120);
        assert!(distance(&met, 1000.0) < limit(120), "{met:?}");
    }
}
