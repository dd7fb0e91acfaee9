//! The standard normal law at one point.

use windfall_lanes::{Simd, Task, dispatch, math, scalar_math};

/// The point below which lies the probability `p`; infinite at 0 and 1.
pub fn quantile(p: f64) -> f64 {
    scalar_math::normal_quantile(p)
}

/// The density at `x`.
pub fn pdf(x: f64) -> f64 {
    dispatch(At(x)).0
}

/// The probability below `x`.
pub fn cdf(x: f64) -> f64 {
    dispatch(At(x)).1
}

struct At(f64);

impl Task for At {
    type Output = (f64, f64);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> (f64, f64) {
        let x = simd.splat(self.0);
        let (pdf, cdf) = (math::normal_pdf(simd, x), math::normal_cdf(simd, x));
        (simd.to_array(pdf)[0], simd.to_array(cdf)[0])
    }
}
