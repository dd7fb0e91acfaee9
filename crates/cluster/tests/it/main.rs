//! The cluster's tests that need no Python.

mod chaos;
mod serving;
mod simulation;
