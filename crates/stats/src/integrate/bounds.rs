//! Map the unit cube onto the region of an integral, ends at infinity included.
//!
//! A finite axis is an affine map, done while points are made. An axis with an infinite end is a
//! change of variable with u in (0, 1); the values are then weighted by its derivative:
//!
//! | axis | x | dx/du |
//! |---|---|---|
//! | `[a, inf]` | `a + u/(1 - u)` | `1/(1 - u)^2` |
//! | `[-inf, b]` | `b - u/(1 - u)` | `1/(1 - u)^2` |
//! | `[-inf, inf]` | `t/(1 - t^2)`, t = 2u - 1 | `2 (1 + t^2)/(1 - t^2)^2` |
//!
//! These are the maps that the documentation of cubature (S. G. Johnson) advises: smooth inside, so
//! that Sobol points keep their advantage when the integrand decays. Reversed ends change the sign.

use super::block::Side;
use serde_json::Value;
use windfall_core::{Error, Result};
use windfall_expr::{Expr, Names, Workspace};
use windfall_lanes::{Simd, Task, dispatch};

/// Axes at most: a block of points then takes 40 MB.
const DIMENSIONS_MAX: usize = 10_000;

/// What becomes of u on one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Axis {
    /// `low + width · u`, already done by whoever made the points.
    Finite,
    /// From this point to infinity.
    From(f64),
    /// From minus infinity to this point.
    UpTo(f64),
    /// From minus infinity to infinity.
    Line,
}

/// The region of an integral.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Space {
    axes: Vec<Axis>,
    near: Vec<(f64, f64)>,
    far: Vec<(f64, f64)>,
    volume: f64,
}

impl Space {
    /// The product of these ranges, from the first end to the second.
    pub fn new(bounds: &[(f64, f64)]) -> Result<Self> {
        if bounds.is_empty() {
            return Err(Error::too_few("bounds", 0, 1).hint("give a pair [low, high] per variable"));
        }
        if bounds.len() > DIMENSIONS_MAX {
            let expected = format!("at most {DIMENSIONS_MAX} pairs");
            return Err(Error::invalid("bounds", format!("{} pairs", bounds.len()), &expected));
        }
        let mut space = Self { axes: Vec::new(), near: Vec::new(), far: Vec::new(), volume: 1.0 };
        for (place, &(low, high)) in bounds.iter().enumerate() {
            let wrong = |expected| {
                let what = format!("bounds[{place}]");
                Err(Error::invalid(&what, format!("[{low}, {high}]"), expected))
            };
            let (axis, affine, factor) = match (low, high) {
                _ if low.is_nan() || high.is_nan() => return wrong("two numbers, not NaN"),
                _ if low.is_finite() && high.is_finite() => {
                    (Axis::Finite, (low, high - low), high - low)
                }
                _ if low == high => return wrong("two different ends where one is infinite"),
                (f64::NEG_INFINITY, f64::INFINITY) => (Axis::Line, (0.0, 1.0), 1.0),
                (f64::INFINITY, f64::NEG_INFINITY) => (Axis::Line, (0.0, 1.0), -1.0),
                (low, f64::INFINITY) => (Axis::From(low), (0.0, 1.0), 1.0),
                (f64::INFINITY, high) => (Axis::From(high), (0.0, 1.0), -1.0),
                (f64::NEG_INFINITY, high) => (Axis::UpTo(high), (0.0, 1.0), 1.0),
                (low, _) => (Axis::UpTo(low), (0.0, 1.0), -1.0),
            };
            space.axes.push(axis);
            space.near.push(affine);
            space.far.push(match axis {
                Axis::Finite => (high, low - high),
                _ => Side::Far.unit(),
            });
            space.volume *= factor;
            if !space.volume.is_finite() {
                return wrong("so near to each other that the volume is a number");
            }
        }
        Ok(space)
    }

    /// The number of axes.
    pub fn dimensions(&self) -> usize {
        self.axes.len()
    }

    /// For each axis, the `(low, width)` that makers of points apply: `low + width · u`; on the far
    /// side from the other end.
    pub fn affine(&self, side: Side) -> &[(f64, f64)] {
        match side {
            Side::Near => &self.near,
            Side::Far => &self.far,
        }
    }

    /// What the mean of the weighted values is multiplied by, sign included.
    pub fn volume(&self) -> f64 {
        self.volume
    }

    /// Whether an axis has an infinite end.
    pub fn is_infinite(&self) -> bool {
        self.axes.iter().any(|axis| *axis != Axis::Finite)
    }

    /// Bends the columns of infinite axes and sets `weights` to the product of the derivatives.
    ///
    /// One column for each axis, all as long as `weights`, a multiple of eight.
    pub fn bend<'a>(&self, columns: impl Iterator<Item = &'a mut [f64]>, weights: &mut [f64]) {
        weights.fill(1.0);
        for (&axis, column) in self.axes.iter().zip(columns) {
            if axis != Axis::Finite {
                dispatch(Bend { axis, column, weights });
            }
        }
    }
}

struct Bend<'a> {
    axis: Axis,
    column: &'a mut [f64],
    weights: &'a mut [f64],
}

