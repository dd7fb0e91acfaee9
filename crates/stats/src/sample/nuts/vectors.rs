//! The vectors of a chain, padded to whole lanes, and the fused steps that NUTS takes on them.
//!
//! Everything runs in the metric's own coordinates, where momentum and velocity are one: a
//! standard normal vector. Position and gradient stay in the model's.

use windfall_lanes::{LANES, Simd, Task, dispatch, math};

/// Numbers of a chain, as many as there are dimensions, padded with zeros to whole lanes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Vector(Vec<[f64; LANES]>);

impl Vector {
    /// As many zeros as there are dimensions.
    pub fn zeros(dimensions: usize) -> Self {
        Self(vec![[0.0; LANES]; dimensions.div_ceil(LANES)])
    }

    /// The numbers, with the padding.
    pub fn padded(&self) -> &[f64] {
        self.0.as_flattened()
    }

    /// The numbers, with the padding, to be written.
    pub fn padded_mut(&mut self) -> &mut [f64] {
        self.0.as_flattened_mut()
    }

    /// Takes the numbers of another one of the same length.
    pub fn copy_from(&mut self, other: &Self) {
        self.0.copy_from_slice(&other.0);
    }
}

/// Half a kick and a drift: `v += ε/2 σ·g`, then `x += ε σ·v`.
pub(crate) struct KickDrift<'a> {
    pub scale: &'a Vector,
    pub gradient: &'a Vector,
    pub step: f64,
    pub v: &'a mut Vector,
    pub x: &'a mut Vector,
}

impl Task for KickDrift<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { scale, gradient, step, v, x } = self;
        let (half, step) = (simd.splat(0.5 * step), simd.splat(step));
        let known = scale.0.iter().zip(&gradient.0);
        for ((scale, gradient), (v, x)) in known.zip(v.0.iter_mut().zip(&mut x.0)) {
            let scale = simd.load(scale);
            let push = simd.mul(scale, simd.load(gradient));
            let fast = simd.fma(half, push, simd.load(v));
            simd.store(fast, v);
            simd.store(simd.fma(simd.mul(step, scale), fast, simd.load(x)), x);
        }
    }
}

/// What a leapfrog step arrives at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Arrival {
    /// The energy: kinetic less log density; infinite if either is not a number.
    pub energy: f64,
    /// `exp(start - energy)`, the point's weight against the start's; at most `e^300`.
    pub weight: f64,
}

/// The other half of the kick, and the energy there against that of the start.
pub(crate) struct KickWeigh<'a> {
    pub scale: &'a Vector,
    pub gradient: &'a Vector,
    pub step: f64,
    pub v: &'a mut Vector,
    pub log_density: f64,
    pub start_energy: f64,
}

/// Exponents of weights are cut off here, far from where a sum of a thousand would overflow. Only
/// a start that is `e^300` times less likely than where it leads can notice.
const EXPONENT_MAX: f64 = 300.0;

impl Task for KickWeigh<'_> {
    type Output = Arrival;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Arrival {
        let Self { scale, gradient, step, v, log_density, start_energy } = self;
        let half = simd.splat(0.5 * step);
        let mut squares = simd.splat(0.0);
        for ((scale, gradient), v) in scale.0.iter().zip(&gradient.0).zip(&mut v.0) {
            let push = simd.mul(simd.load(scale), simd.load(gradient));
            let fast = simd.fma(half, push, simd.load(v));
            squares = simd.fma(fast, fast, squares);
            simd.store(fast, v);
        }
        let energy = 0.5 * simd.sum_lanes(squares) - log_density;
        if !energy.is_finite() {
            return Arrival { energy: f64::INFINITY, weight: 0.0 };
        }
        let exponent = (start_energy - energy).min(EXPONENT_MAX);
        Arrival { energy, weight: simd.to_array(math::exp(simd, simd.splat(exponent)))[0] }
    }
}

/// `Σ v²/2`.
pub(crate) fn kinetic_energy(v: &Vector) -> f64 {
    0.5 * windfall_lanes::dot(v.padded(), v.padded())
}

/// The velocities at both ends of a stretch of trajectory, and their sum over all its points.
pub(crate) struct Stretch<'a> {
    pub first: &'a Vector,
    pub last: &'a Vector,
    pub sum: &'a Vector,
}

/// Joins two neighbouring stretches: writes the sum of both to `sum` and tells whether the whole
/// still moves apart at both ends, and so does each half together with its neighbour's next point
/// (the additional checks of Stan, which notice a turn that the sums of the halves cancel).
pub(crate) struct StillApart<'a> {
    pub left: Stretch<'a>,
    pub right: Stretch<'a>,
    pub sum: &'a mut Vector,
}

