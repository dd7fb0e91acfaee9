//! Seeds: 128 bits that name a whole experiment, and the children it hands to its parts.
//!
//! Names are absorbed by a compression function made of Philox itself, so one primitive carries
//! the whole contract. Golden vectors in `tests/golden/streams.txt` hold it still.

use crate::philox::philox4x32;
use std::fmt;
use std::io;
use std::str::FromStr;

/// What an absorbed name is for; two purposes never share a result.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Child = 1,
    Stream = 2,
}

/// The 128 bits from which every draw of an experiment follows.
///
/// Written and read in decimal; hexadecimal with `0x` is read too.
///
/// # The contract on names
/// A seed and a name give 128 bits `h`, four words of 32 bits, low first. `h` begins as the seed.
/// The UTF-8 bytes of the name are cut into blocks of eight, the last one padded with zeros; one
/// more block holds their number in its low 56 bits and the purpose in its top 8: 1 for
/// [`Seed::child`], 2 for [`Streams::new`](crate::Streams::new). Each block `m`, little-endian,
/// takes `h` to `philox4x32(key = m, counter = h) ^ h`: the construction of Davies and Meyer, in
/// which the bijection cannot be run backwards. So seeds and names that differ share their bits
/// only by a collision of 128 bits.
///
/// ```
/// use windfall_streams::Seed;
/// let seed = Seed::from(42_u64);
/// assert_eq!(seed.to_string(), "42");
/// assert_eq!("0x2a".parse::<Seed>().unwrap(), seed);
/// assert_ne!(seed.child("bootstrap"), seed.child("jackknife"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seed(pub u128);

impl Seed {
    /// Returns a seed that nobody chose, from the operating system's entropy.
    ///
    /// # Errors
    /// The operating system's own, where it has no entropy to give.
    pub fn from_entropy() -> io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self(u128::from_le_bytes(bytes)))
    }

    /// Returns the seed of the part called `name`; children of children are fine.
    ///
    /// The child is the 128 bits `h` of [the contract on names](Seed#the-contract-on-names).
    pub fn child(self, name: &str) -> Self {
        let words = self.absorb(name, Purpose::Child);
        Self((0..4).fold(0, |bits, i| bits | u128::from(words[i]) << (32 * i)))
    }

    /// Returns the 128 bits, low words first, of this seed, `name` and `purpose`.
    pub(crate) fn absorb(self, name: &str, purpose: Purpose) -> [u32; 4] {
        let state = std::array::from_fn(|i| (self.0 >> (32 * i)) as u32);
        let length = name.len() as u64 | (purpose as u64) << 56;
        let blocks = name.as_bytes().chunks(8).map(|chunk| {
            let mut block = [0; 8];
            block[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(block)
        });
        blocks.chain([length]).fold(state, |state: [u32; 4], block| {
            let mixed = philox4x32([block as u32, (block >> 32) as u32], state);
            std::array::from_fn(|i| mixed[i] ^ state[i])
        })
    }
}

impl From<u64> for Seed {
    fn from(value: u64) -> Self {
        Self(value.into())
    }
}

impl From<u128> for Seed {
    fn from(value: u128) -> Self {
        Self(value)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Text that is no seed; carries the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedError(pub String);

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a seed; hint: give a whole number from 0 to 2^128 - 1", self.0)
    }
}

impl std::error::Error for SeedError {}

impl FromStr for Seed {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Self, SeedError> {
        let bare = text.trim();
        let parsed = match bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")) {
            // `from_str_radix` would let a sign pass.
            Some(hex) if hex.starts_with('+') => return Err(SeedError(text.to_owned())),
            Some(hex) => u128::from_str_radix(hex, 16),
            None => bare.parse(),
        };
        parsed.map(Self).map_err(|_| SeedError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_around() {
        for seed in [Seed(0), Seed(42), Seed(u128::MAX)] {
            assert_eq!(seed.to_string().parse(), Ok(seed));
            assert_eq!(format!("{:#x}", seed.0).parse(), Ok(seed));
        }
        for wrong in ["", "-1", "0x", "0x+1", "1.5", "340282366920938463463374607431768211456"] {
            assert_eq!(wrong.parse::<Seed>(), Err(SeedError(wrong.to_owned())));
        }
    }

    #[test]
    fn names_that_look_alike_stay_apart() {
        let seed = Seed(7);
        let names = ["", "\0", "a", "a\0", "aaaaaaaa", "aaaaaaaa\0", "b"];
        let mut found: Vec<_> = names
            .iter()
            .flat_map(|name| [Purpose::Child, Purpose::Stream].map(|p| seed.absorb(name, p)))
            .collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 2 * names.len());
    }

    #[test]
    fn entropy_differs() {
        assert_ne!(Seed::from_entropy().unwrap(), Seed::from_entropy().unwrap());
    }
}
