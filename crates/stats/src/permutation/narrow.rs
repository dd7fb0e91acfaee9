//! Exchanges within few rows: random numbers of 16 bits, thirty-two at a time.
//!
//! The parts of [`super::shuffles`] for a stratum of at most 1,024 rows.

use std::ops::Range;
use windfall_lanes::Simd;
use windfall_streams::Lanes;

/// The most rows: with more of them, numbers of 16 bits would often have to be drawn again.
pub(crate) const ROWS_MAX: usize = 1024;

/// The draws of at most [`ROWS_MAX`] rows, by eights: the first eight may have idle ones before
/// them and the last after them, so that all others end where a multiple of eight is left.
#[derive(Debug)]
pub(crate) struct Narrow {
    /// How many are left at each draw, and how many of the 2^16 numbers are too many for an equal
    /// share; 1 and 0 for idle draws. Eight words hold four each.
    bounds: Vec<([u64; 8], [u64; 8])>,
    /// The draws that are not idle.
    draws: Range<usize>,
    /// What each value is multiplied by, if there is one use of them; 0 for idle draws.
    factors: Vec<[f64; 8]>,
}

impl Narrow {
    /// The draws of `draws` of `rows` rows; with the factors of what is drawn, if there are any.
    pub fn new(rows: usize, draws: usize, factors: Option<&[f64]>) -> Self {
        let idle = (8 - rows % 8) % 8;
        let draws = idle..idle + draws;
        let left = |draw: usize| match draws.contains(&draw) {
            true => (rows + idle - draw) as u16,
            false => 1,
        };
        let packed = |block: usize, value: &dyn Fn(u16) -> u16| {
            std::array::from_fn(|word| {
                let of = |at: usize| u64::from(value(left(32 * block + 4 * word + at)));
                (0..4).fold(0, |packed, at| packed | of(at) << (16 * at))
            })
        };
        let surplus = |bound: u16| bound.wrapping_neg() % bound;
        let block = |block: usize| (packed(block, &|bound| bound), packed(block, &surplus));
        let mut padded = vec![[0.0; 8]; draws.end.div_ceil(8)];
        if let Some(factors) = factors {
            padded.as_flattened_mut()[draws.clone()].copy_from_slice(factors);
        }
        Self { bounds: (0..draws.end.div_ceil(32)).map(block).collect(), draws, factors: padded }
    }

    /// Draws whole numbers below each of the bounds, without bias: all thirty-two of a block anew
    /// where one of them would come too often.
    #[inline(always)]
    pub fn fill<S: Simd>(&self, simd: S, lanes: &mut Lanes<S>, out: &mut Vec<[u64; 8]>) {
        out.resize(self.bounds.len(), [0; 8]);
        for ((bounds, surplus), out) in self.bounds.iter().zip(out) {
            let (bounds, surplus) = (simd.load_u(bounds), simd.load_u(surplus));
            loop {
                let words = lanes.next(simd);
                simd.store_u(simd.mul_hi16(words, bounds), out);
                let unequal = simd.sub_down16(surplus, simd.mul_lo16(words, bounds));
                if simd.mask_all(simd.eq_u(unequal, simd.splat_u(0))) {
                    break;
                }
            }
        }
    }

