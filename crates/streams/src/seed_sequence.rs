//! NumPy's `SeedSequence`, so that a seed made in Python is the same seed here.
//!
//! Source: NumPy's `bit_generator.pyx`, after M. E. O'Neill, "Developing a `seed_seq`
//! alternative", 2015. Only `generate_state(4, uint32)` is needed: 128 bits.

use crate::seed::Seed;

const POOL_WORDS: usize = 4;

/// The running multiplier that makes each hash of a sequence a different one.
struct Hash {
    constant: u32,
    multiplier: u32,
}

impl Hash {
    fn absorb() -> Self {
        Self { constant: 0x43b0_d7e5, multiplier: 0x931e_8875 }
    }

    fn squeeze() -> Self {
        Self { constant: 0x8b51_f9dd, multiplier: 0x58f3_8ded }
    }

    fn next(&mut self, word: u32) -> u32 {
        let word = word ^ self.constant;
        self.constant = self.constant.wrapping_mul(self.multiplier);
        let word = word.wrapping_mul(self.constant);
        word ^ word >> 16
    }
}

fn mix(x: u32, y: u32) -> u32 {
    let mixed = 0xca01_f9dd_u32.wrapping_mul(x).wrapping_sub(0x4973_f715_u32.wrapping_mul(y));
    mixed ^ mixed >> 16
}

impl Seed {
    /// Returns the 128 bits of NumPy's `SeedSequence(entropy, spawn_key=spawn_key)`.
    ///
    /// `entropy` holds its 32-bit words, least significant first (an entropy of zero is the one
    /// word 0); the same for `spawn_key`. The seed's words, low first, are those of
    /// `generate_state(4, uint32)`.
    ///
    /// ```
    /// use windfall_streams::Seed;
    /// // hex of: numpy.random.SeedSequence(42).generate_state(4), last word first
    /// let seed = Seed::from_seed_sequence(&[42], &[]);
    /// assert_eq!(format!("{:x}", seed.0), "d57873dc79fb94b69f1e2e6dcd540ab7");
    /// ```
    pub fn from_seed_sequence(entropy: &[u32], spawn_key: &[u32]) -> Self {
        let mut words = entropy.to_vec();
        if !spawn_key.is_empty() && words.len() < POOL_WORDS {
            words.resize(POOL_WORDS, 0);
        }
        words.extend_from_slice(spawn_key);

        let mut hash = Hash::absorb();
        let mut pool: [u32; POOL_WORDS] =
            std::array::from_fn(|i| hash.next(words.get(i).copied().unwrap_or(0)));
        for source in 0..POOL_WORDS {
            for target in (0..POOL_WORDS).filter(|&target| target != source) {
                pool[target] = mix(pool[target], hash.next(pool[source]));
            }
        }
        for &word in words.iter().skip(POOL_WORDS) {
            for target in &mut pool {
                *target = mix(*target, hash.next(word));
            }
        }

        let mut hash = Hash::squeeze();
        Self((0..POOL_WORDS).fold(0, |seed, i| seed | u128::from(hash.next(pool[i])) << (32 * i)))
    }
}
