//! Block forms: fill a slice with draws, the same ones that single calls would give.

use crate::stream::Stream;

impl Stream {
    /// Fills `out` with the next words; the same as [`Stream::next_u64`] for each.
    pub fn fill_u64(&mut self, out: &mut [u64]) {
        out.fill_with(|| self.next_u64());
    }

    /// Fills `out` with uniform numbers; the same as [`Stream::uniform`] for each.
    pub fn fill_uniform(&mut self, out: &mut [f64]) {
        out.fill_with(|| self.uniform());
    }

    /// Fills `out` with uniform numbers in (0, 1); the same as [`Stream::open_uniform`] for each.
    pub fn fill_open_uniform(&mut self, out: &mut [f64]) {
        out.fill_with(|| self.open_uniform());
    }
}
