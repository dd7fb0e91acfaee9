//! Whole numbers below a bound, without bias.
//!
//! A word is read as a fraction and multiplied by the bound; the few words that would favour some
//! numbers are drawn again. Source: D. Lemire, "Fast random integer generation in an interval",
//! ACM Transactions on Modeling and Computer Simulation 29(1), 2019.

use crate::stream::Stream;

impl Stream {
    /// Returns a whole number from 0 to `bound - 1`, each as likely; a bound of 0 stands for 2^64.
    ///
    /// Uses one word, and another with probability below `bound / 2^64`.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        let word = self.next_u64();
        if bound == 0 {
            return word;
        }
        let mut product = u128::from(word) * u128::from(bound);
        if (product as u64) < bound {
            let surplus = bound.wrapping_neg() % bound;
            while (product as u64) < surplus {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }
}
