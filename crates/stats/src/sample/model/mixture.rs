//! A mixture of normal laws on the line, its means in ascending order.

use super::catalogue::Kind;
use super::options::{check_sd, missing};
use super::{Constraint, Model, ModelOptions, Room, indexed};
use windfall_core::{Error, Result, Stream, Table};
use windfall_lanes::scalar_math::{exp, log, log1p};
use windfall_lanes::{LANES, Simd, Task, dispatch, math, sum};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "mixture",
    about: "a mixture of normal laws on the line, means in ascending order",
    keys: &["outcome", "components", "prior_weight", "prior_mean_sd", "prior_log_sd"],
    data: true,
    build,
};

/// Components at most.
const COMPONENTS_MAX: usize = 100;

/// `y ~ Σ w_k N(mu_k, sigma_k)` with `mu_0 < mu_1 < …`.
///
/// With `m` and `s` the mean and the standard deviation of the data and K components, the priors
/// are `w ~ Dirichlet(prior_weight)`, 1 by default; the ordered sample of K means
/// `N(m, prior_mean_sd)`, 2 s by default; `log sigma_k ~ N(log(s/K), prior_log_sd)`, 1 by
/// default. They are proper, and keep a component from collapsing onto one value.
///
/// Chains move in `mu_0` and the logarithms of the gaps, in units of `s`, the logarithms of the
/// standard deviations, and broken sticks for the weights (Stan Reference Manual, "Unit simplex").
///
/// # Cost
/// An exponential a row and component, a logarithm for hundreds of rows.
#[derive(Clone, Debug)]
pub struct Mixture {
    names: Vec<String>,
    components: usize,
    /// The data less their mean, over their standard deviation, padded with zeros.
    values: Vec<[f64; LANES]>,
    rows: usize,
    mean: f64,
    sd: f64,
    weight: f64,
    /// 1 over the prior variance of a mean, in units of `sd`.
    mean_precision: f64,
    log_precision: f64,
}

fn build(options: &ModelOptions, table: &Table) -> Result<Box<dyn Model>> {
    let expected = "the name of a column";
    let outcome = options.outcome.as_ref().ok_or_else(|| missing("outcome", expected))?;
    let y = table.numbers(outcome)?;
    let components = options.components.ok_or_else(|| missing("components", "such as 2"))?;
    if !(1..=COMPONENTS_MAX).contains(&components) {
        let expected = format!("1 to {COMPONENTS_MAX}");
        return Err(Error::invalid("components", components, &expected));
    }
    if y.len() < 2 {
        return Err(Error::too_few("rows", y.len() as u64, 2));
    }
    for (key, value) in [
        ("prior_weight", options.prior_weight),
        ("prior_mean_sd", options.prior_mean_sd),
        ("prior_log_sd", options.prior_log_sd),
    ] {
        check_sd(key, value)?;
    }
    let mean = sum(y) / y.len() as f64;
    let squares: Vec<f64> = y.iter().map(|y| (y - mean) * (y - mean)).collect();
    let sd = (sum(&squares) / (y.len() - 1) as f64).sqrt();
    if sd <= 1e-12 * mean.abs() || !sd.is_normal() {
        return Err(Error::invalid(outcome, format!("{mean} in every row"), "values that vary"));
    }
    let values = y.chunks(LANES).map(|part| {
        let mut vector = [0.0; LANES];
        vector.iter_mut().zip(part).for_each(|(value, y)| *value = (y - mean) / sd);
        vector
    });
    let mean_sd = options.prior_mean_sd.map_or(2.0, |scale| scale / sd);
    let log_sd = options.prior_log_sd.unwrap_or(1.0);
    let kinds = ["weight", "mean", "sd"].into_iter();
    Ok(Box::new(Mixture {
        names: kinds.flat_map(|kind| indexed(kind, components)).collect(),
        components,
        values: values.collect(),
        rows: y.len(),
        mean,
        sd,
        weight: options.prior_weight.unwrap_or(1.0),
        mean_precision: (mean_sd * mean_sd).recip(),
        log_precision: (log_sd * log_sd).recip(),
    }))
}

/// One component at a point, and the sums over rows that its derivatives need.
#[derive(Clone, Copy, Default)]
struct Component {
    log_weight: f64,
    mean: f64,
    log_sd: f64,
    inverse_sd: f64,
    /// Responsibilities; times the standardised deviation; times its square.
    sums: [f64; 3],
}

/// What evaluations keep from call to call.
#[derive(Default)]
struct Scratch {
    components: Vec<Component>,
    /// For each component: what it adds to the density of eight rows, then three sums.
    vectors: Vec<[[f64; LANES]; 4]>,
}

