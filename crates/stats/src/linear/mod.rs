//! Small dense linear algebra for many regressions: a few columns of many rows, in lanes.
//!
//! The routines of linear-algebra crates choose their kernels by the processor, and with them the
//! order of their sums; here the order belongs to the result. A [`Columns`] holds its columns one
//! after the other, each padded with zeros to whole lanes, so that no loop has a remainder.
//!
//! ```text
//! columns.rs      padded columns; sums, centring, products with a small matrix
//! cross.rs        all cross products of columns      small.rs   Cholesky and inverses of them
//! orthogonal.rs   orthonormal bases with a check of rank
//! refine.rs       least squares to the last digits, with residuals in twice the precision
//! ```

mod columns;
mod cross;
mod orthogonal;
mod refine;
mod small;

pub(crate) use columns::{Columns, add_scaled, dot, total};
pub(crate) use cross::{Pair, cross, cross_rows};
pub(crate) use orthogonal::orthonormal;
pub(crate) use refine::refine;
pub(crate) use small::{Square, cholesky, inverse_of_upper, upper_inverse};
