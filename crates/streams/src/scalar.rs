//! Elementary functions of one number, from the eight-lane ones.
//!
//! The platform's own differ from one C library to the next, and draws must not. One lane of
//! eight takes as long as all of them, some 15 ns, so these serve set-up and rare branches.

use windfall_lanes::{Simd, Task, dispatch, math};

/// Makes a function of one number out of one over lanes.
macro_rules! one_lane {
    ($name:ident, $lanes:path) => {
        pub(crate) fn $name(x: f64) -> f64 {
            struct Apply(f64);
            impl Task for Apply {
                type Output = f64;
                #[inline(always)]
                fn run<S: Simd>(self, simd: S) -> f64 {
                    simd.to_array($lanes(simd, simd.splat(self.0)))[0]
                }
            }
            dispatch(Apply(x))
        }
    };
}

one_lane!(exp, math::exp);
one_lane!(ln, math::log);
one_lane!(ln_1p, math::log1p);
