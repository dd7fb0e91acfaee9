//! A mixture of normals as a value: weights, means and covariances of one of four shapes.

use super::errors::{Parameter, spreads};
use crate::cholesky::{cholesky, inverse_lower};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use windfall_core::{Error, Result};
use windfall_lanes::scalar_math::log;

/// What the covariances of the components have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Covariance {
    /// Each component has its own, of any form.
    #[default]
    Full,
    /// All components share one, of any form.
    Tied,
    /// Each component has its own variances and no covariances.
    #[serde(alias = "diagonal")]
    Diag,
    /// Each component has one variance, the same in every direction.
    Spherical,
}

impl Covariance {
    /// Whether no component has covariances between columns.
    pub(super) fn is_diagonal(self) -> bool {
        matches!(self, Self::Diag | Self::Spherical)
    }

    /// The numbers that all covariances of `k` components in `d` dimensions take.
    pub(super) fn numbers(self, k: usize, d: usize) -> usize {
        match self {
            Self::Full => k * d * d,
            Self::Tied => d * d,
            Self::Diag => k * d,
            Self::Spherical => k,
        }
    }

    /// The free ones among them.
    pub(super) fn free(self, k: usize, d: usize) -> usize {
        match self {
            Self::Full => k * d * (d + 1) / 2,
            Self::Tied => d * (d + 1) / 2,
            Self::Diag | Self::Spherical => self.numbers(k, d),
        }
    }
}

/// A mixture of `k` normal distributions in `d` dimensions.
///
/// # Shapes
/// `weights` holds `k` numbers, `means` `k` rows of `d`; `covariances` holds, row after row,
/// `k` matrices of `d` by `d` (full), one of them (tied), `k` rows of `d` (diag) or `k` numbers
/// (spherical).
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The shape of the covariances.
    pub covariance: Covariance,
    /// The weights, which add up to 1.
    pub weights: Vec<f64>,
    /// The means.
    pub means: Vec<f64>,
    /// The covariances.
    pub covariances: Vec<f64>,
}

impl Model {
    /// The number of components.
    pub fn components(&self) -> usize {
        self.weights.len()
    }

    /// The number of columns.
    pub fn dimensions(&self) -> usize {
        self.means.len() / self.weights.len()
    }

    /// The number of free parameters.
    pub fn parameters(&self) -> usize {
        let (k, d) = (self.components(), self.dimensions());
        k - 1 + k * d + self.covariance.free(k, d)
    }

    /// The mean of one component.
    pub fn mean(&self, component: usize) -> &[f64] {
        let d = self.dimensions();
        &self.means[component * d..(component + 1) * d]
    }

    /// The covariance of one component as a matrix.
    pub fn covariance_of(&self, component: usize) -> Vec<f64> {
        let d = self.dimensions();
        let diagonal = |variance: &dyn Fn(usize) -> f64| {
            let mut matrix = vec![0.0; d * d];
            (0..d).for_each(|a| matrix[a * d + a] = variance(a));
            matrix
        };
        match self.covariance {
            Covariance::Full => {
                self.covariances[component * d * d..(component + 1) * d * d].to_vec()
            }
            Covariance::Tied => self.covariances.clone(),
            Covariance::Diag => diagonal(&|a| self.covariances[component * d + a]),
            Covariance::Spherical => diagonal(&|_| self.covariances[component]),
        }
    }

    /// Where the covariance of a component, or of all, between columns `a` and `b` stands; of a
    /// diagonal shape `a` is `b`.
    pub(super) fn place(&self, component: Option<usize>, a: usize, b: usize) -> usize {
        let (j, d) = (component.unwrap_or(0), self.dimensions());
        if self.covariance == Covariance::Diag { j * d + a } else { (j * d + a) * d + b }
    }

    /// A mixture of the same form with these parameters: weights, means, then the covariances that
    /// are free.
    pub(super) fn with_values(&self, values: &mut impl Iterator<Item = f64>) -> Self {
        let mut model = self.clone();
        model
            .weights
            .iter_mut()
            .chain(&mut model.means)
            .zip(&mut *values)
            .for_each(|(to, v)| *to = v);
        for spread in spreads(self) {
            let value = values.next().unwrap_or(f64::NAN);
            match spread {
                Parameter::Covariance(j, a, b) => {
                    let places = [self.place(j, a, b), self.place(j, b, a)];
                    places.into_iter().for_each(|place| model.covariances[place] = value);
                }
                Parameter::Variance(j) => model.covariances[j] = value,
                Parameter::Weight(_) | Parameter::Mean(..) => {}
            }
        }
        model
    }

    /// The same mixture with its components in the order of `places`.
    pub(super) fn reordered(&self, places: &[usize]) -> Self {
        let d = self.dimensions();
        let rows = |values: &[f64], width: usize| {
            let row = |&place: &usize| values[place * width..(place + 1) * width].to_vec();
            places.iter().flat_map(row).collect::<Vec<f64>>()
        };
        let covariances = match self.covariance {
            Covariance::Full => rows(&self.covariances, d * d),
            Covariance::Tied => self.covariances.clone(),
            Covariance::Diag => rows(&self.covariances, d),
            Covariance::Spherical => rows(&self.covariances, 1),
        };
        Self {
            covariance: self.covariance,
            weights: rows(&self.weights, 1),
            means: rows(&self.means, d),
            covariances,
        }
    }

    /// The mixture as JSON: lists nested as the shapes say.
    pub(super) fn to_json(&self) -> Value {
        let d = self.dimensions();
        let rows = |values: &[f64]| values.chunks(d).map(|row| json!(row)).collect::<Value>();
        let covariances = match self.covariance {
            Covariance::Full => self.covariances.chunks(d * d).map(rows).collect(),
            Covariance::Tied | Covariance::Diag => rows(&self.covariances),
            Covariance::Spherical => json!(self.covariances),
        };
        json!({ "weights": self.weights, "means": rows(&self.means), "covariances": covariances })
    }
}

