//! One way out: a `Stream` as a generator of the `rand` family, for code that wants one.

use crate::stream::Stream;
use rand_core::TryRng;
use std::convert::Infallible;

/// Makes every `Stream` a `rand_core::Rng`.
///
/// Each number of 32 bits takes the high half of one word, each eight bytes a word, little-endian.
///
/// ```
/// use rand_core::Rng;
/// use windfall_streams::{Seed, Streams};
/// let mut stream = Streams::new(Seed::from(1_u64), "bridge").task(0);
/// let word = stream.clone().next_u64();
/// assert_eq!(u64::from(Rng::next_u32(&mut stream)), word >> 32);
/// ```
impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next_u64() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_u64())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for bytes in out.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
        Ok(())
    }
}
