//! The rules that a region is judged by: a good one, and a poorer one on some of its points.
//!
//! From two dimensions on the pair of A. C. Genz and A. A. Malik, "Remarks on algorithm 006: an
//! adaptive algorithm for numerical integration over an N-dimensional rectangular region", Journal
//! of Computational and Applied Mathematics 6, 1980: degrees 7 and 5. In one dimension the pair of
//! Gauss (10 points) and Kronrod (21), as QUADPACK has it (R. Piessens et al., 1983): degrees 31
//! and 19.

/// Points and weights on [-1, 1]^d, the weights as shares of the volume.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// For each axis the coordinate of each point.
    pub offsets: Vec<Vec<f64>>,
    /// The weights of the good rule.
    pub good: Vec<f64>,
    /// Those of the poorer one.
    pub poor: Vec<f64>,
}

/// Kronrod's points from the end to the middle; every second is one of Gauss's.
const NODES: [f64; 11] = [
    0.995_657_163_025_808_1,
    0.973_906_528_517_171_7,
    0.930_157_491_355_708_2,
    0.865_063_366_688_984_5,
    0.780_817_726_586_416_9,
    0.679_409_568_299_024_4,
    0.562_757_134_668_604_7,
    0.433_395_394_129_247_2,
    0.294_392_862_701_460_2,
    0.148_874_338_981_631_22,
    0.0,
];
const KRONROD: [f64; 11] = [
    0.011_694_638_867_371_874,
    0.032_558_162_307_964_725,
    0.054_755_896_574_351_995,
    0.075_039_674_810_919_96,
    0.093_125_454_583_697_6,
    0.109_387_158_802_297_64,
    0.123_491_976_262_065_84,
    0.134_709_217_311_473_34,
    0.142_775_938_577_060_09,
    0.147_739_104_901_338_49,
    0.149_445_554_002_916_9,
];
const GAUSS: [f64; 5] = [
    0.066_671_344_308_688_14,
    0.149_451_349_150_580_6,
    0.219_086_362_515_982_04,
    0.269_266_719_309_996_35,
    0.295_524_224_714_752_87,
];

impl Pair {
    /// The pair for so many dimensions.
    pub fn new(dimensions: usize) -> Self {
        if dimensions == 1 { Self::gauss_kronrod() } else { Self::genz_malik(dimensions) }
    }

    /// Points of the pair for so many dimensions.
    pub fn points_in(dimensions: usize) -> u64 {
        let d = dimensions as u64;
        if d == 1 { 21 } else { 1 + 4 * d + 2 * d * (d - 1) + (1 << d) }
    }

    /// Points of the pair.
    pub fn points(&self) -> usize {
        self.good.len()
    }

    fn gauss_kronrod() -> Self {
        let mut pair = Self { offsets: vec![Vec::new()], good: Vec::new(), poor: Vec::new() };
        for (place, (node, weight)) in NODES.iter().zip(KRONROD).enumerate() {
            let poor = if place % 2 == 1 { 0.5 * GAUSS[place / 2] } else { 0.0 };
            let both = if place == NODES.len() - 1 { &[1.0][..] } else { &[1.0, -1.0] };
            for sign in both {
                pair.offsets[0].push(sign * node);
                pair.good.push(0.5 * weight);
                pair.poor.push(poor);
            }
        }
        pair
    }

    /// The centre; along each axis two near points and two far ones; pairs of axes; corners.
    fn genz_malik(dimensions: usize) -> Self {
        let d = dimensions as f64;
        let (near, far, corner) =
            ((9.0f64 / 70.0).sqrt(), (9.0f64 / 10.0).sqrt(), (9.0f64 / 19.0).sqrt());
        let corners = (1u64 << dimensions) as f64;
        let mut pair =
            Self { offsets: vec![Vec::new(); dimensions], good: Vec::new(), poor: Vec::new() };
        let centre = (12824.0 - 9120.0 * d + 400.0 * d * d) / 19683.0;
        pair.push(&[], (centre, (729.0 - 950.0 * d + 50.0 * d * d) / 729.0));
        for axis in 0..dimensions {
            for (offset, weights) in [
                (near, (980.0 / 6561.0, 245.0 / 486.0)),
                (far, ((1820.0 - 400.0 * d) / 19683.0, (265.0 - 100.0 * d) / 1458.0)),
            ] {
                pair.push(&[(axis, offset)], weights);
                pair.push(&[(axis, -offset)], weights);
            }
        }
        for one in 0..dimensions {
            for other in one + 1..dimensions {
                for (x, y) in [(far, far), (far, -far), (-far, far), (-far, -far)] {
                    pair.push(&[(one, x), (other, y)], (200.0 / 19683.0, 25.0 / 729.0));
                }
            }
        }
        for signs in 0..1u64 << dimensions {
            let sign = |axis| if signs >> axis & 1 == 1 { -corner } else { corner };
            let point: Vec<(usize, f64)> = (0..dimensions).map(|axis| (axis, sign(axis))).collect();
            pair.push(&point, (6859.0 / 19683.0 / corners, 0.0));
        }
        pair
    }