impl Task for StillApart<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let Self { left, right, sum } = self;
        let zero = simd.splat(0.0);
        let mut dots = [zero; 6];
        for (at, sum) in sum.0.iter_mut().enumerate() {
            let [a, b] = [simd.load(&left.first.0[at]), simd.load(&left.last.0[at])];
            let [c, d] = [simd.load(&right.first.0[at]), simd.load(&right.last.0[at])];
            let [l, r] = [simd.load(&left.sum.0[at]), simd.load(&right.sum.0[at])];
            let (all, ahead, behind) = (simd.add(l, r), simd.add(l, c), simd.add(r, b));
            simd.store(all, sum);
            dots[0] = simd.fma(a, all, dots[0]);
            dots[1] = simd.fma(d, all, dots[1]);
            dots[2] = simd.fma(a, ahead, dots[2]);
            dots[3] = simd.fma(c, ahead, dots[3]);
            dots[4] = simd.fma(b, behind, dots[4]);
            dots[5] = simd.fma(d, behind, dots[5]);
        }
        dots.into_iter().all(|dot| simd.sum_lanes(dot) > 0.0)
    }
}

/// Runs a task on the instruction set of this machine.
#[inline]
pub(crate) fn go<T: Task>(task: T) -> T::Output {
    dispatch(task)
}

/// Mean and sum of squared deviations of each dimension.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread {
    count: u64,
    mean: Vector,
    squares: Vector,
}

impl Spread {
    /// Of no vectors yet.
    pub fn new(dimensions: usize) -> Self {
        let zeros = Vector::zeros(dimensions);
        Self { count: 0, mean: zeros.clone(), squares: zeros }
    }

    /// How many vectors were added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds one vector, by Welford's update.
    pub fn add(&mut self, value: &Vector) {
        self.count += 1;
        let share = 1.0 / self.count as f64;
        dispatch(Welford { spread: self, value, share });
    }
}

struct Welford<'a> {
    spread: &'a mut Spread,
    value: &'a Vector,
    share: f64,
}

impl Task for Welford<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let share = simd.splat(self.share);
        let Spread { mean, squares, .. } = self.spread;
        for ((mean, squares), value) in mean.0.iter_mut().zip(&mut squares.0).zip(&self.value.0) {
            let (value, before) = (simd.load(value), simd.load(mean));
            let away = simd.sub(value, before);
            let after = simd.fma(away, share, before);
            simd.store(after, mean);
            simd.store(simd.fma(away, simd.sub(value, after), simd.load(squares)), squares);
        }
    }
}

/// The scale of each dimension from draws and gradients: `(var(x)/var(g))^(1/4)`, which is the
/// standard deviation if the law is normal, however few draws there are. What is not a number
/// above 0 keeps its old scale.
pub(crate) struct Rescale<'a> {
    pub draws: &'a Spread,
    pub gradients: &'a Spread,
    pub scale: &'a mut Vector,
}

/// Scales stay within these.
const SCALE_MIN: f64 = 1e-10;
const SCALE_MAX: f64 = 1e10;

impl Task for Rescale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (low, high) = (simd.splat(SCALE_MIN), simd.splat(SCALE_MAX));
        let spreads = self.draws.squares.0.iter().zip(&self.gradients.squares.0);
        for (scale, (x, g)) in self.scale.0.iter_mut().zip(spreads) {
            let ratio = simd.div(simd.load(x), simd.load(g));
            let root = simd.sqrt(simd.sqrt(ratio));
            let good = simd.mask_and(
                simd.lt(simd.splat(0.0), ratio),
                simd.lt(ratio, simd.splat(f64::INFINITY)),
            );
            let bounded = simd.max(simd.min(root, high), low);
            simd.store(simd.select(good, bounded, simd.load(scale)), scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(values: &[f64]) -> Vector {
        let mut vector = Vector::zeros(values.len());
        vector.padded_mut()[..values.len()].copy_from_slice(values);
        vector
    }

    #[test]
    fn a_straight_flight_stays_apart_and_a_circle_turns() {
        let apart = |velocities: [[f64; 2]; 4]| {
            let v = velocities.map(|v| vector(&v));
            let sum = |a: [f64; 2], b: [f64; 2]| vector(&[a[0] + b[0], a[1] + b[1]]);
            let (l, r) = (sum(velocities[0], velocities[1]), sum(velocities[2], velocities[3]));
            let mut all = Vector::zeros(2);
            let left = Stretch { first: &v[0], last: &v[1], sum: &l };
            let right = Stretch { first: &v[2], last: &v[3], sum: &r };
            let apart = go(StillApart { left, right, sum: &mut all });
            assert_eq!(all.padded()[0], velocities.iter().map(|v| v[0]).sum::<f64>());
            apart
        };
        assert!(apart([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2], [1.0, 0.1]]));
        assert!(!apart([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]));
    }

    #[test]
    fn scales_of_a_normal_law_are_exact_from_three_draws() {
        // Gradients of a normal law are -x/sd².
        let sd = [0.5, 3.0];
        let (mut draws, mut gradients) = (Spread::new(2), Spread::new(2));
        for x in [[1.0, -2.0], [0.3, 4.0], [-0.7, 0.1]] {
            draws.add(&vector(&x));
            gradients.add(&vector(&[-x[0] / 0.25, -x[1] / 9.0]));
        }
        let mut scale = vector(&[1.0, 1.0]);
        go(Rescale { draws: &draws, gradients: &gradients, scale: &mut scale });
        for (found, sd) in scale.padded().iter().zip(sd) {
            assert!((found - sd).abs() < 1e-12);
        }
        assert_eq!(scale.padded()[2], 0.0, "padding stays");
    }
}
