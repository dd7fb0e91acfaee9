//! Compute elementary functions on eight lanes, with the same bits on every instruction set.
//!
//! The platform's own functions differ between versions and processors, so none is called. Each
//! function here states its largest error in ulp (units in the last place of the result), and a
//! test holds it to that bound against correctly rounded values.

mod exp;
mod log;
mod log_table;
mod pair;
mod turn;

pub use exp::{exp, expm1};
pub use log::{log, log1p, log2, log10};
pub use turn::sincos_turn;
