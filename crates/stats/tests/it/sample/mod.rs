//! Chains and what is told of them, against published posteriors and other programs.

mod chains;
mod diagnostics;
mod posteriors;
mod references;
