//! Answer the statistical questions: one problem a module, each with options, kernel and answer.
//!
//! A problem knows nothing of where it runs; [`REGISTRY`] makes one from a job file.

pub mod bootstrap;
mod cholesky;
pub mod fit;
pub mod formula;
pub mod hypothesis;
pub mod integrate;
pub mod jackknife;
pub mod law;
mod linear;
pub mod mixture;
pub mod pi;
pub mod resample;
pub mod sample;
pub mod simulate;
pub mod statistic;

use windfall_core::Registry;

/// Every problem by its name in job files.
pub static REGISTRY: Registry = Registry(&[
    bootstrap::ENTRY,
    fit::ENTRY,
    integrate::ENTRY,
    jackknife::ENTRY,
    mixture::ENTRY,
    pi::ENTRY,
    sample::ENTRY,
    simulate::ENTRY,
]);
