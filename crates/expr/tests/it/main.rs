//! Hold the formula language to its contract, through its public face only.

mod common;
mod errors;
mod functions;
mod gradient;
mod language;
mod noise;
mod plans;
mod random;
mod rounding;
mod statistic;
