//! The partial of a permutation test: how many permutations are as extreme, in every sense.

use super::options::Alternative;
use windfall_core::wire::{Reader, put_f64s, put_u64};
use windfall_core::{Error, Partial, Result};

/// What permuted values are held against.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    /// The observed statistic of each quantity.
    pub observed: Vec<f64>,
    /// How far from it a value counts as equal.
    pub slack: Vec<f64>,
    /// What counts as extreme.
    pub alternative: Alternative,
    /// Quantities from the most extreme to the least, for the step-down procedure.
    order: Vec<usize>,
    /// The first exceedances whose places are kept.
    pub places_max: usize,
    /// Whether values are kept.
    pub keeps_values: bool,
}

/// The ways to be extreme that are counted.
pub(crate) const GREATER: usize = 0;
/// At most the observed value.
pub(crate) const LESS: usize = 1;
/// At least its size.
pub(crate) const ABSOLUTE: usize = 2;

impl Reference {
    /// A reference that keeps neither values nor places.
    pub fn new(observed: Vec<f64>, slack: Vec<f64>, alternative: Alternative) -> Self {
        let mut order: Vec<usize> = (0..observed.len()).collect();
        let height = |place: usize| height(alternative, observed[place]);
        order.sort_by(|&a, &b| height(b).total_cmp(&height(a)));
        Self { observed, slack, alternative, order, places_max: 0, keeps_values: false }
    }

    /// The tails that the alternative rests on.
    pub fn tails(&self) -> &'static [usize] {
        match self.alternative {
            Alternative::TwoSided => &[GREATER, LESS],
            Alternative::Greater => &[GREATER],
            Alternative::Less => &[LESS],
            Alternative::Absolute => &[ABSOLUTE],
        }
    }

    /// Quantities from the most extreme to the least.
    pub fn order(&self) -> &[usize] {
        &self.order
    }
}

/// Whether a value is as extreme as the bound of a tail; what is not a number is.
#[inline(always)]
fn is_extreme(tail: usize, value: f64, bounds: [f64; 3]) -> bool {
    let reached = match tail {
        GREATER => value >= bounds[GREATER],
        LESS => value <= bounds[LESS],
        _ => value.abs() >= bounds[ABSOLUTE],
    };
    reached | value.is_nan()
}

/// What the step-down procedure compares across quantities.
fn height(alternative: Alternative, value: f64) -> f64 {
    match alternative {
        Alternative::TwoSided | Alternative::Absolute => value.abs(),
        Alternative::Greater => value,
        Alternative::Less => -value,
    }
}

/// The counts of one quantity.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    /// Permutations in each tail.
    pub tails: [u64; 3],
    /// The places of the first permutations in each tail, as far as they are kept.
    pub places: [Vec<u64>; 3],
    /// Permutations whose largest quantity is as extreme as this one.
    pub single: u64,
    /// The same over the quantities that are no more extreme than this one.
    pub step: u64,
    /// Permutations on which it has no value.
    pub undefined: u64,
}

/// The counts of a run of permutations. The default is the tally of none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    /// Permutations.
    pub draws: u64,
    /// One for each quantity.
    pub counts: Vec<Counts>,
    /// The values of each quantity, if they are kept.
    pub values: Vec<Vec<f64>>,
    places_max: u64,
}

impl Tally {
    /// Counts nothing yet of so many quantities.
    pub fn new(reference: &Reference) -> Self {
        let quantities = reference.observed.len();
        let kept = if reference.keeps_values { quantities } else { 0 };
        Self {
            draws: 0,
            counts: vec![Counts::default(); quantities],
            values: vec![Vec::new(); kept],
            places_max: reference.places_max as u64,
        }
    }

