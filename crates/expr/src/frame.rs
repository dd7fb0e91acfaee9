//! Let a pass read columns, constants and blocks of workspace alike, eight points at a time.

use crate::schedule::{Source, Target};

/// Points of one block: large enough that the choice of a pass costs little beside the pass, small
/// enough that the blocks of a formula of usual size stay in the first-level cache.
pub(crate) const BLOCK_POINTS: usize = 32 * 8;

/// Eight-point vectors of one block.
pub(crate) const BLOCK_VECTORS: usize = BLOCK_POINTS / 8;

/// Eight-point vectors that a chain holds in registers at once, at most.
pub(crate) const GROUP_MAX: usize = 8;

/// Eight points.
pub(crate) type Vector = [f64; 8];

/// A constant, ready to be read as if it were a column.
pub(crate) type Splat = [Vector; GROUP_MAX];

/// The columns of a block.
#[derive(Clone, Copy)]
pub(crate) enum Columns<'a> {
    /// From this point of these columns on.
    Slices(&'a [&'a [f64]], usize),
    /// One vector per column: the last points, filled up to eight.
    Tail(&'a [Vector]),
    /// [`BLOCK_VECTORS`] vectors per column.
    Packed(&'a [Vector]),
}

/// One block during its evaluation: what can be read, what can be written.
pub(crate) struct Frame<'a> {
    pub columns: Columns<'a>,
    /// Values that are the same at every point and change from call to call.
    pub uniforms: &'a [Splat],
    pub constants: &'a [Splat],
    /// `stride` vectors for each block.
    pub blocks: &'a mut [Vector],
    pub stride: usize,
    /// Eight-point vectors in this block, at most `stride`.
    pub vectors: usize,
    /// As many vectors, where the plan has one result.
    pub result: &'a mut [Vector],
}

impl Frame<'_> {
    /// `G` vectors from vector `at` on.
    #[inline(always)]
    pub fn read<const G: usize>(&self, source: Source, at: usize) -> &[Vector; G] {
        let found = match source {
            Source::Column(index) => match self.columns {
                Columns::Slices(columns, start) => {
                    columns[index as usize][start + 8 * at..].as_chunks().0.first_chunk()
                }
                Columns::Tail(vectors) => vectors[index as usize..].first_chunk(),
                Columns::Packed(vectors) => {
                    vectors[index as usize * BLOCK_VECTORS + at..].first_chunk()
                }
            },
            Source::Block(index) => self.blocks[index as usize * self.stride + at..].first_chunk(),
            Source::Uniform(index) => self.uniforms[index as usize].first_chunk(),
            Source::Constant(index) => self.constants[index as usize].first_chunk(),
        };
        match found {
            Some(vectors) => vectors,
            None => short(),
        }
    }

    /// The place of `G` vectors from vector `at` on.
    #[inline(always)]
    pub fn target<const G: usize>(&mut self, target: Target, at: usize) -> &mut [Vector; G] {
        let found = match target {
            Target::Block(index) => {
                self.blocks[index as usize * self.stride + at..].first_chunk_mut()
            }
            Target::Result => self.result[at..].first_chunk_mut(),
        };
        match found {
            Some(vectors) => vectors,
            None => short(),
        }
    }
}

/// Reports a fault of this crate: the lengths were checked before the first block.
#[cold]
#[inline(never)]
fn short() -> ! {
    unreachable!("a block is shorter than the plan that runs over it")
}