/// A mixture as a job file writes it; weights left out are equal, covariances left out those of
/// all rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// `k` numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f64>>,
    /// `k` rows of `d` numbers; of one column, `k` numbers will do.
    pub means: Value,
    /// As the shape of the covariances says; of one column, `k` numbers will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covariances: Option<Value>,
}

impl Given {
    /// The mixture, checked.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Invalid`] for a shape that does not fit, weights that are not
    /// positive or do not add up to 1, or a covariance that is not positive definite.
    pub(super) fn model(&self, covariance: Covariance, overall: &[f64], d: usize) -> Result<Model> {
        let means = numbers("means", &self.means)?;
        if means.is_empty() || means.len() % d != 0 {
            let expected = format!("rows of {d} numbers, one a column");
            return Err(Error::invalid("means", &self.means, &expected));
        }
        let k = means.len() / d;
        let weights = self.weights.clone().unwrap_or_else(|| vec![1.0 / k as f64; k]);
        let total: f64 = weights.iter().sum();
        let sound = weights.len() == k && weights.iter().all(|&w| w > 0.0);
        if !sound || (total - 1.0).abs() > 1e-6 {
            let expected = format!("{k} numbers above 0 that add up to 1, one a component");
            return Err(Error::invalid("weights", json!(weights), &expected));
        }
        let covariances = match &self.covariances {
            Some(value) => numbers("covariances", value)?,
            None => spread(covariance, overall, k, d),
        };
        let need = covariance.numbers(k, d);
        if covariances.len() != need {
            let expected = format!("{need} numbers for this covariance_type");
            return Err(Error::invalid("covariances", json!(covariances), &expected));
        }
        let model = Model { covariance, weights, means, covariances };
        for component in 0..k {
            let matrix = model.covariance_of(component);
            // Only the lower triangle is read; the upper one may differ by rounding.
            let even = (0..d * d).all(|at| {
                let (a, b) = (at / d, at % d);
                let size = (matrix[a * d + a] * matrix[b * d + b]).sqrt();
                (matrix[at] - matrix[b * d + a]).abs() <= 1e-8 * size
            });
            if !even || cholesky(&matrix, d).is_none() {
                let expected = format!("symmetric and positive definite in component {component}");
                return Err(Error::invalid("covariances", json!(matrix), &expected));
            }
        }
        Ok(model)
    }
}

/// One covariance for all components, in this shape.
pub(super) fn spread(covariance: Covariance, matrix: &[f64], k: usize, d: usize) -> Vec<f64> {
    let diagonal = || (0..d).map(|a| matrix[a * d + a]);
    match covariance {
        Covariance::Full => matrix.repeat(k),
        Covariance::Tied => matrix.to_vec(),
        Covariance::Diag => diagonal().collect::<Vec<_>>().repeat(k),
        Covariance::Spherical => vec![diagonal().sum::<f64>() / d as f64; k],
    }
}

/// The numbers of nested lists, in order.
fn numbers(what: &str, value: &Value) -> Result<Vec<f64>> {
    match value {
        Value::Array(list) => {
            Ok(list.iter().map(|value| numbers(what, value)).collect::<Result<Vec<_>>>()?.concat())
        }
        Value::Number(number) => Ok(number.as_f64().into_iter().collect()),
        other => Err(Error::invalid(what, other, "numbers in lists")),
    }
}

/// What the density of one component needs of its parameters.
#[derive(Clone, Debug)]
pub(super) struct Density {
    /// The logarithm of the weight over the square root of the determinant of 2 pi times the
    /// covariance.
    pub constant: f64,
    /// The mean.
    pub mean: Vec<f64>,
    /// The inverse of the covariance's factor: its lower triangle row after row, or its diagonal.
    pub factor: Vec<f64>,
}

/// The densities of a mixture's components, ready for a pass over rows.
#[derive(Clone, Debug)]
pub(super) struct Densities {
    /// Whether factors are diagonals.
    pub diagonal: bool,
    /// One a component.
    pub components: Vec<Density>,
}

/// ln(2 pi) / 2.
const HALF_LOG_TURN: f64 = 0.918_938_533_204_672_8;

impl Densities {
    /// The densities of `model`; none if a covariance is not positive definite.
    pub fn new(model: &Model) -> Option<Self> {
        let d = model.dimensions();
        let diagonal = model.covariance.is_diagonal() || d == 1;
        let density = |component: usize| {
            let inverse = inverse_lower(&cholesky(&model.covariance_of(component), d)?, d);
            let mut constant = log(model.weights[component].max(f64::MIN_POSITIVE));
            let mut factor = Vec::new();
            for a in 0..d {
                constant += log(inverse[a * d + a]) - HALF_LOG_TURN;
                let first = if diagonal { a } else { 0 };
                factor.extend_from_slice(&inverse[a * d + first..=a * d + a]);
            }
            Some(Density { constant, mean: model.mean(component).to_vec(), factor })
        };
        let components = (0..model.components()).map(density).collect::<Option<_>>()?;
        Some(Self { diagonal, components })
    }

    /// The number of columns.
    pub fn dimensions(&self) -> usize {
        self.components[0].mean.len()
    }

    /// The sums that a component yields: its share of rows, of deviations from its mean, and of
    /// their products.
    pub fn width(&self) -> usize {
        1 + self.dimensions() + self.components[0].factor.len()
    }

    /// The sums that a pass yields: those of each component, then the log-likelihood.
    pub fn sums(&self) -> usize {
        self.components.len() * self.width() + 1
    }
}