    /// Adds permutations, the first of which is number `first` of the job; quantity `q` of
    /// permutation `r` is `values[q * count + r]`. A value that is not a number counts as extreme.
    pub fn add(&mut self, reference: &Reference, first: u64, values: &[f64]) {
        let quantities = reference.observed.len();
        let count = values.len() / quantities;
        self.draws += count as u64;
        for (q, values) in values.chunks_exact(count).enumerate() {
            let (observed, slack) = (reference.observed[q], reference.slack[q]);
            let bounds = [observed - slack, observed + slack, observed.abs() - slack];
            let counts = &mut self.counts[q];
            let mut tails = [0u64; 3];
            let mut undefined = 0;
            for &value in values {
                (0..3).for_each(|tail| tails[tail] += u64::from(is_extreme(tail, value, bounds)));
                undefined += u64::from(value.is_nan());
            }
            counts.undefined += undefined;
            (0..3).for_each(|tail| counts.tails[tail] += tails[tail]);
            if self.places_max > 0 {
                for &tail in reference.tails() {
                    let places = &mut counts.places[tail];
                    let left = self.places_max as usize - places.len();
                    let extreme =
                        values.iter().enumerate().filter(|(_, v)| is_extreme(tail, **v, bounds));
                    places.extend(extreme.take(left).map(|(r, _)| first + r as u64));
                }
            }
        }
        for (kept, values) in self.values.iter_mut().zip(values.chunks_exact(count)) {
            kept.extend_from_slice(values);
        }
        if quantities > 1 {
            self.add_largest(reference, values, count);
        }
    }

    /// Westfall and Young: the largest value of a permutation against each observed one.
    fn add_largest(&mut self, reference: &Reference, values: &[f64], count: usize) {
        let height = |value: f64| match height(reference.alternative, value) {
            height if height.is_nan() => f64::INFINITY,
            height => height,
        };
        let bound = |q: usize| height(reference.observed[q]) - reference.slack[q];
        for r in 0..count {
            let mut largest = f64::NEG_INFINITY;
            for &q in reference.order.iter().rev() {
                largest = largest.max(height(values[q * count + r]));
                self.counts[q].step += u64::from(largest >= bound(q));
            }
            for (q, counts) in self.counts.iter_mut().enumerate() {
                counts.single += u64::from(largest >= bound(q));
            }
        }
    }
}

impl Partial for Tally {
    fn empty() -> Self {
        Self::default()
    }

    fn merge(mut self, later: Self) -> Self {
        if self.counts.is_empty() {
            return later;
        }
        self.draws += later.draws;
        for (counts, more) in self.counts.iter_mut().zip(later.counts) {
            for (tail, places) in more.places.into_iter().enumerate() {
                counts.tails[tail] += more.tails[tail];
                let left = (self.places_max as usize).saturating_sub(counts.places[tail].len());
                counts.places[tail].extend(places.into_iter().take(left));
            }
            counts.single += more.single;
            counts.step += more.step;
            counts.undefined += more.undefined;
        }
        for (kept, more) in self.values.iter_mut().zip(later.values) {
            kept.extend_from_slice(&more);
        }
        self
    }

    fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.draws, self.places_max, self.counts.len() as u64] {
            put_u64(out, number);
        }
        put_u64(out, self.values.len() as u64);
        for counts in &self.counts {
            let Counts { tails, places, single, step, undefined } = counts;
            tails.iter().chain([single, step, undefined]).for_each(|&count| put_u64(out, count));
            for places in places {
                put_u64(out, places.len() as u64);
                places.iter().for_each(|&place| put_u64(out, place));
            }
        }
        self.values.iter().for_each(|values| put_f64s(out, values));
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let words = (bytes.len() / 8) as u64;
        let few = |count: u64| match count <= words {
            true => Ok(count),
            false => Err(Error::wire(format!("they promise {count} items and end before"))),
        };
        let (draws, places_max) = (reader.u64()?, reader.u64()?);
        let (quantities, kept) = (few(reader.u64()?)?, few(reader.u64()?)?);
        let mut counts = Vec::new();
        for _ in 0..quantities {
            let mut one = Counts {
                tails: [reader.u64()?, reader.u64()?, reader.u64()?],
                ..Counts::default()
            };
            (one.single, one.step, one.undefined) = (reader.u64()?, reader.u64()?, reader.u64()?);
            for places in &mut one.places {
                let count = few(reader.u64()?)?;
                *places = (0..count).map(|_| reader.u64()).collect::<Result<_>>()?;
            }
            counts.push(one);
        }
        let values = (0..kept).map(|_| reader.f64s()).collect::<Result<_>>()?;
        reader.finish()?;
        Ok(Self { draws, counts, values, places_max })
    }
}
