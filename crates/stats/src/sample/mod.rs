//! Draw from a posterior by many chains: the models they explore.
//!
//! ```text
//! model/        what a model is, the built-in ones, and how a job names one
//! ```

pub mod model;
