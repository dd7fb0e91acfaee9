//! The conjugate prior of a mixture and one draw of all parameters given the allocations.
//!
//! Weights: Dirichlet. Mean and covariance of a component: normal-inverse-Wishart, of a diagonal
//! shape normal-inverse-gamma a column. The defaults follow Fraley & Raftery (2007), "Bayesian
//! regularization for normal mixture estimation and model-based clustering", Journal of
//! Classification 24: weak, centred on the data, scaled by the number of components. Updates:
//! Gelman et al., *Bayesian Data Analysis* (3rd ed.), section 3.6.

use super::data::Data;
use super::model::{Covariance, Model};
use super::update::Sums;
use crate::cholesky::{cholesky, inverse_lower};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use windfall_core::{Error, Result, Stream};
use windfall_lanes::scalar_math::pow;

/// The prior of a Gibbs sampler; keys left out take their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriorOptions {
    /// The concentration of each weight; 1 makes all weights as likely.
    pub concentration: f64,
    /// How many rows the prior of a mean counts for.
    pub shrinkage: f64,
    /// Degrees of freedom of the covariance; `d + 2` (diag: 3) if left out.
    pub degrees: Option<f64>,
    /// Where means are centred, a number a column; at the means of all rows if left out.
    pub centre: Option<Vec<f64>>,
    /// The scale of the covariance; `k^(-2/d)` times the covariance of all rows if left out.
    pub scale: Option<Scale>,
}

/// The scale of an inverse Wishart prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number above 0, or `d` rows of `d` numbers")]
pub enum Scale {
    /// A share of the covariance of all rows.
    Share(f64),
    /// A matrix.
    Matrix(Vec<Vec<f64>>),
}

impl Default for PriorOptions {
    fn default() -> Self {
        Self { concentration: 1.0, shrinkage: 0.01, degrees: None, centre: None, scale: None }
    }
}

impl PriorOptions {
    /// Checks what needs no data.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for a number that is not above zero.
    pub(super) fn check(&self) -> Result<()> {
        let always = [("concentration", self.concentration), ("shrinkage", self.shrinkage)];
        let share = match self.scale {
            Some(Scale::Share(share)) => Some(share),
            _ => None,
        };
        let given = [("degrees", self.degrees), ("scale", share)];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        for (name, value) in always.into_iter().chain(given) {
            if !(value > 0.0 && value.is_finite()) {
                let what = format!("prior.{name}");
                return Err(Error::invalid(&what, value, "a number above 0"));
            }
        }
        Ok(())
    }
}

/// The prior, ready for one number of components.
#[derive(Clone, Debug)]
pub(super) struct Prior {
    concentration: f64,
    shrinkage: f64,
    degrees: f64,
    /// Where means are centred: at the columns' means.
    centre: Vec<f64>,
    /// The scale of the covariance.
    scale: Vec<f64>,
}

impl Prior {
    /// The prior of `k` components of this shape.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] if the degrees of freedom are too few, or the centre
    /// or the scale do not fit the columns.
    pub fn new(
        options: &PriorOptions,
        covariance: Covariance,
        data: &Data,
        k: usize,
    ) -> Result<Self> {
        let d = data.columns.len();
        // A column has a law of its own where the shape is diagonal.
        let law = if covariance == Covariance::Diag { 1 } else { d };
        let degrees = options.degrees.unwrap_or((law + 2) as f64);
        if covariance != Covariance::Spherical && degrees <= (law - 1) as f64 {
            let expected = format!("above {}, for {d} columns", law - 1);
            return Err(Error::invalid("prior.degrees", degrees, &expected));
        }
        let centre = options.centre.clone().unwrap_or_else(|| data.means.clone());
        if centre.len() != d || !centre.iter().all(|value| value.is_finite()) {
            let expected = format!("{d} numbers, one a column");
            return Err(Error::invalid("prior.centre", json!(centre), &expected));
        }
        let shared = |share: f64| data.overall.iter().map(|value| share * value).collect();
        let scale: Vec<f64> = match &options.scale {
            None => shared(pow(k as f64, -2.0 / d as f64)),
            Some(Scale::Share(share)) => shared(*share),
            Some(Scale::Matrix(rows)) => rows.concat(),
        };
        if scale.len() != d * d || cholesky(&scale, d).is_none() {
            let expected = format!("{d} rows of {d} numbers, positive definite");
            return Err(Error::invalid("prior.scale", json!(options.scale), &expected));
        }
        let (concentration, shrinkage) = (options.concentration, options.shrinkage);
        Ok(Self { concentration, shrinkage, degrees, centre, scale })
    }