impl Mixture {
    /// Coordinates: the first mean and the logarithms of gaps, the logarithms of the standard
    /// deviations over `1/K`, the sticks.
    fn components(&self, x: &[f64], components: &mut Vec<Component>) {
        let k = self.components;
        components.resize(k, Component::default());
        let base = -log(k as f64);
        let (mut mean, mut left) = (0.0, 0.0);
        for (place, component) in components.iter_mut().enumerate() {
            mean += if place == 0 { x[0] } else { exp(x[place]) };
            let log_sd = x[k + place] + base;
            // The share of the stick that is left: a logit less that of equal shares.
            let log_weight = if place + 1 < k {
                let (taken, rest) = shares(x[2 * k + place] - log((k - 1 - place) as f64));
                let weight = left + taken;
                left += rest;
                weight
            } else {
                left
            };
            let inverse_sd = exp(-log_sd);
            *component = Component { log_weight, mean, log_sd, inverse_sd, sums: [0.0; 3] };
        }
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64], room: &mut Room) -> f64 {
        let k = self.components;
        let Scratch { components, vectors } = room.hold();
        self.components(x, components);
        vectors.resize(k, [[0.0; LANES]; 4]);
        let with_gradient = !gradient.is_empty();
        let mut value = dispatch(Rows { model: self, components, vectors, with_gradient });
        for (place, component) in components.iter().enumerate() {
            let (mean, log_sd) = (component.mean, x[k + place]);
            value -= 0.5 * self.mean_precision * mean * mean;
            value -= 0.5 * self.log_precision * log_sd * log_sd;
            value += (self.weight - 1.0) * component.log_weight;
            value += if place == 0 { 0.0 } else { x[place] };
        }
        value += self.stick_jacobian(x);
        if with_gradient {
            self.gradient(x, components, gradient);
        }
        value
    }

    /// The log Jacobian of the sticks: at each, the logarithms of what is taken of what was left,
    /// of the rest, and of what was left.
    fn stick_jacobian(&self, x: &[f64]) -> f64 {
        let (k, mut value, mut left) = (self.components, 0.0, 0.0);
        for place in 0..k - 1 {
            let (taken, rest) = shares(x[2 * k + place] - log((k - 1 - place) as f64));
            value += taken + rest + left;
            left += rest;
        }
        value
    }

    fn gradient(&self, x: &[f64], components: &[Component], gradient: &mut [f64]) {
        let k = self.components;
        // A gap moves its mean and all later ones.
        let mut by_mean = 0.0;
        for place in (0..k).rev() {
            let Component { mean, inverse_sd, sums, .. } = components[place];
            by_mean += sums[1] * inverse_sd - self.mean_precision * mean;
            gradient[place] = if place == 0 { by_mean } else { by_mean * exp(x[place]) + 1.0 };
            gradient[k + place] = sums[2] - sums[0] - self.log_precision * x[k + place];
        }
        // A stick's logit moves its own log weight by 1 - p and all later ones by -p.
        let of = |place: usize| components[place].sums[0] + self.weight - 1.0;
        let mut later = of(k - 1);
        for place in (0..k - 1).rev() {
            let (taken, _) = shares(x[2 * k + place] - log((k - 1 - place) as f64));
            let share = exp(taken);
            let sticks = (k - 2 - place) as f64;
            gradient[2 * k + place] =
                of(place) - share * (of(place) + later) + (1.0 - 2.0 * share) - share * sticks;
            later += of(place);
        }
    }
}

/// The logarithms of `1/(1 + e^-u)` and of `1/(1 + e^u)`.
fn shares(u: f64) -> (f64, f64) {
    let rest = log1p(exp(-u.abs()));
    if u < 0.0 { (u - rest, -rest) } else { (-rest, -u - rest) }
}

/// The log likelihood; the sums that derivatives need are added to the components.
struct Rows<'a> {
    model: &'a Mixture,
    components: &'a mut [Component],
    vectors: &'a mut [[[f64; LANES]; 4]],
    with_gradient: bool,
}

/// Vectors after which the product of densities is taken into the sum: each factor is between 1 and
/// the number of components.
const SETTLE_VECTORS: usize = 128;

