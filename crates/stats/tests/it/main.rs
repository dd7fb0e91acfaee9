//! The statistical problems, from outside.

mod bootstrap;
mod formula;
mod integrate;
mod jackknife;
mod pi;
mod resample;
mod shared;
