//! The statistical problems, from outside.

mod bootstrap;
mod fit;
mod formula;
mod hypothesis;
mod integrate;
mod jackknife;
mod linkage;
mod mixture;
mod models;
mod permutation;
mod pi;
mod power;
mod resample;
mod sample;
mod sample_size;
mod shared;
mod simulate;
