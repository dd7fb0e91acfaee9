//! Responses of generalised linear models: yes or no, and counts.

use super::tiles::Family;
use windfall_lanes::{Simd, math};

/// 0 or 1 with the logit of the probability as linear predictor.
pub(super) struct Bernoulli;

/// Tiles after which a product of factors up to 2, four a tile, is taken into the sum.
const SETTLE_TILES: usize = 128;

impl Family for Bernoulli {
    /// The sum of `y eta - max(eta, 0)`, and the product of `1 + e^-|eta|`, whose logarithm is
    /// taken once for 512 rows of a lane.
    type Sums<S: Simd> = (S::F, S::F);

    #[inline(always)]
    fn none<S: Simd>(simd: S) -> (S::F, S::F) {
        (simd.splat(0.0), simd.splat(1.0))
    }

    #[inline(always)]
    fn add<S: Simd>(
        simd: S,
        (sum, product): &mut (S::F, S::F),
        eta: S::F,
        y: S::F,
        live: Option<S::M>,
    ) -> S::F {
        let (zero, one) = (simd.splat(0.0), simd.splat(1.0));
        let small = math::exp(simd, simd.neg(simd.abs(eta)));
        let factor = simd.add(one, small);
        let above = simd.select(simd.lt(eta, zero), small, one);
        let slope = simd.sub(y, simd.div(above, factor));
        let more = simd.fma(y, eta, simd.sub(*sum, simd.max(eta, zero)));
        let factor = simd.mul(*product, factor);
        match live {
            None => {
                (*sum, *product) = (more, factor);
                slope
            }
            Some(live) => {
                *sum = simd.select(live, more, *sum);
                *product = simd.select(live, factor, *product);
                simd.select(live, slope, zero)
            }
        }
    }

    #[inline(always)]
    fn settle<S: Simd>(simd: S, (sum, product): &mut (S::F, S::F), tiles: usize) {
        if tiles.is_multiple_of(SETTLE_TILES) {
            *sum = simd.sub(*sum, math::log(simd, *product));
            *product = simd.splat(1.0);
        }
    }

    #[inline(always)]
    fn total<S: Simd>(simd: S, (sum, product): (S::F, S::F)) -> f64 {
        simd.sum_lanes(simd.sub(sum, math::log(simd, product)))
    }
}

/// Counts with the logarithm of the mean as linear predictor; `-log k!` is left out.
pub(super) struct Poisson;

impl Family for Poisson {
    type Sums<S: Simd> = S::F;

    #[inline(always)]
    fn none<S: Simd>(simd: S) -> S::F {
        simd.splat(0.0)
    }

    #[inline(always)]
    fn add<S: Simd>(simd: S, sum: &mut S::F, eta: S::F, y: S::F, live: Option<S::M>) -> S::F {
        let mean = math::exp(simd, eta);
        let more = simd.fma(y, eta, simd.sub(*sum, mean));
        let slope = simd.sub(y, mean);
        match live {
            None => {
                *sum = more;
                slope
            }
            Some(live) => {
                *sum = simd.select(live, more, *sum);
                simd.select(live, slope, simd.splat(0.0))
            }
        }
    }

    #[inline(always)]
    fn total<S: Simd>(simd: S, sum: S::F) -> f64 {
        simd.sum_lanes(sum)
    }
}
