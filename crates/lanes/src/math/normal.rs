//! Compute density, distribution and quantile of the standard normal law.
//!
//! Density and distribution square their argument as a pair, so that both tails keep their
//! digits. The quantile follows Wichura's algorithm AS 241 (Applied Statistics 37, 1988): ratios
//! of polynomials, with its own coefficients in the tails and ours, more careful, in the centre.

use super::erf::{TAIL_END, tail};
use super::pair::{Pair, exp_parts, fast_two_sum, poly, two_product};
use crate::Simd;

/// 1/√(2π).
const DENSITY_AT_ZERO: f64 = 0.3989422804014327;
/// |x| from which density and lower tail are zero.
const END: f64 = 38.8;

/// `-x²/2` as a pair.
#[inline(always)]
fn exponent<S: Simd>(s: S, x: S::F) -> Pair<S> {
    two_product(s, x, s.mul(x, s.splat(-0.5)))
}

/// Density of the standard normal law: at most 2 ulp off, down to the subnormals.
#[inline(always)]
pub fn normal_pdf<S: Simd>(s: S, x: S::F) -> S::F {
    let a = s.min(s.splat(END), s.abs(x)); // NaN stays
    let (p, n) = exp_parts(s, exponent(s, a));
    s.scale(s.mul(p, s.splat(DENSITY_AT_ZERO)), n)
}

/// Distribution function of the standard normal law, `P(Z <= x)`: at most 3 ulp off, in the lower
/// tail too, down to the subnormals. The upper tail is `normal_cdf(-x)`.
#[inline(always)]
pub fn normal_cdf<S: Simd>(s: S, x: S::F) -> S::F {
    let a = s.min(s.splat(END), s.abs(x)); // NaN stays
    let t = s.mul(a, s.splat(std::f64::consts::FRAC_1_SQRT_2));
    const { assert!(END * std::f64::consts::FRAC_1_SQRT_2 <= TAIL_END) }
    let y = tail(s, t, exponent(s, a), -1.0);
    s.select(s.lt(s.splat(0.0), x), s.sub(s.splat(1.0), y), y)
}

/// √(2π), the slope of the quantile at 1/2, as a pair.
const SLOPE: (f64, f64) = (2.5066282746310007, -1.8328579980459167e-16);
/// Numerator and denominator of G in `quantile(½ + q) = q (√(2π) + q² G)`, |q| <= 0.425, in
/// `0.180625 - q²`; from `derive/quantile.py`.
const CENTRE: [[f64; 9]; 2] = [
    [
        4.874765941399952,
        210.31989537018472,
        3525.532128070263,
        29112.399752709563,
        124185.54730959909,
        262872.99053463,
        241554.11234600894,
        68589.41719068619,
        625.065325746334,
    ],
    [
        1.0,
        49.168931922853595,
        967.9298360519297,
        9787.108554703831,
        54319.3889132977,
        164325.0965799307,
        253716.09965853798,
        171982.98098109584,
        35509.46431808932,
    ],
];
/// Numerator and denominator in the tails, in `√(-log p) - 1.6` up to √(-log p) = 5.
const NEAR_TAIL: [[f64; 8]; 2] = [
    [
        1.4234371107496835,
        4.630337846156546,
        5.769497221460691,
        3.6478483247632045,
        1.2704582524523684,
        0.2417807251774506,
        0.022723844989269184,
        0.0007745450142783414,
    ],
    [
        1.0,
        2.053191626637759,
        1.6763848301838038,
        0.6897673349851,
        0.14810397642748008,
        0.015198666563616457,
        0.0005475938084995345,
        1.0507500716444169e-09,
    ],
];
/// The same, in `√(-log p) - 5`, from there on.
const FAR_TAIL: [[f64; 8]; 2] = [
    [
        6.657904643501103,
        5.463784911164114,
        1.7848265399172913,
        0.29656057182850487,
        0.026532189526576124,
        0.0012426609473880784,
        2.7115555687434876e-05,
        2.0103343992922881e-07,
    ],
    [
        1.0,
        0.599832206555888,
        0.1369298809227358,
        0.014875361290850615,
        0.0007868691311456133,
        1.8463183175100548e-05,
        1.421511758316446e-07,
        2.0442631033899397e-15,
    ],
];

/// Quantile of the standard normal law, the inverse of [`normal_cdf`]: at most 1.3 ulp off for
/// `p` in [0.075, 0.925], 3.5 ulp outside and 4.6 ulp for `p` or `1 - p` below 1.4e-11.
/// Infinite at 0 and 1, NaN outside.
#[inline(always)]
pub fn normal_quantile<S: Simd>(s: S, p: S::F) -> S::F {
    let (zero, half, one) = (s.splat(0.0), s.splat(0.5), s.splat(1.0));
    let q = s.sub(p, half);
    let centre = s.le(s.abs(q), s.splat(0.425));
    let w = s.mul(q, q);
    let u = s.sub(s.splat(0.180625), w);
    let g = s.div(poly(s, u, &CENTRE[0]), poly(s, u, &CENTRE[1]));
    let (slope, slope_lo) = fast_two_sum(s, s.splat(SLOPE.0), s.mul(w, g));
    let slope_lo = s.add(slope_lo, s.splat(SLOPE.1));
    let near_centre = s.fma(q, slope, s.mul(q, slope_lo));
    if s.mask_all(centre) {
        return near_centre;
    }
    let outer = s.min(p, s.sub(one, p));
    let r = s.sqrt(s.neg(super::log(s, outer)));
    let v = s.sub(r, s.splat(1.6));
    let (mut top, mut bottom) = (poly(s, v, &NEAR_TAIL[0]), poly(s, v, &NEAR_TAIL[1]));
    let far = s.lt(s.splat(5.0), r);
    if s.mask_any(far) {
        let w = s.sub(r, s.splat(5.0));
        top = s.select(far, poly(s, w, &FAR_TAIL[0]), top);
        bottom = s.select(far, poly(s, w, &FAR_TAIL[1]), bottom);
    }
    let tail = s.select(s.eq(outer, zero), s.splat(f64::INFINITY), s.div(top, bottom));
    s.select(centre, near_centre, s.copysign(tail, q))
}
