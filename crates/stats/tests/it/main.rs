//! The statistical problems, from outside.

mod bootstrap;
mod fit;
mod formula;
mod hypothesis;
mod integrate;
mod jackknife;
mod mixture;
mod models;
mod pi;
mod resample;
mod sample;
mod shared;
mod simulate;
