//! Standard normal numbers: blocks by Box and Muller, single ones by the ziggurat.
//!
//! The block form computes eight pairs at a time from a fixed number of words, which lanes like
//! best. Alone, a pair would pay for a logarithm and a sine; the ziggurat returns after one
//! multiplication 99 times in 100, so single draws use it. Same law, different numbers. Sources:
//! G. E. P. Box, M. E. Muller, Annals of Mathematical Statistics 29, 1958; G. Marsaglia,
//! W. W. Tsang, "The ziggurat method", Journal of Statistical Software 5(8), 2000, with layer and
//! fraction from different bits of the word as J. A. Doornik showed to be needed, 2005.

use crate::lanes::{Lanes, open_uniform52, uniform52};
use crate::stream::Stream;
use std::sync::LazyLock;
use windfall_lanes::scalar_math::{exp, log};
use windfall_lanes::{LANES, Simd, Task, dispatch, math};

impl Stream {
    /// Returns a standard normal number, from one word in 99 draws of 100 and more otherwise.
    ///
    /// About 3 ns. Not the numbers of [`Stream::fill_normal`], which is faster for blocks.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        let layers = &*LAYERS;
        loop {
            let word = self.next_u64();
            let layer = (word & 0xff) as usize;
            let side = 2.0 * crate::fill::open_unit(word) - 1.0;
            let x = side * layers.edge[layer];
            if x.abs() < layers.edge[layer + 1] {
                return x;
            }
            if let Some(x) = self.normal_outside(layers, layer, x) {
                return x;
            }
        }
    }

    /// Decides about `x`, which lies beyond the part of its layer that is all under the curve.
    #[cold]
    fn normal_outside(&mut self, layers: &Layers, layer: usize, x: f64) -> Option<f64> {
        if layer == 0 {
            // Marsaglia's tail: an exponential beyond the edge, thinned to the normal's shape.
            loop {
                let beyond = -log(self.open_uniform()) / EDGE;
                if beyond * beyond < -2.0 * log(self.open_uniform()) {
                    return Some((EDGE + beyond).copysign(x));
                }
            }
        }
        let (low, high) = (layers.height[layer], layers.height[layer + 1]);
        (self.uniform().mul_add(high - low, low) < density(x)).then_some(x)
    }

    /// Fills `out` with standard normal numbers.
    ///
    /// Skips to a word of lane 0, then takes sixteen words for each sixteen numbers or part of
    /// them: eight radii and eight angles, which give first the eight cosines and then the eight
    /// sines. So a shorter `out` gets the beginning of what a longer one gets. No number exceeds
    /// 8.58 in magnitude.
    ///
    /// # Cost
    /// About 1 ns a number with AVX-512, 1.7 ns with AVX2.
    pub fn fill_normal(&mut self, out: &mut [f64]) {
        dispatch(FillNormal { stream: self, out });
    }
}

/// Returns two sets of standard normal numbers from two sets of words, as
/// [`Stream::fill_normal`] does from one step of the lanes and the next.
#[inline(always)]
pub fn normal_pair<S: Simd>(simd: S, radii: S::U, angles: S::U) -> (S::F, S::F) {
    let squares =
        simd.mul(math::log_of_normal(simd, open_uniform52(simd, radii)), simd.splat(-2.0));
    let radii = simd.sqrt(squares);
    let (sines, cosines) = math::sincos_turn(simd, uniform52(simd, angles));
    (simd.mul(radii, cosines), simd.mul(radii, sines))
}

/// The most pairs that [`normal_pairs`] is asked for at once: 4 KB of them.
pub const PAIRS: usize = 32;

/// Fills `out` with the pairs that [`normal_pair`] returns from the next words of `lanes`, two
/// steps a pair.
///
/// Goes over `out` once for the words, once for the radii and once for the angles: of a short loop
/// a processor holds several turns at once, which of all three in one it does not, so that each
/// result is waited for.
#[inline(always)]
pub fn normal_pairs<S: Simd>(simd: S, lanes: &mut Lanes<S>, out: &mut [[S::F; 2]]) {
    let mut state = *lanes;
    for [radius, angle] in &mut *out {
        *radius = open_uniform52(simd, state.next(simd));
        *angle = uniform52(simd, state.next(simd));
    }
    *lanes = state;
    for [radius, _] in &mut *out {
        let squares = simd.mul(math::log_of_normal(simd, *radius), simd.splat(-2.0));
        *radius = simd.sqrt(squares);
    }
    for [first, second] in out {
        let (sines, cosines) = math::sincos_turn(simd, *second);
        (*first, *second) = (simd.mul(*first, cosines), simd.mul(*first, sines));
    }
}

struct FillNormal<'a> {
    stream: &'a mut Stream,
    out: &'a mut [f64],
}

impl Task for FillNormal<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let mut lanes = self.stream.lanes(simd);
        let mut pairs = [[simd.splat(0.0); 2]; PAIRS];
        for part in self.out.chunks_mut(2 * LANES * PAIRS) {
            let pairs = &mut pairs[..part.len().div_ceil(2 * LANES)];
            normal_pairs(simd, &mut lanes, pairs);
            for (block, &mut [first, second]) in part.chunks_mut(2 * LANES).zip(pairs) {
                if let ([low, high], []) = block.as_chunks_mut::<LANES>() {
                    simd.store(first, low);
                    simd.store(second, high);
                } else {
                    let (low, high) = block.split_at_mut(block.len().min(LANES));
                    simd.store_head(first, low);
                    simd.store_head(second, high);
                }
            }
        }
        self.stream.resume(simd, lanes);
    }
}

/// Where the lowest of 256 layers of equal area ends and the tail begins.
const EDGE: f64 = 3.654_152_885_361_009;
/// The area of a layer; the lowest includes the tail.
const AREA: f64 = 0.004_928_673_233_974_655;
const LAYER_COUNT: usize = 256;

/// The curve exp(-x²/2) and layers of equal area over it, the widest first.
struct Layers {
    /// Half the width of each layer, then 0.
    edge: [f64; LAYER_COUNT + 1],
    /// The curve's height there: the lower side of each layer, then 1.
    height: [f64; LAYER_COUNT + 1],
}

static LAYERS: LazyLock<Layers> = LazyLock::new(|| {
    let mut edge = [0.0; LAYER_COUNT + 1];
    edge[0] = AREA / density(EDGE);
    edge[1] = EDGE;
    for layer in 2..LAYER_COUNT {
        let x: f64 = edge[layer - 1];
        edge[layer] = (-2.0 * log(AREA / x + density(x))).sqrt();
    }
    Layers { edge, height: edge.map(density) }
});

fn density(x: f64) -> f64 {
    exp(-0.5 * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_have_equal_areas() {
        let Layers { edge, height } = &*LAYERS;
        for layer in 1..LAYER_COUNT {
            let area = edge[layer] * (height[layer + 1] - height[layer]);
            assert!((area - AREA).abs() < 1e-12 * AREA.sqrt(), "layer {layer}: {area}");
        }
    }
}
