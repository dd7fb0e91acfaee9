//! Offer the functions of [`math`] for single values, with the same bits as a lane.
//!
//! A sampler with rejection or the last step of a result has one number, not eight, and must not
//! call the platform's `exp` either. The lanes that nobody reads cost little: a vector
//! instruction takes as long as a scalar one, and the compiler drops whole unread registers.
//!
//! # Cost
//! One call through [`dispatch`]: 4 to 60 ns (measured with AVX-512), bound by latency. For many
//! values use [`math`].
//!
//! # Examples
//! ```
//! use windfall_lanes::scalar_math::{exp, lgamma};
//! assert_eq!(exp(0.0), 1.0);
//! assert!((lgamma(5.0) - 24f64.ln()).abs() < 1e-15);
//! ```

use crate::{Simd, Task, dispatch, math};

macro_rules! scalar {
    ($(fn $name:ident($($x:ident),+) $(.$part:tt)?, $as:ident $what:literal;)*) => {$(
        #[doc = concat!($what, ": [`math::", stringify!($as), "`] of single values.")]
        #[inline]
        pub fn $name($($x: f64),+) -> f64 {
            struct Single { $($x: f64),+ }
            impl Task for Single {
                type Output = f64;
                #[inline(always)]
                fn run<S: Simd>(self, s: S) -> f64 {
                    s.to_array(math::$as(s, $(s.splat(self.$x)),+)$(.$part)?)[0]
                }
            }
            dispatch(Single { $($x),+ })
        }
    )*};
}

scalar! {
    fn exp(x), exp "`e^x`";
    fn expm1(x), expm1 "`e^x - 1`";
    fn log(x), log "Natural logarithm";
    fn log1p(x), log1p "`log(1 + x)`";
    fn log2(x), log2 "Logarithm to base 2";
    fn log10(x), log10 "Logarithm to base 10";
    fn pow(x, y), pow "`x^y`";
    fn cbrt(x), cbrt "Cube root";
    fn sin(x), sin "Sine";
    fn cos(x), cos "Cosine";
    fn tan(x), tan "Tangent";
    fn asin(x), asin "Arcsine";
    fn acos(x), acos "Arccosine";
    fn atan(x), atan "Arctangent";
    fn atan2(y, x), atan2 "Angle of the point `(x, y)`";
    fn sinh(x), sinh "Hyperbolic sine";
    fn cosh(x), cosh "Hyperbolic cosine";
    fn tanh(x), tanh "Hyperbolic tangent";
    fn erf(x), erf "Error function";
    fn erfc(x), erfc "Complementary error function";
    fn lgamma(x), lgamma "Logarithm of |Γ(x)|";
    fn normal_pdf(x), normal_pdf "Density of the standard normal law";
    fn normal_cdf(x), normal_cdf "Distribution function of the standard normal law";
    fn normal_quantile(p), normal_quantile "Quantile of the standard normal law";
    fn sin_turn(u).0, sincos_turn "`sin 2πu`";
    fn cos_turn(u).1, sincos_turn "`cos 2πu`";
}