    /// The prior as JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "concentration": self.concentration,
            "shrinkage": self.shrinkage,
            "degrees": self.degrees,
            "centre": self.centre,
            "scale": self.scale.chunks(self.centre.len()).collect::<Vec<_>>(),
        })
    }

    /// One draw of all parameters given the sums of an allocation, which are about the means of
    /// `model`: covariances first, each mean given its covariance, then the weights.
    ///
    /// # Errors
    /// A task's, if a scale has lost its definiteness to rounding.
    pub fn draw(&self, model: &Model, totals: &[f64], stream: &mut Stream) -> Result<Model> {
        let (k, d) = (model.components(), model.dimensions());
        let mut next = model.clone();
        let sums: Vec<Sums<'_>> = Sums::of(totals, k, d).collect();
        let updates: Vec<Update> =
            sums.iter().enumerate().map(|(j, sums)| self.update(model.mean(j), sums)).collect();
        let pooled = (model.covariance == Covariance::Tied)
            .then(|| {
                let mut scale = self.scale.clone();
                for update in &updates {
                    scale.iter_mut().zip(&update.scatter).for_each(|(sum, value)| *sum += value);
                }
                let rows: f64 = sums.iter().map(|sums| sums.count).sum();
                inverse_wishart(&scale, self.degrees + rows, stream)
            })
            .transpose()?;
        if let Some(root) = &pooled {
            next.covariances = square(root, d);
        }
        for (j, (update, sums)) in updates.iter().zip(&sums).enumerate() {
            let root = match (&pooled, model.covariance) {
                (Some(root), _) => root.clone(),
                (None, Covariance::Diag | Covariance::Spherical) => {
                    self.variances(update, sums.count, model.covariance, stream)?
                }
                (None, _) => {
                    let scale: Vec<f64> =
                        self.scale.iter().zip(&update.scatter).map(|(a, b)| a + b).collect();
                    inverse_wishart(&scale, self.degrees + sums.count, stream)?
                }
            };
            match model.covariance {
                Covariance::Full => {
                    next.covariances[j * d * d..][..d * d].copy_from_slice(&square(&root, d));
                }
                Covariance::Diag => (0..d).for_each(|a| {
                    next.covariances[j * d + a] = root[a * d + a] * root[a * d + a];
                }),
                Covariance::Spherical => next.covariances[j] = root[0] * root[0],
                Covariance::Tied => {}
            }
            let z: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
            let spread = 1.0 / (self.shrinkage + sums.count).sqrt();
            for a in 0..d {
                let step = (0..d).fold(0.0, |sum, b| root[a * d + b].mul_add(z[b], sum));
                next.means[j * d + a] = step.mul_add(spread, update.centre[a]);
            }
        }
        let shapes = sums.iter().map(|sums| self.concentration + sums.count);
        let draws: Vec<f64> = shapes.map(|shape| gamma(shape, stream)).collect::<Result<_>>()?;
        let total: f64 = draws.iter().sum();
        next.weights = draws.iter().map(|draw| (draw / total).max(f64::MIN_POSITIVE)).collect();
        Ok(next)
    }

    /// The posterior centre of one component's mean, and what its rows add to the scale.
    fn update(&self, mean: &[f64], sums: &Sums<'_>) -> Update {
        let d = mean.len();
        let (count, rows) = (sums.count, self.shrinkage + sums.count);
        // An empty component: nothing is added, the prior alone is left.
        let empty = count == 0.0;
        let own: Vec<f64> = (0..d)
            .map(|a| if empty { self.centre[a] } else { mean[a] + sums.firsts[a] / count })
            .collect();
        let mut scatter = if empty { vec![0.0; d * d] } else { sums.scatter() };
        let pull = self.shrinkage * count / rows;
        for a in 0..d {
            for b in 0..d {
                let product = (own[a] - self.centre[a]) * (own[b] - self.centre[b]);
                scatter[a * d + b] = pull.mul_add(product, scatter[a * d + b]);
            }
        }
        let centre = own.iter().zip(&self.centre);
        let centre = centre.map(|(own, prior)| own + (prior - own) * (self.shrinkage / rows));
        Update { centre: centre.collect(), scatter }
    }

    /// The standard deviations of a component of a diagonal shape, as a diagonal matrix.
    fn variances(
        &self,
        update: &Update,
        count: f64,
        covariance: Covariance,
        stream: &mut Stream,
    ) -> Result<Vec<f64>> {
        let d = update.centre.len();
        let mut root = vec![0.0; d * d];
        let of = |a: usize, matrix: &[f64]| matrix[a * d + a];
        if covariance == Covariance::Spherical {
            let prior = (0..d).map(|a| of(a, &self.scale)).sum::<f64>() / d as f64;
            let scatter: f64 = (0..d).map(|a| of(a, &update.scatter)).sum();
            let shape = 0.5 * (self.degrees + d as f64 * count);
            let deviation = (0.5 * (prior + scatter) / gamma(shape, stream)?).sqrt();
            (0..d).for_each(|a| root[a * d + a] = deviation);
            return Ok(root);
        }
        for a in 0..d {
            let scale = 0.5 * (of(a, &self.scale) + of(a, &update.scatter));
            let draw = gamma(0.5 * (self.degrees + count), stream)?;
            root[a * d + a] = (scale / draw).sqrt();
        }
        Ok(root)
    }
}

