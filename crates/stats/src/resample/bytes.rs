//! Counts of a byte each: read as sums, as weights or as products with a column.

use super::column::PADDING;
use windfall_lanes::Simd;

/// Counts are drawn by so many.
pub(super) const STEP: usize = 64;
/// A slice of this that starts `STEP - n` in keeps the first `n` bytes of a step.
const KEPT: [u8; 2 * STEP] = {
    let mut kept = [0; 2 * STEP];
    let mut place = 0;
    while place < STEP {
        kept[place] = 0xff;
        place += 1;
    }
    kept
};

/// Room for `ROOM` counts, whole steps, on a cache line's edge.
#[repr(align(64))]
pub(super) struct ByteCounts<const ROOM: usize>([u8; ROOM]);

impl<const ROOM: usize> ByteCounts<ROOM> {
    /// No counts yet.
    #[inline(always)]
    pub fn new() -> Self {
        Self([0; ROOM])
    }

    /// The steps that hold `len` counts from `start` on.
    #[inline(always)]
    pub fn steps_mut(&mut self, start: usize, len: usize) -> &mut [u8] {
        &mut self.0[start..][..len.next_multiple_of(STEP)]
    }

    /// Copies `len` counts.
    #[inline(always)]
    pub fn copy(&mut self, from: usize, to: usize, len: usize) {
        self.0.copy_within(from..from + len, to);
    }

    /// The sum of `len` counts from `start` on.
    #[inline(always)]
    pub fn sum<S: Simd>(&self, simd: S, start: usize, len: usize) -> usize {
        let (whole, tail) = (len / STEP * STEP, len % STEP);
        let mut sums = simd.splat_u(0);
        for step in self.0[start..start + whole].as_chunks::<STEP>().0 {
            sums = simd.add_u(sums, simd.sum8(load(simd, step)));
        }
        if tail > 0 {
            let step = self.0[start + whole..].first_chunk().expect("counts end with a step");
            let kept = KEPT[STEP - tail..].first_chunk().expect("a step is left");
            let tail = simd.and(load(simd, step), load(simd, kept));
            sums = simd.add_u(sums, simd.sum8(tail));
        }
        simd.to_array_u(sums).iter().sum::<u64>() as usize
    }

    /// Adds one to the count at each of `places` past `start`, all below `PLACES`, a power of 2.
    #[inline(always)]
    pub fn add<const PLACES: usize>(&mut self, start: usize, places: &[u16]) {
        let (_, counts) = self.0.split_at_mut(start);
        let counts: &mut [u8; PLACES] = counts.first_chunk_mut().expect("there is room for all");
        for &place in places {
            let count = &mut counts[usize::from(place) % PLACES];
            // It would take hundreds of draws of one unit: less than once in 10^400.
            *count = count.wrapping_add(1);
        }
    }

    /// Writes as many counts as `out` holds, from `start` on.
    #[inline(always)]
    pub fn write<S: Simd>(&self, simd: S, start: usize, out: &mut [f64]) {
        let (bytes, _) = self.0[start..].as_chunks::<8>();
        let (eights, rest) = out.as_chunks_mut::<8>();
        let whole = eights.len();
        for (out, bytes) in eights.iter_mut().zip(bytes) {
            simd.store(simd.load_u8_as_f64(bytes), out);
        }
        if !rest.is_empty() {
            simd.store_head(simd.load_u8_as_f64(&bytes[whole]), rest);
        }
    }

    /// The product of counts from `start` on with a column of whole paddings, in eight lanes, to
    /// the bit as that of the counts written.
    #[inline(always)]
    pub fn dot<S: Simd>(&self, simd: S, start: usize, column: &[f64]) -> S::F {
        let mut sums = [simd.splat(0.0); 4];
        let bytes = &self.0[start..][..column.len()];
        let (bytes, _) = bytes.as_chunks::<8>().0.as_chunks::<{ PADDING / 8 }>();
        for (bytes, values) in bytes.iter().zip(column.as_chunks::<PADDING>().0) {
            let values = values.as_chunks::<8>().0;
            for ((sum, bytes), values) in sums.iter_mut().zip(bytes).zip(values) {
                *sum = simd.fma(simd.load_u8_as_f64(bytes), simd.load(values), *sum);
            }
        }
        simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]))
    }
}

/// The bytes of a step in lanes.
#[inline(always)]
fn load<S: Simd>(simd: S, step: &[u8; STEP]) -> S::U {
    let words = step.as_chunks::<8>().0;
    simd.load_u(&std::array::from_fn(|lane| u64::from_le_bytes(words[lane])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use windfall_lanes::{Task, dispatch};

    struct Sum(usize, usize);
    impl Task for Sum {
        type Output = (usize, f64);
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> (usize, f64) {
            let mut counts = ByteCounts::<256>::new();
            counts.steps_mut(0, 192).iter_mut().zip(0..).for_each(|(count, i)| *count = i);
            let mut ones = [0.0; 128];
            ones[..self.1].fill(1.0);
            let product = counts.dot(simd, self.0, &ones);
            (counts.sum(simd, self.0, self.1), simd.sum_lanes(product))
        }
    }

    #[test]
    fn sums_are_of_what_is_asked_for() {
        for (start, len) in [(0, 1), (0, 64), (3, 63), (10, 100), (7, 128), (50, 65)] {
            let sum = (start..start + len).sum::<usize>();
            assert_eq!(dispatch(Sum(start, len)), (sum, sum as f64), "{len} from {start}");
        }
    }
}
