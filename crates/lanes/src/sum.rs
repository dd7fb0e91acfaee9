//! Sum in an order that depends on the length alone: the same bits everywhere, at full speed.
//!
//! Element `i` of a leaf of [`LEAF`] elements is added to lane `i % 32`; the 32 lanes of a leaf
//! fold to 8, and leaves are joined by the binary tree whose left subtrees are full. A tree over
//! [`BLOCK`]s above that is joined number by number, so that blocks may be summed apart, on any
//! thread, and joined by [`join`] to the same bits. The error grows with the logarithm of the
//! length, not with the length (Higham, *Accuracy and Stability of Numerical Algorithms*, 4.2).

use crate::{LANES, Simd, Task, dispatch};

/// Elements added in a row before the tree begins.
pub const LEAF: usize = 1024;
/// Elements that one vector tree sums; a whole number of leaves, a power of two.
pub const BLOCK: usize = 64 * LEAF;
/// Elements that a step of a leaf consumes: four vectors, which hide the latency of an addition.
const STEP: usize = 4 * LANES;
/// Levels of the tree within a block, the block itself included.
const LEVELS: usize = (BLOCK / LEAF).ilog2() as usize + 1;

/// What is summed: numbers, or products of two lists.
trait Terms: Copy {
    fn len(self) -> usize;
    fn part(self, start: usize, end: usize) -> Self;
    /// Adds the eight terms from `at < len` on; those past the end count as zero.
    fn add_to<S: Simd>(self, simd: S, sum: S::F, at: usize) -> S::F;
}

/// The eight numbers from `at` on, zeros past the end.
#[inline(always)]
fn eight<S: Simd>(simd: S, x: &[f64], at: usize) -> S::F {
    match x[at..].first_chunk() {
        Some(lanes) => simd.load(lanes),
        None => simd.load_head(&x[at..], 0.0),
    }
}

#[derive(Clone, Copy)]
struct Numbers<'a>(&'a [f64]);

impl Terms for Numbers<'_> {
    #[inline(always)]
    fn len(self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn part(self, start: usize, end: usize) -> Self {
        Self(&self.0[start..end])
    }
    #[inline(always)]
    fn add_to<S: Simd>(self, simd: S, sum: S::F, at: usize) -> S::F {
        simd.add(sum, eight(simd, self.0, at))
    }
}

#[derive(Clone, Copy)]
struct Products<'a>(&'a [f64], &'a [f64]);

impl Terms for Products<'_> {
    #[inline(always)]
    fn len(self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn part(self, start: usize, end: usize) -> Self {
        Self(&self.0[start..end], &self.1[start..end])
    }
    #[inline(always)]
    fn add_to<S: Simd>(self, simd: S, sum: S::F, at: usize) -> S::F {
        simd.fma(eight(simd, self.0, at), eight(simd, self.1, at), sum)
    }
}

/// The sum of at most [`LEAF`] terms, in eight lanes.
#[inline(always)]
fn leaf<S: Simd, T: Terms>(simd: S, terms: T) -> S::F {
    let mut sums = [simd.splat(0.0); 4];
    let (len, mut at) = (terms.len(), 0);
    while at + STEP <= len {
        sums[0] = terms.add_to(simd, sums[0], at);
        sums[1] = terms.add_to(simd, sums[1], at + LANES);
        sums[2] = terms.add_to(simd, sums[2], at + 2 * LANES);
        sums[3] = terms.add_to(simd, sums[3], at + 3 * LANES);
        at += STEP;
    }
    for sum in &mut sums {
        if at < len {
            *sum = terms.add_to(simd, *sum, at);
            at += LANES;
        }
    }
    simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]))
}

/// The sum of at most [`BLOCK`] terms.
struct Block<T>(T);

impl<T: Terms> Task for Block<T> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let len = self.0.len();
        let mut total = simd.splat(0.0);
        if len <= LEAF {
            return simd.sum_lanes(simd.add(leaf(simd, self.0), total));
        }
        // Like a binary counter: a bit of `full` stands for a finished subtree in `waiting`.
        let mut waiting = [total; LEVELS];
        let mut full = 0;
        while full * LEAF < len {
            let start = full * LEAF;
            let mut sum = if len - start >= LEAF {
                leaf(simd, self.0.part(start, start + LEAF))
            } else {
                leaf(simd, self.0.part(start, len))
            };
            let level = full.trailing_ones() as usize;
            for &left in &waiting[..level] {
                sum = simd.add(left, sum);
            }
            waiting[level] = sum;
            full += 1;
        }
        for (level, &left) in waiting.iter().enumerate() {
            if full >> level & 1 == 1 {
                total = simd.add(left, total);
            }
        }
        simd.sum_lanes(total)
    }
}

/// The length of the left subtree of `len > 1` things: the greatest power of two below `len`.
fn left(len: usize) -> usize {
    1 << (len - 1).ilog2()
}

/// The sum of any number of terms, by blocks.
fn tree<T: Terms>(terms: T) -> f64 {
    let len = terms.len();
    if len <= BLOCK {
        return dispatch(Block(terms));
    }
    let middle = left(len);
    tree(terms.part(0, middle)) + tree(terms.part(middle, len))
}

/// The sum of `x`: the same bits on every machine; 0 if empty.
///
/// # Cost
/// From the second-level cache on, that of reading `x`; above a block, `log2(len / BLOCK)` deep
/// in recursion. No allocation.
///
/// # Examples
/// ```
/// let x: Vec<f64> = (1..=100_000).map(f64::from).collect();
/// assert_eq!(windfall_lanes::sum(&x), 5_000_050_000.0);
/// ```
pub fn sum(x: &[f64]) -> f64 {
    tree(Numbers(x))
}

/// The sum of the products of `x` and `y`, each fused with its addition; 0 if empty.
///
/// # Panics
/// If the lengths differ.
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len(), "factors of a dot product are of one length");
    tree(Products(x, y))
}

/// Joins the sums of consecutive [`BLOCK`]s, the last of which may be shorter, to the bits that
/// [`sum`] (or [`dot`]) gives for all of them at once.
///
/// # Examples
/// ```
/// use windfall_lanes::{BLOCK, join, sum};
/// let x: Vec<f64> = (0..300_000).map(|i| 1.0 / f64::from(i + 1)).collect();
/// let blocks: Vec<f64> = x.chunks(BLOCK).map(sum).collect();
/// assert_eq!(join(&blocks).to_bits(), sum(&x).to_bits());
/// ```
pub fn join(blocks: &[f64]) -> f64 {
    match blocks {
        [] => 0.0,
        [one] => *one,
        _ => {
            let (low, high) = blocks.split_at(left(blocks.len()));
            join(low) + join(high)
        }
    }
}
