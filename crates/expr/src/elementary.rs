//! Run one elementary function over a block; the functions themselves are those of the lanes.

use crate::frame::Frame;
use crate::program::{Binary, Unary};
use crate::schedule::{Source, Target};
use windfall_lanes::{Simd, Task, dispatch, math};

/// A function of one vector, as a type: each gets its own loop.
trait One {
    fn of<S: Simd>(simd: S, x: S::F) -> S::F;
}

/// A function of two vectors, as a type.
trait Two {
    fn of<S: Simd>(simd: S, a: S::F, b: S::F) -> S::F;
}

/// The pass of a function over a block.
struct Map<'a, 'f, K> {
    frame: &'a mut Frame<'f>,
    sources: K,
    to: Target,
}

/// The source of a [`One`].
struct From1<K>(Source, std::marker::PhantomData<K>);

/// The sources of a [`Two`].
struct From2<K>(Source, Source, std::marker::PhantomData<K>);

impl<K: One> Task for &mut Map<'_, '_, From1<K>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for at in 0..self.frame.vectors {
            let x = simd.load(&self.frame.read::<1>(self.sources.0, at)[0]);
            simd.store(K::of(simd, x), &mut self.frame.target::<1>(self.to, at)[0]);
        }
    }
}

impl<K: Two> Task for &mut Map<'_, '_, From2<K>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for at in 0..self.frame.vectors {
            let a = simd.load(&self.frame.read::<1>(self.sources.0, at)[0]);
            let b = simd.load(&self.frame.read::<1>(self.sources.1, at)[0]);
            simd.store(K::of(simd, a, b), &mut self.frame.target::<1>(self.to, at)[0]);
        }
    }
}

macro_rules! one {
    ($($name:ident $function:ident),* $(,)?) => {
        $(
            struct $name;
            impl One for $name {
                #[inline(always)]
                fn of<S: Simd>(simd: S, x: S::F) -> S::F {
                    math::$function(simd, x)
                }
            }
        )*

        /// Writes `kind` of `a` to `to`, over the whole block.
        pub(crate) fn one(frame: &mut Frame<'_>, kind: Unary, a: Source, to: Target) {
            match kind {
                $(Unary::$name => {
                    let sources = From1::<$name>(a, std::marker::PhantomData);
                    dispatch(&mut Map { frame, sources, to });
                })*
                // The planner puts these into chains.
                Unary::Negative | Unary::Abs | Unary::Sqrt | Unary::Floor | Unary::Ceil
                | Unary::Round | Unary::Trunc => {}
            }
        }
    };
}

one! {
    Cbrt cbrt,
    Exp exp,
    Expm1 expm1,
    Log log,
    Log1p log1p,
    Log2 log2,
    Log10 log10,
    Sin sin,
    Cos cos,
    Tan tan,
    Asin asin,
    Acos acos,
    Atan atan,
    Sinh sinh,
    Cosh cosh,
    Tanh tanh,
    Erf erf,
    Erfc erfc,
    Lgamma lgamma,
    Digamma digamma,
    NormalPdf normal_pdf,
    NormalCdf normal_cdf,
    NormalQuantile normal_quantile,
}

struct Pow;
impl Two for Pow {
    #[inline(always)]
    fn of<S: Simd>(simd: S, a: S::F, b: S::F) -> S::F {
        math::pow(simd, a, b)
    }
}

struct Atan2;
impl Two for Atan2 {
    #[inline(always)]
    fn of<S: Simd>(simd: S, a: S::F, b: S::F) -> S::F {
        math::atan2(simd, a, b)
    }
}

/// Writes `kind` of `a` and `b` to `to`, over the whole block.
pub(crate) fn two(frame: &mut Frame<'_>, kind: Binary, (a, b): (Source, Source), to: Target) {
    match kind {
        Binary::Pow => {
            dispatch(&mut Map { frame, sources: From2::<Pow>(a, b, std::marker::PhantomData), to });
        }
        Binary::Atan2 => {
            dispatch(&mut Map {
                frame,
                sources: From2::<Atan2>(a, b, std::marker::PhantomData),
                to,
            });
        }
        // The planner puts these into chains.
        _ => {}
    }
}
