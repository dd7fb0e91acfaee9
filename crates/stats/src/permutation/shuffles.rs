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
