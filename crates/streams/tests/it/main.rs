//! Tests of the streams through their public face: known answers, laws, distributions.

mod distributions;
mod golden;
mod laws;
mod recorded;
