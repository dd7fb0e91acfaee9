//! Compute elementary functions on eight lanes, with the same bits on every instruction set.
//!
//! The platform's own functions differ between versions and processors, so none is called. Each
//! function here states its largest error in ulp (units in the last place of the result), and a
//! test holds it to that bound against correctly rounded values.

mod cbrt;
mod digamma;
mod erf;
mod erf_table;
mod exp;
mod gamma;
mod hyperbolic;
mod inverse_trig;
mod log;
mod log_table;
mod normal;
mod pair;
mod pow;
mod trig;
mod turn;

pub use cbrt::cbrt;
pub use digamma::digamma;
pub use erf::{erf, erfc};
pub use exp::{exp, expm1};
pub use gamma::lgamma;
pub use hyperbolic::{cosh, sinh, tanh};
pub use inverse_trig::{acos, asin, atan, atan2};
pub use log::{log, log_of_normal, log1p, log2, log10};
pub use normal::{normal_cdf, normal_pdf, normal_quantile};
pub use pow::pow;
pub use trig::{cos, sin, tan};
pub use turn::sincos_turn;