impl Task for Bend<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let one = simd.splat(1.0);
        let (start, sign) = match self.axis {
            Axis::From(low) => (low, 1.0),
            Axis::UpTo(high) => (high, -1.0),
            Axis::Line | Axis::Finite => (0.0, 0.0),
        };
        let columns = self.column.as_chunks_mut::<8>().0;
        for (x, weight) in columns.iter_mut().zip(self.weights.as_chunks_mut::<8>().0) {
            let u = simd.load(x);
            let rest = simd.sub(one, u);
            let (bent, slope) = if self.axis == Axis::Line {
                // 1 - t^2 = 4u(1 - u), without a loss near the ends.
                let gap = simd.mul(simd.mul(simd.splat(4.0), u), rest);
                let two = simd.splat(2.0);
                let top = simd.mul(two, simd.sub(two, gap));
                (simd.div(simd.sub(u, rest), gap), simd.div(top, simd.mul(gap, gap)))
            } else {
                let far = simd.mul(simd.splat(sign), simd.div(u, rest));
                (simd.add(simd.splat(start), far), simd.div(one, simd.mul(rest, rest)))
            };
            simd.store(bent, x);
            simd.store(simd.mul(simd.load(weight), slope), weight);
        }
    }
}

/// Reads the bounds of a job file: pairs of numbers, `"inf"`, `"-inf"` or constant formulas such
/// as `"2*pi"`.
pub(crate) fn read(pairs: &[Vec<Value>]) -> Result<Vec<(f64, f64)>> {
    let pair = |(place, pair): (usize, &Vec<Value>)| match pair.as_slice() {
        [low, high] => Ok((end(place, low)?, end(place, high)?)),
        _ => {
            let given = Value::from(pair.clone());
            Err(Error::invalid(&format!("bounds[{place}]"), given, "a pair [low, high]"))
        }
    };
    pairs.iter().enumerate().map(pair).collect()
}

fn end(place: usize, value: &Value) -> Result<f64> {
    let wrong = |expected| Error::invalid(&format!("bounds[{place}]"), value, expected);
    match value {
        Value::Number(number) => number.as_f64().ok_or_else(|| wrong("a number")),
        Value::String(text) => match text.trim().trim_start_matches('+') {
            "inf" | "infinity" => Ok(f64::INFINITY),
            "-inf" | "-infinity" => Ok(f64::NEG_INFINITY),
            formula => match Expr::parse(formula, &Names::indexed(0)) {
                Ok(constant) => Ok(constant.evaluate_one(&[], &mut Workspace::new())),
                Err(_) => Err(wrong("a number, \"inf\", \"-inf\" or a constant formula")),
            },
        },
        // JSON has no infinity, and a reader of TOML that speaks JSON loses it.
        Value::Null => Err(wrong("a number").hint("write infinity in quotes: \"inf\"")),
        _ => Err(wrong("a number, \"inf\" or \"-inf\"")),
    }
}

/// Writes bounds as a job file has them.
pub(crate) fn write(bounds: &[(f64, f64)]) -> Vec<Vec<Value>> {
    let end = |x: f64| match x {
        f64::INFINITY => "inf".into(),
        f64::NEG_INFINITY => "-inf".into(),
        _ => Value::from(x),
    };
    bounds.iter().map(|&(low, high)| vec![end(low), end(high)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn derivatives_match_the_maps() {
        for bounds in [(2.0, INF), (-INF, 2.0), (-INF, INF)] {
            let space = Space::new(&[bounds]).unwrap();
            let bend = |shift: f64| {
                let mut column: Vec<f64> = (1..65).map(|i| f64::from(i) / 66.0 + shift).collect();
                let mut weights = vec![0.0; 64];
                space.bend([column.as_mut_slice()].into_iter(), &mut weights);
                (column, weights)
            };
            let step = 1e-6;
            let (weights, ahead, behind) = (bend(0.0).1, bend(step).0, bend(-step).0);
            for i in 0..64 {
                let slope = ((ahead[i] - behind[i]) / (2.0 * step)).abs();
                assert!((slope / weights[i] - 1.0).abs() < 1e-5, "{bounds:?} at {i}");
            }
        }
    }

    #[test]
    fn signs_follow_the_order_of_the_ends() {
        for (bounds, volume) in [
            ((0.0, 2.0), 2.0),
            ((2.0, 0.0), -2.0),
            ((1.0, 1.0), 0.0),
            ((INF, 0.0), -1.0),
            ((0.0, -INF), -1.0),
            ((INF, -INF), -1.0),
        ] {
            assert_eq!(Space::new(&[bounds]).unwrap().volume(), volume);
        }
    }

    #[test]
    fn ends_are_numbers_infinities_or_constants() {
        let pairs = write(&[(0.0, INF), (-INF, 1.5)]);
        assert_eq!(read(&pairs).unwrap(), [(0.0, INF), (-INF, 1.5)]);
        let found = read(&[vec!["2*pi".into(), "+inf".into()]]).unwrap();
        assert_eq!(found, [(2.0 * std::f64::consts::PI, INF)]);
        for wrong in [vec![], vec![Value::from(1)], vec!["one".into(), 2.into()]] {
            assert!(read(&[wrong]).is_err());
        }
        assert!(read(&[vec![Value::Null, 1.into()]]).unwrap_err().remedy().is_some());
    }

    #[test]
    fn impossible_regions_are_refused() {
        for wrong in [(f64::NAN, 1.0), (INF, INF), (-1e308, 1e308)] {
            assert!(Space::new(&[wrong]).is_err(), "{wrong:?}");
        }
        assert!(Space::new(&[]).is_err());
        assert!(Space::new(&[(0.0, 1e200); 2]).is_err());
    }
}
