//! Random bits and draws as pure functions of (seed, stream, task, position).
//!
//! Two levels. [`Streams`] gives each (seed, name, task) its own bits by Philox4x32-10, in
//! constant time. [`Stream`] spends 256 bytes of them as the state of eight lanes of xoshiro256++
//! and draws from that at the speed of the machine's vectors. Both are contracts: the same
//! address gives the same values on every instruction set, held by golden vectors.
//!
//! ```
//! use windfall_streams::{Seed, Streams};
//! let streams = Streams::new(Seed::from(2024_u64), "coin");
//! let mut stream = streams.task(7);
//! let heads = (0..1000).filter(|_| stream.uniform() < 0.5).count();
//! assert!((400..600).contains(&heads));
//! ```

mod beta;
mod binomial;
mod bounded;
#[cfg(feature = "rand_core")]
mod bridge;
mod distribution;
mod error;
mod exponential;
mod fill;
mod gamma;
mod lanes;
mod multinomial;
mod normal;
mod philox;
mod poisson;
mod saddle;
mod seed;
mod seed_sequence;
mod select;
mod stream;
mod streams;

pub use beta::Beta;
pub use binomial::Binomial;
pub use bounded::Below;
pub use distribution::Distribution;
pub use error::ParameterError;
pub use gamma::Gamma;
pub use lanes::{Lanes, open_uniform52, uniform52, uniform53};
pub use multinomial::Multinomial;
pub use normal::{PAIRS, normal_pair, normal_pairs};
pub use philox::philox4x32;
pub use poisson::Poisson;
pub use seed::{Seed, SeedError};
pub use stream::Stream;
pub use streams::Streams;
