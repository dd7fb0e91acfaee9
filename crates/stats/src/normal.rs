//! The standard normal law at one point, with the same bits on every machine.

pub(crate) use crate::student::normal_quantile as quantile;
use windfall_lanes::{Simd, Task, dispatch, math};

/// The density at `x`.
pub(crate) fn pdf(x: f64) -> f64 {
    dispatch(At(x)).0
}

/// The probability below `x`.
pub(crate) fn cdf(x: f64) -> f64 {
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
