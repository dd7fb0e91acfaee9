//! Give kernels eight lanes of `f64` and `u64` that hold the same bits on every instruction set.
//!
//! A kernel is written once, generic over [`Simd`], and handed to [`dispatch`] as a [`Task`].
//! The best instruction set of the machine runs it: AVX-512 (one register), AVX2 with FMA (two
//! registers), NEON (four registers) or plain scalar code. The lane count never changes, each
//! fused multiply-add is written out, and [`math`] is our own, so every path rounds alike.
//!
//! ```text
//! simd.rs       the trait Simd: what eight lanes can do          Task: work generic over it
//! scalar.rs avx2.rs avx512.rs neon.rs                            the four implementations
//! dispatch.rs   which one runs: detected, available, limit, dispatch, dispatch_on
//! sum.rs        sum and dot product in a fixed order
//! math/         exp, log, sin, ... over the lanes, each with its error bound
//! scalar_math.rs the same for single values, with the same bits
//! ```
//!
//! # Examples
//! ```
//! use windfall_lanes::{Simd, Task, dispatch};
//!
//! /// Adds the squares of eight numbers to eight totals.
//! struct Squares<'a>(&'a [f64; 8], &'a mut [f64; 8]);
//!
//! impl Task for Squares<'_> {
//!     type Output = ();
//!     #[inline(always)]
//!     fn run<S: Simd>(self, simd: S) {
//!         let x = simd.load(self.0);
//!         let total = simd.fma(x, x, simd.load(self.1));
//!         simd.store(total, self.1);
//!     }
//! }
//!
//! let mut totals = [1.0; 8];
//! dispatch(Squares(&[3.0; 8], &mut totals));
//! assert_eq!(totals, [10.0; 8]);
//! ```

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod dispatch;
pub mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
pub mod scalar_math;
mod simd;
mod sum;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use dispatch::{Isa, IsaError, available, detected, dispatch, dispatch_on, limit};
#[cfg(target_arch = "aarch64")]
pub use neon::Neon;
pub use scalar::Scalar;
pub use simd::{LANES, Simd, Task};
pub use sum::{BLOCK, LEAF, dot, join, sum};
