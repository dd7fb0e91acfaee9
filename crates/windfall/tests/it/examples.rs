//! Run the Rust examples: each asserts its own answer.

#[path = "../../examples/chains.rs"]
mod chains;
#[path = "../../examples/closures.rs"]
mod closures;
#[path = "../../examples/pi.rs"]
mod pi;
#[path = "../../examples/replicate.rs"]
mod replicate;
#[path = "../../examples/study.rs"]
mod study;

use windfall::Result;

#[test]
fn chains_explore_log_densities_of_ones_own() -> Result<()> {
    chains::main()
}

#[test]
fn closures_are_problems_too() -> Result<()> {
    closures::main()
}

#[test]
fn pi_comes_out_both_ways() -> Result<()> {
    pi::main()
}

#[test]
fn coverage_falls_as_data_get_skewed() -> Result<()> {
    replicate::main()
}

#[test]
fn a_study_of_closures_is_extended_and_replayed() -> Result<()> {
    study::main()
}
