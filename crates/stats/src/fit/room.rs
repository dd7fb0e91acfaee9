//! What a fit is made in and leaves behind: buffers that are used again group after group.

use super::sample::{Failure, Sample};
use crate::linear::{Columns, Square};

/// Numbers of a model as a whole; NaN where a family has none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Model {
    /// Rows that the fit rests on.
    pub n: f64,
    /// Rows less coefficients.
    pub freedom: f64,
    /// Degrees of freedom of the statistics: infinite for the normal law.
    pub reference: f64,
    pub sigma: f64,
    pub r_squared: f64,
    pub adjusted_r_squared: f64,
    pub log_likelihood: f64,
    /// Of quantile regression the tilted sum of absolute residuals.
    pub deviance: f64,
    pub aic: f64,
    pub bic: f64,
    pub iterations: f64,
}

impl Model {
    /// Nothing known.
    pub const NONE: Self = Self {
        n: f64::NAN,
        freedom: f64::NAN,
        reference: f64::NAN,
        sigma: f64::NAN,
        r_squared: f64::NAN,
        adjusted_r_squared: f64::NAN,
        log_likelihood: f64::NAN,
        deviance: f64::NAN,
        aic: f64::NAN,
        bic: f64::NAN,
        iterations: f64::NAN,
    };

    /// Sets the criteria for a model of `parameters`, from its log-likelihood.
    pub fn set_criteria(&mut self, parameters: f64) {
        self.aic = 2.0 * (parameters - self.log_likelihood);
        let log_n = windfall_lanes::scalar_math::log(self.n);
        self.bic = parameters * log_n - 2.0 * self.log_likelihood;
    }
}

/// The buffers of one worker.
#[derive(Debug)]
pub(super) struct Room {
    pub sample: Sample,
    /// Means of the columns of the sample, where there is an intercept.
    pub means: Vec<f64>,
    /// Cross products of the terms and the response.
    pub cross: Square,
    /// The total weight of the rows.
    pub mass: f64,
    /// The largest variance inflation factor; NaN if normal equations have no solution.
    pub inflation: f64,
    /// Whether there is a fit.
    pub status: Result<(), Failure>,
    /// A factor of them.
    pub factor: Square,
    /// The basis of the terms but the intercept.
    pub inner: Square,
    /// The basis of all terms: rows of the design times it are the rows of `scores`.
    pub basis: Square,
    /// The design in that basis, where standard errors need it.
    pub scores: Columns,
    /// What each row of `scores` is multiplied by to make its score.
    pub residuals: Vec<f64>,
    /// The weight of each row in its leverage; empty if it is 1.
    pub leverage_weights: Vec<f64>,
    /// The middle of a sandwich.
    pub meat: Square,
    pub coefficients: Vec<f64>,
    pub errors: Vec<f64>,
    pub model: Model,
    pub spare: [Vec<f64>; 4],
    pub columns: Columns,
}

impl Room {
    pub fn new() -> Self {
        Self {
            sample: Sample::default(),
            means: Vec::new(),
            cross: Square::default(),
            mass: f64::NAN,
            inflation: f64::NAN,
            status: Ok(()),
            factor: Square::default(),
            inner: Square::default(),
            basis: Square::default(),
            scores: Columns::default(),
            residuals: Vec::new(),
            leverage_weights: Vec::new(),
            meat: Square::default(),
            coefficients: Vec::new(),
            errors: Vec::new(),
            model: Model::NONE,
            spare: Default::default(),
            columns: Columns::default(),
        }
    }

    /// Extends the basis of the centred terms to the intercept, whose own part is `share`: one
    /// over the root of the total weight.
    pub fn extend_basis(&mut self, intercept: bool, share: f64) {
        let terms = self.inner.size();
        if !intercept {
            self.basis.clone_from(&self.inner);
            return;
        }
        self.basis.reset(terms + 1);
        self.basis.set(0, 0, share);
        for k in 0..terms {
            let mut sum = 0.0;
            for j in 0..terms {
                let value = self.inner.at(j, k);
                self.basis.set(j + 1, k + 1, value);
                sum += self.means[j] * value;
            }
            self.basis.set(0, k + 1, -sum);
        }
    }
}
