//! Randomly shifted rank-1 lattices: for smooth integrands, best of all for periodic ones.
//!
//! Point `i` of `2^m` is the fraction of `r(i) z + s`: `z` is the generating vector, `r(i)` the
//! binary digits of `i` mirrored at the point, so that the first `2^k` points are a lattice for
//! each `k`, and `s` is the replicate's own uniform shift (R. Cools, F. Y. Kuo, D. Nuyens,
//! "Constructing embedded lattice rules for multivariate integration", SIAM Journal on Scientific
//! Computing 28, 2006; the vector stands in `cools_kuo_nuyens.txt`). Unless the integrand is said
//! to be periodic, coordinates are folded by the baker's transform `1 - |2u - 1|`, which makes it
//! so: the error of a smooth integrand then falls nearly as 1/n^2 (F. J. Hickernell, "Obtaining
//! O(N^(-2+e)) convergence for lattice quadrature rules", Monte Carlo and Quasi-Monte Carlo Methods
//! 2000).

use super::plan::{Plan, Setting};
use super::replicates::{Copies, Net, Replicated};
use super::rule::ByRule;
use windfall_core::{Error, Result, Streams};
use windfall_lanes::{Simd, Task, dispatch};
use windfall_streams::open_uniform52;

/// Binary digits of the number of points that the vector is made for.
const BITS_MAX: u32 = 20;

const TABLE: &str = include_str!("cools_kuo_nuyens.txt");

/// A lattice of some axes with the shifts of its copies.
#[derive(Clone, Debug)]
pub(crate) struct Lattice {
    /// The generating vector, one number an axis.
    vector: Vec<u64>,
    /// For each replicate and axis.
    shifts: Vec<u64>,
    periodic: bool,
}

impl Lattice {
    /// The row's maker.
    pub fn plan(setting: &Setting<'_>) -> Result<Box<dyn Plan>> {
        Ok(Box::new(ByRule(Self::new(setting)?)))
    }

    /// Copies of as many points as `n` allows, a power of two each up to 2^20.
    ///
    /// # Errors
    /// Too many dimensions, fewer than two replicates, less than eight points for each.
    pub fn new(setting: &Setting<'_>) -> Result<Replicated<Self>> {
        let copies = Copies::new(setting, BITS_MAX)?;
        let dimensions = setting.size.dimensions;
        let vector: Vec<u64> = numbers().take(dimensions).collect();
        if vector.len() < dimensions {
            let expected = format!("at most {} pairs for lattice points", vector.len());
            return Err(Error::invalid("bounds", format!("{dimensions} pairs"), &expected)
                .hint("use method = \"sobol\" or \"plain\""));
        }
        let streams = Streams::new(setting.seed, "integrate.lattice");
        let mut shifts = vec![0; copies.replicates as usize * dimensions];
        for (replicate, own) in shifts.chunks_exact_mut(dimensions).enumerate() {
            streams.task(replicate as u64).fill_u64(own);
        }
        let periodic = setting.options.periodic;
        Ok(Replicated { net: Self { vector, shifts, periodic }, copies })
    }
}

/// The numbers of the table.
fn numbers() -> impl Iterator<Item = u64> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(|line| line.split(' ')).filter_map(|word| word.parse().ok())
}

impl Net for Lattice {
    fn fill<'a>(
        &self,
        replicate: u64,
        first: u64,
        axes: impl Iterator<Item = ((f64, f64), &'a mut [[f64; 8]])>,
    ) {
        let shifts = &self.shifts[replicate as usize * self.vector.len()..];
        for ((affine, column), (&step, &shift)) in axes.zip(self.vector.iter().zip(shifts)) {
            dispatch(Hop { step, shift, first, fold: !self.periodic, affine, column });
        }
    }

    fn note(&self, replicates: u64, points: u64) -> String {
        let most = if points == 1 << BITS_MAX { ", at most 2^20" } else { "" };
        let folded = if self.periodic { "" } else { ", folded by the baker's transform" };
        format!(
            "{replicates} random shifts of a lattice of {points} points{folded}: the power of two \
             that fits in `n`{most}"
        )
    }
}

/// Fills a column with consecutive points of one axis, in 64-bit fractions of one.
///
/// The mirrored digits of `8 g + l` are those of `8 g` and those of `l` added up, so eight points
/// share all but a pattern.
struct Hop<'a> {
    step: u64,
    shift: u64,
    first: u64,
    fold: bool,
    affine: (f64, f64),
    column: &'a mut [[f64; 8]],
}

impl Task for Hop<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (low, width) = (simd.splat(self.affine.0), simd.splat(self.affine.1));
        let (one, two) = (simd.splat(1.0), simd.splat(2.0));
        let at = |index: u64| index.reverse_bits().wrapping_mul(self.step);
        let pattern = simd.load_u(&std::array::from_fn(|lane| at(lane as u64)));
        let mut group = self.first;
        for x in self.column {
            let base = simd.splat_u(at(group).wrapping_add(self.shift));
            // An odd multiple of 2^-53: never a half, so that the fold stays below one.
            let mut u = open_uniform52(simd, simd.add_u(base, pattern));
            if self.fold {
                u = simd.sub(one, simd.abs(simd.fma(two, u, simd.splat(-1.0))));
            }
            simd.store(simd.fma(width, u, low), x);
            group += 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let vector: Vec<u64> = numbers().collect();
        assert_eq!((vector.len(), vector[0], vector[249]), (250, 1, 480_757));
        assert!(vector.iter().all(|number| number % 2 == 1 && *number < 1 << BITS_MAX));
    }

    fn hop(step: u64, first: u64, points: usize, fold: bool) -> Vec<f64> {
        let mut column = vec![[0.0; 8]; points / 8];
        let affine = (0.0, 1.0);
        dispatch(Hop { step, shift: 0, first, fold, affine, column: &mut column });
        column.into_flattened()
    }

    /// The first points of QMCPy's `Lattice` with this vector, third axis; ours stand half a grain
    /// higher.
    #[test]
    fn unshifted_points_are_as_published() {
        let expected = [0.0, 0.5, 0.75, 0.25, 0.375, 0.875, 0.125, 0.625];
        for (found, expected) in hop(469_891, 0, 8, false).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found} for {expected}");
        }
    }

    /// The first `2^k` points of every axis are `i / 2^k` in some order, whatever `k`.
    #[test]
    fn lattices_are_embedded() {
        for step in numbers().take(50) {
            let points = hop(step, 0, 1024, false);
            for count in [8, 64, 1024] {
                let mut places: Vec<u64> =
                    points[..count].iter().map(|u| (u * count as f64) as u64).collect();
                places.sort_unstable();
                assert!(places.into_iter().eq(0..count as u64));
            }
            assert_eq!(hop(step, 64, 64, false), points[64..128]);
        }
    }

    #[test]
    fn folded_points_stay_inside() {
        let (folded, points) = (hop(182_667, 0, 1024, true), hop(182_667, 0, 1024, false));
        for (folded, u) in folded.into_iter().zip(points) {
            assert!(folded > 0.0 && folded < 1.0);
            assert_eq!(folded, 1.0 - (2.0 * u - 1.0).abs());
        }
    }
}
