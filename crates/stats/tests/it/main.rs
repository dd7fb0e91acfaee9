//! The statistical problems, from outside.

mod bootstrap;
mod jackknife;
mod resample;