impl Task for Rows<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let Self { model, components, vectors, with_gradient } = self;
        vectors.iter_mut().for_each(|vectors| *vectors = [[0.0; LANES]; 4]);
        let (zero, one, half) = (simd.splat(0.0), simd.splat(1.0), simd.splat(0.5));
        let (mut total, mut product) = (zero, one);
        for (place, values) in model.values.iter().enumerate() {
            let y = simd.load(values);
            let lanes = (model.rows - place * LANES).min(LANES);
            let live = simd.mask_from_bits(((1u16 << lanes) - 1) as u8);
            let mut most = simd.splat(f64::NEG_INFINITY);
            for (component, vectors) in components.iter().zip(&mut *vectors) {
                let away = simd.sub(y, simd.splat(component.mean));
                let z = simd.mul(away, simd.splat(component.inverse_sd));
                let constant = simd.splat(component.log_weight - component.log_sd);
                let log = simd.fnma(simd.mul(z, half), z, constant);
                most = simd.max(log, most);
                simd.store(log, &mut vectors[0]);
            }
            let mut density = zero;
            for vectors in &mut *vectors {
                let part = math::exp(simd, simd.sub(simd.load(&vectors[0]), most));
                density = simd.add(density, part);
                simd.store(part, &mut vectors[0]);
            }
            total = simd.select(live, simd.add(total, most), total);
            product = simd.select(live, simd.mul(product, density), product);
            if (place + 1).is_multiple_of(SETTLE_VECTORS) {
                total = simd.add(total, math::log(simd, product));
                product = one;
            }
            if with_gradient {
                let inverse = simd.select(live, simd.div(one, density), zero);
                for (component, vectors) in components.iter().zip(&mut *vectors) {
                    let away = simd.sub(y, simd.splat(component.mean));
                    let z = simd.mul(away, simd.splat(component.inverse_sd));
                    let share = simd.mul(simd.load(&vectors[0]), inverse);
                    let first = simd.mul(share, z);
                    let terms = [share, first, simd.mul(first, z)];
                    for (term, sum) in terms.into_iter().zip(&mut vectors[1..]) {
                        simd.store(simd.add(simd.load(sum), term), sum);
                    }
                }
            }
        }
        for (component, vectors) in components.iter_mut().zip(vectors) {
            for (sum, vector) in component.sums.iter_mut().zip(&vectors[1..]) {
                *sum = simd.sum_lanes(simd.load(vector));
            }
        }
        simd.sum_lanes(simd.add(total, math::log(simd, product)))
    }
}

impl Model for Mixture {
    fn dimensions(&self) -> usize {
        3 * self.components - 1
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn log_density(&self, x: &[f64], gradient: &mut [f64], room: &mut Room) -> Result<f64> {
        Ok(self.evaluate(x, gradient, room))
    }

    fn value(&self, x: &[f64], room: &mut Room) -> Result<f64> {
        Ok(self.evaluate(x, &mut [], room))
    }

    fn report(&self, x: &[f64], out: &mut [f64], room: &mut Room) -> Result<()> {
        let k = self.components;
        let Scratch { components, .. } = room.hold();
        self.components(x, components);
        for (place, component) in components.iter().enumerate() {
            out[place] = exp(component.log_weight);
            out[k + place] = self.mean + self.sd * component.mean;
            out[2 * k + place] = self.sd * exp(component.log_sd);
        }
        Ok(())
    }

    fn place(&self, parameters: &[f64], x: &mut [f64]) -> Result<()> {
        let k = self.components;
        let (weights, rest) = parameters.split_at(k);
        let (means, sds) = rest.split_at(k);
        let positive = |name: &str, value| Constraint::POSITIVE.unconstrain(name, value);
        let total: f64 = weights.iter().sum();
        if (total - 1.0).abs() >= 1e-6 || total.is_nan() {
            return Err(Error::invalid("weights", total, "numbers whose sum is 1"));
        }
        let mut left = 1.0;
        for place in 0..k {
            positive(&self.names[place], weights[place])?;
            let mean = (means[place] - self.mean) / self.sd;
            x[place] = match place {
                0 => Constraint::Real.unconstrain(&self.names[k], mean)?,
                _ => {
                    let before = (means[place - 1] - self.mean) / self.sd;
                    Constraint::Above(before).unconstrain(&self.names[k + place], mean)?
                }
            };
            let sd = positive(&self.names[2 * k + place], sds[place] / self.sd)?;
            x[k + place] = sd + log(k as f64);
            if place + 1 < k {
                let rest = left - weights[place];
                let logit = log(weights[place]) - log(rest);
                x[2 * k + place] = logit + log((k - 1 - place) as f64);
                left = rest;
            }
        }
        Ok(())
    }

    /// Means spread over the data, spreads and weights about equal; each direction then moved by
    /// a uniform number in (-1, 1), the means by less.
    fn start(&self, stream: &mut Stream, x: &mut [f64]) {
        let k = self.components;
        x.iter_mut().for_each(|x| *x = 2.0 * stream.open_uniform() - 1.0);
        // Equally spaced over three standard deviations.
        let gap = 3.0 / k as f64;
        x[0] = -1.5 + gap * (0.5 + 0.5 * x[0]);
        x[1..k].iter_mut().for_each(|x| *x = log(gap) + 0.5 * *x);
    }
}