/// What the rows of a component make of the prior.
struct Update {
    centre: Vec<f64>,
    scatter: Vec<f64>,
}

/// A root `R` of an inverse Wishart draw `R R'`, by Bartlett's decomposition: `L A'^-1`, where
/// `L L'` is the scale and `A` lower triangular with normal entries below the roots of chi-square
/// draws (Smith & Hocking 1972).
fn inverse_wishart(scale: &[f64], degrees: f64, stream: &mut Stream) -> Result<Vec<f64>> {
    let d = scale.len().isqrt();
    let unsound = || Error::task("a covariance's scale is not positive definite");
    let factor = cholesky(scale, d).ok_or_else(unsound)?;
    let mut a = vec![0.0; d * d];
    for row in 0..d {
        for column in 0..row {
            a[row * d + column] = stream.normal();
        }
        a[row * d + row] = (2.0 * gamma(0.5 * (degrees - row as f64), stream)?).sqrt();
    }
    let inverse = inverse_lower(&a, d);
    let mut root = vec![0.0; d * d];
    for row in 0..d {
        for column in 0..d {
            // The transpose of a lower inverse is upper: its column ends at `column`.
            root[row * d + column] = (0..=row.min(column))
                .fold(0.0, |sum, k| factor[row * d + k].mul_add(inverse[column * d + k], sum));
        }
    }
    Ok(root)
}

/// `R R'`.
fn square(root: &[f64], d: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; d * d];
    for a in 0..d {
        for b in 0..=a {
            let sum = (0..d).fold(0.0, |sum, c| root[a * d + c].mul_add(root[b * d + c], sum));
            matrix[a * d + b] = sum;
            matrix[b * d + a] = sum;
        }
    }
    matrix
}

fn gamma(shape: f64, stream: &mut Stream) -> Result<f64> {
    stream.gamma(shape, 1.0).map_err(|error| Error::task(error.to_string()))
}