    /// The numbers of the draws, of those that [`Narrow::fill`] drew.
    pub fn numbers<'a>(&self, packed: &'a [[u64; 8]]) -> impl Iterator<Item = usize> + 'a {
        let packed = packed.as_flattened();
        self.draws.clone().map(move |draw| unpacked(packed[draw / 4], draw % 4))
    }

    /// Draws from the first `rows` of `values` in turn and adds up, each times its factor.
    ///
    /// The last value takes the place of what is drawn, which goes to `drawn`: there all values
    /// stand in their new order in the end.
    #[inline(always)]
    pub fn weighted<S: Simd>(
        &self,
        simd: S,
        rows: usize,
        packed: &[[u64; 8]],
        (values, drawn): (&mut [f64; ROWS_MAX], &mut [f64; ROWS_MAX]),
    ) -> f64 {
        let (packed, _) = packed.as_flattened().as_chunks::<2>();
        let (mut sums, mut left) = (simd.splat(0.0), rows.next_multiple_of(8));
        let whole = self.draws.start.div_ceil(8)..self.draws.end / 8;
        for (group, (packed, factors)) in packed.iter().zip(&self.factors).enumerate() {
            left = left.wrapping_sub(8);
            let base = left % ROWS_MAX / 8 * 8;
            let mut draw = |at: usize| {
                let place = unpacked(packed[at / 4], at % 4) % ROWS_MAX;
                let last = values[base + 7 - at];
                std::mem::replace(&mut values[place], last)
            };
            // Eight at once never go by way of memory: reading as one vector what was just written
            // in parts would take longer than all else.
            let found = if whole.contains(&group) {
                let found = simd.load(&std::array::from_fn(draw));
                simd.store(found, drawn[base..].first_chunk_mut().expect("a line is left"));
                found
            } else {
                let mut found = [0.0; 8];
                for at in (0..8).filter(|at| self.draws.contains(&(8 * group + at))) {
                    found[at] = draw(at);
                    drawn[base + 7 - at] = found[at];
                }
                simd.load(&found)
            };
            sums = simd.fma(found, simd.load(factors), sums);
        }
        let kept = rows - self.draws.len();
        drawn[..kept].copy_from_slice(&values[..kept]);
        simd.sum_lanes(sums)
    }
}

/// One of four numbers.
#[inline(always)]
fn unpacked(word: u64, at: usize) -> usize {
    usize::from((word >> (16 * at)) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_core::Streams;
    use windfall_lanes::{Task, dispatch};
    use windfall_streams::Stream;

    /// How often each of the numbers below `rows` is the first that is drawn.
    struct First<'a>(&'a mut Stream, usize, usize);

    impl Task for First<'_> {
        type Output = Vec<u64>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Vec<u64> {
            let Self(stream, rows, draws) = self;
            let narrow = Narrow::new(rows, 1, None);
            let mut lanes = stream.lanes(simd);
            let (mut packed, mut counts) = (Vec::new(), vec![0; rows]);
            for _ in 0..draws {
                narrow.fill(simd, &mut lanes, &mut packed);
                narrow.numbers(&packed).for_each(|number| counts[number] += 1);
            }
            stream.resume(simd, lanes);
            counts
        }
    }

    /// Some numbers are the high half of one more word of 16 bits than others: if none were drawn
    /// anew, they would come more often, by more than eight of the standard errors here. Five of
    /// them raise a false alarm once in 1.7 million new seeds.
    #[test]
    fn numbers_that_more_words_lead_to_come_no_more_often() {
        let mut stream = Streams::new(6u64.into(), "first").task(0);
        for (rows, draws) in [(1000, 2_000_000), (997, 4_000_000)] {
            let mut words = vec![0u32; rows];
            (0..1usize << 16).for_each(|word| words[(word * rows) >> 16] += 1);
            let most = words.iter().max().expect("there are rows");
            let favoured: Vec<usize> = (0..rows).filter(|&row| words[row] == *most).collect();
            let share = favoured.len() as f64 / rows as f64;
            let spread = (share * (1.0 - share) / draws as f64).sqrt();
            let bias = favoured.len() as f64 * f64::from(*most) / 65_536.0 - share;
            assert!(bias > 8.0 * spread, "{rows}: {bias} {spread}");
            let counts = dispatch(First(&mut stream, rows, draws));
            let found = favoured.iter().map(|&row| counts[row]).sum::<u64>() as f64 / draws as f64;
            assert!((found - share).abs() < 5.0 * spread, "{rows}: {found} {share}");
        }
    }
}