    /// Adds a point by those of its coordinates that are not 0.
    fn push(&mut self, point: &[(usize, f64)], (good, poor): (f64, f64)) {
        self.offsets.iter_mut().for_each(|column| column.push(0.0));
        for &(axis, offset) in point {
            self.offsets[axis][self.good.len()] = offset;
        }
        self.good.push(good);
        self.poor.push(poor);
    }
}

/// How far a function is from being quadratic along each axis: its fourth difference there, from
/// the first values of the Genz–Malik pair. The axis with the largest is where to cut.
pub(crate) fn fourth_differences(dimensions: usize, values: &[f64]) -> impl Iterator<Item = f64> {
    // The square of the near offset over that of the far one.
    const RATIO: f64 = 1.0 / 7.0;
    let centre = 2.0 * values[0];
    (0..dimensions).map(move |axis| {
        let own = values.get(4 * axis + 1..4 * axis + 5);
        own.map_or(0.0, |own| {
            let (near, far) = (own[0] + own[1] - centre, own[2] + own[3] - centre);
            (near - RATIO * far).abs()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of a monomial over [-1, 1]^d by both rules.
    fn means(pair: &Pair, powers: &[i32]) -> (f64, f64) {
        let value = |point: usize| -> f64 {
            let factors = powers.iter().zip(&pair.offsets);
            factors.map(|(&power, column)| column[point].powi(power)).product()
        };
        let mean = |weights: &[f64]| (0..pair.points()).map(|p| weights[p] * value(p)).sum();
        (mean(&pair.good), mean(&pair.poor))
    }

    fn exact(powers: &[i32]) -> f64 {
        let one = |power: &i32| if power % 2 == 1 { 0.0 } else { 1.0 / f64::from(power + 1) };
        powers.iter().map(one).product()
    }

    #[test]
    fn rules_have_their_degrees() {
        for dimensions in 1..=7 {
            let pair = Pair::new(dimensions);
            assert_eq!(pair.points() as u64, Pair::points_in(dimensions));
            let (good, poor) = if dimensions == 1 { (31, 19) } else { (7, 5) };
            for total in (0..=good).step_by(if dimensions == 1 { 1 } else { 2 }) {
                let mut all = vec![vec![total]];
                if dimensions > 1 {
                    all = (0..=total).map(|first| vec![first, total - first]).collect();
                }
                if dimensions > 2 && total >= 4 {
                    all.push(vec![2, total - 4, 2]);
                }
                for powers in all {
                    let (found, poorer) = means(&pair, &powers);
                    let expected = exact(&powers);
                    assert!((found - expected).abs() < 1e-13, "{dimensions} {powers:?}: {found}");
                    if total <= poor {
                        let off = (poorer - expected).abs();
                        assert!(off < 1e-13, "{dimensions} {powers:?}: {poorer}");
                    }
                }
            }
        }
    }

    #[test]
    fn fourth_differences_vanish_for_parabolas_and_point_to_the_axis() {
        let pair = Pair::new(3);
        let of = |f: &dyn Fn(f64, f64, f64) -> f64| {
            let [x, y, z] = &pair.offsets[..] else { unreachable!() };
            let values: Vec<f64> = (0..pair.points()).map(|p| f(x[p], y[p], z[p])).collect();
            fourth_differences(3, &values).collect::<Vec<_>>()
        };
        assert!(of(&|x, y, z| x * x + 3.0 * y * y - z + x * y).iter().all(|d| d.abs() < 1e-14));
        let found = of(&|x, y, _| x.powi(4) + 3.0 * y.powi(4));
        assert!(found[1] > 2.0 * found[0] && found[2] < 1e-14);
    }
}
